"""Containers of rows, taken apart into arrays and put together again.

A container (array, data frame, sparse matrix, list of documents) is split into
*parts*: arrays of one type with a row per row. Cells become 64-bit codes, which are
equal exactly if the cells count as the same value.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import functools
import hashlib
import numbers
import struct

import numpy as np
from scipy import sparse

__all__ = ["cell_codes", "concatenate", "layout_of", "row_hash", "same_rows"]

_ODD = np.uint64(0x9E3779B97F4A7C15)
_NAN = np.uint64(0x7FF8000000000001)
CHUNK_ROWS = 4096


# ------------------------------------------------------------------------- layouts


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
        return [X.reshape(len(X), -1)]

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
                f"shape {self.shape}."
            )
        values, fits = _cast(X.reshape(len(X), -1), self.dtype)
        return [values], fits

    def without_unused(self, parts):
        """Return the layout of fewer rows; arrays have nothing to lose."""
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
        X = X if sparse.issparse(X) else sparse.csr_array(np.asarray(X, self.dtype))
        if X.shape[1:] != self.shape:
            raise ValueError(
                f"X_forget has {X.shape[1]} columns; fit was given {self.shape[0]}."
            )
        return self.split(X), np.ones(X.shape[0], dtype=bool)

    def without_unused(self, parts):
        """Return the layout of fewer rows; numbers have nothing to lose."""
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
        self._prune(self.split(X))

    def split(self, X):
        """Return the parts of `X`."""
        return [self._values(X, columns, dtype) for dtype, columns in self.groups]

    def _values(self, X, columns, dtype):
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
                f"X_forget has {X.shape[1]} columns; fit was given {len(self.dtypes)}."
            )
        fits, parts = np.ones(len(X), dtype=bool), []
        for dtype, columns in self.groups:
            try:
                values = self._values(X, columns, dtype) if dtype.kind == "O" else None
                values = X.iloc[:, columns].to_numpy() if values is None else values
            except (TypeError, ValueError):
                values = self._values(X, columns, np.dtype(object))
            values, good = _cast(values, dtype)
            parts.append(values)
            fits &= good
        return parts, fits

    def without_unused(self, parts):
        """Return a layout that has forgotten the categories nobody has."""
        if not any(hasattr(dtype, "categories") for dtype in self.dtypes):
            return self
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        return new._prune(parts)

    def _prune(self, parts):
        import pandas as pd

        self.dtypes = list(self.dtypes)
        for (_, columns), part in zip(self.groups, parts, strict=True):
            for k, j in enumerate(columns):
                dtype = self.dtypes[j]
                if isinstance(dtype, pd.CategoricalDtype):
                    used = set(part[:, k].tolist())
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
            "pass X.to_pandas(), or store_training_data=False."
        )
    return ArrayLayout(X)


def _cast(values, dtype):
    """Cast a 2-D array to `dtype`; tell which rows keep their values."""
    fits = np.ones(len(values), dtype=bool)
    if values.dtype == dtype:
        return values, fits
    if dtype.kind in "OUS":
        return values.astype(object), fits
    if dtype.kind in "mM":
        try:
            return values.astype(dtype), fits
        except (TypeError, ValueError):
            return np.zeros(values.shape, dtype), ~fits
    if values.dtype.kind not in "fiub":
        values = _numbers(values)
        fits = ~(np.isinf(values.imag)).any(axis=1)
        values = values.real
    if dtype.kind in "iub" and values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            whole = values == np.rint(values)
        fits &= (whole & (np.abs(values) < 2.0**63)).all(axis=1)
        values = np.where(fits[:, None], values, 0)
    if dtype.kind == "b":
        fits &= np.isin(values, (0, 1)).all(axis=1)
    with np.errstate(over="ignore"):
        cast = values.astype(dtype)
    if dtype.kind in "iu":
        fits &= (cast == values).all(axis=1)
    return cast, fits


def _numbers(values):
    """Objects as numbers; what is none becomes an infinite imaginary part."""

    def number(value):
        if _is_missing(value):
            return complex(np.nan)
        try:
            return complex(float(value))
        except (TypeError, ValueError):
            return complex(0, np.inf)

    flat = [number(value) for value in values.ravel().tolist()]
    return np.array(flat, dtype=complex).reshape(values.shape)


# --------------------------------------------------------------------------- codes


def _is_missing(value):
    # pandas' NA and NaT are told by name, so that pandas need not be imported
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, numbers.Number) and value != value


def _token(value):
    """Code of an object; numbers of any type that are equal have one code."""
    if _is_missing(value):
        return int(_NAN)
    if isinstance(value, (numbers.Real, np.bool_)):
        number = float(value)
        data = b"i%d" % value if number != value else b"n" + struct.pack("<d", number)
    elif isinstance(value, str):
        data = b"s" + value.encode("utf-8", "surrogatepass")
    elif isinstance(value, bytes):
        data = b"b" + value
    else:
        data = b"o" + repr(value).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def cell_codes(values, memo=None):
    """Return one unsigned 64-bit number per cell, equal for equal values.

    Parameters
    ----------
    values : ndarray
        Of any type; missing values of any kind are equal, ``-0.0`` is ``0.0``.
    memo : dict, default=None
        Codes of objects met before.

    Returns
    -------
    ndarray of uint64, of the shape of `values`
    """
    kind = values.dtype.kind
    if kind == "f":
        values = values + values.dtype.type(0)  # -0.0 becomes 0.0; never in place
        codes = values.view(f"u{values.dtype.itemsize}").astype(np.uint64)
        missing = np.isnan(values)
        if missing.any():
            codes[missing] = _NAN
        return codes
    if kind in "mM":
        codes = values.astype(np.int64).view(np.uint64)
        return np.where(np.isnat(values), _NAN, codes)
    if kind == "u":
        return values.astype(np.uint64)
    if kind in "ib":
        return values.astype(np.int64).view(np.uint64)
    memo = {} if memo is None else memo
    cells = values.ravel().tolist()
    try:
        new = [value for value in dict.fromkeys(cells) if value not in memo]
    except TypeError:
        raise TypeError(
            "X has cells that are neither numbers nor words (lists, arrays, ...): such "
            "rows cannot be found by value."
        ) from None
    memo.update((value, _token(value)) for value in new)
    codes = np.fromiter(map(memo.__getitem__, cells), np.uint64, count=len(cells))
    return codes.reshape(values.shape)


def _mix(codes):
    """Spread the bits of codes; zero stays zero, so absent cells add nothing."""
    codes = codes ^ (codes >> np.uint64(32))
    codes *= _ODD
    codes ^= codes >> np.uint64(29)
    return codes


@functools.lru_cache(maxsize=64)
def _multipliers(start, stop):
    """One odd number for each column, always the same."""
    numbers_ = np.random.default_rng(20).integers(0, 2**63, size=stop, dtype=np.uint64)
    return (numbers_ * np.uint64(2) + np.uint64(1))[start:]


def row_hash(parts, memo=None):
    """Return a 64-bit hash of each row, the same for dense and sparse rows.

    Parameters
    ----------
    parts : list of ndarray of shape (n_rows, n_columns) or csr_array
    memo : dict, default=None
        Codes of objects met before.

    Returns
    -------
    ndarray of uint64, shape (n_rows,)
    """
    total, column = np.zeros(parts[0].shape[0], dtype=np.uint64), 0
    for part in parts:
        factors = _multipliers(column, column + part.shape[1])
        column += part.shape[1]
        if sparse.issparse(part):
            terms = _mix(cell_codes(part.data)) * factors[part.indices]
            sums = np.concatenate([[np.uint64(0)], np.cumsum(terms, dtype=np.uint64)])
            total += sums[part.indptr[1:]] - sums[part.indptr[:-1]]
            continue
        for start in range(0, len(part), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            total[rows] += _mix(cell_codes(part[rows], memo)) @ factors
    return total


def same_rows(first, second):
    """Tell for each pair of rows whether they have the same codes throughout.

    Parameters
    ----------
    first, second : list of arrays with the same number of rows

    Returns
    -------
    ndarray of bool, shape (n_rows,)
    """
    same = np.ones(first[0].shape[0], dtype=bool)
    for a, b in zip(first, second, strict=True):
        if sparse.issparse(a):
            same &= _same_sparse(a, b)
        else:
            same &= (cell_codes(a) == cell_codes(b)).all(axis=1)
    return same


def _same_sparse(a, b):
    same = np.diff(a.indptr) == np.diff(b.indptr)
    if same.any():
        a, b = a[same], b[same]  # now entries lie side by side
        equal = (a.indices == b.indices) & (cell_codes(a.data) == cell_codes(b.data))
        wrong = np.concatenate([[0], np.cumsum(~equal)])
        same[same] = wrong[a.indptr[1:]] == wrong[a.indptr[:-1]]
    return same


def concatenate(arrays):
    """Concatenate arrays, or sparse rows, into one that owns its memory."""
    if sparse.issparse(arrays[0]):
        return sparse.vstack(arrays, format="csr")
    return np.concatenate(arrays)
