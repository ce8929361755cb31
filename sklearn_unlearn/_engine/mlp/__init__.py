"""Perceptrons on one flat vector, with forward and backward passes written out.

The fitted network and functions drawn from it (`_perceptron`), its passes (`_mlp`),
and its training, alone or side by side (`_trainer`, `_many`, `_masks`). For the rest of
`_engine`, and the estimators that stand on it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
