"""What can still be told about forgotten rows.

`attacks` has attacks on models, for whoever wants to know. Nothing else of the package
imports this folder; it imports no torch, but for the inversion of gradients, which
comes when it is asked for.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

__all__ = ["attacks"]
