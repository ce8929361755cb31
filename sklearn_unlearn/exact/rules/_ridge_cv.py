"""Rule for ridge regression that chooses its penalty."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np
from scipy import linalg
from sklearn.linear_model import RidgeCV

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._rule import Outcome, Rule, register_rule
from sklearn_unlearn.exact.rules._linear import RidgeRule, solve_scaled
from sklearn_unlearn.exact.statistics._moments import (
    has_constant,
    is_double,
    merge_scatter,
)
from sklearn_unlearn.utils._saved import saved_as

# Rows at a time, so that temporaries stay in cache.
CHUNK_ROWS = 512
# Share of a row's own residual in its prediction error, down to which its digits
# are kept.
MIN_SHARE = 1e-4
# Errors, in units of the targets' squares, that are rounding.
MIN_ERROR = 1e-11
# Scores, in units of the rounding that they may have, that are no tie.
ROUNDING = 1e-12


@register_rule(RidgeCV)
class RidgeCVRule(RidgeRule):
    """Choose the penalty anew by leave-one-out errors, in one pass over the rows.

    Coefficients for each penalty follow from the scatter matrices of blocks. So
    does the basis in which the leverages of a row under all penalties are sums of
    its squared coordinates; each prediction error is a residual over one minus
    its leverage. Only for that are the retained rows read, all of them, once.

    Given splits or scorers, and scores that rounding might put in another order,
    are left to a fit.
    """

    path = "warm start"

    def covers(self, estimator, X, y=None, **params):
        plain = estimator.cv is None and estimator.scoring is None
        return plain and is_double(X) and hasattr(estimator, "coef_")

    def forget(self, fitted, state, store, request):
        rows = request.retain
        # one weight for all rows, or those of a step, are not in the summaries
        if request.coordinates_changed or (
            ("sample_weight" in rows.params)
            != ("sample_weight" in store.take([0]).params)
        ):
            return Rule.forget(self, fitted, None, store, request)
        outcome = super().forget(fitted, state, store, request)
        candidates = outcome.estimator
        if not isinstance(candidates, _Candidates):
            return outcome  # fitted again
        new = candidates.best(fitted, rows)
        if new is None:
            new = self.refit(fitted, rows.X, rows.y, **rows.params)
        return Outcome(new, outcome.state)

    def assemble(self, fitted, summaries):
        """Return the regressions for all penalties; `forget` chooses one of them."""
        n_features = fitted.n_features_in_
        total, mean, scatter = merge_scatter(**summaries)
        if not fitted.fit_intercept:
            scatter = scatter + total * np.outer(mean, mean)
            mean = np.zeros_like(mean)
        elif has_constant(total, mean[:n_features], np.diag(scatter)[:n_features]):
            return None
        A, B = scatter[:n_features, :n_features], scatter[:n_features, n_features:]
        alphas, identity = np.ravel(np.asarray(fitted.alphas, float)), np.eye(len(A))
        coefs = [solve_scaled(A + alpha * identity, B) for alpha in alphas]
        if any(coef is None for coef in coefs):
            return None
        # A square root of the matrix with the least penalty, whose singular values
        # keep more digits than the eigenvalues of the matrix, and are not zero.
        least = A + alphas.min() * identity
        scale = np.sqrt(np.diag(least))
        root = linalg.cholesky(least / np.outer(scale, scale)) * scale
        _, singular, basis = linalg.svd(root)
        inverse = 1 / (singular**2 + (alphas - alphas.min())[:, None])
        squares = np.diag(scatter)[n_features:] / total
        return _Candidates(
            alphas, np.array(coefs), basis.T, inverse, total, mean, squares
        )


@saved_as("candidates of ridge")
class _Candidates(NamedTuple):
    """Regressions by penalty.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
    coefs : ndarray of shape (n_alphas, n_targets, n_features)
    basis : ndarray of shape (n_features, n_features)
        Columns in which the inverse matrices are diagonal.
    inverse : ndarray of shape (n_alphas, n_features)
        Their diagonals.
    total : float
        Sum of weights.
    mean : ndarray of shape (n_features + n_targets,)
        Means, or zeros if there is no intercept.
    squares : ndarray of shape (n_targets,)
        Means of the squared centred targets.
    """

    alphas: np.ndarray
    coefs: np.ndarray
    basis: np.ndarray
    inverse: np.ndarray
    total: float
    mean: np.ndarray
    squares: np.ndarray

    def best(self, fitted, rows):
        """Return `fitted` with the penalty that these rows choose.

        Parameters
        ----------
        fitted : RidgeCV
        rows : Rows
            All retained rows.

        Returns
        -------
        RidgeCV or None
            None if rounding might change the choice.
        """
        X = np.asarray(rows.X, dtype=np.float64)
        y = np.asarray(rows.y, dtype=np.float64)
        targets = y.reshape(len(y), -1)
        if len(X) <= X.shape[1]:
            return None
        squared = self._squared_errors(fitted, X, targets, rows.params)
        if squared is None:
            return None
        errors, table = squared
        if not fitted.alpha_per_target:
            errors = errors.mean(axis=1, keepdims=True)
        chosen = self._choose(errors)
        if chosen is None:
            return None
        new, n_features = shallow_copy(fitted), X.shape[1]
        per_target = np.broadcast_to(chosen, targets.shape[1:])
        coef = self.coefs[per_target, np.arange(targets.shape[1])]
        score = -errors[chosen, np.arange(errors.shape[1])]
        new.alpha_ = _like(fitted.alpha_, self.alphas[chosen])
        new.best_score_ = _like(fitted.best_score_, score)
        new.coef_ = coef.reshape(fitted.coef_.shape).copy()
        if fitted.fit_intercept:
            intercept = self.mean[n_features:] - coef @ self.mean[:n_features]
            new.intercept_ = _like(fitted.intercept_, intercept)
        if fitted.store_cv_results:
            new.cv_results_ = table.reshape(*y.shape, -1).copy()
        return new

    def _squared_errors(self, fitted, X, targets, params):
        """Squared leave-one-out errors: means by penalty and target, and all.

        Returns
        -------
        (means, table) or None
            Shapes (n_alphas, n_targets) and (n_rows, n_targets, n_alphas); the
            latter only where it is stored. None where digits would be lost.
        """
        (n_rows, n_features), n_targets = X.shape, targets.shape[1]
        shape = (len(self.alphas), n_targets)
        projection = np.vstack([self.basis.T, self.coefs.reshape(-1, n_features)])
        weight = np.asarray(params.get("sample_weight", np.ones(n_rows)), float)
        share = weight / self.total if fitted.fit_intercept else np.zeros(n_rows)
        sums, table = np.zeros(shape), None
        if fitted.store_cv_results:
            table = np.empty((n_rows, n_targets, len(self.alphas)))
        for start in range(0, n_rows, CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            # one column per row: what follows then runs along memory
            projected = projection @ (X[part] - self.mean[:n_features]).T
            coordinates, fit = projected[:n_features], projected[n_features:]
            coordinates *= coordinates
            own = 1 - share[part] - weight[part] * (self.inverse @ coordinates)
            if not (own > MIN_SHARE).all():
                return None
            centred = (targets[part] - self.mean[n_features:]).T
            error = centred - fit.reshape(*shape, -1)
            error /= own[:, None]
            error *= error
            error *= weight[part]
            sums += error.sum(axis=2)
            if table is not None:
                table[part] = error.T
        return sums / n_rows, table

    def _choose(self, errors):
        """Position of the penalty with the least error, for each column.

        Of equal penalties the first is taken, as scikit-learn does.
        """
        chosen = errors.argmin(axis=0)
        least = errors.min(axis=0)
        size = self.squares if len(self.squares) == len(least) else self.squares.mean()
        if (least <= MIN_ERROR * size).any():
            return None
        close = errors - least <= ROUNDING * np.sqrt(least * size)
        rival = self.alphas[:, None] != self.alphas[chosen]
        return None if (close & rival).any() else chosen


def _like(old, new):
    """Return `new` with the shape and type of `old`, a number if that is one."""
    old = np.asarray(old)
    return np.asarray(new).astype(old.dtype).reshape(old.shape)[()]
