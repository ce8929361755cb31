"""One shard of an ensemble: its sequences, and their training."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass, replace

import numpy as np
import torch

from sklearn_unlearn._engine._threads import map_chunks
from sklearn_unlearn.dropout._noise import make_generator
from sklearn_unlearn.neural_network.s3t._block import BlockSettings, train_block
from sklearn_unlearn.neural_network.s3t._heads import ClassHeads, NumberHeads
from sklearn_unlearn.neural_network.s3t._random_features import (
    CHUNK_ROWS,
    RandomFeatures,
)
from sklearn_unlearn.neural_network.s3t._sequence import Sequence, choose_sequences
from sklearn_unlearn.utils._cached import cached_property
from sklearn_unlearn.utils._saved import saved_as
from sklearn_unlearn.utils._sklearn_compat import (
    _handle_zeros_in_scale,
    _is_constant_feature,
)

__all__ = ["S3TShard", "ShardTrainer"]


@saved_as("shard of adapters")
@dataclass(frozen=True, eq=False)
class S3TShard:
    """The sequences of one shard, of which the longest one predicts.

    Attributes
    ----------
    random_features : RandomFeatures
        Features below the first block of each sequence.
    sequences : tuple of Sequence
        Empty for a shard that had no rows.
    coordinates : tuple of (ndarray of shape (n_new, n_old), ndarray of shape (n_old,))
        A and b, if a step in front has changed: rows that come as ``X`` now were
        ``X A + b`` when the shard was trained. None as long as they are the same.
    """

    random_features: RandomFeatures
    sequences: tuple = ()
    coordinates: tuple | None = None

    @property
    def longest(self):
        """The sequence that predicts: the longest, the first of several."""
        return max(self.sequences, key=len)

    @property
    def prefix_length(self):
        """Number of slices that the shard predicts with; 0 if it cannot predict."""
        return max(map(len, self.sequences), default=0)

    @property
    def is_complete(self):
        """Whether all sequences have all of their slices."""
        return all(len(s) == len(s.order) for s in self.sequences)

    def without_slices(self, numbers):
        """Return the shard without the blocks that have seen any of these slices."""
        left = tuple(sequence.without_slices(numbers) for sequence in self.sequences)
        return replace(self, sequences=left)

    def change_coordinates(self, A, b):
        """Return the shard for rows ``X`` where this one takes ``X A + b``."""
        if self.coordinates is not None:
            A_before, b_before = self.coordinates
            A, b = A @ A_before, b @ A_before + b_before
        return replace(self, coordinates=(A, b))

    def longest_only(self):
        """Return the shard with the sequence that predicts, and no other."""
        return replace(self, sequences=(self.longest,)) if self.prefix_length else self

    def outputs(self, X):
        """Return the outputs for rows of float64, shape (n_rows, n_outputs)."""
        if self.coordinates is not None:
            A, b = map(torch.from_numpy, self.coordinates)
            X = torch.addmm(b, torch.from_numpy(X), A).numpy()
        return self.longest.outputs(X, self.random_features)


@dataclass(frozen=True, eq=False)
class ShardTrainer:
    """Trainer of one shard.

    A block depends on the rows of its own slices alone: on their values, and on their
    order among themselves.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features), dtype=float64
        Rows of the shard.
    target : Tensor of shape (n_rows, n_targets)
        Their targets.
    slices : ndarray of int, shape (n_rows,)
        The slice of each row.
    heads : ClassHeads or NumberHeads
        Kind of target.
    random_features : RandomFeatures
        Features below the first block.
    settings : BlockSettings
        How each block is trained.
    seed : int
        Seed of the ensemble.
    number : int
        Number of the shard.
    """

    X: np.ndarray
    target: torch.Tensor
    slices: np.ndarray
    heads: ClassHeads | NumberHeads
    random_features: RandomFeatures
    settings: BlockSettings
    seed: int
    number: int

    @cached_property
    def rows(self):
        """Positions of the rows of each slice, by its number."""
        numbers = np.unique(self.slices).tolist()
        return {number: np.flatnonzero(self.slices == number) for number in numbers}

    def train(self, n_sequences):
        """Train this number of sequences and return the shard.

        Sequences that begin with the same slices share the blocks of these.
        """
        trained = {}
        orders = choose_sequences(self.rows, n_sequences)
        sequences = tuple(self.train_sequence(order, trained) for order in orders)
        return S3TShard(self.random_features, sequences)

    def train_sequence(self, order, trained):
        """Train one sequence.

        Parameters
        ----------
        order : tuple of int
            Slices in the order in which they are learnt.
        trained : dict of (tuple of int, Block)
            Blocks by the slices that they have seen. What it lacks is trained and
            added.

        Returns
        -------
        Sequence
        """
        centre, scale = _mean_and_spread(self.X[self.rows[order[0]]])

        def features(X):
            h = self.random_features.transform(X, centre, scale)
            return h.float().numpy()

        # each slice by itself: no bit of its rows depends on what others there are
        H = {n: map_chunks(features, self.X[self.rows[n]], CHUNK_ROWS) for n in order}
        width, n_outputs = self.random_features.width, self.heads.n_outputs
        head = torch.zeros(width, n_outputs), torch.zeros(n_outputs)
        units, blocks = (None, None), []
        for length in range(1, len(order) + 1):
            prefix = order[:length]
            if prefix not in trained:
                trained[prefix] = self._train_block(prefix, H, head, units)
            block = trained[prefix]
            (_, _, W), (_, _, b) = block.weights_and_biases()
            head, units = (W, b), (block.mean, block.scale)
            blocks.append(block)
            if length < len(order):
                H = {n: _adapt_rows(block, H[n]) for n in order}
        return Sequence(order, centre, scale, tuple(blocks))

    def _train_block(self, prefix, H, head, units):
        """Train the block that sees the slices of a prefix.

        Parameters
        ----------
        prefix : tuple of int
            Slices that it sees.
        H : dict of (int, ndarray of shape (n_rows_of_slice, width))
            Output of the block before it, by slice.
        head, units
            Head of the block before it, and the units of its outputs.
        """
        seen = np.concatenate([self.rows[number] for number in prefix])
        head, units, target = self.heads.begin_block(head, units, self.target[seen])
        stacked = torch.from_numpy(np.concatenate([H[number] for number in prefix]))
        key = (1, self.number, *prefix)
        rng = make_generator(np.random.SeedSequence(self.seed, spawn_key=key))
        return train_block(
            stacked, target, self.heads.loss, head, self.settings, rng, units
        )


def _adapt_rows(block, H):
    """Return the output of a block's adapter, and leave its input as it is."""

    def adapt(h):
        return block.adapt(torch.tensor(h)).numpy()

    return map_chunks(adapt, H, CHUNK_ROWS)


def _mean_and_spread(X):
    """Return mean and standard deviation of columns; 1 for those that do not vary."""
    mean, variance = X.mean(axis=0), X.var(axis=0)
    constant = _is_constant_feature(variance, mean, len(X))
    spread = _handle_zeros_in_scale(np.sqrt(variance), constant_mask=constant)
    return mean, spread
