"""Layouts: how containers of rows are taken apart into arrays and joined again.

A container (array, data frame, sparse matrix, list) is split into *parts*: arrays of
one type each, with one row for each row of the container, of which nothing else is
kept. One file for each kind of container. For ``rows`` alone, but for `layout_of` and
the casting of cells.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.rows._layouts._casting import as_column, cast_cells
from sklearn_unlearn.rows._layouts._choice import layout_of, select_rows
from sklearn_unlearn.rows._layouts._columns import align_columns, column_names
from sklearn_unlearn.rows._layouts._sparse import SparseLayout

__all__ = [
    "SparseLayout",
    "align_columns",
    "as_column",
    "cast_cells",
    "column_names",
    "layout_of",
    "select_rows",
]
