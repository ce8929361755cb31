"""From the new coordinates of rows to the old ones."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import linalg, sparse

__all__ = ["affine_map", "coordinate_change", "dense"]

# what the nearest axes miss of old coordinates is rounding up to this share
ROUNDING = 1e-13
# correlations that differ by less are the same
LIKENESS = 1e-9
# smallest part of the largest variation that counts as one
CONDITION = 1e-8


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
    x, z = new - centre_new, old - centre_old
    A = _nearest_axes(x, z)
    rest = z - x @ A
    if linalg.norm(rest) > ROUNDING * linalg.norm(z):
        A += _smallest_solution(x, rest)
    return A, centre_old - centre_new @ A


def _nearest_axes(x, z):
    """Return the map that takes each old axis from the one most like it.

    What is left for least squares is small then. Of many maps that do for the rows at
    hand, as where columns add up to 1, this is the one that other rows need.
    """
    sizes = np.sqrt((x**2).sum(axis=0)), np.sqrt((z**2).sum(axis=0))
    products = x.T @ z
    unit = np.outer(*sizes)
    likeness = np.divide(
        np.abs(products), unit, where=unit > 0, out=np.zeros_like(unit)
    )
    axes, columns = likeness.argmax(axis=0), np.arange(z.shape[1])
    best = likeness[axes, columns]
    for j in columns[: x.shape[1]]:  # of axes that are alike, the one in its place
        if likeness[j, j] >= best[j] - LIKENESS:
            axes[j] = j
    axes, columns = axes[best > 0.5], columns[best > 0.5]
    A = np.zeros_like(products)
    A[axes, columns] = products[axes, columns] / sizes[0][axes] ** 2
    return A


def _smallest_solution(x, rest):
    """Solve by least squares, without directions in which the rows hardly vary."""
    size = np.sqrt((x**2).sum(axis=0))
    size[size == 0] = 1.0
    found = linalg.lstsq(x / size, rest, cond=CONDITION, lapack_driver="gelsy")[0]
    return found / size[:, np.newaxis]


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
