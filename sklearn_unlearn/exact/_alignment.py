"""Whether the rows that a fitted model holds are those of a request, in its order."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse

__all__ = ["equal_up_to_rounding", "rows_aligned"]

# Differences between a fitted row and the same row transformed once more.
ROUNDING = 1e-6


def rows_aligned(X_fit, request):
    """Whether the rows to forget are those that the mask marks in `X_fit`.

    They are not if an earlier step has changed their coordinates, if they came in
    another order, or if the model was fitted on other rows.
    """
    same_rows = request.ordered and not request.coordinates_changed
    if not same_rows or X_fit.shape[0] != len(request.mask):
        return False
    return equal_up_to_rounding(X_fit[request.mask], request.forget.X)


def equal_up_to_rounding(fitted, X):
    """Whether two containers of rows are equal, but for rounding of floats."""
    if sparse.issparse(X) or sparse.issparse(fitted):
        if not (sparse.issparse(X) and sparse.issparse(fitted)):
            return False
        return abs(fitted - X).max() <= ROUNDING * abs(fitted).max()
    if fitted.dtype.kind not in "iubf":
        return np.array_equal(fitted, np.asarray(X))
    X = np.asarray(X, dtype=np.float64)
    scale = np.abs(fitted).max(initial=0.0)
    return fitted.shape == X.shape and np.allclose(
        fitted, X, rtol=0.0, atol=ROUNDING * scale
    )
