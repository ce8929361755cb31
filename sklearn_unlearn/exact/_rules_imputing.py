"""Rule for the imputer."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.utils import check_array
from sklearn.utils.validation import FLOAT_DTYPES

from sklearn_unlearn.exact._counts_rule import CountsRule, keeps_types, with_names
from sklearn_unlearn.exact._moments import block_moments, merge_moments
from sklearn_unlearn.exact._rules import SummaryRule, register_rule
from sklearn_unlearn.utils._cells import is_missing
from sklearn_unlearn.utils._sklearn_compat import _get_mask
from sklearn_unlearn.utils._state import state_differences


@register_rule(SimpleImputer)
class SimpleImputerRule(CountsRule):
    """Means from the moments of blocks; all else from counts of the values.

    A few rows determine the fit: two with the statistics, or the pair of cells
    whose mean is the median, and two that are missing where some row is.
    """

    def covers(self, estimator, X, y=None, **params):
        if callable(estimator.strategy) or sparse.issparse(X) or not keeps_types(X):
            return False
        X = _validated(estimator, X)
        if estimator.strategy == "mean":
            return X.dtype == np.float64
        return X.dtype.kind in "fiuO"

    def remember(self, fitted, store):
        if fitted.strategy == "mean":
            return SummaryRule.remember(self, fitted, store)
        return super().remember(fitted, store)

    def forget(self, fitted, memory, store, request):
        if fitted.strategy == "mean":
            outcome = SummaryRule.forget(self, fitted, memory, store, request)
        else:
            outcome = super().forget(fitted, memory, store, request)
        if not state_differences(fitted, outcome.estimator, rtol=0.0):
            outcome = outcome._replace(estimator=fitted)
        return outcome

    # ------------------------------------------------------------------- means

    def summarise(self, fitted, X, y, starts):
        X = _validated(fitted, X)
        missing = _get_mask(X, fitted.missing_values)
        total, mean, _ = block_moments(np.where(missing, np.nan, X), starts)
        missing = np.add.reduceat(missing, starts, axis=0, dtype=np.int64)
        return {"total": total, "mean": mean, "missing": missing}

    def subtract(self, whole, part):
        return whole, np.zeros(len(whole["total"]), dtype=bool)

    def assemble(self, fitted, summaries):
        if fitted.strategy != "mean":
            return self._from_counts(fitted, summaries)
        total, mean = summaries["total"], summaries["mean"]
        total, mean, _ = merge_moments(total, mean, np.zeros_like(mean))
        marker = np.nan if _marks_nan(fitted) else fitted.missing_values
        rows = np.vstack([mean, mean])
        rows[:, total == 0] = marker
        rows[1, summaries["missing"].any(axis=0)] = marker
        return with_names(clone(fitted).fit(rows), fitted)

    # ------------------------------------------------------------------ counts

    def columns(self, fitted, X):
        return list(_validated(fitted, X).T)

    def _from_counts(self, fitted, counts):
        dtype = counts.columns[0].values.dtype
        rows = np.empty((4, len(counts.columns)), dtype=dtype)
        for j, column in enumerate(counts.columns):
            missing = _get_mask(column.values[:, None], fitted.missing_values)[:, 0]
            pair = _stand_ins(fitted.strategy, column, missing)
            if pair is None:
                return None
            marker = column.values[missing][0] if missing.any() else None
            for i, cell in enumerate(pair):
                rows[i, j] = cell
                rows[i + 2, j] = cell if marker is None else marker
        return with_names(clone(fitted).fit(rows), fitted)


def _validated(imputer, X):
    """Return the rows as the imputer sees them in a fit."""
    numeric = imputer.strategy in ("mean", "median")
    return check_array(
        X,
        dtype=FLOAT_DTYPES if numeric else None,
        ensure_all_finite="allow-nan" if _marks_nan(imputer) else True,
    )


def _marks_nan(imputer):
    """Whether NaN, or NA, is what is missing."""
    return imputer.missing_values is not None and is_missing(imputer.missing_values)


def _stand_ins(strategy, column, missing):
    """Return two cells that have the statistic of the column; None if in doubt."""
    if missing.all():
        return column.values[[0, 0]]
    if missing.any():
        present = type(column)(column.values[~missing], column.counts[~missing])
    else:
        present = column
    if strategy == "median":
        return present.median_pair()
    if strategy == "constant":
        return present.values[[0, 0]]
    most = present.values[present.counts == present.counts.max()]
    if most.dtype.kind != "O":
        return most[[0, 0]]  # the smallest
    try:
        return [min(most.tolist())] * 2
    except TypeError:
        return None
