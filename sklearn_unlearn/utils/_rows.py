"""The kept training rows, found again by value as a multiset."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import Any, NamedTuple

import numpy as np

from sklearn_unlearn.exceptions import AmbiguousRowsError, UnknownRowsError
from sklearn_unlearn.utils._columns import (
    concatenate,
    layout_of,
    row_hash,
    same_rows,
)
from sklearn_unlearn.utils._row_search import find_nearby, match_targets

__all__ = ["RowStore", "Rows"]

N_NAMED = 5  # positions that an error message lists
CHUNK_BLOCKS = 8


class Rows(NamedTuple):
    """Training rows: `X`, `y` (None if there is no target), and per-row `params`."""

    X: Any
    y: Any
    params: dict


class RowStore:
    """Training rows in blocks, with an index of their hashes.

    Row ``i`` of a fit has the id ``i`` for ever. A block holds the rows of
    `BLOCK_ROWS` consecutive ids, as far as they are kept; a request replaces the
    blocks that it touches and shares all others. The index speaks of ids, callers
    of positions among the rows kept now, in the order of the fit.

    Use `keep` to make one.
    """

    BLOCK_ROWS = 256

    @classmethod
    def keep(cls, X, y=None, *, groups=None, params=None):
        """Copy training rows into a new store.

        Parameters
        ----------
        X : array-like, sparse matrix, data frame or list of documents
        y : array-like of shape (n_rows,) or (n_rows, n_outputs), default=None
        groups : array-like of shape (n_rows,), default=None
            One id per row.
        params : dict of str to array-like of shape (n_rows, ...), default=None
            Further things that belong to the rows.
        """
        self = object.__new__(cls)
        self._layout = layout_of(X)
        columns = {f"X{i}": part for i, part in enumerate(self._layout.split(X))}
        self._n_parts = len(columns)
        if y is not None:
            columns["y"] = np.asarray(y)
        if groups is not None:
            columns["groups"] = np.asarray(groups)
        columns.update({f"param:{k}": np.asarray(v) for k, v in (params or {}).items()})
        n_rows = columns["X0"].shape[0]
        for name, values in columns.items():
            if values.shape[0] != n_rows:
                raise ValueError(
                    f"Found input variables with inconsistent numbers of samples: X "
                    f"has {n_rows} rows, {name.split(':')[-1]} {values.shape[0]}."
                )
        size = cls.BLOCK_ROWS
        self._blocks = [
            {name: values[i : i + size].copy() for name, values in columns.items()}
            for i in range(0, n_rows, size)
        ]
        self._ids = np.arange(n_rows)
        self._index = None
        return self

    @property
    def n_rows(self):
        """Number of rows kept now."""
        return len(self._ids)

    @property
    def n_blocks(self):
        """Number of blocks, empty ones included."""
        return len(self._blocks)

    @property
    def has_target(self):
        """Whether the rows have targets."""
        return "y" in self._blocks[0]

    @property
    def has_groups(self):
        """Whether the rows have ids of groups."""
        return "groups" in self._blocks[0]

    @property
    def param_names(self):
        """Names of the further things that belong to the rows."""
        return tuple(n[6:] for n in self._blocks[0] if n.startswith("param:"))

    # ------------------------------------------------------------------- reading

    def blocks_of(self, positions):
        """Return the numbers of the blocks that hold these rows."""
        return np.unique(self._ids[positions] // self.BLOCK_ROWS)

    def rows_in(self, blocks):
        """Return how many rows these blocks hold."""
        sizes = np.diff(self._block_starts())
        return int(sizes[blocks].sum())

    def block_rows(self, blocks):
        """Return the rows of these blocks, and where each block starts in them.

        An empty block starts where the next one does.
        """
        starts = self._block_starts()
        sizes = np.diff(starts)[blocks]
        rows = self._join([self._blocks[b] for b in blocks])
        return rows, np.concatenate([[0], np.cumsum(sizes[:-1])]).astype(np.int64)

    def rows(self):
        """Return all kept rows in their order, freshly allocated."""
        return self._join(self._blocks)

    def take(self, positions):
        """Return the rows at these positions, in ascending order."""
        return self._join(self._gather(np.sort(positions)))

    def sample(self, n_rows):
        """Return the parts of at most `n_rows` rows, evenly spread."""
        return self._parts(np.arange(0, self.n_rows, -(-self.n_rows // n_rows)))

    def chunks(self):
        """Yield the parts of all rows, a few blocks at a time."""
        names = [f"X{i}" for i in range(self._n_parts)]
        for i in range(0, self.n_blocks, CHUNK_BLOCKS):
            blocks = self._blocks[i : i + CHUNK_BLOCKS]
            yield [concatenate([block[name] for block in blocks]) for name in names]

    def positions_of(self, ids):
        """Return the positions of many ids."""
        table = np.empty(self._ids[-1] + 1, dtype=np.int64)
        table[self._ids] = np.arange(self.n_rows)
        return table[ids]

    def _block_starts(self):
        """Position of the first row of each block, and the number of rows."""
        ids = np.arange(self.n_blocks + 1) * self.BLOCK_ROWS
        return np.searchsorted(self._ids, ids)

    def _gather(self, positions, names=None):
        """Return the pieces of blocks at these ascending positions."""
        ids, size = self._ids[positions], self.BLOCK_ROWS
        numbers, first = np.unique(ids // size, return_index=True)
        starts = np.searchsorted(self._ids, numbers * size)
        pieces = []
        bounds = np.append(first, len(positions))
        for i, number in enumerate(numbers):
            local = positions[bounds[i] : bounds[i + 1]] - starts[i]
            block = self._blocks[number]
            pieces.append({name: block[name][local] for name in names or block})
        return pieces

    def _parts(self, positions):
        """Return the parts of the rows at these positions, in their order."""
        ascending, inverse = np.unique(positions, return_inverse=True)
        names = [f"X{i}" for i in range(self._n_parts)]
        pieces = self._gather(ascending, names)
        return [concatenate([p[name] for p in pieces])[inverse] for name in names]

    def _column(self, name):
        """Return `y` or `groups` of all rows."""
        return concatenate([block[name] for block in self._blocks])

    def _join(self, pieces):
        columns = {
            name: concatenate([piece[name] for piece in pieces]) for name in pieces[0]
        }
        parts = [columns.pop(f"X{i}") for i in range(self._n_parts)]
        y = columns.pop("y", None)
        columns.pop("groups", None)
        params = {name[6:]: values for name, values in columns.items()}
        return Rows(self._layout.join(parts), y, params)

    # ---------------------------------------------------------------- forgetting

    def drop(self, positions):
        """Return a store without the rows at these positions.

        Untouched blocks are shared; values, ids and hashes of the rows are gone.
        """
        positions = np.sort(positions)
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new._blocks, new._ids = list(self._blocks), _delete(self._ids, positions)
        starts = self._block_starts()
        numbers = self.blocks_of(positions)
        for number in numbers:
            low, high = starts[number], starts[number + 1]
            bounds = np.searchsorted(positions, [low, high])
            stays = np.ones(high - low, dtype=bool)
            stays[positions[slice(*bounds)] - low] = False
            block = self._blocks[number]
            new._blocks[number] = {name: v[stays] for name, v in block.items()}
        if self._index is not None:
            gone = self._index_entries(positions)
            new._index = tuple(_delete(values, gone) for values in self._index)
        parts = [f"X{i}" for i in range(self._n_parts)]
        new._layout = self._layout.without_unused(_Lazily(new, parts))
        return new

    def _index_entries(self, positions):
        """Return where in the index these rows are, in ascending order."""
        hashes, ids = self._index
        query = np.unique(row_hash(self._parts(positions)))
        low, high = (np.searchsorted(hashes, query, side) for side in ("left", "right"))
        entries, _ = _ranges(low, high - low)
        wanted = self._ids[positions]
        place = np.searchsorted(wanted, ids[entries])
        place[place == len(wanted)] = 0
        return entries[wanted[place] == ids[entries]]

    # ------------------------------------------------------------------- finding

    def build_index(self):
        """Build the index of the rows, unless there is one."""
        if self._index is None:
            memo = {}
            names = [f"X{i}" for i in range(self._n_parts)]
            hashes = np.concatenate(
                [row_hash([block[n] for n in names], memo) for block in self._blocks]
            )
            order = np.argsort(hashes, kind="stable")  # equal rows by id
            self._index = hashes[order], self._ids[order]

    def find_groups(self, groups, *, on_unknown="raise"):
        """Return the positions of all rows of these ids."""
        column = self._column("groups")
        unknown = np.flatnonzero(~np.isin(groups, column))
        if len(unknown) and on_unknown == "raise":
            raise UnknownRowsError(
                f"{len(unknown)} of {len(groups)} ids in groups were never given to "
                f"fit, or are forgotten already; positions {_named(unknown)}. Pass "
                'on_unknown="ignore" to pass over them.'
            )
        return np.flatnonzero(np.isin(column, groups))

    def find(self, X_forget, y_forget=None, *, on_unknown="raise"):
        """Return the positions of the rows that a request means.

        Parameters
        ----------
        X_forget : container of rows
        y_forget : array-like, default=None
            Targets, to choose between equal rows.
        on_unknown : {"raise", "ignore"}, default="raise"

        Returns
        -------
        ndarray of int64
            Ascending positions among the kept rows.

        Raises
        ------
        UnknownRowsError
            If a row is not among the kept ones as often as asked for.
        AmbiguousRowsError
            If a row fits several kept rows that are not the same.
        """
        parts, fits = self._layout.cast(X_forget)
        targets = self._check_targets(y_forget, len(fits))
        self.build_index()
        runs = self._find_runs(parts, fits)
        chosen, unknown = self._choose(runs, targets)
        if len(unknown) and on_unknown == "raise":
            raise UnknownRowsError(
                f"{len(unknown)} of {len(fits)} rows in X_forget were never fitted, or "
                f"are forgotten already; positions {_named(unknown)}. Pass "
                'on_unknown="ignore" to forget the others.'
            )
        return np.searchsorted(self._ids, np.sort(chosen))

    def _check_targets(self, y_forget, n_rows):
        if y_forget is None:
            return None
        if not self.has_target:
            raise ValueError("y_forget was given, but fit was given no target y.")
        y_forget = np.asarray(y_forget)
        shape = self._blocks[0]["y"].shape[1:]
        if y_forget.shape != (n_rows, *shape):
            raise ValueError(
                f"y_forget must have shape {(n_rows, *shape)}, one target per row of "
                f"X_forget; got {y_forget.shape}."
            )
        return y_forget

    def _find_runs(self, parts, fits):
        """Return for each query where its run of equal rows starts, or -1."""
        hashes, ids = self._index
        query = row_hash(parts)
        runs = np.searchsorted(hashes, query)
        inside = fits & (runs < len(hashes))
        inside[inside] = hashes[runs[inside]] == query[inside]
        known = np.flatnonzero(inside)
        if len(known):
            kept = self._parts(np.searchsorted(self._ids, ids[runs[known]]))
            same = same_rows([part[known] for part in parts], kept)
            inside[known[~same]] = False
        runs = np.where(inside, runs, -1)
        lost = np.flatnonzero(fits & ~inside)
        if len(lost):
            found = find_nearby(self, [part[lost] for part in parts], lost)
            runs[lost] = np.where(
                found < 0, -1, np.searchsorted(hashes, hashes[found])
            )
        return runs

    def _choose(self, runs, targets):
        """Choose ids to forget; return them and the queries without a row."""
        hashes, ids = self._index
        known = np.flatnonzero(runs >= 0)
        if not len(known):
            return np.empty(0, np.int64), np.flatnonzero(runs < 0)
        starts, which = np.unique(runs[known], return_inverse=True)
        stops = np.searchsorted(hashes, hashes[starts], side="right")
        sizes = stops - starts
        entries, run = _ranges(starts, sizes)
        candidates = ids[entries]
        kind, asked = run, which
        if self.has_target and (targets is not None or self._some_stay(which, sizes)):
            y = self._column("y")[np.searchsorted(self._ids, candidates)]
            query = None if targets is None else targets[known]
            kind, asked = match_targets(run, y, which, query, known)
        # the last kept of each kind go first
        order = np.lexsort((-candidates, kind))
        n_kinds = max(kind.max(), asked.max()) + 1
        n_kept = np.bincount(kind, minlength=n_kinds)
        n_asked = np.bincount(asked[asked >= 0], minlength=n_kinds)
        rank = np.arange(len(kind)) - np.repeat(np.cumsum(n_kept) - n_kept, n_kept)
        goes = rank < n_asked[kind[order]]
        chosen = candidates[order][goes]
        self._verify(chosen, ids[starts[run[order][goes]]])
        surplus = _beyond(asked, n_kept)
        return chosen, np.sort(np.append(np.flatnonzero(runs < 0), known[surplus]))

    def _some_stay(self, which, sizes):
        return (np.bincount(which, minlength=len(sizes)) < sizes).any()

    def _verify(self, ids, leaders):
        """Compare the chosen rows with the row that the query was compared with."""
        other = ids != leaders
        if not other.any():
            return
        first, second = (
            self._parts(np.searchsorted(self._ids, i[other])) for i in (ids, leaders)
        )
        if not same_rows(first, second).all():
            raise AmbiguousRowsError(
                "Two different rows have the same 64-bit hash. Forget them one by one, "
                "or by groups."
            )

    def _comparable_state(self):
        """The rows without their arrangement, to compare two stores."""
        pieces = self._join(self._blocks)
        groups = self._column("groups") if self.has_groups else None
        return {"X": pieces.X, "y": pieces.y, "params": pieces.params, "groups": groups}


class _Lazily:
    """Parts of all rows, concatenated when they are iterated over."""

    def __init__(self, store, names):
        self._store, self._names = store, names

    def __iter__(self):
        return (self._store._column(name) for name in self._names)


def _ranges(starts, sizes):
    """Concatenate ranges; return them and the number of the range of each entry."""
    which = np.repeat(np.arange(len(starts)), sizes)
    first = np.cumsum(sizes) - sizes
    return np.arange(len(which)) + (starts - first)[which], which


def _delete(values, positions):
    """As ``np.delete`` for ascending positions, faster where they are few."""
    if len(positions) > 1000:
        return np.delete(values, positions)
    pieces = np.split(values, positions)
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


def _beyond(asked, n_kept):
    """Queries that ask for more rows of a kind than there are, or for none."""
    order = np.argsort(asked, kind="stable")
    kinds = asked[order]
    rank = np.arange(len(kinds)) - np.searchsorted(kinds, kinds)
    surplus = np.zeros(len(asked), dtype=bool)
    surplus[order] = (kinds < 0) | (rank >= n_kept[kinds])
    return surplus


def _named(positions):
    """Write the first few positions."""
    names = ", ".join(str(p) for p in positions[:N_NAMED])
    return f"{names}, ..." if len(positions) > N_NAMED else names
