"""Look-up: the kept rows that a request means, matched by value as a multiset."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.exceptions import AmbiguousRowsError
from sklearn_unlearn.rows._cells import equal_rows, row_hash
from sklearn_unlearn.rows._search import SAMPLE_ROWS, find_nearby
from sklearn_unlearn.rows._targets import match_targets, refuse_unclear_targets

__all__ = ["match_rows"]


def match_rows(store, parts, fits, targets=None):
    """Match the rows of a request to kept rows: k copies to k copies.

    The hash of a query leads to the kept rows that may be equal to it, one of which
    is compared with it. A query without an equal row may mean one that differs by
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

    Returns
    -------
    positions : ndarray of int64
        Positions of the rows to forget among the kept ones.
    unknown : ndarray of int64
        Queries for which there is no row, or none any more.
    """
    hashes = row_hash(parts)
    distinct, number = np.unique(hashes, return_inverse=True)
    owner, positions = store.candidates(distinct)
    last = np.full(len(distinct), -1)
    last[owner] = positions  # of the rows with this hash
    found = np.where(fits, last[number], -1)  # a row equal to each query, or -1
    hits = np.flatnonzero(found >= 0)
    if len(hits):
        kept = store.parts_at(found[hits])
        equal = equal_rows([part[hits] for part in parts], kept)
        found[hits[~equal]] = -1
    n_kept, n_asked = (np.bincount(n, minlength=len(distinct)) for n in (owner, number))
    one_to_one = (n_kept <= 1).all() and (n_asked <= 1).all()
    lost = np.flatnonzero(fits & (found < 0))
    if len(lost):
        nearby = find_nearby(store, [part[lost] for part in parts], lost)
        lost, nearby = lost[nearby >= 0], nearby[nearby >= 0]
    if len(lost):
        hashes[lost] = row_hash(store.parts_at(nearby))
        found[lost] = nearby
        one_to_one = False
    known = found >= 0
    if one_to_one and targets is not None:
        one_to_one = np.array_equal(store.targets_at(found[known]), targets[known])
    if one_to_one:
        return found[known], np.flatnonzero(~known)
    return _choose_copies(store, hashes, found, targets)


def _choose_copies(store, hashes, found, targets):
    """Choose as many of equal rows as are asked for, those with the right target.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n_queries,)
        Hash of the kept row that each query means.
    found : ndarray of int64, shape (n_queries,)
        Position of one such row; -1 if there is none.

    Returns
    -------
    positions, unknown : ndarray of int64
        As `match_rows` returns them.
    """
    unknown, queries = np.flatnonzero(found < 0), np.flatnonzero(found >= 0)
    if not len(queries):
        return np.empty(0, np.int64), unknown
    distinct, asked = np.unique(hashes[queries], return_inverse=True)
    run, positions = store.candidates(distinct)
    compared = np.empty(len(distinct), np.int64)  # with a query, for each run
    compared[asked] = found[queries]
    kind = run
    if store.has_target and targets is not None:
        kind, asked = match_targets(
            run,
            store.targets_at(positions),
            asked,
            targets[queries],
            queries,
            lambda: store.sample_targets(SAMPLE_ROWS),
        )
    elif store.has_target and (np.bincount(asked) < np.bincount(run)).any():
        refuse_unclear_targets(run, store.targets_at(positions), asked, queries)
    # of each kind, the last kept go first
    order = np.lexsort((-positions, kind))
    n_kinds = max(kind.max(), asked.max()) + 1
    n_kept = np.bincount(kind, minlength=n_kinds)
    n_asked = np.bincount(asked[asked >= 0], minlength=n_kinds)
    rank = np.arange(len(kind)) - np.repeat(np.cumsum(n_kept) - n_kept, n_kept)
    chosen = order[rank < n_asked[kind[order]]]
    _refuse_collisions(store, positions[chosen], compared[run[chosen]])
    surplus = queries[_in_excess(asked, n_kept)]
    return positions[chosen], np.sort(np.append(unknown, surplus))


def _refuse_collisions(store, chosen, compared):
    """Raise if a chosen row is not the one of its hash that a query was equal to."""
    other = chosen != compared
    if (
        other.any()
        and not equal_rows(
            store.parts_at(chosen[other]), store.parts_at(compared[other])
        ).all()
    ):
        raise AmbiguousRowsError(
            "Two different rows have the same 64-bit hash. Forget them one by one, "
            "or by groups."
        )


def _in_excess(asked, n_kept):
    """Tell which queries ask for more rows of a kind than are kept, or for none.

    Parameters
    ----------
    asked : ndarray of int, shape (n_queries,)
        Kind that each query asks for, or -1.
    n_kept : ndarray of int, shape (n_kinds,)
    """
    order = np.argsort(asked, kind="stable")
    kinds = asked[order]
    rank = np.arange(len(kinds)) - np.searchsorted(kinds, kinds)
    in_excess = np.zeros(len(asked), dtype=bool)
    in_excess[order] = (kinds < 0) | (rank >= n_kept[kinds])
    return in_excess
