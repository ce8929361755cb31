"""What all layers of random noise have in common."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import abstractmethod

import numpy as np
import torch
from torch import nn

from sklearn_unlearn.dropout._noise import make_generator

__all__ = ["StochasticLayer"]


class StochasticLayer(nn.Module):
    """Layer that multiplies its input by random noise of mean one.

    The first axis of the input is that of the rows. In training every row has noise
    of its own. In evaluation the layer does nothing, unless it *holds* noise: then
    the same noise multiplies all rows, which makes the network one random function
    of its input.

    Parameters
    ----------
    p : float, default=0.5
        Probability to drop a unit, or the strength that gives noise of the same
        variance ``p / (1 - p)``. From 0, no noise, to below 1.
    per_channel : bool, default=False
        Whether the units of a channel, the second axis, share their noise.
    random_state : int, numpy.random.Generator or None, default=None
        Seed, or source, of the noise. None takes a seed from the operating
        system. The generators of torch and numpy are never touched.

    See Also
    --------
    BernoulliDropout : Units are dropped.
    GaussianDropout : Units are multiplied by normal noise.

    Examples
    --------
    >>> from sklearn_unlearn.dropout import BernoulliDropout, StochasticLayer
    >>> issubclass(BernoulliDropout, StochasticLayer)
    True
    """

    def __init__(self, p=0.5, *, per_channel=False, random_state=None):
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"p must be at least 0 and below 1; got {p!r}.")
        self.p = float(p)
        self.per_channel = per_channel
        self.seed(random_state)
        self._held = None

    @abstractmethod
    def noise(self, rng, shape):
        """Draw noise.

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

    def seed(self, random_state):
        """Start the noise over.

        Parameters
        ----------
        random_state : int, numpy.random.Generator or None
            Seed, or source, of the noise.
        """
        if isinstance(random_state, np.random.Generator):
            # of another kind, it gives the seed: the noise needs 64 random bits a time
            if isinstance(random_state.bit_generator, np.random.SFC64):
                self._rng = random_state
                return
            random_state = int(random_state.integers(2**63))
        self._rng = make_generator(random_state)

    def hold(self, seed):
        """Hold the noise of one random function for one pass.

        A layer that is used several times in a pass draws noise for each use. Hold
        the same seed again before another pass through the same function.

        Parameters
        ----------
        seed : int or SeedSequence
            The same seed gives the same function.
        """
        self._held = make_generator(seed)

    def release(self):
        """Do nothing in evaluation again."""
        self._held = None

    def forward(self, x):
        """Multiply by noise.

        Parameters
        ----------
        x : Tensor of shape (n_rows, ...)
            Input.

        Returns
        -------
        Tensor of the same shape
            Input times noise.
        """
        if self.p == 0 or not (self.training or self._held):
            return x
        units = tuple(x.shape[1:])
        if self.per_channel:
            units = units[:1] + (1,) * (len(units) - 1)
        if self._held:
            noise = self.noise(self._held, (1, *units))
        else:
            noise = self.noise(self._rng, (len(x), *units))
        return x * torch.from_numpy(noise).to(x.device, x.dtype)

    def extra_repr(self):
        """Show the parameters in the representation of the module.

        Returns
        -------
        str
            The parameters.
        """
        channels = ", per_channel=True" if self.per_channel else ""
        return f"p={self.p}{channels}"
