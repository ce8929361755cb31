"""The split of a node: which candidates are drawn, and which of them is the best."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np

from sklearn_unlearn.exact.forest.tree._numba import jit
from sklearn_unlearn.exact.forest.tree._random import first_state, next_word
from sklearn_unlearn.exact.forest.tree._statistics import (
    LOWER,
    N_ROWS,
    UPPER,
    add_row,
    clear,
    is_final,
    is_pure,
    n_rows_of,
    score,
)

__all__ = [
    "CANDIDATE",
    "NO_SPLIT",
    "NodeStatistics",
    "Scratch",
    "Split",
    "best_split",
    "copy_entries",
    "copy_statistics",
    "draw_candidates",
    "find_split",
    "forget_constant_features",
    "make_scratch",
    "statistics_of",
]

NEVER = 1 << 30


# A candidate for the split of a node: rows with values of the feature up to the
# threshold, which lies between the lowest and the highest, are on the left.
CANDIDATE = np.dtype(
    [
        ("feature", np.int32),  # -1 where a node has fewer candidates
        ("lowest", np.float32),
        ("highest", np.float32),
        ("threshold", np.float32),
        ("n_lowest", np.int32),  # how many rows have the lowest value
        ("n_highest", np.int32),
    ]
)


class NodeStatistics(NamedTuple):
    """Statistics of a node and its candidates, in the order in which they were drawn.

    Arrays may have one dimension more, for many nodes. Other tuples have the same three
    fields, and can be passed in its place.

    Parameters
    ----------
    candidates : ndarray of CANDIDATE, shape (max_features,)
    left : ndarray of int, shape (max_features, n_statistics)
        Statistics of the rows on the left side of each candidate.
    totals : ndarray of int, shape (n_statistics,)
        Statistics of all rows.
    """

    candidates: np.ndarray
    left: np.ndarray
    totals: np.ndarray


class Scratch(NamedTuple):
    """Arrays that nodes are worked out in, one after another.

    Parameters
    ----------
    order : ndarray of int64, shape (n_features,)
        A permutation of the features.
    constant_since : ndarray of int64, shape (n_features,)
        The depth from which on a feature is known to be constant on this branch.
    values : ndarray of float32, shape (n_rows,)
    rows : ndarray of int32, shape (n_rows,)
    candidates, left, totals : ndarray
        Those of a node, see `NodeStatistics`.
    none_forgotten : ndarray of bool, shape (0,)
        For `is_pure`.
    """

    order: np.ndarray
    constant_since: np.ndarray
    values: np.ndarray
    rows: np.ndarray
    candidates: np.ndarray
    left: np.ndarray
    totals: np.ndarray
    none_forgotten: np.ndarray


class Split(NamedTuple):
    """The split of a node: rows with ``X[:, feature] <= threshold`` are on the left.

    The feature is -1 where a node is not split.
    """

    feature: int
    threshold: float
    n_left: int


NO_SPLIT = Split(-1, 0.0, 0)


def make_scratch(n_rows, n_features, node):
    """Return a Scratch.

    Parameters
    ----------
    n_rows, n_features : int
        Of the training data.
    node : NodeStatistics
        Arrays for one node.
    """
    return Scratch(
        np.zeros(n_features, np.int64),
        np.zeros(n_features, np.int64),
        np.empty(n_rows, np.float32),
        np.empty(n_rows, np.int32),
        *node,
        np.empty(0, bool),
    )


@jit
def statistics_of(nodes, i):
    """Return views of the statistics of one of many nodes."""
    return NodeStatistics(nodes.candidates[i], nodes.left[i], nodes.totals[i])


@jit
def copy_entries(source, target):
    """Copy an array of one dimension."""
    for k in range(len(source)):
        target[k] = source[k]


@jit
def copy_statistics(source, target):
    """Copy the statistics of one node."""
    copy_entries(source.candidates, target.candidates)
    copy_entries(source.totals, target.totals)
    for c in range(len(source.left)):
        copy_entries(source.left[c], target.left[c])


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
def _draw_threshold(lowest, highest, word):
    """Return the point of [lowest, highest) that a random word stands for."""
    threshold = np.float32(lowest + word / 4294967296.0 * (highest - lowest))
    return threshold if threshold < highest else np.float32(lowest)


@jit
def _count_rows(data, params, rows, values, candidate, left):
    """Count the rows at the two ends of a feature, and those up to the threshold."""
    lowest, highest = float(candidate["lowest"]), float(candidate["highest"])
    threshold = float(candidate["threshold"])
    clear(left)
    n_lowest, n_highest = 0, 0
    if params.is_regression:
        n_left, upper, lower = 0, 0, 0
        for k in range(len(rows)):
            value, parts = float(values[k]), data.target_parts[rows[k]]
            is_left = int(value <= threshold)
            n_left += is_left
            upper += is_left * int(parts["upper"])
            lower += is_left * int(parts["lower"])
            n_lowest += int(value == lowest)
            n_highest += int(value == highest)
        left[N_ROWS], left[UPPER], left[LOWER] = n_left, upper, lower
    else:
        for k in range(len(rows)):
            value = float(values[k])
            left[data.label[rows[k]]] += int(value <= threshold)
            n_lowest += int(value == lowest)
            n_highest += int(value == highest)
    candidate["n_lowest"], candidate["n_highest"] = n_lowest, n_highest


@jit
def forget_constant_features(scratch):
    """Begin with a node that may lie on another branch, or have other rows by now."""
    for f in range(len(scratch.constant_since)):
        scratch.constant_since[f] = NEVER


@jit
def _begin_permutation(order, constant_since, depth):
    """Put the features in order, and forget what other branches found constant."""
    for f in range(len(order)):
        order[f] = f
        if constant_since[f] >= depth:
            constant_since[f] = NEVER


@jit
def draw_candidates(data, params, rows, key, depth, scratch):
    """Fill in the candidates of a node: a function of its key and its rows.

    The key permutes the features, and goes with a number for each. The first
    `max_features` of the permutation that are not constant in the node are
    candidates; the number is the place of the threshold between the lowest and
    the highest value.

    Parameters
    ----------
    data : TrainingData
    params : TreeParams
    rows : ndarray of int32, shape (n_rows,)
        Rows of the node.
    key : tuple of two int
        Key of the node.
    depth : int
        Depth of the node.
    scratch : Scratch
        Its `candidates` and `left` are filled in.
    """
    # arrays are taken out of tuples once, as each time is a count of references
    order, constant_since = scratch.order, scratch.constant_since
    candidates, lefts, values = scratch.candidates, scratch.left, scratch.values
    n_features, n_found = data.X.shape[1], 0
    _begin_permutation(order, constant_since, depth)
    state = first_state(key)
    for i in range(n_features):
        if n_found == params.max_features:
            break
        word, state = next_word(state)
        place, state = next_word(state)
        j = i + ((word * (n_features - i)) >> 32)
        feature = int(order[j])
        order[j] = order[i]
        if constant_since[feature] < depth:
            continue
        lowest, highest = _gather(data, rows, feature, values)
        if lowest == highest:
            constant_since[feature] = depth
            continue
        candidate = candidates[n_found]
        candidate["feature"] = feature
        candidate["lowest"], candidate["highest"] = lowest, highest
        candidate["threshold"] = _draw_threshold(lowest, highest, place)
        _count_rows(data, params, rows, values, candidate, lefts[n_found])
        n_found += 1
    for c in range(n_found, params.max_features):
        candidate = candidates[c]
        candidate["feature"], candidate["threshold"] = -1, 0.0
        candidate["lowest"], candidate["highest"] = 0.0, 0.0
        candidate["n_lowest"], candidate["n_highest"] = 0, 0
        clear(lefts[c])


@jit
def best_split(params, node, n_rows):
    """Return the best candidate of a node, the first drawn of equal ones.

    Parameters
    ----------
    params : TreeParams
    node : NodeStatistics
    n_rows : int
        Rows of the node.

    Returns
    -------
    Split
        With feature -1 if no candidate leaves enough rows on both sides.
    """
    feature, threshold, best_n_left, best_score = -1, 0.0, 0, -1.0
    candidates, lefts, totals = node.candidates, node.left, node.totals
    for c in range(len(candidates)):
        candidate, left = candidates[c], lefts[c]
        if candidate["feature"] < 0:
            break
        n_left = n_rows_of(left, params)
        if min(n_left, n_rows - n_left) >= params.min_samples_leaf:
            score_here = score(left, totals, n_rows, n_left, params)
            if score_here > best_score:
                feature = int(candidate["feature"])
                threshold = float(candidate["threshold"])
                best_n_left, best_score = n_left, score_here
    return Split(feature, threshold, best_n_left)


@jit
def find_split(data, params, rows, key, depth, scratch):
    """Return the split of a node, and fill in its statistics in `scratch`.

    Returns
    -------
    Split
        With feature -1 if the node is a leaf.
    """
    totals = scratch.totals
    clear(totals)
    for k in range(len(rows)):
        add_row(totals, data, params, rows[k], 1)
    if is_final(params, depth, len(rows)):
        return NO_SPLIT
    if is_pure(data, params, rows, scratch.none_forgotten, totals):
        return NO_SPLIT
    draw_candidates(data, params, rows, key, depth, scratch)
    return best_split(params, scratch, len(rows))
