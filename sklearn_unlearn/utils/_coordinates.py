"""From the new coordinates of rows to the old ones."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import linalg, sparse

__all__ = ["LARGEST_RESIDUAL", "affine_map", "coordinate_change", "first_lost"]

# Share of the old coordinates that the new ones may fail to explain.
LARGEST_RESIDUAL = 0.1


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
    new, old = _dense(new), _dense(old)
    centre_new, centre_old = new.mean(axis=0), old.mean(axis=0)
    A = linalg.lstsq(new - centre_new, old - centre_old, lapack_driver="gelsy")[0]
    return A, centre_old - centre_new @ A


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
    new, old = _dense(new), _dense(old)
    if new.shape == old.shape and np.array_equal(new, old):
        return None, None, 0.0
    A, b = affine_map(new, old)
    spread = linalg.norm(old - old.mean(axis=0))
    missed = linalg.norm(new @ A + b - old)
    return A, b, float(missed / spread) if spread > 0 else 0.0


def first_lost(before, after, X):
    """Return the name of the first step behind which old coordinates are lost.

    Parameters
    ----------
    before, after : list of (str, transformer)
        The same steps, before and after they have forgotten; those that do
        nothing are left out.
    X : array-like
        Raw rows.
    """
    old = new = X
    for (name, step), (_, updated) in zip(before, after, strict=True):
        old, new = step.transform(old), updated.transform(new)
        try:
            residual = coordinate_change(new, old)[2]
        except ValueError:  # words, which have no coordinates yet
            continue
        if residual > LARGEST_RESIDUAL:
            return name
    return before[-1][0]


def _dense(X):
    return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)
