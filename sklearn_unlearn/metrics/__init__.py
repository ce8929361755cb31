"""Metrics of unlearning, functions on arrays: is a model like a retrained one?

The value that a perfect unlearner gets is what retrained models get, never 0, 1/2 or 1
by decree; each function says what that is. One file has one family. Nothing here needs
torch or an estimator.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.metrics._intervals import Interval
from sklearn_unlearn.metrics._two_groups import (
    ModelTestResult,
    membership_auc,
    permutation_test_of_models,
    rank_test_of_model,
)

__all__ = [
    "Interval",
    "ModelTestResult",
    "membership_auc",
    "permutation_test_of_models",
    "rank_test_of_model",
]
