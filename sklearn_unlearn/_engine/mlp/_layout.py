"""Where the weights of a perceptron lie in one flat vector."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from itertools import pairwise

import torch

__all__ = ["Layout"]


class Layout:
    """All weight matrices first, then all biases.

    So a penalty on weights alone is an operation on one slice.

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

    def views(self, flat):
        """Return matrices and biases that share the memory of `flat`.

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
