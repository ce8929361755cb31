"""The trainer that fits the kind of a network."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import torch

from sklearn_unlearn._engine.mlp._layout import Layout
from sklearn_unlearn._engine.mlp._mlp import MLP
from sklearn_unlearn._engine.mlp._trainer import MLPTrainer
from sklearn_unlearn._engine.module._fitted import FittedModule

__all__ = ["make_trainer"]


def make_trainer(network, rows, loss, **settings):
    """Return a trainer of `network`, and a function that gives it as it is.

    Parameters
    ----------
    network : Perceptron or FittedModule
        Trained in place.
    rows : Rows
        On the device to train on.
    loss : object
        See `_losses`.
    **settings : dict
        ``alpha``, ``adam``, ``rng`` and ``batch_size`` of the trainers.
    """
    device = rows.X.device
    if isinstance(network, FittedModule):
        # skorch is loaded here, where it is needed: it takes seconds
        from sklearn_unlearn._engine.module._trainer import NetTrainer

        net = NetTrainer(
            network.module().train(),
            network.n_outputs,
            rows,
            loss,
            device=device,
            **settings,
        )
        return net, lambda: network.with_module(net.module)
    layout = Layout(network.sizes)
    flat = torch.from_numpy(network.parameters).to(device)
    mlp = MLP(layout, network.activation, network.dropout, flat)
    trainer = MLPTrainer(mlp, rows, loss, **settings)
    return trainer, lambda: network.with_parameters(flat.cpu().numpy().copy())
