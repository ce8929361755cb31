"""Search for kept rows within rounding distance of those asked for."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse

from sklearn_unlearn.exceptions import AmbiguousRowsError
from sklearn_unlearn.rows._cells import (
    cell_codes,
    equal_rows,
    equal_sparse_rows,
    row_hash,
)

__all__ = ["ColumnTolerance", "find_nearby"]

# Share of a value by which a query may be off, by bytes per number.
TOLERANCE = {2: 0.0, 4: 1e-5, 8: 1e-9}
# Magnitudes beyond these would overflow in sums: such cells must be equal.
LARGEST, SMALLEST_SCALE = 1e100, 1e-100
SAMPLE_ROWS = 4096  # kept rows by which the scale of a column is measured
CHUNK_CELLS = 1 << 21  # cells compared at a time, which bounds temporaries


def find_nearby(store, parts, names):
    """Find kept rows that a query differs from by no more than rounding.

    Only floating-point columns have a tolerance, ``r (|a| + m)`` with `m` the
    median of the column's non-zero magnitudes: a scale that no outlier moves. Rows
    are sorted by what must be equal and, within that, by a projection of the
    floating-point columns; a query then has a short window of candidates, each of
    which is compared column by column.

    Parameters
    ----------
    store : RowStore
        With its index built.
    parts : list of arrays
        Parts of the queries.
    names : ndarray of shape (n_queries,)
        Positions in the request, for messages.

    Returns
    -------
    ndarray of int64, shape (n_queries,)
        Positions among the kept rows, or -1.
    """
    found = np.full(parts[0].shape[0], -1, dtype=np.int64)
    if not store.n_rows or not any(part.dtype.kind == "f" for part in parts):
        return found
    columns = [ColumnTolerance(part) for part in store.sample(SAMPLE_ROWS)]
    positions = store.distinct_positions()  # one stands for all rows equal to it
    # for all rows, chunk by chunk: faster than gathering the leaders
    keys = [_keys(chunk, columns) for chunk in store.chunks()]
    exact, projected = (np.concatenate(k)[positions] for k in zip(*keys, strict=True))
    values, rank = np.unique(exact, return_inverse=True)
    order = np.lexsort((projected, rank)) if len(values) > 1 else np.argsort(projected)
    # numpy orders complex numbers by their real, then by their imaginary parts
    keys = (rank + 1j * projected)[order]
    query_exact, query_projected = _keys(parts, columns)
    query_rank = np.searchsorted(values, query_exact)
    radius = sum(c.radius(p) for c, p in zip(columns, parts, strict=True))
    low = np.searchsorted(keys, query_rank + 1j * (query_projected - radius), "left")
    high = np.searchsorted(keys, query_rank + 1j * (query_projected + radius), "right")
    possible = query_rank < len(values)
    possible[possible] = values[query_rank[possible]] == query_exact[possible]
    sizes = np.where(possible, high - low, 0)
    for query, candidate in _candidate_pairs(low, sizes, parts):
        rows = order[candidate]
        kept = store.parts_at(positions[rows])
        close = np.ones(len(query), dtype=bool)
        for column, a, b in zip(columns, parts, kept, strict=True):
            close &= column.is_close(a[query], b)
        for q, row in zip(query[close], rows[close], strict=True):
            if found[q] >= 0:
                raise AmbiguousRowsError(
                    f"Row {names[q]} of X_forget is within rounding distance of "
                    "several different kept rows: give its exact values."
                )
            found[q] = positions[row]
    return found


def _candidate_pairs(low, sizes, parts):
    """Yield queries with their candidates, a bounded number of cells at a time."""
    stops, n_cells = np.cumsum(sizes), sum(part.size for part in parts)
    n_pairs = max(1, CHUNK_CELLS // max(1, n_cells // len(sizes)))
    for start in range(0, stops[-1], n_pairs):
        pair = np.arange(start, min(start + n_pairs, stops[-1]))
        query = np.searchsorted(stops, pair, side="right")
        yield query, low[query] + pair - (stops - sizes)[query]


def _keys(parts, columns):
    """Return the hash of what must be equal, and a projection of all other numbers."""
    n_rows = parts[0].shape[0]
    exact, projected = np.zeros(n_rows, dtype=np.uint64), np.zeros(n_rows)
    for column, part in zip(columns, parts, strict=True):
        exact *= np.uint64(3)
        strict, rounded = column.divide(part)
        if strict is not None:
            exact += row_hash([strict])
        if rounded is not None:
            projected += rounded @ column.weight
    return exact, projected


class ColumnTolerance:
    """By how much the numbers in columns of one type may be off.

    Parameters
    ----------
    sample : ndarray of shape (n_sample, n_columns) or csr_array
        Kept rows. Their medians are never stored with the rows: a median is
        somebody's value.
    """

    def __init__(self, sample):
        self.is_float = sample.dtype.kind == "f"
        self.tolerance = TOLERANCE.get(sample.dtype.itemsize, 0.0)
        if self.is_float:  # below this, neighbouring whole numbers can be told apart
            self.largest_whole = 2.0 ** (np.finfo(sample.dtype).nmant - 1)
        self.scale = np.zeros(sample.shape[1])
        if self.is_float and not sparse.issparse(sample):
            size = np.abs(sample).astype(np.float64)
            size[~_may_round(size) | (size == 0)] = np.nan
            some = ~np.isnan(size).all(axis=0)
            self.scale[some] = np.nanmedian(size[:, some], axis=0)
        weight = np.random.default_rng(21).uniform(0.5, 1.0, size=sample.shape[1])
        self.weight = weight / np.where(
            self.scale > 0, np.maximum(self.scale, SMALLEST_SCALE), 1.0
        )

    def divide(self, part):
        """Divide cells into those that must be equal, and numbers that may be off.

        Either is None if there are no such cells, else of the shape of `part`.
        """
        if not self.is_float:
            return part, None
        data = part.data if sparse.issparse(part) else part
        may_round = _may_round(data)
        if not sparse.issparse(part) and may_round.all():
            return None, part
        strict = np.where(may_round, np.uint64(sparse.issparse(part)), cell_codes(data))
        rounded = np.where(may_round, data, 0).astype(np.float64)
        if sparse.issparse(part):
            strict, rounded = (
                sparse.csr_array((v, part.indices, part.indptr), shape=part.shape)
                for v in (strict, rounded)
            )
        return strict, rounded

    def radius(self, part):
        """Return how far the projection of a query may be from that of its row."""
        _, rounded = self.divide(part)
        if rounded is None:
            return 0.0
        # sums of many columns round; one part in 1e13 covers that
        r = 2 * self.tolerance + 1e-13
        return r * (
            abs(rounded).astype(np.float64) @ self.weight + self.scale @ self.weight
        )

    def is_close(self, query, kept):
        """Tell which pairs of rows are equal but for rounding, in every column."""
        if not self.is_float:
            return equal_rows([query], [kept])
        if sparse.issparse(query):
            return equal_sparse_rows(query, kept, self._close_cells)
        return self._close_cells(query, kept, self.scale).all(axis=1)

    def _close_cells(self, query, kept, scale=0.0):
        """Tell which cells are equal but for rounding."""
        a, b = query.astype(np.float64), kept.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            close = np.abs(a - b) <= self.tolerance * (np.abs(a) + scale)
            # two whole numbers that differ are two values: ids, times in seconds
            whole = (
                (a == np.rint(a)) & (b == np.rint(b)) & (np.abs(a) < self.largest_whole)
            )
        close &= ~whole | (a == b)
        may_round = _may_round(a) & _may_round(b)
        return np.where(may_round, close, cell_codes(a) == cell_codes(b))


def _may_round(values):
    """Tell which cells may be off by rounding: not NaN, nor infinite or nearly so."""
    largest = min(LARGEST, float(np.finfo(values.dtype).max))
    return np.abs(values) <= largest
