"""S3T: ensembles of adapters that forget by dropping what was trained on a slice.

The estimators, the orders in which slices are learnt, and where the rows of a fit went.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
