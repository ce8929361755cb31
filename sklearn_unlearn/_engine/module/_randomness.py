"""Random functions of torch, made to draw from one explicit generator."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import inspect

import torch
from torch.nn import functional as F

from sklearn_unlearn._engine._torch_defaults import InterruptibleMode
from sklearn_unlearn._engine.module._functional import DROPPING, WITH_GENERATOR

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
_SIGNATURES = {func: inspect.signature(own) for func, own in WITH_GENERATOR.items()}
# Functions that cannot be given a generator.
_REFUSED = {
    torch._sample_dirichlet,
    torch._standard_gamma,
    torch.native_dropout,
    torch.randint_like,
    torch.rrelu,
}
# Functions that cannot be given one, and drop units if their arguments say so.
_RECURRENT = {torch.gru, torch.lstm, torch.rnn_relu, torch.rnn_tanh}
_ATTENTION = inspect.signature(F.multi_head_attention_forward)


class ExplicitRandomness(InterruptibleMode):
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
    drops : bool
        Whether a function has dropped units; layers of the package are no functions.
    """

    def __init__(self, generator):
        super().__init__()
        self.generator, self.used, self.drops = generator, False, False

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in _TAKE_GENERATOR and kwargs.get("generator") is None:
            self.used = True
            kwargs["generator"] = self.generator
        elif func in WITH_GENERATOR and _is_random(func, args, kwargs):
            self.used = True
            self.drops |= func in DROPPING
            return WITH_GENERATOR[func](self.generator, *args, **kwargs)
        elif func in _REFUSED or _drops_within(func, args, kwargs):
            raise ValueError(
                f"{func.__name__} draws from the global generator of torch. Use layers "
                "of sklearn_unlearn.dropout in the module instead."
            )
        return func(*args, **kwargs)


def _is_random(func, args, kwargs):
    """Tell whether a function draws numbers, by its arguments."""
    bound = _SIGNATURES[func].bind(None, *args, **kwargs)
    bound.apply_defaults()
    given = bound.arguments
    p = given.get("p", given.get("dropout_p", 1))
    return bool(p and given.get("training", given.get("train", True)))


def _drops_within(func, args, kwargs):
    """Tell whether attention, or recurrent layers, would drop units in this call."""
    if func in _RECURRENT:  # ..., dropout, training, ...
        place = next(i for i, value in enumerate(args) if type(value) is float)
        return args[place] > 0 and args[place + 1]
    if func is not F.multi_head_attention_forward:
        return False
    given = _ATTENTION.bind(*args, **kwargs)
    given.apply_defaults()
    return given.arguments["dropout_p"] > 0 and given.arguments["training"]
