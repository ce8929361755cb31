"""What a fit starts from, and what is left for its end."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Plan"]


@dataclass
class Plan:
    """A network, rows and streams of numbers of one fit.

    `X` holds all rows; the fit is on those of `subset`. `y`, `weight`, `chosen` (the
    rows to train on) and `held` (those held out) speak of the subset alone.
    """

    net: Any
    rngs: dict
    X: np.ndarray
    subset: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    chosen: np.ndarray
    held: np.ndarray

    def part(self, which):
        """Return X, y and weight of these rows of the subset."""
        weight = None if self.weight is None else self.weight[which]
        return self.X[self.subset[which]], self.y[which], weight

    def held_mask(self):
        """Return which rows of the subset are held out, or None if none is."""
        if not len(self.held):
            return None
        mask = np.zeros(len(self.y), dtype=bool)
        mask[self.held] = True
        return mask

    def held_out(self):
        """Return X, y and weight of the held-out rows, or of all if there are none."""
        which = self.held if len(self.held) else self.chosen
        if self.weight is not None:
            which = which[self.weight[which] > 0]
        return self.part(which)
