"""Noise around the random functions of a regressor, from rows it has not learnt."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn._engine._mixture import fit_precisions
from sklearn_unlearn.neural_network._building import check_answers

__all__ = ["NoisePrecisionMixin"]

# Most rows of one `partial_fit` by which the noise is estimated, and the number of past
# rows that the estimate averages over.
NOISE_ROWS = 500
NOISE_WINDOW = 2000


class NoisePrecisionMixin:
    """Part of `DropoutRegressor` that sets `noise_precision_`."""

    def _n_held_out(self, n_rows):
        if self.noise_precision != "auto" or self.loss == "poisson":
            return 0
        return max(n_rows // 20, min(10, n_rows // 5))

    def _after_training(self, split):
        """Set the precision of the noise: given, or that of held-out rows."""
        if self.out_activation_ == "exp":
            self.__dict__.pop("noise_precision_", None)  # of an earlier fit
            return
        self._set_precision(self._precision_of(*split.held_out_rows()))

    def _update_noise(self, X, y, sample_weight):
        """Average the variance of the noise over the rows of ``partial_fit``."""
        if self.out_activation_ == "exp":
            return
        if sample_weight is not None and not sample_weight.any():
            return
        # some are enough; evenly spread, they are of all kinds
        some = slice(None, None, -(-len(y) // NOISE_ROWS))
        weight = None if sample_weight is None else sample_weight[some]
        variance, n_rows = 1 / self._precision_of(X[some], y[some], weight), len(y)
        # the estimate of a whole fit counts as a full window
        known = NOISE_WINDOW if hasattr(self, "noise_precision_") else 0
        n_before = vars(self).get("_n_noise", known)
        if n_before:
            before = 1 / self._precision()
            variance = (n_before * before + n_rows * variance) / (n_before + n_rows)
        # older rows count ever less, as the network gets better
        self._n_noise = min(n_before + n_rows, NOISE_WINDOW)
        self._set_precision(1 / variance)

    def _reset_partial_fit(self):
        super()._reset_partial_fit()
        self.__dict__.pop("_n_noise", None)

    def _set_precision(self, precision):
        """Set the public attribute, a number if the target has no output axis."""
        self.noise_precision_ = (
            float(precision[0]) if self._single_output else precision
        )

    def _precision_of(self, X, y, sample_weight):
        """Return the precision for each output, given or that of these rows."""
        if self.noise_precision != "auto":
            return np.full(self.n_outputs_, float(self.noise_precision))
        with np.errstate(over="ignore", invalid="ignore"):
            functions = self._network.apply(
                lambda f: f.swapaxes(0, 1),
                X,
                self.mc_samples or None,
                self._function_seed,
                device=self.device,
            )
        check_answers(functions)
        precision = fit_precisions(self._standardised(y), functions, sample_weight)
        return precision / self._y_scale**2

    def _noise_variance(self, mean):
        """Return the variance of the noise around predictions of this mean."""
        if self.out_activation_ == "exp":  # that of a Poisson distribution
            return mean
        return np.broadcast_to(1 / self._precision(), mean.shape).copy()

    def _precision(self):
        """Return the precision of the noise, shape (n_outputs,)."""
        return np.atleast_1d(self.noise_precision_)
