"""Removal forests: extremely randomised trees that forget a row without a refit.

The estimators, and the trees as arrays with the loops over rows and nodes that numba
compiles where it is installed.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
