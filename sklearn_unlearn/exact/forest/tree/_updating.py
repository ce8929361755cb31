"""How the split of a node changes as rows are forgotten."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np

from sklearn_unlearn.exact.forest.tree._numba import jit
from sklearn_unlearn.exact.forest.tree._splits import (
    NO_SPLIT,
    best_split,
    copy_entries,
    copy_statistics,
    draw_candidates,
    find_split,
    forget_constant_features,
    statistics_of,
)
from sklearn_unlearn.exact.forest.tree._statistics import (
    add_row,
    is_final,
    is_pure,
    n_rows_of,
)
from sklearn_unlearn.exact.forest.tree._structure import N_LARGE, Position

__all__ = ["Subtree", "TreeRequest", "copy_retained", "split_without"]

# A subtree of as few rows is grown again when one of them goes.
N_GROWN_AGAIN = 32


class Subtree(NamedTuple):
    """A subtree in which rows are to be forgotten.

    Parameters
    ----------
    start, stop : Position
        Its slices of the tree.
    first_forgotten, last_forgotten : int
        Its slice of the rows to forget.
    depth : int
    key : tuple of two int
        Those of its root.
    """

    start: Position
    stop: Position
    first_forgotten: int
    last_forgotten: int
    depth: int
    key: tuple


class TreeRequest(NamedTuple):
    """Rows to forget.

    Parameters
    ----------
    is_forgotten : ndarray of bool, shape (n_rows,)
    rows : ndarray of int32, shape (n_forget,)
        Which these are. They are reordered as they go down the tree.
    """

    is_forgotten: np.ndarray
    rows: np.ndarray


@jit
def copy_retained(rows, is_forgotten, retained):
    """Copy the rows that are not forgotten, and count them."""
    n_retained = 0
    for row in rows:
        if not is_forgotten[row]:
            retained[n_retained] = row
            n_retained += 1
    return n_retained


@jit
def _take_off(data, params, statistics, forgotten):
    """Take rows off the statistics of a node.

    Returns
    -------
    bool
        Whether the lowest or highest value of a candidate has gone with them.
    """
    has_new_range = False
    for row in forgotten:
        add_row(statistics.totals, data, params, row, -1)
    candidates, lefts = statistics.candidates, statistics.left
    for c in range(len(candidates)):
        candidate, left = candidates[c], lefts[c]
        feature = int(candidate["feature"])
        if feature < 0:
            break
        for row in forgotten:
            value = data.X[row, feature]
            if value <= candidate["threshold"]:
                add_row(left, data, params, row, -1)
            candidate["n_lowest"] -= int(value == candidate["lowest"])
            candidate["n_highest"] -= int(value == candidate["highest"])
        if min(candidate["n_lowest"], candidate["n_highest"]) == 0:
            has_new_range = True
    return has_new_range


@jit
def _draw_again(data, params, rows, is_forgotten, subtree, statistics, scratch):
    """Draw the candidates of a node anew, from the rows that are not forgotten."""
    n_retained = copy_retained(rows, is_forgotten, scratch.rows)
    forget_constant_features(scratch)
    retained, totals = scratch.rows[:n_retained], scratch.totals
    draw_candidates(data, params, retained, subtree.key, subtree.depth, scratch)
    copy_entries(statistics.totals, totals)
    copy_statistics(scratch, statistics)


@jit
def _split_of_large(data, params, subtree, rows, request, old, statistics, scratch):
    """Return what `split_without` does for a large node, by its statistics."""
    forgotten = request.rows[subtree.first_forgotten : subtree.last_forgotten]
    has_new_range = _take_off(data, params, statistics, forgotten)
    n_rows = len(rows) - len(forgotten)
    if n_rows <= N_LARGE or is_final(params, subtree.depth, n_rows):
        return NO_SPLIT
    if is_pure(data, params, rows, request.is_forgotten, statistics.totals):
        return NO_SPLIT
    c = 0
    while statistics.candidates[c]["feature"] != old.feature:
        c += 1
    n_left = n_rows_of(statistics.left[c], params)
    if has_new_range:
        _draw_again(
            data, params, rows, request.is_forgotten, subtree, statistics, scratch
        )
    split = best_split(params, statistics, n_rows)
    # Of two thresholds of a feature, one has on its left all that the other has: so
    # if it is as many rows, it is the same ones.
    is_same = split.feature == old.feature and split.n_left == n_left
    return split if is_same else NO_SPLIT


@jit
def _split_of_small(data, params, subtree, rows, request, old, scratch):
    """Return what `split_without` does for a node without statistics, by its rows."""
    n_retained = copy_retained(rows, request.is_forgotten, scratch.rows)
    retained, n_left = scratch.rows[:n_retained], 0
    forget_constant_features(scratch)
    split = find_split(data, params, retained, subtree.key, subtree.depth, scratch)
    if split.feature != old.feature:
        return NO_SPLIT
    for row in retained:
        n_left += int(data.X[row, old.feature] <= old.threshold)
    return split if split.n_left == n_left else NO_SPLIT


@jit
def split_without(data, params, subtree, old, state, request, statistics, scratch):
    """Return the split of the root of a subtree without the rows to forget.

    Parameters
    ----------
    data : TrainingData
    params : TreeParams
    subtree : Subtree
    old : Split
        The split until now, without `n_left`.
    state : TreeState
    request : TreeRequest
    statistics : NodeStatistics
        Filled in with those of a large node without the rows to forget.
    scratch : Scratch

    Returns
    -------
    Split
        With feature -1 if it does not part the retained rows as before, so that the
        subtree is to be grown again. So are small subtrees.
    """
    start, stop = subtree.start, subtree.stop
    rows = state.rows[start.row : stop.row]
    if old.feature < 0 or len(rows) <= N_GROWN_AGAIN:
        return NO_SPLIT
    if start.large == stop.large:
        return _split_of_small(data, params, subtree, rows, request, old, scratch)
    copy_statistics(statistics_of(state, start.large), statistics)
    return _split_of_large(
        data, params, subtree, rows, request, old, statistics, scratch
    )
