"""Columns of kept numbers in ascending order, and which of them a number may mean."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from functools import cached_property

import numpy as np
from scipy import sparse

from sklearn_unlearn.rows._hash_index import ranges

__all__ = ["Column", "KeptColumns", "are_whole", "may_round"]

# Share of a value by which a number asked for may be off, by bytes per number.
TOLERANCE = {2: 0.0, 4: 1e-5, 8: 1e-9}
# The same share for what a second computation of the same row changes.
LAST_DIGITS = {2: 0.0, 4: 1e-5, 8: 1e-13}
# A column of a single value tells nothing of how near another one may come.
SINGLE_VALUE = 1e-13
# Share of the distance to the next kept value by which a number may be off.
SHARE_OF_GAP = 1e-3
# Magnitudes beyond this would overflow in sums: such cells must be equal.
LARGEST = 1e100
SAMPLE_ROWS = 4096  # kept values by which the scale of a column is measured


class Column:
    """The kept values of a column of numbers.

    All that is computed from them is used for one request and stored nowhere: the
    distance of two values, or a median, would tell of a forgotten row.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        In the order of the rows; the non-zero ones only if `rows` are given.
    n_rows : int
        Number of kept rows.
    rows : ndarray of int, shape (n_values,), default=None
        Position of the row of each value; None if there is one value for each row.
    """

    def __init__(self, values, n_rows, rows=None):
        self.values, self.rows = values, rows
        self.has_zeros = rows is not None and len(values) < n_rows
        self.is_float = values.dtype.kind == "f"
        self.size = values.dtype.itemsize

    @cached_property
    def ascending(self):
        """The values that are no NaN, nor infinite or nearly so, in ascending order."""
        if not self.is_float:
            return np.sort(self.values)
        return np.sort(self.values[may_round(self.values)])

    @cached_property
    def scale(self):
        """Median of the magnitudes that are not 0, which no outlier moves."""
        if self.rows is not None:
            return 0.0
        stride = max(1, -(-len(self.ascending) // SAMPLE_ROWS))
        sizes = np.abs(self.ascending[::stride])
        sizes = sizes[sizes > 0]
        return float(np.median(sizes)) if len(sizes) else 0.0

    @cached_property
    def gap(self):
        """Distance of the two nearest values; infinite if there are not two."""
        values = self.ascending.astype(np.float64)
        if self.has_zeros:
            values = np.insert(values, np.searchsorted(values, 0.0), 0.0)
        gaps = np.diff(values)
        return gaps.min(initial=np.inf, where=gaps > 0)

    def tolerance(self, asked):
        """Return by how much each number asked for may be off from a kept one."""
        size = np.abs(asked) + self.scale
        if np.isinf(self.gap):
            return min(SINGLE_VALUE, TOLERANCE.get(self.size, 0.0)) * size
        return np.minimum(TOLERANCE.get(self.size, 0.0) * size, SHARE_OF_GAP * self.gap)

    def last_digits(self, asked):
        """Return how far a second computation of a row may be from the first."""
        return LAST_DIGITS.get(self.size, 0.0) * (np.abs(asked) + self.scale)

    def nearest(self, asked):
        """Return the kept value that each number means, and whether there is one.

        At most one value is that near. A number that may not be off is returned as it
        is.
        """
        exact = ~may_round(asked)
        if not len(self.ascending):
            return asked, exact
        a = np.where(exact, 0, asked).astype(np.float64)
        place = np.searchsorted(self.ascending, a)
        below = self.ascending[np.maximum(place - 1, 0)]
        above = self.ascending[np.minimum(place, len(self.ascending) - 1)]
        near = np.where(np.abs(a - below) <= np.abs(above - a), below, above)
        means = np.abs(a - near) <= self.tolerance(a)
        means &= (a == near) | ~are_whole(a, near, self.values.dtype)
        return np.where(exact, asked, near).astype(asked.dtype), means | exact

    def count(self, low, high):
        """Return how many rows have a value from `low` to `high`."""
        return np.searchsorted(self.ascending, high, "right") - np.searchsorted(
            self.ascending, low, "left"
        )

    def rows_between(self, low, high):
        """Return which rows have a value in which range.

        Parameters
        ----------
        low, high : ndarray of shape (n_ranges,)

        Returns
        -------
        number : ndarray of int64
            Number of the range, once for each row in it.
        rows : ndarray of int64
            Positions of these rows.
        """
        # the union of the ranges first: few rows are left to be sorted
        order = np.argsort(low)
        starts, stops = low[order], np.maximum.accumulate(high[order])
        place = np.searchsorted(starts, self.values, "right") - 1
        inside = np.flatnonzero((place >= 0) & (self.values <= stops[place]))
        inside = inside[np.argsort(self.values[inside])]
        values = self.values[inside]
        first = np.searchsorted(values, low, "left")
        last = np.searchsorted(values, high, "right")
        entries, number = ranges(first, np.maximum(last - first, 0))
        rows = inside[entries]
        return number, rows if self.rows is None else self.rows[rows]


class KeptColumns:
    """The columns of kept rows, each read when it is asked for.

    Parameters
    ----------
    store : RowStore
    """

    def __init__(self, store):
        self._store, self._columns, self._sparse = store, {}, {}

    def __call__(self, part, j):
        """Return column `j` of the part of this number."""
        if (part, j) not in self._columns:
            self._columns[part, j] = self._read(part, j)
        return self._columns[part, j]

    def _read(self, part, j):
        if part in self._sparse:
            matrix = self._sparse[part]
        else:
            values = self._store.part_column(part, j)
            if not sparse.issparse(values):
                return Column(values, self._store.n_rows)
            matrix = self._sparse[part] = values.tocsc()
        entries = slice(matrix.indptr[j], matrix.indptr[j + 1])
        return Column(matrix.data[entries], self._store.n_rows, matrix.indices[entries])


def may_round(values):
    """Tell which cells may be off by rounding: not NaN, nor infinite or nearly so."""
    largest = min(LARGEST, float(np.finfo(values.dtype).max))
    return np.abs(values) <= largest


def are_whole(a, b, dtype):
    """Tell which pairs are of whole numbers, so that they are two values if unequal.

    Such are ids and times in seconds. Beyond a size that depends on the type,
    neighbouring whole numbers cannot be told apart.
    """
    largest = 2.0 ** (np.finfo(dtype).nmant - 1)
    return (a == np.rint(a)) & (b == np.rint(b)) & (np.abs(a) < largest)
