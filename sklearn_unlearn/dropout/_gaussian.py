"""Normal noise in place of dropped units."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.dropout._base import StochasticLayer
from sklearn_unlearn.dropout._noise import gaussian

__all__ = ["GaussianDropout"]


class GaussianDropout(StochasticLayer):
    """Layer that multiplies units by normal noise of mean 1.

    The variance is ``p / (1 - p)``, that of :class:`BernoulliDropout` with the
    same `p`.

    Parameters
    ----------
    p : float, default=0.5
        Strength, from 0 to below 1.
    per_channel : bool, default=False
        Whether the units of a channel, the second axis, share their noise.
    random_state : int, numpy.random.Generator or None, default=None
        Seed, or source, of the noise. None takes a seed from the operating
        system.

    See Also
    --------
    BernoulliDropout : Drops units.

    References
    ----------
    .. [1] N. Srivastava et al. "Dropout: a simple way to prevent neural networks
       from overfitting". Journal of Machine Learning Research 15, 2014,
       section 10.

    Examples
    --------
    >>> import torch
    >>> from sklearn_unlearn.dropout import GaussianDropout
    >>> layer = GaussianDropout(0.2, random_state=0)
    >>> round(layer(torch.ones(100_000, 1)).var().item(), 2)
    0.25
    """

    def noise(self, rng, shape):
        """Draw normal noise.

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
        return gaussian(rng, self.p, shape)
