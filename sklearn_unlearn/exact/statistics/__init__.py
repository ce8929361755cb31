"""Sums, moments, counts and factors from which rows can be taken off accurately.

Functions on arrays, which know neither estimators nor requests. The rules of
``exact.rules`` are built on them.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
