"""Private: how networks are trained, to learn and to forget, and drawn from.

Each kind of network has its folder: `mlp` for perceptrons with passes of our own,
`module` for modules of torch. Both kinds have the same methods (``trainer``,
``as_trainable``, ``apply``, ``change_coordinates``, ``rescaled``), and the files here
serve both. Estimators in `neural_network`, `unlearning` and later folders stand on this
one; it knows no estimator.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
