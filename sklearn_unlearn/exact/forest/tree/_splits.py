"""Random numbers, candidates and scores of the splits of one tree.

The functions are written once. numba compiles them where it is installed, and
they run as they are where it is not: so what is read from an array and then
computed with goes through ``int``, ``float`` or ``np.float64`` (numba's ``float``
leaves single precision as it is), and both give the same bytes.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np

from sklearn_unlearn.exact.forest.tree._numba import jit

__all__ = [
    "FEATURE",
    "HIGHEST",
    "LOWEST",
    "N_FIXED",
    "N_HIGHEST",
    "N_LOWEST",
    "THRESHOLD",
    "Data",
    "Limits",
    "Scratch",
    "add_row",
    "best_candidate",
    "draw_candidates",
    "find_split",
    "is_final",
    "is_pure",
    "n_rows_of",
    "reset_order",
    "threefry",
]

MASK = 0xFFFFFFFF
# columns of the integers of a candidate that come before its statistics
FEATURE, N_LOWEST, N_HIGHEST, N_FIXED = 0, 1, 2, 3
LOWEST, HIGHEST, THRESHOLD = 0, 1, 2
LIMB = 2.0**-36


class Data(NamedTuple):
    """Rows as the trees see them.

    `X` (float32) has shape (n_rows, n_features). For classes, `code` (int32) is
    the number of the class of each row. For numbers, `target` (float64) is the
    number, and `limbs` (int64, two columns) are its leading and trailing bits:
    sums of integers do not depend on an order, nor on what was in them before.
    """

    X: np.ndarray
    code: np.ndarray
    target: np.ndarray
    limbs: np.ndarray


class Scratch(NamedTuple):
    """Arrays that nodes are worked out in, one after another.

    `order` and `constant_since` (int64) have an entry per feature: a permutation,
    and the depth from which on a feature is known to be constant on this branch.
    `values` (float32) and `aside` (int32) have one per row.

    A line of `ranges` (float32) has the lowest value, the highest and the
    threshold of a candidate. One of `counts` has its feature, or -1; the number of
    rows with the lowest value and with the highest; and the statistics of the
    rows up to the threshold. The last line has those of all rows of the node.
    `none` is empty.
    """

    order: np.ndarray
    constant_since: np.ndarray
    values: np.ndarray
    aside: np.ndarray
    ranges: np.ndarray
    counts: np.ndarray
    none: np.ndarray


class Limits(NamedTuple):
    """When to stop, and of how many features to draw a threshold."""

    max_depth: int
    min_samples_split: int
    min_samples_leaf: int
    max_features: int
    is_regression: bool


# ------------------------------------------------------------------ random numbers


@jit
def _four_rounds(a, b, r0, r1, r2, r3):
    a = (a + b) & MASK
    b = ((b << r0) | (b >> (32 - r0))) & MASK ^ a
    a = (a + b) & MASK
    b = ((b << r1) | (b >> (32 - r1))) & MASK ^ a
    a = (a + b) & MASK
    b = ((b << r2) | (b >> (32 - r2))) & MASK ^ a
    a = (a + b) & MASK
    b = ((b << r3) | (b >> (32 - r3))) & MASK ^ a
    return a, b


@jit
def threefry(key, a, b):
    """Return two words of 32 random bits: Threefry-2x32 with 20 rounds.

    A function of its arguments alone: a key of two words, and two more words.
    """
    key0, key1 = key
    key2 = key0 ^ key1 ^ 0x1BD11BDA
    a, b = (a + key0) & MASK, (b + key1) & MASK
    a, b = _four_rounds(a, b, 13, 15, 26, 6)
    a, b = (a + key1) & MASK, (b + key2 + 1) & MASK
    a, b = _four_rounds(a, b, 17, 29, 16, 24)
    a, b = (a + key2) & MASK, (b + key0 + 2) & MASK
    a, b = _four_rounds(a, b, 13, 15, 26, 6)
    a, b = (a + key0) & MASK, (b + key1 + 3) & MASK
    a, b = _four_rounds(a, b, 17, 29, 16, 24)
    a, b = (a + key1) & MASK, (b + key2 + 4) & MASK
    a, b = _four_rounds(a, b, 13, 15, 26, 6)
    return (a + key2) & MASK, (b + key0 + 5) & MASK


@jit
def _next_word(a, b, c, count):
    """Return a word of 32 random bits and the next state: SFC32."""
    word = (a + b + count) & MASK
    a, b = b ^ (b >> 9), (c + (c << 3)) & MASK
    c = ((((c << 21) | (c >> 11)) & MASK) + word) & MASK
    return word, a, b, c, (count + 1) & MASK


@jit
def _threshold(lowest, highest, word):
    """Return the point of [lowest, highest) that a random word stands for."""
    cut = np.float32(lowest + word / 4294967296.0 * (highest - lowest))
    return cut if cut < highest else np.float32(lowest)


# ---------------------------------------------------------------------- statistics


@jit
def _clear(array):
    # loops take a part of the time to compile that assignments to slices take
    for k in range(len(array)):
        array[k] = 0


@jit
def add_row(statistics, data, limits, row, sign):
    """Add a row to statistics, or take it off them with ``sign=-1``.

    They are the number of rows of each class; or the number of rows and the sums
    of the two parts of their targets.
    """
    if limits.is_regression:
        statistics[0] += sign
        statistics[1] += sign * data.limbs[row, 0]
        statistics[2] += sign * data.limbs[row, 1]
    else:
        statistics[data.code[row]] += sign


@jit
def n_rows_of(statistics, limits):
    """Return the number of rows behind statistics."""
    if limits.is_regression:
        return int(statistics[0])
    n_rows = 0
    for k in range(len(statistics)):
        n_rows += int(statistics[k])
    return n_rows


@jit
def is_pure(data, limits, rows, gone, totals):
    """Tell whether all rows that are not gone have the same target.

    `gone` has an entry for each row of the data, or none at all if none is gone.
    """
    if not limits.is_regression:
        n_classes = 0
        for k in range(len(totals)):
            n_classes += int(totals[k] > 0)
        return n_classes == 1
    first = -1
    for row in rows:
        if len(gone) and gone[row]:
            continue
        if first < 0:
            first = row
        if data.target[row] != data.target[first]:
            return False
    return True


@jit
def _score(left, totals, n_rows, n_left, limits):
    """Return what a split is chosen by: the larger, the purer its two sides.

    For classes, the Gini impurity of the node less that of its sides, for
    numbers the same of the variance, both up to a positive affine map.
    """
    n_right = n_rows - n_left
    if limits.is_regression:
        above = float(left[1]) + float(left[2]) * LIMB
        whole = float(totals[1]) + float(totals[2]) * LIMB
        gap = above - n_left * (whole / n_rows)
        return gap * gap * n_rows / (float(n_left) * n_right)
    squares_left, squares_right = 0.0, 0.0
    for k in range(len(left)):
        on_left = float(left[k])
        on_right = float(totals[k]) - on_left
        squares_left += on_left * on_left
        squares_right += on_right * on_right
    return squares_left / n_left + squares_right / n_right


@jit
def best_candidate(limits, counts, n_rows):
    """Return the best candidate, the first drawn of equal ones; -1 if none may be."""
    totals = counts[-1, N_FIXED:]
    best, highest = -1, -1.0
    for c in range(counts.shape[0] - 1):
        if counts[c, FEATURE] < 0:
            break
        left = counts[c, N_FIXED:]
        n_left = n_rows_of(left, limits)
        if min(n_left, n_rows - n_left) >= limits.min_samples_leaf:
            score = _score(left, totals, n_rows, n_left, limits)
            if score > highest:
                best, highest = c, score
    return best


# ---------------------------------------------------------------------- candidates


@jit
def reset_order(order, constant_since, depth):
    """Begin a permutation, and forget what other branches found constant."""
    for f in range(len(order)):
        order[f] = f
        if constant_since[f] >= depth:
            constant_since[f] = 1 << 30


@jit
def _gather(data, rows, feature, values):
    """Copy a feature of rows; return its lowest and highest value."""
    lowest = highest = np.float64(data.X[rows[0], feature])
    for k in range(len(rows)):
        value = np.float64(data.X[rows[k], feature])
        values[k] = value
        lowest, highest = min(lowest, value), max(highest, value)
    return lowest, highest


@jit
def _count(data, limits, rows, values, span, counted):
    """Count the rows at the two ends of a feature, and those up to its threshold."""
    lowest, highest, cut = float(span[0]), float(span[1]), float(span[2])
    _clear(counted)
    n_lowest, n_highest = 0, 0
    if limits.is_regression:
        n_left, upper, lower = 0, 0, 0
        for k in range(len(rows)):
            value, row = float(values[k]), rows[k]
            is_left = int(value <= cut)
            n_left += is_left
            upper += is_left * int(data.limbs[row, 0])
            lower += is_left * int(data.limbs[row, 1])
            n_lowest += int(value == lowest)
            n_highest += int(value == highest)
        counted[N_FIXED], counted[N_FIXED + 1] = n_left, upper
        counted[N_FIXED + 2] = lower
    else:
        for k in range(len(rows)):
            value = float(values[k])
            counted[N_FIXED + data.code[rows[k]]] += int(value <= cut)
            n_lowest += int(value == lowest)
            n_highest += int(value == highest)
    counted[N_LOWEST], counted[N_HIGHEST] = n_lowest, n_highest


@jit
def draw_candidates(data, limits, rows, key, depth, scratch):
    """Fill in the candidates of a node: a function of its key and its rows.

    The key permutes the features, and goes with a number for each. The first
    `max_features` of the permutation that are not constant in the node are
    candidates; the number is the place of the threshold between the lowest and
    the highest value.

    Parameters
    ----------
    data : Data
    limits : Limits
    rows : ndarray of int32, shape (n_rows,)
        Rows of the node.
    key : tuple of two int
        Key of the node.
    depth : int
        Depth of the node.
    scratch : Scratch
        Its `ranges` and `counts` are filled in, but for the totals.
    """
    order, constant_since = scratch.order, scratch.constant_since
    n_features, n_found = data.X.shape[1], 0
    reset_order(order, constant_since, depth)
    a, b = threefry(key, 0, 0)
    c, count = threefry(key, 1, 0)
    for i in range(n_features):
        if n_found == limits.max_features:
            break
        which, a, b, c, count = _next_word(a, b, c, count)
        where, a, b, c, count = _next_word(a, b, c, count)
        j = i + ((which * (n_features - i)) >> 32)
        feature = int(order[j])
        order[j] = order[i]
        if constant_since[feature] < depth:
            continue
        lowest, highest = _gather(data, rows, feature, scratch.values)
        if lowest == highest:
            constant_since[feature] = depth
            continue
        span, counted = scratch.ranges[n_found], scratch.counts[n_found]
        span[LOWEST], span[HIGHEST] = lowest, highest
        span[THRESHOLD] = _threshold(lowest, highest, where)
        _count(data, limits, rows, scratch.values, span, counted)
        counted[FEATURE] = feature
        n_found += 1
    for c in range(n_found, limits.max_features):
        _clear(scratch.ranges[c])
        _clear(scratch.counts[c])
        scratch.counts[c, FEATURE] = -1


@jit
def is_final(limits, depth, n_rows):
    """Tell whether a node of so many rows may not be split."""
    fewest = max(limits.min_samples_split, 2 * limits.min_samples_leaf, 2)
    return depth >= limits.max_depth or n_rows < fewest


@jit
def find_split(data, limits, rows, key, depth, scratch):
    """Fill `scratch` in with the candidates and totals of a node.

    Returns
    -------
    int
        The best candidate; -1 for a leaf.
    """
    totals = scratch.counts[-1, N_FIXED:]
    _clear(scratch.counts[-1])
    for k in range(len(rows)):
        add_row(totals, data, limits, rows[k], 1)
    if is_final(limits, depth, len(rows)):
        return -1
    if is_pure(data, limits, rows, scratch.none, totals):
        return -1
    draw_candidates(data, limits, rows, key, depth, scratch)
    return best_candidate(limits, scratch.counts, len(rows))
