"""Neural networks with dropout, their uncertainty, and ensembles made to forget.

`DropoutClassifier` and `DropoutRegressor` share `_base`; how their networks are trained
is in `_engine`. `s3t` holds ensembles of adapters that forget by slice. The estimators
are public; `_many.fit_many`, which fits networks side by side, is for benchmarks and
tests.
"""

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
