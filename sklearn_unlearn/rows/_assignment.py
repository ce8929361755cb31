"""Assignment of rows to shards, and to slices of them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.rows._cells import row_hash

__all__ = ["assign_rows"]


def assign_rows(parts_or_hashes, n_shards, n_slices, seed):
    """Assign rows to slices of shards, each by its own content alone.

    Equal rows share a slice. A row stays where it is, whatever else is in the data
    or is taken out of it.

    Parameters
    ----------
    parts_or_hashes : list of arrays with n_rows rows, or ndarray of uint64
        Rows as `row_hash` takes them (one column of ids, say), or their hashes.
    n_shards, n_slices : int
    seed : int
        Another seed is another assignment.

    Returns
    -------
    shards, slices : ndarray of int64, shape (n_rows,)
    """
    hashes = parts_or_hashes
    if isinstance(hashes, list):
        hashes = row_hash(hashes)
    key = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
    numbers = _mix_bits(hashes ^ key) % np.uint64(n_shards * n_slices)
    shards, slices = np.divmod(numbers.astype(np.int64), n_slices)
    return shards, slices


def _mix_bits(codes):
    """Let every bit of a code decide about every bit of the result (SplitMix64)."""
    codes = codes + np.uint64(0x9E3779B97F4A7C15)
    codes = (codes ^ (codes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    codes = (codes ^ (codes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return codes ^ (codes >> np.uint64(31))
