"""Rule for Gaussian naive Bayes."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.naive_bayes import GaussianNB

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.exact.statistics._moments import (
    block_moments,
    class_segments,
    is_double,
    merge_moments,
    subtract_moments,
)

NAMES = "total", "mean", "m2", "n_rows", "plain_mean", "plain_m2"


@register_rule(GaussianNB)
class GaussianNBRule(SummaryRule):
    """Moments of the columns by block and class."""

    blocks_per_summary = 64

    def is_robust_to_rounding(self, estimator):
        return True

    def guarantee(self, estimator):
        return "exact"

    def covers(self, estimator, X, y=None, **params):
        # given priors must match the classes left: scikit-learn says so better
        return estimator.priors is None and is_double(X)

    def summaries_compatible(self, before, after):
        return len(before.classes_) == len(after.classes_)

    def summarise(self, fitted, X, y, starts, sample_weight=None):
        X = np.asarray(X, dtype=np.float64)
        order, bounds = class_segments(y, fitted.classes_, starts)
        shape = (len(starts), len(fitted.classes_), X.shape[1])
        rows = X[order]
        # the smoothing is a share of the largest variance, which is unweighted
        moments = plain = block_moments(rows, bounds)
        if sample_weight is not None:
            weight = np.asarray(sample_weight)[order]
            moments = block_moments(rows, bounds, weight)
        values = (value.reshape(shape) for value in (*moments, *plain))
        return dict(zip(NAMES, values, strict=True))

    def subtract(self, whole, part):
        # moments with weights first, then those without
        rest, accurate = {}, True
        for names in (NAMES[:3], NAMES[3:]):
            *values, fine = subtract_moments(
                *([summary[name] for name in names] for summary in (whole, part))
            )
            rest.update(zip(names, values, strict=True))
            accurate = accurate & fine
        return rest, accurate

    def assemble(self, fitted, summaries):
        total, mean, m2 = merge_moments(
            summaries["total"], summaries["mean"], summaries["m2"]
        )
        n_rows, plain_mean, plain_m2 = merge_moments(
            summaries["n_rows"], summaries["plain_mean"], summaries["plain_m2"]
        )
        n_all, _, m2_all = merge_moments(n_rows, plain_mean, plain_m2)
        left = n_rows[:, 0] > 0
        if np.isclose(total[left], 0.0).any():
            return None  # a class without weight: scikit-learn's own conventions
        new = shallow_copy(fitted)
        new.classes_ = fitted.classes_[left]
        new.class_count_ = total[left, 0]
        new.class_prior_ = new.class_count_ / new.class_count_.sum()
        new.epsilon_ = fitted.var_smoothing * (m2_all / n_all).max()
        new.theta_ = mean[left]
        new.var_ = m2[left] / total[left] + new.epsilon_
        return new
