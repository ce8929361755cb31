"""Rows of a sparse matrix, of which a few are dense at a time."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy import sparse

__all__ = ["SparseRows", "rows_on_device"]


class SparseRows:
    """Stands in for a tensor of rows where those are read: what is taken is dense.

    Parameters
    ----------
    X : sparse matrix or sparse array of shape (n_rows, n_inputs), in CSR format
        Never changed.
    device : torch.device
        Of what is taken.
    """

    def __init__(self, X: Any, device: torch.device) -> None:
        if not X.has_canonical_format:  # entries that are given twice add up
            X = X.copy()
            X.sum_duplicates()
        with np.errstate(over="ignore"):
            self._X = X.astype(np.float32)
        self.device, self.shape = device, torch.Size(X.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> torch.Tensor:
        if isinstance(rows, torch.Tensor):
            rows = rows.cpu().numpy()
        return torch.from_numpy(self._X[rows].toarray()).to(self.device)

    def index_select(self, dim: int, index: torch.Tensor) -> torch.Tensor:
        """Return the rows at these positions; `dim` is 0."""
        return self[index]

    def split(self, n_rows: int) -> Iterator[torch.Tensor]:
        """Yield all rows, a few at a time."""
        for start in range(0, len(self), n_rows):
            yield self[start : start + n_rows]


def rows_on_device(X: Any, device: torch.device) -> Any:
    """Return rows as a float32 tensor on a device, or as `SparseRows`."""
    if sparse.issparse(X):
        return SparseRows(X, device)
    with np.errstate(over="ignore"):
        X = np.ascontiguousarray(X, dtype=np.float32)
    return torch.from_numpy(X).to(device)
