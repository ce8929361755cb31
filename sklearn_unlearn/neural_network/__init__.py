"""Neural networks with dropout, their uncertainty, and ensembles made to forget."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.neural_network._classifier import DropoutClassifier
from sklearn_unlearn.neural_network._regressor import DropoutRegressor
from sklearn_unlearn.neural_network.s3t._cost import S3TCost, s3t_cost
from sklearn_unlearn.neural_network.s3t._s3t import S3TClassifier, S3TRegressor

__all__ = [
    "DropoutClassifier",
    "DropoutRegressor",
    "S3TClassifier",
    "S3TCost",
    "S3TRegressor",
    "s3t_cost",
]
