"""S3T: ensembles of low-rank adapters, learnt slice by slice, that forget by dropping.

A shard has several sequences of blocks over frozen random features; a request drops
the blocks that have seen the slice of a forgotten row. The folder holds the two
estimators, which `neural_network` exports, and all that only they need. Nothing else
uses it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
