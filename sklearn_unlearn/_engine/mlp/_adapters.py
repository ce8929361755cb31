"""Frozen random features, and blocks that are trained one after the other on them.

A block is a low-rank residual adapter ``h + relu(h V + c) U + d`` with a head of its
own, ``W`` and ``b``, on its outputs. Earlier blocks stay as they are, so
rows go through them once, and a step trains a small perceptron with one shortcut.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass

import numpy as np
import torch

from sklearn_unlearn._engine._threads import map_chunks, threads_for
from sklearn_unlearn._engine._training import AdamSettings, Schedule, train
from sklearn_unlearn._engine.mlp._mlp import Layout

__all__ = ["Block", "BlockTrainer", "StageSettings", "Trunk", "train_block"]

# Rows of a chunk; see `map_chunks`.
CHUNK_ROWS = 512
# Standardised inputs are clipped here: few rows may estimate a scale badly.
INPUT_LIMIT = 5.0


@dataclass(frozen=True)
class StageSettings:
    """How a block is trained; names are those of the estimators."""

    rank: int
    n_epochs: int
    learning_rate_init: float
    batch_size: int
    alpha: float


class Trunk:
    """Random features that are drawn once and never trained.

    Parameters
    ----------
    directions : ndarray of shape (n_inputs, n_components), dtype=float32
    offsets : ndarray of shape (n_components,), dtype=float32
    """

    def __init__(self, directions, offsets):
        self.directions, self.offsets = directions, offsets

    @classmethod
    def draw(cls, rng, n_inputs, n_components):
        """Draw features of mean square one for standardised inputs."""
        directions = rng.normal(size=(n_inputs, n_components)) * (2 / n_inputs) ** 0.5
        offsets = rng.uniform(-1, 1, size=n_components)
        return cls(directions.astype(np.float32), offsets.astype(np.float32))

    @property
    def n_inputs(self):
        """Number of inputs."""
        return len(self.directions)

    @property
    def width(self):
        """Number of features: the standardised inputs are among them."""
        return sum(self.directions.shape)

    def features(self, X, centre, scale):
        """Return the features of some rows.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_inputs), dtype=float64
        centre, scale : ndarray of shape (n_inputs,)
            By which inputs are standardised.

        Returns
        -------
        Tensor of shape (n_rows, width), dtype=float64
        """
        z = torch.from_numpy(np.clip((X - centre) / scale, -INPUT_LIMIT, INPUT_LIMIT))
        directions, offsets = map(_double, (self.directions, self.offsets))
        return torch.cat([z, torch.addmm(offsets, z, directions).relu_()], dim=1)


@dataclass(frozen=True, eq=False)
class Block:
    """Fitted parameters of one adapter and its head.

    Attributes
    ----------
    parameters : ndarray of shape (n_parameters,), dtype=float32
        V, U, W, c, d and b, as `Layout` has them.
    sizes : tuple of int
        Width, rank, width and number of outputs.
    mean, scale : ndarray of shape (n_outputs,) or None
        Units of the outputs. None for classes.
    """

    parameters: np.ndarray
    sizes: tuple
    mean: np.ndarray | None = None
    scale: np.ndarray | None = None

    def parts(self, dtype=torch.float32):
        """Return copies of the weights (V, U, W) and of the biases (c, d, b)."""
        parameters = torch.tensor(self.parameters, dtype=dtype)
        return Layout(self.sizes).views(parameters)

    def adapt(self, h):
        """Send rows through the adapter; `h` is changed."""
        (V, U, _), (c, d, _) = self.parts(h.dtype)
        return h.addmm_(torch.addmm(c, h, V).relu_(), U).add_(d)

    def outputs(self, h):
        """Return the outputs of the head for adapted rows, in units of the target."""
        (_, _, W), (_, _, b) = self.parts(h.dtype)
        outputs = torch.addmm(b, h, W)
        if self.mean is None:
            return outputs
        return outputs * _double(self.scale) + _double(self.mean)


class BlockTrainer:
    """Trains one block in place; a trainer as `train` takes them.

    Parameters
    ----------
    H : Tensor of shape (n_rows, width), dtype=float32
        Outputs of the earlier blocks.
    target : Tensor of shape (n_rows, n_targets)
    loss : object
        With ``gradient(outputs, target)``; see `_losses`.
    layout : Layout
    parameters : Tensor of shape (n_parameters,), dtype=float32
    settings : StageSettings
    """

    def __init__(self, H, target, loss, layout, parameters, settings):
        self.H, self.target, self.loss, self.layout = H, target, loss, layout
        self.parameters, self.gradient = parameters, torch.zeros_like(parameters)
        self.alpha, self._batch_size = settings.alpha, settings.batch_size
        self._parts = layout.views(parameters)
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
        (V, U, W), (c, d, b) = self._parts
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

    The adapter begins as one that adds nothing.

    Parameters
    ----------
    H, target, loss, settings : see `BlockTrainer`
    head : (Tensor of shape (width, n_outputs), Tensor of shape (n_outputs,))
        Weights and biases that the head begins with. An output whose bias is -inf
        takes no part.
    rng : numpy.random.Generator
        Of initial weights and of the order of rows.
    units : tuple of mean and scale
        See `Block`.

    Returns
    -------
    Block
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


def map_rows(function, X):
    """Apply a function of arrays to chunks of rows and join what it returns."""
    return map_chunks(function, X, CHUNK_ROWS)


def _double(values):
    return torch.tensor(values, dtype=torch.float64)
