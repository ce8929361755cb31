"""Predictions of a pipeline, which keep the column of a class that is forgotten."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn.base._response import pad_response
from sklearn_unlearn.base._single_class import constant_response
from sklearn_unlearn.base._steps import is_estimator
from sklearn_unlearn.base._uncertainty import UncertaintyMethods
from sklearn_unlearn.utils._sklearn_compat import _num_samples

__all__ = ["PipelinePredictions", "final_has"]


def final_has(method):
    """Return a test of whether the last step has `method`; no step has none."""

    def check(self):
        for _, last in self.steps[-1:]:
            getattr(last, method)  # raises the AttributeError that names it
        return len(self.steps) > 0

    return check


def can_transform(self):
    """Whether there is a last step that transforms, or no step that would not."""
    last = self.steps[-1][1] if self.steps else None
    return last in (None, "passthrough") or hasattr(last, "transform")


class PipelinePredictions(UncertaintyMethods):
    """Methods of a pipeline that predict with its last step.

    ``_classes`` are the labels seen in ``fit``, or None; ``_single_class`` is the one
    that is left where the last step could not be fitted for want of another.
    """

    @property
    def classes_(self):
        """Labels seen in ``fit``, forgotten ones included."""
        classes = self.__dict__.get("_classes")
        if not self.steps:  # scikit-learn's raised an IndexError before 1.9
            raise AttributeError("An empty pipeline has no classes_.")
        return super().classes_ if classes is None else classes

    def _respond(self, method, X, params, ask=None):
        """Return what scikit-learn's method, or `ask`, gives on rows."""
        check_is_fitted(self)
        X = self._without_group_column(X)
        ask = getattr(super(), method) if ask is None else ask
        if self.__dict__.get("_single_class") is not None:
            n_rows, label = _num_samples(X), self._single_class
            return constant_response(method, n_rows, label, self.classes_, params)
        values = ask(X, **params)
        if self.__dict__.get("_classes") is None:
            return values
        return pad_response(values, method, self.steps[-1][1], self._classes)

    def _check_model_has(self, method):
        return final_has(method)(self)

    def _ask_model(self, method, X, params):
        def ask(X, **params):
            for _, step in self.steps[:-1]:
                X = step.transform(X) if is_estimator(step) else X
            return getattr(self.steps[-1][1], method)(X, **params)

        return self._respond(method, X, params, ask)

    @available_if(final_has("predict"))
    def predict(self, X, **params):
        """Transform rows and predict with the last step.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame
            Rows.
        **params : dict
            As for :meth:`sklearn.pipeline.Pipeline.predict`.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Predictions.
        """
        return self._respond("predict", X, params)

    @available_if(final_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Transform rows and predict probabilities; 0 for a forgotten class.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame
            Rows.
        **params : dict
            As for :meth:`sklearn.pipeline.Pipeline.predict_proba`.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Probabilities.
        """
        return self._respond("predict_proba", X, params)

    @available_if(final_has("predict_log_proba"))
    def predict_log_proba(self, X, **params):
        """Transform rows and predict log-probabilities; -inf for a forgotten class.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame
            Rows.
        **params : dict
            As for :meth:`sklearn.pipeline.Pipeline.predict_log_proba`.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Logarithms of probabilities.
        """
        return self._respond("predict_log_proba", X, params)

    @available_if(final_has("decision_function"))
    def decision_function(self, X, **params):
        """Transform rows and evaluate decision functions; -inf for a forgotten class.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame
            Rows.
        **params : dict
            As for :meth:`sklearn.pipeline.Pipeline.decision_function`.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            Decision values.
        """
        return self._respond("decision_function", X, params)

    @available_if(final_has("score"))
    def score(self, X, y=None, sample_weight=None, **params):
        """Transform rows and score with the last step.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame
            Rows.
        y : array-like of shape (n_rows,), default=None
            Targets.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights, passed to ``score`` of the last step if given.
        **params : dict
            As for :meth:`sklearn.pipeline.Pipeline.score`.

        Returns
        -------
        float
            The score.
        """
        if self.__dict__.get("_single_class") is not None:
            hits = np.asarray(y) == self.predict(X)
            return float(np.average(hits, weights=sample_weight))
        X = self._without_group_column(X)
        return super().score(X, y, sample_weight=sample_weight, **params)

    @available_if(final_has("score_samples"))
    def score_samples(self, X):
        """Transform rows and score each with the last step.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Scores.
        """
        return super().score_samples(self._without_group_column(X))

    @available_if(can_transform)
    def transform(self, X, **params):
        """Transform rows by all steps.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame
            Rows.
        **params : dict
            As for :meth:`sklearn.pipeline.Pipeline.transform`.

        Returns
        -------
        array-like of shape (n_rows, n_outputs)
            Transformed rows.
        """
        return super().transform(self._without_group_column(X), **params)

    def __sklearn_is_fitted__(self):
        if self.__dict__.get("_single_class") is not None:
            return True
        return super().__sklearn_is_fitted__()
