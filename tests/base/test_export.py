"""Exports of estimators of the package within others."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    GradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_unlearn.exact import ExactUnlearner, Retrain, SISAClassifier, SISARegressor
from sklearn_unlearn.pipeline import make_pipeline
from tests._instances import INSTANCES, rows_for, seeded

# one of each class that predicts
PREDICTORS = [
    instances[-1]
    for instances in INSTANCES.values()
    if hasattr(instances[-1], "predict")
]
CLASSIFIERS = [
    lambda model: VotingClassifier([("model", model), ("other", LogisticRegression())]),
    lambda model: CalibratedClassifierCV(model, cv=2),
    lambda model: BaggingClassifier(model, n_estimators=2, random_state=0),
    lambda model: StackingClassifier([("model", model)], LogisticRegression(), cv=2),
    lambda model: GridSearchCV(model, {"store_training_data": [True]}, cv=2),
    lambda model: model,
]
REGRESSORS = [
    lambda model: VotingRegressor([("model", model), ("other", Ridge())]),
    lambda model: BaggingRegressor(model, n_estimators=2, random_state=0),
    lambda model: StackingRegressor([("model", model)], Ridge(), cv=2),
]


def assert_export_predicts(model, X, y):
    model.fit(X, y)
    exported = model.export()
    assert np.array_equal(exported.predict(X), model.predict(X))
    written = pickle.dumps(exported)
    assert not any(row.tobytes() in written for row in X)


@pytest.mark.parametrize("estimator", PREDICTORS, ids=lambda e: type(e).__name__)
def test_every_estimator_within_another(estimator):
    X, y = rows_for(estimator)
    hold = (CLASSIFIERS if is_classifier(estimator) else REGRESSORS)[0]
    assert_export_predicts(ExactUnlearner(hold(seeded(estimator))), X, y)


@pytest.mark.parametrize("hold", [*CLASSIFIERS, *REGRESSORS])
def test_every_holder(hold):
    is_regression = hold in REGRESSORS
    cls, inner = (SISARegressor, Ridge()) if is_regression else (SISAClassifier, None)
    shards = cls(inner or LogisticRegression(), n_shards=2, random_state=0)
    X, y = rows_for(shards)
    assert_export_predicts(ExactUnlearner(hold(shards)), X, y)
    assert_export_predicts(make_pipeline(StandardScaler(), hold(clone(shards))), X, y)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)),
        Retrain(RandomForestClassifier(n_estimators=2, random_state=0)),
        ExactUnlearner(GradientBoostingClassifier(n_estimators=2, random_state=0)),
        SISAClassifier(
            RandomForestClassifier(n_estimators=2, random_state=0),
            n_shards=2,
            n_slices=2,
            random_state=0,
        ),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_was_in_the_memory_is_in_no_export(model):
    X, y = rows_for(model)
    model.fit(X, y)
    written = {pickle.dumps(export_over(model, word)) for word in (b"one", b"two")}
    assert len(written) == 1


def test_what_was_in_the_memory_is_in_no_copy_of_a_frozen_model():
    tree = DecisionTreeClassifier(random_state=0)
    X, y = rows_for(tree)
    frozen = FrozenEstimator(tree.fit(X, y))
    models = [Retrain(frozen), Retrain(frozen)]
    for model, word in zip(models, (b"one", b"two"), strict=True):
        fill_memory(word)
        model.fit(X, y)
    assert len({pickle.dumps(model) for model in models}) == 1


def export_over(model, word):
    """Export a model where the free memory is full of a word."""
    fill_memory(word)
    return model.export()


def fill_memory(word):
    """Fill blocks of memory of many sizes with a word, and free them."""
    [bytearray(word * size) for size in range(1, 3000)]
