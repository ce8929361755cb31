"""Row hashes, sorted, of which a request replaces few."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

__all__ = ["HashIndex", "ranges"]

# Entries per bucket: a request copies the buckets that it touches.
BUCKET_SIZE = 512


class HashIndex:
    """Sorted hashes with the ids of their rows, in buckets by leading bits.

    The buckets one after another are sorted by hash, and rows with the same hash
    by id.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n_rows,)
    ids : ndarray of int64, shape (n_rows,)
        Ascending.
    """

    def __init__(self, hashes, ids):
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
        which : ndarray of int64
            Number of the query, ascending, once for each row with its hash.
        ids : ndarray of int64
            Ids of these rows, ascending within a query.
        """
        which, ids = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for number, queries in self._by_bucket(hashes):
            kept, kept_ids = self._buckets[number]
            low = np.searchsorted(kept, hashes[queries], "left")
            high = np.searchsorted(kept, hashes[queries], "right")
            entries, query = ranges(low, high - low)
            which.append(query + queries.start)
            ids.append(kept_ids[entries])
        return np.concatenate(which), np.concatenate(ids)

    def without(self, hashes, ids):
        """Return an index without the rows of these hashes and ids."""
        new = object.__new__(type(self))
        new._shift, new._buckets = self._shift, list(self._buckets)
        order = np.argsort(hashes)
        hashes, ids = hashes[order], ids[order]
        for number, rows in self._by_bucket(hashes):
            kept, kept_ids = self._buckets[number]
            # of a few ids, comparing with all is faster than sorting
            gone = ids[rows]
            stays = (
                (kept_ids[:, None] != gone).all(axis=1)
                if len(gone) < 32
                else ~np.isin(kept_ids, gone)
            )
            new._buckets[number] = kept[stays], kept_ids[stays]
        return new

    def distinct(self):
        """Return one id for each hash, in the order of the hashes."""
        hashes = np.concatenate([h for h, _ in self._buckets])
        ids = np.concatenate([i for _, i in self._buckets])
        return ids[np.append(True, hashes[1:] != hashes[:-1])]

    def _by_bucket(self, hashes):
        """Yield numbers of buckets with the slice of ascending hashes in them."""
        numbers, starts = np.unique(hashes >> self._shift, return_index=True)
        if not len(hashes):
            return
        stops = np.append(starts[1:], len(hashes))
        for number, start, stop in zip(numbers, starts, stops, strict=True):
            yield int(number), slice(start, stop)


def ranges(starts, sizes):
    """Concatenate ranges; return them and the number of the range of each entry."""
    which = np.repeat(np.arange(len(starts)), sizes)
    first = np.cumsum(sizes) - sizes
    return np.arange(len(which)) + (starts - first)[which], which
