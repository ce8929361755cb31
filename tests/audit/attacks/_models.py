"""Signals of models that are drawn, not fitted."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np


def paired_membership(rng, n_models, n_rows):
    """Return membership in which each row is in one of each pair of models."""
    first = rng.random((n_models // 2, n_rows)) < 0.5
    return np.stack([first, ~first], axis=1).reshape(-1, n_rows)


def draw(seed, n_models, n_rows, *, shift=1.0, spread=0.0):
    """Draw margins that training moves by `shift`, in units of the row's deviation.

    Parameters
    ----------
    seed : int
    n_models, n_rows : int
    shift : float
    spread : float
        Standard deviation of the logs of the rows' standard deviations.

    Returns
    -------
    margins : ndarray of float of shape (n_models, n_rows)
    membership : ndarray of bool of shape (n_models, n_rows)
    """
    rng = np.random.default_rng(seed)
    membership = paired_membership(rng, n_models, n_rows)
    deviation = np.exp(spread * rng.normal(size=n_rows))
    noise = shift * membership + rng.normal(size=(n_models, n_rows))
    return 3 * rng.normal(size=n_rows) + deviation * noise, membership


def log_probability(margins):
    """Return the log-probability of the label, of margins of two classes."""
    return -np.logaddexp(0, -margins)
