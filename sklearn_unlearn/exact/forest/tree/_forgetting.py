"""One extremely randomised tree: how it forgets rows.

What it comes to is what `plant` makes of the retained rows. On the way from the root
the statistics of large nodes tell whether their split stands, and the rows of smaller
ones do. Where it does not, and where rows are few, the subtree is grown again.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.exact.forest.tree._growing import (
    N_GROWN_AGAIN,
    N_REMEMBERED,
    grow,
    make_room,
    make_scratch,
)
from sklearn_unlearn.exact.forest.tree._numba import jit
from sklearn_unlearn.exact.forest.tree._splicing import (
    ASKED,
    DEPTH,
    KEY,
    LARGE,
    LEAF,
    N_ENTRIES,
    NODE,
    ROW,
    blank,
    copy,
    copy_lines,
    finish,
    make_work,
)
from sklearn_unlearn.exact.forest.tree._splits import (
    FEATURE,
    HIGHEST,
    LOWEST,
    N_FIXED,
    N_HIGHEST,
    N_LOWEST,
    THRESHOLD,
    add_row,
    best_candidate,
    draw_candidates,
    find_split,
    is_final,
    is_pure,
    n_rows_of,
    reset_order,
    threefry,
)

__all__ = ["forget", "without"]


@jit
def _keep(rows, gone, kept):
    """Copy the rows that stay, and count them."""
    n_kept = 0
    for row in rows:
        if not gone[row]:
            kept[n_kept] = row
            n_kept += 1
    return n_kept


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
def _take_off(data, limits, ranges, counts, forgotten):
    """Take rows off the statistics of a node.

    Returns
    -------
    bool
        Whether the lowest or highest value of a candidate has gone with them.
    """
    is_stale = False
    for row in forgotten:
        add_row(counts[-1, N_FIXED:], data, limits, row, -1)
    for c in range(len(ranges)):
        feature = int(counts[c, FEATURE])
        if feature < 0:
            break
        for row in forgotten:
            value = data.X[row, feature]
            if value <= ranges[c, THRESHOLD]:
                add_row(counts[c, N_FIXED:], data, limits, row, -1)
            counts[c, N_LOWEST] -= int(value == ranges[c, LOWEST])
            counts[c, N_HIGHEST] -= int(value == ranges[c, HIGHEST])
        is_stale = is_stale or min(counts[c, N_LOWEST], counts[c, N_HIGHEST]) == 0
    return is_stale


@jit
def _draw_again(data, limits, rows, gone, key, depth, ranges, counts, scratch):
    """Draw the candidates of a node anew, from the rows that stay."""
    kept = scratch.aside[: _keep(rows, gone, scratch.aside)]
    reset_order(scratch.order, scratch.constant_since, 0)
    draw_candidates(data, limits, kept, key, depth, scratch)
    copy_lines(scratch.ranges, ranges)
    copy_lines(scratch.counts[:-1], counts[:-1])


@jit
def _stands(data, limits, subtree, rows, gone, forgotten, split, noted, scratch):
    """Update the statistics of a large node; tell whether its sides stay apart.

    Parameters
    ----------
    split : ndarray of float64, shape (3,)
        Feature and threshold. The threshold is updated, and the number of rows that
        stay on the left is filled in.
    noted : tuple of two ndarrays
        Ranges and counts of the node, which are updated.
    """
    ranges, counts = noted
    is_stale = _take_off(data, limits, ranges, counts, forgotten)
    n_rows, depth = len(rows) - len(forgotten), int(subtree[DEPTH])
    if n_rows <= N_REMEMBERED or is_final(limits, depth, n_rows):
        return False
    if is_pure(data, limits, rows, gone, counts[-1, N_FIXED:]):
        return False
    feature, c = int(split[0]), 0
    while counts[c, FEATURE] != feature:
        c += 1
    n_left = n_rows_of(counts[c, N_FIXED:], limits)
    if is_stale:
        key = int(subtree[KEY]), int(subtree[KEY + 1])
        _draw_again(data, limits, rows, gone, key, depth, ranges, counts, scratch)
    best = best_candidate(limits, counts, n_rows)
    if best < 0 or counts[best, FEATURE] != feature:
        return False
    split[1], split[2] = ranges[best, THRESHOLD], n_left
    # Of two thresholds of a feature, one has on its left all that the other has: so
    # if it is as many rows, it is the same ones.
    return n_rows_of(counts[best, N_FIXED:], limits) == n_left


@jit
def _stands_by_rows(data, limits, subtree, rows, gone, split, scratch):
    """Tell of a node without statistics whether its sides stay apart; see above."""
    kept = scratch.aside[: _keep(rows, gone, scratch.aside)]
    feature, depth, n_left = int(split[0]), int(subtree[DEPTH]), 0
    key = int(subtree[KEY]), int(subtree[KEY + 1])
    reset_order(scratch.order, scratch.constant_since, 0)
    best = find_split(data, limits, kept, key, depth, scratch)
    if best < 0 or scratch.counts[best, FEATURE] != feature:
        return False
    for row in kept:
        n_left += int(data.X[row, feature] <= split[1])
    split[1], split[2] = scratch.ranges[best, THRESHOLD], n_left
    return n_rows_of(scratch.counts[best, N_FIXED:], limits) == n_left


@jit
def _part(data, feature, threshold, rows):
    """Put the rows of the left side first, and count them."""
    n_left = 0
    for k in range(len(rows)):
        row = rows[k]
        if data.X[row, feature] <= threshold:
            rows[k], rows[n_left] = rows[n_left], row
            n_left += 1
    return n_left


@jit
def _push_sides(stack, n_stack, subtree, tree, memory, n_rows, n_asked):
    """Put the sides of a split on the stack if rows are asked for in them.

    `n_rows` and `n_asked` are those on the left. Return the height of the stack.
    """
    node, large = int(subtree[NODE]), int(subtree[LARGE])
    key = int(subtree[KEY]), int(subtree[KEY + 1])
    is_large = int(subtree[LARGE + 1] > 0)
    for side in (1, 0):  # the left one is to be taken off first
        if n_asked == (subtree[ASKED + 1] if side else 0):
            continue
        new = stack[n_stack]
        for k in range(N_ENTRIES):
            new[k] = subtree[k]
        new[NODE], new[NODE + 1] = node + 1, tree.n_left[node]
        new[LARGE] = large + is_large
        new[LARGE + 1] = memory.n_left[large] if is_large else 0
        new[LEAF + 1], new[ROW + 1], new[ASKED + 1] = new[NODE + 1] + 1, n_rows, n_asked
        if side:
            for kind in (NODE, LEAF, ROW, LARGE, ASKED):
                new[kind] += new[kind + 1]
                new[kind + 1] = subtree[kind + 1] - new[kind + 1]
            new[NODE + 1] -= 1
            new[LARGE + 1] -= is_large
        new[DEPTH] += 1
        new[KEY], new[KEY + 1] = threefry(key, side, 1)
        n_stack += 1
    return n_stack


@jit
def _begin(work, room, key, tree, memory, n_forget):
    """Put the whole tree on the stack, and count from zero."""
    first = work.stack[0]
    for k in range(N_ENTRIES):
        first[k] = 0
    first[NODE + 1], first[LEAF + 1] = len(tree.feature), len(tree.value)
    first[ROW + 1], first[LARGE + 1] = len(memory.rows), len(memory.n_left)
    first[ASKED + 1], first[KEY], first[KEY + 1] = n_forget, key[0], key[1]
    for k in range(4):
        room.n_used[k] = 0


@jit
def forget(data, limits, key, tree, memory, gone, asked, work, room, scratch):
    """Find the subtrees to replace, and grow what takes their places.

    Parameters
    ----------
    data : Data
        Of all rows until now.
    limits : Limits
    key : tuple of two int
        Key of the tree.
    tree, memory : Tree, Memory
        Of the tree until now.
    gone : ndarray of bool, shape (n_rows,)
        Which rows are to be forgotten.
    asked : ndarray of int32, shape (n_forget,)
        Which these are; reordered.
    work : Work
    room : Room
        For what takes the places of subtrees.
    scratch : Scratch

    Returns
    -------
    bool
        Whether there was enough room.
    """
    n_edits, n_above, n_noted, n_stack = 0, 0, 0, 1
    stack, split, subtree = work.stack, work.split, work.subtree
    _begin(work, room, key, tree, memory, len(asked))
    while n_stack:
        n_stack -= 1
        copy(stack[n_stack], 0, subtree, 0, N_ENTRIES)
        node, large, start = int(subtree[NODE]), int(subtree[LARGE]), int(subtree[ROW])
        rows = memory.rows[start : start + subtree[ROW + 1]]
        mine = asked[subtree[ASKED] : subtree[ASKED] + subtree[ASKED + 1]]
        if subtree[NODE + 1] and len(rows) > N_GROWN_AGAIN:
            if max(n_noted + 1, n_stack + 2) > len(stack):
                return False
            above, feature = work.above[n_above], int(tree.feature[node])
            above[0], above[1], above[2], above[3] = node, subtree[LEAF], large, -1
            split[0], split[1] = feature, tree.threshold[node]
            if subtree[LARGE + 1]:
                noted, above[3] = (work.ranges[n_noted], work.counts[n_noted]), n_noted
                n_noted += 1
                copy_lines(memory.ranges[large], noted[0])
                copy_lines(memory.counts[large], noted[1])
                stands = _stands(
                    data, limits, subtree, rows, gone, mine, split, noted, scratch
                )
            else:
                stands = _stands_by_rows(
                    data, limits, subtree, rows, gone, split, scratch
                )
            if stands:
                work.thresholds[n_above] = split[1]
                n_above += 1
                # by the old threshold: it parts these rows as their subtrees do
                n_asked = _part(data, feature, tree.threshold[node], mine)
                n_rows = int(split[2]) + n_asked
                n_stack = _push_sides(
                    stack, n_stack, subtree, tree, memory, n_rows, n_asked
                )
                continue
        start, free = int(room.n_used[2]), room.memory.rows[room.n_used[2] :]
        n_kept = _keep(rows, gone, free)
        _sort(free[:n_kept])
        key = int(subtree[KEY]), int(subtree[KEY + 1])
        if not grow(data, limits, start + n_kept, key, subtree[DEPTH], room, scratch):
            return False
        copy(subtree, 0, work.edits[n_edits], 0, N_ENTRIES)
        copy(room.n_used, 0, work.edits[n_edits], N_ENTRIES, 4)
        n_edits += 1
    work.n_done[0], work.n_done[1] = n_edits, n_above
    for k in range(4):
        work.n_done[2 + k] = room.n_used[k]
        for e in range(n_edits):
            work.n_done[2 + k] -= work.edits[e, 2 * k + 1]
    return True


def without(data, limits, keys, trees, gone, n_classes):
    """Return trees of the retained rows, and their memories.

    Parameters
    ----------
    data : Data
        Of all rows until now.
    limits : Limits
    keys : list of tuples of two int
    trees : list of (Tree, Memory)
        They are left as they are.
    gone : ndarray of bool, shape (n_rows,)
        Which rows are to be forgotten.
    n_classes : int or None
        None for a regression.

    Returns
    -------
    list of (Tree, Memory)
    """
    positions = (np.cumsum(~gone) - 1).astype(np.int32)
    forgotten = np.flatnonzero(gone).astype(np.int32)
    n_large = 64 + 4 * len(gone) // N_REMEMBERED
    work, done = None, []
    for key, (tree, memory) in zip(keys, trees, strict=True):
        while True:
            if work is None:
                room = make_room(len(gone), n_large, n_classes, limits.max_features)
                scratch = make_scratch(data.X.shape[1], room)
                work = make_work(len(gone), len(forgotten), n_large, room)
            asked, state = forgotten.copy(), (tree, memory)
            if forget(data, limits, key, *state, gone, asked, work, room, scratch):
                break
            n_large, work = 2 * n_large, None
        new = blank(tree, memory, work.n_done[2:].tolist())
        finish(tree, memory, work, room, positions, *new)
        done.append(new)
    return done
