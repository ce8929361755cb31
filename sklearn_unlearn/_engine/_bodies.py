"""The two kinds of networks under one interface, for training to forget."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from sklearn_unlearn._engine._threads import threads_for
from sklearn_unlearn._engine.mlp._layout import Layout
from sklearn_unlearn._engine.mlp._mlp import MLP
from sklearn_unlearn._engine.mlp._perceptron import Perceptron
from sklearn_unlearn._engine.module._explicit import ExplicitRandomness
from sklearn_unlearn._engine.module._fitted import FittedModule, largest_product

__all__ = ["body_of"]

# Rows of a pass without gradients, and of one that takes statistics.
CHUNK_ROWS, STATISTICS_ROWS = 1024, 8192

Objective = Callable[[torch.Tensor], torch.Tensor]


def body_of(
    network: Any, device: torch.device, seed: int = 0
) -> "PerceptronBody | ModuleBody":
    """Return a copy of a network that can be differentiated.

    A module may draw numbers in evaluation mode, too; they come from the seed.
    """
    if isinstance(network, FittedModule):
        return ModuleBody(network, device, seed)
    return PerceptronBody(network, device)


class _Body(ABC):
    parameters: list[torch.Tensor]

    @torch.no_grad()
    def outputs(self, X: torch.Tensor) -> torch.Tensor:
        """Return the outputs for all rows; not differentiable."""
        with self.threads(CHUNK_ROWS):  # for the same bytes in every process
            return torch.cat([self.forward(rows) for rows in X.split(CHUNK_ROWS)])

    @abstractmethod
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the outputs for a batch."""

    def threads(self, n_rows: int) -> Any:
        """Return the context in which batches of this size go through."""
        return threads_for(n_rows * self._widest())

    @abstractmethod
    def _widest(self) -> int:
        """Multiply-adds of the largest product for one row, as far as known."""

    def gradients(self) -> list[torch.Tensor]:
        """Return the gradients that `backward` has written, tensor by tensor."""
        return [
            torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            for parameter in self.parameters
        ]


class PerceptronBody(_Body):
    """A perceptron on one flat vector, its passes written out.

    Only the objective, a function of the outputs, is left to autograd.
    """

    def __init__(self, network: Perceptron, device: torch.device) -> None:
        self._network = network
        flat = torch.from_numpy(network.parameters.copy()).to(device)
        layout = Layout(network.sizes)
        self._mlp = MLP(layout, network.activation, network.dropout, flat)
        self._n_weights = layout.n_weights
        flat.grad = self._mlp.gradient
        # passes remember what the backward pass needs: this one is for all others
        self._aside = MLP(
            layout, network.activation, network.dropout, flat, self._mlp.gradient
        )
        self.parameters = [flat]

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self._aside.forward(X)

    def backward(self, X: torch.Tensor, objective: Objective) -> None:
        """Write the gradient of an objective of the outputs."""
        with torch.no_grad():
            outputs = self._mlp.forward(X)
        outputs.requires_grad_()
        (d,) = torch.autograd.grad(objective(outputs), outputs)
        with torch.no_grad():
            self._mlp.backward(d)

    @torch.no_grad()
    def decay(self, strength: float) -> None:
        """Add the gradient of ``strength / 2`` times the squared weights."""
        weights = self._mlp.parameters[: self._n_weights]
        self._mlp.gradient[: self._n_weights].add_(weights, alpha=strength)

    def _widest(self) -> int:
        return max(a * b for a, b in self._mlp.layout.shapes)

    def renew_statistics(self, X: torch.Tensor) -> None:
        """Do nothing: a perceptron has no statistics of its rows."""

    def network(self) -> Perceptron:
        """Return the network as it is now."""
        return self._network.with_parameters(self.parameters[0].cpu().numpy().copy())


class ModuleBody(_Body):
    """A module in evaluation mode, by autograd."""

    def __init__(self, network: FittedModule, device: torch.device, seed: int) -> None:
        self._network = network
        self._module = network.copy().module().to(device)
        self.parameters = [p for p in self._module.parameters() if p.requires_grad]
        generator = torch.Generator(device).manual_seed(seed)
        self._randomness = ExplicitRandomness(generator)
        # its cost per call is paid once, and on by modules that need it
        self._watching = True
        with torch.no_grad():
            self.forward(torch.zeros(1, network.n_features, device=device))
        self._watching = self._randomness.used

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        with self._randomness if self._watching else nullcontext():
            return self._module(X)

    def backward(self, X: torch.Tensor, objective: Objective) -> None:
        """Write the gradient of an objective of the outputs."""
        found = torch.autograd.grad(
            objective(self.forward(X)), self.parameters, materialize_grads=True
        )
        for parameter, gradient in zip(self.parameters, found, strict=True):
            parameter.grad = gradient

    @torch.no_grad()
    def decay(self, strength: float) -> None:
        """Add the gradient of ``strength / 2`` times the squared weights."""
        for parameter, gradient in zip(self.parameters, self.gradients(), strict=True):
            if parameter.ndim > 1:
                gradient.add_(parameter, alpha=strength)

    def _widest(self) -> int:
        return largest_product(self._module, 1)

    @torch.no_grad()
    def renew_statistics(self, X: torch.Tensor) -> None:
        """Take the statistics of batch normalization from these rows alone."""
        layers = [
            layer
            for layer in self._module.modules()
            if isinstance(layer, nn.modules.batchnorm._BatchNorm)
            and layer.track_running_stats
        ]
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
        with threads_for(1):  # sums of the same bytes, again
            for part in range(n_parts):  # rows of every kind in each of them
                self.forward(X[part::n_parts])
        for layer, momentum in zip(layers, before, strict=True):
            layer.momentum = momentum
            layer.eval()

    def network(self) -> FittedModule:
        """Return the network as it is now."""
        return self._network.with_module(self._module)
