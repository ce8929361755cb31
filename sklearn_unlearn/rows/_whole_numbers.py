"""Whole numbers asked for as floating-point ones, each of which stands for several."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.exceptions import AmbiguousRowsError
from sklearn_unlearn.rows._cells import equal_rows
from sklearn_unlearn.rows._columns import Column, KeptColumns
from sklearn_unlearn.rows._hash_index import run_starts
from sklearn_unlearn.rows._search import MOST_CANDIDATES

__all__ = ["restore_whole_numbers"]

NONE = np.iinfo(np.int64).max


def restore_whole_numbers(store, parts, fits, rounded):
    """Replace rounded whole numbers by the kept ones that they stand for.

    Parameters
    ----------
    store : RowStore
    parts : list of arrays
        Parts of the queries.
    fits : ndarray of bool, shape (n_queries,)
        Which queries the columns of the kept rows can hold.
    rounded : list of ndarray of floating-point numbers, or None
        For each part, the numbers that stand for several whole ones, and NaN in all
        other cells. None for parts without such numbers.

    Returns
    -------
    parts : list of arrays
    fits : ndarray of bool, shape (n_queries,)
        False also where no kept row has such numbers.

    Raises
    ------
    AmbiguousRowsError
        If a query stands for several different kept rows.
    """
    parts = [p if r is None else p.copy() for p, r in zip(parts, rounded, strict=True)]
    fits, kept, columns, n_near = fits.copy(), KeptColumns(store), [], []
    for i, asked in enumerate(rounded):
        if asked is None:
            continue
        for j in np.flatnonzero(~np.isnan(asked).all(axis=0)).tolist():
            column = _Rounded(kept(i, j).values, asked.dtype)
            columns.append((i, j, column))
            parts[i][:, j], known, n = column.restore(parts[i][:, j], asked[:, j])
            n_near.append(n)
            fits &= known
    n_near = np.stack(n_near, axis=1)  # of each number that several kept ones fit
    unclear = np.flatnonzero(fits & (n_near < NONE).any(axis=1))
    best = n_near[unclear].argmin(axis=1)
    _refuse(unclear[n_near[unclear, best] > MOST_CANDIDATES])
    for number in np.unique(best).tolist():
        i, j, column = columns[number]
        queries = unclear[best == number]
        asked = rounded[i][queries, j]
        query, rows = column.rounded.rows_between(asked, asked)
        pairs = queries[query], rows
        query, rows = _fitting_rows(store, kept, parts, rounded, *pairs)
        _restore_rows(store, parts, rounded, query, rows)
        fits[queries] = np.isin(queries, query)
    return parts, fits


class _Rounded:
    """A column of kept whole numbers, with what they are when they are rounded.

    Parameters
    ----------
    values : ndarray of int, shape (n_rows,)
    dtype : numpy.dtype
        Type of floating-point numbers.
    """

    def __init__(self, values, dtype):
        self.rounded = Column(values.astype(dtype))
        self._values = np.sort(values)  # rounding does not change the order

    def restore(self, numbers, asked):
        """Replace numbers for which one kept number stands.

        Returns
        -------
        numbers : ndarray of int, shape (n_queries,)
        known : ndarray of bool, shape (n_queries,)
            False where no kept number is one that is asked for.
        n_near : ndarray of int, shape (n_queries,)
            How many rows have one of several such numbers; `NONE` elsewhere.
        """
        is_asked = ~np.isnan(asked)
        low = np.searchsorted(self.rounded.ascending, asked, "left")
        high = np.searchsorted(self.rounded.ascending, asked, "right")
        known = is_asked & (low < high)
        lowest = self._values[np.where(known, low, 0)]
        highest = self._values[np.where(known, high - 1, 0)]
        numbers = np.where(known & (lowest == highest), lowest, numbers)
        n_near = np.where(known & (lowest < highest), high - low, NONE)
        return numbers, known | ~is_asked, n_near


def _fitting_rows(store, columns, parts, rounded, query, rows):
    """Return which of some pairs of a query and a kept row fit in all cells."""
    for i, asked in enumerate(rounded):
        for j in range(0 if asked is None else asked.shape[1]):
            values, number = columns(i, j).values[rows], asked[query, j]
            fits = values.astype(asked.dtype) == number
            fits |= np.isnan(number) & (values == parts[i][query, j])
            query, rows = query[fits], rows[fits]
    exact = [i for i, asked in enumerate(rounded) if asked is None]
    if exact:
        kept = store.columns_at(rows, [f"X{i}" for i in exact])
        fits = equal_rows([parts[i][query] for i in exact], kept)
        query, rows = query[fits], rows[fits]
    return query, rows


def _restore_rows(store, parts, rounded, query, rows):
    """Replace the numbers of queries by those of the only kept row that fits.

    Parameters
    ----------
    query, rows : ndarray of int, shape (n_pairs,)
        Positions in the request, ascending, and of kept rows that fit.
    """
    kept, first = store.columns_at(rows), run_starts(query)
    others = np.repeat(first, np.diff(np.append(first, len(query))))
    differ = ~equal_rows(kept, [part[others] for part in kept])
    _refuse(np.unique(query[differ]))
    for i, part in enumerate(kept):
        if rounded[i] is not None:
            parts[i][query[first]] = part[first]


def _refuse(unclear):
    """Raise if there are queries that stand for several kept rows."""
    if len(unclear):
        raise AmbiguousRowsError(
            f"Row {unclear[0]} of X_forget has a whole number as a floating-point one, "
            "which has too few digits for it and stands for several kept ones: pass "
            "whole numbers as integers.",
            positions=unclear,
        )
