"""Modules of the user, built and drawn from with explicit randomness.

The fitted network and functions drawn from it (`_fitted`), how modules are built and
checked (`_building`), random functions of torch with a generator (`_randomness`), and
training: by skorch to learn (`_trainer`), by autograd to forget (`_trainable`). For the
rest of `_engine`, and the estimators that stand on it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
