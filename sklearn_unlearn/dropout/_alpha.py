"""Dropout for networks that normalise themselves."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.dropout._base import StochasticLayer
from sklearn_unlearn.dropout._noise import kept_units, rounded

__all__ = ["AlphaDropout"]

# What SELU gives for an input of minus infinity.
SATURATED = -1.7580993408473766


class AlphaDropout(StochasticLayer):
    """Layer that sets units at random to the value at which SELU saturates.

    Units of mean zero and variance one keep these moments [1]_. It is
    ``torch.nn.AlphaDropout`` with an explicit generator.

    Parameters
    ----------
    p : float, default=0.5
        Probability to drop a unit, from 0 to below 1. It is rounded to a multiple
        of 1 / 65536.
    per_channel : bool, default=False
        Whether whole channels are dropped, as by ``torch.nn.FeatureAlphaDropout``.
    random_state : int, numpy.random.Generator or None, default=None
        Seed, or source, of the noise. None takes a seed from the operating
        system.

    See Also
    --------
    BernoulliDropout : Sets units to zero.

    References
    ----------
    .. [1] G. Klambauer, T. Unterthiner, A. Mayr and S. Hochreiter.
       "Self-Normalizing Neural Networks". NeurIPS, 2017.

    Examples
    --------
    >>> import torch
    >>> from sklearn_unlearn.dropout import AlphaDropout
    >>> layer = AlphaDropout(0.5, random_state=0)
    >>> x = torch.randn(100_000, generator=torch.Generator().manual_seed(0))[:, None]
    >>> round(layer(x).var().item(), 1)
    1.0
    """

    preserves_mean = False

    def noise(self, rng, shape):
        """Draw which units stay.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the noise.
        shape : tuple of int
            Shape of the noise.

        Returns
        -------
        ndarray of shape `shape`, dtype=float32
            Ones for units that stay, zeros for others.
        """
        return kept_units(rng, self.p, shape)

    def with_noise(self, x, noise):
        """Drop units, and bring all to the former mean and variance.

        Parameters
        ----------
        x : Tensor of shape (n_rows, ...)
            Input.
        noise : Tensor of shape (n_rows, ...) or (1, ...)
            Which units stay.

        Returns
        -------
        Tensor of shape (n_rows, ...)
            Output.
        """
        p = rounded(self.p)
        scale = ((1 - p) * (1 + p * SATURATED**2)) ** -0.5
        kept = x * noise + SATURATED * (1 - noise)
        return scale * (kept - p * SATURATED)
