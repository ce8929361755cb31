"""What the functions of a regressor say of a target: its mean, spread and interval."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Real

import numpy as np
from sklearn.utils import check_random_state

from sklearn_unlearn._engine._mixture import interval
from sklearn_unlearn._engine._poisson_mixture import poisson_interval
from sklearn_unlearn._engine._uncertainty import check_uncertainty_kind

__all__ = ["LINKS", "RegressorPredictionsMixin"]

# from outputs to predictions, by `out_activation_`
LINKS = {"identity": np.asarray, "exp": np.exp}


class RegressorPredictionsMixin:
    """Part of `DropoutRegressor`."""

    def predict(self, X, return_std=False, return_cov=False):
        """Predict the mean over `mc_samples` functions.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
            Rows.
        return_std : bool, default=False
            Whether to return the standard deviation, too: that of the functions
            and of the noise around them.
        return_cov : bool, default=False
            Whether to return the covariance between rows, too; its diagonal is
            the square of the standard deviation.

        Returns
        -------
        mean : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Predictions, in single precision for rows of that.
        std : ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Only if `return_std` is true.
        cov : ndarray of shape (n_rows, n_rows) or (n_rows, n_rows, n_outputs)
            Only if `return_cov` is true.

        Raises
        ------
        ValueError
            If both `return_std` and `return_cov` are true.
        """
        answers = self._predict(X, return_std, return_cov)
        if getattr(X, "dtype", None) != np.float32:
            return answers
        if isinstance(answers, tuple):
            return tuple(answer.astype(np.float32) for answer in answers)
        return answers.astype(np.float32)

    def _predict(self, X, return_std, return_cov):
        """Return the predictions in double precision."""
        if return_std and return_cov:
            raise ValueError("At most one of return_std and return_cov can be True.")
        if return_cov:
            drawn = self._apply(lambda f: f.swapaxes(0, 1), X)
            mean = drawn.mean(axis=1)
            centred = (drawn - mean[:, None]) * self._y_scale
            cov = np.einsum("itk,jtk->ijk", centred, centred) / drawn.shape[1]
            mean, rows = self._in_target_units(mean), np.arange(len(mean))
            cov[rows, rows] += self._noise_variance(mean)
            return self._without_output_axis(mean), self._without_output_axis(cov)
        if return_std:
            mean, of_functions, of_noise = self._moments_of_target(X)
            std = np.sqrt(of_functions + of_noise)
            return self._without_output_axis(mean), self._without_output_axis(std)
        return self._without_output_axis(
            self._in_target_units(self._apply(lambda f: f.mean(axis=0), X))
        )

    def sample_y(self, X, n_samples=1, random_state=0):
        """Draw random functions and return their values.

        They are functions: without the noise, and smooth across rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
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
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        drawn = self._draw(lambda f: f.swapaxes(0, 1), X, n_samples, seed)
        values = self._in_target_units(drawn).swapaxes(1, 2)
        return values[:, 0] if self._single_output else values

    def predict_interval(self, X, confidence_level=0.95):
        """Predict the interval between two quantiles of the predictive distribution.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
            Rows.
        confidence_level : float, default=0.95
            Probability that the target lies within, between 0 and 1. As much lies
            below as above.

        Returns
        -------
        ndarray of shape (n_rows, 2) or (n_rows, n_outputs, 2)
            Lower and upper ends.
        """
        if not (isinstance(confidence_level, Real) and 0 < confidence_level < 1):
            raise ValueError(
                f"confidence_level must be between 0 and 1; got {confidence_level!r}."
            )

        def reduce(functions):
            if self.out_activation_ == "exp":
                return poisson_interval(confidence_level, functions * self._y_scale)
            precision = self._precision() * self._y_scale**2
            ends = interval(confidence_level, functions, precision)
            return ends * self._y_scale[:, None] + self._y_mean[:, None]

        ends = self._apply(reduce, X)
        return ends[:, 0] if self._single_output else ends

    def predict_uncertainty(self, X, kind="total"):
        """Predict the variance of the target, or the part of it that has one cause.

        The total is the variance of the noise (aleatoric) plus that of the
        functions (epistemic).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
            Rows.
        kind : {"total", "aleatoric", "epistemic"}, default="total"
            Which of the three.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Variances, in squared units of the target.
        """
        check_uncertainty_kind(kind)
        _, epistemic, aleatoric = self._moments_of_target(X)
        parts = {"epistemic": epistemic, "aleatoric": aleatoric}
        return self._without_output_axis(parts.get(kind, epistemic + aleatoric))

    def _draw(self, reduce, X, n_draws, seed):
        """Reduce some random functions, in units of `_y_scale`, row by row."""
        link = LINKS[self.out_activation_]
        return super()._draw(lambda f: reduce(link(f)), X, n_draws, seed)

    def _moments_of_target(self, X):
        """Return the mean, its variance over the functions, and that of the noise."""
        mean, variance = self._apply(lambda f: (f.mean(axis=0), f.var(axis=0)), X)
        mean = self._in_target_units(mean)
        return mean, variance * self._y_scale**2, self._noise_variance(mean)

    def _in_target_units(self, z):
        return z * self._y_scale + self._y_mean

    def _without_output_axis(self, values):
        """Drop the axis of the outputs if the target had none."""
        return values[..., 0] if self._single_output else values
