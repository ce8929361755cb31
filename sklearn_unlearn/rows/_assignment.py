"""Assignment of rows to shards, and to slices of shards."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.rows._cells import row_hash

__all__ = ["assign_rows"]


def assign_rows(parts_or_hashes, n_shards, n_slices, seed):
    """Assign each row to a slice of a shard by its own content alone.

    Equal rows share a slice. The slice of a row does not depend on which other rows
    there are.

    Parameters
    ----------
    parts_or_hashes : list of arrays with n_rows rows, or ndarray of uint64
        Rows as `row_hash` takes them (one column of ids, say), or their hashes.
    n_shards : int
        Number of shards.
    n_slices : int
        Number of slices of each shard.
    seed : int
        Another seed gives another assignment.

    Returns
    -------
    shards, slices : ndarray of int64, shape (n_rows,)
        Shard of each row, and slice within it.
    """
    hashes = parts_or_hashes
    if isinstance(hashes, list):
        hashes = row_hash(hashes)
    key = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
    slice_numbers = _mix_bits(hashes ^ key) % np.uint64(n_shards * n_slices)
    shards, slices = np.divmod(slice_numbers.astype(np.int64), n_slices)
    return shards, slices


def _mix_bits(codes):
    """Return codes of which each bit depends on all bits of the input (SplitMix64)."""
    codes = codes + np.uint64(0x9E3779B97F4A7C15)
    codes = (codes ^ (codes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    codes = (codes ^ (codes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return codes ^ (codes >> np.uint64(31))
