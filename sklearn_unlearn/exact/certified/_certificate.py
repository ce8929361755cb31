"""Noise that hides the residual of requests, and how large a residual it can hide."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
import os
from numbers import Integral

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtri

__all__ = ["REFERENCE", "draw_noise", "noise_budget"]

REFERENCE = (
    "fit of the same objective, with noise of its own and the same classes_, on the "
    "retained rows"
)


def draw_noise(shape, sigma, random_state=None, n_refits=0):
    """Draw independent normal numbers of standard deviation `sigma`.

    Parameters
    ----------
    shape : tuple of int
    sigma : float
    random_state : int, RandomState instance or None, default=None
        With None every number is made of 52 bits of the operating system's
        entropy: there is no seed and no generator whose state could be guessed or
        found. Anything else is for tests.
    n_refits : int, default=0
        Number of refits since the fit: each draws other noise from the same integer.
    """
    if random_state is None:
        bits = np.frombuffer(os.urandom(8 * math.prod(shape)), np.uint64)
        # with 53 bits the half would be rounded away, and the largest become 1
        uniform = ((bits >> np.uint64(12)) + 0.5) * 2.0**-52
        return sigma * ndtri(uniform).reshape(shape)
    if not isinstance(random_state, Integral):
        random_state = random_state.randint(np.iinfo(np.int32).max)
    return sigma * np.random.default_rng([random_state, n_refits]).normal(size=shape)


def noise_budget(sigma, epsilon, delta):
    """Return the largest shift that normal noise hides up to (epsilon, delta).

    It is ``epsilon * sigma / c`` with ``c = sqrt(2 log(1.5 / delta))``, which is proved
    for `epsilon` up to 1. For a large `epsilon` the noise may hide less; then the exact
    privacy loss of the Gaussian mechanism gives the shift.

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise in each direction.
    epsilon, delta : float
        Parameters of the certificate.

    Returns
    -------
    float
        Euclidean norm of the shift.
    """
    shift = epsilon / math.sqrt(2 * math.log(1.5 / delta))

    def excess(shift):
        """Return the exact delta of a shift at `epsilon`, less the one allowed."""
        far = log_ndtr(-shift / 2 - epsilon / shift)
        near = log_ndtr(shift / 2 - epsilon / shift)
        return math.exp(near) - math.exp(epsilon + far) - delta

    if excess(shift) > 0:
        # the excess tends to -delta as the shift tends to 0, so a root lies between
        shift = brentq(excess, 1e-3 * shift, shift, xtol=1e-12 * shift)
    return sigma * shift
