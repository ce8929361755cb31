"""Rules for scalers by order statistics."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import stats
from sklearn.preprocessing import QuantileTransformer, RobustScaler

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._counts_rule import CountsRule, attributes_equal
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.exact.statistics._column_counts import ColumnCounts
from sklearn_unlearn.exact.statistics._moments import is_double
from sklearn_unlearn.utils._sklearn_compat import _handle_zeros_in_scale


class _CountedColumns(CountsRule):
    """Counts of the values of columns of dense numbers, in ascending order."""

    def is_robust_to_rounding(self, estimator):
        return True

    def covers(self, estimator, X, y=None, **params):
        return is_double(X)

    def columns(self, fitted, X):
        return list(np.asarray(X, dtype=np.float64).T)


@register_rule(RobustScaler)
class RobustScalerRule(_CountedColumns):
    """Medians and ranges between quantiles."""

    def assemble(self, fitted, counts):
        new = shallow_copy(fitted)
        if fitted.with_centering:
            pairs = np.array([column.median_pair() for column in counts.columns])
            middle = (pairs[:, 0] + pairs[:, 1]) / 2.0
            new.center_ = np.where(pairs[:, 0] == pairs[:, 1], pairs[:, 0], middle)
        if fitted.with_scaling:
            shares = np.true_divide(fitted.quantile_range, 100)
            low, high = np.transpose([c.quantiles(shares) for c in counts.columns])
            new.scale_ = _handle_zeros_in_scale(high - low, copy=False)
            if fitted.unit_variance:
                low, high = stats.norm.ppf(np.asarray(fitted.quantile_range) / 100.0)
                new.scale_ = new.scale_ / (high - low)
        return fitted if attributes_equal(fitted, new, "center_", "scale_") else new


@register_rule(QuantileTransformer)
class QuantileTransformerRule(_CountedColumns):
    """Quantiles of all rows; those of a random part are taken anew."""

    def guarantee(self, estimator):
        whole = estimator.subsample is None
        return "exact" if whole else super(CountsRule, self).guarantee(estimator)

    def covers(self, estimator, X, y=None, **params):
        # with fewer rows than quantiles there is no subsample
        whole = estimator.subsample is None or (
            estimator.n_quantiles_ < estimator.n_quantiles
        )
        return whole and is_double(X)

    def remember(self, fitted, store):
        part = fitted.subsample is not None and fitted.subsample < store.n_rows
        if part or not is_double(store.take([0]).X):
            return None
        rows = store.rows()
        return ColumnCounts.of(self.columns(fitted, rows.X), store.n_rows)

    def assemble(self, fitted, counts):
        new = shallow_copy(fitted)
        new.n_quantiles_ = max(1, min(fitted.n_quantiles, counts.n_rows))
        new.references_ = np.linspace(0, 1, new.n_quantiles_, endpoint=True)
        shares = np.true_divide(new.references_ * 100, 100)
        new.quantiles_ = np.transpose([c.quantiles(shares) for c in counts.columns])
        return fitted if attributes_equal(fitted, new, "quantiles_") else new
