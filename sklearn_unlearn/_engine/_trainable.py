"""One interface for training the two kinds of networks to forget."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import ABC, abstractmethod
from typing import Any

import torch

__all__ = ["CHUNK_ROWS", "Trainable"]

# Rows of one pass in `Trainable.outputs`.
CHUNK_ROWS = 1024


class Trainable(ABC):
    """A copy of a fitted network, ready for an optimizer; its passes draw no noise.

    ``Perceptron`` and ``FittedModule`` return theirs from ``as_trainable``.

    Attributes
    ----------
    parameters : list of Tensor
        All that is trained, to be changed in place.
    largest_product : int
        Multiply-adds of the largest matrix product for one row; see `threads_for`.
    """

    parameters: list[torch.Tensor]
    largest_product: int

    @abstractmethod
    def outputs(self, X: torch.Tensor) -> torch.Tensor:
        """Return the outputs for all rows, chunk by chunk; not differentiable."""

    @abstractmethod
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the outputs for a batch, of which an objective can be computed."""

    @abstractmethod
    def backward(
        self, value: torch.Tensor, weight_decay: float = 0.0
    ) -> list[torch.Tensor]:
        """Differentiate an objective of what `forward` returned last.

        The gradients, with those of ``weight_decay / 2`` times the squared weights,
        are put where the optimizer looks for them, and returned tensor by tensor.
        """

    @abstractmethod
    def renew_statistics(self, X: torch.Tensor) -> None:
        """Recompute what batch normalization knows of rows, from these rows alone.

        Whatever else training has left beside the weights is dropped; a
        `CannotUnlearnError` says that predictions depend on it.
        """

    @abstractmethod
    def network(self) -> Any:
        """Return a copy of the network as it is now."""
