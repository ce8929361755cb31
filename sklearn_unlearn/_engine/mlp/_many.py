"""Many perceptrons of the same sizes, trained in the same matrix products.

One small network leaves a machine idle most of the time. Side by side, networks with
seeds and rows of their own share each call.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import torch

from sklearn_unlearn._engine._threads import threads_for
from sklearn_unlearn._engine.mlp._masks import MaskStream

__all__ = ["ManyTrainer"]


class ManyTrainer:
    """Trains several perceptrons in place, each on rows of its own.

    Each takes the steps that it would take alone: as many per epoch as its rows
    fill batches. Only the masks come from one stream for all.

    Parameters
    ----------
    mlp : MLP
        With a leading axis of models, sorted by number of rows, most first.
    X : Tensor of shape (n_rows, n_inputs)
        The rows of all of them.
    subsets : list of ndarray of int
        Positions in `X` of the rows of each.
    targets : list of Tensor of shape (n_subset, n_targets)
    weight : Tensor of shape (n, 1) or None
        Weights of the rows of all subsets, one subset after the other.
    loss : object
        See `MLPTrainer`.
    batch_size : int
        At most the rows of the first model.
    alpha, solver : float, Solver
        See `MLPTrainer`.
    rng : numpy.random.Generator
        Of the dropout masks.

    Attributes
    ----------
    optimizers : list of Optimizer
        That of each model; all have one if its learning rate is constant.
    """

    def __init__(
        self,
        mlp,
        X,
        subsets,
        targets,
        weight,
        loss,
        *,
        batch_size,
        alpha,
        solver,
        rng,
    ):
        self.mlp, self.loss, self.alpha = mlp, loss, alpha
        self._X, self._batch_size = X, batch_size
        self._sizes = np.array([len(subset) for subset in subsets])
        # the rows of all models in one list, those of each after those of the last
        self._offsets = np.cumsum(self._sizes) - self._sizes
        self._rows = torch.from_numpy(np.concatenate(subsets)).to(X.device)
        self._target = torch.cat(targets)
        self._weight = weight
        # one tensor is faster; one for each model if some take fewer steps, or if each
        # has a learning rate of its own
        equal_steps = len({-(-size // batch_size) for size in self._sizes}) == 1
        self._together = equal_steps and solver.rate_is_constant
        self._views = [mlp.parameters] if self._together else list(mlp.parameters)
        if solver.rate_is_constant:
            self.optimizers = [solver.optimizer(self._views)] * len(subsets)
        else:
            self.optimizers = [solver.optimizer([view]) for view in self._views]
        batch = (len(subsets), batch_size)
        self._masks = MaskStream.of(mlp, rng, batch, X.device)

    @property
    def is_noisy(self):
        """Whether two passes over the same rows give different losses."""
        return any(self.mlp.dropout)

    @torch.inference_mode()
    def epoch(self, orders):
        """Let each model visit its rows once.

        Parameters
        ----------
        orders : list of ndarray of shape (n_subset,)
            Permutations of the rows of each.

        Returns
        -------
        ndarray of shape (n_models,)
            Mean losses.
        """
        batch_size = self._batch_size
        padded = np.zeros((len(orders), int(self._sizes[0])), dtype=np.int64)
        for row, order, offset in zip(padded, orders, self._offsets, strict=True):
            row[: len(order)] = order + offset
        index = torch.from_numpy(padded).to(self._X.device)
        totals = torch.zeros(len(orders), device=self._X.device)
        with threads_for(batch_size * self.mlp.layout.largest_product):
            for start in range(0, int(self._sizes[0]), batch_size):
                left = np.clip(self._sizes - start, 0, batch_size)
                n_active = int((left > 0).sum())
                batch = index[:n_active, start : start + batch_size]
                totals[:n_active] += self._step(batch, left[:n_active])
        n_weights = self.mlp.layout.n_weights
        penalty = self.mlp.parameters[:, :n_weights].square().sum(-1)
        totals += self.alpha / 2 * penalty
        return totals.cpu().numpy().astype(float) / self._sizes

    def _step(self, index, left):
        """Take one step with the first models and return their summed losses.

        Parameters
        ----------
        index : Tensor of shape (n_active, n_rows)
            Rows of the batch of each model.
        left : ndarray of shape (n_active,)
            How many of them count; the others only pad a batch.
        """
        n_active, n_rows = index.shape
        mlp = self.mlp if n_active == len(self._sizes) else self.mlp.first(n_active)
        flat = index.reshape(-1)
        X = self._X.index_select(0, self._rows.index_select(0, flat))
        target = self._target.index_select(0, flat)
        masks = [
            mask if mask is None else mask[:n_active]
            for mask in self._masks.next(n_rows)
        ]
        outputs = mlp.forward(X.view(n_active, n_rows, -1), masks)
        share = torch.from_numpy(1 / left.astype(np.float32)).to(X.device)[:, None]
        weight = None
        if self._weight is not None:
            weight = self._weight.index_select(0, flat).view(n_active, n_rows, 1)
        if left[-1] < n_rows:  # rows that only pad a batch have weight 0
            last = torch.from_numpy(left)[:, None, None]
            counts = (torch.arange(n_rows)[:, None] < last).to(X)
            weight = counts if weight is None else weight * counts
        losses, d = self.loss.gradient(
            outputs, target.view(n_active, n_rows, -1), weight
        )
        mlp.backward(d.mul_(share[..., None]))
        if self.alpha:
            n_weights = mlp.layout.n_weights
            mlp.gradient[:, :n_weights].addcmul_(
                mlp.parameters[:, :n_weights], share, value=self.alpha
            )
        if self._together:
            self._views[0].grad = mlp.gradient
        else:
            for i, view in enumerate(self._views):
                view.grad = mlp.gradient[i] if i < n_active else None
        for optimizer in set(self.optimizers):
            optimizer.step()
        return losses
