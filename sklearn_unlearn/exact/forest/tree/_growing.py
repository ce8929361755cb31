"""How a tree grows: a function of its key and of its rows, without a history."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np

from sklearn_unlearn.exact.forest.tree._numba import jit, jit_and_save
from sklearn_unlearn.exact.forest.tree._random import child_key
from sklearn_unlearn.exact.forest.tree._splits import (
    copy_statistics,
    find_split,
    forget_constant_features,
    make_scratch,
    statistics_of,
)
from sklearn_unlearn.exact.forest.tree._structure import (
    N_LARGE,
    Position,
    Tree,
    TreeState,
    empty_statistics,
    empty_tree,
)

__all__ = ["first_room_for_large", "grow", "grow_trees", "make_buffers"]


class WaitingNode(NamedTuple):
    """A node that is not written yet.

    Parameters
    ----------
    start, stop : int
        Its rows, as a slice of those of the tree.
    depth : int
    key : tuple of two int
    parent, large_parent : int
        For a right child, the numbers of its parent among all split nodes and among the
        large ones; otherwise -1.
    """

    start: int
    stop: int
    depth: int
    key: tuple
    parent: int
    large_parent: int


def first_room_for_large(n_rows):
    """Return a number of large nodes that is enough for most trees."""
    return 64 + 4 * n_rows // N_LARGE


def make_buffers(data, params, n_large, n_classes):
    """Return room for a tree, and scratch.

    Parameters
    ----------
    data : TrainingData
    params : TreeParams
    n_large : int
        Number of large nodes for which there is to be room; there is enough for nodes,
        leaves and rows.
    n_classes : int or None
        None for a regression.

    Returns
    -------
    room : tuple of Tree, TreeState
    scratch : Scratch
    """
    n_rows, n_features = data.X.shape
    size = Position(n_rows, n_rows, n_rows, n_large)
    room = empty_tree(size, n_classes, params.max_features)
    node = empty_statistics((), n_classes, params.max_features)
    return room, make_scratch(n_rows, n_features, node)


@jit
def _set_leaf(value, data, params, rows, totals):
    """Fill in what a leaf predicts."""
    if params.is_regression:
        total = 0.0
        for k in range(len(rows)):
            total += float(data.target[rows[k]])
        value[0] = total / len(rows)
    else:
        for c in range(len(value)):
            value[c] = totals[c]


@jit
def _partition(data, rows, split, right):
    """Put the rows of the left side first, both sides in order; count the left.

    Rows of the right side lie in the array `right` meanwhile.
    """
    feature, threshold = split.feature, np.float32(split.threshold)
    n_left, n_right = 0, 0
    for k in range(len(rows)):
        row = rows[k]
        if data.X[row, feature] <= threshold:
            rows[n_left] = row
            n_left += 1
        else:
            right[n_right] = row
            n_right += 1
    for k in range(n_right):
        rows[n_left + k] = right[k]
    return n_left


@jit_and_save
def grow(data, params, n_rows, key, depth, start, room, scratch):
    """Write the subtree of a node into a tree with room for it.

    Parameters
    ----------
    data : TrainingData
    params : TreeParams
    n_rows : int
        The rows of the node, ascending, are the next ones in the state. They are put
        into the order of the leaves.
    key : tuple of two int
        Key of the node.
    depth : int
        Depth of the node.
    start : Position
        Where to write.
    room : tuple of Tree, TreeState
    scratch : Scratch

    Returns
    -------
    is_complete : bool
        False if there was not enough room for large nodes.
    stop : Position
        Where what was written ends.
    """
    (tree, state), node, leaf, large = room, start.node, start.leaf, start.large
    forget_constant_features(scratch)
    waiting = [WaitingNode(start.row, start.row + n_rows, depth, key, -1, -1)]
    while len(waiting):
        here = waiting.pop()
        if here.parent >= 0:
            tree.n_left[here.parent] = node - here.parent - 1
        if here.large_parent >= 0:
            state.n_large_left[here.large_parent] = large - here.large_parent - 1
        rows = state.rows[here.start : here.stop]
        split = find_split(data, params, rows, here.key, here.depth, scratch)
        if split.feature < 0:
            _set_leaf(tree.value[leaf], data, params, rows, scratch.totals)
            leaf += 1
            continue
        tree.feature[node], tree.threshold[node] = split.feature, split.threshold
        large_parent = -1
        if len(rows) > N_LARGE:
            if large == len(state.n_large_left):
                return False, start
            copy_statistics(scratch, statistics_of(state, large))
            large_parent, large = large, large + 1
        middle = here.start + _partition(data, rows, split, scratch.rows)
        left, right = child_key(here.key, 0), child_key(here.key, 1)
        depth = here.depth + 1
        waiting.append(WaitingNode(middle, here.stop, depth, right, node, large_parent))
        waiting.append(WaitingNode(here.start, middle, depth, left, -1, -1))
        node += 1
    return True, Position(node, leaf, start.row + n_rows, large)


def grow_trees(data, params, keys, n_classes):
    """Return trees of all rows, and their states.

    Parameters
    ----------
    data : TrainingData
    params : TreeParams
    keys : list of tuples of two int
        Key of each tree.
    n_classes : int or None
        None for a regression.

    Returns
    -------
    list of (Tree, TreeState)
    """
    n_rows, start, grown = len(data.X), Position(0, 0, 0, 0), []
    n_large, buffers = first_room_for_large(n_rows), None
    for key in keys:
        is_complete = False
        while not is_complete:
            if buffers is None:
                buffers = make_buffers(data, params, n_large, n_classes)
            room, scratch = buffers
            room[1].rows[:] = np.arange(n_rows)
            is_complete, stop = grow(data, params, n_rows, key, 0, start, room, scratch)
            if not is_complete:
                n_large, buffers = 2 * n_large, None
        grown.append(_copy_until(*room, stop))
    return grown


def _copy_until(tree, state, stop):
    """Return copies of the first parts of a tree and its state."""
    (*nodes, leaves), (rows, *large_nodes) = tree, state
    nodes = [array[: stop.node].copy() for array in nodes]
    large_nodes = [array[: stop.large].copy() for array in large_nodes]
    return (
        Tree(*nodes, leaves[: stop.leaf].copy()),
        TreeState(rows[: stop.row].copy(), *large_nodes),
    )
