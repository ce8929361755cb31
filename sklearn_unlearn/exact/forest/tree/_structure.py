"""A tree as arrays, and how it predicts.

Split nodes are in preorder, each with the number of split nodes in its left subtree: so
a subtree is a slice, and another one can take its place. So it is of the leaves, and of
the rows in the order of the leaves.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np

from sklearn_unlearn.exact.forest.tree._numba import jit, jit_and_save
from sklearn_unlearn.exact.forest.tree._splits import CANDIDATE, NodeStatistics
from sklearn_unlearn.utils._saved import saved_as

__all__ = [
    "N_LARGE",
    "Position",
    "Tree",
    "TreeState",
    "add_means",
    "add_shares",
    "empty_statistics",
    "empty_tree",
]

# Nodes with more rows keep the statistics of their candidates, which would take more
# time to copy than to count in smaller ones.
N_LARGE = 128


@saved_as("tree")
class Tree(NamedTuple):
    """Split nodes and leaves, which are all that a prediction needs.

    Parameters
    ----------
    feature : ndarray of int32, shape (n_nodes,)
    threshold : ndarray of float32, shape (n_nodes,)
        Rows with values of the feature up to it are on the left.
    n_left : ndarray of int32, shape (n_nodes,)
        Number of split nodes in the left subtree.
    value : ndarray of shape (n_leaves, n_classes) or (n_leaves, 1)
        The number of rows of each class, or the mean of the targets.
    """

    feature: np.ndarray
    threshold: np.ndarray
    n_left: np.ndarray
    value: np.ndarray


@saved_as("state of a tree")
class TreeState(NamedTuple):
    """The rest of a tree, which only forgetting needs.

    Parameters
    ----------
    rows : ndarray of int32, shape (n_rows,)
        Training rows in the order of the leaves, ascending in each.
    n_large_left : ndarray of int32, shape (n_large,)
        Of large split nodes, those with more than `N_LARGE` rows: the number of large
        nodes in the left subtree.
    candidates, left, totals : ndarrays with a first dimension of n_large
        Statistics of the large nodes, see `NodeStatistics`.
    """

    rows: np.ndarray
    n_large_left: np.ndarray
    candidates: np.ndarray
    left: np.ndarray
    totals: np.ndarray


class Position(NamedTuple):
    """A place in a tree: numbers of the next split node, leaf, row and large node."""

    node: int
    leaf: int
    row: int
    large: int


def empty_statistics(shape, n_classes, max_features):
    """Return arrays for the statistics of nodes.

    Parameters
    ----------
    shape : tuple of int
        ``(n_nodes,)``, or ``()`` for one node.
    n_classes : int or None
        None for a regression.
    max_features : int
        Number of candidates of a node.
    """
    kind, n_statistics = (np.int64, 3) if n_classes is None else (np.int32, n_classes)
    return NodeStatistics(
        np.empty((*shape, max_features), CANDIDATE),
        np.empty((*shape, max_features, n_statistics), kind),
        np.empty((*shape, n_statistics), kind),
    )


def empty_tree(size, n_classes, max_features):
    """Return a tree and a state to be filled in.

    Parameters
    ----------
    size : Position
        How many nodes, leaves, rows and large nodes there are.
    n_classes : int or None
        None for a regression.
    max_features : int
        Number of candidates of a node.
    """
    shape, kind = (
        ((size.leaf, 1), np.float64)
        if n_classes is None
        else ((size.leaf, n_classes), np.int32)
    )
    tree = Tree(
        np.empty(size.node, np.int32),
        np.empty(size.node, np.float32),
        np.empty(size.node, np.int32),
        np.empty(shape, kind),
    )
    state = TreeState(
        np.empty(size.row, np.int32),
        np.empty(size.large, np.int32),
        *empty_statistics((size.large,), n_classes, max_features),
    )
    return tree, state


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


@jit_and_save
def add_shares(tree, X, out):
    """Add the shares of the classes in the leaf of each row to `out`."""
    for i in range(len(X)):
        value = tree.value[_leaf_of(tree, X[i])]
        n_rows = float(value.sum())
        for c in range(len(value)):
            out[i, c] += value[c] / n_rows


@jit_and_save
def add_means(tree, X, out):
    """Add the mean in the leaf of each row to `out`."""
    for i in range(len(X)):
        out[i, 0] += tree.value[_leaf_of(tree, X[i]), 0]
