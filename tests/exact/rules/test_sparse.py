"""Every rule forgets sparse rows, if only by a fit."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import get_tags

from tests.exact._data import estimators_with_rules
from tests.exact._refit import forget_rows, refit

# centring would make sparse rows dense: scikit-learn refuses
SETTINGS = {
    "StandardScaler": {"with_mean": False},
    "RobustScaler": {"with_centering": False},
    "SVC": {"gamma": 0.3, "tol": 1e-10},
    "RadiusNeighborsClassifier": {"radius": 100.0},
    "RadiusNeighborsRegressor": {"radius": 100.0},
    "LocalOutlierFactor": {"novelty": True},
}
METHODS = "predict", "predict_proba", "decision_function", "transform", "kneighbors"


def sparse_takers():
    """An instance of every estimator that has a rule and takes sparse rows."""
    for estimator in estimators_with_rules(composites=False):
        name = type(estimator).__name__
        estimator.set_params(**SETTINGS.get(name, {}))
        if "random_state" in estimator.get_params():
            estimator.set_params(random_state=0)
        if get_tags(estimator).input_tags.sparse:
            yield pytest.param(estimator, id=name)


def sparse_rows(estimator, n_rows=150):
    """Counts, most of them zero, and a target if there must be one."""
    rng = np.random.default_rng(0)
    X = rng.poisson(0.7, size=(n_rows, 6)).astype(float)
    X[:, 0] *= rng.normal(size=n_rows) ** 2
    y = X @ [1.0, -1.0, 0.5, 0.0, 2.0, 1.0] + rng.normal(size=n_rows)
    if is_classifier(estimator):
        y = np.digitize(y, [1.0, 4.0])
    elif not is_regressor(estimator) and not get_tags(estimator).target_tags.required:
        y = None
    return X, y


def dense(values):
    return values.toarray() if sparse.issparse(values) else np.asarray(values)


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("estimator", sparse_takers())
def test_sparse_rows_are_forgotten(estimator, form):
    X, y = sparse_rows(estimator)
    rows = form(X)
    order = np.random.default_rng(1).permutation(len(X))[:12]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, keep = forget_rows(estimator, rows, y, np.split(order, [8, 11]))
        reference = refit(estimator, rows, y, keep)
        compared = 0
        for method in METHODS:
            if hasattr(reference, method):
                ours = dense(getattr(model.estimator_, method)(rows))
                theirs = dense(getattr(reference, method)(rows))
                if ours.dtype.kind == "f":
                    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-8)
                else:
                    np.testing.assert_array_equal(ours, theirs)
                compared += 1
    assert compared
