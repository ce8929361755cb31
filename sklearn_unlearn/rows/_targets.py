"""Targets, by which equal rows are told apart."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse

from sklearn_unlearn.rows._columns import Column
from sklearn_unlearn.rows._layouts import as_column, cast_cells
from sklearn_unlearn.rows._numbering import join_numbers, number_rows

__all__ = ["check_targets", "match_targets"]


def check_targets(y_forget, n_rows, shape):
    """Return the targets of a request, one for each of its rows.

    Parameters
    ----------
    y_forget : array-like
    n_rows : int
        Number of rows in the request.
    shape : tuple of int
        Shape of one kept target.
    """
    y_forget = y_forget.toarray() if sparse.issparse(y_forget) else as_column(y_forget)
    if y_forget.size == n_rows and shape in ((), (1,)):
        y_forget = y_forget.reshape(n_rows, *shape)  # a column is as good
    if y_forget.shape != (n_rows, *shape):
        raise ValueError(
            f"y_forget must have shape {(n_rows, *shape)}, one target per row of "
            f"X_forget; got {y_forget.shape}."
        )
    return y_forget


def match_targets(store, kept, asked, run, run_asked):
    """Number the targets of equal rows, and those that queries ask for.

    Parameters
    ----------
    store : RowStore
        Holds the targets of all rows, by which it is seen how far one may be off.
    kept : ndarray of shape (n_copies, ...)
        Targets of the equal rows.
    asked : ndarray of shape (n_queries, ...)
        Targets of the queries.
    run : ndarray of int, shape (n_copies,)
        Which rows are equal: the number of their run.
    run_asked : ndarray of int, shape (n_queries,)
        Number of the run that each query asks for.

    Returns
    -------
    kept, asked : ndarray of int64
        Equal targets share a number.
    """
    kept = kept.reshape(len(kept), -1)
    asked, fits = cast_cells(asked.reshape(len(asked), -1), kept.dtype)
    kept_number, asked_number = number_rows(kept, asked)
    if kept.dtype.kind == "f":
        here, there = join_numbers((run, run_asked), (kept_number, asked_number))
        lost = np.flatnonzero(fits & ~np.isin(there, here))
        if len(lost):
            asked = asked.copy()
            fits[lost] &= _snap(store, asked, lost)
            kept_number, asked_number = number_rows(kept, asked)
    asked_number[~fits] = -1  # which no target has
    return kept_number, asked_number


def _snap(store, asked, rows):
    """Replace targets in place by the kept ones that they may mean.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        Whether there are such.
    """
    targets, known = store.targets(), np.ones(len(rows), dtype=bool)
    targets = targets.reshape(len(targets), -1)
    for j in range(asked.shape[1]):
        near, is_known = Column(targets[:, j]).nearest(asked[rows, j])
        asked[rows, j] = near
        known &= is_known
    return known
