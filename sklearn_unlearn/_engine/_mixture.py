"""The predictive distribution of a regression: normals around random functions."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, ndtr, ndtri

__all__ = ["fit_precision", "fit_precisions", "interval", "log_density", "quantile"]


def log_density(y, functions, precision):
    """Return the logarithm of the predictive density at `y`.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
    functions : ndarray of shape (n_draws, n_rows)
        Values of the random functions.
    precision : float
        Inverse variance of the noise.

    Returns
    -------
    ndarray of shape (n_rows,)
        That of the mixture, not of the normal distribution with its two moments.
    """
    exponent = -precision / 2 * (y - functions) ** 2
    normaliser = 0.5 * (np.log(precision) - np.log(2 * np.pi)) - np.log(len(functions))
    return logsumexp(exponent, axis=0) + normaliser


def fit_precision(y, functions, weight=None):
    """Return the precision under which `y` is most likely.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Of variance about one.
    functions : ndarray of shape (n_draws, n_rows)
    weight : ndarray of shape (n_rows,), default=None

    Returns
    -------
    float
        From 1e-6 to 1e12.
    """
    found = minimize_scalar(
        lambda log_precision: (
            -np.average(
                log_density(y, functions, np.exp(log_precision)), weights=weight
            )
        ),
        bounds=(np.log(1e-6), np.log(1e12)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def fit_precisions(y, functions, weight=None):
    """Return the precision of each output; see `fit_precision`.

    Parameters
    ----------
    y : ndarray of shape (n_rows, n_outputs)
    functions : ndarray of shape (n_rows, n_draws, n_outputs)
    weight : ndarray of shape (n_rows,), default=None

    Returns
    -------
    ndarray of shape (n_outputs,)
    """
    outputs = range(y.shape[1])
    return np.array(
        [fit_precision(y[:, k], functions[..., k].T, weight) for k in outputs]
    )


def quantile(level, functions, precision):
    """Return a quantile of the predictive distribution by bisection.

    Parameters
    ----------
    level : float
        Between 0 and 1.
    functions : ndarray of shape (n_draws, n_rows)
    precision : float

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    root = np.sqrt(precision)
    # the quantile of a mixture lies between those of its parts
    shift = ndtri(level) / root
    low, high = functions.min(axis=0) + shift, functions.max(axis=0) + shift
    for _ in range(50):
        middle = (low + high) / 2
        below = ndtr(root * (middle - functions)).mean(axis=0) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def interval(confidence_level, functions, precision):
    """Return the quantiles between which the target lies with some probability.

    Parameters
    ----------
    confidence_level : float
        The probability; as much of the rest lies below as above.
    functions : ndarray of shape (n_draws, n_rows, n_outputs)
    precision : ndarray of shape (n_outputs,)

    Returns
    -------
    ndarray of shape (n_rows, n_outputs, 2)
    """
    tail = (1 - confidence_level) / 2
    ends = [
        [quantile(level, functions[..., k], precision[k]) for level in (tail, 1 - tail)]
        for k in range(functions.shape[-1])
    ]
    return np.moveaxis(np.array(ends), -1, 0)
