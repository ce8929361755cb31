"""One shard: sequences of slices, each with the blocks that were trained on them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass, field, replace

import numpy as np
import torch

from sklearn_unlearn._engine._losses import CrossEntropy, SquaredError
from sklearn_unlearn._engine.mlp._adapters import map_rows, train_block
from sklearn_unlearn.dropout._noise import make_generator
from sklearn_unlearn.neural_network.s3t._sequences import choose_sequences
from sklearn_unlearn.utils._sklearn_compat import (
    _handle_zeros_in_scale,
    _is_constant_feature,
)

__all__ = ["Classes", "Numbers", "Sequence", "Shard", "train_shard"]


@dataclass(frozen=True, eq=False)
class Sequence:
    """Blocks that were trained one after the other, each with one more slice.

    Attributes
    ----------
    order : tuple of int
        Slices in the order in which they were to be learnt.
    centre, scale : ndarray of shape (n_features,)
        Of the first slice.
    blocks : tuple of Block
        Block i has seen the first i + 1 slices of `order`, and no other. There are
        fewer blocks than slices once a request has hit one of them.
    """

    order: tuple
    centre: np.ndarray | None
    scale: np.ndarray | None
    blocks: tuple

    def __len__(self):
        return len(self.blocks)

    def without(self, pieces):
        """Return the longest beginning that has seen none of these slices."""
        hit = [i for i, piece in enumerate(self.order) if piece in pieces]
        if not hit or hit[0] >= len(self):
            return self
        if hit[0] == 0:  # what is known of its first slice goes as well
            return Sequence(self.order, None, None, ())
        return replace(self, blocks=self.blocks[: hit[0]])

    def outputs(self, X, trunk):
        """Return the outputs of the last block, an array of float64."""
        h = trunk.features(X, self.centre, self.scale)
        for block in self.blocks:
            h = block.adapt(h)
        return self.blocks[-1].outputs(h).numpy()


@dataclass(frozen=True, eq=False)
class Shard:
    """The sequences of one shard, of which the longest one predicts.

    Attributes
    ----------
    trunk : Trunk
    sequences : tuple of Sequence
        Empty for a shard that had no rows.
    move : tuple of (ndarray of shape (n_new, n_old), ndarray of shape (n_old,)) or None
        Rows ``X`` of now were ``X A + b`` when the shard was trained.
    """

    trunk: object
    sequences: tuple = field(default=())
    move: tuple | None = None

    @property
    def best(self):
        """The sequence that predicts: the longest, the first of several."""
        return max(self.sequences, key=len)

    @property
    def length(self):
        """Number of slices that the shard predicts with; 0 if it cannot."""
        return max(map(len, self.sequences), default=0)

    @property
    def is_whole(self):
        """Whether no slice was ever hit."""
        return all(len(s) == len(s.order) for s in self.sequences)

    def without(self, pieces):
        """Return the shard without all blocks that have seen these slices."""
        cut = tuple(sequence.without(pieces) for sequence in self.sequences)
        return replace(self, sequences=cut)

    def change_coordinates(self, A, b):
        """Return the shard for rows ``X`` where this one takes ``X A + b``."""
        if self.move is not None:
            A, b = A @ self.move[0], b @ self.move[0] + self.move[1]
        return replace(self, move=(A, b))

    def alone(self):
        """Return the shard with the sequence that predicts, and no other."""
        return replace(self, sequences=(self.best,)) if self.length else self

    def outputs(self, X):
        """Return the outputs for rows of float64, shape (n_rows, n_outputs)."""
        if self.move is not None:
            A, b = map(torch.from_numpy, self.move)
            X = torch.addmm(b, torch.from_numpy(X), A).numpy()
        return self.best.outputs(X, self.trunk)


class Classes:
    """Heads for labels 0 to ``n_outputs - 1``; targets have shape (n_rows, 1)."""

    loss = CrossEntropy()

    def __init__(self, n_outputs):
        self.n_outputs = n_outputs

    def begin(self, head, units, target):
        """Return head, units and target of a stage, from those of the last one.

        A class of which the stage sees no row takes no part in it.
        """
        seen = torch.zeros(self.n_outputs, dtype=torch.bool)
        seen[target[:, 0]] = True
        known = torch.isfinite(head[1])
        bias = torch.where(known, head[1], 0.0).masked_fill(~seen, -torch.inf)
        return (head[0], bias), units, target


class Numbers:
    """Heads for numbers; targets have shape (n_rows, n_outputs)."""

    loss = SquaredError()

    def __init__(self, n_outputs):
        self.n_outputs = n_outputs

    def begin(self, head, units, target):
        """Return head, units and target of a stage, from those of the last one.

        The units are the mean and the spread of the rows that the stage sees.
        """
        mean, spread = target.mean(0), target.std(0, correction=0)
        # rows that are all the same say nothing of the spread but their size
        size = torch.where(mean == 0, 1.0, mean.abs())
        scale = torch.where(spread > 1e-9 * size, spread, size)
        W, b = head
        if units[0] is not None:
            old_mean, old_scale = map(torch.from_numpy, units)
            W = W * (old_scale / scale)
            b = (b * old_scale + old_mean - mean) / scale
        z = ((target - mean) / scale).float()
        return (W.float(), b.float()), (mean.numpy(), scale.numpy()), z


def train_shard(X, target, pieces, task, trunk, settings, n_sequences, key):
    """Train all sequences of a shard.

    What sequences begin with in common is trained once. A block depends on the rows
    of its own slices alone: on their values, and on their order among themselves.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features), dtype=float64
    target : Tensor of shape (n_rows, n_targets)
    pieces : ndarray of int, shape (n_rows,)
        The slice of each row.
    task : Classes or Numbers
    trunk : Trunk
    settings : StageSettings
    n_sequences : int
    key : tuple of (int, int)
        Seed, and number of the shard.

    Returns
    -------
    Shard
    """
    orders = choose_sequences(np.unique(pieces).tolist(), n_sequences)
    rows = {piece: np.flatnonzero(pieces == piece) for piece in orders[0]}
    trained = {}
    sequences = tuple(
        train_sequence(X, target, rows, order, task, trunk, settings, key, trained)
        for order in orders
    )
    return Shard(trunk, sequences)


def train_sequence(X, target, rows, order, task, trunk, settings, key, trained):
    """Train the blocks of one sequence that are not in `trained`, and put them there.

    Parameters are those of `train_shard`, but for `rows`, a dict of the positions of
    the rows of each slice.
    """
    seed, shard = key
    centre, scale = _centre_and_scale(X[rows[order[0]]])

    def features(part):
        return trunk.features(part, centre, scale).float().numpy()

    # slice by slice: so what else is there changes no bit of any of them
    H = {piece: map_rows(features, X[rows[piece]]) for piece in order}
    head = torch.zeros(trunk.width, task.n_outputs), torch.zeros(task.n_outputs)
    units, blocks = (None, None), []
    for length in range(1, len(order) + 1):
        prefix = order[:length]
        if prefix not in trained:
            seen = np.concatenate([rows[piece] for piece in prefix])
            start, units, z = task.begin(head, units, target[seen])
            stage = torch.from_numpy(np.concatenate([H[piece] for piece in prefix]))
            spawned = np.random.SeedSequence(seed, spawn_key=(1, shard, *prefix))
            rng = make_generator(spawned)
            trained[prefix] = train_block(
                stage, z, task.loss, start, settings, rng, units
            )
        block = trained[prefix]
        (_, _, W), (_, _, b) = block.parts()
        head, units = (W, b), (block.mean, block.scale)
        blocks.append(block)
        if length < len(order):
            H = {p: map_rows(lambda h, b=block: _adapted(b, h), H[p]) for p in order}
    return Sequence(order, centre, scale, tuple(blocks))


def _adapted(block, h):
    return block.adapt(torch.tensor(h)).numpy()


def _centre_and_scale(X):
    """Return mean and spread of columns; 1 for a column that does not vary."""
    centre, variance = X.mean(axis=0), X.var(axis=0)
    constant = _is_constant_feature(variance, centre, len(X))
    scale = _handle_zeros_in_scale(np.sqrt(variance), constant_mask=constant)
    return centre, scale
