"""One extremely randomised tree: how subtrees take the places of others."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np

from sklearn_unlearn.exact.forest.tree._growing import Memory, Tree
from sklearn_unlearn.exact.forest.tree._numba import jit

__all__ = [
    "ASKED",
    "DEPTH",
    "KEY",
    "LARGE",
    "LEAF",
    "NODE",
    "N_ENTRIES",
    "ROW",
    "Work",
    "blank",
    "copy",
    "copy_lines",
    "finish",
    "make_work",
]

# A subtree is a slice of each kind of thing: its first one, and how many there are.
NODE, LEAF, ROW, LARGE, ASKED, DEPTH, KEY, N_ENTRIES = 0, 2, 4, 6, 8, 10, 11, 13


class Work(NamedTuple):
    """What is to be done for one request to one tree, and what has been done.

    Lines of `stack` and of `edits` are subtrees, those that wait and those that are
    to be replaced; the last four columns of `edits` tell where what takes their
    places ends in a Room: in nodes, leaves, rows and large nodes. `above` has, for the
    nodes above, number, first leaf, number among the large, and the line of their new
    `ranges` and `counts` (-1 for none); their new `thresholds` lie beside it. `n_done`
    has how many edits and nodes above there are, and how many nodes, leaves, rows and
    large nodes more than before.
    """

    stack: np.ndarray
    subtree: np.ndarray
    split: np.ndarray
    edits: np.ndarray
    above: np.ndarray
    thresholds: np.ndarray
    ranges: np.ndarray
    counts: np.ndarray
    n_done: np.ndarray


def make_work(n_rows, n_forget, n_large, room):
    """Return a Work.

    Parameters
    ----------
    n_rows, n_forget : int
        All rows until now, and rows of the request.
    n_large : int
        Number of nodes that wait, and of large nodes above the edits, for which
        there is room.
    room : Room
    """
    return Work(
        np.empty((n_large, N_ENTRIES), np.int64),
        np.empty(N_ENTRIES, np.int64),
        np.empty(3),
        np.empty((n_forget, N_ENTRIES + 4), np.int64),
        np.empty((n_rows, 4), np.int64),
        np.empty(n_rows, np.float32),
        np.empty_like(room.memory.ranges),
        np.empty_like(room.memory.counts),
        np.zeros(6, np.int64),
    )


@jit
def copy(source, start, target, at, n):
    """Copy `n` entries."""
    # of slices: a loop that begins at 0 needs no look at negative indices
    target, source = target[at : at + n], source[start : start + n]
    for k in range(n):
        target[k] = source[k]


@jit
def copy_lines(source, target):
    """Copy two dimensions."""
    for c in range(len(source)):
        copy(source[c], 0, target[c], 0, source.shape[1])


def blank(tree, memory, n_more):
    """Return a tree and a memory of the sizes that they will have."""
    nodes, leaves, rows, large = n_more

    def longer(array, more):
        return np.empty((len(array) + more, *array.shape[1:]), array.dtype)

    return (
        Tree(*(longer(a, nodes) for a in tree[:3]), longer(tree.value, leaves)),
        Memory(longer(memory.rows, rows), *(longer(a, large) for a in memory[1:])),
    )


@jit
def _splice(old, new, grown, edits, kind, column, width):
    """Fill `new` with `old`, in which slices are replaced by slices of `grown`."""
    read, write, start = 0, 0, 0
    for e in range(len(edits)):
        n_same = edits[e, kind] - read
        copy(old, read * width, new, write * width, n_same * width)
        write, read = write + n_same, edits[e, kind] + edits[e, kind + 1]
        n_new = edits[e, N_ENTRIES + column] - start
        copy(grown, start * width, new, write * width, n_new * width)
        write, start = write + n_new, edits[e, N_ENTRIES + column]
    n_same = len(old) // width - read
    copy(old, read * width, new, write * width, n_same * width)


@jit
def finish(tree, memory, work, room, positions, new_tree, new_memory):
    """Fill in the tree and the memory of the retained rows.

    Parameters
    ----------
    tree, memory : Tree, Memory
        Of the tree until now.
    work : Work
    room : Room
    positions : ndarray of int32, shape (n_rows,)
        Position of each retained row among them.
    new_tree, new_memory : Tree, Memory
        Of the right sizes.
    """
    edits, n_above = work.edits[: work.n_done[0]], int(work.n_done[1])
    grown, noted = room.tree, room.memory
    wide, w = new_tree.value.shape[1], 1
    _splice(tree.feature, new_tree.feature, grown.feature, edits, NODE, 0, w)
    _splice(tree.threshold, new_tree.threshold, grown.threshold, edits, NODE, 0, w)
    _splice(tree.n_left, new_tree.n_left, grown.n_left, edits, NODE, 0, w)
    old, new, out = tree.value, new_tree.value, grown.value
    _splice(old.ravel(), new.ravel(), out.ravel(), edits, LEAF, 1, wide)
    _splice(memory.rows, new_memory.rows, noted.rows, edits, ROW, 2, w)
    _splice(memory.n_left, new_memory.n_left, noted.n_left, edits, LARGE, 3, w)
    old, new, out = memory.ranges, new_memory.ranges, noted.ranges
    wide = old.shape[1] * old.shape[2]
    _splice(old.ravel(), new.ravel(), out.ravel(), edits, LARGE, 3, wide)
    old, new, out = memory.counts, new_memory.counts, noted.counts
    wide = old.shape[1] * old.shape[2]
    _splice(old.ravel(), new.ravel(), out.ravel(), edits, LARGE, 3, wide)
    for v in range(n_above):
        node, large, line = work.above[v, 0], work.above[v, 2], work.above[v, 3]
        first, last = work.above[v, 1], work.above[v, 1] + tree.n_left[node]
        n_before, n_within, l_before, l_within, n_old, l_old = 0, 0, 0, 0, 0, 0
        for e in range(len(edits)):
            n_new, l_new = int(edits[e, N_ENTRIES]), int(edits[e, N_ENTRIES + 3])
            n_more = n_new - n_old - edits[e, NODE + 1]
            l_more = l_new - l_old - edits[e, LARGE + 1]
            n_old, l_old = n_new, l_new
            if edits[e, LEAF] < first:
                n_before, l_before = n_before + n_more, l_before + l_more
            elif edits[e, LEAF] <= last:
                n_within, l_within = n_within + n_more, l_within + l_more
        node, large = node + n_before, large + l_before
        new_tree.n_left[node] += n_within
        new_tree.threshold[node] = work.thresholds[v]
        if line >= 0:
            new_memory.n_left[large] += l_within
            copy_lines(work.ranges[line], new_memory.ranges[large])
            copy_lines(work.counts[line], new_memory.counts[large])
    rows = new_memory.rows
    for k in range(len(rows)):
        rows[k] = positions[rows[k]]
