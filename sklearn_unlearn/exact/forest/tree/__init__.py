"""One extremely randomised tree: loops over rows and nodes, which numba compiles.

For the estimators of removal forests alone, and to be imported in functions only: to
import numba takes a second. A tree is a function of its key and of its rows, so what it
is after it has forgotten rows is what `grow_trees` makes of the others. The functions
are written once, and run as they are where numba is not installed. So that both give
the same bytes, a number that is read from an array and then computed with goes through
``int``, ``float`` or ``np.float64`` (numba's ``float`` leaves single precision as it
is).
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.exact.forest.tree._forgetting import trees_without
from sklearn_unlearn.exact.forest.tree._growing import grow_trees
from sklearn_unlearn.exact.forest.tree._numba import IS_COMPILED
from sklearn_unlearn.exact.forest.tree._statistics import (
    TARGET_PARTS,
    TrainingData,
    TreeParams,
)
from sklearn_unlearn.exact.forest.tree._structure import add_means, add_shares

__all__ = [
    "IS_COMPILED",
    "TARGET_PARTS",
    "TrainingData",
    "TreeParams",
    "add_means",
    "add_shares",
    "grow_trees",
    "trees_without",
]
