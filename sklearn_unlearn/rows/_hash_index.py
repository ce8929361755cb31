"""Index of row hashes in buckets, of which a request replaces few."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import itertools

import numpy as np

__all__ = ["HashIndex", "ranges", "run_starts", "runs"]

# Entries per bucket: a request copies the buckets that it touches.
BUCKET_SIZE = 512


class HashIndex:
    """Sorted hashes with the ids of their rows, in buckets by leading bits.

    The buckets one after another are sorted by hash, and rows with the same hash
    by id.

    Parameters
    ----------
    row_hash : RowHash
        Gives the hashes. If nobody else knows its seed, nobody can make rows that
        share a hash.
    hashes : ndarray of uint64, shape (n_rows,)
    ids : ndarray of int64, shape (n_rows,)
        Ascending.
    """

    def __init__(self, row_hash, hashes, ids):
        self.row_hash = row_hash
        order = np.argsort(hashes, kind="stable")
        hashes, ids = hashes[order], ids[order]
        n_bits = max(1, int(np.log2(max(2, len(ids) / BUCKET_SIZE))))
        self._shift = np.uint64(64 - n_bits)
        bounds = np.searchsorted(hashes >> self._shift, np.arange(1, 1 << n_bits))
        self._buckets = [
            (h.copy(), i.copy())
            for h, i in zip(
                np.split(hashes, bounds), np.split(ids, bounds), strict=True
            )
        ]

    def matches(self, hashes):
        """Return the rows that have these hashes.

        Parameters
        ----------
        hashes : ndarray of uint64, shape (n_queries,)
            Ascending, each once.

        Returns
        -------
        query : ndarray of int64
            Number of the query, ascending, once for each row with its hash.
        ids : ndarray of int64
            Ids of these rows, ascending within a query.
        """
        query, ids = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for bucket, queries in runs(hashes >> self._shift):
            kept, kept_ids = self._buckets[bucket]
            low = kept.searchsorted(hashes[queries], "left")
            high = kept.searchsorted(hashes[queries], "right")
            if len(low) == 1:  # the most frequent case, made short
                query.append(np.full(high[0] - low[0], queries.start))
                ids.append(kept_ids[low[0] : high[0]])
                continue
            entries, which = ranges(low, high - low)
            query.append(which + queries.start)
            ids.append(kept_ids[entries])
        return np.concatenate(query), np.concatenate(ids)

    def without(self, hashes, ids):
        """Return an index without the rows of these hashes and ids."""
        new = object.__new__(type(self))
        new.row_hash, new._shift = self.row_hash, self._shift
        new._buckets = list(self._buckets)
        order = np.argsort(hashes)
        hashes, ids = hashes[order], ids[order]
        for bucket, rows in runs(hashes >> self._shift):
            kept, kept_ids = self._buckets[bucket]
            # of a few ids, comparing with all is faster than sorting
            gone = ids[rows]
            stays = (
                (kept_ids[:, None] != gone).all(axis=1)
                if len(gone) < 32
                else ~np.isin(kept_ids, gone)
            )
            new._buckets[bucket] = kept[stays], kept_ids[stays]
        return new


def run_starts(values):
    """Return where each run of equal values starts in sorted values.

    It is what ``np.unique`` computes, without sorting.
    """
    changes = np.empty(len(values), dtype=bool)
    changes[:1] = True
    np.not_equal(values[1:], values[:-1], out=changes[1:])
    return np.flatnonzero(changes)


def runs(values):
    """Yield each run of equal values in sorted values: the value and its slice."""
    bounds = [*run_starts(values).tolist(), len(values)]
    for start, stop in itertools.pairwise(bounds):
        yield int(values[start]), slice(start, stop)


def ranges(starts, sizes):
    """Concatenate ranges; return them and the number of the range of each entry."""
    which = np.repeat(np.arange(len(starts)), sizes)
    first = np.cumsum(sizes) - sizes
    return np.arange(len(which)) + (starts - first)[which], which
