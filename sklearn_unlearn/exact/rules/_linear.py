"""Rules for least squares."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import linalg
from scipy.linalg import lapack
from sklearn.linear_model import LinearRegression, Ridge

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.exact.statistics._moments import (
    block_scatter,
    has_constant,
    is_double,
    merge_scatter,
    subtract_scatter,
)

# Largest condition number of the scaled normal equations that are solved. They
# lose as many digits as it has, so 1e-16 * 1e7 keeps 1e-9.
MAX_CONDITION = 1e7


class _LeastSquares(SummaryRule):
    """Solve the normal equations made of the scatter matrices of blocks."""

    blocks_per_summary = 64

    def is_robust_to_rounding(self, estimator):
        return True

    def guarantee(self, estimator):
        return "exact"

    def summarise(self, fitted, X, y, starts, sample_weight=None):
        X, y = np.asarray(X, np.float64), np.asarray(y, np.float64)
        Z = np.column_stack([X, y])
        total, mean, scatter = block_scatter(Z, starts, sample_weight)
        return {"total": total, "mean": mean, "scatter": scatter}

    def subtract(self, whole, part):
        *rest, accurate = subtract_scatter(whole.values(), part.values())
        return dict(zip(whole, rest, strict=True)), accurate

    def assemble(self, fitted, summaries):
        n_features = fitted.n_features_in_
        total, mean, scatter = merge_scatter(**summaries)
        spread = np.diag(scatter)[:n_features]
        if fitted.fit_intercept and has_constant(total, mean[:n_features], spread):
            return None
        if not fitted.fit_intercept:  # moments about zero, not about the mean
            scatter = scatter + total * np.outer(mean, mean)
        A = scatter[:n_features, :n_features]
        B = scatter[:n_features, n_features:]
        solution = self._solve(fitted, A, B)
        if solution is None:
            return None
        new = shallow_copy(fitted)
        new.__dict__.update(solution)
        coef = solution["coef_"]
        if fitted.fit_intercept:
            intercept = mean[n_features:] - coef @ mean[:n_features]
            new.intercept_ = intercept.reshape(np.shape(fitted.intercept_))[()]
        new.coef_ = coef.reshape(fitted.coef_.shape).astype(fitted.coef_.dtype)
        return new


def solve_scaled(A, B):
    """Solve ``A W^T = B`` for positive definite `A`, scaled to unit diagonal.

    Returns
    -------
    ndarray of shape (n_targets, n_features) or None
        None if the scaled matrix is too ill-conditioned.
    """
    diagonal = np.diag(A)
    if (diagonal <= 0).any():
        return None
    scale = 1 / np.sqrt(diagonal)
    scaled = A * np.outer(scale, scale)
    try:
        factor = linalg.cho_factor(scaled)
    except linalg.LinAlgError:
        return None
    norm = np.abs(scaled).sum(axis=0).max()
    inverse_condition, _ = lapack.dpocon(factor[0], norm)
    if inverse_condition * MAX_CONDITION < 1:
        return None
    return (linalg.cho_solve(factor, B * scale[:, None]) * scale[:, None]).T


@register_rule(Ridge)
class RidgeRule(_LeastSquares):
    """Ridge regression by a direct solver."""

    def covers(self, estimator, X, y=None, **params):
        direct = estimator.solver in ("auto", "cholesky", "svd")
        return direct and is_double(X) and not estimator.positive

    def _solve(self, fitted, A, B):
        alphas = np.broadcast_to(fitted.alpha, B.shape[1:])
        coef, identity = np.empty(B.T.shape), np.eye(len(A))
        for alpha in set(alphas.tolist()):  # one alpha per target is possible
            targets = alphas == alpha
            solved = solve_scaled(A + alpha * identity, B[:, targets])
            if solved is None:
                return None
            coef[targets] = solved
        # scikit-learn turns to another solver only where this one fails
        solver = "svd" if fitted.solver == "svd" else "cholesky"
        return {"coef_": coef, "solver_": solver}


@register_rule(LinearRegression)
class LinearRegressionRule(_LeastSquares):
    """Ordinary least squares."""

    def covers(self, estimator, X, y=None, **params):
        return is_double(X) and not estimator.positive

    def _solve(self, fitted, A, B):
        coef = solve_scaled(A, B)
        if coef is None:
            return None
        singular = np.sqrt(np.clip(linalg.eigvalsh(A)[::-1], 0, None))
        # scikit-learn cuts off small singular values, by a tolerance of its own
        if singular[-1] <= 10 * max(getattr(fitted, "tol", 0), 1e-6) * singular[0]:
            return None
        return {"coef_": coef, "rank_": len(A), "singular_": singular}
