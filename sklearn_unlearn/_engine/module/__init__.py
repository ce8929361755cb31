"""Modules of the user, built and drawn from with explicit randomness.

The fitted network and functions drawn from it (`_fitted`), how modules are built and
checked (`_building`, `_layers`, `_probes`), all that they know as plain values
(`_state`), what training has left of it (`_learnt`), random functions of torch with a
generator (`_randomness`, `_functional`), and training: by skorch to learn (`_trainer`),
by autograd to forget (`_trainable`). For the rest of `_engine`, and what stands on it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
