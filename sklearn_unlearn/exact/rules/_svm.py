"""Rule for support vector machines: rows that are no support vectors do not matter."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse
from sklearn.svm import SVC
from sklearn.utils import check_array

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._alignment import equal_up_to_rounding
from sklearn_unlearn.exact._rule import Outcome, Rule, register_rule
from sklearn_unlearn.utils._sklearn_compat import has_platt_scaling, set_svc_gamma

# Distance of a coefficient from its bound, relative to that, that is no rounding.
INSIDE = 1e-9


@register_rule(SVC)
class SupportVectorRule(Rule):
    """Keep the machine if no support vector is among the rows to forget.

    The optimum depends on support vectors alone as long as the kernel depends on
    no row: with ``gamma="scale"`` it does. The intercept does too where a support
    vector is off the bounds of its coefficient; else it lies half-way between rows
    that need not be support vectors. In all other cases the estimator is fitted
    again.

    Exact means the optimum up to the solver's ``tol``, as for a fit: one on the same
    rows in another order stops as far from it.
    """

    path = "warm start"

    def guarantee(self, estimator):
        found = super().guarantee(estimator)
        # the seed is that of Platt's cross-validation
        plain = getattr(estimator, "probability", False) is not True
        return "exact" if plain and found == "exact_law" else found

    def covers(self, estimator, X, y=None, **params):
        kernel = estimator.kernel
        fixed = estimator.gamma != "scale" or kernel == "linear"
        return (
            hasattr(estimator, "support_")
            and not callable(kernel)
            and kernel != "precomputed"
            and fixed
            and estimator.class_weight != "balanced"
            and not has_platt_scaling(estimator)
            and estimator.fit_status_ == 0
        )

    def forget(self, fitted, state, store, request):
        new = self._without_rows(fitted, request)
        if new is None:
            return super().forget(fitted, None, store, request)
        return Outcome(new)

    def _without_rows(self, fitted, request):
        """Return a copy whose support vectors have their new positions.

        None if the optimum may be another without the rows to forget.
        """
        mask = request.mask
        if (
            not hasattr(fitted, "support_")  # a single class was left
            or request.coordinates_changed
            or not request.ordered
            or fitted.shape_fit_[0] != len(mask)
            or mask[fitted.support_].any()
        ):
            return None
        rows = request.retain
        if not self.covers(fitted, rows.X, rows.y):
            return None
        support = fitted.support_ - np.cumsum(mask)[fitted.support_]
        X = check_array(rows.X, accept_sparse="csr", dtype=np.float64)
        weight = rows.params.get("sample_weight")
        if weight is not None:
            weight = np.asarray(weight, dtype=np.float64)[support]
        # the rows of a machine that was fitted elsewhere may have other numbers
        if not equal_up_to_rounding(fitted.support_vectors_, X[support]):
            return None
        if not _intercepts_are_determined(fitted, weight):
            return None
        new = shallow_copy(fitted)
        new.support_ = support.astype(fitted.support_.dtype)
        new.shape_fit_ = X.shape
        if isinstance(fitted.gamma, str) and fitted.gamma == "scale":
            set_svc_gamma(new, _scale(X))  # which a linear kernel does not use
        return new


def _scale(X):
    """Return ``gamma="scale"``, as scikit-learn computes it."""
    if sparse.issparse(X):
        variance = X.multiply(X).mean() - X.mean() ** 2
    else:
        variance = X.var()
    return 1.0 / (X.shape[1] * variance) if variance != 0 else 1.0


def _intercepts_are_determined(fitted, weight):
    """Whether every intercept follows from a support vector off its bounds."""
    coef = fitted.dual_coef_
    size = np.abs(coef.toarray() if sparse.issparse(coef) else coef)
    bound = np.full(size.shape[1], float(fitted.C))
    if weight is not None:
        bound *= weight
    n_classes = len(fitted.classes_)
    of_class = np.repeat(np.arange(n_classes), fitted.n_support_)
    bound *= fitted.class_weight_[of_class]
    inside = (size > 0) & (size < bound * (1 - INSIDE))
    # the machine of two classes has row j - 1 for those of i, and row i for those of j
    return all(
        inside[j - 1, of_class == i].any() or inside[i, of_class == j].any()
        for i in range(n_classes)
        for j in range(i + 1, n_classes)
    )
