"""Numbers for values: two that are equal share one."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse

from sklearn_unlearn.rows._cells import cell_codes, is_missing

__all__ = ["join_numbers", "number_ids", "number_rows"]


def number_rows(first, second):
    """Number the rows of two arrays; equal rows, in either of them, share a number.

    Parameters
    ----------
    first, second : ndarray of shape (n_rows, ...) of one type, or sparse

    Returns
    -------
    first, second : ndarray of int64, shape (n_rows,)
        Numbers from 0 on.
    """
    arrays = [a.toarray() if sparse.issparse(a) else a for a in (first, second)]
    numbers = np.zeros(len(arrays[0]), np.int64), np.zeros(len(arrays[1]), np.int64)
    tables = (a.reshape(len(a), int(np.prod(a.shape[1:]))) for a in arrays)
    values = np.concatenate(list(tables))
    for column in values.T:
        numbers = join_numbers(numbers, np.split(_codes(column), [len(arrays[0])]))
    return numbers


def number_ids(first, second):
    """Number ids of whatever types, of which those that are one share a number."""
    return number_rows(first.astype(object), second.astype(object))


def join_numbers(one, other):
    """Number the pairs of two numberings of the same rows.

    Parameters
    ----------
    one, other : pair of ndarray of int
        As from `number_rows`.
    """
    a, b = np.concatenate(one), np.concatenate(other)
    b = np.unique(b, return_inverse=True)[1]
    joined = np.unique(a * (b.max(initial=0) + 1) + b, return_inverse=True)[1]
    return tuple(np.split(joined.astype(np.int64), [len(one[0])]))


def _codes(values):
    """Return one number per value: equal ones, and no others, share it."""
    if values.dtype.kind not in "OUS":
        return cell_codes(values)
    met = {}
    return np.array([met.setdefault(_key(v), len(met)) for v in values.tolist()])


def _key(value):
    """Return what may be looked up, and is equal for equal values alone.

    A truth value is not the number that it is equal to.
    """
    if is_missing(value):
        return None
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return type(value) is bool, value
