"""One extremely randomised tree: loops over rows and nodes, which numba compiles."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
