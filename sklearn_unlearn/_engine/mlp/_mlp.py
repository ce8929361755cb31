"""Perceptrons with dropout: forward and backward pass written out.

At these sizes autograd costs more than the arithmetic. All parameters lie in one flat
vector; with a leading axis many perceptrons of the same sizes are trained at once.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import torch

from sklearn_unlearn._engine.mlp._activations import ACTIVATIONS
from sklearn_unlearn.dropout._noise import rounded

__all__ = ["MLP"]


class MLP:
    """One perceptron, or several of the same sizes side by side.

    Parameters
    ----------
    layout : Layout
        Sizes of the layers.
    activation : {"identity", "logistic", "tanh", "relu"}
        Of the hidden layers.
    dropout : sequence of float
        Probability to drop for the input and for each hidden layer.
    parameters : Tensor of shape (n_parameters,) or (n_models, n_parameters)
        Used in place.
    gradient : Tensor of the same shape, default=None
        Where `backward` writes; None makes one.
    """

    def __init__(self, layout, activation, dropout, parameters, gradient=None):
        self.layout, self.activation = layout, activation
        self.dropout = tuple(rounded(p) for p in dropout)
        self.parameters = parameters
        self.gradient = torch.zeros_like(parameters) if gradient is None else gradient
        self.weights, self.biases = layout.views(parameters)
        self._weight_gradients, self._bias_gradients = layout.views(self.gradient)
        self._affine = torch.addmm if parameters.ndim == 1 else torch.baddbmm
        self._product = torch.mm if parameters.ndim == 1 else torch.bmm

    def first(self, n_models: int) -> "MLP":
        """Return the first models, in the same memory."""
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
        self._masks, self._inputs = masks, [a]
        for layer, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            a = self._affine(b, a, W, alpha=self._scale(layer))
            if layer + 1 < len(self.weights):
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
            a, scale = self._inputs[layer], self._scale(layer)
            W, dW = self.weights[layer], self._weight_gradients[layer]
            # beta=0: what dW held before does not matter
            self._affine(dW, a.mT, d, beta=0, alpha=scale, out=dW)
            db = self._bias_gradients[layer]
            torch.sum(d, -2, keepdim=db.ndim > 1, out=db)
            if layer:
                d = self._product(d, W.mT)
                if scale != 1.0:
                    d.mul_(scale)
                d = through(d, a, self._masks[layer])

    def _scale(self, layer):
        """What the units that are kept are multiplied by."""
        if self._masks[layer] is None:
            return 1.0
        return 1.0 / (1.0 - self.dropout[layer])
