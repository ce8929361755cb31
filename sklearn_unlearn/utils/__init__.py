"""Public checks of the contract, discovery, and tools that are shared inside.

`sklearn_unlearn.utils.estimator_checks` and `sklearn_unlearn.utils.discovery` are
public; they are imported by their full names, so that this package stays light.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

__all__ = ["discovery", "estimator_checks"]
