"""Cells of a request, cast to the type that their column had in the fit."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numbers
from datetime import UTC

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sklearn_unlearn.rows._cells import is_missing

__all__ = ["as_objects", "cast_cells", "cast_columns", "rounded_numbers"]

# Kinds of numpy types that are stored as they are; cells of others as objects.
PLAIN_KINDS = "fiubmM"


def as_objects(values):
    """Return an array of one dimension that holds each of `values` as it is."""
    return np.fromiter(values, dtype=object, count=len(values))


def as_column(values):
    """Return what has one entry per row (targets, weights, ...) as an array.

    Sparse ones stay as they are. Types that numpy does not know become those in which
    scikit-learn reads them.
    """
    if sparse.issparse(values):
        return values
    if hasattr(values, "dtype") and not isinstance(values.dtype, np.dtype):
        return check_array(
            values,
            dtype=None,
            ensure_2d=False,
            allow_nd=True,
            ensure_all_finite=False,
            ensure_min_samples=0,
        )
    return np.asarray(values)


def cast_columns(columns, dtype):
    """Cast columns one by one: a common type could round large whole numbers.

    Parameters
    ----------
    columns : list of ndarray of shape (n_rows,)
    dtype : numpy.dtype

    Returns
    -------
    cast : ndarray of shape (n_rows, n_columns)
    fits : ndarray of bool, shape (n_rows,)
        See `cast_cells`.
    rounded : ndarray of float64, shape (n_rows, n_columns), or None
        See `rounded_numbers`.
    """
    if all(column.dtype == dtype for column in columns):
        return np.column_stack(columns), np.ones(len(columns[0]), dtype=bool), None
    columns = [column[:, None] for column in columns]
    cast = [cast_cells(column, dtype) for column in columns]
    fits = np.all([good for _, good in cast], axis=0)
    rounded = [rounded_numbers(column, dtype) for column in columns]
    if all(numbers is None for numbers in rounded):
        rounded = None
    else:
        exact = np.full((len(fits), 1), np.nan)
        rounded = np.hstack([exact if n is None else n for n in rounded])
    return np.hstack([values for values, _ in cast]), fits, rounded


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
        # beyond these, a cast wraps around, or stops at the largest number
        low, high = float(np.iinfo(dtype).min), 2.0 ** _n_digits(dtype)
        with np.errstate(over="ignore"):
            good &= (low <= values) & (values < high)
    return cast, good.all(axis=1)


def _n_digits(dtype):
    """Return how many binary digits the whole numbers of a type have."""
    return int(np.iinfo(dtype).max).bit_length()


def rounded_numbers(values, dtype):
    """Return the floating-point numbers that stand for several whole ones.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Of a request.
    dtype : numpy.dtype
        Type that the columns had in the fit.

    Returns
    -------
    ndarray of floating-point numbers, shape (n_rows, n_columns), or None
        NaN for all other cells. None if there are no such numbers.
    """
    if dtype.kind not in "iu" or values.dtype.kind not in "fO":
        return None
    if values.dtype.kind == "O":
        cells = [v if isinstance(v, float) else np.nan for v in values.ravel().tolist()]
        values = np.array(cells, dtype=np.float64).reshape(values.shape)
    with np.errstate(invalid="ignore"):
        exact = ~(np.abs(values) >= 2.0 ** (np.finfo(values.dtype).nmant + 1))
    return None if exact.all() else np.where(exact, np.nan, values)


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
        return np.array("NaT" if is_missing(value) else _without_zone(value), dtype)
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


def _without_zone(value):
    """Return a moment as numpy takes it, in universal time; others as they are."""
    if hasattr(value, "to_datetime64"):  # pandas', which has nanoseconds
        return value.to_datetime64()
    if getattr(value, "tzinfo", None) is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value
