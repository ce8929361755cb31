"""Exact forgetting for scikit-learn estimators; needs no torch."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.exact._cost import UnlearningCost
from sklearn_unlearn.exact._exact_unlearner import ExactUnlearner
from sklearn_unlearn.exact._removal_forest import (
    RemovalForestClassifier,
    RemovalForestRegressor,
)
from sklearn_unlearn.exact._retrain import Retrain
from sklearn_unlearn.exact._rules import (
    Rule,
    SummaryRule,
    find_rule,
    register_rule,
)

__all__ = [
    "ExactUnlearner",
    "RemovalForestClassifier",
    "RemovalForestRegressor",
    "Retrain",
    "Rule",
    "SummaryRule",
    "UnlearningCost",
    "find_rule",
    "register_rule",
]
