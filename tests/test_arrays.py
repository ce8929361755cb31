"""Arrays that an estimator stores are its own, and contiguous.

A strided view becomes contiguous in a pickle, and products of matrices with another
layout may differ in their last bits. A view of a part holds the rest, too.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from sklearn_unlearn.exact import CertifiedLogisticRegression, ExactUnlearner
from tests._instances import RULES, all_instances, rows_for, seeded

FOREIGN = ("sklearn", "scipy", "torch", "pandas")


def stored_arrays(thing, path, is_ours=True):
    """Yield the arrays of an object at any depth, and whether our code stored them.

    Whatever an estimator of scikit-learn holds may be from its own ``fit``.
    """
    if isinstance(thing, np.ndarray):
        yield path, thing, is_ours
    elif isinstance(thing, dict):
        for name, value in thing.items():
            yield from stored_arrays(value, f"{path}[{name!r}]", is_ours)
    elif isinstance(thing, (list, tuple)):
        for i, value in enumerate(thing):
            yield from stored_arrays(value, f"{path}[{i}]", is_ours)
    elif not isinstance(thing, type):
        is_ours = type(thing).__module__.partition(".")[0] not in FOREIGN
        slots = [n for c in type(thing).__mro__ for n in getattr(c, "__slots__", ())]
        own = {n: getattr(thing, n) for n in slots if n[:2] != "__"}
        for name, value in (getattr(thing, "__dict__", {}) | own).items():
            yield from stored_arrays(value, f"{path}.{name}", is_ours)


def is_a_part(array):
    """Whether an array is a view of a larger one."""
    base = array.base
    return isinstance(base, np.ndarray) and base.nbytes != array.nbytes


def assert_own_arrays(model):
    for path, array, is_ours in stored_arrays(model, "model"):
        flags = array.flags
        assert flags.c_contiguous or flags.f_contiguous, f"{path} is strided"
        assert not (is_ours and is_a_part(array)), f"{path} is a part of an array"


@pytest.mark.filterwarnings("ignore::sklearn_unlearn.exceptions.UnlearningWarning")
@pytest.mark.parametrize("estimator", [*all_instances(), *RULES], ids=repr)
def test_arrays_own_their_memory(estimator):
    X, y = rows_for(estimator)
    model = seeded(estimator).fit(X, y)
    assert_own_arrays(model)
    assert_own_arrays(model.unlearn(X[:5]))


@pytest.mark.parametrize(
    "model",
    [
        CertifiedLogisticRegression(),
        ExactUnlearner(LogisticRegression()),
        ExactUnlearner(LinearDiscriminantAnalysis()),
    ],
    ids=repr,
)
def test_a_row_of_coefficients_is_no_part_of_others(model):
    X, y = rows_for(model)
    two = y != "quince"
    model.fit(X[two], y[two])
    assert_own_arrays(model)
    model.unlearn(X[two][:5])
    fitted = getattr(model, "estimator_", model)
    for name in ("coef_", "intercept_"):
        assert not is_a_part(getattr(fitted, name))
