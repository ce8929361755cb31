"""Neural networks with dropout, their uncertainty, and exact forgetting."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.neural_network._classifier import DropoutClassifier
from sklearn_unlearn.neural_network._regressor import DropoutRegressor

__all__ = ["DropoutClassifier", "DropoutRegressor"]
