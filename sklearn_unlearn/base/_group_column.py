"""The column of ids among the columns of the rows: read in ``fit``, never a feature."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sklearn_unlearn.rows._ids import as_ids
from sklearn_unlearn.utils._saved import saved_as
from sklearn_unlearn.utils._sklearn_compat import _safe_indexing

__all__ = ["GROUP_COLUMN", "TakesGroupColumn"]

# The constraints of the parameter `group_column`.
GROUP_COLUMN = [str, Integral, None]


@saved_as("column of ids")
class GroupColumn(NamedTuple):
    """Where the column of ids was in ``fit``.

    Attributes
    ----------
    name : object
        Its name in a data frame; None if it has none.
    position : int
    n_columns : int
        Number of all columns, this one included.
    """

    name: Any
    position: int
    n_columns: int

    @classmethod
    def find(cls, X, column):
        """Find the column that has this name or position; raise if there is none."""
        names = _column_names(X)
        if names is not None and column in names:
            return cls(column, names.index(column), len(names))
        if isinstance(column, str):
            found = "X has no column names" if names is None else f"they are {names}"
            raise ValueError(
                f"group_column={column!r} is not the name of a column of X: {found}. "
                "Give the name of a column of a data frame, or a position."
            )
        shape = np.shape(X)
        if len(shape) != 2 or not -shape[1] <= column < shape[1]:
            raise ValueError(
                f"group_column={column} is no position of a column of X, which has "
                f"shape {shape}."
            )
        return cls(None, int(column) % shape[1], shape[1])

    def position_in(self, X):
        """Return the position of the column in other rows; None if they lack it."""
        names = _column_names(X)
        if names is not None and self.name is not None:
            return names.index(self.name) if self.name in names else None
        shape = np.shape(X)
        return self.position if shape[1:] == (self.n_columns,) else None


class TakesGroupColumn:
    """Part of `UnlearnerMixin`: the parameter `group_column` of some estimators.

    Methods that take rows pass them through `_without_group_column` first, and ``fit``
    through `_take_group_column`.
    """

    _group_column = None  # where it was in fit

    def _take_group_column(self, X, groups):
        """Return the rows of a ``fit`` without their column of ids, and the ids."""
        self._group_column = None
        column = getattr(self, "group_column", None)  # some have no such parameter
        if column is None:
            return X, groups
        if groups is not None:
            raise ValueError(
                f"fit takes the ids from the column of X that group_column={column!r} "
                "names: leave groups out, or set group_column=None."
            )
        self._group_column = GroupColumn.find(X, column)
        position = self._group_column.position
        return _without(X, position), _ids(X, position)

    def _ids_in(self, X):
        """Return the ids of rows that have the column of ids, else None."""
        if self._group_column is None:
            return None
        position = self._group_column.position_in(X)
        return None if position is None else _ids(X, position)

    def _without_group_column(self, X):
        """Return rows without the column of ids, which they may have or not."""
        if self._group_column is None:
            return X
        position = self._group_column.position_in(X)
        return X if position is None else _without(X, position)

    def _no_ids_error(self):
        """The error for a request by ids after a fit without them."""
        column = ""
        if hasattr(self, "group_column"):
            name = type(self).__name__
            column = f", or named the column that holds them, {name}(group_column=...)"
        return ValueError(
            "groups can only be forgotten if fit was given the ids of the rows, "
            f"fit(X, y, groups=ids){column}. Searches of scikit-learn keep groups for "
            "their splitter: fit a SearchUnlearner of the search instead."
        )


def _column_names(X):
    """Return the names of the columns of a data frame, or None."""
    names = getattr(X, "column_names", None)  # of an arrow table
    names = getattr(X, "columns", None) if names is None else names
    return None if names is None else list(names)


def _ids(X, position):
    """Return a column as an array, in which each id keeps its type."""
    if isinstance(X, (list, tuple)):
        return as_ids([row[position] for row in X])
    if sparse.issparse(X):
        return X.tocsc()[:, [position]].toarray().ravel()
    return as_ids(_safe_indexing(X, position, axis=1))


def _without(X, position):
    """Return rows without the column at a position."""
    if isinstance(X, (list, tuple)):
        return [[*row[:position], *row[position + 1 :]] for row in X]
    if isinstance(X, np.ndarray):
        return np.delete(X, position, axis=1)
    others = np.delete(np.arange(np.shape(X)[1]), position)
    if sparse.issparse(X) and X.format not in ("csr", "csc"):
        X = X.tocsr()
    return _safe_indexing(X, others, axis=1)
