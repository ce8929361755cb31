"""Layout of sparse matrices and sparse arrays of any format."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse

from sklearn_unlearn.rows._layouts._arrays import as_query, check_shape
from sklearn_unlearn.rows._layouts._base import Layout
from sklearn_unlearn.rows._layouts._casting import cast_cells, rounded_numbers
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["SparseLayout"]


@saved_as("sparse matrix")
class SparseLayout(Layout):
    """Rows in a sparse matrix or array, kept as compressed rows."""

    def __init__(self, X):
        self.format, self.is_array = X.format, isinstance(X, sparse.sparray)
        self.dtype, self.shape = X.dtype, X.shape[1:]

    def split(self, X):
        X = sparse.csr_array(X, dtype=self.dtype, copy=True)
        X.sum_duplicates()
        X.eliminate_zeros()
        X.sort_indices()
        return [X]

    def join(self, parts, labels=None):
        kind = sparse.csr_array if self.is_array else sparse.csr_matrix
        return kind(parts[0]).asformat(self.format)

    def cast(self, X):
        if sparse.issparse(X):
            X = sparse.csr_array(X)
            data, good = cast_cells(X.data[:, None], self.dtype)
            rounded = rounded_numbers(X.data[:, None], self.dtype)
            if rounded is not None:  # no kept number is compared with such a one
                good &= np.isnan(rounded[:, 0])
            bad = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))[~good]
            fits = ~np.isin(np.arange(X.shape[0]), bad)
            X = sparse.csr_array((data[:, 0], X.indices, X.indptr), shape=X.shape)
        else:
            X = as_query(X, keep_types=False)
            rounded = rounded_numbers(X, self.dtype)
            X, fits = cast_cells(X, self.dtype)
            if rounded is not None:
                fits &= np.isnan(rounded).all(axis=1)
        check_shape(X, self.shape)
        return self.split(X), fits, [None]
