"""Training rows and forget sets that suit an estimator."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import inspect
import re

import numpy as np
from scipy import sparse
from sklearn.base import MetaEstimatorMixin, clone, is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags

__all__ = [
    "Case",
    "containers",
    "fit_case",
    "fitted_before",
    "fresh",
    "make_case",
]


class Case:
    """Training rows and a forget set for one estimator.

    Attributes
    ----------
    X, y : ndarray
        Training rows; `y` is None for an estimator without a target.
    forget : ndarray of bool, shape (n_rows,)
        The rows to forget: a few of each class, none of them needed for the
        others to be fitted.
    """

    def __init__(self, X, y, forget):
        self.X, self.y, self.forget = X, y, forget

    def part(self, mask):
        """Rows and targets where `mask` is true."""
        return self.X[mask], None if self.y is None else self.y[mask]

    @property
    def forgotten(self):
        """Rows and targets to forget."""
        return self.part(self.forget)

    @property
    def retained(self):
        """Rows and targets that stay."""
        return self.part(~self.forget)


def make_case(estimator, n_rows=90, seed=0):
    """Return data that suit the tags of `estimator`.

    Every value is drawn from a continuous distribution, so it is its row's own.
    """
    rng = np.random.default_rng(seed)
    tags = get_tags(estimator)
    X = rng.normal(size=(n_rows, 4))
    code = np.arange(n_rows) % 3
    if is_classifier(estimator):
        if not tags.classifier_tags.multi_class:
            code = code % 2
        y = np.array(["apple", "pear", "quince"])[code]
        X += 1.5 * code[:, None] * np.array([1, -1, 0.5, 0])
    elif is_regressor(estimator):
        y = X @ [1.0, -2.0, 0.5, 0.0] + 0.1 * rng.normal(size=n_rows)
    elif tags.target_tags.required:
        y = code
    else:
        y = None
    if tags.input_tags.positive_only:
        X = np.abs(X)
    forget = np.zeros(n_rows, dtype=bool)
    forget[rng.choice(n_rows, n_rows // 10, replace=False)] = True
    return Case(X, y, forget)


def containers(estimator):
    """Yield functions that put an array into each container an estimator takes.

    Words and categories, one per number, are for estimators that take them.
    """
    tags = get_tags(estimator).input_tags
    yield np.ascontiguousarray
    yield np.asfortranarray
    if tags.sparse:
        yield sparse.csr_matrix
    try:
        import pandas as pd
    except ImportError:
        return

    def frame(X):
        return pd.DataFrame(X, columns=["a", "b", "c", "d"])

    yield frame
    if tags.string or tags.categorical:

        def words(X):
            table = frame(X)
            table["b"] = [f"word {value:.17g}" for value in X[:, 1]]
            table["c"] = pd.Categorical([f"level {value:.17g}" for value in X[:, 2]])
            return table

        yield words


def fresh(estimator, **params):
    """Return an unfitted copy with a fixed seed wherever there is one to fix."""
    new = clone(estimator)
    seeds = {
        name: 0
        for name, value in new.get_params(deep=True).items()
        if name.split("__")[-1] == "random_state" and value is None
    }
    return new.set_params(**seeds, **params)


def fitted_before(estimator, case, *, requests):
    """Yield copies of an estimator to fit, with what in them was fitted before.

    Parameters
    ----------
    estimator : estimator instance
    case : Case
        The rows of the fits.
    requests : bool
        Whether everything that can asks for metadata.

    Yields
    ------
    model : estimator instance
    given : object
        The estimator within, unfitted, fitted or frozen, which belongs to the caller;
        None where the model itself was fitted before, or nothing was.
    """
    new = fresh(estimator)
    if requests:
        for thing in (new, *new.get_params(deep=True).values()):
            _request_everything(thing)
    fitted = clone(new).fit(case.X, case.y)
    if not isinstance(new, MetaEstimatorMixin) or not hasattr(fitted, "estimator_"):
        yield from ((new, None), (fitted, None))
        return
    yield new, new.estimator
    own = new.get_params(deep=False).items()
    parameter = next(name for name, value in own if value is new.estimator)
    for given in (fitted.estimator_, FrozenEstimator(fitted.estimator_)):
        yield clone(new).set_params(**{parameter: given}), given


def _request_everything(estimator):
    """Have an estimator ask for all metadata that its methods take."""
    for name in dir(type(estimator)):
        if re.fullmatch(r"set_\w+_request", name):
            ask = getattr(estimator, name)
            names = set(inspect.signature(ask).parameters) - {"self"}
            ask(**dict.fromkeys(names, True))


def fit_case(estimator, case, **params):
    """Fit a copy of an estimator, with these parameters, to the rows of a case."""
    return fresh(estimator, **params).fit(case.X, case.y)
