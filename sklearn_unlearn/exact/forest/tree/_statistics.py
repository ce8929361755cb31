"""Statistics of the rows of a node, and how good a split is by them.

They are an array of integers: for classes the number of rows of each, for numbers those
that `N_ROWS`, `UPPER` and `LOWER` point to. Integers add up to the same in any order,
and a row that is taken off leaves no trace.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np

from sklearn_unlearn.exact.forest.tree._numba import jit

__all__ = [
    "LOWER",
    "N_ROWS",
    "TARGET_PARTS",
    "UPPER",
    "TrainingData",
    "TreeParams",
    "add_row",
    "clear",
    "is_final",
    "is_pure",
    "n_rows_of",
    "score",
]

# Statistics of a regression: the number of rows, and the sums over them of the upper
# and of the lower part of their targets.
N_ROWS, UPPER, LOWER = 0, 1, 2
LOWER_UNIT = 2.0**-36
TARGET_PARTS = np.dtype([("upper", np.int64), ("lower", np.int64)])


class TrainingData(NamedTuple):
    """Rows and targets as the trees take them.

    Parameters
    ----------
    X : ndarray of float32, shape (n_rows, n_features)
    label : ndarray of int32, shape (n_rows,)
        For classes: the number of the class of each row. Otherwise empty.
    target : ndarray of float64, shape (n_rows,)
        For a regression: the target of each row. Otherwise empty.
    target_parts : ndarray of TARGET_PARTS, shape (n_rows,)
        For a regression: leading and trailing bits of the targets. Otherwise empty.
    """

    X: np.ndarray
    label: np.ndarray
    target: np.ndarray
    target_parts: np.ndarray


class TreeParams(NamedTuple):
    """Parameters of a forest, as the trees take them."""

    max_depth: int
    min_samples_split: int
    min_samples_leaf: int
    max_features: int
    is_regression: bool


@jit
def clear(array):
    """Fill an array of one dimension with zeros."""
    # loops take a part of the time to compile that assignments to slices take
    for k in range(len(array)):
        array[k] = 0


@jit
def add_row(statistics, data, params, row, sign):
    """Add a row to statistics, or take it off them with ``sign=-1``."""
    if params.is_regression:
        parts = data.target_parts[row]
        statistics[N_ROWS] += sign
        statistics[UPPER] += sign * parts["upper"]
        statistics[LOWER] += sign * parts["lower"]
    else:
        statistics[data.label[row]] += sign


@jit
def n_rows_of(statistics, params):
    """Return the number of rows behind statistics."""
    if params.is_regression:
        return int(statistics[N_ROWS])
    n_rows = 0
    for k in range(len(statistics)):
        n_rows += int(statistics[k])
    return n_rows


@jit
def is_final(params, depth, n_rows):
    """Tell whether a node of so many rows may not be split, whatever they are."""
    fewest = max(params.min_samples_split, 2 * params.min_samples_leaf, 2)
    return depth >= params.max_depth or n_rows < fewest


@jit
def is_pure(data, params, rows, is_forgotten, totals):
    """Tell whether all rows that are not forgotten have the same target.

    Parameters
    ----------
    data : TrainingData
    params : TreeParams
    rows : ndarray of int32
    is_forgotten : ndarray of bool, shape (n_rows,) or (0,)
        For each row of the data whether it is; empty if none is.
    totals : ndarray of int
        Statistics of the rows that are not forgotten.
    """
    if not params.is_regression:
        n_classes = 0
        for k in range(len(totals)):
            n_classes += int(totals[k] > 0)
        return n_classes == 1
    first = -1
    for row in rows:
        if len(is_forgotten) and is_forgotten[row]:
            continue
        if first < 0:
            first = row
        if data.target[row] != data.target[first]:
            return False
    return True


@jit
def score(left, totals, n_rows, n_left, params):
    """Return how good a split is: the purer its two sides, the larger.

    For classes, the Gini impurity of the node less that of its sides, for numbers the
    same of the variance, both up to a positive affine map.
    """
    n_right = n_rows - n_left
    if params.is_regression:
        on_left = float(left[UPPER]) + float(left[LOWER]) * LOWER_UNIT
        total = float(totals[UPPER]) + float(totals[LOWER]) * LOWER_UNIT
        gap = on_left - n_left * (total / n_rows)
        return gap * gap * n_rows / (float(n_left) * n_right)
    squares_left, squares_right = 0.0, 0.0
    for k in range(len(left)):
        n_of_class = float(left[k])
        n_others = float(totals[k]) - n_of_class
        squares_left += n_of_class * n_of_class
        squares_right += n_others * n_others
    return squares_left / n_left + squares_right / n_right
