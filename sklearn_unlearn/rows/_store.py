"""The kept training rows, found again by value as a multiset."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import Any, NamedTuple

import numpy as np

from sklearn_unlearn.exceptions import AmbiguousRowsError, UnknownRowsError
from sklearn_unlearn.rows._cells import (
    cell_codes,
    concatenate,
    row_hash,
    same_rows,
)
from sklearn_unlearn.rows._hash_index import HashIndex, run_starts
from sklearn_unlearn.rows._layouts import cast_cells, layout_of
from sklearn_unlearn.rows._row_view import RowView
from sklearn_unlearn.rows._search import SAMPLE_ROWS, find_nearby, match_targets
from sklearn_unlearn.utils._validation import as_ids

__all__ = ["RowStore", "Rows"]

N_NAMED = 5  # positions that an error message lists
CHUNK_BLOCKS = 16
FEW = 512  # ids that are located one by one


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

    BLOCK_ROWS = 128

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
        columns["id"] = np.arange(n_rows)
        self._blocks = [
            {name: values[i : i + size].copy() for name, values in columns.items()}
            for i in range(0, max(n_rows, 1), size)
        ]
        self._sizes = np.array([len(block["id"]) for block in self._blocks])
        self._index = None
        return self

    @property
    def n_rows(self):
        """Number of rows kept now."""
        return int(self._sizes.sum())

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
    def groups(self):
        """Ids of the rows, in their order; None if there are none."""
        return self._column("groups") if self.has_groups else None

    @property
    def param_names(self):
        """Names of the further things that belong to the rows."""
        return tuple(n[6:] for n in self._blocks[0] if n.startswith("param:"))

    # ------------------------------------------------------------------- reading

    def blocks_of(self, positions):
        """Return the number of the block of each of these rows."""
        return np.searchsorted(self._starts(), positions, side="right") - 1

    def rows_in(self, blocks):
        """Return how many rows these blocks hold."""
        return int(self._sizes[blocks].sum())

    def block_rows(self, blocks):
        """Return the rows of these blocks, and where each block starts in them.

        An empty block starts where the next one does.
        """
        sizes = self._sizes[blocks]
        rows = self._join([self._blocks[b] for b in blocks])
        return rows, np.concatenate([[0], np.cumsum(sizes[:-1])]).astype(np.int64)

    def through(self, transform):
        """Return the rows as a step behind a transformation sees them."""
        return RowView(self, transform)

    def rows(self):
        """Return all kept rows in their order, freshly allocated."""
        return self._join(self._blocks)

    def take(self, positions):
        """Return the rows at these positions, in ascending order."""
        return self._join(self._gather(np.sort(np.asarray(positions, np.int64))))

    def sample(self, n_rows):
        """Return the parts of at most `n_rows` rows, evenly spread."""
        return self._parts(np.arange(0, self.n_rows, self._step(n_rows)))

    def _step(self, n_rows):
        """Stride that visits at most `n_rows` rows."""
        return max(1, -(-self.n_rows // n_rows))

    def chunks(self):
        """Yield the parts of all rows, a few blocks at a time."""
        names = [f"X{i}" for i in range(self._n_parts)]
        for i in range(0, self.n_blocks, CHUNK_BLOCKS):
            blocks = self._blocks[i : i + CHUNK_BLOCKS]
            yield [concatenate([block[name] for block in blocks]) for name in names]

    def positions_of(self, ids):
        """Return the positions of rows by their ids."""
        if len(ids) > FEW:
            kept = self._column("id")
            table = np.empty(kept[-1] + 1, dtype=np.int64)
            table[kept] = np.arange(len(kept))
            return table[ids]
        numbers, starts = ids // self.BLOCK_ROWS, self._starts()
        positions = starts[numbers]
        local = [
            self._blocks[number]["id"].searchsorted(i)
            for number, i in zip(numbers.tolist(), ids.tolist(), strict=True)
        ]
        return positions + np.array(local, dtype=np.int64)

    def distinct_positions(self):
        """Return the position of one row for each value; needs the index."""
        return self.positions_of(self._index.distinct())

    def _starts(self):
        """Position of the first row of each block."""
        return np.cumsum(self._sizes) - self._sizes

    def _by_block(self, positions):
        """Yield numbers of blocks, and which of their rows these are."""
        if not len(positions):
            return
        starts = self._starts()
        numbers = self.blocks_of(positions)
        first = run_starts(numbers)
        stops = np.append(first[1:], len(positions))
        for start, stop in zip(first, stops, strict=True):
            yield numbers[start], positions[start:stop] - starts[numbers[start]]

    def _gather(self, positions, names=None):
        """Return the pieces of blocks at these ascending positions."""
        pieces = []
        for number, local in self._by_block(positions):
            block = self._blocks[number]
            pieces.append({name: block[name][local] for name in names or block})
        if not pieces:  # no rows, but of the right types
            block = self._blocks[0]
            pieces = [{name: block[name][:0] for name in names or block}]
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
        columns.pop("groups", None), columns.pop("id")
        params = {name[6:]: values for name, values in columns.items()}
        return Rows(self._layout.join(parts), y, params)

    # ---------------------------------------------------------------- forgetting

    def drop(self, positions):
        """Return a store without the rows at these positions; see `split`."""
        return self.split(positions)[0]

    def split(self, positions):
        """Return a store without some rows, and a function that returns these.

        Untouched blocks are shared; values, ids and hashes of the rows are gone
        from the store.
        """
        positions = np.sort(positions)
        if not len(positions):
            return self, lambda: self.take(positions)
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new._blocks, new._sizes = list(self._blocks), self._sizes.copy()
        pieces = []
        for number, local in self._by_block(positions):
            stays = np.ones(self._sizes[number], dtype=bool)
            stays[local] = False
            block = self._blocks[number]
            pieces.append({name: v[local] for name, v in block.items()})
            new._blocks[number] = {name: v[stays] for name, v in block.items()}
            new._sizes[number] -= len(local)
        if self._index is not None:
            names = ["id", *(f"X{i}" for i in range(self._n_parts))]
            ids, *parts = (concatenate([p[name] for p in pieces]) for name in names)
            new._index = self._index.without(row_hash(parts), ids)
        new._layout = self._layout.without_unused(lambda i: new._column(f"X{i}"))
        return new, lambda: self._join(pieces)

    # ------------------------------------------------------------------- finding

    def build_index(self):
        """Build the index of the rows, unless there is one."""
        if self._index is None:
            memo = {}
            hashes = [row_hash(parts, memo) for parts in self.chunks()]
            self._index = HashIndex(np.concatenate(hashes), self._column("id"))

    def find_groups(self, groups, *, on_unknown="raise"):
        """Return the positions of all rows of these ids."""
        groups, column = as_ids(groups), self._column("groups")
        asked, fits = cast_cells(groups[:, None], column.dtype)
        codes, asked = cell_codes(column), cell_codes(asked[:, 0])
        known = fits & np.isin(asked, codes)
        unknown = np.flatnonzero(~known)
        if len(unknown) and on_unknown == "raise":
            raise UnknownRowsError(
                f"{len(unknown)} of {len(groups)} ids in groups were never given to "
                f"fit, or are forgotten already; positions {_named(unknown)}. Pass "
                'on_unknown="ignore" to pass over them.'
            )
        return np.flatnonzero(np.isin(codes, asked[known]))

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
        hashes, meant, is_plain = self._match(parts, fits)
        if is_plain and (targets is None or self._has_targets(meant, targets)):
            chosen, unknown = meant[meant >= 0], np.flatnonzero(meant < 0)
        else:
            chosen, unknown = self._choose(hashes, meant, targets)
        if len(unknown) and on_unknown == "raise":
            target = "" if targets is None else " with that target"
            raise UnknownRowsError(
                f"{len(unknown)} of {len(fits)} rows in X_forget were never fitted"
                f"{target}, or are forgotten already; positions {_named(unknown)}. "
                'Pass on_unknown="ignore" to forget the others.'
            )
        return np.sort(self.positions_of(chosen))

    def _check_targets(self, y_forget, n_rows):
        if y_forget is None:
            return None
        if not self.has_target:
            raise ValueError("y_forget was given, but fit was given no target y.")
        y_forget = np.asarray(y_forget)
        shape = self._blocks[0]["y"].shape[1:]
        if y_forget.size == n_rows and shape in ((), (1,)):
            y_forget = y_forget.reshape(n_rows, *shape)  # a column is as good
        if y_forget.shape != (n_rows, *shape):
            raise ValueError(
                f"y_forget must have shape {(n_rows, *shape)}, one target per row of "
                f"X_forget; got {y_forget.shape}."
            )
        return y_forget

    def _match(self, parts, fits):
        """Return hash and id of a kept row that each query means; id -1 if none.

        Also tell whether the case is plain: each row is asked for once, and there
        is one of each.
        """
        hashes = row_hash(parts)
        distinct, number = np.unique(hashes, return_inverse=True)
        which, ids = self._index.matches(distinct)
        last = np.full(len(distinct), -1)
        last[which] = ids  # of the rows with this hash
        meant = np.where(fits, last[number], -1)
        asked = np.flatnonzero(meant >= 0)
        if len(asked):
            kept = self._parts(self.positions_of(meant[asked]))
            same = same_rows([part[asked] for part in parts], kept)
            meant[asked[~same]] = -1
        n_kept, n_asked = (
            np.bincount(n, minlength=len(distinct)) for n in (which, number)
        )
        is_plain = (n_kept <= 1).all() and (n_asked <= 1).all()
        lost = np.flatnonzero(fits & (meant < 0))
        if len(lost):
            near = find_nearby(self, [part[lost] for part in parts], lost)
            lost, near = lost[near >= 0], near[near >= 0]
        if len(lost):
            hashes[lost] = row_hash(self._parts(near))
            meant[lost] = self._column("id")[near]
            is_plain = False
        return hashes, meant, is_plain

    def _choose(self, hashes, meant, targets):
        """Choose ids to forget; return them and the queries without a row."""
        queries = np.flatnonzero(meant >= 0)
        if not len(queries):
            return np.empty(0, np.int64), np.flatnonzero(meant < 0)
        distinct, asked = np.unique(hashes[queries], return_inverse=True)
        kind, ids = self._index.matches(distinct)
        leader = np.empty(len(distinct), np.int64)
        leader[asked] = meant[queries]
        run, sizes = kind, np.bincount(kind)
        some_stay = (np.bincount(asked, minlength=len(sizes)) < sizes).any()
        if self.has_target and (targets is not None or some_stay):
            y, step = self._targets(ids), self._step(SAMPLE_ROWS)
            wanted = None if targets is None else targets[queries]
            kind, asked = match_targets(
                run, y, asked, wanted, queries, lambda: self._column("y")[::step]
            )
        # the last kept of each kind go first
        order = np.lexsort((-ids, kind))
        n_kinds = max(kind.max(), asked.max()) + 1
        n_kept = np.bincount(kind, minlength=n_kinds)
        n_asked = np.bincount(asked[asked >= 0], minlength=n_kinds)
        rank = np.arange(len(kind)) - np.repeat(np.cumsum(n_kept) - n_kept, n_kept)
        goes = order[rank < n_asked[kind[order]]]
        self._verify(ids[goes], leader[run[goes]])
        surplus = _beyond(asked, n_kept)
        unknown = np.append(np.flatnonzero(meant < 0), queries[surplus])
        return ids[goes], np.sort(unknown)

    def _has_targets(self, ids, targets):
        """Whether these ids, -1 aside, have exactly these targets."""
        known = ids >= 0
        return np.array_equal(self._targets(ids[known]), targets[known])

    def _targets(self, ids):
        """Return the targets of these ids."""
        positions = self.positions_of(ids)
        if len(ids) > FEW:
            return self._column("y")[positions]
        ascending, inverse = np.unique(positions, return_inverse=True)
        return concatenate([p["y"] for p in self._gather(ascending, ["y"])])[inverse]

    def _verify(self, ids, leaders):
        """Compare the chosen rows with the row that a query was compared with."""
        other = ids != leaders
        if not other.any():
            return
        first, second = (
            self._parts(self.positions_of(i[other])) for i in (ids, leaders)
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
    n_more = len(positions) - N_NAMED
    return f"{names} and {n_more} more" if n_more > 0 else names
