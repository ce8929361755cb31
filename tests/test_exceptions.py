"""Errors of the package carry what a program needs to go on."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import pickle

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn import exceptions
from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.exceptions import UnknownRowsError, UnlearningError

ERRORS = [
    error
    for name in exceptions.__all__
    if issubclass(error := getattr(exceptions, name), UnlearningError)
]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, None])
def test_attributes_travel(error, travel):
    travel = travel or (lambda e: pickle.loads(pickle.dumps(e)))
    raised = travel(error("no", positions=np.array([3, 1]), groups=["a", 7]))
    assert type(raised) is error and str(raised) == "no"
    assert raised.positions == (3, 1) and raised.groups == ("a", 7)
    plain = travel(error("no"))
    assert plain.positions == () and plain.groups == ()


def test_unknown_rows_are_named():
    X = np.arange(12.0).reshape(6, 2)
    model = ExactUnlearner(StandardScaler()).fit(X)
    with pytest.raises(UnknownRowsError) as caught:
        model.unlearn(np.vstack([X[:2] + 0.3, X[:1], X[3:] + 0.4]))
    assert caught.value.positions == (0, 1, 3, 4, 5)
    assert caught.value.groups == ()
