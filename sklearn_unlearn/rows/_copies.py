"""Choice among equal rows, by what was kept beside them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.exceptions import AmbiguousRowsError
from sklearn_unlearn.rows._cells import cell_types, equal_rows
from sklearn_unlearn.rows._hash_index import ranges
from sklearn_unlearn.rows._numbering import join_numbers, number_ids, number_rows
from sklearn_unlearn.rows._targets import match_targets
from sklearn_unlearn.utils._cached import cached_property

__all__ = ["choose_copies"]

CHUNK_ROWS = 1 << 16  # rows compared at a time, which bounds temporaries


def choose_copies(store, parts, found, targets=None, labels=None, ids=None):
    """Choose as many of equal rows as are asked for.

    Equal rows may differ in what was kept beside them (target, id, label of an index,
    arguments of ``fit``), and in the types of their cells (None and NaN, 1 and True).
    Those that share all that a query says go first; of rows that differ in nothing,
    the last.

    Parameters
    ----------
    store : RowStore
    parts : list of arrays
        Parts of the queries.
    found : ndarray of int64, shape (n_queries,)
        Position of one kept row that is equal to each query, the same for equal
        queries; -1 if there is none.
    targets : ndarray of shape (n_queries, ...), default=None
    labels : ndarray of shape (n_queries, n_levels), default=None
    ids : ndarray of shape (n_queries,), default=None
        Ids, which must be those of the rows.

    Returns
    -------
    positions : ndarray of int64
        Positions of the chosen rows.
    unknown : ndarray of int64
        Queries for which there is no row, or none any more.

    Raises
    ------
    AmbiguousRowsError
        If some, but not all, of rows that differ are asked for.
    """
    queries = np.flatnonzero(found >= 0)
    if not len(queries):
        return np.empty(0, np.int64), np.arange(len(found))
    leaders, asked = np.unique(found[queries], return_inverse=True)
    run, positions = _copies_of(store, leaders)
    names = store.names_beside
    beside = dict(zip(names, store.columns_at(positions, names), strict=True))
    key = run, asked
    if targets is not None:
        kinds = match_targets(store, beside["y"], targets[queries], run, asked)
        key = join_numbers(key, kinds)
    if ids is not None:
        key = join_numbers(key, number_ids(beside["groups"], ids[queries]))
    keys = [key]
    if any(part.dtype.kind == "O" for part in parts):
        types = cell_types(store.columns_at(positions), [p[queries] for p in parts])
        beside["types"] = types[0]
        key = join_numbers(key, types)
        keys.insert(0, key)
    if labels is not None and "index" in beside:
        key = join_numbers(key, number_rows(beside["index"], labels[queries]))
        keys.insert(0, key)
    choice = _Choice(positions, beside, queries)
    for key in keys:
        choice.take(*key)
    unknown = np.append(np.flatnonzero(found < 0), queries[choice.open])
    return positions[~choice.free], np.sort(unknown)


def _copies_of(store, leaders):
    """Return all kept rows that are equal to the leaders.

    Parameters
    ----------
    leaders : ndarray of int64, shape (n_leaders,)
        Positions of kept rows, no two of them equal.

    Returns
    -------
    run : ndarray of int64, shape (n_copies,)
        Number of the leader that each is equal to, ascending.
    positions : ndarray of int64, shape (n_copies,)
        Ascending within a run.
    """
    parts = store.columns_at(leaders)
    distinct, number = np.unique(store.hash_rows(parts), return_inverse=True)
    owner, positions = store.candidates(distinct)
    n_kept = np.bincount(owner, minlength=len(distinct))
    entries, run = ranges((np.cumsum(n_kept) - n_kept)[number], n_kept[number])
    positions = positions[entries]
    equal = positions == leaders[run]
    others = np.flatnonzero(~equal)
    others = others[np.argsort(positions[others])]  # block by block is faster
    for start in range(0, len(others), CHUNK_ROWS):
        chunk = others[start : start + CHUNK_ROWS]
        kept = store.columns_at(positions[chunk])
        equal[chunk] = equal_rows([part[run[chunk]] for part in parts], kept)
    return run[equal], positions[equal]


class _Choice:
    """Which of equal rows are free yet, and which queries still want one.

    Parameters
    ----------
    positions : ndarray of int64, shape (n_copies,)
        Positions of the rows.
    beside : dict of str to ndarray of shape (n_copies, ...)
        What was kept beside the rows.
    queries : ndarray of int64, shape (n_queries,)
        Positions in the request.
    """

    def __init__(self, positions, beside, queries):
        self.positions, self.beside, self.queries = positions, beside, queries
        self.free = np.ones(len(positions), dtype=bool)
        self.open = np.ones(len(queries), dtype=bool)

    @cached_property
    def number(self):
        """A number for each row: those that differ in nothing share it."""
        number = np.zeros(len(self.positions), dtype=np.int64), np.empty(0, np.int64)
        for values in self.beside.values():
            number = join_numbers(number, number_rows(values, values[:0]))
        return number[0]

    def take(self, kind, asked):
        """Give rows to the queries of their kind, the last rows first.

        Parameters
        ----------
        kind : ndarray of int64, shape (n_copies,)
            What a query may say of a row, as a number.
        asked : ndarray of int64, shape (n_queries,)
            The number that each query says.
        """
        n_kinds = max(kind.max(initial=0), asked.max(initial=0)) + 1
        n_free = np.bincount(kind[self.free], minlength=n_kinds)
        n_open = np.bincount(asked[self.open], minlength=n_kinds)
        self._refuse_unclear(kind, asked, (n_open > 0) & (n_open < n_free))
        rows, queries = np.flatnonzero(self.free), np.flatnonzero(self.open)
        rows = rows[np.lexsort((-self.positions[rows], kind[rows]))]
        queries = queries[np.argsort(asked[queries], kind="stable")]
        self.free[rows[_rank(kind[rows]) < n_open[kind[rows]]]] = False
        self.open[queries[_rank(asked[queries]) < n_free[asked[queries]]]] = False

    def _refuse_unclear(self, kind, asked, some):
        """Raise if rows differ of which some, but not all, are asked for."""
        rows = np.flatnonzero(self.free & some[kind])
        if not len(rows) or not self.number.any():
            return
        any_of_kind = np.zeros(len(some), dtype=np.int64)
        any_of_kind[kind[rows]] = self.number[rows]
        unclear = np.zeros(len(some), dtype=bool)
        unclear[kind[rows][self.number[rows] != any_of_kind[kind[rows]]]] = True
        if not unclear.any():
            return
        queries = np.flatnonzero(self.open & unclear[asked])
        of_first = rows[kind[rows] == asked[queries[0]]]
        raise AmbiguousRowsError(
            f"Row {self.queries[queries[0]]} of X_forget "
            f"{_ADVICE[self._difference(of_first)]}",
            positions=self.queries[queries],
        )

    def _difference(self, rows):
        """Name the first thing in which rows differ."""
        for name, values in self.beside.items():
            if number_rows(values[rows], values[:0])[0].any():
                return name if name in _ADVICE else "params"


# What was kept beside equal rows, and how to say which of them are meant.
_ADVICE = {
    "y": "was fitted with different targets: pass y_forget to say which is meant.",
    "groups": "was fitted with different ids: pass groups=, those that are meant.",
    "index": "is equal to rows with different labels of the index: pass it as a frame "
    "that has them, X.loc[labels], or fit with ids and pass groups=.",
    "params": "was fitted with different arguments, such as weights: ask for all its "
    "copies, or fit with ids and pass groups=.",
    "types": "is equal to rows with cells of other types (None and NaN, 1 and True): "
    "give the cells as they were given to fit.",
}


def _rank(sorted_values):
    """Return the place of each value among those that are equal to it."""
    first = np.searchsorted(sorted_values, sorted_values)
    return np.arange(len(sorted_values)) - first
