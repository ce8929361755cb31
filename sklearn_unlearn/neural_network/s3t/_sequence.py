"""Sequences: orders of slices, each with the blocks that were trained on them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass, replace
from math import factorial

import numpy as np

from sklearn_unlearn.utils._saved import saved_as

__all__ = ["Sequence", "choose_sequences"]


@saved_as("sequence of slices")
@dataclass(frozen=True, eq=False)
class Sequence:
    """Blocks that were trained one after the other, each with one more slice.

    Attributes
    ----------
    order : tuple of int
        All slices of the shard, in the order in which they were learnt.
    centre, scale : ndarray of shape (n_features,), or None
        Mean and spread of the rows of the first slice. None if it was hit.
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

    def without_slices(self, numbers):
        """Return the longest prefix whose blocks have seen none of these slices."""
        hit = [i for i, number in enumerate(self.order) if number in numbers]
        if not hit or hit[0] >= len(self):
            return self
        if hit[0] == 0:  # mean and spread of the first slice go with it
            return Sequence(self.order, None, None, ())
        return replace(self, blocks=self.blocks[: hit[0]])

    def outputs(self, X, random_features):
        """Return the outputs of the last block, an array of float64."""
        h = random_features.transform(X, self.centre, self.scale)
        for block in self.blocks:
            h = block.adapt(h)
        return self.blocks[-1].outputs(h).numpy()


def choose_sequences(slices, n_sequences):
    """Choose orders of slices for deletions that meet each slice equally often.

    An order is of no use any more once its first slice is hit, so as many different
    first slices are taken as there can be: rotations, with starts spread evenly, so
    that what one order learns late another learns early. Of more orders than slices,
    those with the same first slice differ likewise from the second on.

    Parameters
    ----------
    slices : sequence of int
        Numbers of the slices.
    n_sequences : int
        Number of orders; if there are fewer, all of them are returned.

    Returns
    -------
    list of tuple of int
        Permutations of `slices`, all different.
    """
    slices, n_slices = tuple(slices), len(slices)
    n_sequences = min(n_sequences, factorial(n_slices))
    if n_sequences == 1:
        return [slices]
    n_starts = min(n_sequences, n_slices)
    chosen = []
    for i in range(n_starts):
        start = i * n_slices // n_starts
        first, *rest = slices[start:] + slices[:start]
        # of the orders beyond one for each start, the first starts get one more
        n_here = n_sequences // n_starts + (i < n_sequences % n_starts)
        chosen += [(first, *order) for order in choose_sequences(rest, n_here)]
    return chosen
