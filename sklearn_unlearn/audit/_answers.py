"""What models say of rows, as numbers that can be compared between models."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.multiclass import type_of_target

from sklearn_unlearn.metrics import margin_of_label
from sklearn_unlearn.utils._sklearn_compat import _num_samples

__all__ = ["Task"]

# decision values become log-probabilities of this size at most
LARGEST_MARGIN = 100.0


class Task:
    """Kind of target, and how a model's answers for rows are read.

    Parameters
    ----------
    estimator : estimator instance
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        All targets.

    Attributes
    ----------
    is_classifier : bool
    classes : ndarray or None
        Labels, sorted; None of numbers and of indicator matrices.
    """

    def __init__(self, estimator, y):
        self.is_classifier = is_classifier(estimator)
        y = np.asarray(y)
        self.is_indicator = self.is_classifier and y.ndim == 2 and y.shape[1] > 1
        if self.is_classifier and type_of_target(y) == "multiclass-multioutput":
            raise ValueError("y must be one label per row, or an indicator matrix.")
        plain = self.is_classifier and not self.is_indicator
        self.classes = np.unique(y) if plain else None

    def answers(self, model, X):
        """Return what a model says of rows.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            Probabilities of `classes`, probabilities of the labels of an indicator
            matrix, or predictions of numbers.
        """
        if not self.is_classifier:
            return np.asarray(model.predict(X), dtype=float).reshape(
                _num_samples(X), -1
            )
        if not hasattr(model, "predict_proba"):
            return self._from_decisions(model, X)
        found = model.predict_proba(X)
        if self.is_indicator:
            if isinstance(found, list):
                found = np.column_stack([p[:, -1] for p in found])
            return np.asarray(found, dtype=float)
        return self._in_columns(np.asarray(found, dtype=float), model.classes_)

    def _in_columns(self, found, classes):
        """Return probabilities in the order of all classes; 0 of one that is gone."""
        if np.array_equal(classes, self.classes):
            return found
        full = np.zeros((len(found), len(self.classes)))
        full[:, np.searchsorted(self.classes, classes)] = found
        return full

    def _from_decisions(self, model, X):
        """Return probabilities whose margins are decision values, or predictions."""
        if self.is_indicator or not hasattr(model, "decision_function"):
            labels = np.asarray(model.predict(X))
            if self.is_indicator:
                return labels.astype(float)
            return (labels[:, np.newaxis] == self.classes).astype(float)
        values = np.asarray(model.decision_function(X), dtype=float)
        if values.ndim == 1:
            values = np.column_stack([np.zeros_like(values), values])
        values = np.maximum(values, values.max(axis=1, keepdims=True) - LARGEST_MARGIN)
        odds = np.exp(values - values.max(axis=1, keepdims=True))
        return self._in_columns(odds / odds.sum(axis=1, keepdims=True), model.classes_)

    def signals(self, answers, y):
        """Return the numbers by which rows are compared.

        Margins of the labels as given, or the predictions themselves; several outputs
        stand one after the other.

        Parameters
        ----------
        answers : ndarray of shape (n_models, n_rows, n_outputs)
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)

        Returns
        -------
        ndarray of shape (n_models, n_rows * n_outputs)
            One column for each row of plain labels.
        """
        n_models = len(answers)
        if not self.is_classifier:
            return answers.reshape(n_models, -1)
        if self.is_indicator:
            odds = np.stack([1 - answers, answers], axis=-1).reshape(n_models, -1, 2)
            return margin_of_label(odds, np.asarray(y).astype(int).ravel())
        return margin_of_label(answers, y, labels=self.classes)

    def n_signals(self, answers):
        """Return how many numbers there are for each row."""
        plain = self.is_classifier and not self.is_indicator
        return 1 if plain else answers.shape[-1]

    def scores(self, answers, y):
        """Return the accuracy, or R squared, of each model.

        Parameters
        ----------
        answers : ndarray of shape (n_models, n_rows, n_outputs)
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)

        Returns
        -------
        ndarray of shape (n_models,)
        """
        return self.successes(answers, y).mean(axis=1)

    def successes(self, answers, y):
        """Return per row whether the label is right, or minus the squared error."""
        if not self.is_classifier:
            y = np.asarray(y, dtype=float).reshape(len(y), -1)
            return -((answers - y) ** 2).mean(axis=2)
        if self.is_indicator:
            return ((answers > 0.5) == np.asarray(y).astype(bool)).all(axis=2) * 1.0
        return (self.classes[answers.argmax(axis=2)] == np.asarray(y)) * 1.0
