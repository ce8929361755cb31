"""SISA: ensembles of models on shards of the rows, of which a request touches few.

The estimators, the training of a shard slice by slice, and what a request costs on
average.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
