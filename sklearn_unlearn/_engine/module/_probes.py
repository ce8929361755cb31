"""What a module does, found out by passes of rows that nobody has."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from contextlib import suppress

import numpy as np
import torch

from sklearn_unlearn._engine._torch_defaults import usual_torch
from sklearn_unlearn._engine.module._building import stochastic_layers
from sklearn_unlearn._engine.module._randomness import ExplicitRandomness
from sklearn_unlearn._engine.module._state import copy_module

__all__ = ["REFUSALS", "drops_by_functions", "find_axes_of_rows", "probe_rows"]

# What a pass of rows that a module was not made for may raise; a fit will tell.
REFUSALS = (
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
)


def probe_rows(n_rows, n_features):
    """Return rows of zeros and ones, which modules with tables take as well."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, (n_rows, n_features)).astype(np.float64)


def drops_by_functions(module, n_features):
    """Tell whether a pass of training drops units elsewhere than in layers.

    The noise of a function cannot be held for all rows.
    """
    return _pass(copy_module(module).train(), 4, n_features).drops


def find_axes_of_rows(module, n_features):
    """Tell layers of noise which axis of their inputs is that of the rows.

    It is the first one whose length goes with the number of rows. A layer may be used
    several times in a pass, and have others each time.
    """
    layers = stochastic_layers(module)
    if not layers:
        return
    two, three = (_input_shapes(module, n, n_features) for n in (2, 3))
    for layer, first, second in zip(layers, two, three, strict=True):
        if first and len(first) == len(second):
            layer._rows_axes = tuple(map(_differing_axis, first, second))


def _differing_axis(short, long):
    """Return the first axis at which two shapes differ, or None."""
    lengths = enumerate(zip(short, long, strict=False))
    return next((axis for axis, (a, b) in lengths if a != b), None)


def _input_shapes(module, n_rows, n_features):
    """Return the shapes of all that each layer of noise is given in a pass."""
    module = copy_module(module).eval()
    layers = stochastic_layers(module)
    shapes: list[list[torch.Size]] = [[] for _ in layers]
    for layer, own in zip(layers, shapes, strict=True):
        layer.register_forward_pre_hook(
            lambda _, inputs, own=own: own.append(inputs[0].shape)
        )
    _pass(module, n_rows, n_features)
    return shapes


def _pass(module, n_rows, n_features):
    """Pass some rows, as far as the module takes them, and return what was random."""
    randomness = ExplicitRandomness(torch.Generator().manual_seed(0))
    rows = torch.from_numpy(probe_rows(n_rows, n_features)).float()
    with usual_torch(), torch.no_grad(), randomness, suppress(*REFUSALS):
        module(rows)
    return randomness
