"""Rows within rounding distance, and targets among equal rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse

from sklearn_unlearn.exceptions import AmbiguousRowsError
from sklearn_unlearn.rows._cells import (
    cell_codes,
    row_hash,
    same_rows,
    same_sparse,
)
from sklearn_unlearn.rows._layouts import cast_cells

__all__ = ["find_nearby", "match_targets"]

# Share of a value by which a query may be off, by bytes per number.
TOLERANCE = {2: 0.0, 4: 1e-5, 8: 1e-9}
# Sizes beyond these would overflow in sums: such cells must be equal.
LARGEST, SMALLEST_SCALE = 1e100, 1e-100
SAMPLE_ROWS = 4096
CHUNK_CELLS = 1 << 21


def find_nearby(store, parts, names):
    """Find queries without an exact match among the kept rows.

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
    columns = [_Column(part) for part in store.sample(SAMPLE_ROWS)]
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
    reach = sum(c.reach(p) for c, p in zip(columns, parts, strict=True))
    low = np.searchsorted(keys, query_rank + 1j * (query_projected - reach), "left")
    high = np.searchsorted(keys, query_rank + 1j * (query_projected + reach), "right")
    possible = query_rank < len(values)
    possible[possible] = values[query_rank[possible]] == query_exact[possible]
    sizes = np.where(possible, high - low, 0)
    for query, candidate in _pairs(low, sizes, parts):
        rows = order[candidate]
        kept = store._parts(positions[rows])
        near = np.ones(len(query), dtype=bool)
        for column, a, b in zip(columns, parts, kept, strict=True):
            near &= column.is_near(a[query], b)
        for q, row in zip(query[near], rows[near], strict=True):
            if found[q] >= 0:
                raise AmbiguousRowsError(
                    f"Row {names[q]} of X_forget is within rounding distance of "
                    "several different kept rows: give its exact values."
                )
            found[q] = positions[row]
    return found


def _pairs(low, sizes, parts):
    """Yield queries with their candidates, a bounded number of cells at a time."""
    stops, n_cells = np.cumsum(sizes), sum(part.size for part in parts)
    n_pairs = max(1, CHUNK_CELLS // max(1, n_cells // len(sizes)))
    for start in range(0, stops[-1], n_pairs):
        pair = np.arange(start, min(start + n_pairs, stops[-1]))
        query = np.searchsorted(stops, pair, side="right")
        yield query, low[query] + pair - (stops - sizes)[query]


def _keys(parts, columns):
    """Hash of what must be equal, and projection of what may be off."""
    n_rows = parts[0].shape[0]
    exact, projected = np.zeros(n_rows, dtype=np.uint64), np.zeros(n_rows)
    for column, part in zip(columns, parts, strict=True):
        exact *= np.uint64(3)
        rigid, number = column.divide(part)
        if rigid is not None:
            exact += row_hash([rigid])
        if number is not None:
            projected += number @ column.weight
    return exact, projected


class _Column:
    """Columns of one type: what may be off in them, and by how much.

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
            self.whole = 2.0 ** (np.finfo(sample.dtype).nmant - 1)
        self.scale = np.zeros(sample.shape[1])
        if self.is_float and not sparse.issparse(sample):
            size = np.abs(sample).astype(np.float64)
            size[~_is_soft(size) | (size == 0)] = np.nan
            some = ~np.isnan(size).all(axis=0)
            self.scale[some] = np.nanmedian(size[:, some], axis=0)
        weight = np.random.default_rng(21).uniform(0.5, 1.0, size=sample.shape[1])
        self.weight = weight / np.where(
            self.scale > 0, np.maximum(self.scale, SMALLEST_SCALE), 1.0
        )

    def divide(self, part):
        """Divide cells into what must be equal, and finite numbers."""
        if not self.is_float:
            return part, None
        data = part.data if sparse.issparse(part) else part
        soft = _is_soft(data)
        if not sparse.issparse(part) and soft.all():
            return None, part
        rigid = np.where(soft, np.uint64(sparse.issparse(part)), cell_codes(data))
        number = np.where(soft, data, 0).astype(np.float64)
        if sparse.issparse(part):
            rigid, number = (
                sparse.csr_array((v, part.indices, part.indptr), shape=part.shape)
                for v in (rigid, number)
            )
        return rigid, number

    def reach(self, part):
        """How far the projection of a query may be from that of its row."""
        _, number = self.divide(part)
        if number is None:
            return 0.0
        # sums of many columns round; one part in 1e13 covers that
        r = 2 * self.tolerance + 1e-13
        return r * (
            abs(number).astype(np.float64) @ self.weight + self.scale @ self.weight
        )

    def is_near(self, query, kept):
        """Compare pairs of rows column by column."""
        if not self.is_float:
            return same_rows([query], [kept])
        if sparse.issparse(query):
            return same_sparse(query, kept, self._close)
        return self._close(query, kept, self.scale).all(axis=1)

    def _close(self, query, kept, scale=0.0):
        a, b = query.astype(np.float64), kept.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            close = np.abs(a - b) <= self.tolerance * (np.abs(a) + scale)
            # two whole numbers that differ are two values: ids, times in seconds
            whole = (a == np.rint(a)) & (b == np.rint(b)) & (np.abs(a) < self.whole)
        close &= ~whole | (a == b)
        soft = _is_soft(a) & _is_soft(b)
        return np.where(soft, close, cell_codes(a) == cell_codes(b))


def _is_soft(values):
    """Cells that may be off by rounding: no NaN, nothing infinite or nearly so."""
    largest = min(LARGEST, float(np.finfo(values.dtype).max))
    return np.abs(values) <= largest


def match_targets(run, y, which, query, names, sample):
    """Split runs of equal rows by target.

    Parameters
    ----------
    run : ndarray of shape (n_candidates,)
        Number of the run of each candidate.
    y : ndarray of shape (n_candidates, ...)
        Targets of the candidates.
    which : ndarray of shape (n_queries,)
        Number of the run of each query.
    query : ndarray of shape (n_queries, ...) or None
        Targets of the queries.
    names : ndarray of shape (n_queries,)
        Positions in the request, for messages.
    sample : callable () -> ndarray of shape (n_sample, ...)
        Targets of kept rows, for the scale of the tolerance.

    Returns
    -------
    kind : ndarray of shape (n_candidates,)
        Number of the run and target of each candidate.
    asked : ndarray of shape (n_queries,)
        Number of the run and target that each query asks for, or -1.
    """
    codes, code = np.unique(row_hash([y.reshape(len(y), -1)]), return_inverse=True)
    kind = run * len(codes) + code
    if query is None:
        n_targets = np.bincount(np.unique(kind) // len(codes))
        n_kept = np.bincount(run)
        n_asked = np.bincount(which, minlength=len(n_kept))
        unclear = (n_targets > 1) & (n_asked < n_kept)
        if unclear.any():
            first = names[unclear[which]][0]
            raise AmbiguousRowsError(
                f"Row {first} of X_forget was fitted with different targets: pass "
                "y_forget to say which is meant."
            )
        return run, which
    query, fits = cast_cells(query.reshape(len(query), -1), y.dtype)
    query_code = row_hash([query])
    place = np.minimum(np.searchsorted(codes, query_code), len(codes) - 1)
    kinds, kind = np.unique(kind, return_inverse=True)
    wanted = which * len(codes) + place
    asked = np.minimum(np.searchsorted(kinds, wanted), len(kinds) - 1)
    lost = (kinds[asked] != wanted) | (codes[place] != query_code) | ~fits
    asked[lost] = -1
    if y.dtype.kind == "f":
        sample, kept = sample(), y.reshape(len(y), -1)
        column = _Column(sample.reshape(len(sample), -1))
        starts = np.searchsorted(run, np.arange(run[-1] + 2))
        for q in np.flatnonzero(lost & fits):
            rows = slice(*starts[which[q] : which[q] + 2])
            near = column.is_near(
                np.broadcast_to(query[q], kept[rows].shape), kept[rows]
            )
            fitting = np.unique(kind[rows][near])
            if len(fitting) > 1:
                raise AmbiguousRowsError(
                    f"Target {names[q]} of y_forget is within rounding distance of "
                    "several different ones: give its exact value."
                )
            asked[q] = fitting[0] if len(fitting) else -1
    return kind, asked
