"""Layouts: how containers of rows are taken apart into arrays and joined again.

A container (array, data frame, sparse matrix, list of documents) is split into
*parts*: arrays of one type each, with one row for each row of the container.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
import numbers

import numpy as np
from scipy import sparse

from sklearn_unlearn.rows._cells import is_missing

__all__ = ["cast_cells", "layout_of"]


class ArrayLayout:
    """Rows in an array of any number of dimensions, or in a list."""

    def __init__(self, X):
        self.is_list = isinstance(X, list)
        X = np.asarray(X)
        if self.is_list and X.ndim == 1:
            X = X.astype(object)  # documents
        self.dtype, self.shape = X.dtype, X.shape[1:]

    def split(self, X):
        """Return the parts of `X`."""
        X = np.asarray(X)
        if self.is_list and X.ndim == 1:
            X = X.astype(object)
        return [X.reshape(len(X), math.prod(self.shape))]

    def join(self, parts):
        """Return the container made of `parts`."""
        X = parts[0].reshape(len(parts[0]), *self.shape)
        if self.is_list and not self.shape:
            return X.tolist()
        return X

    def cast(self, X):
        """Return the parts of a query, and which of its rows could be cast."""
        if sparse.issparse(X):
            X = X.toarray()
        if hasattr(X, "to_numpy"):
            X = X.to_numpy()
        # a list of words and numbers would become an array of words
        X = np.asarray(X, dtype=object if self.dtype.kind == "O" else None)
        if X.shape[1:] != self.shape:
            raise ValueError(
                f"X_forget has rows of shape {X.shape[1:]}; those given to fit have "
                f"shape {self.shape}. Pass the rows as they were given to fit."
            )
        flat = X.reshape(len(X), math.prod(self.shape))
        values, fits = cast_cells(flat, self.dtype)
        return [values], fits

    def without_unused_categories(self, part):
        """Return the layout of fewer rows: the same, as arrays have no categories."""
        return self


class SparseLayout:
    """Rows in a sparse matrix or array."""

    def __init__(self, X):
        self.format, self.is_array = X.format, isinstance(X, sparse.sparray)
        self.dtype, self.shape = X.dtype, X.shape[1:]

    def split(self, X):
        """Return the parts of `X`: its canonical rows."""
        X = sparse.csr_array(X, dtype=self.dtype, copy=True)
        X.sum_duplicates()
        X.eliminate_zeros()
        X.sort_indices()
        return [X]

    def join(self, parts):
        """Return the container made of `parts`."""
        kind = sparse.csr_array if self.is_array else sparse.csr_matrix
        return kind(parts[0]).asformat(self.format)

    def cast(self, X):
        """Return the parts of a query, and which of its rows could be cast."""
        if sparse.issparse(X):
            X = sparse.csr_array(X)
            data, good = cast_cells(X.data[:, None], self.dtype)
            bad = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))[~good]
            fits = ~np.isin(np.arange(X.shape[0]), bad)
            X = sparse.csr_array((data[:, 0], X.indices, X.indptr), shape=X.shape)
        else:
            X, fits = cast_cells(np.asarray(X), self.dtype)
        if X.shape[1:] != self.shape:
            raise ValueError(
                f"X_forget has {X.shape[1]} columns; fit was given {self.shape[0]}. "
                "Pass the rows as they were given to fit."
            )
        return self.split(X), fits

    def without_unused_categories(self, part):
        """Return the layout of fewer rows: the same, as numbers have no categories."""
        return self


class FrameLayout:
    """Rows in a pandas data frame.

    Columns of one numpy type form a part; all others (words, categories, nullable
    numbers, time zones) are kept as objects and cast back when put together.
    """

    def __init__(self, X):
        self.columns, self.dtypes = X.columns, list(X.dtypes)
        groups = {}
        for j, dtype in enumerate(self.dtypes):
            plain = isinstance(dtype, np.dtype) and dtype.kind in "fiubmM"
            groups.setdefault(dtype if plain else np.dtype(object), []).append(j)
        self.groups = list(groups.items())
        self._drop_unused_categories(
            lambda i: self._values(X, *reversed(self.groups[i]))
        )

    def split(self, X):
        """Return the parts of `X`."""
        return [self._values(X, columns, dtype) for dtype, columns in self.groups]

    def _values(self, X, columns, dtype):
        """Return columns of a frame as an array of one type."""
        values = np.empty((len(X), len(columns)), dtype=dtype)
        for k, j in enumerate(columns):
            values[:, k] = X.iloc[:, j].to_numpy(dtype=dtype)
        return values

    def join(self, parts):
        """Return the container made of `parts`."""
        import pandas as pd

        series = {}
        for (_, columns), part in zip(self.groups, parts, strict=True):
            for k, j in enumerate(columns):
                series[j] = pd.Series(part[:, k].copy(), dtype=self.dtypes[j])
        frame = pd.DataFrame({j: series[j] for j in range(len(series))})
        frame.columns = self.columns
        return frame

    def cast(self, X):
        """Return the parts of a query, and which of its rows could be cast."""
        if not hasattr(X, "iloc"):
            import pandas as pd

            X = pd.DataFrame(X.toarray() if sparse.issparse(X) else np.asarray(X))
        if X.shape[1] != len(self.dtypes):
            raise ValueError(
                f"X_forget has {X.shape[1]} columns; fit was given "
                f"{len(self.dtypes)}. Pass the rows as they were given to fit."
            )
        fits, parts = np.ones(len(X), dtype=bool), []
        for dtype, columns in self.groups:
            if dtype.kind == "O" or all(X.dtypes.iloc[j] == dtype for j in columns):
                parts.append(self._values(X, columns, dtype))
                continue
            # one by one: a common type could round large whole numbers
            cast = [cast_cells(X.iloc[:, [j]].to_numpy(), dtype) for j in columns]
            parts.append(np.hstack([values for values, _ in cast]))
            fits &= np.all([good for _, good in cast], axis=0)
        return parts, fits

    def without_unused_categories(self, part):
        """Return the layout without categories that no row has any more.

        Parameters
        ----------
        part : callable (int) -> ndarray
            Gives the part of this number of all rows.
        """
        if not any(hasattr(dtype, "categories") for dtype in self.dtypes):
            return self
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        return new._drop_unused_categories(part)

    def _drop_unused_categories(self, part):
        """Leave out of the own dtypes the categories that no row has."""
        import pandas as pd

        self.dtypes = list(self.dtypes)
        for i, (_, columns) in enumerate(self.groups):
            categorical = [
                (k, j)
                for k, j in enumerate(columns)
                if isinstance(self.dtypes[j], pd.CategoricalDtype)
            ]
            values = part(i) if categorical else None
            for k, j in categorical:
                used, dtype = set(values[:, k].tolist()), self.dtypes[j]
                kept = [level for level in dtype.categories if level in used]
                levels = pd.Index(kept, dtype=dtype.categories.dtype)
                self.dtypes[j] = pd.CategoricalDtype(levels, dtype.ordered)
        return self


def layout_of(X):
    """Return the layout that takes `X` apart.

    Raises
    ------
    TypeError
        If rows in such a container cannot be kept.
    """
    if sparse.issparse(X):
        return SparseLayout(X)
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return FrameLayout(X)
    if hasattr(X, "columns") and hasattr(X, "to_pandas"):
        raise TypeError(
            f"Rows in a {type(X).__module__.split('.')[0]} data frame cannot be kept: "
            "pass X.to_pandas(), or set store_training_data=False to keep no rows."
        )
    return ArrayLayout(X)


def cast_cells(values, dtype):
    """Cast a 2-D array to the type that a column had in a fit.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    dtype : numpy.dtype

    Returns
    -------
    cast : ndarray of shape (n_rows, n_columns)
    fits : ndarray of bool, shape (n_rows,)
        Rows of which no cell has changed by more than rounding. The others are no
        rows of the fit.
    """
    if values.dtype == dtype:
        return values, np.ones(len(values), dtype=bool)
    if dtype.kind not in "fiubmM":
        return values.astype(object), np.ones(len(values), dtype=bool)
    if values.dtype.kind in "mM" and dtype.kind == values.dtype.kind:
        cast = values.astype(dtype)
        return cast, ((cast == values) | np.isnat(values)).all(axis=1)
    if values.dtype.kind not in "fiub" or dtype.kind in "mM":
        return _cast_one_by_one(values, dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        cast = values.astype(dtype)
    if dtype.kind == "f":  # rounding is what the tolerance is for
        return cast, (np.isfinite(cast) | ~np.isfinite(values)).all(axis=1)
    good = cast == values
    if dtype.kind in "iu" and values.dtype.kind == "f":
        good &= np.abs(values) < 2.0**63  # beyond, a cast wraps around
    return cast, good.all(axis=1)


def _cast_one_by_one(values, dtype):
    """Cast an array of objects or words cell by cell, as each may be of another type.

    See `cast_cells`. That a cell takes long does not matter: a request has few rows.
    """
    cast, good = np.zeros(values.shape, dtype), np.ones(values.shape, dtype=bool)
    for place, value in np.ndenumerate(values):
        try:
            cast[place] = _cast_one(value, dtype)
        except (TypeError, ValueError, OverflowError):
            good[place] = False
    return cast, good.all(axis=1)


def _cast_one(value, dtype):
    """Cast an object; raise if `dtype` cannot hold it."""
    is_number = isinstance(value, (numbers.Real, np.bool_))
    if dtype.kind in "mM":
        if is_number and not is_missing(value):
            raise TypeError
        return np.array("NaT" if is_missing(value) else value, dtype)
    if is_missing(value):
        value, is_number = np.nan, True
    if not is_number:
        raise TypeError
    with np.errstate(over="ignore"):
        cast = dtype.type(value)
    lost = cast != value
    if dtype.kind == "f":
        lost = np.isinf(cast) and abs(value) != np.inf
    if lost:
        raise OverflowError
    return cast
