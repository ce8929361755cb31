"""How a tree forgets rows: it becomes what `grow_trees` makes of the others.

On the way from the root the statistics of large nodes tell whether their split stands,
and the rows of smaller ones do. Where it does not, and where rows are few, the subtree
is grown again.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.exact.forest.tree._growing import (
    first_room_for_large,
    grow,
    make_buffers,
)
from sklearn_unlearn.exact.forest.tree._numba import jit, jit_and_save
from sklearn_unlearn.exact.forest.tree._random import child_key
from sklearn_unlearn.exact.forest.tree._splicing import (
    make_changes,
    set_position,
    splice,
)
from sklearn_unlearn.exact.forest.tree._splits import Split, statistics_of
from sklearn_unlearn.exact.forest.tree._structure import Position, empty_tree
from sklearn_unlearn.exact.forest.tree._updating import (
    Subtree,
    TreeRequest,
    copy_retained,
    split_without,
)

__all__ = ["trees_without"]


@jit
def _sort(rows):
    """Sort in place, by Shell's method, what comes in sorted runs, often one."""
    gap, is_sorted = 1, True
    for k in range(1, len(rows)):
        is_sorted = is_sorted and rows[k - 1] < rows[k]
    if is_sorted:
        return
    while gap < len(rows) // 9:
        gap = 3 * gap + 1
    while gap:
        for k in range(gap, len(rows)):
            row, i = rows[k], k
            while i >= gap and rows[i - gap] > row:
                rows[i] = rows[i - gap]
                i -= gap
            rows[i] = row
        gap //= 3


@jit
def _copy_sorted(rows, request, retained):
    """Copy the rows that are not forgotten, in ascending order, and count them."""
    n_retained = copy_retained(rows, request.is_forgotten, retained)
    _sort(retained[:n_retained])
    return n_retained


@jit
def _split_of(tree, subtree):
    """Return the split of the root of a subtree, without `n_left`."""
    node, feature, threshold = subtree.start.node, -1, 0.0
    if subtree.stop.node > node:
        feature, threshold = int(tree.feature[node]), float(tree.threshold[node])
    return Split(feature, threshold, 0)


@jit
def _partition_unordered(data, rows, split):
    """Put the rows of the left side first, and count them."""
    n_left = 0
    for k in range(len(rows)):
        row = rows[k]
        if data.X[row, split.feature] <= split.threshold:
            rows[k], rows[n_left] = rows[n_left], row
            n_left += 1
    return n_left


@jit
def _children(subtree, tree, state, n_rows, n_forgotten):
    """Return the left and the right subtree of a node.

    Parameters
    ----------
    subtree : Subtree
    tree : Tree
    state : TreeState
    n_rows, n_forgotten : int
        Rows on the left side, and how many of them are to be forgotten.
    """
    start, stop, depth = subtree.start, subtree.stop, subtree.depth + 1
    n_nodes, n_large, is_large = int(tree.n_left[start.node]), 0, 0
    if stop.large > start.large:
        n_large, is_large = int(state.n_large_left[start.large]), 1
    first = Position(start.node + 1, start.leaf, start.row, start.large + is_large)
    middle = Position(
        first.node + n_nodes,
        first.leaf + n_nodes + 1,
        first.row + n_rows,
        first.large + n_large,
    )
    between = subtree.first_forgotten + n_forgotten
    left, right = child_key(subtree.key, 0), child_key(subtree.key, 1)
    return (
        Subtree(first, middle, subtree.first_forgotten, between, depth, left),
        Subtree(middle, stop, between, subtree.last_forgotten, depth, right),
    )


@jit
def _whole_tree(tree, state, n_forget, key):
    """Return the whole tree as a subtree."""
    stop = Position(
        len(tree.feature), len(tree.value), len(state.rows), len(state.n_large_left)
    )
    return Subtree(Position(0, 0, 0, 0), stop, 0, n_forget, 0, key)


@jit
def _record_edit(edits, e, subtree, start, stop):
    """Write down a subtree, and where the one that was grown in its place lies."""
    edit, old_start, old_stop = edits[e], subtree.start, subtree.stop
    set_position(edit["start"], old_start)
    set_position(edit["stop"], old_stop)
    set_position(edit["new_stop"], stop)
    growth, next_growth = edit["growth"], edits[e + 1]["growth"]
    n_nodes = (stop.node - start.node) - (old_stop.node - old_start.node)
    n_rows = (stop.row - start.row) - (old_stop.row - old_start.row)
    n_large = (stop.large - start.large) - (old_stop.large - old_start.large)
    next_growth["node"] = growth["node"] + n_nodes
    next_growth["leaf"] = growth["leaf"] + n_nodes
    next_growth["row"] = growth["row"] + n_rows
    next_growth["large"] = growth["large"] + n_large


@jit
def _record_standing(standing, subtree, split, line):
    """Write down that the root of a subtree stays, and its new threshold."""
    start = subtree.start
    standing["node"], standing["leaf"] = start.node, start.leaf
    standing["large"], standing["line"] = start.large, line
    standing["threshold"] = split.threshold


@jit_and_save
def forget(data, params, key, tree, state, request, grown, changes, scratch):
    """Find the subtrees to replace, and grow what takes their places.

    Parameters
    ----------
    data, params, key : TrainingData, TreeParams, tuple of two int
        Of the tree, with all rows until now.
    tree, state, request : Tree, TreeState, TreeRequest
    grown : tuple of Tree, TreeState
        Room for what takes the places of subtrees.
    changes, scratch : Changes, Scratch
        Filled in.

    Returns
    -------
    is_complete : bool
        False if there was not enough room for large nodes.
    n_edits, n_standing : int
        How many edits and splits that stand there are.
    """
    n_edits, n_standing, n_large, end = 0, 0, 0, Position(0, 0, 0, 0)
    waiting = [_whole_tree(tree, state, len(request.rows), key)]
    while len(waiting):
        if n_large == len(changes.statistics.totals):
            return False, 0, 0
        here = waiting.pop()
        old = _split_of(tree, here)
        statistics = statistics_of(changes.statistics, n_large)
        split = split_without(
            data, params, here, old, state, request, statistics, scratch
        )
        if split.feature < 0:
            rows = state.rows[here.start.row : here.stop.row]
            n_rows = _copy_sorted(rows, request, grown[1].rows[end.row :])
            start = end
            is_complete, end = grow(
                data, params, n_rows, here.key, here.depth, start, grown, scratch
            )
            if not is_complete:
                return False, 0, 0
            _record_edit(changes.edits, n_edits, here, start, end)
            n_edits += 1
            continue
        is_large = here.stop.large > here.start.large
        line = n_large if is_large else -1
        _record_standing(changes.standing[n_standing], here, split, line)
        n_standing, n_large = n_standing + 1, n_large + is_large
        # by the old threshold: it parts these rows as their subtrees do
        forgotten = request.rows[here.first_forgotten : here.last_forgotten]
        n_forgotten = _partition_unordered(data, forgotten, old)
        n_rows = split.n_left + n_forgotten
        left, right = _children(here, tree, state, n_rows, n_forgotten)
        if n_forgotten < len(forgotten):
            waiting.append(right)
        if n_forgotten:  # taken off first, so that edits come from left to right
            waiting.append(left)
    return True, n_edits, n_standing


def trees_without(data, params, keys, trees, is_forgotten, n_classes):
    """Return trees of the retained rows, and their states.

    Parameters
    ----------
    data : TrainingData
        All rows until now.
    params : TreeParams
    keys : list of tuples of two int
    trees : list of (Tree, TreeState)
        They are left as they are.
    is_forgotten : ndarray of bool, shape (n_rows,)
        Which rows are to be forgotten.
    n_classes : int or None
        None for a regression.

    Returns
    -------
    list of (Tree, TreeState)
    """
    positions = (np.cumsum(~is_forgotten) - 1).astype(np.int32)
    forgotten = np.flatnonzero(is_forgotten).astype(np.int32)
    n_rows, max_features = len(is_forgotten), params.max_features
    n_large, buffers, done = first_room_for_large(n_rows), None, []
    for key, (tree, state) in zip(keys, trees, strict=True):
        is_complete = False
        while not is_complete:
            if buffers is None:
                buffers = make_buffers(data, params, n_large, n_classes)
                sizes = n_rows, len(forgotten), n_large
                changes = make_changes(*sizes, n_classes, max_features)
            grown, scratch = buffers
            request = TreeRequest(is_forgotten, forgotten.copy())
            is_complete, n_edits, n_standing = forget(
                data, params, key, tree, state, request, grown, changes, scratch
            )
            if not is_complete:
                n_large, buffers = 2 * n_large, None
        size = _size_after(tree, state, changes.edits[n_edits]["growth"])
        old, new = (tree, state), empty_tree(size, n_classes, max_features)
        splice(old, grown, new, changes, n_edits, n_standing, positions)
        done.append(new)
    return done


def _size_after(tree, state, growth):
    """Return how many nodes, leaves, rows and large nodes a tree will have."""
    return Position(
        len(tree.feature) + int(growth["node"]),
        len(tree.value) + int(growth["leaf"]),
        len(state.rows) + int(growth["row"]),
        len(state.n_large_left) + int(growth["large"]),
    )
