"""How well rows were reconstructed."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.utils import check_array


def reconstruction_score(X_true, X_found, *, X_public):
    """Share of the variance of rows that their reconstruction explains.

    Rows are matched first, each with another one of those found, since a
    reconstruction has no order.

    Parameters
    ----------
    X_true : array-like of shape (n_rows, n_features)
        The rows.
    X_found : array-like of shape (n_found, n_features)
        Reconstructed ones, at least as many.
    X_public : array-like of shape (n_public, n_features)
        Other rows, whose mean and variance an attacker knows. All features are measured
        in their standard deviations.

    Returns
    -------
    float
        1 if all rows were found, 0 if they were found as well as by the mean of
        `X_public`, and less if worse.

    See Also
    --------
    gradient_inversion_audit : Reconstructs rows from gradients.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.audit.attacks import reconstruction_score
    >>> X_public = np.random.default_rng(0).normal(size=(100, 3))
    >>> X_true = X_public[:4] + 1.0
    >>> reconstruction_score(X_true, X_true[::-1], X_public=X_public)
    1.0
    """
    X_true = check_array(X_true, dtype=np.float64, input_name="X_true")
    X_found = check_array(X_found, dtype=np.float64, input_name="X_found")
    X_public = check_array(
        X_public, dtype=np.float64, input_name="X_public", ensure_min_samples=2
    )
    if not X_true.shape[1] == X_found.shape[1] == X_public.shape[1]:
        raise ValueError(
            "X_true, X_found and X_public must have the same features; got "
            f"{X_true.shape[1]}, {X_found.shape[1]} and {X_public.shape[1]}."
        )
    if len(X_found) < len(X_true):
        raise ValueError(
            f"X_found must have at least as many rows as X_true: got {len(X_found)} "
            f"for {len(X_true)}."
        )
    mean, scale = X_public.mean(axis=0), X_public.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    squares = cdist((X_true - mean) / scale, (X_found - mean) / scale, "sqeuclidean")
    matched = squares[linear_sum_assignment(squares)].sum()
    by_mean = (((X_true - mean) / scale) ** 2).sum()
    if by_mean == 0:
        raise ValueError(
            "X_true has only rows that are the mean of X_public: there is nothing to "
            "reconstruct."
        )
    return float(1 - matched / by_mean)
