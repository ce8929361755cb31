"""Where the rows of a fit went, told by hashes, so that no row need be kept."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.rows._assignment import assign_rows
from sklearn_unlearn.rows._cells import cell_codes, row_hash
from sklearn_unlearn.rows._hash_index import ranges
from sklearn_unlearn.rows._ids import as_ids

__all__ = ["Places"]


class Places:
    """The shard and the slice of each row, in the order of the fit.

    Attributes
    ----------
    hashes : ndarray of uint64, shape (n_rows,)
    ids : ndarray of uint64, shape (n_rows,), or None
        Hashes of the ids that were given as groups.
    shard, piece : ndarray of int64, shape (n_rows,)
    dtype : numpy.dtype
        Of the rows.
    """

    @classmethod
    def of(cls, X, groups, n_shards, n_slices, seed):
        """Assign rows by their content, or by the ids of their groups.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
        groups : array-like of shape (n_rows,) or None
        n_shards, n_slices, seed : int
        """
        self = object.__new__(cls)
        self.dtype, self.hashes = X.dtype, row_hash([X])
        self.ids = None if groups is None else _codes(np.asarray(groups))
        unit = self.hashes if self.ids is None else row_hash([self.ids[:, None]])
        self.shard, self.piece = assign_rows(unit, n_shards, n_slices, seed)
        return self

    def __len__(self):
        return len(self.hashes)

    def without(self, positions):
        """Return the places of all rows but those at these positions."""
        new = object.__new__(type(self))
        new.dtype = self.dtype
        for name in ("hashes", "ids", "shard", "piece"):
            values = getattr(self, name)
            setattr(new, name, None if values is None else np.delete(values, positions))
        return new

    def find(self, X):
        """Find rows by value, as a multiset.

        Parameters
        ----------
        X : ndarray of shape (n_queries, n_features)

        Returns
        -------
        positions : ndarray of int64
            Of the rows that are known; of equal rows, the last.
        unknown : ndarray of int64
            Positions of the queries that are not, or not as often as asked for.
        """
        asked = row_hash([X.astype(self.dtype)])
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
        # the queries of each value in their order: those beyond the last row are lost
        order = np.argsort(number, kind="stable")
        rank = np.arange(len(order)) - np.repeat(np.cumsum(n_asked) - n_asked, n_asked)
        unknown = order[rank >= n_found[number[order]]]
        return np.sort(positions), np.sort(unknown)

    def find_groups(self, groups):
        """Find all rows of some ids; return what `find` does."""
        asked = _codes(as_ids(groups))
        positions = np.flatnonzero(np.isin(self.ids, asked))
        return positions, np.flatnonzero(~np.isin(asked, self.ids))


def _codes(ids):
    """Hash ids; numbers of any type that are equal have the same hash."""
    return cell_codes(ids.astype(object))
