"""Exact and certified forgetting for scikit-learn estimators; needs no torch.

`ExactUnlearner` and `Retrain` are written here, with the base classes of rules and the
way of a request through composites; `rules` has the rules of scikit-learn's
estimators, `statistics` what they are computed from, `forest`, `sharding` and
`certified` one kind of estimator each. Of the package, only `pipeline` and `testing`
import this folder.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.exact._cost import UnlearningCost
from sklearn_unlearn.exact._exact_unlearner import ExactUnlearner
from sklearn_unlearn.exact._retrain import Retrain
from sklearn_unlearn.exact._rule import Outcome, Rule, find_rule, register_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.exact.certified._logistic import CertifiedLogisticRegression
from sklearn_unlearn.exact.certified._ridge import CertifiedRidge
from sklearn_unlearn.exact.forest._removal_forest import (
    RemovalForestClassifier,
    RemovalForestRegressor,
)
from sklearn_unlearn.exact.sharding._cost import sisa_cost
from sklearn_unlearn.exact.sharding._sisa import SISAClassifier, SISARegressor

# last, so that a rule may import from here: the rules register themselves
import sklearn_unlearn.exact.rules  # noqa: F401  # isort: skip

__all__ = [
    "CertifiedLogisticRegression",
    "CertifiedRidge",
    "ExactUnlearner",
    "Outcome",
    "RemovalForestClassifier",
    "RemovalForestRegressor",
    "Retrain",
    "Rule",
    "SISAClassifier",
    "SISARegressor",
    "SummaryRule",
    "UnlearningCost",
    "find_rule",
    "register_rule",
    "sisa_cost",
]
