"""Which slice each row of a fit belongs to, by hashes in place of the rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass, replace

import numpy as np

from sklearn_unlearn.rows._assignment import assign_rows
from sklearn_unlearn.rows._cells import RowHash
from sklearn_unlearn.rows._hash_index import ranges
from sklearn_unlearn.rows._ids import as_ids, id_codes
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["SliceAssignment"]


@saved_as("slices of rows")
@dataclass(frozen=True, eq=False)
class SliceAssignment:
    """The shard and the slice of each row, in the order of the fit.

    Attributes
    ----------
    dtype : numpy.dtype
        Type of the rows.
    row_hash : RowHash
        Gives the hashes. It is drawn by the seed, so that whoever hands in rows cannot
        make some that share a hash.
    hashes : ndarray of uint64, shape (n_rows,)
        Hashes of the rows.
    ids : ndarray of uint64, shape (n_rows,), or None
        Hashes of the ids that were given as groups.
    shard, slice : ndarray of int64, shape (n_rows,)
        Numbers of the shard, and of the slice of this shard.
    """

    dtype: np.dtype
    row_hash: RowHash
    hashes: np.ndarray
    ids: np.ndarray | None
    shard: np.ndarray
    slice: np.ndarray

    @classmethod
    def assign(cls, X, groups, n_shards, n_slices, seed):
        """Assign rows by their content, or by the ids of their groups.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Rows.
        groups : array-like of shape (n_rows,) or None
            One id per row; rows of one id share a slice.
        n_shards, n_slices : int
            Numbers of shards, and of slices of each.
        seed : int
            Another seed is another assignment.

        Returns
        -------
        SliceAssignment
        """
        row_hash = RowHash(seed)
        hashes, ids = row_hash([X]), None
        units = hashes
        if groups is not None:
            ids, missing = id_codes(as_ids(groups))
            ids[missing] = hashes[missing]  # nobody's rows, each by itself
            units = row_hash([ids[:, None]])
        places = assign_rows(units, n_shards, n_slices, seed)
        return cls(X.dtype, row_hash, hashes, ids, *places)

    def __len__(self):
        return len(self.hashes)

    def without(self, positions):
        """Return the assignment of all rows but those at these positions."""
        return replace(
            self,
            hashes=np.delete(self.hashes, positions),
            ids=None if self.ids is None else np.delete(self.ids, positions),
            shard=np.delete(self.shard, positions),
            slice=np.delete(self.slice, positions),
        )

    def find(self, X):
        """Find rows by value, as a multiset.

        Parameters
        ----------
        X : ndarray of shape (n_queries, n_features)
            Rows to look for.

        Returns
        -------
        positions : ndarray of int64
            Positions of the rows that are known; of equal rows, the last.
        unknown : ndarray of int64
            Positions of the queries that are not, or not as often as asked for.
        """
        asked = self.row_hash([X.astype(self.dtype)])
        distinct, number, n_asked = np.unique(
            asked, return_inverse=True, return_counts=True
        )
        near = np.flatnonzero(np.isin(self.hashes, distinct))
        near = near[np.argsort(self.hashes[near], kind="stable")]
        low, high = (
            np.searchsorted(self.hashes[near], distinct, side)
            for side in ("left", "right")
        )
        n_found = np.minimum(n_asked, high - low)
        positions = near[ranges(high - n_found, n_found)[0]]
        # of the queries of one value, in their order, those beyond the number of its
        # rows are unknown
        order = np.argsort(number, kind="stable")
        rank = np.arange(len(order)) - np.repeat(np.cumsum(n_asked) - n_asked, n_asked)
        unknown = order[rank >= n_found[number[order]]]
        return np.sort(positions), np.sort(unknown)

    def find_groups(self, groups):
        """Find all rows of some ids; return the same as `find`."""
        asked, missing = id_codes(as_ids(groups))
        positions = np.flatnonzero(np.isin(self.ids, asked[~missing]))
        return positions, np.flatnonzero(missing | ~np.isin(asked, self.ids))
