"""Training of modules of the user, by skorch without what costs time per batch."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
from contextlib import nullcontext

import torch
from skorch import NeuralNet
from torch import nn

from sklearn_unlearn._engine._threads import threads_for
from sklearn_unlearn._engine.module._explicit import ExplicitRandomness
from sklearn_unlearn._engine.module._fitted import (
    check_outputs,
    largest_product,
    stochastic_layers,
)

__all__ = ["LeanNet", "NetTrainer"]


class LeanNet(NeuralNet):
    """skorch's net for batches of tensors that are on the device already."""

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the weighted mean loss of a batch."""
        target, weight = y_true
        losses = self.criterion_(y_pred, target)
        return (losses if weight is None else losses * weight).sum() / len(losses)

    def train_step(self, batch, **fit_params):
        """Take one step. Nothing is recorded, and no callback is asked."""
        self.optimizer_.zero_grad()
        step = self.train_step_single(batch, **fit_params)
        self.optimizer_.step()
        return step


class _Criterion(nn.Module):
    def __init__(self, loss, n_outputs):
        super().__init__()
        self.loss, self.n_outputs = loss, n_outputs

    def forward(self, outputs, target):
        check_outputs(outputs, len(target), self.n_outputs)
        return self.loss.rows(outputs, target)


class NetTrainer:
    """Trains a module in place, with the interface of `MLPTrainer`.

    Parameters
    ----------
    module : torch.nn.Module
    n_outputs : int
        Outputs that it must have.
    rows : Rows
        On the device.
    loss : object
        With ``rows(outputs, target)``.
    alpha : float
        Penalty on all parameters of more than one dimension.
    adam : Adam
    rng : numpy.random.Generator
        For a module that draws numbers outside of its layers of dropout.
    batch_size : int
    device : torch.device or str
    """

    def __init__(
        self,
        module,
        n_outputs,
        rows,
        loss,
        *,
        alpha,
        adam,
        rng,
        batch_size,
        device,
    ):
        self.rows, self._batch_size = rows, batch_size
        no_decay = [
            (name, {"weight_decay": 0.0})
            for name, parameter in module.named_parameters()
            if parameter.ndim < 2
        ]
        optimizer = {
            f"optimizer__{name}": value
            for name, value in adam.settings.items()
            if name != "lr"
        }
        self.net = LeanNet(
            module,
            criterion=_Criterion(loss, n_outputs),
            optimizer=torch.optim.Adam,
            optimizer__fused=True,
            optimizer__weight_decay=alpha / batch_size,
            optimizer__param_groups=no_decay,
            lr=adam.settings["lr"],
            train_split=None,
            callbacks="disable",
            verbose=0,
            device=device,
            **optimizer,
        ).initialize()
        if min(batch_size, self.n_rows) == 1 and self._has_batch_norm():
            raise ValueError(
                "module has batch normalization, which needs more than one row per "
                f"batch to train on: n_samples = {self.n_rows}, batch_size = "
                f"{batch_size}."
            )
        for layer in stochastic_layers(module):
            layer.seed(rng.spawn(1)[0])
        generator = torch.Generator(device).manual_seed(int(rng.integers(2**63)))
        # its cost per call is paid for one epoch, and on by modules that need it
        self._randomness, self._watching = ExplicitRandomness(generator), True

    @property
    def n_rows(self):
        """Number of training rows."""
        return len(self.rows)

    @property
    def module(self):
        """The module."""
        return self.net.module_

    def epoch(self, order):
        """Visit the rows once in this order, and return the mean loss."""
        order = torch.from_numpy(order).to(self.rows.X.device)
        batch_size = self._batch_size
        total = torch.zeros((), device=order.device)
        with threads_for(largest_product(self.module, batch_size)):
            for start in range(0, len(order), batch_size):
                X, target, weight = self.rows.take(order[start : start + batch_size])
                if len(X) == 1 and self._has_batch_norm():
                    continue  # there is no variance in one row
                total += self._step((X, (target, weight))) * len(X)
        self._watching = self._randomness.used
        return float(total) / len(order)

    def _step(self, batch):
        with self._randomness if self._watching else nullcontext():
            return self.net.train_step(batch)["loss"].detach()

    def _has_batch_norm(self):
        """Whether a batch of one row cannot be trained on."""
        kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
        return any(isinstance(layer, kinds) for layer in self.module.modules())

    def snapshot(self):
        """Return a copy of the parameters and buffers."""
        return copy.deepcopy(self.module.state_dict())

    def restore(self, snapshot):
        """Put parameters and buffers back."""
        self.module.load_state_dict(snapshot)

    def moments(self):
        """Return the state of Adam as arrays, to continue from."""
        states = self.net.optimizer_.state_dict()["state"]
        return {
            key: {name: value.cpu().numpy().copy() for name, value in state.items()}
            for key, state in states.items()
        }

    def continue_from(self, moments):
        """Take up the state of Adam that `moments` returned."""
        whole = self.net.optimizer_.state_dict()
        whole["state"] = {
            key: {name: torch.tensor(value) for name, value in state.items()}
            for key, state in moments.items()
        }
        self.net.optimizer_.load_state_dict(whole)
