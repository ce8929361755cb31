"""Rule for principal components."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral

import numpy as np
from scipy import linalg
from sklearn.decomposition import PCA
from sklearn.utils.extmath import svd_flip

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.exact.statistics._moments import (
    block_scatter,
    is_double,
    merge_scatter,
    subtract_scatter,
)
from sklearn_unlearn.utils._sklearn_compat import get_svd_solver

# Square of a mean, in variances, up to which scikit-learn's own covariance is good.
MAX_OFFSET = 1e7


@register_rule(PCA)
class PCARule(SummaryRule):
    """Eigenvectors of the covariance made of the scatter matrices of blocks.

    It stands in for the solver that works on the covariance, scikit-learn's
    choice for many rows and few columns. Other solvers fit again.
    """

    blocks_per_summary = 64

    def guarantee(self, estimator):
        if get_svd_solver(estimator) in ("full", "covariance_eigh"):
            return "exact"
        return super().guarantee(estimator)

    def covers(self, estimator, X, y=None, **params):
        solver = estimator.svd_solver in ("auto", "covariance_eigh")
        return is_double(X) and solver and estimator.n_components != "mle"

    def summarise(self, fitted, X, y, starts):
        total, mean, scatter = block_scatter(X, starts)
        return {"total": total, "mean": mean, "scatter": scatter}

    def subtract(self, whole, part):
        *rest, accurate = subtract_scatter(whole.values(), part.values())
        return dict(zip(whole, rest, strict=True)), accurate

    def assemble(self, fitted, summaries):
        total, mean, scatter = merge_scatter(**summaries)
        n_rows, n_features = int(total), len(mean)
        if fitted.svd_solver == "auto" and (
            n_features > 1000 or n_rows < 10 * n_features
        ):
            return None  # scikit-learn would take another solver
        # scikit-learn subtracts the means from raw sums, whose rounding it keeps
        far = mean**2 * n_rows > MAX_OFFSET * np.diag(scatter)
        if n_rows < 2 or far.any():
            return None
        variance, vectors = linalg.eigh(scatter / (n_rows - 1))
        variance = np.clip(variance[::-1], 0.0, None)
        ratio = variance / variance.sum()
        _, components = svd_flip(None, vectors[:, ::-1].T, u_based_decision=False)
        k = _n_components(fitted.n_components, n_rows, n_features, ratio)
        if k > min(n_rows, n_features):
            return None
        new = shallow_copy(fitted)
        new.n_samples_, new.n_components_, new.mean_ = n_rows, k, mean
        new.components_ = components[:k].copy()
        new.explained_variance_ = variance[:k].copy()
        new.explained_variance_ratio_ = ratio[:k].copy()
        new.singular_values_ = np.sqrt(variance[:k] * (n_rows - 1))
        rest = variance[k : min(n_rows, n_features)]
        new.noise_variance_ = rest.mean() if len(rest) else 0.0
        return new


def _n_components(wanted, n_rows, n_features, ratio):
    """Return how many components to keep, by the rules of `PCA`."""
    if wanted is None:
        return min(n_rows, n_features)
    if isinstance(wanted, Integral):
        return int(wanted)
    cumulative = np.cumsum(ratio)
    return int(np.searchsorted(cumulative, wanted, side="right")) + 1
