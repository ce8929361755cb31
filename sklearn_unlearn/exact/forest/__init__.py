"""Removal forests: extremely randomised trees that forget a row without a refit.

The public estimators, for `sklearn_unlearn.exact`. What one tree does is in `tree`,
which their base class alone imports.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
