"""Rules for naive Bayes on counts and categories."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, MultinomialNB
from sklearn.preprocessing import binarize

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._feature_names import copy_feature_names
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.exact.statistics._moments import MIN_SHARE_LEFT

# What was summed up: whole numbers, of which every sum is exact; numbers that are
# not negative, of which a sum is as exact as its size; or any numbers.
WHOLE, POSITIVE, ANY = range(3)
# Sums in a summary; with more of them it would be larger than the rows.
MOST_SUMS = 1 << 20


def kind_of_sums(values, weight=None):
    """Tell how exact sums of values, or of values times weights, are.

    Parameters
    ----------
    values : ndarray
    weight : ndarray of shape (n_rows,), default=None

    Returns
    -------
    int
        One of `WHOLE`, `POSITIVE`, `ANY`.
    """
    parts = [np.asarray(p, np.float64) for p in (values, weight) if p is not None]
    largest = 1.0 if weight is None else np.abs(parts[1]).max(initial=0.0)
    size = max(np.abs(parts[0]).sum(), len(parts[-1])) * largest
    # doubles are exact up to 2 ** 53
    if size < 2**53 and all((part == np.rint(part)).all() for part in parts):
        return WHOLE
    return POSITIVE if all((part >= 0).all() for part in parts) else ANY


class BlockCountsRule(SummaryRule):
    """Sums of counts by block and class, perhaps weighted.

    A summary has ``n_rows`` by class, other sums, and their ``kind``.
    """

    blocks_per_summary = 64

    def guarantee(self, estimator):
        return "exact"

    def summaries_compatible(self, before, after):
        return len(before.classes_) == len(after.classes_)

    def subtract(self, whole, part):
        rest = {name: value - part[name] for name, value in whole.items()}
        kind = rest["kind"] = whole["kind"]
        kept = np.ones(len(kind), dtype=bool)
        for name, value in rest.items():
            fine = (value >= MIN_SHARE_LEFT * whole[name]) | (part[name] == 0)
            kept &= fine.reshape(len(kind), -1).all(axis=1)
        return rest, (kind == WHOLE) | (kind == POSITIVE) & kept


def segments_of(y, classes, starts):
    """Number of the block and class of each row, and how many there are."""
    y = np.ravel(y)
    block = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(y))))
    segment = block * len(classes) + np.searchsorted(classes, y)
    return segment, len(starts) * len(classes)


@register_rule(MultinomialNB, ComplementNB, BernoulliNB)
class DiscreteNBRule(BlockCountsRule):
    """Sums of the columns by block and class, dense or sparse.

    One row per class that holds its sums determines the fit.
    """

    def is_robust_to_rounding(self, estimator):
        return getattr(estimator, "binarize", None) is None

    def covers(self, estimator, X, y=None, **params):
        return estimator.feature_count_.size <= MOST_SUMS

    def summarise(self, fitted, X, y, starts, sample_weight=None):
        if isinstance(fitted, BernoulliNB) and fitted.binarize is not None:
            X = binarize(X, threshold=fitted.binarize)
        elif not sparse.issparse(X):
            X = np.asarray(X)
        X = X.astype(np.float64)
        segment, n_segments = segments_of(y, fitted.classes_, starts)
        weight = np.ones(X.shape[0]) if sample_weight is None else sample_weight
        pick = sparse.csc_array(
            (np.asarray(weight, np.float64), segment, np.arange(X.shape[0] + 1)),
            shape=(n_segments, X.shape[0]),
        )
        sums = pick @ (sparse.csr_array(X) if sparse.issparse(X) else X)
        values = X.data if sparse.issparse(X) else X
        shape = (len(starts), len(fitted.classes_))
        return {
            "n_rows": np.bincount(segment, minlength=n_segments).reshape(shape),
            "weight": pick.sum(axis=1).reshape(shape),
            "sums": (sums.toarray() if sparse.issparse(sums) else sums).reshape(
                *shape, -1
            ),
            "kind": np.full(len(starts), kind_of_sums(values, sample_weight)),
        }

    def assemble(self, fitted, summaries):
        left = summaries["n_rows"].sum(axis=0) > 0
        if not left.all() and fitted.class_prior is not None:
            return None  # scikit-learn says that they do not match
        classes = fitted.classes_[left]
        weight = summaries["weight"].sum(axis=0)[left]
        sums = summaries["sums"].sum(axis=0)[left]
        # empty rows make up for the weight that one row per class lacks
        rows = np.vstack([sums, np.zeros_like(sums)])
        weights = np.concatenate([np.ones_like(weight), weight - 1])
        new, changed = clone(fitted), {}
        if isinstance(fitted, BernoulliNB):
            changed = {"binarize": fitted.binarize}
            new.set_params(binarize=None)
        new.fit(rows, np.concatenate([classes, classes]), sample_weight=weights)
        return copy_feature_names(new, fitted).set_params(**changed)


@register_rule(CategoricalNB)
class CategoricalNBRule(BlockCountsRule):
    """Counts of the categories of all columns, one after the other."""

    def covers(self, estimator, X, y=None, **params):
        return sum(c.size for c in estimator.category_count_) <= MOST_SUMS

    def summaries_compatible(self, before, after):
        same = np.array_equal(before.n_categories_, after.n_categories_)
        return same and super().summaries_compatible(before, after)

    def summarise(self, fitted, X, y, starts, sample_weight=None):
        sizes = fitted.n_categories_
        n_blocks, n_classes, n_codes = len(starts), len(fitted.classes_), sizes.sum()
        codes = np.asarray(X).astype(np.int64) + np.cumsum(sizes) - sizes
        segment, n_segments = segments_of(y, fitted.classes_, starts)

        def count(group, n_groups, weight=None):
            cells = (group[:, None] * n_codes + codes).ravel()
            if weight is not None:
                weight = np.repeat(np.asarray(weight, np.float64), codes.shape[1])
            counts = np.bincount(cells, weight, minlength=n_groups * n_codes)
            return counts.reshape(n_blocks, -1)

        weight = sample_weight
        weights = np.bincount(segment, weight, minlength=n_segments)
        shape = (n_blocks, n_classes)
        return {
            "n_rows": np.bincount(segment, minlength=n_segments).reshape(shape),
            "weight": weights.reshape(shape).astype(np.float64),
            "counts": count(segment, n_segments, weight).astype(np.float64),
            "shown": count(segment // n_classes, n_blocks),
            "kind": np.full(n_blocks, kind_of_sums(np.ones(len(codes)), weight)),
        }

    def assemble(self, fitted, summaries):
        left = summaries["n_rows"].sum(axis=0) > 0
        if not left.all() and fitted.class_prior is not None:
            return None  # scikit-learn says that they do not match
        classes = fitted.classes_[left]
        ends = np.cumsum(fitted.n_categories_)[:-1]
        shown = np.split(summaries["shown"].sum(axis=0), ends)
        sizes = np.array([np.flatnonzero(s)[-1] + 1 for s in shown], dtype=np.int64)
        if fitted.min_categories is not None:
            sizes = np.maximum(sizes, fitted.min_categories, dtype=np.int64)
        counts = summaries["counts"].sum(axis=0).reshape(len(left), -1)[left]
        counts = np.split(counts, ends, axis=1)
        counts = [c[:, :n].copy() for c, n in zip(counts, sizes, strict=True)]
        # what is known of the classes alone, scikit-learn works out from any row
        of_classes = clone(fitted).fit(
            np.zeros((len(classes), len(sizes)), dtype=np.int64),
            classes,
            sample_weight=summaries["weight"].sum(axis=0)[left],
        )
        new = shallow_copy(fitted)
        new.classes_ = of_classes.classes_
        new.class_count_ = of_classes.class_count_
        new.class_log_prior_ = of_classes.class_log_prior_
        new.n_categories_, new.category_count_ = sizes, counts
        alpha = fitted.alpha if fitted.force_alpha else max(fitted.alpha, 1e-10)
        new.feature_log_prob_ = [
            np.log(c + alpha) - np.log((c + alpha).sum(axis=1, keepdims=True))
            for c in counts
        ]
        return new
