"""Rules for the baselines that look at targets only."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.exact.rules._discrete_naive_bayes import (
    BlockCountsRule,
    kind_of_sums,
)
from sklearn_unlearn.exact.statistics._moments import (
    block_moments,
    is_double,
    merge_moments,
    subtract_moments,
)


@register_rule(DummyClassifier)
class DummyClassifierRule(BlockCountsRule):
    """Counts of the classes of all outputs, one after the other."""

    def is_robust_to_rounding(self, estimator):
        return True

    def covers(self, estimator, X, y=None, **params):
        return not estimator.sparse_output_

    def summaries_compatible(self, before, after):
        pairs = zip(_classes(before), _classes(after), strict=True)
        return all(len(old) == len(new) for old, new in pairs)

    def summarise(self, fitted, X, y, starts, sample_weight=None):
        y = np.asarray(y)
        outputs = y.reshape(len(y), -1).T
        n_blocks, weight = len(starts), sample_weight
        block = np.repeat(np.arange(n_blocks), np.diff(np.append(starts, len(y))))
        n_rows, weights = [], []
        for classes, output in zip(_classes(fitted), outputs, strict=True):
            code = block * len(classes) + np.searchsorted(classes, output)
            size = n_blocks * len(classes)
            n_rows.append(np.bincount(code, minlength=size).reshape(n_blocks, -1))
            sums = np.bincount(code, weight, minlength=size).reshape(n_blocks, -1)
            weights.append(sums.astype(np.float64))
        return {
            "n_rows": np.hstack(n_rows),
            "weight": np.hstack(weights),
            "kind": np.full(n_blocks, kind_of_sums(np.ones(len(y)), weight)),
        }

    def assemble(self, fitted, summaries):
        ends = np.cumsum([len(classes) for classes in _classes(fitted)])[:-1]
        left = np.split(summaries["n_rows"].sum(axis=0) > 0, ends)
        if fitted.strategy == "constant" and not np.concatenate(left).all():
            return None  # the constant must be among the targets
        weights = np.split(summaries["weight"].sum(axis=0), ends)
        weights = [w[stays] for w, stays in zip(weights, left, strict=True)]
        pairs = zip(_classes(fitted), left, strict=True)
        state = {
            "classes_": [classes[stays] for classes, stays in pairs],
            "n_classes_": [len(w) for w in weights],
            "class_prior_": [w / w.sum() for w in weights],
        }
        new = shallow_copy(fitted)
        single = fitted.n_outputs_ == 1
        new.__dict__.update({k: v[0] if single else v for k, v in state.items()})
        return new


def _classes(fitted):
    """The classes of each output."""
    return [fitted.classes_] if fitted.n_outputs_ == 1 else fitted.classes_


@register_rule(DummyRegressor)
class DummyRegressorRule(SummaryRule):
    """Means of the targets; medians and quantiles are taken anew."""

    blocks_per_summary = 64

    def is_robust_to_rounding(self, estimator):
        return True

    def guarantee(self, estimator):
        return "exact"

    def covers(self, estimator, X, y=None, **params):
        return estimator.strategy == "mean" and is_double(y)

    def summarise(self, fitted, X, y, starts, sample_weight=None):
        y = np.asarray(y)
        total, mean, m2 = block_moments(y.reshape(len(y), -1), starts, sample_weight)
        return {"total": total, "mean": mean, "m2": m2}

    def subtract(self, whole, part):
        *rest, accurate = subtract_moments(whole.values(), part.values())
        return dict(zip(whole, rest, strict=True)), accurate

    def assemble(self, fitted, summaries):
        total, mean, _ = merge_moments(**summaries)
        if np.isclose(total, 0.0).any():
            return None
        new = shallow_copy(fitted)
        new.constant_ = mean.reshape(1, -1)
        return new
