"""From the new coordinates of rows to the old ones."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import linalg, sparse

__all__ = ["affine_map"]


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
    new, old = (
        np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)
        for X in (new, old)
    )
    centre_new, centre_old = new.mean(axis=0), old.mean(axis=0)
    A = linalg.lstsq(new - centre_new, old - centre_old, lapack_driver="gelsy")[0]
    return A, centre_old - centre_new @ A
