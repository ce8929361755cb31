"""Columns of kept numbers in ascending order, and which of them a number may mean."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import secrets

import numpy as np

from sklearn_unlearn.rows._hash_index import ranges
from sklearn_unlearn.utils._cached import cached_property

__all__ = [
    "Column",
    "KeptColumns",
    "are_whole",
    "may_be_off",
    "may_round",
    "nearest_entries",
]

# Share of a value by which a number asked for may be off, by bytes per number. Those of
# other sizes must be equal.
TOLERANCE = {4: 1e-5, 8: 1e-9}
# The same share for what a second computation of the same row changes.
LAST_DIGITS = {4: 1e-5, 8: 1e-13}
# A column of a single value tells nothing of how near another one may come.
SINGLE_VALUE = 1e-13
# Share of the distance to the next kept value by which a number may be off.
SHARE_OF_GAP = 1e-3
# Magnitudes beyond this would overflow in sums: such cells must be equal.
LARGEST = 1e100
SAMPLE_ROWS = 4096  # kept values by which the scale of a column is measured
COLUMNS_AT_ONCE = 32  # that are read together
CHUNK = (
    1 << 15
)  # values that are looked at together, so that a processor's cache has them


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
        values = np.sort(self.values)
        if not self.is_float:
            return values
        largest = _largest(values.dtype)
        low = np.searchsorted(values, -largest, "left")
        return values[low : np.searchsorted(values, largest, "right")]

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
        smallest = np.inf
        for start in range(0, len(self.ascending) - 1, CHUNK):
            values = self.ascending[start : start + CHUNK + 1]
            gaps = np.diff(values.astype(np.float64, copy=False))
            smallest = gaps.min(initial=smallest, where=gaps > 0)
        return smallest

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
        first = np.searchsorted(self.ascending, low, "left")
        last = np.searchsorted(self.ascending, high, "right")
        return np.maximum(last - first, 0)

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
        first = np.searchsorted(self.ascending, low, "left")
        entries, _ = ranges(first, self.count(low, high))
        # few rows are left to be sorted; others among them do not matter
        inside = _rows_of_hash(self.values, self.ascending[entries])
        inside = inside[np.argsort(self.values[inside])]
        values = self.values[inside]
        first = np.searchsorted(values, low, "left")
        last = np.searchsorted(values, high, "right")
        entries, number = ranges(first, np.maximum(last - first, 0))
        return number, inside[entries]


class KeptColumns:
    """The columns of kept rows, read when they are asked for.

    The first one often tells all. Whoever asks for a second one will want the others,
    and to read many takes hardly longer than to read one.

    Parameters
    ----------
    store : RowStore
    """

    def __init__(self, store):
        self._store, self._columns = store, {}

    def __call__(self, part, j):
        """Return column `j` of the part of this number, which must be dense."""
        if (part, j) not in self._columns:
            first, n_columns = (
                (j, 1)
                if not self._columns
                else (j - j % COLUMNS_AT_ONCE, COLUMNS_AT_ONCE)
            )
            read = self._store.part_columns(part, slice(first, first + n_columns))
            for k, values in enumerate(read, start=first):
                self._columns.setdefault((part, k), Column(values))
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
    values, starts, stops, gap = _ascending_entries(kept, columns)
    exact = ~may_round(asked.data)
    a = np.where(exact, 0, asked.data).astype(np.float64)
    above = _search(values, starts[place], stops[place], a)
    near, off = a, np.full(len(a), np.inf)
    for neighbour in (above - 1, above):
        inside = (neighbour >= starts[place]) & (neighbour < stops[place])
        value = values[np.where(inside, neighbour, 0)]
        distance = np.where(inside, np.abs(a - value), np.inf)
        near = np.where(distance < off, value, near)
        off = np.minimum(off, distance)
    known = off <= _tolerance(np.abs(a), gap[place], asked.dtype.itemsize)
    known &= (a == near) | ~are_whole(a, near, asked.dtype)
    return np.where(exact, asked.data, near).astype(asked.dtype), known | exact


def _ascending_entries(kept, columns):
    """Return the values of some columns of sparse rows, each in ascending order.

    Parameters
    ----------
    kept : csr_array
    columns : ndarray of int, shape (n_columns,)

    Returns
    -------
    values : ndarray of float64
        Those of one column after another; of zeros without an entry one.
    starts, stops : ndarray of int, shape (n_columns,)
        Where the values of each column are that may be off.
    gap : ndarray, shape (n_columns,)
        Distance of the two nearest of these; infinite if there are not two.
    """
    n_rows = kept.shape[0]
    kept = kept.tocsc()
    kept = kept if len(columns) == kept.shape[1] else kept[:, columns]
    # rows without an entry hold a 0
    zeros = np.flatnonzero(np.diff(kept.indptr) < n_rows)
    values = np.insert(kept.data.astype(np.float64), kept.indptr[zeros + 1], 0.0)
    stops = kept.indptr[1:] + np.cumsum(np.diff(kept.indptr) < n_rows)
    starts = np.append(0, stops[:-1])
    values[~may_round(values)] = np.nan  # which are the last when sorted
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        values[start:stop].sort()
    gaps = np.diff(values, append=np.nan)
    gaps[stops - 1] = np.inf
    gaps[~(gaps > 0)] = np.inf
    stops = stops - np.add.reduceat(np.isnan(values), starts, dtype=np.int64)
    return values, starts, stops, np.minimum.reduceat(gaps, starts)


def _search(values, low, high, asked):
    """Return where each number has its place within its range of ascending values."""
    while (low < high).any():
        middle = (low + high) // 2
        below = low < high
        below[below] = values[middle[below]] < asked[below]
        low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
    return low


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


def may_be_off(dtype):
    """Tell whether numbers of a type may be off at all from those asked for."""
    return dtype.kind == "f" and dtype.itemsize in TOLERANCE


def may_round(values):
    """Tell which cells may be off by rounding: not NaN, nor infinite or nearly so."""
    return np.abs(values) <= _largest(values.dtype)


def _largest(dtype):
    """Return the largest magnitude of numbers that may be off."""
    return dtype.type(min(LARGEST, float(np.finfo(dtype).max)))


def _rows_of_hash(values, wanted):
    """Return which of many values have the hash of one of few: all that are equal.

    The hash is secret, so that nobody can make values that share one.

    Parameters
    ----------
    values, wanted : ndarray of floating-point numbers of one type
    """
    factor = np.uint64(secrets.randbits(64) | 1)
    n_bits = max(16, len(wanted).bit_length() + 3)

    def hashes(numbers):
        codes = (numbers + numbers.dtype.type(0)).view(f"u{numbers.itemsize}")
        codes = codes.astype(np.uint64, copy=False)
        codes *= factor
        codes >>= np.uint64(64 - n_bits)
        return codes.view(np.int64)

    is_wanted = np.zeros(1 << n_bits, dtype=bool)
    is_wanted[hashes(wanted)] = True
    chunks = range(0, len(values), CHUNK)
    found = [is_wanted[hashes(values[start : start + CHUNK])] for start in chunks]
    return np.flatnonzero(np.concatenate(found))


def are_whole(a, b, dtype):
    """Tell which pairs are of whole numbers, so that they are two values if unequal.

    Such are ids and times in seconds. Beyond a size that depends on the type,
    neighbouring whole numbers cannot be told apart.
    """
    largest = 2.0 ** (np.finfo(dtype).nmant - 1)
    return (a == np.rint(a)) & (b == np.rint(b)) & (np.abs(a) < largest)
