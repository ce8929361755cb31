"""Many fitted networks at once, for ensembles, shards and references."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import torch
from sklearn.base import clone

from sklearn_unlearn._engine._training import History
from sklearn_unlearn._engine.mlp._layout import Layout
from sklearn_unlearn._engine.mlp._many import ManyTrainer
from sklearn_unlearn._engine.mlp._mlp import MLP
from sklearn_unlearn.base._mixin import KeptRows
from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.utils._sklearn_compat import validate_parameters

__all__ = ["fit_many"]


def fit_many(network, X, y, *, seeds, subsets=None, sample_weights=None):
    """Fit copies of a perceptron, each on rows and from a seed of its own.

    Results have the distribution of single fits, with the same initial weights and
    orders of rows; only the masks differ. All train for `max_iter` epochs.

    Parameters
    ----------
    network : DropoutClassifier or DropoutRegressor
        Unfitted; without `module`, `early_stopping` and `warm_start`.
    X : array-like of shape (n_rows, n_features)
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
    seeds : sequence of int
        The `random_state` of each.
    subsets : sequence of ndarray of int, default=None
        Positions of the rows of each; None stands for all rows. All must hold the
        same classes.
    sample_weights : sequence of ndarray of shape (n_subset,), default=None
        Weights of the rows of each.

    Returns
    -------
    list of estimator
        Fitted, without rows.
    """
    for name in ("module", "early_stopping", "warm_start"):
        if getattr(network, name):
            raise ValueError(f"networks with {name} cannot be fitted side by side")
    n_models = len(seeds)
    subsets = [np.arange(len(X))] * n_models if subsets is None else list(subsets)
    given = [None] * n_models if sample_weights is None else list(sample_weights)
    validate_parameters(network)
    template = clone(network).set_params(store_training_data=False)
    X, y = template._check_rows(X, y, reset=True)
    models, plans = [], []
    for seed, subset, weight in zip(seeds, subsets, given, strict=True):
        model = shallow_copy(template).set_params(random_state=seed)
        models.append(model)
        plans.append(model._plan(X, y[subset], weight, subset=subset))
    if len({plan.net.sizes for plan in plans}) > 1:
        raise ValueError("all subsets must hold the same classes")
    # most rows first, so that those that still train are always the first ones
    order = np.argsort([-len(plan.chosen) for plan in plans], kind="stable")
    parameters, losses = _train([models[i] for i in order], [plans[i] for i in order])
    for place, i in enumerate(order):
        model, plan = models[i], plans[i]
        history = History(losses[place], best_loss=min(losses[place]), converged=True)
        model._finish(plan, plan.net.with_parameters(parameters[place].copy()), history)
        model._attach_rows(KeptRows(None, {}, (), True, ()))
    return models


def _train(models, plans):
    """Return the parameters and the loss curve of each plan."""
    first, net = models[0], plans[0].net
    device = first._check_device()
    flat = torch.stack([torch.from_numpy(plan.net.parameters) for plan in plans])
    mlp = MLP(Layout(net.sizes), net.activation, net.dropout, flat.to(device))
    targets, weights = [], []
    for model, plan in zip(models, plans, strict=True):
        weight = np.ones(len(plan.y)) if plan.weight is None else plan.weight
        targets.append(model._encode(plan.y[plan.chosen]).to(device))
        weights.append(torch.from_numpy(weight[plan.chosen]).float()[:, None])
    weighted = any(plan.weight is not None for plan in plans)
    trainer = ManyTrainer(
        mlp,
        torch.from_numpy(np.ascontiguousarray(plans[0].X, dtype=np.float32)).to(device),
        [plan.subset[plan.chosen] for plan in plans],
        targets,
        torch.cat(weights).to(device) if weighted else None,
        first._loss,
        batch_size=first._batch_size(len(plans[0].chosen)),
        alpha=first.alpha,
        adam=first._adam(),
        rng=plans[0].rngs["masks"],
    )
    epochs = []
    for _ in range(first.max_iter):
        orders = [
            plan.rngs["order"].permutation(len(plan.chosen))
            if first.shuffle
            else np.arange(len(plan.chosen))
            for plan in plans
        ]
        epochs.append(trainer.epoch(orders))
    return mlp.parameters.cpu().numpy(), np.transpose(epochs).tolist()
