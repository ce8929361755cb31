"""Layouts of lists: rows of mixed cells, documents, dictionaries."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.rows._layouts._arrays import ArrayLayout, as_query, check_shape
from sklearn_unlearn.rows._layouts._base import Layout
from sklearn_unlearn.rows._layouts._casting import as_objects
from sklearn_unlearn.rows._layouts._frozen import frozen, thawed
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["ItemsLayout", "layout_of_list"]


def layout_of_list(X):
    """Return the layout of a list or tuple of rows.

    Rows of numbers of one type are an array to scikit-learn. Numpy would turn rows of
    numbers and words into words, where scikit-learn's encoders read each cell as it is.
    """
    is_table = all(isinstance(row, (list, tuple, np.ndarray)) for row in X)
    if not len(X) or not is_table or len({np.shape(row)[:1] for row in X}) != 1:
        return ItemsLayout(X)
    kinds = {type(cell) for row in X for cell in row}
    nested = kinds & {dict, list, tuple, np.ndarray}
    if len(kinds) == 1 and _is_numeric(X):
        return ArrayLayout(X)
    return ItemsLayout(X) if nested else MixedRowsLayout(X)


def _is_numeric(X):
    """Tell whether numpy makes an array of numbers of a list."""
    try:
        return np.asarray(X).dtype.kind in "iufb"
    except ValueError:  # lists within of different lengths
        return False


@saved_as("list of mixed rows")
class MixedRowsLayout(Layout):
    """Rows of cells that each have a type of their own, in a list of lists or tuples.

    The rows of a query from a database may be tuples where those of the fit are lists.
    """

    def __init__(self, X):
        self.shape, self.outer = (len(X[0]),), type(X)
        self.inner = tuple if {isinstance(row, tuple) for row in X} == {True} else list

    def split(self, X):
        cells = as_objects([cell for row in X for cell in row])
        return [cells.reshape(len(X), *self.shape)]

    def join(self, parts, labels=None):
        return self.outer(map(self.inner, parts[0].tolist()))

    def cast(self, X):
        cells = as_query(X, keep_types=True)
        check_shape(cells, self.shape)
        return [cells], np.ones(len(cells), dtype=bool), [None]


@saved_as("list of items")
class ItemsLayout(Layout):
    """Rows that are one thing each, in a list or an array.

    They are documents, dictionaries, or lists of different lengths.
    """

    shape = ()

    def __init__(self, X):
        if any(hasattr(item, "__array__") for item in X):
            raise TypeError(
                "Arrays of different shapes in one list are no rows that can be told "
                "apart: pass a single array with one row for each entry of y"
            )
        self.outer = None if isinstance(X, np.ndarray) else type(X)

    def split(self, X):
        return [as_objects([frozen(item) for item in X])[:, None]]

    def join(self, parts, labels=None):
        make = as_objects if self.outer is None else self.outer
        return make([thawed(item) for item in parts[0][:, 0].tolist()])

    def cast(self, X):
        if isinstance(X, (str, bytes, dict)) or not hasattr(X, "__len__"):
            raise ValueError(
                "X_forget must hold rows as X did in fit: put a single one into a list."
            )
        items = X if isinstance(X, (list, tuple)) else as_query(X, keep_types=True)
        return self.split(list(items)), np.ones(len(items), dtype=bool), [None]
