"""Cells as 64-bit codes, and rows as hashes of these.

Two cells have the same code exactly if they count as the same value.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import functools
import hashlib
import numbers
import struct

import numpy as np
from scipy import sparse

__all__ = [
    "cell_codes",
    "concatenate",
    "equal_rows",
    "equal_sparse_rows",
    "is_missing",
    "row_hash",
]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_NAN = np.uint64(0x7FF8000000000001)
CHUNK_ROWS = 4096


def is_missing(value):
    """Tell whether a cell holds no value: None, NaN, pandas' NA or NaT."""
    # recognised by name, so that pandas need not be imported
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, numbers.Number) and value != value


def _token(value):
    """Code of an object; numbers of any type that are equal have one code."""
    if is_missing(value):
        return int(_NAN)
    if isinstance(value, (numbers.Real, np.bool_)):
        try:
            number = float(value) + 0.0  # -0.0 becomes 0.0
        except OverflowError:
            number = np.inf
        data = b"n" + struct.pack("<d", number)
        if number != value:  # too large a whole number, or a fraction
            data = b"i" + str(value).encode()
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
            "rows cannot be found by value. Put such values into columns of their own."
        ) from None
    memo.update((value, _token(value)) for value in new)
    codes = np.fromiter(map(memo.__getitem__, cells), np.uint64, count=len(cells))
    return codes.reshape(values.shape)


def _mix(codes):
    """Spread the bits of codes; zero stays zero, so absent cells add nothing."""
    codes = codes ^ (codes >> np.uint64(32))
    codes *= _MULTIPLIER
    codes ^= codes >> np.uint64(29)
    return codes


@functools.lru_cache(maxsize=64)
def _multipliers(start, stop):
    """Return one odd integer for each column, always the same."""
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


def equal_rows(first, second):
    """Tell for each pair of rows whether they have the same codes throughout.

    Parameters
    ----------
    first, second : list of arrays with the same number of rows

    Returns
    -------
    ndarray of bool, shape (n_rows,)
    """
    equal = np.ones(first[0].shape[0], dtype=bool)
    for a, b in zip(first, second, strict=True):
        if sparse.issparse(a):
            equal &= equal_sparse_rows(a, b, _equal_cells)
        else:
            equal &= _equal_cells(a, b).all(axis=1)
    return equal


def _equal_cells(a, b):
    """Tell which cells of two arrays have the same code."""
    if a.dtype == b.dtype and a.dtype.kind in "fiub":
        equal = a == b
        if equal.all():  # what differs may be missing in both: codes tell
            return equal
    return cell_codes(a) == cell_codes(b)


def equal_sparse_rows(a, b, equal):
    """Tell which pairs of rows have entries in the same places, all of them equal."""
    same = np.diff(a.indptr) == np.diff(b.indptr)
    if same.any():
        a, b = a[same], b[same]  # now entries lie side by side
        wrong = (a.indices != b.indices) | ~equal(a.data, b.data)
        total = np.concatenate([[0], np.cumsum(wrong)])
        same[same] = total[a.indptr[1:]] == total[a.indptr[:-1]]
    return same


def concatenate(arrays):
    """Concatenate arrays, or sparse rows, into one that is no view."""
    if sparse.issparse(arrays[0]):
        return sparse.vstack(arrays, format="csr")
    return np.concatenate(arrays)
