"""The nearest weights that are a relaxed choice of some rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy.optimize import brentq


def project_to_sum(weights, total):
    """Return the nearest weights from 0 to 1 that have this sum.

    They are ``clip(weights - shift, 0, 1)``, with the shift that gives the sum.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,)
    total : int or float
        From 0 to `n_rows`.

    Returns
    -------
    ndarray of shape (n_rows,)
    """

    def excess(shift):
        return np.clip(weights - shift, 0, 1).sum() - total

    shift = brentq(excess, weights.min() - 1, weights.max(), xtol=1e-14)
    return np.clip(weights - shift, 0, 1)
