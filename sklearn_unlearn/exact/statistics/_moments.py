"""Means, sums of squares and scatter matrices of blocks of rows, and their union.

Everything is centred on the block's own mean, so large means cost no accuracy.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import functools

import numpy as np
from scipy import sparse

__all__ = [
    "block_moments",
    "block_scatter",
    "class_segments",
    "has_constant",
    "is_double",
    "merge_moments",
    "merge_scatter",
    "segment_sum",
    "spreads_in_classes",
    "subtract_moments",
    "subtract_scatter",
]

# Share of a sum of squares that must be left for a subtraction to keep its digits.
MIN_SHARE_LEFT = 0.25
# Deviations that are rounding, as a share of the mean.
CONSTANT_SPREAD = 1e-10
# Products of columns that are formed row by row.
FEW_PRODUCTS = 1 << 18


def is_double(X):
    """Whether rows are dense numbers that are fitted in double precision.

    In single precision the sums of a fit are rounded in ways that only the fit
    itself repeats.
    """
    if sparse.issparse(X):
        return False
    dtype = np.asarray(X).dtype
    return dtype.kind in "iub" or dtype == np.float64


def has_constant(total, mean, squares):
    """Whether a column is constant, but for rounding.

    Parameters
    ----------
    total : float
    mean, squares : ndarray of shape (n_columns,)
        Means, and sums of squared deviations.

    Returns
    -------
    bool
    """
    return bool((squares <= total * (CONSTANT_SPREAD * mean) ** 2).any())


def spreads_in_classes(total, means, squares):
    """Whether no column is constant in every class, but for rounding.

    What a fit makes of such a column is rounding too. A column of zeros is exempt.

    Parameters
    ----------
    total : float
    means : ndarray of shape (n_classes, n_columns)
    squares : ndarray of shape (n_columns,)
        Sums of squared deviations from the mean of the class.

    Returns
    -------
    bool
    """
    means = np.abs(means).max(axis=0)
    zero = (means == 0) & (squares == 0)
    return not has_constant(total, means[~zero], squares[~zero])


def class_segments(y, classes, starts):
    """Put the rows of each class together within each block.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, 1)
        Labels, all of them in `classes`.
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    starts : ndarray of shape (n_blocks,)
        First row of each block.

    Returns
    -------
    order : ndarray of shape (n_rows,)
        Rows by block, then by class.
    bounds : ndarray of shape (n_blocks * n_classes,)
        First of the ordered rows of each block and class, which may have none.
    """
    label = np.searchsorted(classes, np.ravel(y))
    block = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(label))))
    segment = block * len(classes) + label
    order = np.argsort(segment, kind="stable")
    n_segments = len(starts) * len(classes)
    return order, np.searchsorted(segment[order], np.arange(n_segments))


def segment_sum(values, starts):
    """Sum over consecutive segments of rows, empty ones included.

    Parameters
    ----------
    values : ndarray of shape (n_rows, ...)
    starts : ndarray of shape (n_segments,)
        First row of each segment, not decreasing.

    Returns
    -------
    ndarray of shape (n_segments, ...)
    """
    sums = np.zeros((len(starts), *values.shape[1:]))
    filled = np.diff(np.append(starts, len(values))) > 0
    if filled.any():
        # reduceat would return the next row, not zero, for an empty segment
        sums[filled] = np.add.reduceat(values, starts[filled], axis=0)
    return sums


def block_moments(X, starts, weight=None):
    """Weight, mean and sum of squared deviations of each column in each segment.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        NaN is left out.
    starts : ndarray of shape (n_segments,)
        First row of each segment.
    weight : ndarray of shape (n_rows,), default=None
        Weight per row.

    Returns
    -------
    total, mean, m2 : ndarray of shape (n_segments, n_columns)
        Where `total` is zero, so are the other two.
    """
    X = np.asarray(X, dtype=np.float64)
    lengths = np.diff(np.append(starts, len(X)))
    missing = np.isnan(X)
    some_missing = missing.any()
    if weight is None and not some_missing:
        total = np.repeat(lengths.astype(np.float64)[:, None], X.shape[1], axis=1)
        W = None
    else:
        W = np.ones(len(X)) if weight is None else np.asarray(weight, np.float64)
        W = np.where(missing, 0.0, W[:, None])
        total = segment_sum(W, starts)
        if some_missing:
            X = np.where(missing, 0.0, X)
    divisor = np.where(total == 0, 1.0, total)
    mean = segment_sum(X if W is None else X * W, starts) / divisor
    deviation = X - np.repeat(mean, lengths, axis=0)
    # The second pass corrects the rounding of the first, as two-pass variance
    # algorithms do: a constant column gets exactly its constant as mean.
    mean += segment_sum(deviation if W is None else deviation * W, starts) / divisor
    deviation = X - np.repeat(mean, lengths, axis=0)
    deviation *= deviation
    m2 = segment_sum(deviation if W is None else deviation * W, starts)
    return total, mean, m2


def merge_moments(total, mean, m2):
    """Moments of the union of all segments.

    Parameters
    ----------
    total, mean, m2 : ndarray of shape (n_segments, ...)
        As `block_moments` returns them.

    Returns
    -------
    total, mean, m2 : ndarray of shape (...)
    """
    overall = total.sum(axis=0)
    divisor = np.where(overall == 0, 1.0, overall)
    # A mean of differences from one segment keeps the digits of a large mean.
    first = np.argmax(total > 0, axis=0)
    pivot = np.take_along_axis(mean, first[None], axis=0)[0]
    shift = (total * (mean - pivot)).sum(axis=0) / divisor
    centre = pivot + shift
    m2 = m2.sum(axis=0) + (total * (mean - centre) ** 2).sum(axis=0)
    return overall, centre, m2


def subtract_moments(whole, part):
    """Take the moments of some rows off those of all rows.

    Parameters
    ----------
    whole, part : tuple of (total, mean, m2)
        As `block_moments` returns them.

    Returns
    -------
    total, mean, m2 : ndarray of shape (n_segments, ...)
    accurate : ndarray of bool, shape (n_segments,)
        Where nothing of account was cancelled.
    """
    total, mean, m2 = whole
    part_total, part_mean, part_m2 = part
    rest = total - part_total
    share = part_total / np.where(rest > 0, rest, 1.0)
    shift = np.where(part_total > 0, part_mean - mean, 0.0)
    rest_m2 = m2 - part_m2 - shift**2 * total * share
    # entries without a forgotten row are as they were
    fine = (rest > 0.5 * total) & (rest_m2 >= MIN_SHARE_LEFT * m2) | (part_total == 0)
    accurate = fine.reshape(len(fine), -1).all(axis=1)
    return rest, mean - shift * share, rest_m2, accurate


def block_scatter(Z, starts, weight=None):
    """Weight, mean and packed scatter matrix of each segment.

    Parameters
    ----------
    Z : ndarray of shape (n_rows, n_columns)
    starts : ndarray of shape (n_segments,)
        First row of each segment, not decreasing.
    weight : ndarray of shape (n_rows,), default=None
        Weight per row.

    Returns
    -------
    total : ndarray of shape (n_segments,)
    mean : ndarray of shape (n_segments, n_columns)
    scatter : ndarray of shape (n_segments, n_columns * (n_columns + 1) / 2)
        Upper triangles of ``sum w (z - mean) (z - mean)^T``.
    """
    Z = np.asarray(Z, dtype=np.float64)
    upper = row, column = _upper(Z.shape[1])
    if len(Z) * len(row) < FEW_PRODUCTS:
        # few rows in many segments: all products of columns at once
        lengths = np.diff(np.append(starts, len(Z)))
        W = None if weight is None else np.asarray(weight, np.float64)[:, None]
        total = lengths * 1.0 if W is None else segment_sum(W[:, 0], starts)
        mean = segment_sum(Z if W is None else Z * W, starts)
        mean /= np.where(total == 0, 1.0, total)[:, None]
        deviation = Z - np.repeat(mean, lengths, axis=0)
        products = deviation[:, row] * deviation[:, column]
        products = products if W is None else products * W
        return total, mean, segment_sum(products, starts)
    ends = np.append(starts[1:], len(Z))
    total = np.empty(len(starts))
    mean = np.empty((len(starts), Z.shape[1]))
    scatter = np.empty((len(starts), len(upper[0])))
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        block = Z[start:end]
        w = None if weight is None else np.asarray(weight[start:end], np.float64)
        total[i] = len(block) if w is None else w.sum()
        mean[i] = 0.0 if total[i] == 0 else np.average(block, axis=0, weights=w)
        deviation = block - mean[i]
        if total[i] != 0:  # what the first pass has rounded, as in block_moments
            rest = np.average(deviation, axis=0, weights=w)
            mean[i] += rest
            deviation -= rest
        weighted = deviation if w is None else deviation * w[:, None]
        scatter[i] = (deviation.T @ weighted)[upper]
    return total, mean, scatter


@functools.lru_cache(maxsize=8)
def _upper(n_columns):
    """Rows and columns of the upper triangle of a matrix."""
    return np.triu_indices(n_columns)


def merge_scatter(total, mean, scatter):
    """Weight, mean and scatter matrix of the union of all segments.

    Parameters
    ----------
    total, mean, scatter : ndarray
        As `block_scatter` returns them.

    Returns
    -------
    total : float
    mean : ndarray of shape (n_columns,)
    scatter : ndarray of shape (n_columns, n_columns)
    """
    n_columns = mean.shape[1]
    overall = total.sum()
    pivot = mean[np.argmax(total > 0)]
    centre = pivot + total @ (mean - pivot) / overall
    packed = scatter.sum(axis=0)
    full = np.empty((n_columns, n_columns))
    upper = _upper(n_columns)
    full[upper] = packed
    full.T[upper] = packed
    between = mean - centre
    full += (between.T * total) @ between
    return overall, centre, full


def subtract_scatter(whole, part):
    """Take the scatter matrices of some rows off those of all rows.

    Parameters
    ----------
    whole, part : tuple of (total, mean, scatter)
        As `block_scatter` returns them.

    Returns
    -------
    total, mean, scatter : ndarray
    accurate : ndarray of bool, shape (n_segments,)
        Where nothing of account was cancelled.
    """
    total, mean, scatter = whole
    part_total, part_mean, part_scatter = part
    rest = total - part_total
    share = part_total / np.where(rest > 0, rest, 1.0)
    shift = part_mean - mean
    row, column = _upper(mean.shape[1])
    between = shift[:, row] * shift[:, column] * (total * share)[:, None]
    rest_scatter = scatter - part_scatter - between
    squares = row == column
    kept = rest_scatter[:, squares] >= MIN_SHARE_LEFT * scatter[:, squares]
    # segments without a forgotten row are as they were
    accurate = (rest > 0.5 * total) & kept.all(axis=1) | (part_total == 0)
    return rest, mean - shift * share[:, None], rest_scatter, accurate
