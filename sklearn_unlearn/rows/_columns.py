"""Columns of kept numbers in ascending order, and which of them a number may mean."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.rows._hash_index import ranges
from sklearn_unlearn.utils._cached import cached_property

__all__ = ["Column", "KeptColumns", "are_whole", "may_round", "nearest_entries"]

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
    values : ndarray of shape (n_rows,)
        In the order of the rows.
    """

    def __init__(self, values):
        self.values = values
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
        stride = max(1, -(-len(self.ascending) // SAMPLE_ROWS))
        sizes = np.abs(self.ascending[::stride])
        sizes = sizes[sizes > 0]
        return float(np.median(sizes)) if len(sizes) else 0.0

    @cached_property
    def gap(self):
        """Distance of the two nearest values; infinite if there are not two."""
        values = self.ascending.astype(np.float64)
        gaps = np.diff(values)
        return gaps.min(initial=np.inf, where=gaps > 0)

    def tolerance(self, asked):
        """Return by how much each number asked for may be off from a kept one."""
        return _tolerance(np.abs(asked) + self.scale, self.gap, self.size)

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
        return number, inside[entries]


class KeptColumns:
    """The columns of kept rows, each read when it is asked for.

    Parameters
    ----------
    store : RowStore
    """

    def __init__(self, store):
        self._store, self._columns = store, {}

    def __call__(self, part, j):
        """Return column `j` of the part of this number, which must be dense."""
        if (part, j) not in self._columns:
            self._columns[part, j] = Column(self._store.part_column(part, j))
        return self._columns[part, j]


def nearest_entries(kept, asked):
    """Do for all entries of sparse rows what `Column.nearest` does for a column.

    Parameters
    ----------
    kept, asked : csr_array

    Returns
    -------
    near : ndarray of shape (n_entries,)
        The kept number that each entry of `asked` means.
    known : ndarray of bool, shape (n_entries,)
        Whether there is one.
    """
    columns, place = np.unique(asked.indices, return_inverse=True)
    kept = kept.tocsc()[:, columns]
    exact = ~may_round(asked.data)
    a = np.where(exact, 0, asked.data).astype(np.float64)
    n_entries = np.diff(kept.indptr)
    column, values = np.repeat(np.arange(len(columns)), n_entries), kept.data
    column, values = column[may_round(values)], values[may_round(values)]
    # rows without an entry hold a 0
    zeros = np.flatnonzero(n_entries < kept.shape[0])
    column = np.append(column, zeros)
    values = np.append(values, np.zeros(len(zeros))).astype(np.float64)
    order = np.lexsort((values, column))
    column, values = column[order], values[order]
    gaps = np.diff(values)
    gaps[(column[1:] != column[:-1]) | (gaps == 0)] = np.inf
    gap = np.full(len(columns), np.inf)
    np.minimum.at(gap, column[1:], gaps)
    # numpy orders complex numbers by their real, then by their imaginary parts
    above = np.searchsorted(column + 1j * values, place + 1j * a)
    near, off = a, np.full(len(a), np.inf)
    for neighbour in (above - 1, above):
        inside = (neighbour >= 0) & (neighbour < len(values))
        neighbour = np.where(inside, neighbour, 0)
        inside &= column[neighbour] == place
        distance = np.where(inside, np.abs(a - values[neighbour]), np.inf)
        near = np.where(distance < off, values[neighbour], near)
        off = np.minimum(off, distance)
    known = off <= _tolerance(np.abs(a), gap[place], asked.dtype.itemsize)
    known &= (a == near) | ~are_whole(a, near, asked.dtype)
    return np.where(exact, asked.data, near).astype(asked.dtype), known | exact


def _tolerance(size, gap, n_bytes):
    """Return by how much numbers may be off.

    Parameters
    ----------
    size : ndarray
        Magnitude of each number, plus the scale of its column.
    gap : float or ndarray
        Distance of the two nearest values of the column.
    n_bytes : int
        Of a number.
    """
    share = TOLERANCE.get(n_bytes, 0.0)
    single = min(share, SINGLE_VALUE) * size
    with np.errstate(invalid="ignore"):
        off = np.minimum(share * size, SHARE_OF_GAP * gap)
    return np.where(np.isinf(gap), single, off)


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
