"""From the new coordinates of rows to the old ones."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import linalg, sparse

__all__ = ["affine_map", "coordinate_change", "dense"]


def affine_map(new, old):
    """Return the affine map that best takes new coordinates to old ones.

    After an earlier step of a pipeline has forgotten rows, axes may be shifted,
    rescaled, swapped, flipped or gone. A linear model composed with this map starts
    where it stood before.

    Parameters
    ----------
    new : array-like of shape (n_rows, n_new)
    old : array-like of shape (n_rows, n_old)
        The same rows.

    Returns
    -------
    A : ndarray of shape (n_new, n_old)
    b : ndarray of shape (n_old,)
        Such that ``new @ A + b`` is closest to ``old`` in least squares.
    """
    new, old = dense(new), dense(old)
    centre_new, centre_old = new.mean(axis=0), old.mean(axis=0)
    A = linalg.lstsq(new - centre_new, old - centre_old, lapack_driver="gelsy")[0]
    # which is a strided view of the work space, with a row for each of the rows
    return A.copy(), centre_old - centre_new @ A


def coordinate_change(new, old):
    """Return the affine map from new to old coordinates, and what it misses.

    Parameters
    ----------
    new : array-like of shape (n_rows, n_new)
    old : array-like of shape (n_rows, n_old)

    Returns
    -------
    A, b : ndarray
        See `affine_map`. Both are None if nothing has changed.
    residual : float
        Norm of what the map misses, relative to the norm of the centred old
        coordinates.
    """
    new, old = dense(new), dense(old)
    if new.shape == old.shape and np.array_equal(new, old):
        return None, None, 0.0
    A, b = affine_map(new, old)
    spread = linalg.norm(old - old.mean(axis=0))
    missed = linalg.norm(new @ A + b - old)
    return A, b, float(missed / spread) if spread > 0 else 0.0


def dense(X):
    """Return rows as an array of float64."""
    return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)
