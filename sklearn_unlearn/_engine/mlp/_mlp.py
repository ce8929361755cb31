"""Perceptrons with dropout: forward and backward pass written out.

At these sizes autograd costs more than the arithmetic. All parameters lie in one flat
vector; with a leading axis many perceptrons of the same sizes are trained at once.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch

__all__ = ["ACTIVATIONS", "MLP", "Layout"]


class Activation(NamedTuple):
    """An activation of hidden layers, and how gradients pass through it.

    The backward pass of an activation in place is given the activation *after* units
    were dropped, which is zero there. With a mask of 0 and 1 the derivative can be
    read off it; the factor on units that are not dropped goes into the matrix products.

    Attributes
    ----------
    forward : callable (z) -> a
        In place, but for "gelu", whose derivative cannot be read off its value.
    backward : callable (d, z, mask) -> d
        Gradient by z from that by the masked a. `z` has become the masked a, if that
        is in place; `mask` is None if no unit was dropped.
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


def _gelu_backward(d, z, mask):
    # a = z Φ(z), and da/dz = Φ(z) + z φ(z)
    d = d if mask is None else d.mul_(mask)
    density = torch.exp(-0.5 * z * z).mul_((2 * torch.pi) ** -0.5)
    return d.mul_(torch.special.ndtr(z).addcmul_(z, density))


ACTIVATIONS = {
    "relu": Activation(torch.relu_, _relu_backward, torch.nn.ReLU),
    "tanh": Activation(torch.tanh_, _tanh_backward, torch.nn.Tanh),
    "logistic": Activation(torch.sigmoid_, _logistic_backward, torch.nn.Sigmoid),
    "gelu": Activation(torch.nn.functional.gelu, _gelu_backward, torch.nn.GELU),
    "identity": Activation(lambda z: z, _identity_backward, torch.nn.Identity),
}


class Layout:
    """Where the parameters of a perceptron lie in one flat vector.

    All weight matrices come first, then all biases: so a penalty on weights alone is
    an operation on one slice.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of inputs, of units of each hidden layer, and of outputs.
    """

    def __init__(self, sizes):
        self.sizes = tuple(int(size) for size in sizes)
        self.shapes = list(pairwise(self.sizes))
        self.n_weights = sum(a * b for a, b in self.shapes)
        self.n_parameters = self.n_weights + sum(self.sizes[1:])
        # multiply-adds of the largest matrix product for one row
        self.largest_product = max(a * b for a, b in self.shapes)

    def views(self, flat):
        """Return matrices and biases as views of `flat`.

        Parameters
        ----------
        flat : Tensor of shape (n_parameters,) or (n_models, n_parameters)

        Returns
        -------
        weights : list of Tensor of shape (..., n_in, n_out)
        biases : list of Tensor of shape (n_out,) or (n_models, 1, n_out)
        """
        weights, biases, start = [], [], 0
        for a, b in self.shapes:
            part = flat[..., start : start + a * b]
            weights.append(part.unflatten(-1, (a, b)))
            start += a * b
        for b in self.sizes[1:]:
            part = flat[..., start : start + b]
            biases.append(part if flat.ndim == 1 else part.unsqueeze(-2))
            start += b
        return weights, biases

    def initial(self, rng, activation):
        """Draw weights and biases as scikit-learn's perceptrons do (Glorot, uniform).

        Parameters
        ----------
        rng : numpy.random.Generator
        activation : str
            Of the hidden layers.

        Returns
        -------
        Tensor of shape (n_parameters,), dtype=float32
        """
        factor = 2.0 if activation == "logistic" else 6.0
        flat = torch.empty(self.n_parameters)
        for W, b in zip(*self.views(flat), strict=True):
            bound = (factor / sum(W.shape)) ** 0.5
            for part in (W, b):
                values = rng.uniform(-bound, bound, size=tuple(part.shape))
                part.copy_(torch.from_numpy(values))
        return flat


class MLP:
    """One perceptron, or several of the same sizes side by side.

    Parameters
    ----------
    layout : Layout
        Sizes of the layers.
    activation : {"identity", "logistic", "tanh", "relu", "gelu"}
        Of the hidden layers.
    dropout : sequence of float
        Probability to drop for the input and for each hidden layer, as `Perceptron`
        rounds it.
    parameters : Tensor of shape (n_parameters,) or (n_models, n_parameters)
        Never copied: a change of them changes the network.
    gradient : Tensor of the same shape, default=None
        Where `backward` writes; None makes one.
    """

    def __init__(self, layout, activation, dropout, parameters, gradient=None):
        self.layout, self.activation = layout, activation
        self.dropout = tuple(dropout)
        self.parameters = parameters
        self.gradient = torch.zeros_like(parameters) if gradient is None else gradient
        self.weights, self.biases = layout.views(parameters)
        self._weight_gradients, self._bias_gradients = layout.views(self.gradient)
        self._affine = torch.addmm if parameters.ndim == 1 else torch.baddbmm
        self._product = torch.mm if parameters.ndim == 1 else torch.bmm

    def first(self, n_models: int) -> "MLP":
        """Return the first models, as views of these."""
        return MLP(
            self.layout,
            self.activation,
            self.dropout,
            self.parameters[:n_models],
            self.gradient[:n_models],
        )

    def forward(self, X, masks=None):
        """Return the outputs, and remember what `backward` needs.

        Parameters
        ----------
        X : Tensor of shape (..., n_rows, n_inputs)
        masks : list of (Tensor of shape (..., n_rows, width) or None), default=None
            Zeros and ones for the input and each hidden layer. None is the
            deterministic pass.

        Returns
        -------
        Tensor of shape (..., n_rows, n_outputs)
        """
        activate = ACTIVATIONS[self.activation].forward
        masks = [None] * len(self.weights) if masks is None else masks
        a = X if masks[0] is None else X * masks[0]
        self._masks, self._inputs, self._before = masks, [a], [a]
        # the factor on units that are not dropped
        self._scales = [
            1.0 if mask is None else 1.0 / (1.0 - p)
            for mask, p in zip(masks, self.dropout, strict=True)
        ]
        for layer, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            a = self._affine(b, a, W, alpha=self._scales[layer])
            if layer + 1 < len(self.weights):
                self._before.append(a)
                a = activate(a)
                if masks[layer + 1] is not None:
                    a.mul_(masks[layer + 1])
                self._inputs.append(a)
        return a

    def backward(self, d):
        """Write the gradient of a loss into `gradient`.

        Parameters
        ----------
        d : Tensor of shape (..., n_rows, n_outputs)
            Gradient by the outputs.
        """
        through = ACTIVATIONS[self.activation].backward
        for layer in reversed(range(len(self.weights))):
            a, scale = self._inputs[layer], self._scales[layer]
            W, dW = self.weights[layer], self._weight_gradients[layer]
            # beta=0: what dW held before does not matter
            self._affine(dW, a.mT, d, beta=0, alpha=scale, out=dW)
            db = self._bias_gradients[layer]
            torch.sum(d, -2, keepdim=db.ndim > 1, out=db)
            if layer:
                d = self._product(d, W.mT)
                if scale != 1.0:
                    d.mul_(scale)
                d = through(d, self._before[layer], self._masks[layer])
