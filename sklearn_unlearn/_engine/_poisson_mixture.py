"""The predictive distribution of counts: Poisson around random functions."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy.special import pdtr

__all__ = ["poisson_interval", "poisson_quantile"]


def poisson_quantile(level, means):
    """Return the smallest counts that are not exceeded with this probability.

    Parameters
    ----------
    level : float
    means : ndarray of shape (n_draws, ...)
        Of the Poisson distributions that are mixed.

    Returns
    -------
    ndarray of shape (...)
    """
    low = np.full(means.shape[1:], -1.0)
    high = np.ceil(means.max(axis=0))
    while (below := pdtr(high, means).mean(axis=0) < level).any():
        low, high = np.where(below, high, low), np.where(below, 2 * high + 1, high)
    # halves until no number is in between; infinity stays what it is
    while ((low < (middle := np.floor((low + high) / 2))) & (middle < high)).any():
        below = pdtr(np.maximum(middle, 0), means).mean(axis=0) < level
        below |= middle < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


def poisson_interval(confidence_level, means):
    """Return the narrowest ends beyond which lies at most half of the rest each.

    Parameters
    ----------
    confidence_level : float
    means : ndarray of shape (n_draws, n_rows, n_outputs)

    Returns
    -------
    ndarray of shape (n_rows, n_outputs, 2)
    """
    tail = (1 - confidence_level) / 2
    ends = [poisson_quantile(level, means) for level in (tail, 1 - tail)]
    return np.stack(ends, axis=-1)
