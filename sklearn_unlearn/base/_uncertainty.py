"""Methods that tell how unsure a model is, of whatever holds one that has them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn.utils.metaestimators import available_if

__all__ = ["UncertaintyMethods"]


def _model_has(method):
    """Return a test of whether the model within has `method`."""
    return lambda self: self._check_model_has(method)


class UncertaintyMethods:
    """Mixin that hands to a model what only some models can: intervals and samples.

    A holder defines ``_check_model_has(method)``, which raises an AttributeError or
    returns True, and ``_ask_model(method, X, params)``.
    """

    @available_if(_model_has("predict_uncertainty"))
    def predict_uncertainty(self, X, kind="total"):
        """Measure how unsure the model is about each row.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.
        kind : {"total", "aleatoric", "epistemic"}, default="total"
            Which part of the uncertainty.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Nats of a classifier, variances of a regressor.
        """
        return self._ask_model("predict_uncertainty", X, {"kind": kind})

    @available_if(_model_has("predict_interval"))
    def predict_interval(self, X, confidence_level=0.95):
        """Predict the interval between two quantiles of the predictive distribution.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.
        confidence_level : float, default=0.95
            Probability that the target lies within.

        Returns
        -------
        ndarray of shape (n_rows, 2) or (n_rows, n_outputs, 2)
            Lower and upper ends.
        """
        params = {"confidence_level": confidence_level}
        return self._ask_model("predict_interval", X, params)

    @available_if(_model_has("sample_y"))
    def sample_y(self, X, n_samples=1, random_state=0):
        """Draw random functions and return their values.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.
        n_samples : int, default=1
            Number of functions.
        random_state : int, RandomState instance or None, default=0
            Source of the functions.

        Returns
        -------
        ndarray of shape (n_rows, n_samples) or (n_rows, n_outputs, n_samples)
            Values of the functions.
        """
        params = {"n_samples": n_samples, "random_state": random_state}
        return self._ask_model("sample_y", X, params)

    @available_if(_model_has("sample_proba"))
    def sample_proba(self, X, n_samples=1, random_state=0):
        """Draw random functions and return the probabilities that they give.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.
        n_samples : int, default=1
            Number of functions.
        random_state : int, RandomState instance or None, default=0
            Source of the functions.

        Returns
        -------
        ndarray of shape (n_samples, n_rows, n_classes)
            Probabilities; 0 for a class that the model has lost.
        """
        params = {"n_samples": n_samples, "random_state": random_state}
        return self._ask_model("sample_proba", X, params)
