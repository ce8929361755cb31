"""A copy of a fitted network that is trained to forget.

Its passes are deterministic. Noise is off, and batch normalization holds the statistics
of the retained rows: a loss can then be compared with that of a teacher row by row.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sklearn_unlearn._engine._handle import NetworkHandle
from sklearn_unlearn._engine._solvers import AdamSettings
from sklearn_unlearn._engine._threads import threads_for
from sklearn_unlearn._engine._trainable import Trainable
from sklearn_unlearn._engine._training import TensorRows
from sklearn_unlearn._engine._weight_mask import WeightMask
from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.utils._cached import cached_property
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["Batch", "ForgetRetainBatches", "Student", "UnlearningSettings"]

# Most retained rows whose loss is computed after each epoch.
N_MONITORED = 2000

Objective = Callable[["Batch", "Batch"], torch.Tensor]


@dataclass
class UnlearningSettings:
    """How long, and how, a student is trained.

    Attributes
    ----------
    n_epochs : int
        Visits of each retained row.
    adam : AdamSettings
    batch_size : int
        Retained rows of a batch.
    max_retain_increase : float
        Accepted increase of the mean loss of retained rows.
    """

    n_epochs: int
    adam: AdamSettings
    batch_size: int
    max_retain_increase: float


@dataclass
class Batch:
    """Some rows, as an objective sees them.

    Attributes
    ----------
    index : Tensor of shape (n,)
        Positions of the rows in `rows`.
    outputs : Tensor of shape (n, n_outputs)
        Outputs of the student; differentiable.
    rows : TensorRows
        All retained rows, or all rows to forget.
    loss : object
        See `_losses`.
    """

    index: torch.Tensor
    outputs: torch.Tensor
    rows: TensorRows
    loss: Any

    @cached_property
    def losses(self) -> torch.Tensor:
        """Loss of each row, shape (n, 1); differentiable."""
        return self.loss.rows(self.outputs, self.rows.target[self.index])

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Return the mean of one value per row, weighted as the rows are."""
        if self.rows.weight is not None:
            values = values * self.rows.weight[self.index]
        return values.mean()


class ForgetRetainBatches:
    """Batches of retained rows, each with its share of the rows to forget.

    An epoch visits each retained row once, and the rows to forget are spread evenly
    over its batches. If there are fewer of them than batches, they come round again,
    so that no step is without one.

    Parameters
    ----------
    n_retain, n_forget : int
        Numbers of rows; with ``n_forget=0`` the second part of each pair is empty.
    batch_size : int
        Retained rows of a batch, and the most rows to forget beside them.
    rng : numpy.random.Generator
        Of the order of the rows.
    """

    def __init__(
        self, n_retain: int, n_forget: int, batch_size: int, rng: np.random.Generator
    ) -> None:
        self._n_retain, self._n_forget, self._rng = n_retain, n_forget, rng
        self.batch_size = min(batch_size, n_retain)
        n_batches = -(-n_retain // self.batch_size)
        # where most rows are to be forgotten, they take turns over the epochs
        self.n_forget_per_batch = min(-(-n_forget // n_batches), batch_size)
        self._queue = np.empty(0, dtype=np.int64)

    def epoch(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the positions of retained rows and of rows to forget, step by step."""
        order = self._rng.permutation(self._n_retain)
        for start in range(0, self._n_retain, self.batch_size):
            while len(self._queue) < self.n_forget_per_batch:
                again = self._rng.permutation(self._n_forget)
                self._queue = np.concatenate([self._queue, again])
            forget, self._queue = np.split(self._queue, [self.n_forget_per_batch])
            yield order[start : start + self.batch_size], forget


class Student:
    """A copy of a fitted network in training to forget.

    Parameters
    ----------
    handle : NetworkHandle
        The network and its rows.
    settings : UnlearningSettings
    rng : numpy.random.Generator
        Of the order of the rows, and of what a method draws.

    Attributes
    ----------
    retain, forget : TensorRows
        Tensors ``X``, ``target`` and ``weight`` of the rows.
    loss : object
        Of classes, or of numbers; see `_losses`.
    parameters : list of Tensor
        All that is trained, changed in place.
    """

    def __init__(
        self,
        handle: NetworkHandle,
        settings: UnlearningSettings,
        rng: np.random.Generator,
    ) -> None:
        self._handle, self._settings, self.rng = handle, settings, rng
        self.retain, self.forget, self.loss = handle.retain, handle.forget, handle.loss
        self._trainable: Trainable = handle.network.as_trainable(
            self.retain.X.device, int(rng.integers(2**63))
        )
        self._trainable.renew_statistics(self.retain.X)
        self.parameters = self._trainable.parameters

    # ---------------------------------------------------------------- as it is

    def network(self) -> Any:
        """Return a copy of the network as it is now; it can serve as a teacher."""
        return self._trainable.network()

    def outputs(self, rows: TensorRows, network: Any = None) -> torch.Tensor:
        """Return outputs for all rows, shape (n_rows, n_outputs); not differentiable.

        Parameters
        ----------
        rows : TensorRows
        network : Perceptron or FittedModule, default=None
            A teacher; None stands for the student itself.
        """
        if network is None:
            return self._trainable.outputs(rows.X)
        return network.as_trainable(rows.X.device).outputs(rows.X)

    def losses(self, rows: TensorRows) -> torch.Tensor:
        """Return the loss of each row, shape (n_rows, 1); not differentiable."""
        return self.loss.rows(self._trainable.outputs(rows.X), rows.target)

    def gradient(self, rows: TensorRows) -> list[torch.Tensor]:
        """Return the gradient of the mean loss over all rows, tensor by tensor."""
        total = [torch.zeros_like(parameter) for parameter in self.parameters]
        everything = torch.arange(len(rows), device=rows.X.device)
        for index in everything.split(self._settings.batch_size):
            outputs = self._trainable.forward(rows.X[index])
            batch = Batch(index, outputs, rows, self.loss)
            value = batch.mean(batch.losses) * (len(index) / len(rows))
            gradients = self._trainable.backward(value)
            for part, gradient in zip(total, gradients, strict=True):
                part.add_(gradient)
        return total

    def loss_per_nat(self) -> float:
        """Return the loss that is one nat of likelihood.

        For classes it is 1; for squared errors the variance of Gaussian noise, which
        the mean squared error of the retained rows estimates.
        """
        return self.loss.loss_per_nat(self._monitored_losses(), self.retain.target)

    def train_fresh(self, n_epochs: int) -> Any:
        """Return a new network that has seen the retained rows alone."""
        return self._handle.train_fresh(n_epochs, self.rng.spawn(1)[0])

    @property
    def n_epochs_fitted(self) -> int:
        """Epochs that the network was trained for when it was fitted."""
        return self._handle.n_epochs

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
        objective: Objective,
        *,
        forget: bool = True,
        mask: WeightMask | None = None,
        l1: float = 0.0,
    ) -> None:
        """Minimise an objective over the epochs of the settings.

        Training stops with the weights of the last good epoch, and a warning, when
        the retained rows suffer.

        Parameters
        ----------
        objective : callable (retain, forget) -> Tensor of shape ()
            Function of two batches, written as in the paper.
        forget : bool, default=True
            Whether the objective looks at rows to forget; they cost time.
        mask : WeightMask, default=None
            Which weights may change; all of them by default.
        l1 : float, default=0.0
            Penalty on the absolute values of all parameters, which fades linearly
            over the epochs.
        """
        settings = self._settings
        optimizer = settings.adam.optimizer(self.parameters)
        n_forget = len(self.forget) if forget else 0
        batches = ForgetRetainBatches(
            len(self.retain), n_forget, settings.batch_size, self.rng.spawn(1)[0]
        )
        highest = math.inf
        if settings.max_retain_increase < math.inf:
            increase = self.loss.tolerance_unit(self.retain.target)
            increase *= settings.max_retain_increase
            highest = float(self._monitored_losses().mean()) + increase
        n_rows = batches.batch_size + batches.n_forget_per_batch
        with threads_for(n_rows * self._trainable.largest_product):
            for epoch in range(settings.n_epochs):
                good = [parameter.detach().clone() for parameter in self.parameters]
                l1_now = l1 * (1 - epoch / settings.n_epochs)
                for retain_index, forget_index in batches.epoch():
                    gradients = self._gradients(objective, retain_index, forget_index)
                    if l1_now:
                        self._add_l1(gradients, l1_now)
                    if mask is None:
                        optimizer.step()
                    else:
                        mask.step(optimizer, self.parameters, gradients)
                if not float(self._monitored_losses().mean()) <= highest:
                    self._restore(good)
                    self._warn_of_early_stop(epoch)
                    break

    def _gradients(
        self, objective: Objective, retain: np.ndarray, forget: np.ndarray
    ) -> list[torch.Tensor]:
        """Return the gradients of the objective, with weight decay, in one step."""
        device = self.retain.X.device
        retain_index = torch.from_numpy(retain).to(device)
        forget_index = torch.from_numpy(forget).to(device)
        X = torch.cat([self.retain.X[retain_index], self.forget.X[forget_index]])
        parts = self._trainable.forward(X).split([len(retain), len(forget)])
        value = objective(
            Batch(retain_index, parts[0], self.retain, self.loss),
            Batch(forget_index, parts[1], self.forget, self.loss),
        )
        return self._trainable.backward(value, self._handle.weight_decay(len(retain)))

    @torch.no_grad()
    def _add_l1(self, gradients: list[torch.Tensor], strength: float) -> None:
        """Add the gradient of the L1 penalty to the gradients of a step."""
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            gradient.add_(parameter.sign(), alpha=strength)

    @torch.no_grad()
    def _restore(self, values: list[torch.Tensor]) -> None:
        """Set the parameters to earlier values."""
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(value)

    def _monitored_losses(self) -> torch.Tensor:
        """Return weighted losses of retained rows; of some, if there are many."""
        step = -(-len(self.retain) // N_MONITORED)
        rows = TensorRows(self.retain.X[::step], self.retain.target[::step])
        losses = self.losses(rows)
        if self.retain.weight is None:
            return losses
        weight = self.retain.weight[::step]
        return losses * (weight / weight.mean())

    def _warn_of_early_stop(self, n_epochs: int) -> None:
        """Warn that training ended because the retained rows suffered."""
        warn_user(
            f"Unlearning stopped after {n_epochs} of {self._settings.n_epochs} epochs: "
            "the next one would have raised the mean loss of the retained rows by more "
            "than max_retain_increase="
            f"{self._settings.max_retain_increase:g}. Lower learning_rate_init or the "
            "weight of the rows to forget, or accept more.",
            UnlearningWarning,
        )
