"""Activations of hidden layers, and how gradients pass through them.

``backward(d, a)`` is given the activation *after* units were dropped, which is zero
there. With kept units marked by 1 the derivative can be read off it for all four; the
scale of the units that are kept goes into the matrix products.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Callable
from typing import NamedTuple

import torch

__all__ = ["ACTIVATIONS", "Activation"]


class Activation(NamedTuple):
    """An activation.

    Attributes
    ----------
    forward : callable (z) -> a
        In place.
    backward : callable (d, a, mask) -> d
        Gradient by z from that by the masked a; `mask` is None if no unit was
        dropped.
    module : type
        The same as a layer of torch.
    """

    forward: Callable
    backward: Callable
    module: type[torch.nn.Module]


def _relu_backward(d, a, mask):
    return torch.ops.aten.threshold_backward(d, a, 0)


def _tanh_backward(d, a, mask):
    slope = torch.addcmul(torch.ones_like(a) if mask is None else mask, a, a, value=-1)
    return d.mul_(slope)


def _logistic_backward(d, a, mask):
    return d.mul_(torch.addcmul(a, a, a, value=-1))


def _identity_backward(d, a, mask):
    return d if mask is None else d.mul_(mask)


ACTIVATIONS = {
    "relu": Activation(torch.relu_, _relu_backward, torch.nn.ReLU),
    "tanh": Activation(torch.tanh_, _tanh_backward, torch.nn.Tanh),
    "logistic": Activation(torch.sigmoid_, _logistic_backward, torch.nn.Sigmoid),
    "identity": Activation(lambda z: z, _identity_backward, torch.nn.Identity),
}
