"""Blocks that are trained one after the other, each on top of frozen ones.

A block is a low-rank residual adapter ``h + relu(h V + c) U + d`` with a head of its
own, ``W`` and ``b``, on its outputs. Earlier blocks stay as they are, so
rows go through them once, and a step trains a small perceptron with one shortcut.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass

import numpy as np
import torch

from sklearn_unlearn._engine._solvers import AdamSettings
from sklearn_unlearn._engine._threads import threads_for
from sklearn_unlearn._engine._training import Schedule, train
from sklearn_unlearn._engine.mlp._mlp import Layout
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["Block", "BlockSettings", "BlockTrainer", "train_block"]


@dataclass(frozen=True)
class BlockSettings:
    """How a block is trained; names are those of the estimators."""

    rank: int
    n_epochs: int
    learning_rate_init: float
    batch_size: int
    alpha: float


@saved_as("block of adapters")
@dataclass(frozen=True, eq=False)
class Block:
    """Adapter and head that were trained on some slices, and are frozen now.

    Attributes
    ----------
    parameters : ndarray of shape (n_parameters,), dtype=float32
        V, U, W, c, d and b, in the order of `Layout`.
    sizes : tuple of int
        Width, rank, width and number of outputs.
    mean, scale : ndarray of shape (n_outputs,) or None
        Units of the target, in which the outputs of the head are standardised. None
        for classes.
    """

    parameters: np.ndarray
    sizes: tuple
    mean: np.ndarray | None = None
    scale: np.ndarray | None = None

    def weights_and_biases(self, dtype=torch.float32):
        """Return copies of the weights (V, U, W) and of the biases (c, d, b)."""
        parameters = torch.tensor(self.parameters, dtype=dtype)
        return Layout(self.sizes).views(parameters)

    def adapt(self, h):
        """Return the output of the adapter for `h`, which is overwritten."""
        (V, U, _), (c, d, _) = self.weights_and_biases(h.dtype)
        return h.addmm_(torch.addmm(c, h, V).relu_(), U).add_(d)

    def outputs(self, h):
        """Return the outputs of the head for adapted rows, in units of the target."""
        (_, _, W), (_, _, b) = self.weights_and_biases(h.dtype)
        outputs = torch.addmm(b, h, W)
        if self.mean is None:
            return outputs
        mean, scale = (
            torch.tensor(values, dtype=torch.float64)
            for values in (self.mean, self.scale)
        )
        return outputs * scale + mean


class BlockTrainer:
    """Trainer of one block, by Adam and the backward pass written out.

    It has what `_engine._training.train` asks of a trainer.

    Parameters
    ----------
    H : Tensor of shape (n_rows, width), dtype=float32
        Output of the block before, or the random features.
    target : Tensor of shape (n_rows, n_targets)
        Targets, standardised if they are numbers.
    loss : object
        Loss of `_engine._losses`; its ``gradient(outputs, target)`` is used.
    layout : Layout
        Order of the parameters.
    parameters : Tensor of shape (n_parameters,), dtype=float32
        Initial parameters, trained in place.
    settings : BlockSettings
        Step size, penalty and rows of a step.
    """

    def __init__(self, H, target, loss, layout, parameters, settings):
        self.H, self.target, self.loss, self.layout = H, target, loss, layout
        self.parameters, self.gradient = parameters, torch.zeros_like(parameters)
        self.alpha, self._batch_size = settings.alpha, settings.batch_size
        self._weights_and_biases = layout.views(parameters)
        self._gradients = layout.views(self.gradient)
        self.optimizer = AdamSettings(settings.learning_rate_init).optimizer(
            [parameters]
        )
        parameters.grad = self.gradient

    @property
    def n_rows(self):
        """Number of training rows."""
        return len(self.H)

    @torch.inference_mode()
    def epoch(self, order):
        """Visit the rows once in this order, and return the mean loss."""
        order, total = torch.from_numpy(order), torch.zeros(())
        with threads_for(self._batch_size * self.layout.largest_product):
            for start in range(0, len(order), self._batch_size):
                total += self.step(order[start : start + self._batch_size])
        return float(total) / len(order)

    def step(self, index):
        """Take one step on these rows and return the sum of their losses."""
        (V, U, W), (c, d, b) = self._weights_and_biases
        (dV, dU, dW), (dc, dd, db) = self._gradients
        h, target = self.H.index_select(0, index), self.target.index_select(0, index)
        a = torch.addmm(c, h, V).relu_()
        g = torch.addmm(h, a, U).add_(d)
        loss, back = self.loss.gradient(torch.addmm(b, g, W), target)
        back.mul_(1 / len(index))
        torch.mm(g.mT, back, out=dW)
        torch.sum(back, 0, out=db)
        back = back @ W.mT
        torch.mm(a.mT, back, out=dU)
        torch.sum(back, 0, out=dd)
        back = torch.ops.aten.threshold_backward(back @ U.mT, a, 0)
        torch.mm(h.mT, back, out=dV)
        torch.sum(back, 0, out=dc)
        n_weights = self.layout.n_weights
        self.gradient[:n_weights].add_(
            self.parameters[:n_weights], alpha=self.alpha / len(index)
        )
        self.optimizer.step()
        return loss


def train_block(H, target, loss, head, settings, rng, units=(None, None)):
    """Train a block on top of others and return it.

    Its outputs begin as those of the given head: the adapter adds nothing yet.

    Parameters
    ----------
    H, target, loss, settings
        See `BlockTrainer`.
    head : (Tensor of shape (width, n_outputs), Tensor of shape (n_outputs,))
        Initial weights and biases of the head. An output whose bias is -inf takes
        no part.
    rng : numpy.random.Generator
        Source of the initial weights of the adapter and of the order of rows.
    units : tuple of (mean, scale)
        See `Block`.

    Returns
    -------
    Block
        The trained block.
    """
    width, n_outputs = head[0].shape
    layout = Layout((width, settings.rank, width, n_outputs))
    parameters = torch.zeros(layout.n_parameters)
    (V, _, W), (_, _, b) = layout.views(parameters)
    initial = rng.normal(size=tuple(V.shape)) / width**0.5
    V.copy_(torch.from_numpy(initial))
    W.copy_(head[0]), b.copy_(head[1])
    trainer = BlockTrainer(H, target, loss, layout, parameters, settings)
    train(trainer, Schedule(settings.n_epochs, patience=settings.n_epochs), rng)
    return Block(parameters.numpy(), layout.sizes, *units)
