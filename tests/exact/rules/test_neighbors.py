"""Neighbours, densities and outliers are those of a fit on the retained rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.neighbors import (
    KernelDensity,
    LocalOutlierFactor,
    NearestNeighbors,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_outliers_train

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.utils.estimator_checks import assert_same_state, check_unlearner
from tests.exact._data import training_rows

ESTIMATORS = [
    RadiusNeighborsClassifier(1.5, outlier_label="most_frequent"),
    RadiusNeighborsRegressor(3.0),
    NearestNeighbors(algorithm="kd_tree"),
    LocalOutlierFactor(n_neighbors=10, novelty=True, contamination=0.1),
    KernelDensity(bandwidth="scott"),
]


def rows_for(estimator):
    """Rows with copies and an outlier, and a target if there is to be one."""
    if is_classifier(estimator):
        X, _ = training_rows()
        y = np.array(["a", "b", "c"])[np.arange(300) % 3]
    else:
        number = isinstance(estimator, RadiusNeighborsRegressor)
        X, y = training_rows("number" if number else None)
    X[40:80] = X[0]  # copies, of all three classes
    X[7] = 1e9
    return X, y


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
@pytest.mark.parametrize(
    "requests",
    [
        [np.arange(10)],
        [[7], [299], [0, 45], np.arange(60, 80)],
        [np.arange(0, 300, 3)],
        [np.arange(20, 300)],
    ],
    ids=["some", "in steps", "class", "most"],
)
def test_bit_for_bit(estimator, requests):
    X, y = rows_for(estimator)
    ids = np.arange(300)
    model = ExactUnlearner(estimator).fit(X, y, groups=ids)
    for request in requests:
        model.unlearn(groups=request)
        ids = np.setdiff1d(ids, request)
    reference = type(estimator)(**estimator.get_params())
    reference.fit(X[ids], None if y is None else y[ids])
    assert_same_state(model.estimator_, reference, rtol=0)
    for method in ("predict", "score_samples"):
        if hasattr(reference, method):
            ours, theirs = (getattr(e, method)(X[ids]) for e in (model, reference))
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_cost_and_guarantee(estimator):
    X, y = rows_for(estimator)
    model = ExactUnlearner(estimator).fit(X, y)
    assert model.unlearning_cost(X[1:2]).path == "refit"
    assert get_tags(model).unlearner_tags.guarantee == "exact"


def test_outliers():
    model = ExactUnlearner(LocalOutlierFactor(novelty=True))
    assert not hasattr(model, "offset_")
    check_outliers_train("ExactUnlearner", model)
    check_unlearner(model)
    X, _ = rows_for(model)
    model.fit(X).unlearn(X[[7]])
    gap = model.score_samples(X) - model.offset_
    np.testing.assert_array_equal(model.decision_function(X), gap)
    assert (model.predict(X)[7], model.predict(X)[0]) == (-1, 1)
