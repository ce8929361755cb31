"""Layout of arrays."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math

import numpy as np
from scipy import sparse

from sklearn_unlearn.rows._layouts._base import Layout
from sklearn_unlearn.rows._layouts._casting import cast_cells, rounded_numbers
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["ArrayLayout", "as_query", "check_shape"]


@saved_as("array")
class ArrayLayout(Layout):
    """Rows in an array of any number of dimensions."""

    def __init__(self, X):
        X = np.asarray(X)
        self.dtype, self.shape = X.dtype, X.shape[1:]

    def split(self, X):
        return [self._flat(np.asarray(X))]

    def join(self, parts, labels=None):
        if parts[0].shape[1:] == self.shape:
            return parts[0]
        return parts[0].reshape(len(parts[0]), *self.shape)

    def cast(self, X):
        X = as_query(X, keep_types=self.dtype.kind == "O")
        check_shape(X, self.shape)
        flat = self._flat(X)
        values, fits = cast_cells(flat, self.dtype)
        return [values], fits, [rounded_numbers(flat, self.dtype)]

    def _flat(self, X):
        """Return rows as an array of two dimensions."""
        return X.reshape(len(X), math.prod(self.shape))


def as_query(X, keep_types):
    """Return the rows of a query, in any container, as an array.

    With `keep_types`, cells keep their own types: numpy would turn a list of words
    and numbers into words.
    """
    if sparse.issparse(X):
        X = X.toarray()
    if hasattr(X, "to_numpy"):
        X = X.to_numpy()
    elif hasattr(X, "to_pandas"):
        X = X.to_pandas().to_numpy()
    return np.asarray(X, dtype=object if keep_types else None)


def check_shape(X, shape):
    """Raise if the rows of a query have another shape than those of the fit."""
    if X.shape[1:] != shape:
        raise ValueError(
            f"X_forget has rows of shape {X.shape[1:]}; those given to fit have shape "
            f"{shape}. Pass the rows as they were given to fit."
        )
