"""Rule for the imputer."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.utils import check_array
from sklearn.utils.validation import FLOAT_DTYPES

from sklearn_unlearn.exact._counts_rule import (
    CountsRule,
    has_fixed_dtypes,
)
from sklearn_unlearn.exact._feature_names import copy_feature_names
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.exact.statistics._moments import (
    block_moments,
    merge_moments,
    subtract_moments,
)
from sklearn_unlearn.rows._cells import is_missing
from sklearn_unlearn.utils._sklearn_compat import _get_mask
from sklearn_unlearn.utils._state import state_differences

MOMENTS = "total", "mean", "m2"


class _MeansRule(SummaryRule):
    """Means from the moments of blocks, and the numbers of gaps."""

    blocks_per_summary = 64

    def covers(self, estimator, X, y=None, **params):
        plain = not sparse.issparse(X) and has_fixed_dtypes(X)
        return plain and _validated(estimator, X).dtype == np.float64

    def forget(self, fitted, state, store, request):
        outcome = super().forget(fitted, state, store, request)
        if not state_differences(fitted, outcome.estimator, rtol=0.0):
            outcome = outcome._replace(estimator=fitted)
        return outcome

    def summarise(self, fitted, X, y, starts):
        X = _validated(fitted, X)
        missing = _get_mask(X, fitted.missing_values)
        total, mean, m2 = block_moments(np.where(missing, np.nan, X), starts)
        missing = np.add.reduceat(missing, starts, axis=0, dtype=np.int64)
        return {"total": total, "mean": mean, "m2": m2, "missing": missing}

    def subtract(self, whole, part):
        *rest, accurate = subtract_moments(
            *([summary[name] for name in MOMENTS] for summary in (whole, part))
        )
        rest = dict(zip(MOMENTS, rest, strict=True))
        return {**rest, "missing": whole["missing"] - part["missing"]}, accurate

    def assemble(self, fitted, summaries):
        total, mean, _ = merge_moments(*(summaries[name] for name in MOMENTS))
        marker = np.nan if _nan_is_missing(fitted) else fitted.missing_values
        rows = np.vstack([mean, mean])
        rows[:, total == 0] = marker
        rows[1, summaries["missing"].any(axis=0)] = marker
        return copy_feature_names(clone(fitted).fit(rows), fitted)


MEANS = _MeansRule()


@register_rule(SimpleImputer)
class SimpleImputerRule(CountsRule):
    """Means by the rule above; all else from counts of the values.

    A few rows determine the fit: two with the statistics, or the pair of cells
    whose mean is the median, and two that are missing where some row is.
    """

    def is_robust_to_rounding(self, estimator):
        return estimator.strategy != "most_frequent"

    def is_bitwise(self, estimator):
        return estimator.strategy != "mean"

    def covers(self, estimator, X, y=None, **params):
        if estimator.strategy == "mean":
            return MEANS.covers(estimator, X)
        if (
            callable(estimator.strategy)
            or sparse.issparse(X)
            or not has_fixed_dtypes(X)
        ):
            return False
        return _validated(estimator, X).dtype.kind in "fiuO"

    def remember(self, fitted, store):
        if fitted.strategy == "mean":
            return MEANS.remember(fitted, store)
        return super().remember(fitted, store)

    def forget(self, fitted, state, store, request):
        if fitted.strategy == "mean":
            return MEANS.forget(fitted, state, store, request)
        return super().forget(fitted, state, store, request)

    def columns(self, fitted, X):
        return list(_validated(fitted, X).T)

    def assemble(self, fitted, counts):
        dtype = counts.columns[0].values.dtype
        rows = np.empty((4, len(counts.columns)), dtype=dtype)
        has_gap = np.zeros(len(counts.columns), dtype=bool)
        for j, column in enumerate(counts.columns):
            gaps = _gaps(fitted, column)
            has_gap[j] = len(gaps) > 0
            pair = _cells_with_statistic(fitted.strategy, column, gaps)
            if pair is None:
                return None
            rows[:, j] = [*pair, *(column.values[gaps[[0, 0]]] if len(gaps) else pair)]
        if _is_unchanged(fitted, rows[:2], has_gap):
            return fitted
        new = copy_feature_names(clone(fitted).fit(rows), fitted)
        return new if state_differences(fitted, new, rtol=0.0) else fitted


def _validated(imputer, X):
    """Return the rows as the imputer sees them in a fit."""
    numeric = imputer.strategy in ("mean", "median")
    return check_array(
        X,
        dtype=FLOAT_DTYPES if numeric else None,
        ensure_all_finite="allow-nan" if _nan_is_missing(imputer) else True,
    )


def _nan_is_missing(imputer):
    """Whether NaN, or NA, is what is missing."""
    return imputer.missing_values is not None and is_missing(imputer.missing_values)


def _gaps(imputer, column):
    """Return the places of the values that count as missing."""
    if column.values.dtype.kind == "O":
        mask = _get_mask(column.values[:, None], imputer.missing_values)
        return np.flatnonzero(mask)
    marker = np.nan if _nan_is_missing(imputer) else imputer.missing_values
    place = column.find(np.array([marker]))
    return place[place >= 0]


def _cells_with_statistic(strategy, column, gaps):
    """Return two cells with the statistic of the column; None if it is ambiguous."""
    if len(gaps) == len(column):
        return column.values[[0, 0]]
    for place in gaps[::-1]:
        column = column.without_value(place)
    if strategy == "median":
        return column.median_pair()
    if strategy == "constant":
        return column.values[[0, 0]]
    if column.values.dtype.kind != "O":
        return column.values[[np.argmax(column.counts)] * 2]  # the smallest
    most = column.values[column.counts == column.counts.max()]
    try:
        return [min(most.tolist())] * 2
    except TypeError:
        return None


def _is_unchanged(fitted, pair, has_gap):
    """Whether statistics and columns with gaps are those of a fitted imputer."""
    if fitted.strategy == "constant" or pair.dtype.kind == "O":
        return False
    statistics = pair[0] if fitted.strategy == "most_frequent" else pair.sum(axis=0) / 2
    if not np.array_equal(statistics, fitted.statistics_):
        return False
    gaps = fitted.indicator_.features_ if fitted.add_indicator else None
    return gaps is None or np.array_equal(np.flatnonzero(has_gap), gaps)
