"""Rows in chunks of a fixed size, each on one thread.

The size depends on the network alone, never on the number of threads: so memory is
bounded, and the bytes are the same on every machine that has the same arithmetic.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from sklearn_unlearn._engine._threads import threads_for

__all__ = ["map_chunks", "tile_rows"]

# Outputs, of all draws, that one chunk may hold: 16 MB of float64.
CHUNK = 1 << 21
MOST_ROWS = 64


def tile_rows(outputs_per_row: int) -> int:
    """Return how many rows a chunk has: a multiple of 16, at most `MOST_ROWS`."""
    return min(MOST_ROWS, max(16, CHUNK // max(1, outputs_per_row) // 16 * 16))


def map_chunks(function, X, n_rows, *, parallel=True, largest_product=0):
    """Apply a function to chunks of rows and join what it returns.

    Parameters
    ----------
    function : callable (X_chunk) -> ndarray or tuple of ndarray
        The first axis of each array is that of the rows.
    X : ndarray of shape (n, n_features)
    n_rows : int
        Rows of a chunk.
    parallel : bool, default=True
        Whether chunks may run in several threads.
    largest_product : int, default=0
        Multiply-adds of the largest product of a chunk; see `threads_for`.

    Returns
    -------
    ndarray or tuple of ndarray
    """
    starts = range(0, max(len(X), 1), n_rows)

    def run(start):
        with threads_for(largest_product), torch.inference_mode():
            return function(X[start : start + n_rows])

    n_threads = min(torch.get_num_threads(), len(starts)) if parallel else 1
    if n_threads > 1:
        with ThreadPoolExecutor(n_threads) as pool:
            results = list(pool.map(run, starts))
    else:
        results = [run(start) for start in starts]
    if len(results) == 1:
        return results[0]
    if isinstance(results[0], tuple):
        return tuple(np.concatenate(parts) for parts in zip(*results, strict=True))
    return np.concatenate(results)
