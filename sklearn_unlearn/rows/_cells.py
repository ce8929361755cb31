"""Cells as 64-bit codes, rows as hashes of these, and which rows are equal.

Missing values of any kind are equal, and so are numbers of any type that are equal in
Python; ``-0.0`` is ``0.0``.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import datetime
import decimal
import fractions
import hashlib
import numbers
import struct

import numpy as np
from scipy import sparse

from sklearn_unlearn.utils._saved import saved_as

__all__ = [
    "RowHash",
    "are_close",
    "cell_codes",
    "cell_types",
    "concatenate",
    "equal_rows",
    "equal_sparse_rows",
    "is_missing",
    "row_hash",
]

NUMBERS = "bfiu"  # kinds of types

_NAN = np.uint64(0x7FF8000000000001)
_HALF = np.uint64(32)  # bits
CHUNK_ROWS = 4096
# Beyond this, a floating-point number may stand for several whole ones.
LARGEST_INT = 2**53
# Decimals beyond these powers of ten are written out by their digits alone.
LARGEST_POWER = 400


def is_missing(value):
    """Tell whether a cell holds no value: None, NaN, pandas' NA or NaT."""
    # recognised by name, so that pandas need not be imported
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, numbers.Number) and value != value


def _token(value):
    """Code of an object; objects that are equal have one code."""
    if is_missing(value):
        return int(_NAN)
    value = _plain(value)
    if isinstance(value, str):
        data = b"s" + value.encode("utf-8", "surrogatepass")
    elif isinstance(value, bytes):
        data = b"b" + value
    elif isinstance(value, numbers.Real | decimal.Decimal):
        data = b"n" + _write_number(value)
    elif isinstance(value, datetime.datetime):
        if value.tzinfo is not None:  # one moment in all time zones
            value = value.astimezone(datetime.UTC)
        data = b"t" + value.isoformat().encode()
    else:
        data = b"o" + repr(value).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def _write_number(value):
    """Write a number in bytes, the same for equal numbers of all types."""
    try:
        number = float(value) + 0.0  # -0.0 becomes 0.0
    except OverflowError:
        number = np.inf
    if isinstance(value, float) and LARGEST_INT <= abs(value) < np.inf:
        return b"f" + struct.pack("<d", number)  # equal to no whole number
    if number == value:
        return struct.pack("<d", number)
    if isinstance(value, decimal.Decimal) and abs(value.adjusted()) > LARGEST_POWER:
        return str(value.normalize()).encode()
    return "{}/{}".format(*value.as_integer_ratio()).encode()


def _plain(value):
    """Return numpy's numbers, and complex ones that are real, as Python's own."""
    if isinstance(value, np.generic):
        value = value.item()
    return value.real if isinstance(value, complex) and not value.imag else value


def cell_codes(values, memo=None):
    """Return one unsigned 64-bit number per cell, equal for equal values.

    Different numbers, dates and truth values of an array have different codes;
    different objects have them but for accidents.

    Parameters
    ----------
    values : ndarray
        Of any type.
    memo : dict, default=None
        Codes of objects met before.

    Returns
    -------
    ndarray of uint64, of the shape of `values`
    """
    kind = values.dtype.kind
    if kind == "f" and values.dtype.itemsize <= 8:
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
    cells = keys = values.ravel().tolist()
    try:
        if not _can_be_keys(cells):
            keys = [cell if type(cell) is str else (repr(cell),) for cell in cells]
        new = {k: v for k, v in zip(keys, cells, strict=True) if k not in memo}
        memo.update((key, _token(value)) for key, value in new.items())
    except TypeError:
        raise TypeError(
            "X has cells that are neither numbers nor words (lists, arrays, ...): such "
            "rows cannot be found by value. Put such values into columns of their own."
        ) from None
    codes = np.fromiter(map(memo.__getitem__, keys), np.uint64, count=len(cells))
    return codes.reshape(values.shape)


def _can_be_keys(cells):
    """Tell whether objects can be the keys of a dict.

    Not large numbers: two that differ by a multiple of 2**61 - 1 have one hash in
    Python, and a floating-point one is equal to one of the whole ones it stands for.
    """
    types = set(map(type, cells))
    if any(issubclass(t, decimal.Decimal | fractions.Fraction) for t in types):
        return False
    return int not in types or all(
        -LARGEST_INT < cell < LARGEST_INT for cell in cells if type(cell) is int
    )


def cell_types(*tables):
    """Return a number for each row of tables: those whose cells have equal types.

    Only columns of objects hold equal cells of several types: None and NaN, or 1, 1.0
    and True.

    Parameters
    ----------
    *tables : list of arrays with the same number of rows

    Returns
    -------
    tuple of ndarray of int64
    """
    met, numbers_of = {}, []
    for parts in tables:
        rows = [() for _ in range(parts[0].shape[0])]
        for part in parts:
            if part.dtype.kind == "O":
                types = (tuple(map(_type_of, row)) for row in part.tolist())
                rows = [a + b for a, b in zip(rows, types, strict=True)]
        numbers_of.append([met.setdefault(row, len(met)) for row in rows])
    return tuple(np.array(n, dtype=np.int64) for n in numbers_of)


def _type_of(value):
    """Return the type of a cell, the same for numpy's objects and Python's own."""
    if isinstance(value, np.generic):
        value = value.item()
    return str if isinstance(value, str) else type(value)


@saved_as("hash of rows")
class RowHash:
    """A hash function of rows: one of a family, drawn by a seed.

    Two rows that differ have the same hash for at most one in 2**33 seeds, whatever
    they hold (a multilinear hash of the halves of the cells' codes [1]_). Zeros add
    nothing, so that dense and sparse rows have the same hash.

    Parameters
    ----------
    seed : int
        Whoever knows it can make rows that have one hash.

    References
    ----------
    .. [1] D. Lemire and O. Kaser, "Strongly universal string hashing is fast", The
       Computer Journal 57(11), 2014.
    """

    def __init__(self, seed):
        self.seed = seed
        self._factors = np.empty(0, dtype=np.uint64)

    def __getstate__(self):
        return {"seed": self.seed}

    def __setstate__(self, state):
        self.__init__(**state)

    def __call__(self, parts, memo=None):
        """Return a 64-bit hash of each row.

        Parameters
        ----------
        parts : list of ndarray of shape (n_rows, n_columns) or csr_array
        memo : dict, default=None
            Codes of objects met before.

        Returns
        -------
        ndarray of uint64, shape (n_rows,)
        """
        total = np.zeros(parts[0].shape[0], dtype=np.uint64)
        all_factors = self._draw(2 * sum(part.shape[1] for part in parts))
        for part in parts:
            factors = all_factors[: 2 * part.shape[1]]
            all_factors = all_factors[2 * part.shape[1] :]
            if sparse.issparse(part):
                codes, place = cell_codes(part.data), 2 * part.indices.astype(np.int64)
                terms = codes.astype(np.uint32) * factors[place]
                terms += (codes >> _HALF) * factors[place + 1]
                sums = np.concatenate(
                    [[np.uint64(0)], np.cumsum(terms, dtype=np.uint64)]
                )
                total += sums[part.indptr[1:]] - sums[part.indptr[:-1]]
                continue
            for start in range(0, len(part), CHUNK_ROWS):
                rows = slice(start, start + CHUNK_ROWS)
                codes = np.ascontiguousarray(cell_codes(part[rows], memo), "<u8")
                total[rows] += codes.view("<u4") @ factors
        return total

    def _draw(self, n_factors):
        """Return the first factors; the same whenever they are asked for."""
        if len(self._factors) < n_factors:
            rng = np.random.default_rng(self.seed)
            self._factors = rng.integers(0, 2**64, size=n_factors, dtype=np.uint64)
        return self._factors[:n_factors]


# For what has to be the same in every process. Look-ups use one that nobody knows.
row_hash = RowHash(20)


def equal_rows(first, second):
    """Tell for each pair of rows whether all their cells are equal.

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


def are_close(a, b):
    """Tell whether two arrays of rows are equal but for rounding."""
    are_numbers = a.dtype.kind in NUMBERS and b.dtype.kind in NUMBERS
    if are_numbers and not sparse.issparse(a):
        return np.allclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=True)
    if a.ndim == 1:
        a, b = a[:, None], b[:, None]
    return bool(equal_rows([a], [b]).all())


def _equal_cells(a, b):
    """Tell which cells of two arrays are equal; not by codes, which can be forged."""
    if a.dtype.kind == "O" or b.dtype.kind == "O":
        pairs = list(zip(a.ravel().tolist(), b.ravel().tolist(), strict=True))
        equal = {pair: _equal_objects(*pair) for pair in dict.fromkeys(pairs)}
        cells = np.fromiter(map(equal.__getitem__, pairs), bool, count=len(pairs))
        return cells.reshape(a.shape)
    if a.dtype.kind == b.dtype.kind and a.dtype.kind in "US":
        return a == b
    if a.dtype == b.dtype and a.dtype.kind in "fiub":
        equal = a == b
        if equal.all():  # what differs may be missing in both: codes tell
            return equal
    return cell_codes(a) == cell_codes(b)


def _equal_objects(a, b):
    """Tell whether two objects count as the same value."""
    if a is b:
        return True
    if is_missing(a) or is_missing(b):
        return is_missing(a) and is_missing(b)
    return bool(_plain(a) == _plain(b))


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
