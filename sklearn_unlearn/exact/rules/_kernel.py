"""Rules for kernel ridge regression and Gaussian processes."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np
from scipy import linalg
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import pairwise_kernels

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._alignment import rows_aligned
from sklearn_unlearn.exact._rule import Outcome, Rule, register_rule
from sklearn_unlearn.exact.statistics._cholesky import (
    KernelFactor,
    update_is_cheaper,
    without_rows,
)
from sklearn_unlearn.utils._saved import saved_as
from sklearn_unlearn.utils._sklearn_compat import (
    _handle_zeros_in_scale,
    set_target_scale,
)

# Penalties, each of which needs a factor of its own.
MAX_ALPHAS = 4
# Requests after which the factor of a Gaussian process is computed anew.
MAX_REQUESTS = 256


@register_rule(KernelRidge)
class KernelRidgeRule(Rule):
    """Take rows off the Cholesky factor of the penalised kernel matrix.

    The matrix itself is kept beside its factor, for a step of iterative
    refinement after each request. A step that is not tiny tells that the factor
    has drifted: it is then computed anew.
    """

    path = "warm start"

    def is_robust_to_rounding(self, estimator):
        return True

    def guarantee(self, estimator):
        return "exact"

    def covers(self, estimator, X, y=None, **params):
        return (
            hasattr(estimator, "X_fit_")
            and has_full_precision(estimator.X_fit_)
            and estimator.kernel != "precomputed"
            and len(np.unique(estimator.alpha)) <= MAX_ALPHAS
        )

    def remember(self, fitted, store):
        rows = store.rows()
        same = getattr(fitted, "X_fit_", rows.X).shape[0] == store.n_rows
        if not same or not self.covers(fitted, rows.X):
            return None
        weight = _root_weight(rows.params.get("sample_weight"), store.n_rows)
        return _Factors.of(fitted, fitted.X_fit_, weight)

    def forget(self, fitted, state, store, request):
        rows = request.retain
        if not self.covers(fitted, rows.X) or not rows_aligned(fitted.X_fit_, request):
            return super().forget(fitted, None, store, request)
        keep = ~request.mask
        new = shallow_copy(fitted)
        new.X_fit_ = fitted.X_fit_[keep]
        weight = _root_weight(rows.params.get("sample_weight"), store.n_rows)
        state = None if state is None else state.without(keep)
        if state is None or not np.array_equal(state.weight, weight):
            state = _Factors.of(fitted, new.X_fit_, weight)
        if state is not None:
            state, dual_coef = state.solve(fitted.alpha, numeric_targets(rows.y))
        if state is None:
            return super().forget(fitted, None, store, request)
        new.dual_coef_ = dual_coef
        return Outcome(new, state)


@saved_as("factors of a kernel matrix")
class _Factors(NamedTuple):
    """State of kernel ridge regression: factors by penalty, and roots of weights."""

    factors: dict
    weight: np.ndarray

    @classmethod
    def of(cls, fitted, X, weight):
        """Factor the kernel matrix of these rows; None if that is not possible."""
        options = fitted.kernel_params or {}
        if not callable(fitted.kernel):
            options = {n: getattr(fitted, n) for n in ("gamma", "degree", "coef0")}
        kernel = pairwise_kernels(
            X, metric=fitted.kernel, filter_params=True, **options
        )
        if (weight != 1.0).any():
            kernel *= np.outer(weight, weight)
        diagonal, factors = kernel.diagonal().copy(), {}
        for alpha in np.unique(fitted.alpha).tolist():
            penalised = kernel.copy()
            np.fill_diagonal(penalised, diagonal + alpha)
            factors[alpha] = KernelFactor.of(penalised)
        return cls(factors, weight)._complete()

    def without(self, keep):
        """Return the factors without some rows; None if rounding prevents that."""
        factors = {alpha: f.without(keep) for alpha, f in self.factors.items()}
        return type(self)(factors, self.weight[keep])._complete()

    def _complete(self):
        """Return the factors, or None if one of them could not be computed."""
        return None if None in self.factors.values() else self

    def solve(self, alpha, y):
        """Return the factors, renewed if need be, and dual coefficients.

        Both are None where the equations are too ill-conditioned.
        """
        targets = y.reshape(len(y), -1)
        weight = self.weight[:, None]
        alphas, factors = np.ravel(alpha), dict(self.factors)
        if len(alphas) not in (1, targets.shape[1]):
            return None, None
        alphas = np.broadcast_to(alphas, targets.shape[1:])
        solved = np.empty(targets.shape)
        for value, factor in self.factors.items():
            which = alphas == value
            B = np.asfortranarray(targets[:, which] * weight)
            solution = factor.solve(B)
            if solution is None:
                factors[value] = factor = factor.recomputed()
                solution = None if factor is None else factor.solve(B)
            if solution is None:
                return None, None
            solved[:, which] = solution * weight
        return self._replace(factors=factors), solved.reshape(y.shape)


@register_rule(GaussianProcessRegressor)
class GaussianProcessRule(Rule):
    """Take rows off the Cholesky factor, if the kernel does not depend on them.

    That is so without an optimizer, or without free hyper-parameters. An optimized
    kernel is a function of all rows: it is fitted again. The state is the number of
    requests so far: after 256 the factor is computed anew.
    """

    path = "warm start"

    def is_robust_to_rounding(self, estimator):
        return estimator.optimizer is None

    def guarantee(self, estimator):
        found, optimizer = super().guarantee(estimator), estimator.optimizer
        draws = callable(optimizer) or estimator.n_restarts_optimizer > 0
        random = optimizer is not None and draws
        return found if random or found == "approximate" else "exact"

    def covers(self, estimator, X, y=None, **params):
        if not hasattr(estimator, "L_") or not has_full_precision(estimator.X_train_):
            return False
        fixed = estimator.optimizer is None or estimator.kernel_.n_dims == 0
        # noise given per row is a parameter, which has no part without the rows
        one_noise = np.ndim(estimator.alpha) == 0
        return fixed and one_noise and estimator.L_.dtype == np.float64

    def remember(self, fitted, store):
        return 0

    def forget(self, fitted, state, store, request):
        keep, n_before = ~request.mask, state or 0
        rows = request.retain
        if (
            n_before >= MAX_REQUESTS
            or not update_is_cheaper(keep)
            or not self.covers(fitted, rows.X)
            or not rows_aligned(fitted.X_train_, request)
        ):
            return super().forget(fitted, None, store, request)
        new = shallow_copy(fitted)
        new.X_train_, new.y_train_ = fitted.X_train_[keep], fitted.y_train_[keep]
        if fitted.normalize_y:
            y = numeric_targets(rows.y)
            mean, spread = np.mean(y, axis=0), np.std(y, axis=0)
            spread = _handle_zeros_in_scale(spread, copy=False)
            set_target_scale(new, mean, spread)
            new.y_train_ = (y - mean) / spread
        new.L_ = without_rows(fitted.L_, keep)
        new.alpha_ = linalg.cho_solve((new.L_, True), new.y_train_, check_finite=False)
        new.log_marginal_likelihood_value_ = _log_likelihood(new)
        return Outcome(new, n_before + 1)


def _log_likelihood(process):
    """Return the log-marginal likelihood, summed over targets."""
    n_rows = len(process.y_train_)
    y, alpha = (a.reshape(n_rows, -1) for a in (process.y_train_, process.alpha_))
    by_target = -0.5 * np.einsum("ik,ik->k", y, alpha)
    by_target -= np.log(np.diag(process.L_)).sum()
    by_target -= n_rows / 2 * np.log(2 * np.pi)
    return by_target.sum(axis=-1)


def has_full_precision(X):
    """Whether rows are integers, or floats in double precision at least."""
    return X.dtype.kind != "f" or X.dtype == np.float64


def numeric_targets(y):
    """Return targets as scikit-learn's regressors take them."""
    y = np.asarray(y)
    return y.astype(np.float64) if y.dtype.kind in "OSU" else y


def _root_weight(weight, n_rows):
    """Return the square root of each row's weight."""
    weight = np.ones(n_rows) if weight is None else weight
    weight = np.broadcast_to(np.asarray(weight, dtype=np.float64), (n_rows,))
    return np.sqrt(np.where(weight < 0, np.nan, weight))
