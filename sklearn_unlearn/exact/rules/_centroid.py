"""Rule for nearest centroids."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.neighbors import NearestCentroid

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.exact.statistics._moments import (
    block_moments,
    class_segments,
    is_double,
    merge_moments,
    spreads_in_classes,
    subtract_moments,
)


@register_rule(NearestCentroid)
class NearestCentroidRule(SummaryRule):
    """Moments of the columns by block and class; medians are taken anew."""

    blocks_per_summary = 64

    def is_robust_to_rounding(self, estimator):
        return True

    def guarantee(self, estimator):
        return "exact"

    def covers(self, estimator, X, y=None, **params):
        return estimator.metric == "euclidean" and is_double(X)

    def summaries_compatible(self, before, after):
        return len(before.classes_) == len(after.classes_)

    def summarise(self, fitted, X, y, starts):
        order, bounds = class_segments(y, fitted.classes_, starts)
        moments = block_moments(np.asarray(X)[order], bounds)
        shape = (len(starts), len(fitted.classes_), -1)
        total, mean, m2 = (value.reshape(shape) for value in moments)
        return {"total": total, "mean": mean, "m2": m2}

    def subtract(self, whole, part):
        *rest, accurate = subtract_moments(whole.values(), part.values())
        return dict(zip(whole, rest, strict=True)), accurate

    def assemble(self, fitted, summaries):
        total, mean, m2 = merge_moments(**summaries)
        left = total[:, 0] > 0
        total, mean, m2 = total[left], mean[left], m2[left]
        n_classes, n_rows = len(total), total[:, 0].sum()
        given = not isinstance(fitted.priors, str)
        if n_classes < 2 or n_rows <= n_classes or (given and not left.all()):
            return None  # scikit-learn's own messages
        squares = m2.sum(axis=0)
        if not spreads_in_classes(n_rows, mean, squares):
            return None
        _, centre, _ = merge_moments(total, mean, m2)
        new = shallow_copy(fitted)
        new.classes_ = fitted.classes_[left]
        if fitted.priors == "empirical":
            new.class_prior_ = total[:, 0] / n_rows
        elif not given:
            new.class_prior_ = np.full(n_classes, 1 / n_classes)
        new.within_class_std_dev_ = std = np.sqrt(squares / (n_rows - n_classes))
        scale = np.sqrt(1 / total[:, :1] - 1 / n_rows) * (std + np.median(std))
        with np.errstate(invalid="ignore"):  # columns of zeros are not warned of again
            deviations = (mean - centre) / scale
        new.centroids_ = mean
        if fitted.shrink_threshold:
            shrunk = np.clip(np.abs(deviations) - fitted.shrink_threshold, 0, None)
            deviations = shrunk * np.sign(deviations)
            new.centroids_ = centre + scale * deviations
        new.deviations_ = deviations
        return new
