"""Kept rows of a square matrix: kernels and distances between the rows of a fit."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

import numpy as np

from sklearn_unlearn.rows._store import RowStore
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["SquareStore"]


@saved_as("kept square rows")
class SquareStore(RowStore):
    """Rows of a precomputed kernel or distance matrix, each of which is a column, too.

    A forgotten row takes its column along. Later requests, as later predictions, then
    speak of the columns that are left.
    """

    is_square = True

    @classmethod
    def keep(cls, X, y=None, **params):
        """Copy a matrix into a new store; see `RowStore.keep`.

        Raises
        ------
        TypeError
            If `X` is no square array or sparse matrix.
        """
        self = super().keep(X, y, **params)
        if getattr(self._layout, "shape", None) != (self.n_rows,):
            raise TypeError(
                "A precomputed kernel or distance matrix must be a square array or "
                "sparse matrix for its rows to be kept: pass X.to_numpy() of a frame."
            )
        return self

    def split(self, positions):
        """Return a store without some rows and columns, and what returns the rows."""
        new, forgotten = super().split(positions)
        if new is self:
            return new, forgotten
        stays = np.ones(self.n_rows, dtype=bool)
        stays[positions] = False
        new._blocks = [
            {**block, "X0": block["X0"][:, stays].copy()} for block in new._blocks
        ]
        new._layout = copy.copy(self._layout)
        new._layout.shape = (new.n_rows,)
        new._index = None  # rows have other values now
        return new, forgotten
