"""Predictions for rows, and how far they are from the targets."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from sklearn_unlearn.base._response import pad_columns
from sklearn_unlearn.utils._sklearn_compat import _safe_indexing

__all__ = ["Target", "clone_with_seed", "fit_and_predict", "predict_rows"]


@dataclass(frozen=True)
class Target:
    """Targets, and measures of predictions for them.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Numbers; of classes, positions in `classes`.
    classes : ndarray of shape (n_classes,) or None
        Sorted labels; None for numbers.
    variance : float
        Of the numbers, the unit of squared errors.
    """

    y: np.ndarray
    classes: np.ndarray | None = None
    variance: float = 1.0

    @classmethod
    def of(cls, estimator, y):
        """Return the targets as a classifier or regressor sees them."""
        y = column_or_1d(y)
        if is_classifier(estimator):
            check_classification_targets(y)
            classes, codes = np.unique(y, return_inverse=True)
            return cls(codes, classes)
        if not is_regressor(estimator):
            raise TypeError(
                "estimator must be a classifier or a regressor; got "
                f"{type(estimator).__name__}."
            )
        y = y.astype(np.float64)
        return cls(y, None, float(y.var()) or 1.0)

    def take(self, rows):
        """Return the targets of some rows."""
        return Target(self.y[rows], self.classes, self.variance)

    def misfit(self, predictions):
        """Return what is wrong of each row: one minus the probability of its label.

        Of numbers, the squared error in units of the variance of all targets.

        Parameters
        ----------
        predictions : ndarray of shape (..., n_rows) or (..., n_rows, n_classes)

        Returns
        -------
        ndarray of shape (..., n_rows)
        """
        if self.classes is None:
            return (predictions - self.y) ** 2 / self.variance
        return 1 - self._of_label(predictions)

    def loss(self, predictions):
        """Return the negative log-likelihood of the label of each row, in nats.

        Of numbers, the misfit.
        """
        if self.classes is None:
            return self.misfit(predictions)
        tiny = np.finfo(np.float64).eps
        return -np.log(np.clip(self._of_label(predictions), tiny, 1))

    def error_norm(self, predictions):
        """Return the distance of the predicted probabilities to the label's own."""
        if self.classes is None:
            return np.sqrt(self.misfit(predictions))
        return np.linalg.norm(predictions - np.eye(len(self.classes))[self.y], axis=-1)

    def _of_label(self, predictions):
        return predictions[..., np.arange(len(self.y)), self.y]


def clone_with_seed(estimator, seed):
    """Return a clone, all of whose random states are drawn from a seed."""
    rng, new = np.random.default_rng(seed), clone(estimator)
    names = [n for n in new.get_params() if n.split("__")[-1] == "random_state"]
    limit = np.iinfo(np.int32).max
    new.set_params(**{name: int(rng.integers(limit)) for name in sorted(names)})
    return new  # set_params of a frozen estimator returns nothing


def fit_and_predict(estimator, X, y, seed, classes, fit_on, predict_for):
    """Fit a clone on some rows, and return its predictions for others.

    Parameters
    ----------
    estimator : estimator instance
    X, y : rows and targets
    seed : int
        Of the clone.
    classes : ndarray of shape (n_classes,) or None
        All labels, in the order of the columns that are returned.
    fit_on, predict_for : ndarray of int
        Positions of rows.

    Returns
    -------
    ndarray of shape (n_predicted,) or (n_predicted, n_classes)
        Numbers or probabilities; a classifier that predicts labels alone gives its
        label the probability 1.
    """
    fitted = clone_with_seed(estimator, seed)
    fitted.fit(_safe_indexing(X, fit_on), y[fit_on])
    return predict_rows(fitted, _safe_indexing(X, predict_for), classes)


def predict_rows(fitted, X, classes):
    """Return numbers, or a probability per class in the order of `classes`."""
    if classes is None:
        return np.asarray(fitted.predict(X), dtype=np.float64).reshape(-1)
    if not hasattr(fitted, "predict_proba"):
        labels = np.asarray(fitted.predict(X))
        return (labels[:, None] == classes).astype(np.float64)
    proba = np.asarray(fitted.predict_proba(X), dtype=np.float64)
    return pad_columns(proba, "predict_proba", fitted.classes_, classes)
