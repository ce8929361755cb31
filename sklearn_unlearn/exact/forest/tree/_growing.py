"""One extremely randomised tree: how it grows and predicts.

A tree is a function of its key and of its rows, without a history. Its nodes are
kept in preorder; of each it is known how many split nodes are to its left, so that
a subtree is a slice, and another one can take its place. Leaves and rows lie in the
same order.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np

from sklearn_unlearn.exact.forest.tree._numba import jit
from sklearn_unlearn.exact.forest.tree._splits import (
    FEATURE,
    N_FIXED,
    THRESHOLD,
    Scratch,
    find_split,
    reset_order,
    threefry,
)

__all__ = [
    "N_GROWN_AGAIN",
    "N_REMEMBERED",
    "Memory",
    "Room",
    "Tree",
    "add_means",
    "add_shares",
    "grow",
    "make_room",
    "make_scratch",
    "plant",
]

# Nodes with more rows keep the statistics of their candidates, which would take more
# time to copy than to count in smaller ones.
N_REMEMBERED = 128
# A subtree of as few rows is grown again when one of them goes.
N_GROWN_AGAIN = 32


class Tree(NamedTuple):
    """What predicts: `feature`, `threshold` and `n_left` of each split node.

    `n_left` counts the split nodes in the left subtree. `value` has a line for each
    leaf: the number of rows of each class, or the mean of their targets.
    """

    feature: np.ndarray
    threshold: np.ndarray
    n_left: np.ndarray
    value: np.ndarray


class Memory(NamedTuple):
    """What only forgetting needs: `rows` in the order of the leaves, and large nodes.

    Large split nodes, in preorder, have `n_left` (large nodes in the left subtree),
    `ranges` and `counts`; see `Scratch`.
    """

    rows: np.ndarray
    n_left: np.ndarray
    ranges: np.ndarray
    counts: np.ndarray


class Room(NamedTuple):
    """Where subtrees are written, one after another, and what is left to be done.

    `n_used` has the numbers of nodes, leaves, rows and large nodes written so far.
    """

    tree: Tree
    memory: Memory
    n_used: np.ndarray
    stack: np.ndarray


def make_room(n_rows, n_large, n_classes, max_features):
    """Return a Room.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    n_large : int
        Number of large nodes, and of nodes that wait, for which there is room.
    n_classes : int or None
        None for a regression.
    max_features : int
        Number of candidates of a node.
    """
    is_class = n_classes is not None
    shape = max_features + 1, N_FIXED + (n_classes or 3)
    tree = Tree(
        np.empty(n_rows, np.int32),
        np.empty(n_rows, np.float32),
        np.empty(n_rows, np.int32),
        np.empty((n_rows, n_classes or 1), np.int32 if is_class else np.float64),
    )
    memory = Memory(
        np.empty(n_rows, np.int32),
        np.empty(n_large, np.int32),
        np.empty((n_large, max_features, 3), np.float32),
        np.empty((n_large, *shape), np.int32 if is_class else np.int64),
    )
    return Room(tree, memory, np.zeros(4, np.int64), np.empty((n_large, 7), np.int64))


def make_scratch(n_features, room):
    """Return scratch for the nodes of a Room."""
    return Scratch(
        np.zeros(n_features, np.int64),
        np.zeros(n_features, np.int64),
        np.empty(len(room.memory.rows), np.float32),
        np.empty(len(room.memory.rows), np.int32),
        np.empty(room.memory.ranges.shape[1:], room.memory.ranges.dtype),
        np.empty(room.memory.counts.shape[1:], room.memory.counts.dtype),
        np.empty(0, bool),
    )


# ------------------------------------------------------------------------- growing


@jit
def _push(entry, start, stop, depth, key, parent, large):
    """Write a node on the stack."""
    entry[0], entry[1], entry[2] = start, stop, depth
    entry[3], entry[4], entry[5], entry[6] = key[0], key[1], parent, large


@jit
def _remember(large, memory, scratch):
    """Write the statistics of a large node."""
    n_candidates, n_columns = scratch.counts.shape
    for c in range(n_candidates):
        for k in range(n_columns):
            memory.counts[large, c, k] = scratch.counts[c, k]
    for c in range(n_candidates - 1):
        for k in range(3):
            memory.ranges[large, c, k] = scratch.ranges[c, k]


@jit
def _set_leaf(value, data, limits, rows, totals):
    """Fill in what a leaf predicts."""
    if limits.is_regression:
        total = 0.0
        for k in range(len(rows)):
            total += float(data.target[rows[k]])
        value[0] = total / len(rows)
    else:
        for c in range(len(value)):
            value[c] = totals[c]


@jit
def _divide(data, rows, feature, threshold, aside):
    """Put the rows of the left side first, both sides in order; count the left."""
    n_left, n_right = 0, 0
    for k in range(len(rows)):
        row = rows[k]
        if data.X[row, feature] <= threshold:
            rows[n_left] = row
            n_left += 1
        else:
            aside[n_right] = row
            n_right += 1
    for k in range(n_right):
        rows[n_left + k] = aside[k]
    return n_left


@jit
def grow(data, limits, end, key, depth, room, scratch):
    """Write the subtree of a node into a Room.

    Parameters
    ----------
    data : Data
    limits : Limits
    end : int
        The rows of the node, ascending, are the unused ones in ``room.memory.rows``
        up to this one. They are put into the order of the leaves.
    key : tuple of two int
        Key of the node.
    depth : int
        Depth of the node.
    room : Room
    scratch : Scratch

    Returns
    -------
    bool
        Whether there was enough room.
    """
    tree, memory, stack, n_used = room.tree, room.memory, room.stack, room.n_used
    n_nodes, n_leaves, n_large = int(n_used[0]), int(n_used[1]), int(n_used[3])
    # the last two: the node and the large node that it is to the right of
    reset_order(scratch.order, scratch.constant_since, 0)
    _push(stack[0], n_used[2], end, depth, key, -1, -1)
    n_stack = 1
    while n_stack:
        n_stack -= 1
        entry = stack[n_stack]
        start, stop, depth = int(entry[0]), int(entry[1]), int(entry[2])
        key, parent, large = (int(entry[3]), int(entry[4])), entry[5], entry[6]
        if parent >= 0:
            tree.n_left[parent] = n_nodes - parent - 1
        if large >= 0:
            memory.n_left[large] = n_large - large - 1
        here = memory.rows[start:stop]
        best = find_split(data, limits, here, key, depth, scratch)
        if best < 0:
            totals = scratch.counts[-1, N_FIXED:]
            _set_leaf(tree.value[n_leaves], data, limits, here, totals)
            n_leaves += 1
            continue
        if max(n_stack + 2, n_large + 1) > len(stack):
            return False
        split, cut = int(scratch.counts[best, FEATURE]), scratch.ranges[best, THRESHOLD]
        tree.feature[n_nodes], tree.threshold[n_nodes], large = split, cut, -1
        if stop - start > N_REMEMBERED:
            _remember(n_large, memory, scratch)
            large, n_large = n_large, n_large + 1
        middle = start + _divide(data, here, split, cut, scratch.aside)
        right, left = threefry(key, 1, 1), threefry(key, 0, 1)
        _push(stack[n_stack], middle, stop, depth + 1, right, n_nodes, large)
        _push(stack[n_stack + 1], start, middle, depth + 1, left, -1, -1)
        n_stack, n_nodes = n_stack + 2, n_nodes + 1
    n_used[0], n_used[1], n_used[2], n_used[3] = n_nodes, n_leaves, end, n_large
    return True


def plant(data, limits, keys, n_classes):
    """Return trees of all rows, and their memories.

    Parameters
    ----------
    data : Data
    limits : Limits
    keys : list of tuples of two int
        Key of each tree.
    n_classes : int or None
        None for a regression.

    Returns
    -------
    list of (Tree, Memory)
    """
    n_rows, n_features = data.X.shape
    n_large, room, planted = 64 + 4 * n_rows // N_REMEMBERED, None, []
    for key in keys:
        while True:
            if room is None:
                room = make_room(n_rows, n_large, n_classes, limits.max_features)
                scratch = make_scratch(n_features, room)
            room.memory.rows[:] = np.arange(n_rows)
            room.n_used[:] = 0
            if grow(data, limits, n_rows, key, 0, room, scratch):
                break
            n_large, room = 2 * n_large, None
        planted.append(_written(room))
    return planted


def _written(room):
    """Return copies of the tree and the memory in a Room."""
    nodes, leaves, rows, large = map(slice, room.n_used)
    *columns, value = room.tree
    row, *columns_large = room.memory
    return (
        Tree(*(column[nodes].copy() for column in columns), value[leaves].copy()),
        Memory(row[rows].copy(), *(column[large].copy() for column in columns_large)),
    )


# ---------------------------------------------------------------------- predicting


@jit
def _leaf_of(tree, row):
    """Return the number of the leaf that a row falls into."""
    node, leaf, n_nodes = 0, 0, len(tree.feature)
    while n_nodes:  # in the subtree that the row is in
        n_left = int(tree.n_left[node])
        if row[tree.feature[node]] <= tree.threshold[node]:
            node, n_nodes = node + 1, n_left
        else:
            node, leaf = node + n_left + 1, leaf + n_left + 1
            n_nodes -= n_left + 1
    return leaf


@jit
def add_shares(tree, X, out):
    """Add the shares of the classes in the leaf of each row to `out`."""
    for i in range(len(X)):
        value = tree.value[_leaf_of(tree, X[i])]
        n_rows = float(value.sum())
        for c in range(len(value)):
            out[i, c] += value[c] / n_rows


@jit
def add_means(tree, X, out):
    """Add the mean in the leaf of each row to `out`."""
    for i in range(len(X)):
        out[i, 0] += tree.value[_leaf_of(tree, X[i]), 0]
