"""Rule for estimators that depend on the rows through counts of values by column."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import abstractmethod

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sklearn_unlearn.exact._rule import Outcome, Rule
from sklearn_unlearn.exact.statistics._column_counts import ColumnCounts
from sklearn_unlearn.utils._sklearn_compat import _num_samples


class CountsRule(Rule):
    """One summary of all rows: how often each value occurs in each column.

    A subclass says how it sees the columns and what follows from their counts.
    """

    path = "summaries"
    fit_transform_differs = False
    keeps_columns = True

    #: Type of the state, with the methods `of` and `without` of `ColumnCounts`.
    state_type = ColumnCounts

    def guarantee(self, estimator):
        return "exact"

    def covers(self, estimator, X, y=None, **params):
        return True

    def summaries_compatible(self, before, after):
        """Whether counts made for one estimator serve for another."""
        return True

    def is_fixed(self, fitted):
        """Whether `fitted` is the same whatever rows it is fitted on."""
        return False

    def remember(self, fitted, store):
        if self.is_fixed(fitted):
            return None
        rows = store.take([0])
        if not self.covers(fitted, rows.X, rows.y, **rows.params):
            return None
        rows = store.rows()
        return self.state_type.of(*self._counted(fitted, rows))

    def forget(self, fitted, state, store, request):
        if request.coordinates_changed:
            return super().forget(fitted, None, store, request)
        if self.is_fixed(fitted):
            return Outcome(fitted)
        if state is not None:
            state = state.without(*self._counted(fitted, request.forget))
        if state is None:
            state = self.remember(fitted, store)
        new = None if state is None else self.assemble(fitted, state)
        if new is None:
            outcome = super().forget(fitted, None, store, request)
            shape = self.summaries_compatible(fitted, outcome.estimator)
            return outcome._replace(state=state if shape else None)
        return Outcome(new, state)

    @abstractmethod
    def columns(self, fitted, X):
        """Return the columns of `X` as ``fit`` sees them, as 1-D arrays."""

    def amounts(self, fitted, y):
        """Return numbers to add up for each value, with a row per row; or None."""
        return None

    @abstractmethod
    def assemble(self, fitted, counts):
        """Return the estimator that ``fit`` gives on rows with these counts.

        `fitted` itself if it is that one already; None if the counts do not
        determine it.
        """

    def _counted(self, fitted, rows):
        """Return what `state_type` counts: columns, number of rows, amounts."""
        columns = self.columns(fitted, rows.X)
        return columns, _num_samples(rows.X), self.amounts(fitted, rows.y)


def cells_by_column(X):
    """Return the columns as scikit-learn's encoders see them."""
    if hasattr(X, "iloc"):
        return [_cells(X.iloc[:, j]) for j in range(X.shape[1])]
    return list(np.asarray(X).T)


def _cells(column):
    """Return a column of a frame as an array."""
    if isinstance(column.dtype, np.dtype) or column.dtype.kind == "O":
        return np.asarray(column)
    # nullable numbers and the like: scikit-learn decides
    return check_array(
        column, ensure_2d=False, dtype=None, ensure_all_finite="allow-nan"
    )


def has_fixed_dtypes(X):
    """Whether columns become arrays of the same type, whatever rows are left.

    Categories that are numbers become floats where one is missing, and only then; so do
    columns of polars and pyarrow. A list becomes what its cells have in common.
    """
    if not (isinstance(X, np.ndarray) or hasattr(X, "iloc") or sparse.issparse(X)):
        return False
    levels = (getattr(d, "categories", None) for d in getattr(X, "dtypes", ()))
    return all(level is None or level.dtype.kind == "O" for level in levels)


def attributes_equal(before, after, *names):
    """Whether these attributes of two estimators are equal arrays, or both None."""
    pairs = [(getattr(before, name), getattr(after, name)) for name in names]
    return all(
        a is b or (a is not None and b is not None and _equal(a, b)) for a, b in pairs
    )


def _equal(a, b):
    return np.array_equal(a, b, equal_nan=True)
