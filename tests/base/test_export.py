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
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.pipeline import make_pipeline
from tests._instances import INSTANCES, rows_for, seeded

# one of each class that predicts, but those that hold another in the same way
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


@pytest.mark.parametrize("estimator", PREDICTORS, ids=lambda e: type(e).__name__)
def test_export_within_any_holder(estimator):
    X, y = rows_for(estimator)
    for hold in CLASSIFIERS if is_classifier(estimator) else REGRESSORS:
        holder = hold(seeded(estimator))
        for model in (
            ExactUnlearner(holder),
            make_pipeline(StandardScaler(), clone(holder)),
        ):
            model.fit(X, y)
            exported = model.export()
            assert np.array_equal(exported.predict(X), model.predict(X))
            written = pickle.dumps(exported)
            assert not any(row.tobytes() in written for row in X)


def test_export_of_a_template_that_is_not_fitted():
    X, y = rows_for(LogisticRegression())
    for instances in INSTANCES.values():
        estimator = seeded(instances[0])
        if is_classifier(estimator):
            model = Retrain(VotingClassifier([("model", estimator)])).fit(X, y)
            assert model.export().estimator.estimators[0][1].get_params()
