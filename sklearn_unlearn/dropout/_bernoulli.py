"""Dropout of units."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.dropout._base import StochasticLayer
from sklearn_unlearn.dropout._noise import kept_units, rounded

__all__ = ["BernoulliDropout"]


class BernoulliDropout(StochasticLayer):
    """Layer that drops units at random and scales up the others.

    It is ``torch.nn.Dropout`` with an explicit generator, and on a CPU several
    times faster.

    Parameters
    ----------
    p : float, default=0.5
        Probability to drop a unit, from 0 to below 1. It is rounded to a multiple
        of 1 / 65536.
    per_channel : bool, default=False
        Whether whole channels are dropped, as by ``torch.nn.Dropout2d``.
    random_state : int, numpy.random.Generator or None, default=None
        Seed, or source, of the noise. None takes a seed from the operating
        system.

    See Also
    --------
    GaussianDropout : Noise with the same mean and variance.

    References
    ----------
    .. [1] N. Srivastava et al. "Dropout: a simple way to prevent neural networks
       from overfitting". Journal of Machine Learning Research 15, 2014.

    Examples
    --------
    >>> import torch
    >>> from sklearn_unlearn.dropout import BernoulliDropout
    >>> layer = BernoulliDropout(0.5, random_state=0)
    >>> sorted(set(layer(torch.ones(50, 4)).flatten().tolist()))
    [0.0, 2.0]
    >>> bool((layer.eval()(torch.ones(50, 4)) == 1).all())
    True
    """

    def noise(self, rng, shape):
        """Draw zeros and ``1 / (1 - p)``.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the noise.
        shape : tuple of int
            Shape of the noise.

        Returns
        -------
        ndarray of shape `shape`, dtype=float32
            Noise of mean one.
        """
        noise = kept_units(rng, self.p, shape)
        noise *= np.float32(1 / (1 - rounded(self.p)))
        return noise
