"""Search for kept rows that differ by rounding from those asked for."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse

from sklearn_unlearn.rows._cells import equal_rows
from sklearn_unlearn.rows._columns import (
    SHARE_OF_GAP,
    are_whole,
    may_be_off,
    may_round,
    nearest_entries,
)
from sklearn_unlearn.rows._hash_index import run_starts

__all__ = ["find_recomputed", "float_columns", "snap"]

SAMPLE_ROWS = 1024  # kept rows by which columns of many values are told from others
# A query is compared with at most so many kept rows, and one that is found with more.
MOST_CANDIDATES, MOST_RIVALS = 96, 512
CHUNK_PAIRS = 1 << 14  # pairs of rows compared at a time, which bounds temporaries


def snap(store, columns, parts, order):
    """Replace the numbers of queries by the kept ones that they may mean.

    In each column that is at most one, as the tolerance is a small share of the
    distance between kept values. The time for it does not depend on how many rows
    share a value, nor on how near others are.

    Parameters
    ----------
    store : RowStore
    columns : KeptColumns
    parts : list of arrays
        Parts of the queries.
    order : list of (int, int)
        From `float_columns`.

    Returns
    -------
    parts : list of arrays
    possible : ndarray of bool, shape (n_queries,)
        False where a column has no such number: there is no such row.
    """
    parts = [part.copy() for part in parts]
    possible = np.ones(parts[0].shape[0], dtype=bool)
    for i, part in enumerate(parts):
        if sparse.issparse(part) and may_be_off(part.dtype) and part.nnz:
            part.data, known = nearest_entries(store.part(i), part)
            rows = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
            possible[rows[~known]] = False
    for i, j in order:
        rows = np.flatnonzero(possible)
        if not len(rows):
            break
        parts[i][rows, j], known = columns(i, j).nearest(parts[i][rows, j])
        possible[rows[~known]] = False
    return parts, possible


def float_columns(store, parts):
    """Return part and number of the columns of floating-point numbers of queries.

    Those first of which a sample has most values, as they tell most rows apart. Sparse
    parts are left out, and numbers that may not be off.
    """
    columns = []
    sample = store.sample(SAMPLE_ROWS)
    for i, (part, kept) in enumerate(zip(parts, sample, strict=True)):
        if sparse.issparse(part) or not may_be_off(part.dtype):
            continue
        kept = np.sort(kept, axis=0)
        n_values = (kept[1:] != kept[:-1]).sum(axis=0)
        columns += [(-n, i, j) for j, n in enumerate(n_values.tolist())]
    return [(i, j) for _, i, j in sorted(columns)]


# numbers that are infinite, or nearly so, are compared as well
@np.errstate(invalid="ignore", over="ignore", divide="ignore")
def find_recomputed(store, columns, parts, order):
    """Find kept rows of which queries are a second computation.

    Behind a float32 transformer, say, whose last digits depend on how many rows are
    transformed at once. Every number may then be off in its last digits, in columns
    whose values are nearer to one another than that. The query must differ from one
    row alone, in several columns, by a small share of its distance to all others.

    Parameters
    ----------
    store : RowStore
    columns : KeptColumns
    parts : list of arrays
        Parts of the queries.
    order : list of (int, int)
        From `float_columns`.

    Returns
    -------
    ndarray of int64, shape (n_queries,)
        Positions among the kept rows, or -1.
    """
    found = np.full(parts[0].shape[0], -1, dtype=np.int64)
    left = np.arange(len(found))
    for part, j in order:
        if not len(left):
            break
        column, asked = columns(part, j), parts[part][left, j].astype(np.float64)
        radius = column.last_digits(asked)
        low, high = asked - radius, asked + radius
        n_near = column.count(low, high)
        few = may_round(asked) & (n_near <= MOST_CANDIDATES)
        near = few & (n_near > 0)
        if near.any():
            number, rows = column.rows_between(low[near], high[near])
            query = left[near][number]
            distance = [
                _distances(store, columns, parts, order, *pairs)
                for pairs in _chunks(query, rows)
            ]
            distance = np.concatenate(distance)
            nearest = np.lexsort((distance, query))
            query, rows, distance = query[nearest], rows[nearest], distance[nearest]
            chosen = run_starts(query)
            chosen = chosen[distance[chosen] <= 1]
            found[query[chosen]] = rows[chosen]
        left = left[~few]
    known = np.flatnonzero(found >= 0)
    if len(known):
        alone = _are_alone(store, columns, parts, order, known, found[known])
        found[known[~alone]] = -1
    return found


def _chunks(*arrays):
    """Yield slices of arrays of one length, at least one."""
    n_chunks = max(1, -(-len(arrays[0]) // CHUNK_PAIRS))
    return zip(*(np.array_split(a, n_chunks) for a in arrays), strict=True)


def _distances(store, columns, parts, order, query, rows):
    """Return the distance of pairs of a query and a kept row.

    It is the largest difference of two numbers, as a share of what a second computation
    may change: the same row has at most 1. It is infinite where anything else differs.
    """
    distance, near = np.zeros(len(rows)), np.arange(len(rows))
    for i, j in order:
        column = columns(i, j)
        a, b = parts[i][query[near], j], column.values[rows[near]]
        a, b = a.astype(np.float64), b.astype(np.float64)
        rounds = may_round(a) & may_round(b)
        off = np.abs(a - b) / column.last_digits(a)
        off[rounds & are_whole(a, b, column.values.dtype)] = np.inf
        off[~rounds] = np.inf
        off[(a == b) | (np.isnan(a) & np.isnan(b))] = 0
        distance[near] = np.maximum(distance[near], off)
        near = near[off <= 1]
        if not len(near):
            return distance
    searched = {i for i, _ in order}
    others = [i for i in range(len(parts)) if i not in searched]
    if others:
        kept = store.columns_at(rows[near], [f"X{i}" for i in others])
        equal = equal_rows([parts[i][query[near]] for i in others], kept)
        distance[near[~equal]] = np.inf
    return distance


def _are_alone(store, columns, parts, order, query, rows):
    """Tell which queries are much nearer to their row than to any other.

    Only the columns count in which a query differs from its row: it may have all
    others in common with many rows.
    """
    kept = store.columns_at(rows)
    asked = np.stack([parts[i][query, j] for i, j in order], axis=1).astype(np.float64)
    means = np.stack([kept[i][:, j] for i, j in order], axis=1).astype(np.float64)
    radius = np.abs(asked - means) / SHARE_OF_GAP
    differs = radius > 0  # not where both are NaN
    low, high = asked - radius, asked + radius
    n_near = np.full(asked.shape, store.n_rows + 1)
    for k, place in enumerate(order):
        n_near[:, k] = columns(*place).count(low[:, k], high[:, k])
    n_near[~differs] = store.n_rows + 1
    best = n_near.argmin(axis=1)
    alone = differs.sum(axis=1) > 1
    alone &= n_near[np.arange(len(best)), best] <= MOST_RIVALS
    for k in np.unique(best[alone]).tolist():
        chosen = np.flatnonzero(alone & (best == k))
        ends = low[chosen, k], high[chosen, k]
        number, others = columns(*order[k]).rows_between(*ends)
        for q, rows in _chunks(chosen[number], others):
            is_other = np.zeros(len(q), dtype=bool)
            for c, (i, j) in enumerate(order):
                values = columns(i, j).values[rows].astype(np.float64)
                is_other |= differs[q, c] & (values != means[q, c])
                near = ~differs[q, c] | (np.abs(values - asked[q, c]) <= radius[q, c])
                q, rows, is_other = q[near], rows[near], is_other[near]
            alone[q[is_other]] = False
    return alone
