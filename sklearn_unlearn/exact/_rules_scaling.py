"""Rules for scalers."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_unlearn.exact._moments import (
    block_moments,
    is_double,
    merge_moments,
    subtract_moments,
)
from sklearn_unlearn.exact._rules import register_rule, shallow_copy
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.utils._sklearn_compat import (
    _handle_zeros_in_scale,
    _is_constant_feature,
)


class _DenseColumns(SummaryRule):
    """Summaries of the columns of dense numeric rows."""

    def guarantee(self, estimator):
        return "exact"

    def covers(self, estimator, X, y=None, **params):
        return is_double(X)


@register_rule(StandardScaler)
class StandardScalerRule(_DenseColumns):
    """Means and variances from the moments of blocks."""

    blocks_per_summary = 64

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
        if np.all(total == np.rint(total)) and _is_integer(fitted.n_samples_seen_):
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
        if hasattr(fitted, "feature_names_in_"):
            new.feature_names_in_ = fitted.feature_names_in_
        return new


def _is_integer(value):
    return np.issubdtype(np.asarray(value).dtype, np.integer)
