"""Networks fitted side by side, for ensembles, shards and references."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np
import torch
from sklearn.base import clone

from sklearn_unlearn._engine._sparse_rows import rows_on_device
from sklearn_unlearn._engine._training import History
from sklearn_unlearn._engine.mlp._many import ManyTrainer
from sklearn_unlearn._engine.mlp._mlp import MLP, Layout
from sklearn_unlearn._engine.mlp._perceptron import Perceptron
from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.base._training_rows import KeptRows
from sklearn_unlearn.neural_network._training_rows import TrainingSplit
from sklearn_unlearn.utils._sklearn_compat import _num_samples, validate_parameters

__all__ = ["fit_many"]


def fit_many(network, X, y, *, seeds, subsets=None, sample_weights=None):
    """Fit copies of a perceptron, each on rows and from a seed of its own.

    Results have the distribution of single fits, with the same initial weights and
    orders of rows; only the masks differ. All train for `max_iter` epochs; where
    training stands still, a learning rate that is adaptive falls.

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
    subsets = (
        [np.arange(_num_samples(X))] * n_models if subsets is None else list(subsets)
    )
    given = [None] * n_models if sample_weights is None else list(sample_weights)
    validate_parameters(network)
    template = clone(network).set_params(store_training_data=False)
    X, y = template._check_rows(X, y, reset=True)
    models, fits = [], []
    for seed, subset, weight in zip(seeds, subsets, given, strict=True):
        model = shallow_copy(template).set_params(random_state=seed)
        models.append(model)
        fits.append(_Fit(*model._begin_fit(X, y[subset], weight, subset=subset)))
    if len({fit.network.sizes for fit in fits}) > 1:
        raise ValueError("all subsets must hold the same classes")
    # most rows first, so that those that still train are always the first ones
    order = np.argsort([-len(fit.split.training) for fit in fits], kind="stable")
    parameters, histories = _train([models[i] for i in order], [fits[i] for i in order])
    for flat, history, i in zip(parameters, histories, order, strict=True):
        model, fit = models[i], fits[i]
        network = fit.network.with_parameters(flat.copy())
        model._finish_fit(network, fit.split, history)
        model._attach_rows(KeptRows(None, {}, (), True, ()))
    return models


class _Fit(NamedTuple):
    """A fit that has begun: its network, streams of random numbers, and rows."""

    network: Perceptron
    rngs: dict
    split: TrainingSplit


def _train(models, fits):
    """Return the parameters and the `History` of each fit."""
    first, network, splits = models[0], fits[0].network, [fit.split for fit in fits]
    device = first._check_device()
    flat = torch.stack([torch.from_numpy(fit.network.parameters) for fit in fits])
    mlp = MLP(
        Layout(network.sizes), network.activation, network.dropout, flat.to(device)
    )
    targets, weights = [], []
    for model, split in zip(models, splits, strict=True):
        weight = np.ones(len(split.y)) if split.weight is None else split.weight
        targets.append(model._encode_target(split.y[split.training]).to(device))
        weights.append(torch.from_numpy(weight[split.training]).float()[:, None])
    weighted = any(split.weight is not None for split in splits)
    trainer = ManyTrainer(
        mlp,
        rows_on_device(splits[0].X, device),
        [split.subset[split.training] for split in splits],
        targets,
        torch.cat(weights).to(device) if weighted else None,
        first._loss,
        batch_size=first._batch_size(len(splits[0].training)),
        alpha=first.alpha,
        solver=first._solver(),
        rng=fits[0].rngs["masks"],
    )
    histories = [History(converged=True) for _ in fits]
    schedule = first._schedule(trainer)
    for _ in range(first.max_iter):
        orders = [
            rngs["order"].permutation(len(split.training))
            if first.shuffle
            else np.arange(len(split.training))
            for _, rngs, split in fits
        ]
        losses = trainer.epoch(orders).tolist()
        for i, (history, loss) in enumerate(zip(histories, losses, strict=True)):
            history.losses.append(loss)
            history.best_loss = min(history.best_loss, loss)
            history.progress.end_epoch(
                loss, len(orders[i]), schedule, trainer.optimizers[i]
            )
    return mlp.parameters.cpu().numpy(), histories
