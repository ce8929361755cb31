"""Limits on threads, and rows in chunks of a fixed size.

Both depend on the network alone, never on how many cores a machine has: so memory is
bounded, and the bytes are the same on every machine that has the same arithmetic.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache

import numpy as np
import torch
from scipy import sparse
from threadpoolctl import ThreadpoolController

from sklearn_unlearn._engine._torch_defaults import usual_torch

__all__ = ["LARGE_PRODUCT", "dense", "map_chunks", "threads_for", "tile_rows"]

# Multiply-adds of one matrix product from which more threads are worth it. Below, one
# is faster, and the bytes do not depend on how many the machine has.
LARGE_PRODUCT = 1 << 25
# Outputs, of all draws, that one chunk may hold: 16 MB of float64.
CHUNK_OUTPUTS = 1 << 21
MAX_TILE_ROWS = 64


@cache
def _openmp():
    return ThreadpoolController().select(user_api="openmp")


def threads_for(largest_product):
    """Context with one thread for small matrix products of torch.

    OpenMP's limit belongs to the calling thread, so that fits in other threads are
    not disturbed.

    Parameters
    ----------
    largest_product : int
        Multiply-adds of the largest product that will be computed.
    """
    if largest_product >= LARGE_PRODUCT:
        return nullcontext()
    return _openmp().limit(limits=1)


def tile_rows(outputs_per_row: int) -> int:
    """Return how many rows a chunk has: a multiple of 16, at most `MAX_TILE_ROWS`."""
    return min(
        MAX_TILE_ROWS, max(16, CHUNK_OUTPUTS // max(1, outputs_per_row) // 16 * 16)
    )


def dense(X):
    """Return rows as an array."""
    return X.toarray() if sparse.issparse(X) else X


def map_chunks(function, X, n_rows, *, parallel=True, largest_product=0):
    """Apply a function to chunks of rows and join what it returns.

    Parameters
    ----------
    function : callable (X_chunk) -> ndarray or tuple of ndarray
        The first axis of each array is that of the rows.
    X : ndarray or CSR matrix of shape (n, n_features)
        The chunks are dense.
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
    starts = range(0, max(X.shape[0], 1), n_rows)

    def run(start):
        usual = usual_torch(gradients=False)
        # what is not finite is found by those who asked
        quiet = np.errstate(over="ignore", invalid="ignore")
        with threads_for(largest_product), torch.inference_mode(), usual, quiet:
            return function(dense(X[start : start + n_rows]))

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
