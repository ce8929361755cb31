"""Modules of the user, built and checked without the global generator of torch."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

import torch
from torch import nn

from sklearn_unlearn._engine._threads import LARGE_PRODUCT
from sklearn_unlearn._engine.module._randomness import ExplicitRandomness
from sklearn_unlearn.dropout import BernoulliDropout, StochasticLayer

__all__ = [
    "build_module",
    "check_outputs",
    "copy_with_own_dropout",
    "largest_product",
    "stochastic_layers",
]

# Layers of torch that are replaced, and whether they drop whole channels.
_REPLACED = {
    nn.Dropout: False,
    nn.Dropout1d: True,
    nn.Dropout2d: True,
    nn.Dropout3d: True,
}
_UNSUPPORTED = (nn.AlphaDropout, nn.FeatureAlphaDropout)


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
    with ExplicitRandomness(generator):
        module = factory(n_features, n_outputs)
    if not isinstance(module, nn.Module):
        raise TypeError(
            "module must be a class or function that returns a torch.nn.Module; it "
            f"returned {type(module).__name__}."
        )
    module = copy_with_own_dropout(module)
    if not any(True for _ in module.parameters()):
        raise ValueError("module has no parameters that could be trained.")
    return module


def copy_with_own_dropout(module):
    """Return a copy in float32, whose layers of dropout have generators of their own.

    Nothing that belongs to the caller is ever trained.
    """
    return _replace_dropout(copy.deepcopy(module).float())


def _replace_dropout(module):
    """Return a module with layers of ours in place of torch's layers of dropout."""
    if type(module) in _REPLACED:
        return BernoulliDropout(module.p, per_channel=_REPLACED[type(module)])
    inside = isinstance(module, (nn.RNNBase, nn.MultiheadAttention))
    if isinstance(module, _UNSUPPORTED) or (inside and module.dropout > 0):
        raise ValueError(
            f"{type(module).__name__} has dropout whose masks cannot be controlled. "
            "Use layers of sklearn_unlearn.dropout in the module instead."
        )
    for name, child in module.named_children():
        new = _replace_dropout(child)
        if new is not child:
            setattr(module, name, new)
    return module


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
