"""What the model of all rows but one says, by closed forms where there are any."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.utils import check_array
from sklearn.utils.parallel import Parallel, delayed

from sklearn_unlearn.model_selection.forget_sets._target import (
    clone_with_seed,
    fit_and_predict,
    predict_rows,
)

__all__ = ["Hat", "influence_left_out", "misfits_left_out"]

EPS = np.finfo(np.float64).eps
FULL = 1e-8  # a leverage this near to one: the row alone determines its prediction


@dataclass(frozen=True)
class Hat:
    """The linear map from the targets to the predictions of a linear regression.

    It is ``ones / n + U diag(shrink) U.T``, the first part with an intercept only.

    Parameters
    ----------
    U : ndarray of shape (n_rows, rank)
        Orthonormal columns.
    shrink : ndarray of shape (rank,)
    mean : float
        ``1 / n_rows``, or 0 without an intercept.
    """

    U: np.ndarray
    shrink: np.ndarray
    mean: float

    @classmethod
    def of(cls, estimator, X):
        """Return the map of a fit on `X`, or None if there is no closed form."""
        is_ridge = type(estimator) is Ridge
        if not is_ridge and type(estimator) is not LinearRegression:
            return None
        if estimator.positive or (is_ridge and np.ndim(estimator.alpha)):
            return None
        X = check_array(X, dtype=np.float64)
        X = X - X.mean(axis=0) if estimator.fit_intercept else X
        U, s, _ = np.linalg.svd(X, full_matrices=False)
        U, s = (part[..., s > s.max() * max(X.shape) * EPS] for part in (U, s))
        alpha = estimator.alpha if is_ridge else 0.0
        return cls(U, s**2 / (s**2 + alpha), estimator.fit_intercept / len(X))

    @property
    def leverage(self):
        """Diagonal: how much a row's target moves its own prediction."""
        return self.mean + self.U**2 @ self.shrink

    @property
    def squared_reach(self):
        """Sums of squares of the columns: how much a target moves all predictions."""
        return self.mean + self.U**2 @ self.shrink**2


def misfits_left_out(estimator, X, y, target, seed, n_jobs):
    """Return the misfit of each row by the model of all rows, and of the others.

    Returns
    -------
    inside, outside : ndarray of shape (n_rows,)
    """
    every = np.arange(len(y))
    predictions = fit_and_predict(estimator, X, y, seed, target.classes, every, every)
    inside = target.misfit(predictions)
    outside, unknown = _closed_form(estimator, X, y, target, inside)
    refitted = Parallel(n_jobs=n_jobs)(
        delayed(fit_and_predict)(
            estimator, X, y, seed, target.classes, np.delete(every, row), [row]
        )
        for row in unknown
    )
    for row, values in zip(unknown, refitted, strict=True):
        outside[row] = target.take([row]).misfit(values)[0]
    return inside, outside


def _closed_form(estimator, X, y, target, inside):
    """Return the misfits of rows left out, and which rows have to be refitted."""
    if type(estimator) in (KNeighborsClassifier, KNeighborsRegressor):
        fitted = clone(estimator).fit(X, y)
        # without rows, nobody is their own neighbour
        return target.misfit(predict_rows(fitted, None, target.classes)), []
    hat = Hat.of(estimator, X)
    if hat is None:
        return np.empty(len(y)), np.arange(len(y))
    left = 1 - hat.leverage
    full = left < FULL
    return inside / np.where(full, 1, left) ** 2, np.flatnonzero(full)


def influence_left_out(estimator, X, y, target, seed, n_jobs):
    """Return how far all predictions move when a row is left out.

    Returns
    -------
    ndarray of shape (n_rows,)
        Mean over the rows of the squared change, in units of the variance of numbers;
        of probabilities, summed over the classes.
    """
    every = np.arange(len(y))
    hat = Hat.of(estimator, X)
    if hat is not None and (hat.leverage < 1 - FULL).all():
        fitted = clone_with_seed(estimator, seed).fit(X, y)
        squared = target.misfit(fitted.predict(X)) / (1 - hat.leverage) ** 2
        return squared * hat.squared_reach / len(y)

    fit = (estimator, X, y, seed, target.classes)
    whole = fit_and_predict(*fit, every, every)
    changes = Parallel(n_jobs=n_jobs)(
        delayed(_squared_change)(whole, *fit, np.delete(every, row), every)
        for row in every
    )
    return np.array(changes) / target.variance / len(y)


def _squared_change(whole, *fit):
    return ((fit_and_predict(*fit) - whole) ** 2).sum()
