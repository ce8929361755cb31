"""Modules of the user, built and checked without the global generator of torch."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import inspect
from functools import partial

import torch
from torch import nn

from sklearn_unlearn._engine._threads import LARGE_PRODUCT
from sklearn_unlearn._engine._torch_defaults import usual_torch
from sklearn_unlearn._engine.module._layers import with_own_dropout
from sklearn_unlearn._engine.module._randomness import ExplicitRandomness
from sklearn_unlearn._engine.module._state import copy_module
from sklearn_unlearn.dropout import StochasticLayer

__all__ = [
    "build_module",
    "check_outputs",
    "copy_with_own_dropout",
    "in_precision",
    "largest_product",
    "stochastic_layers",
]


def build_module(factory, n_features, n_outputs, seed):
    """Build a module, with layers of dropout that have generators of their own.

    Parameters
    ----------
    factory : callable (n_features, n_outputs) -> torch.nn.Module
    n_features, n_outputs : int
    seed : int
        Of all that is random in it.

    Returns
    -------
    torch.nn.Module
    """
    generator = torch.Generator().manual_seed(seed)
    with usual_torch():
        with ExplicitRandomness(generator):
            module = _called(factory, n_features, n_outputs)
        if not isinstance(module, nn.Module):
            raise TypeError(
                "module must be a class or function that returns a torch.nn.Module; it "
                f"returned {type(module).__name__}."
            )
        module = copy_with_own_dropout(module)
        with ExplicitRandomness(generator):
            _make_lazy_layers(module, n_features)
    if not any(True for _ in module.parameters()):
        raise ValueError("module has no parameters that could be trained.")
    return module


def _called(factory, n_features, n_outputs):
    """Call a factory with copies of its arguments, which a module may write into.

    Raises
    ------
    TypeError
        If it cannot be called with two numbers.
    """
    if isinstance(factory, partial):
        factory = partial(
            factory.func, *factory.args, **copy.deepcopy(factory.keywords)
        )
    try:
        inspect.signature(factory).bind(n_features, n_outputs)
    except TypeError as error:
        named = getattr(factory, "__name__", repr(factory))
        raise TypeError(
            f"module={named} is called as module(n_features, n_outputs), which it does "
            f"not take ({error}). Give it these two as its first arguments."
        ) from None
    except ValueError:  # it does not say what it takes
        pass
    return factory(n_features, n_outputs)


def copy_with_own_dropout(module):
    """Return a copy in float32, whose layers of dropout have generators of their own.

    Nothing that belongs to the caller is ever trained.
    """
    module = _replace_dropout(copy_module(_without_compilation(module)))
    return in_precision(module, torch.float32)


def in_precision(module, dtype):
    """Convert the parameters and buffers of a module in place, complex ones as well."""
    types = {False: dtype, True: torch.promote_types(dtype, torch.complex32)}

    def convert(tensor):
        if tensor.is_floating_point() or tensor.is_complex():
            return tensor.to(types[tensor.is_complex()])
        return tensor

    return module._apply(convert)


def _without_compilation(module):
    """Return the module within one that `torch.compile` has returned."""
    return getattr(module, "_orig_mod", module)


def _replace_dropout(module):
    """Return a module with layers of ours in place of torch's layers of dropout."""
    module = _without_compilation(module)
    if isinstance(module, torch.jit.ScriptModule):
        raise TypeError(
            "module was compiled by torch.jit, so that its layers cannot be replaced. "
            "Return the module as it was before."
        )
    new = with_own_dropout(module)
    if new is not module:
        return new
    for name, child in module.named_children():
        new = _replace_dropout(child)
        if new is not child:
            setattr(module, name, new)
    return module


@torch.no_grad()
def _make_lazy_layers(module, n_features):
    """Let lazy layers learn their sizes, and draw their weights, from a first pass."""

    def lazy():
        tensors = (*module.named_parameters(), *module.named_buffers())
        return [name for name, tensor in tensors if nn.parameter.is_lazy(tensor)]

    if not lazy():
        return
    module.eval()(torch.zeros(2, n_features))
    module.train()
    if lazy():
        raise ValueError(
            f"module has lazy layers that a pass does not reach: {', '.join(lazy())}. "
            "Give them their sizes, or leave them out."
        )


def largest_product(module, n_rows):
    """Return the multiply-adds of the largest product, as far as they are known.

    Only linear layers tell; for a module with others, convolutions or attention,
    the answer is a large one.
    """
    products = [1]
    for layer in module.modules():
        own = [p.numel() for p in layer.parameters(recurse=False) if p.ndim > 1]
        if own and not isinstance(layer, nn.Linear):
            return LARGE_PRODUCT
        products.extend(own)
    return n_rows * max(products)


def check_outputs(outputs, n_rows, n_outputs):
    """Return what a module returned, if it is one row of outputs per row.

    A single output may have no axis of its own.
    """
    if not isinstance(outputs, torch.Tensor):
        raise ValueError(
            f"module must return a tensor; it returned a {type(outputs).__name__}."
        )
    if n_outputs == 1 and outputs.ndim < 2 and outputs.numel() == n_rows:
        return outputs.reshape(n_rows, 1)
    if tuple(outputs.shape) != (n_rows, n_outputs):
        raise ValueError(
            f"module must return one row of {n_outputs} outputs per row of X; it "
            f"returned shape {tuple(outputs.shape)} for {n_rows} rows."
        )
    return outputs


def stochastic_layers(module):
    """Return the layers of a module that can hold noise."""
    return [
        m for m in module.modules() if isinstance(m, StochasticLayer) and m.is_random
    ]
