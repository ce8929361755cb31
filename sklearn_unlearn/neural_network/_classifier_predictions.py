"""What the functions of a classifier say of a target: its probabilities and doubt."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy.special import entr, expit
from sklearn.utils import check_random_state

from sklearn_unlearn._engine._uncertainty import check_uncertainty_kind, entropy_part
from sklearn_unlearn.base._response import pad_columns

__all__ = ["ClassifierPredictionsMixin"]


class ClassifierPredictionsMixin:
    """Part of `DropoutClassifier`."""

    def predict(self, X):
        """Predict the most probable class, or the labels above one half.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_labels)
            Labels. For an indicator matrix they are 0 and 1, in a sparse matrix if the
            target was one.
        """
        probabilities = self.predict_proba(X)  # first: it checks that self is fitted
        if self.out_activation_ == "logistic":
            labels = (probabilities > 0.5).astype(int)
            return (
                labels if self._indicator_type is None else self._indicator_type(labels)
            )
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X):
        """Predict probabilities, averaged over `mc_samples` functions.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Probabilities; 0 for a class that is forgotten. Those of the labels of an
            indicator matrix do not add up to 1.
        """
        return self._with_all_classes(
            self._apply(lambda f: self._probabilities(f).mean(axis=0), X)
        )

    def predict_log_proba(self, X):
        """Predict logarithms of probabilities.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Logarithms; -inf for a class that is forgotten.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def sample_proba(self, X, n_samples=1, random_state=0):
        """Draw random functions and return the probabilities that they give.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
            Rows.
        n_samples : int, default=1
            Number of functions. Each is one function for all rows.
        random_state : int, RandomState instance or None, default=0
            Source of the functions.

        Returns
        -------
        ndarray of shape (n_samples, n_rows, n_classes)
            Probabilities.
        """
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        drawn = self._draw(
            lambda f: self._probabilities(f).swapaxes(0, 1), X, n_samples, seed
        )
        return self._with_all_classes(drawn.swapaxes(0, 1))

    def predict_uncertainty(self, X, kind="total"):
        """Measure how unsure the network is about each row, in nats.

        The entropy of the mean probabilities (total) is the mean entropy of the
        functions (aleatoric: the classes overlap) plus the information that the
        label holds about the function (epistemic: the functions disagree).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
            Rows.
        kind : {"total", "aleatoric", "epistemic"}, default="total"
            Which of the three.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_labels)
            From 0 to the logarithm of the number of classes, or to that of 2 for each
            label of an indicator matrix.
        """
        check_uncertainty_kind(kind)

        def reduce(functions):
            return entropy_part(self._entropy, self._probabilities(functions), kind)

        return self._apply(reduce, X)

    def _probabilities(self, outputs):
        if self.out_activation_ == "logistic":
            return expit(outputs)
        p = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        return p

    def _entropy(self, p):
        if self.out_activation_ == "logistic":
            return entr(p) + entr(1 - p)
        return entr(p).sum(axis=-1)

    def _with_all_classes(self, p):
        """Put probabilities into the columns of all classes ever seen."""
        return pad_columns(p, "predict_proba", self._network_classes, self.classes_)
