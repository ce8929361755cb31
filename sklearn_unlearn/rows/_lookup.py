"""Look-up: the kept rows that a request means, matched by value as a multiset."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.rows._cells import equal_rows
from sklearn_unlearn.rows._columns import KeptColumns, may_be_off
from sklearn_unlearn.rows._copies import choose_copies
from sklearn_unlearn.rows._numbering import number_ids
from sklearn_unlearn.rows._search import find_recomputed, float_columns, snap

__all__ = ["match_rows"]


def match_rows(store, parts, fits, targets=None, labels=None, ids=None):
    """Match the rows of a request to kept rows: k copies to k copies.

    The hash of a query leads to the kept rows that may be equal to it, which are
    compared with it. A query without an equal row may mean one that differs by
    rounding only.

    Parameters
    ----------
    store : RowStore
    parts : list of arrays
        Parts of the queries.
    fits : ndarray of bool, shape (n_queries,)
        Which queries the columns of the kept rows can hold.
    targets : ndarray of shape (n_queries, ...), default=None
        Targets, to choose between equal rows.
    labels : ndarray of shape (n_queries, n_levels), default=None
        Labels of an index, to choose between equal rows.
    ids : ndarray of shape (n_queries,), default=None
        Ids of groups, to choose between equal rows.

    Returns
    -------
    positions : ndarray of int64
        Positions of the rows to forget among the kept ones.
    unknown : ndarray of int64
        Queries for which there is no row, or none any more.
    """
    found, one_to_one = _find_equal(store, parts, fits)
    lost = np.flatnonzero(fits & (found < 0))
    if len(lost) and store.n_rows:
        found[lost] = _find_rounded(store, [part[lost] for part in parts])
        one_to_one &= (found[lost] < 0).all()
    known = found >= 0
    if one_to_one and targets is not None:
        kept = store.columns_at(found[known], ["y"])[0]
        one_to_one = np.array_equal(kept, targets[known])
    if one_to_one and ids is not None:
        kept = store.columns_at(found[known], ["groups"])[0]
        one_to_one = np.array_equal(*number_ids(kept, ids[known]))
    if one_to_one:
        return found[known], np.flatnonzero(~known)
    return choose_copies(store, parts, found, targets, labels, ids)


def _find_equal(store, parts, wanted):
    """Find a kept row equal to each query: of several, the last.

    Parameters
    ----------
    store : RowStore
    parts : list of arrays
        Parts of the queries.
    wanted : ndarray of bool, shape (n_queries,)
        Queries to look for.

    Returns
    -------
    found : ndarray of int64, shape (n_queries,)
        Positions among the kept rows, or -1.
    one_to_one : bool
        Whether no two queries, and no two kept rows, may be equal.
    """
    hashes = store.hash_rows(parts)
    distinct, number = np.unique(hashes, return_inverse=True)
    owner, positions = store.candidates(distinct)
    n_kept = np.bincount(owner, minlength=len(distinct))
    stop, n_kept_of = np.cumsum(n_kept)[number], n_kept[number]
    found = np.full(len(hashes), -1, dtype=np.int64)
    queries, rank = np.flatnonzero(wanted & (n_kept_of > 0)), 1
    while len(queries):  # once, but where different rows have one hash
        rows = positions[stop[queries] - rank]
        asked = [part[queries] for part in parts]
        equal = equal_rows(asked, store.columns_at(rows))
        found[queries[equal]] = rows[equal]
        queries, rank = queries[~equal], rank + 1
        queries = queries[n_kept_of[queries] >= rank]
    n_asked = np.bincount(number, minlength=len(distinct))
    return found, bool((n_kept <= 1).all() and (n_asked <= 1).all())


def _find_rounded(store, parts):
    """Find a kept row that differs from each query by rounding only; else -1."""
    found = np.full(parts[0].shape[0], -1, dtype=np.int64)
    if not any(may_be_off(part.dtype) for part in parts):
        return found
    order, columns = float_columns(store, parts), KeptColumns(store)
    snapped, possible = snap(store, columns, parts, order)
    if possible.any():
        found, _ = _find_equal(store, snapped, possible)
    lost = np.flatnonzero(found < 0)
    if len(lost):
        rows = find_recomputed(store, columns, [part[lost] for part in parts], order)
        found[lost] = rows
        # of equal rows the last stands for all
        known = lost[rows >= 0]
        if len(known):
            kept = store.columns_at(found[known])
            found[known], _ = _find_equal(store, kept, np.ones(len(known), dtype=bool))
    return found
