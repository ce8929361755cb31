"""Rules for scalers by moments and extremes, and for the choice by variance."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_selection import VarianceThreshold
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._counts_rule import attributes_equal
from sklearn_unlearn.exact._feature_names import copy_feature_names
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.exact.statistics._moments import (
    block_moments,
    is_double,
    merge_moments,
    subtract_moments,
)
from sklearn_unlearn.utils._sklearn_compat import (
    _handle_zeros_in_scale,
    _is_constant_feature,
)

# A variance this close to the threshold is computed as scikit-learn does it.
NEAR = 1e-9


class _DenseColumns(SummaryRule):
    """Summaries of the columns of dense numeric rows."""

    keeps_columns = True

    def is_robust_to_rounding(self, estimator):
        return True

    def guarantee(self, estimator):
        return "exact"

    def covers(self, estimator, X, y=None, **params):
        return not sparse.issparse(X) and np.asarray(X).dtype.kind in "fiub"


@register_rule(StandardScaler)
class StandardScalerRule(_DenseColumns):
    """Means and variances from the moments of blocks."""

    blocks_per_summary = 64

    def covers(self, estimator, X, y=None, **params):
        return is_double(X)

    def summarise(self, fitted, X, y, starts, sample_weight=None):
        total, mean, m2 = block_moments(X, starts, sample_weight)
        return {"total": total, "mean": mean, "m2": m2}

    def subtract(self, whole, part):
        *rest, accurate = subtract_moments(whole.values(), part.values())
        return dict(zip(whole, rest, strict=True)), accurate

    def assemble(self, fitted, summaries):
        total, mean, m2 = merge_moments(**summaries)
        if (total == 0).any():
            return None  # a column without values: scikit-learn's own conventions
        new = shallow_copy(fitted)
        same = np.ptp(total) == 0
        n_seen = total[0] if same else total
        counted = np.asarray(fitted.n_samples_seen_).dtype.kind in "iu"
        if counted and np.all(total == np.rint(total)):  # no weights, or whole ones
            n_seen = np.int64(n_seen) if same else n_seen.astype(np.int64)
        new.n_samples_seen_ = n_seen
        if fitted.mean_ is not None:
            new.mean_ = mean
        if fitted.var_ is not None:
            new.var_ = var = m2 / total
            constant = _is_constant_feature(var, mean, n_seen)
            new.scale_ = _handle_zeros_in_scale(
                np.sqrt(var), copy=False, constant_mask=constant
            )
        return new


@register_rule(MinMaxScaler)
class MinMaxScalerRule(_DenseColumns):
    """The smallest and the largest row stand for all rows."""

    def is_bitwise(self, estimator):
        return True

    def summarise(self, fitted, X, y, starts):
        X = np.asarray(X, dtype=fitted.data_min_.dtype)
        # fmin and fmax pass over NaN
        return {
            "min": np.fmin.reduceat(X, starts, axis=0),
            "max": np.fmax.reduceat(X, starts, axis=0),
            "n_rows": np.diff(np.append(starts, len(X))),
        }

    def assemble(self, fitted, summaries):
        extremes = np.vstack(
            [
                np.fmin.reduce(summaries["min"], axis=0),
                np.fmax.reduce(summaries["max"], axis=0),
            ]
        )
        new = clone(fitted).fit(extremes)
        new.n_samples_seen_ = int(summaries["n_rows"].sum())
        return copy_feature_names(new, fitted)

    def same_output(self, before, after):
        return attributes_equal(before, after, "scale_", "min_")


@register_rule(MaxAbsScaler)
class MaxAbsScalerRule(_DenseColumns):
    """A row of the largest absolute values stands for all rows."""

    def is_bitwise(self, estimator):
        return True

    def covers(self, estimator, X, y=None, **params):
        return sparse.issparse(X) or super().covers(estimator, X)

    def summarise(self, fitted, X, y, starts):
        n_rows = np.diff(np.append(starts, X.shape[0]))
        if sparse.issparse(X):
            largest = _largest_stored(abs(sparse.csr_array(X)), starts)
        else:
            X = np.abs(np.asarray(X, dtype=fitted.max_abs_.dtype))
            largest = np.fmax.reduceat(X, starts, axis=0)
        return {"max": largest, "n_rows": n_rows}

    def assemble(self, fitted, summaries):
        largest = np.fmax.reduce(summaries["max"], axis=0)
        new = clone(fitted).fit(largest[None])
        new.n_samples_seen_ = int(summaries["n_rows"].sum())
        return copy_feature_names(new, fitted)

    def same_output(self, before, after):
        return attributes_equal(before, after, "scale_")


def _largest_stored(X, starts):
    """Largest entry of each column in each block of non-negative sparse rows."""
    largest = np.zeros((len(starts), X.shape[1]), X.dtype)
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    block = np.searchsorted(starts, rows, side="right") - 1
    np.fmax.at(largest, (block, X.indices), X.data)
    return largest


@register_rule(VarianceThreshold)
class VarianceThresholdRule(_DenseColumns):
    """Variances from the moments of blocks; at threshold 0 the range counts too."""

    blocks_per_summary = 8

    def is_robust_to_rounding(self, estimator):
        return False  # a column stays or goes

    def summarise(self, fitted, X, y, starts):
        X = np.asarray(X, dtype=np.float64)
        total, mean, m2 = block_moments(X, starts)
        # a column with NaN has none of these: its range does not count
        low, high = (f.reduceat(X, starts, axis=0) for f in (np.minimum, np.maximum))
        return {"total": total, "mean": mean, "m2": m2, "low": low, "high": high}

    def subtract(self, whole, part):
        names = ("total", "mean", "m2")
        *rest, accurate = subtract_moments(
            *([summary[name] for name in names] for summary in (whole, part))
        )
        inside = (part["low"] > whole["low"]) & (part["high"] < whole["high"])
        rest = dict(zip(names, rest, strict=True))
        rest.update(low=whole["low"], high=whole["high"])
        return rest, accurate & inside.all(axis=1)

    def assemble(self, fitted, summaries):
        total, _, m2 = merge_moments(*(summaries[n] for n in ("total", "mean", "m2")))
        if (total == 0).any():
            return None
        variances = m2 / total
        if fitted.threshold == 0:
            low = np.minimum.reduce(summaries["low"], axis=0)
            high = np.maximum.reduce(summaries["high"], axis=0)
            variances = np.fmin(variances, high - low)
        gap = np.abs(variances - fitted.threshold)
        unsure = (gap > 0) | (fitted.threshold > 0)
        unsure &= gap <= NEAR * variances
        if unsure.any() or not (variances > fitted.threshold).any():
            return None  # rounding could decide, or scikit-learn raises an error
        new = shallow_copy(fitted)
        new.variances_ = variances
        return new

    def same_output(self, before, after):
        support = (e.variances_ > e.threshold for e in (before, after))
        return np.array_equal(*support)
