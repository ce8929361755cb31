"""Batches of retained rows, each with its share of the rows to forget beside it."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Iterator

import numpy as np

__all__ = ["PairedBatches"]


class PairedBatches:
    """Epochs over the retained rows with the rows to forget spread evenly over them.

    An epoch visits each retained row once. If there are fewer rows to forget than
    batches, they come round again, so that no step is without one.

    Parameters
    ----------
    n_retain, n_forget : int
        Numbers of rows; with ``n_forget=0`` the second part of each pair is empty.
    batch_size : int
        Retained rows of a batch, and the most rows to forget beside them.
    rng : numpy.random.Generator
        Of the order of the rows.
    """

    def __init__(
        self, n_retain: int, n_forget: int, batch_size: int, rng: np.random.Generator
    ) -> None:
        self._n_retain, self._n_forget, self._rng = n_retain, n_forget, rng
        self.batch_size = min(batch_size, n_retain)
        self.n_batches = -(-n_retain // self.batch_size)
        # where most rows are to be forgotten, they take turns over the epochs
        self.n_beside = min(-(-n_forget // self.n_batches), batch_size)
        self._waiting = np.empty(0, dtype=np.int64)

    def epoch(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the positions of retained rows and of rows to forget, step by step."""
        order = self._rng.permutation(self._n_retain)
        for start in range(0, self._n_retain, self.batch_size):
            while len(self._waiting) < self.n_beside:
                again = self._rng.permutation(self._n_forget)
                self._waiting = np.concatenate([self._waiting, again])
            beside, self._waiting = np.split(self._waiting, [self.n_beside])
            yield order[start : start + self.batch_size], beside
