"""SISA: ensembles of models on shards of the rows, of which a request touches few.

The estimators, the training of a shard slice by slice, and what a request costs on
average. Nothing else in the package imports them; `exact` makes them public.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
