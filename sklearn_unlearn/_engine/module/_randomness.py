"""Random functions of torch, made to draw from one explicit generator."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

__all__ = ["ExplicitRandomness"]

# Functions that take a generator; layers of torch call them without one.
_TAKE_GENERATOR = {
    torch.bernoulli,
    torch.binomial,
    torch.multinomial,
    torch.normal,
    torch.poisson,
    torch.rand,
    torch.randint,
    torch.randn,
    torch.randperm,
    torch.Tensor.bernoulli_,
    torch.Tensor.cauchy_,
    torch.Tensor.exponential_,
    torch.Tensor.geometric_,
    torch.Tensor.log_normal_,
    torch.Tensor.normal_,
    torch.Tensor.random_,
    torch.Tensor.uniform_,
    torch.nn.init.kaiming_normal_,
    torch.nn.init.kaiming_uniform_,
    torch.nn.init.normal_,
    torch.nn.init.uniform_,
}
# Functions that take none, and those that do the same with a generator.
_LIKE = {torch.rand_like: torch.rand, torch.randn_like: torch.randn}
# Functions that drop whole channels, and the number of axes of an input that has no
# axis of rows; dropout2d takes no such input.
_CHANNEL_DROPOUT = {F.dropout1d: 2, F.dropout2d: 0, F.dropout3d: 4}
# Functions that cannot be given a generator. Those with an argument `training` are
# random only where it is true.
_REFUSED = {
    torch._sample_dirichlet,
    torch._standard_gamma,
    torch.alpha_dropout,
    torch.dropout,
    torch.feature_alpha_dropout,
    torch.feature_dropout,
    torch.native_dropout,
    torch.randint_like,
    torch.rrelu,
    F.alpha_dropout,
    F.feature_alpha_dropout,
    F.gumbel_softmax,
    F.rrelu,
}


class ExplicitRandomness(TorchFunctionMode):
    """Context in which random functions of torch draw from `generator`.

    It holds for the calling thread alone, and leaves the global generator as it is.

    Parameters
    ----------
    generator : torch.Generator
        Source of the numbers.

    Attributes
    ----------
    used : bool
        Whether any number has been drawn.
    """

    def __init__(self, generator):
        super().__init__()
        self.generator, self.used = generator, False

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in _TAKE_GENERATOR and kwargs.get("generator") is None:
            self.used = True
            kwargs["generator"] = self.generator
        elif func in _LIKE:
            self.used = True
            like = args[0] if args else kwargs["input"]
            drawn = _LIKE[func](
                like.shape, generator=self.generator, device=self.generator.device
            )
            return drawn.to(like.device, kwargs.get("dtype") or like.dtype)
        elif func is F.dropout:
            return self._dropout(*args, **kwargs)
        elif func in _CHANNEL_DROPOUT:
            return self._dropout_channels(_CHANNEL_DROPOUT[func], *args, **kwargs)
        elif (func in _REFUSED and kwargs.get("training", True)) or (
            func is F.scaled_dot_product_attention and kwargs.get("dropout_p")
        ):
            raise ValueError(
                f"{func.__name__} draws from the global generator of torch. Use layers "
                "of sklearn_unlearn.dropout in the module instead."
            )
        return func(*args, **kwargs)

    def __exit__(self, kind, error, trace):
        # an interrupt may have come while torch had taken the mode off for a moment
        try:
            super().__exit__(kind, error, trace)
        except RuntimeError:
            if kind is None:
                raise

    def _dropout(self, x, p=0.5, training=True, inplace=False):
        return self._drop(x, x.shape, p, training)

    def _dropout_channels(
        self, n_axes_of_one_row, x, p=0.5, training=True, inplace=False
    ):
        """Drop channels: one number for all of each (row and) channel."""
        n_leading = 1 if x.ndim == n_axes_of_one_row else 2
        shape = (*x.shape[:n_leading], *[1] * (x.ndim - n_leading))
        return self._drop(x, shape, p, training)

    def _drop(self, x, shape, p, training):
        """Multiply by noise of a shape that broadcasts; see `nn.functional.dropout`."""
        if not training or p == 0:
            return x
        self.used = True
        keep = x.new_full(shape, 1 - p)
        return x * torch.bernoulli(keep, generator=self.generator) / (1 - p)
