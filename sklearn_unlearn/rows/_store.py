"""The kept training rows, in blocks."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import secrets
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.rows._cells import RowHash, are_close, concatenate
from sklearn_unlearn.rows._hash_index import HashIndex, runs
from sklearn_unlearn.rows._hints import describe_other_types, refuse_what_is_no_table
from sklearn_unlearn.rows._ids import (
    as_ids,
    describe_other_kind,
    match_ids,
    warn_of_other_kind,
)
from sklearn_unlearn.rows._layouts import SparseLayout, as_column, layout_of
from sklearn_unlearn.rows._layouts._frozen import from_cells, to_cells
from sklearn_unlearn.rows._lookup import match_rows
from sklearn_unlearn.rows._request import RowView
from sklearn_unlearn.rows._targets import check_targets
from sklearn_unlearn.rows._whole_numbers import restore_whole_numbers
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["RowStore", "Rows", "holds_in_order", "n_dimensions"]

N_NAMED = 5  # positions that an error message lists
CHUNK_BLOCKS = 16  # blocks that are read at a time
FEW = 512  # rows that are located one by one


class Rows(NamedTuple):
    """Training rows: `X`, `y` (None if there is no target), and per-row `params`."""

    X: Any
    y: Any
    params: dict


@saved_as("kept rows")
class RowStore:
    """Training rows in blocks, with an index of their hashes.

    Row ``i`` of a fit has the id ``i`` for ever. A block holds the rows of
    `BLOCK_ROWS` consecutive ids, as far as they are kept; a request replaces the
    blocks that it touches and shares all others. The index speaks of ids, callers
    of positions among the rows kept now, in the order of the fit. No store is ever
    changed, but for the index that is built once.

    Use `keep` to make one.
    """

    BLOCK_ROWS = 128

    #: Whether each row is a column, too; see `SquareStore`.
    is_square = False

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
        self._part_names = list(columns)
        labels = self._layout.labels(X)
        if labels is not None:
            columns["index"] = labels
        if y is not None:
            columns["y"] = as_column(y)
        if groups is not None:
            columns["groups"] = as_ids(groups)
        columns.update({f"param:{k}": as_column(v) for k, v in (params or {}).items()})
        self._sparse = {
            name: SparseLayout(values)
            for name, values in columns.items()
            if sparse.issparse(values) and name not in self._part_names
        }
        for name, layout in self._sparse.items():
            columns[name] = layout.split(columns[name])[0]
        n_rows = columns["X0"].shape[0]
        for name, values in columns.items():
            if values.shape[:1] != (n_rows,):
                n_values = values.shape[0] if values.shape else "none"
                raise ValueError(
                    f"Found input variables with inconsistent numbers of samples: X "
                    f"has {n_rows} rows, {name.split(':')[-1]} {n_values}."
                )
        size = cls.BLOCK_ROWS
        columns["id"] = np.arange(n_rows)
        self._blocks = [
            {name: values[i : i + size].copy() for name, values in columns.items()}
            for i in range(0, max(n_rows, 1), size)
        ]
        # where each block starts, and where the last one ends
        self._bounds = np.append(np.arange(0, max(n_rows, 1), size), n_rows)
        self._index = None
        return self

    @property
    def n_rows(self):
        """Number of rows kept now."""
        return int(self._bounds[-1])

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
    def column_names(self):
        """Names of the columns of a frame; None if the rows came in no frame."""
        return getattr(self._layout, "names", None)

    @property
    def param_names(self):
        """Names of the further things that belong to the rows."""
        return tuple(n[6:] for n in self._blocks[0] if n.startswith("param:"))

    def __getstate__(self):
        # an index is made anew, with another seed: pickles of equal fits are equal
        blocks = _each(to_cells, self._blocks)
        return {**self.__dict__, "_index": None, "_blocks": blocks}

    def __setstate__(self, state):
        self.__dict__.update(state, _blocks=_each(from_cells, state["_blocks"]))

    # ------------------------------------------------------------------- reading

    def rows(self):
        """Return all kept rows in their order, freshly allocated."""
        return self._join(self._blocks)

    def take(self, positions):
        """Return the rows at these positions, in ascending order."""
        return self._join(self._gather(np.sort(np.asarray(positions, np.int64))))

    def block_rows(self, blocks):
        """Return the rows of these blocks, and where each block starts in them.

        An empty block starts where the next one does.
        """
        sizes = np.diff(self._bounds)[blocks]
        rows = self._join([self._blocks[b] for b in blocks])
        return rows, np.concatenate([[0], np.cumsum(sizes[:-1])]).astype(np.int64)

    def through(self, transform):
        """Return the rows as the step behind a transformation sees them."""
        return RowView(self, transform)

    def without_params(self):
        """Return the same rows without their per-row params."""
        return RowView(self, None)

    def blocks_of(self, positions):
        """Return the number of the block of each of these rows."""
        return np.searchsorted(self._bounds[1:], positions, side="right")

    def rows_in(self, blocks):
        """Return how many rows these blocks hold."""
        return int(np.diff(self._bounds)[blocks].sum())

    def _gather(self, positions, names=None):
        """Return columns of the rows at these ascending positions, block by block."""
        gathered = []
        for number, entries in runs(self.blocks_of(positions)):
            block, local = self._blocks[number], positions[entries]
            local = local - self._bounds[number]
            if not np.array_equal(local, np.arange(len(block["id"]))):
                block = {name: block[name][local] for name in names or block}
            gathered.append({name: block[name] for name in names or block})
        if not gathered:  # no rows, but of the right types
            block = self._blocks[0]
            gathered = [{name: block[name][:0] for name in names or block}]
        return gathered

    def _join(self, blocks):
        """Return rows made of the columns of blocks, or of parts of them."""
        columns = {
            name: concatenate([block[name] for block in blocks]) for name in blocks[0]
        }
        parts = [columns.pop(name) for name in self._part_names]
        for name, layout in self._sparse.items():
            columns[name] = layout.join([columns[name]])
        y, labels = columns.pop("y", None), columns.pop("index", None)
        columns.pop("groups", None), columns.pop("id")
        params = {name[6:]: values for name, values in columns.items()}
        return Rows(self._layout.join(parts, labels), y, params)

    def _column(self, name):
        """Return one column of all rows: "y", "groups", "id", or a part of X."""
        return concatenate([block[name] for block in self._blocks])

    def _comparable_state(self):
        """Return the rows without their arrangement, to compare two stores."""
        rows = self.rows()
        groups = self._column("groups") if self.has_groups else None
        return {"X": rows.X, "y": rows.y, "params": rows.params, "groups": groups}

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
        new._blocks, dropped = list(self._blocks), []
        # each bound moves by the number of rows that go before it
        new._bounds = self._bounds - np.searchsorted(positions, self._bounds)
        for number, entries in runs(self.blocks_of(positions)):
            block, local = self._blocks[number], positions[entries]
            local = local - self._bounds[number]
            stays = np.ones(len(block["id"]), dtype=bool)
            stays[local] = False
            dropped.append({name: v[local] for name, v in block.items()})
            new._blocks[number] = {name: v[stays] for name, v in block.items()}
        if self._index is not None:
            ids, *parts = (
                concatenate([block[name] for block in dropped])
                for name in ("id", *self._part_names)
            )
            hashes = self._index.row_hash(parts)
            new._index = self._index.without(hashes, ids)
        new._layout = self._layout.without_unused_categories(new._column)
        return new, lambda: self._join(dropped)

    # ------------------------------------------------------------------- finding

    def build_index(self):
        """Build the index of the rows, unless there is one."""
        if self._index is None:
            # a seed that nobody knows, for as long as the index lives: no rows can be
            # made that share a hash
            row_hash, memo = RowHash(secrets.randbits(128)), {}
            hashes = [row_hash(parts, memo) for parts in self.chunks()]
            hashes = np.concatenate(hashes)
            self._index = HashIndex(row_hash, hashes, self._column("id"))

    def find(self, X_forget, y_forget=None, *, ids=None, on_unknown="raise"):
        """Return the positions of the rows that a request means.

        Parameters
        ----------
        X_forget : container of rows
        y_forget : array-like, default=None
            Targets, to choose between equal rows.
        ids : array-like of shape (n_queries,), default=None
            Ids of the rows, if they come with them.
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
        if len(getattr(self._layout, "shape", (0,))) == 1:
            refuse_what_is_no_table(X_forget)
        parts, fits, rounded = self._layout.cast(X_forget)
        if y_forget is not None:
            if not self.has_target:
                raise ValueError(
                    "y_forget was given, but fit was given no target y: leave "
                    "y_forget out."
                )
            shape = self._blocks[0]["y"].shape[1:]
            y_forget = check_targets(y_forget, len(fits), shape)
        labels = self._layout.cast_labels(X_forget) if self.has_own_labels else None
        if self.n_rows and any(numbers is not None for numbers in rounded):
            parts, fits = restore_whole_numbers(self, parts, fits, rounded)
        positions, unknown = match_rows(self, parts, fits, y_forget, labels, ids)
        if len(unknown) and on_unknown == "raise":
            target = "" if y_forget is None else " with that target"
            target = target if ids is None else f"{target} under that id"
            raise UnknownRowsError(
                f"{len(unknown)} of {len(fits)} rows in X_forget were never fitted"
                f"{target}, not as often as asked for, or are forgotten already; "
                f"positions {_first(unknown)}.{describe_other_types(fits[unknown])} "
                'Pass on_unknown="ignore" to forget the others.',
                positions=unknown,
            )
        return np.sort(positions)

    def find_groups(self, groups, *, on_unknown="raise"):
        """Return the positions of all rows of these ids, ascending."""
        kept, groups = self._column("groups"), as_ids(groups)
        positions, unknown = match_ids(kept, groups)
        if len(unknown) and on_unknown == "raise":
            raise UnknownRowsError(
                f"{len(unknown)} of {len(groups)} ids in groups were never given to "
                f"fit, or are forgotten already; positions {_first(unknown)}."
                f"{describe_other_kind(kept, groups[unknown])} Pass "
                'on_unknown="ignore" to pass over them.',
                positions=unknown,
                groups=groups[unknown].tolist(),
            )
        warn_of_other_kind(kept, groups)
        return positions

    # ------------------------------------------------------ what the look-up reads

    def candidates(self, hashes):
        """Return the rows that have these hashes; build the index if there is none.

        Parameters
        ----------
        hashes : ndarray of uint64, shape (n_queries,)
            Ascending, each once.

        Returns
        -------
        query : ndarray of int64
            Number of the query, ascending, once for each row with its hash.
        positions : ndarray of int64
            Positions of these rows, ascending within a query.
        """
        if self._index is None:
            self.build_index()
        query, ids = self._index.matches(hashes)
        return query, self.positions_of(ids)

    def positions_of(self, ids):
        """Return the positions of rows by their ids."""
        if len(ids) > FEW:
            kept = self._column("id")
            table = np.empty(kept[-1] + 1, dtype=np.int64)
            table[kept] = np.arange(len(kept))
            return table[ids]
        numbers = ids // self.BLOCK_ROWS
        local = [
            self._blocks[number]["id"].searchsorted(i)
            for number, i in zip(numbers.tolist(), ids.tolist(), strict=True)
        ]
        return self._bounds[numbers] + np.array(local, dtype=np.int64)

    @property
    def names_beside(self):
        """Names of what tells equal rows apart, such as "y" and "groups"."""
        names = [n for n in self._blocks[0] if n not in (*self._part_names, "id")]
        if not self.has_own_labels:
            names = [name for name in names if name != "index"]
        return sorted(names, key=lambda n: (n.startswith("param:"), n != "y", n))

    @property
    def has_own_labels(self):
        """Whether the labels of the rows say more than their place."""
        return getattr(self._layout, "has_own_labels", False)

    def hash_rows(self, parts):
        """Return the hashes of rows; build the index if there is none."""
        self.build_index()
        return self._index.row_hash(parts)

    def columns_at(self, positions, names=None):
        """Return columns of the rows at these positions, in their order.

        Parameters
        ----------
        positions : ndarray of int64
        names : list of str, default=None
            None means those of X, its parts.
        """
        names = self._part_names if names is None else names
        ascending, inverse = np.unique(positions, return_inverse=True)
        if len(ascending) == len(positions) and (ascending == positions).all():
            inverse = slice(None)
        blocks = self._gather(ascending, names)
        columns = [concatenate([b[name] for b in blocks])[inverse] for name in names]
        return [
            _dense(values) if name in self._sparse else values
            for name, values in zip(names, columns, strict=True)
        ]

    def part(self, number):
        """Return a part of all rows."""
        return self._column(self._part_names[number])

    def part_columns(self, number, columns):
        """Return a slice of the columns of a part, which must be dense, as rows."""
        name = self._part_names[number]
        cells = [block[name][:, columns].T for block in self._blocks]
        return np.concatenate(cells, axis=1)

    def targets(self):
        """Return the targets of all rows."""
        return _dense(self._column("y"))

    def sample(self, n_rows):
        """Return the parts of at most `n_rows` rows, evenly spread."""
        stride = max(1, -(-self.n_rows // n_rows))
        return self.columns_at(np.arange(0, self.n_rows, stride))

    def chunks(self):
        """Yield the parts of all rows, a few blocks at a time."""
        for i in range(0, self.n_blocks, CHUNK_BLOCKS):
            blocks = self._blocks[i : i + CHUNK_BLOCKS]
            yield [
                concatenate([block[name] for block in blocks])
                for name in self._part_names
            ]


def n_dimensions(store):
    """Return the number of dimensions of rows together: more than two for images."""
    return max(2, 1 + len(getattr(store._layout, "shape", (0,))))


def holds_in_order(store, X, y):
    """Tell whether these are, but for rounding, the rows of a store in order."""
    parts, fits, _ = store._layout.cast(X)
    if len(fits) != store.n_rows or not fits.all():
        return False
    positions = np.arange(store.n_rows)
    pairs = list(zip(store.columns_at(positions), parts, strict=True))
    if y is not None and store.has_target:
        kept = store.columns_at(positions, ["y"])[0]
        pairs.append((kept, np.asarray(y).reshape(kept.shape)))
    return all(are_close(*pair) for pair in pairs)


def _each(change, blocks):
    """Return blocks with each of their columns changed."""
    return [{name: change(values) for name, values in b.items()} for b in blocks]


def _dense(targets):
    """Return what may be sparse, such as targets of several labels, as an array."""
    return targets.toarray() if sparse.issparse(targets) else targets


def _first(positions):
    """Write the first few positions."""
    names = ", ".join(str(p) for p in positions[:N_NAMED])
    n_more = len(positions) - N_NAMED
    return f"{names} and {n_more} more" if n_more > 0 else names
