"""A copy of a fitted network that is trained to forget.

Its passes are deterministic. Noise is off, and batch normalization holds the statistics
of the retained rows: a loss can then be compared with that of a teacher row by row.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from sklearn_unlearn._engine._bodies import body_of
from sklearn_unlearn._engine._editable import Editable
from sklearn_unlearn._engine._pairs import PairedBatches
from sklearn_unlearn._engine._weight_mask import WeightMask
from sklearn_unlearn._engine.mlp._trainer import Adam, Rows
from sklearn_unlearn.exceptions import UnlearningWarning

__all__ = ["Batch", "Recipe", "Student"]

# Retained rows on which it is watched that a network does not degrade.
N_WATCHED = 2000


@dataclass
class Recipe:
    """How long, and how, a student is trained.

    Attributes
    ----------
    n_epochs : int
        Visits of each retained row.
    adam : Adam
    batch_size : int
        Retained rows of a batch.
    max_retain_increase : float
        Accepted increase of the mean loss of retained rows.
    """

    n_epochs: int
    adam: Adam
    batch_size: int
    max_retain_increase: float


class Batch:
    """What an objective sees of some rows.

    Attributes
    ----------
    index : Tensor of shape (n,)
        Positions of the rows among those of their kind.
    outputs : Tensor of shape (n, n_outputs)
        Outputs of the student; differentiable.
    losses : Tensor of shape (n, 1)
        Their losses; differentiable.
    """

    def __init__(
        self, index: torch.Tensor, outputs: torch.Tensor, rows: Rows, loss: Any
    ) -> None:
        self.index, self.outputs = index, outputs
        self._rows, self._loss = rows, loss

    @cached_property
    def losses(self) -> torch.Tensor:
        return self._loss.rows(self.outputs, self._rows.target[self.index])

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Return the mean of one value per row, weighted as the rows are."""
        if self._rows.weight is not None:
            values = values * self._rows.weight[self.index]
        return values.mean()


class Student:
    """A copy of a fitted network in training to forget.

    Parameters
    ----------
    edited : Editable
        The network and its rows.
    recipe : Recipe
    rng : numpy.random.Generator
        Of the order of the rows, and of what a method draws.

    Attributes
    ----------
    retain, forget : Rows
        Tensors ``X``, ``target`` and ``weight`` of the rows.
    loss : object
        Whether a row is classified or its target approximated; see `_losses`.
    parameters : list of Tensor
        All that is trained, changed in place.
    """

    def __init__(
        self, edited: Editable, recipe: Recipe, rng: np.random.Generator
    ) -> None:
        self._edited, self._recipe, self.rng = edited, recipe, rng
        self.retain, self.forget, self.loss = edited.retain, edited.forget, edited.loss
        seed = int(rng.integers(2**63))
        self._body = body_of(edited.network, self.retain.X.device, seed)
        self._body.renew_statistics(self.retain.X)
        self.parameters = self._body.parameters

    # ---------------------------------------------------------------- as it is

    def network(self) -> Any:
        """Return the network as it is now; it can serve as a teacher."""
        return self._body.network()

    def outputs(self, rows: Rows, network: Any = None) -> torch.Tensor:
        """Return outputs for all rows, shape (n_rows, n_outputs); not differentiable.

        Parameters
        ----------
        rows : Rows
        network : Perceptron or FittedModule, default=None
            A teacher; None stands for the student itself.
        """
        body = self._body if network is None else body_of(network, rows.X.device)
        return body.outputs(rows.X)

    def losses(self, rows: Rows) -> torch.Tensor:
        """Return the loss of each row, shape (n_rows, 1); not differentiable."""
        return self.loss.rows(self.outputs(rows), rows.target)

    def gradient(self, rows: Rows) -> list[torch.Tensor]:
        """Return the gradient of the mean loss over all rows, tensor by tensor."""
        total = [torch.zeros_like(parameter) for parameter in self.parameters]
        everything = torch.arange(len(rows), device=rows.X.device)
        for index in everything.split(self._recipe.batch_size):

            def loss_of(outputs, index=index):
                batch = Batch(index, outputs, rows, self.loss)
                return batch.mean(batch.losses) * (len(index) / len(rows))

            self._body.backward(rows.X[index], loss_of)
            for part, gradient in zip(total, self._body.gradients(), strict=True):
                part.add_(gradient)
        return total

    def nat(self) -> float:
        """Return the loss that is one nat of likelihood.

        For classes it is 1; for squared errors the variance of Gaussian noise, which
        the mean squared error of the retained rows estimates.
        """
        return self.loss.nat(self._watched_losses(), self.retain.target)

    def train_fresh(self, n_epochs: int) -> Any:
        """Return a new network that has seen the retained rows alone."""
        return self._edited.train_fresh(n_epochs, self.rng.spawn(1)[0])

    @property
    def n_epochs_fitted(self) -> int:
        """Epochs that the network was trained for when it was fitted."""
        return self._edited.n_epochs

    @property
    def ratio(self) -> float:
        """Number of rows to forget over that of retained rows.

        As the weight of a mean over the former beside one over the latter it gives
        each row the same say.
        """
        return len(self.forget) / len(self.retain)

    # ---------------------------------------------------------------- training

    def train(
        self,
        objective: Callable[[Batch, Batch], torch.Tensor],
        *,
        forget: bool = True,
        mask: WeightMask | None = None,
        l1: float = 0.0,
    ) -> None:
        """Minimise an objective over the epochs of the recipe.

        Training stops with the weights of the last good epoch, and a warning, when
        the retained rows suffer.

        Parameters
        ----------
        objective : callable (retain, forget) -> Tensor of shape ()
            Function of two batches, written as in the paper.
        forget : bool, default=True
            Whether the objective looks at rows to forget; they cost time.
        mask : WeightMask, default=None
            Which weights may move; all of them by default.
        l1 : float, default=0.0
            Penalty on the absolute values of all parameters, which fades linearly
            over the epochs.
        """
        recipe, optimizer = self._recipe, self._recipe.adam.over(self.parameters)
        n_forget = len(self.forget) if forget else 0
        pairs = PairedBatches(
            len(self.retain), n_forget, recipe.batch_size, self.rng.spawn(1)[0]
        )
        bound = math.inf
        if recipe.max_retain_increase < math.inf:
            # in nats, or in variances of the target
            unit = self.loss.unit(self.retain.target)
            bound = self._retain_loss() + recipe.max_retain_increase * unit
        with self._body.threads(pairs.batch_size + pairs.n_beside):
            for epoch in range(recipe.n_epochs):
                good = [parameter.detach().clone() for parameter in self.parameters]
                strength = l1 * (1 - epoch / recipe.n_epochs)
                for retained, forgotten in pairs.epoch():
                    self._gradients(objective, retained, forgotten)
                    if strength:
                        self._penalise(strength)
                    with _frozen(mask, self.parameters, self._body.gradients()):
                        optimizer.step()
                if not self._retain_loss() <= bound:
                    self._restore(good)
                    self._warn(epoch)
                    break

    def _gradients(self, objective, retained, forgotten):
        """Put the gradient of the objective, with weight decay, where it belongs."""
        device = self.retain.X.device
        retained = torch.from_numpy(retained).to(device)
        forgotten = torch.from_numpy(forgotten).to(device)
        X = torch.cat([self.retain.X[retained], self.forget.X[forgotten]])

        def loss_of(outputs):
            own, other = outputs.split([len(retained), len(forgotten)])
            return objective(
                Batch(retained, own, self.retain, self.loss),
                Batch(forgotten, other, self.forget, self.loss),
            )

        self._body.backward(X, loss_of)
        self._body.decay(self._edited.decay(len(retained)))

    @torch.no_grad()
    def _penalise(self, strength):
        pairs = zip(self.parameters, self._body.gradients(), strict=True)
        for parameter, gradient in pairs:
            gradient.add_(parameter.sign(), alpha=strength)

    @torch.no_grad()
    def _restore(self, values):
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(value)

    def _retain_loss(self):
        return float(self._watched_losses().mean())

    def _watched_losses(self):
        """Weighted losses of retained rows; of some of them, if there are many."""
        step = -(-len(self.retain) // N_WATCHED)
        losses = self.losses(Rows(self.retain.X[::step], self.retain.target[::step]))
        if self.retain.weight is None:
            return losses
        weight = self.retain.weight[::step]
        return losses * (weight / weight.mean())

    def _warn(self, n_epochs):
        warnings.warn(
            f"Unlearning stopped after {n_epochs} of {self._recipe.n_epochs} epochs: "
            "the next one would have raised the mean loss of the retained rows by more "
            "than max_retain_increase="
            f"{self._recipe.max_retain_increase:g}. Lower learning_rate_init or the "
            "weight of what is forgotten, or accept more.",
            UnlearningWarning,
            stacklevel=3,
        )


@contextmanager
def _frozen(mask, parameters, gradients):
    """Keep the weights that a mask holds where they are during a step."""
    if mask is None:
        yield
        return
    with torch.no_grad():
        before = [parameter.detach().clone() for parameter in parameters]
        mask.hide(gradients)
        yield
        mask.restore([parameter.detach() for parameter in parameters], before)
