"""Cholesky factors of kernel matrices, from which rows can be taken."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy.linalg import blas, lapack

from sklearn_unlearn.utils._saved import saved_as

__all__ = ["KernelFactor", "update_is_cheaper", "without_rows"]

# Columns that are rotated together, at least and at most.
MIN_PANEL, MAX_PANEL = 32, 256
# Runs of kept rows up to which a matrix is copied run by run.
FEW_RUNS = 32
CHUNK_COLUMNS = 64
# Rows per row to take off, from which a new factor costs more.
MIN_SHARE = 16
# Targets that are multiplied one by one, which takes less time for few.
FEW_TARGETS = 16
# Largest first correction of a solution, relative to it, that is trusted.
MAX_CORRECTION = 1e-9


def update_is_cheaper(keep):
    """Whether it takes less time to update a factor than to compute it anew.

    Parameters
    ----------
    keep : ndarray of shape (n,), dtype=bool
        False for the rows to take off.
    """
    return MIN_SHARE * (len(keep) - keep.sum()) <= len(keep)


def without_rows(factor, keep):
    """Return the Cholesky factor of a matrix that loses rows and columns.

    Behind the first row taken off, the factor is turned by orthogonal matrices,
    which neither cancels digits nor lets rounding grow from request to request.

    Parameters
    ----------
    factor : ndarray of shape (n, n), dtype=float64
        Lower Cholesky factor. What is above its diagonal is cut, not read.
    keep : ndarray of shape (n,), dtype=bool
        False for the rows to take off, of which there is at least one.

    Returns
    -------
    ndarray of shape (m, m), Fortran-ordered
    """
    gone, kept = np.flatnonzero(~keep), np.flatnonzero(keep)
    new, first = _cut(factor, keep), gone[0]
    behind = kept[first:]
    lost = factor[first:, gone][keep[first:]]
    lost[behind[:, None] < gone] = 0.0  # above the diagonal
    _add_columns(new[first:, first:], lost)
    return new


def _cut(matrix, keep):
    """Return a matrix without some rows and the same columns, Fortran-ordered."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]])))
    starts, stops = edges[::2], edges[1::2]
    new = np.empty((keep.sum(),) * 2, order="F")
    if len(starts) <= FEW_RUNS:  # in large pieces
        ends = np.cumsum(stops - starts)
        runs = [
            (slice(a, b), slice(end - (b - a), end))
            for a, b, end in zip(starts, stops, ends, strict=True)
        ]
        for columns, new_columns in runs:
            for rows, new_rows in runs:
                new[new_rows, new_columns] = matrix[rows, columns]
        return new
    kept = np.flatnonzero(keep)
    for start in range(0, len(kept), CHUNK_COLUMNS):
        part = slice(start, start + CHUNK_COLUMNS)
        new[:, part] = matrix[:, kept[part]][kept]
    return new


def _add_columns(factor, columns):
    """Turn the lower factor L of ``L L^T`` into that of ``L L^T + C C^T``, in place.

    Panel by panel of L, the product of an orthogonal matrix from the right with
    ``[L, C]`` makes the rows of C within the panel zero.
    """
    n_rows, k = columns.shape
    width = min(max(MIN_PANEL, k), MAX_PANEL)
    for start in range(0, n_rows, width):
        stop = min(start + width, n_rows)
        w = stop - start
        panel = factor[start:stop, start:stop]
        lower = np.tril_indices(w)
        stacked = np.zeros((w + k, w + k), order="F")
        stacked[:w, :w][lower[::-1]] = panel[lower]  # transposed
        stacked[w:, :w] = columns[start:stop].T
        turned, tau, _, _ = lapack.dgeqrf(stacked[:, :w], overwrite_a=0)
        sign = np.where(np.diag(turned) < 0, -1.0, 1.0)  # a factor's is positive
        panel[lower] = (turned[:w] * sign[:, None]).T[lower]
        if stop == n_rows:
            return
        stacked[:, :w] = turned
        padded = np.concatenate([tau, np.zeros(k)])
        Q, _, _ = lapack.dorgqr(stacked, padded, overwrite_a=1)
        Q[:, :w] *= sign
        below, rest = factor[stop:, start:stop], columns[stop:]
        turned_below = below @ Q[:w, :w] + rest @ Q[w:, :w]
        columns[stop:] = below @ Q[:w, w:] + rest @ Q[w:, w:]
        factor[stop:, start:stop] = turned_below


@saved_as("factor of a kernel matrix")
class KernelFactor:
    """A kernel matrix and its Cholesky factor, both in one array.

    Below and on the diagonal of the array is the factor, above it the matrix, whose
    diagonal is in an array of its own.

    Use `of` to make one.
    """

    def __init__(self, both, diagonal):
        self._both, self._diagonal = both, diagonal

    @classmethod
    def of(cls, matrix):
        """Factor a symmetric matrix, which is overwritten.

        Parameters
        ----------
        matrix : ndarray of shape (n, n)

        Returns
        -------
        KernelFactor or None
            None if the matrix is not positive definite.
        """
        diagonal = matrix.diagonal().copy()
        both = matrix.T if matrix.flags.c_contiguous else matrix
        both, info = lapack.dpotrf(both, lower=1, clean=0, overwrite_a=1)
        return None if info else cls(both, diagonal)

    def without(self, keep):
        """Return the factor of the matrix without some rows and columns.

        Parameters
        ----------
        keep : ndarray of shape (n,), dtype=bool
            False for the rows to take off.

        Returns
        -------
        KernelFactor or None
            None if rounding leaves no positive definite matrix.
        """
        if update_is_cheaper(keep):
            both = without_rows(self._both, keep)
            return type(self)(both, self._diagonal[keep])
        return type(self)(_cut(self._both, keep), self._diagonal[keep]).recomputed()

    def recomputed(self):
        """Return the factor computed anew from the matrix.

        Returns
        -------
        KernelFactor or None
            None if the matrix is not positive definite.
        """
        matrix = np.triu(self._both, 1)
        matrix += matrix.T
        np.fill_diagonal(matrix, self._diagonal)
        return type(self).of(matrix)

    def solve(self, B):
        """Solve linear equations, with a step of iterative refinement.

        Parameters
        ----------
        B : ndarray of shape (n, n_targets)

        Returns
        -------
        ndarray of shape (n, n_targets) or None
            None if the step is so large that digits have been lost: the matrix
            is ill-conditioned, or the factor has drifted from it.
        """
        solution = lapack.dpotrs(self._both, B, lower=1)[0]
        product = self._times(solution)
        # in which the diagonal is the factor's
        product += (self._diagonal - self._both.diagonal())[:, None] * solution
        step = lapack.dpotrs(self._both, B - product, lower=1)[0]
        trusted = np.abs(step).max() <= MAX_CORRECTION * np.abs(solution).max()
        return solution + step if trusted else None

    def _times(self, B):
        """Multiply the array, as if it were symmetric about its diagonal, with `B`."""
        if B.shape[1] > FEW_TARGETS:
            return blas.dsymm(1.0, self._both, B, lower=0)
        columns = [blas.dsymv(1.0, self._both, b, lower=0) for b in B.T]
        return np.column_stack(columns)
