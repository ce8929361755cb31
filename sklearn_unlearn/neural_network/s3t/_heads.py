"""Heads of blocks for classes and for numbers: their loss, and where they begin."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import torch

from sklearn_unlearn._engine._losses import CrossEntropy, SquaredError
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["ClassHeads", "NumberHeads"]


@saved_as("heads of classes")
class ClassHeads:
    """Heads for classes 0 to ``n_outputs - 1``; targets have shape (n_rows, 1).

    Parameters
    ----------
    n_outputs : int
        Number of classes.
    """

    loss = CrossEntropy()

    def __init__(self, n_outputs):
        self.n_outputs = n_outputs

    def begin_block(self, head, units, target):
        """Return head, units and target of a block, from head and units before it.

        A class of which the block sees no row takes no part in it.
        """
        seen = torch.zeros(self.n_outputs, dtype=torch.bool)
        seen[target[:, 0]] = True
        known = torch.isfinite(head[1])
        bias = torch.where(known, head[1], 0.0).masked_fill(~seen, -torch.inf)
        return (head[0], bias), units, target


@saved_as("heads of numbers")
class NumberHeads:
    """Heads for numbers; targets have shape (n_rows, n_outputs).

    Parameters
    ----------
    n_outputs : int
        Number of targets.
    """

    loss = SquaredError()

    def __init__(self, n_outputs):
        self.n_outputs = n_outputs

    def begin_block(self, head, units, target):
        """Return head, units and target of a block, from head and units before it.

        The units are mean and spread of the targets that the block sees. The head is
        converted to them, and gives the same numbers as before.
        """
        mean, spread = target.mean(0), target.std(0, correction=0)
        # equal targets have no spread; their size is the best guess at one
        size = torch.where(mean == 0, 1.0, mean.abs())
        scale = torch.where(spread > 1e-9 * size, spread, size)
        W, b = head
        if units[0] is not None:
            old_mean, old_scale = map(torch.from_numpy, units)
            W = W * (old_scale / scale)
            b = (b * old_scale + old_mean - mean) / scale
        z = ((target - mean) / scale).float()
        return (W.float(), b.float()), (mean.numpy(), scale.numpy()), z
