"""Private: how networks are trained, to learn and to forget, and drawn from.

Each kind of network has its folder: `mlp` for perceptrons with passes of our own,
`module` for modules of torch. Both kinds have the same methods (``trainer``,
``as_trainable``, ``apply``, ``change_coordinates``, ``rescaled``), and the files here
serve both. The estimators in `neural_network` and `unlearning` stand on this folder,
which knows no estimator.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
