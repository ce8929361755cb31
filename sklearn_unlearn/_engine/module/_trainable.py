"""A module of the user, in training to forget."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from contextlib import nullcontext

import torch

from sklearn_unlearn._engine._threads import threads_for
from sklearn_unlearn._engine._trainable import CHUNK_ROWS, Trainable
from sklearn_unlearn._engine.module._building import check_outputs, largest_product
from sklearn_unlearn._engine.module._learnt import batch_norms, drop_learnt_state
from sklearn_unlearn._engine.module._randomness import ExplicitRandomness

__all__ = ["TrainableModule"]

# Rows of a pass that takes the statistics of batch normalization.
STATISTICS_ROWS = 8192


class TrainableModule(Trainable):
    """A copy of a module in evaluation mode, differentiated by autograd.

    Parameters
    ----------
    network : FittedModule
    device : torch.device
    seed : int
        A module may draw numbers in evaluation mode, too: they come from this seed.
    """

    def __init__(self, network, device, seed):
        self._network = network
        self._module = network.copy().module().to(device)
        self.parameters = [p for p in self._module.parameters() if p.requires_grad]
        self.largest_product = largest_product(self._module, 1)
        generator = torch.Generator(device).manual_seed(seed)
        self._randomness = ExplicitRandomness(generator)
        # it costs time in every call: only a module that draws numbers pays for it
        self._draws_numbers = True
        with torch.no_grad():
            self.forward(torch.zeros(1, network.n_features, device=device))
        self._draws_numbers = self._randomness.used

    @torch.no_grad()
    def outputs(self, X):
        with threads_for(CHUNK_ROWS * self.largest_product):
            return torch.cat([self.forward(rows) for rows in X.split(CHUNK_ROWS)])

    def forward(self, X):
        with self._randomness if self._draws_numbers else nullcontext():
            return check_outputs(self._module(X), len(X), self._network.n_outputs)

    def backward(self, value, weight_decay=0.0):
        gradients = torch.autograd.grad(value, self.parameters, materialize_grads=True)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            if weight_decay and parameter.ndim > 1:
                gradient.add_(parameter.detach(), alpha=weight_decay)
            parameter.grad = gradient
        return list(gradients)

    @torch.no_grad()
    def renew_statistics(self, X):
        drop_learnt_state(self._network, self._module)
        layers = list(batch_norms(self._module).values())
        if not layers:
            return
        if len(X) < 2:
            raise ValueError(
                "module has batch normalization, which needs more than one retained "
                f"row: n_samples = {len(X)} would be left."
            )
        before = [layer.momentum for layer in layers]
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # a plain average over the parts
            layer.train()
        n_parts = -(-len(X) // STATISTICS_ROWS)
        with threads_for(1):  # sums with the same bytes in every process
            for part in range(n_parts):  # rows of every kind in each of them
                self.forward(X[part::n_parts])
        for layer, momentum in zip(layers, before, strict=True):
            layer.momentum = momentum
            layer.eval()

    def network(self):
        return self._network.with_module(self._module)
