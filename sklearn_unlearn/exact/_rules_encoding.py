"""Rules for encoders and imputers."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

from sklearn_unlearn.exact._moments import block_moments, merge_moments
from sklearn_unlearn.exact._rules import SummaryRule, register_rule


@register_rule(OneHotEncoder)
class OneHotEncoderRule(SummaryRule):
    """Rows that show every category of their block stand for the block.

    The categories of a column do not depend on anything else, so a fit on the
    standing rows is a fit on all rows.
    """

    def guarantee(self, estimator):
        return "exact"

    def covers(self, estimator, X, y=None, **params):
        # infrequent categories depend on counts; given ones on nothing
        counts = estimator.min_frequency is not None or (
            estimator.max_categories is not None
        )
        return isinstance(estimator.categories, str) and not counts

    def summarise(self, fitted, X, y, starts):
        shown = np.empty(len(starts), dtype=object)
        ends = np.append(starts[1:], X.shape[0])
        for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
            shown[i] = _standing_rows(X[start:end])
        return {"shown": shown}

    def assemble(self, fitted, summaries):
        shown = list(summaries["shown"])
        if hasattr(shown[0], "iloc"):
            import pandas as pd

            rows = pd.concat(shown, ignore_index=True)
        else:
            rows = np.concatenate(shown)
        return clone(fitted).fit(rows)


def _standing_rows(X):
    """Return few rows of `X` in which every value of every column occurs."""
    columns = (
        [X.iloc[:, j].to_numpy(dtype=object) for j in range(X.shape[1])]
        if hasattr(X, "iloc")
        else list(X.T)
    )
    chosen = set()
    for column in columns:
        chosen.update({value: i for i, value in enumerate(column.tolist())}.values())
    index = np.sort(np.fromiter(chosen, dtype=np.intp, count=len(chosen)))
    return X.iloc[index] if hasattr(X, "iloc") else X[index]


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
        dense = isinstance(X, np.ndarray) and X.dtype.kind == "f"
        return estimator.strategy == "mean" and nan and dense

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
