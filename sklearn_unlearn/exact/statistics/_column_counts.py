"""The multiset of the cells of each column: distinct values and how often they occur.

Many transformers are functions of it alone. Rows are taken off without looking at
the others; a value that nobody has any more is gone.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numbers
from collections import Counter

import numpy as np

from sklearn_unlearn.exact.statistics._exact_sums import Addends
from sklearn_unlearn.rows._hash_index import run_starts
from sklearn_unlearn.utils._cached import cached_property
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["Column", "ColumnCounts"]

FEW = 64  # values that are cut out of an array piece by piece


@saved_as("counts of a column")
class Column:
    """Distinct values of a column with their counts.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Ascending, a missing value last; in any order if they cannot be compared.
    counts : ndarray of shape (n_values,), dtype=int64, or None
        How many rows have each value; none is zero. None if each is one.
    sums : ndarray of shape (n_values, n_amounts) or None
        Sums over these rows of numbers that belong to the rows; of a type that
        adds up without rounding.
    """

    def __init__(self, values, counts, sums=None):
        self.values, self._counts, self.sums = values, counts, sums

    @property
    def counts(self):
        """How many rows have each value."""
        if self._counts is None:
            return np.ones(len(self.values), dtype=np.int64)
        return self._counts

    @classmethod
    def of(cls, cells, amounts=None):
        """Count the cells of a column.

        Parameters
        ----------
        cells : ndarray of shape (n_rows,), or list of hashable objects
        amounts : Addends, default=None
            Numbers to add up.
        """
        if isinstance(cells, np.ndarray) and cells.dtype.kind != "O":
            values, counts = np.unique(cells, return_counts=True)
        else:
            values, counts = _count_objects(cells)
        column = cls(values, None if len(values) == len(cells) else counts)
        if amounts is not None:
            found = column.find(cells)
            order = np.argsort(found, kind="stable")
            column.sums = amounts.sums(order, run_starts(found[order]))
        return column

    def __len__(self):
        return len(self.values)

    @cached_property
    def _places(self):
        """Place of each value, for objects."""
        return dict(zip(self.values.tolist(), range(len(self)), strict=True))

    def find(self, cells):
        """Return the place of each cell among the values, -1 if it is not there."""
        values = self.values
        if values.dtype.kind == "O":
            cells = cells.tolist() if isinstance(cells, np.ndarray) else cells
            places = self._places
            found = list(map(places.get, cells))
            if None in found:  # NaN that is not this very object, or absent
                found = [
                    places.get(np.nan, -1)
                    if place is None and _is_nan(cell)
                    else (-1 if place is None else place)
                    for place, cell in zip(found, cells, strict=True)
                ]
            return np.array(found, dtype=np.int64)
        cells = np.asarray(cells)
        found = np.minimum(np.searchsorted(values, cells), len(values) - 1)
        same = values[found] == cells
        if not same.all():  # nothing is equal to NaN, which is the last
            same |= (values[found] != values[found]) & (cells != cells)
        return np.where(same, found, -1)

    def without(self, cells, amounts=None):
        """Return the column without some cells; None if one is not there."""
        found = self.find(cells)
        touched, n_cells = np.unique(found, return_counts=True)
        if len(touched) and touched[0] < 0:
            return None
        left = (1 if self._counts is None else self._counts[touched]) - n_cells
        if (left < 0).any():
            return None
        sums = self.sums
        if sums is not None:
            sums = sums.copy()
            np.subtract.at(sums, found, amounts)
        gone = touched[left == 0]
        counts = self._counts
        if len(gone) < len(touched):
            counts = counts.copy()
            counts[touched] = left
        if len(gone):
            kept = [self.values, counts, sums]
            return Column(*(None if a is None else _cut(a, gone) for a in kept))
        new = Column(self.values, counts, sums)
        if "_places" in self.__dict__:
            new._places = self._places
        return new

    def without_value(self, place):
        """Return the column without all rows that have one of its values."""
        if place == len(self) - 1:
            counts = None if self._counts is None else self._counts[:-1]
            return Column(self.values[:-1], counts)
        counts = None if self._counts is None else np.delete(self._counts, place)
        return Column(np.delete(self.values, place), counts)

    @cached_property
    def n_present(self):
        """Number of rows whose cell is not NaN, which comes last."""
        counts = self._counts
        total = len(self) if counts is None else int(counts.sum())
        if self.values[-1] == self.values[-1]:
            return total
        return total - (1 if counts is None else int(counts[-1]))

    def at(self, ranks):
        """Return the values at these places among the sorted cells."""
        if self._counts is None:
            return self.values[ranks]
        return self.values[np.searchsorted(np.cumsum(self._counts), ranks, "right")]

    def median_pair(self):
        """Return the two cells in the middle, or one twice; NaN is passed over."""
        n_cells = self.n_present
        if n_cells == 0:
            return self.values[[-1, -1]]
        return self.at(np.array([(n_cells - 1) // 2, n_cells // 2]))

    def quantiles(self, shares):
        """Return linearly interpolated quantiles, as `numpy.nanquantile` has them.

        Parameters
        ----------
        shares : ndarray of shape (n_quantiles,)
            Between 0 and 1.
        """
        n_cells = self.n_present
        if n_cells == 0:
            return np.full(len(shares), np.nan)
        place = (n_cells - 1) * shares
        low = np.floor(place).astype(np.int64)
        pair = np.stack([low, np.minimum(low + 1, n_cells - 1)])
        below, above = self.at(pair.ravel()).reshape(2, -1)
        share, gap = place - low, above - below
        # from the nearer side, so that rounding keeps the quantiles in order
        return np.where(share < 0.5, below + gap * share, above - gap * (1.0 - share))


@saved_as("counts of columns")
class ColumnCounts:
    """The columns of all kept rows.

    Parameters
    ----------
    columns : list of Column
    n_rows : int
    """

    def __init__(self, columns, n_rows):
        self.columns, self.n_rows = columns, n_rows

    @classmethod
    def of(cls, columns, n_rows, amounts=None):
        """Count the cells of columns, and add up amounts for each value."""
        addends = None if amounts is None else Addends(amounts)
        return cls([Column.of(cells, addends) for cells in columns], n_rows)

    def without(self, columns, n_rows, amounts=None):
        """Return the columns without these cells of `n_rows` rows.

        None if a cell is not there: behind a transformation that rounds in its own
        way for each number of rows, it may not be found again.
        """
        new = []
        for column, cells in zip(self.columns, columns, strict=True):
            new.append(column.without(cells, amounts))
            if new[-1] is None:
                return None
        return ColumnCounts(new, self.n_rows - n_rows)


def _count_objects(cells):
    """Return distinct objects, sorted if they can be, and their counts."""
    counter = Counter(cells.tolist() if isinstance(cells, np.ndarray) else cells)
    missing = [value for value in counter if _is_nan(value)]
    n_missing = sum(counter.pop(value) for value in missing)
    n_none = counter.pop(None, 0)
    try:
        distinct = sorted(counter)
    except TypeError:
        distinct = list(counter)
    counts = [counter[value] for value in distinct]
    for value, count in ((None, n_none), (np.nan, n_missing)):
        if count:
            distinct.append(value)
            counts.append(count)
    values = np.empty(len(distinct), dtype=object)
    values[:] = distinct
    return values, np.array(counts, dtype=np.int64)


def _is_nan(value):
    return isinstance(value, numbers.Real) and value != value


def _cut(array, gone):
    """Return an array of its own without the entries at these ascending places."""
    if len(gone) > FEW:
        return np.delete(array, gone, axis=0)
    bounds = zip([0, *(gone + 1).tolist()], [*gone.tolist(), len(array)], strict=True)
    return np.concatenate([array[start:stop] for start, stop in bounds])
