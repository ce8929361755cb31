"""Rules for encoders and imputers."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

from sklearn_unlearn.exact._moments import block_moments, merge_moments
from sklearn_unlearn.exact._rules import register_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule


@register_rule(OneHotEncoder)
class OneHotEncoderRule(SummaryRule):
    """Counts of the categories; one that nobody has any more is gone."""

    blocks_per_summary = 64

    def guarantee(self, estimator):
        return "exact"

    def covers(self, estimator, X, y=None, **params):
        # which categories are infrequent depends on counts; given ones on nothing
        counts = estimator.min_frequency is not None or (
            estimator.max_categories is not None
        )
        return isinstance(estimator.categories, str) and not counts

    def keeps_shape(self, before, after):
        pairs = zip(before.categories_, after.categories_, strict=True)
        return all(len(old) == len(new) for old, new in pairs)

    def summarise(self, fitted, X, y, starts):
        n_blocks, counts = len(starts), []
        block = np.repeat(np.arange(n_blocks), np.diff(np.append(starts, X.shape[0])))
        for j, categories in enumerate(fitted.categories_):
            column = X.iloc[:, j].to_numpy(object) if hasattr(X, "iloc") else X[:, j]
            size = len(categories)
            code = block * size + _codes(column, categories)
            counts.append(np.bincount(code, minlength=n_blocks * size))
        return {"counts": np.hstack([c.reshape(n_blocks, -1) for c in counts])}

    def subtract(self, whole, part):
        rest = whole["counts"] - part["counts"]
        return {"counts": rest}, np.ones(len(rest), dtype=bool)

    def assemble(self, fitted, summaries):
        sizes = [len(categories) for categories in fitted.categories_]
        shown = np.split(summaries["counts"].sum(axis=0) > 0, np.cumsum(sizes)[:-1])
        kept = [c[s] for c, s in zip(fitted.categories_, shown, strict=True)]
        if all(s.all() for s in shown):
            return fitted
        # What follows from the categories, scikit-learn works out from any row.
        row = np.array([[categories[0] for categories in kept]], dtype=object)
        new = clone(fitted).set_params(categories=kept).fit(row)
        new.categories_ = kept
        if hasattr(fitted, "feature_names_in_"):
            new.feature_names_in_ = fitted.feature_names_in_
        return new.set_params(categories="auto")


def _codes(column, categories):
    """Return the number of the category of each cell."""
    table = {category: code for code, category in enumerate(categories.tolist())}
    # a missing value need not equal itself; its category is the last
    last = len(categories) - 1
    return np.fromiter(
        (table.get(cell, last) for cell in column.tolist()), np.intp, len(column)
    )


@register_rule(SimpleImputer)
class SimpleImputerRule(SummaryRule):
    """Means of blocks; other statistics are counted anew.

    A row of the means, and one that is missing where some row is, determine
    the fit.
    """

    def guarantee(self, estimator):
        return "exact"

    def covers(self, estimator, X, y=None, **params):
        missing = estimator.missing_values
        nan = isinstance(missing, float) and np.isnan(missing)
        floats = isinstance(X, np.ndarray) and X.dtype == np.float64
        return estimator.strategy == "mean" and nan and floats

    def summarise(self, fitted, X, y, starts):
        total, mean, _ = block_moments(X, starts)
        missing = np.add.reduceat(np.isnan(X), starts, axis=0, dtype=np.int64)
        return {"total": total, "mean": mean, "missing": missing}

    def assemble(self, fitted, summaries):
        total, mean = summaries["total"], summaries["mean"]
        total, mean, _ = merge_moments(total, mean, np.zeros_like(mean))
        mean = np.where(total == 0, np.nan, mean)
        rows = np.vstack([mean, mean]).astype(fitted.statistics_.dtype)
        rows[1, summaries["missing"].any(axis=0)] = np.nan
        new = clone(fitted).fit(rows)
        if hasattr(fitted, "feature_names_in_"):
            new.feature_names_in_ = fitted.feature_names_in_
        return new
