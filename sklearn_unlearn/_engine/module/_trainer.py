"""Training of modules of the user, by skorch without what costs time per batch."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from contextlib import nullcontext

import torch
from skorch import NeuralNet
from torch import nn

from sklearn_unlearn._engine._threads import threads_for
from sklearn_unlearn._engine.module._building import (
    check_outputs,
    largest_product,
    stochastic_layers,
)
from sklearn_unlearn._engine.module._randomness import ExplicitRandomness
from sklearn_unlearn._engine.module._state import module_state, restore_state

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


def _join_groups(optimizer):
    """Join parameters that are next to each other and have the same settings.

    skorch makes a group of each; a step takes its time by groups.
    """
    joined: list[dict] = []
    for group in optimizer.param_groups:
        settings = {name: value for name, value in group.items() if name != "params"}
        before = joined[-1] if joined else {}
        if settings == {n: v for n, v in before.items() if n != "params"}:
            before["params"] = [*before["params"], *group["params"]]
        else:
            joined.append(group)
    optimizer.param_groups[:] = joined


class _Criterion(nn.Module):
    """A loss of each row as skorch takes it, which checks the outputs first."""

    def __init__(self, loss, n_outputs):
        super().__init__()
        self.loss, self.n_outputs = loss, n_outputs

    def forward(self, outputs, target):
        outputs = check_outputs(outputs, len(target), self.n_outputs)
        return self.loss.rows(outputs, target)


class NetTrainer:
    """Trains a module with dropout, with the interface of `MLPTrainer`.

    Parameters
    ----------
    network : FittedModule
        Its module is trained in place, on the device of the rows.
    rows : TensorRows
    loss : object
        With ``rows(outputs, target)``; see `_losses`.
    alpha : float
        Penalty on all parameters of more than one dimension.
    solver : Solver
    rng : numpy.random.Generator
        Of the layers of dropout, and of other random numbers that the module draws.
    batch_size : int
    """

    def __init__(self, network, rows, loss, *, alpha, solver, rng, batch_size):
        self._network, self.rows, self._batch_size = network, rows, batch_size
        module, device = network.module().train(), rows.X.device
        no_decay = [
            (name, {"weight_decay": 0.0})
            for name, parameter in module.named_parameters()
            if parameter.ndim < 2
        ]
        options = solver.options_for(module.parameters())
        self.net = LeanNet(
            module,
            criterion=_Criterion(loss, network.n_outputs),
            optimizer=solver.kind,
            **{f"optimizer__{name}": value for name, value in options.items()},
            optimizer__weight_decay=alpha / batch_size,
            optimizer__param_groups=no_decay,
            train_split=None,
            callbacks="disable",
            verbose=0,
            device=device,
        ).initialize()
        _join_groups(self.net.optimizer_)
        if min(batch_size, self.n_rows) == 1 and self._has_batch_norm():
            raise ValueError(
                "module has batch normalization, which needs more than one row per "
                f"batch to train on: n_samples = {self.n_rows}, batch_size = "
                f"{batch_size}."
            )
        for layer in stochastic_layers(module):
            layer.seed(rng.spawn(1)[0])
        generator = torch.Generator(device).manual_seed(int(rng.integers(2**63)))
        # it costs time in every call: after the first epoch only a module that draws
        # numbers pays for it
        self._randomness, self._draws_numbers = ExplicitRandomness(generator), True

    @property
    def n_rows(self):
        """Number of training rows."""
        return len(self.rows)

    @property
    def is_noisy(self):
        """Whether two passes over the same rows give different losses."""
        return self._network.is_stochastic

    @property
    def module(self):
        """The module in training."""
        return self.net.module_

    @property
    def optimizer(self):
        """The optimizer of its parameters."""
        return self.net.optimizer_

    def network(self):
        """Return a copy of the network as it is now."""
        return self._network.with_module(self.module)

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
        self._draws_numbers = self._randomness.used
        return float(total) / len(order)

    def _step(self, batch):
        with self._randomness if self._draws_numbers else nullcontext():
            return self.net.train_step(batch)["loss"].detach()

    def _has_batch_norm(self):
        """Whether a batch of one row cannot be trained on."""
        kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
        return any(isinstance(layer, kinds) for layer in self.module.modules())

    def snapshot(self):
        """Return a copy of all that the module knows."""
        return module_state(self.module)

    def restore(self, snapshot):
        """Put them back."""
        restore_state(self.module, snapshot)
