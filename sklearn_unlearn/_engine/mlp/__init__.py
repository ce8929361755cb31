"""Perceptrons on one flat vector, with forward and backward passes written out.

The network itself, its training (one or many side by side), its dropout masks, and
functions drawn from it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
