"""Base of all layers of random noise."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import abstractmethod

import numpy as np
import torch
from torch import nn

from sklearn_unlearn.dropout._noise import make_generator

__all__ = ["StochasticLayer"]


class StochasticLayer(nn.Module):
    """Layer that applies random noise, by default as a factor of mean one.

    The first axis of the input is that of the rows. In training every row has noise
    of its own. In evaluation there is no noise, unless the layer *holds* some: then
    all rows share it, which makes the network one random function of its input.

    A subclass defines :meth:`noise`. One whose noise is no factor on the input, such
    as noise on weights, also defines :meth:`noise_shape`, :meth:`with_noise` and
    :meth:`without_noise`. Modes, generators, devices and types are taken care of.

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

    Attributes
    ----------
    noise_per_row : bool
        Whether each row of a batch has noise of its own in training, which is the
        default. Noise on weights is large, and better shared by the batch. To be set
        in the body of a subclass.
    preserves_mean : bool
        Whether the mean over the noise is the output without noise, which is the
        default. To be set in the body of a subclass.

    See Also
    --------
    BernoulliDropout : Units are dropped.
    GaussianDropout : Units are multiplied by normal noise.

    Examples
    --------
    >>> import torch
    >>> from sklearn_unlearn.dropout import StochasticLayer
    >>> class UniformNoise(StochasticLayer):
    ...     def noise(self, rng, shape):
    ...         return rng.uniform(1 - self.p, 1 + self.p, size=shape)
    >>> layer = UniformNoise(0.5, random_state=0)
    >>> x = torch.ones(2, 3)
    >>> bool((layer(x) == x).any())
    False
    >>> bool((layer.eval()(x) == x).all())
    True
    """

    noise_per_row = True
    preserves_mean = True

    def __init__(self, p=0.5, *, per_channel=False, random_state=None):
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"p must be at least 0 and below 1; got {p!r}.")
        self.p = float(p)
        self.per_channel = per_channel
        self.seed(random_state)
        self._held = None
        # which axis of the input is that of the rows, at each use in a pass, and None
        # where it has none; to hold noise for all rows, one must know
        self._rows_axes, self._n_uses = (0,), 0

    # ---------------------------------------------------------------- subclass

    @abstractmethod
    def noise(self, rng, shape):
        """Draw noise.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the noise, the only one that may be used.
        shape : tuple of int
            Shape of the noise.

        Returns
        -------
        ndarray of shape `shape`
            Noise; of mean one if it is a factor.
        """

    def noise_shape(self, x):
        """Return the shape of the noise of one row, or of one random function.

        By default it is that of a row of the input, with one entry per channel if
        `per_channel`.

        Parameters
        ----------
        x : Tensor of shape (n_rows, ...)
            Input.

        Returns
        -------
        tuple of int
            Shape, without an axis of rows.
        """
        units = tuple(x.shape[1:])
        if self.per_channel:
            units = units[:1] + (1,) * (len(units) - 1)
        return units

    def with_noise(self, x, noise):
        """Compute the output for given noise; by default, multiply by it.

        Parameters
        ----------
        x : Tensor of shape (n_rows, ...)
            Input.
        noise : Tensor of shape (n_rows, ...) or (1, ...)
            What :meth:`noise` has drawn, on the device and of the type of `x`: one
            entry per row, or a single one for all rows. The other axes are those of
            :meth:`noise_shape`.

        Returns
        -------
        Tensor of shape (n_rows, ...)
            Output.
        """
        return x * noise

    def without_noise(self, x):
        """Compute the output of evaluation; by default, return the input.

        Parameters
        ----------
        x : Tensor of shape (n_rows, ...)
            Input.

        Returns
        -------
        Tensor of shape (n_rows, ...)
            Output.
        """
        return x

    @classmethod
    def example(cls, n_units, random_state=None):
        """Construct a layer for rows of `n_units` numbers, to test the class with.

        A subclass overrides it if its constructor needs arguments.

        Parameters
        ----------
        n_units : int
            Number of units in front of the layer.
        random_state : int, numpy.random.Generator or None, default=None
            Seed, or source, of the noise.

        Returns
        -------
        StochasticLayer
            Layer of this class, which returns outputs of shape (n_rows, n_outputs)
            for inputs of shape (n_rows, n_units).
        """
        return cls(random_state=random_state)

    # ------------------------------------------------------------------- modes

    @property
    def is_random(self):
        """Whether the layer ever applies noise; with ``p=0`` it does not."""
        return self.p > 0

    @property
    def is_active(self):
        """Whether the next pass applies noise: in training, or while it is held."""
        return self.is_random and (self.training or self._held is not None)

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
        self._held, self._n_uses = make_generator(seed), 0

    def release(self):
        """Do without noise in evaluation again."""
        self._held = None

    def forward(self, x):
        """Apply noise in training and while noise is held; none in evaluation.

        Parameters
        ----------
        x : Tensor of shape (n_rows, ...)
            Input.

        Returns
        -------
        Tensor of shape (n_rows, ...)
            Output.
        """
        if not self.is_active:
            return self.without_noise(x)
        if self._held is None:
            return self._noisy(x, self._rng, len(x) if self.noise_per_row else 1)
        axis = self._rows_axes[self._n_uses % len(self._rows_axes)]
        self._n_uses += 1
        if axis is None:
            return self._noisy(x[None], self._held, 1)[0]
        return self._noisy(x.movedim(axis, 0), self._held, 1).movedim(0, axis)

    def _noisy(self, x, rng, n_draws):
        """Apply noise to an input whose first axis is that of the rows."""
        noise = self.noise(rng, (n_draws, *self.noise_shape(x)))
        return self.with_noise(x, torch.from_numpy(noise).to(x.device, x.dtype))

    def extra_repr(self):
        """Show the parameters in the representation of the module.

        Returns
        -------
        str
            The parameters.
        """
        channels = ", per_channel=True" if self.per_channel else ""
        return f"p={self.p}{channels}"
