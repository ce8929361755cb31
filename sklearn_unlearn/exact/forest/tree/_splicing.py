"""How subtrees take the places of others."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np

from sklearn_unlearn.exact.forest.tree._numba import jit, jit_and_save
from sklearn_unlearn.exact.forest.tree._splits import (
    NodeStatistics,
    copy_statistics,
    statistics_of,
)
from sklearn_unlearn.exact.forest.tree._structure import Position, empty_statistics

__all__ = ["Changes", "make_changes", "set_position", "splice"]


POSITION = np.dtype([(name, np.int64) for name in Position._fields])
# A subtree that is replaced.
EDIT = np.dtype(
    [
        # the subtree, as slices of the tree until now
        ("start", POSITION),
        ("stop", POSITION),
        # where its replacement ends; replacements are written one after another
        ("new_stop", POSITION),
        # by how much the edits before this one make the tree larger
        ("growth", POSITION),
    ]
)
# A split that stands, though there are edits below it.
STANDING_SPLIT = np.dtype(
    [
        ("node", np.int64),  # its number among the nodes
        ("leaf", np.int64),  # that of its first leaf
        ("large", np.int64),  # its number among the large nodes
        ("threshold", np.float32),  # its threshold from now on
        ("line", np.int64),  # where its new statistics are; -1 for small nodes
    ]
)


class Changes(NamedTuple):
    """Changes to a tree by a request.

    Parameters
    ----------
    edits : ndarray of EDIT, shape (n_forget + 1,)
        From left to right. The one after the last has a `growth`.
    standing : ndarray of STANDING_SPLIT, shape (n_rows,)
        In preorder.
    statistics : NodeStatistics
        Those of large nodes that stand, from now on.
    """

    edits: np.ndarray
    standing: np.ndarray
    statistics: NodeStatistics


def make_changes(n_rows, n_forget, n_large, n_classes, max_features):
    """Return a Changes to be filled in.

    Parameters
    ----------
    n_rows, n_forget : int
        All rows until now, and rows of the request.
    n_large : int
        Number of large nodes above the edits for which there is room.
    n_classes : int or None
        None for a regression.
    max_features : int
        Number of candidates of a node.
    """
    return Changes(
        np.zeros(n_forget + 1, EDIT),
        np.empty(n_rows, STANDING_SPLIT),
        empty_statistics((n_large,), n_classes, max_features),
    )


@jit
def set_position(record, position):
    """Write a Position into a record."""
    record["node"], record["leaf"] = position.node, position.leaf
    record["row"], record["large"] = position.row, position.large


@jit
def _copy_slice(source, start, target, at, n):
    """Copy `n` entries."""
    # of slices: a loop that begins at 0 needs no look at negative indices
    target, source = target[at : at + n], source[start : start + n]
    for k in range(n):
        target[k] = source[k]


@jit
def _replace_slices(old, replacements, new, slices):
    """Fill `new` with `old`, in which slices are replaced.

    Parameters
    ----------
    old, new : ndarray
    replacements : ndarray
        What takes the places of the slices, one after another.
    slices : tuple of three ndarrays of shape (n_slices,)
        Where the slices start and stop, and where their replacements stop.
    """
    width = new.size // max(1, len(new))
    source, grown, target = old.ravel(), replacements.ravel(), new.ravel()
    starts, stops, new_stops = slices
    read, write, start = 0, 0, 0
    for e in range(len(starts)):
        n_same, n_new = starts[e] - read, new_stops[e] - start
        _copy_slice(source, read * width, target, write * width, n_same * width)
        write, read = write + n_same, stops[e]
        _copy_slice(grown, start * width, target, write * width, n_new * width)
        write, start = write + n_new, new_stops[e]
    n_same = len(old) - read
    _copy_slice(source, read * width, target, write * width, n_same * width)


@jit
def _splice_nodes(old, grown, new, edits):
    """Fill in the split nodes and leaves of a tree."""
    slices = edits["start"]["node"], edits["stop"]["node"], edits["new_stop"]["node"]
    _replace_slices(old.feature, grown.feature, new.feature, slices)
    _replace_slices(old.threshold, grown.threshold, new.threshold, slices)
    _replace_slices(old.n_left, grown.n_left, new.n_left, slices)
    slices = edits["start"]["leaf"], edits["stop"]["leaf"], edits["new_stop"]["leaf"]
    _replace_slices(old.value, grown.value, new.value, slices)


@jit
def _splice_state(old, grown, new, edits):
    """Fill in the rows and large nodes of the state of a tree."""
    slices = edits["start"]["row"], edits["stop"]["row"], edits["new_stop"]["row"]
    _replace_slices(old.rows, grown.rows, new.rows, slices)
    slices = edits["start"]["large"], edits["stop"]["large"], edits["new_stop"]["large"]
    _replace_slices(old.n_large_left, grown.n_large_left, new.n_large_left, slices)
    _replace_slices(old.candidates, grown.candidates, new.candidates, slices)
    _replace_slices(old.left, grown.left, new.left, slices)
    _replace_slices(old.totals, grown.totals, new.totals, slices)


@jit
def _n_edits_before(edits, leaf):
    """Count how many edits begin to the left of a leaf."""
    low, high = 0, len(edits)
    while low < high:
        middle = (low + high) // 2
        if edits[middle]["start"]["leaf"] < leaf:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def _update_standing(tree, changes, n_edits, n_standing, new_tree, new_state):
    """Update the nodes that stay: their thresholds, statistics and counts of nodes."""
    edits = changes.edits[:n_edits]
    for s in range(n_standing):
        standing = changes.standing[s]
        node, leaf, line = standing["node"], standing["leaf"], standing["line"]
        # of the edits to the left of the node, and of those up to its left subtree
        before = changes.edits[_n_edits_before(edits, leaf)]["growth"]
        last = leaf + tree.n_left[node]
        within = changes.edits[_n_edits_before(edits, last + 1)]["growth"]
        new_node = node + before["node"]
        new_tree.threshold[new_node] = standing["threshold"]
        new_tree.n_left[new_node] += within["node"] - before["node"]
        if line >= 0:
            new_node = standing["large"] + before["large"]
            new_state.n_large_left[new_node] += within["large"] - before["large"]
            copy_statistics(
                statistics_of(changes.statistics, line),
                statistics_of(new_state, new_node),
            )


@jit_and_save
def splice(old, grown, new, changes, n_edits, n_standing, positions):
    """Fill in the tree and the state of the retained rows.

    Parameters
    ----------
    old : tuple of Tree, TreeState
        Of all rows until now.
    grown : tuple of Tree, TreeState
        What takes the places of subtrees.
    new : tuple of Tree, TreeState
        Arrays of the right sizes, which are filled in.
    changes : Changes
    n_edits, n_standing : int
        How many edits and splits that stand there are.
    positions : ndarray of int32, shape (n_rows,)
        Position of each retained row among them.
    """
    (tree, state), (grown_tree, grown_state), (new_tree, new_state) = old, grown, new
    _splice_nodes(tree, grown_tree, new_tree, changes.edits[:n_edits])
    _splice_state(state, grown_state, new_state, changes.edits[:n_edits])
    _update_standing(tree, changes, n_edits, n_standing, new_tree, new_state)
    rows = new_state.rows
    for k in range(len(rows)):
        rows[k] = positions[rows[k]]
