"""Every rule equals refitting, whatever is forgotten and in whatever order."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    NearestCentroid,
)
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from sklearn_unlearn.exact import ExactUnlearner, find_rule
from tests.exact._data import training_rows
from tests.exact._refit import forget_and_compare

RULES = {
    "scaler": (StandardScaler(), None),
    "scaler without mean": (StandardScaler(with_mean=False), None),
    "min-max": (MinMaxScaler(feature_range=(-1, 2)), None),
    "pca": (PCA(3), None),
    "pca by share": (PCA(0.9), None),
    "imputer": (SimpleImputer(add_indicator=True), None),
    "imputer of medians": (SimpleImputer(strategy="median"), None),
    "least squares": (LinearRegression(), "number"),
    "ridge": (Ridge(alpha=2.0), "number"),
    "ridge through zero": (Ridge(fit_intercept=False), "number"),
    "ridge, two targets": (Ridge(alpha=np.array([1.0, 3.0])), "numbers"),
    "naive Bayes": (GaussianNB(), "three"),
    "neighbours": (KNeighborsClassifier(), "three"),
    "neighbours, regression": (KNeighborsRegressor(), "number"),
    "logistic": (LogisticRegression(max_iter=500), "three"),
    "logistic, two classes": (LogisticRegression(C=0.3, max_iter=500), "two"),
    "logistic, balanced": (
        LogisticRegression(class_weight="balanced", max_iter=500),
        "three",
    ),
}
# what is tested elsewhere, but for drifting
OTHERS = {
    "discriminant": (LinearDiscriminantAnalysis(), "three"),
    "centroid": (NearestCentroid(), "three"),
}


def case(name, n_rows=700, seed=0):
    """Estimator, rows and targets."""
    estimator, target = {**RULES, **OTHERS}[name]
    X, y = training_rows(target, n_rows, seed, uneven=True)
    if "imputer" in name:
        X[np.random.default_rng(seed + 1).random(X.shape) < 0.05] = np.nan
    return estimator, X, y


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("kind", ["random", "one by one", "block", "extremes", "half"])
def test_equals_refit(name, kind):
    estimator, X, y = case(name)
    rng = np.random.default_rng(1)
    requests = {
        "random": [rng.choice(700, 30, replace=False)],
        "one by one": rng.choice(700, 12, replace=False)[:, None],
        "block": [np.arange(256, 512)],  # a whole block of the store
        "extremes": [np.unique(np.r_[X.argmax(axis=0), X.argmin(axis=0)])],
        "half": [np.arange(0, 700, 2)],
    }[kind]
    forget_and_compare(estimator, X, y, requests, prepared=False)


@pytest.mark.parametrize("name", ["scaler", "ridge", "naive Bayes", "logistic"])
def test_sample_weight(name):
    estimator, X, y = case(name)
    weight = np.random.default_rng(2).integers(1, 5, size=len(X)).astype(float) / 2
    requests = [np.arange(40, 90), np.array([600])]
    forget_and_compare(estimator, X, y, requests, {"sample_weight": weight})


def test_one_weight_for_all_rows():
    X, y = training_rows("number", uneven=True)
    model = ExactUnlearner(Ridge(10.0)).fit(X, y, sample_weight=5.0)
    model.prepare().unlearn(X[:3])
    reference = Ridge(10.0).fit(X[3:], y[3:], sample_weight=5.0)
    np.testing.assert_allclose(model.estimator_.coef_, reference.coef_, rtol=1e-9)
    assert model.unlearning_cost(X[3:4]).path == "refit"


@pytest.mark.parametrize("name", ["scaler", "ridge", "naive Bayes"])
@pytest.mark.parametrize("outlier", [1e9, 1e13])
def test_an_outlier_leaves_no_rounding_behind(name, outlier):
    # sums would keep the outlier's rounding error for ever after it is gone
    estimator, X, y = case(name)
    X[300] *= outlier
    forget_and_compare(estimator, X, y, [[300]])


def test_a_column_that_becomes_constant():
    X, _ = training_rows(n_rows=700, uneven=True)
    X[:, 1] = 0.1
    X[[5, 17], 1] = 7.0
    model, reference = forget_and_compare(StandardScaler(), X, None, [[5, 17]])
    assert model.estimator_.scale_[1] == 1.0 == reference.scale_[1]


def test_categories_that_only_the_forgotten_had():
    rng = np.random.default_rng(0)
    X = np.array([["red", "s"], ["green", "m"], ["blue", "l"]], dtype=object)
    X = X[rng.integers(0, 2, size=(600, 1)), [0, 1]].astype(object)
    X[[7, 450], 0] = "the colour of the forgotten"
    model = ExactUnlearner(OneHotEncoder(drop="first")).fit(X)
    model.unlearn(X[[7, 450]])
    reference = OneHotEncoder(drop="first").fit(np.delete(X, [7, 450], axis=0))
    for ours, theirs in zip(
        model.estimator_.categories_, reference.categories_, strict=True
    ):
        assert ours.tolist() == theirs.tolist()


def test_logistic_regression_goes_to_the_optimum():
    X, y = training_rows("three", 3000)
    model = ExactUnlearner(LogisticRegression()).fit(X, y)
    before = model.estimator_.coef_
    model.unlearn(X[:10], y[:10])
    optimum = LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=1000)
    optimum.fit(X[10:], y[10:])
    scale = np.abs(optimum.coef_).max()
    gap = np.abs(model.estimator_.coef_ - optimum.coef_).max() / scale
    gap_before = np.abs(before - optimum.coef_).max() / scale
    assert gap <= 1e-8
    # warm-started solvers stop at once and pass a loose test with old coefficients
    assert gap_before > 100 * gap


@pytest.mark.parametrize("class_weight", ["balanced", {0: 3.0, 1: 0.5, 2: 1.0}])
def test_weights_of_classes_are_those_of_the_estimator(class_weight):
    X, y = load_iris(return_X_y=True)
    X, y = X[20:], y[20:]
    weight = 1.0 + np.arange(len(y)) % 3
    options = {"class_weight": class_weight, "max_iter": 1000}
    plain = LogisticRegression(tol=1e-10, **options).fit(X, y, weight)
    model = ExactUnlearner(LogisticRegression(**options)).fit(
        X, y, sample_weight=weight
    )
    np.testing.assert_allclose(model.estimator_.coef_, plain.coef_, atol=1e-4)
    model.unlearn(X[-7:])
    plain.fit(X[:-7], y[:-7], weight[:-7])
    np.testing.assert_allclose(model.estimator_.coef_, plain.coef_, atol=1e-4)


def test_a_rule_is_not_inherited():
    class Shifted(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            return super().fit(np.asarray(X) + 1.0)

    assert find_rule(StandardScaler()).path == "summaries"
    assert find_rule(Shifted()).path == "refit"
    X, _ = training_rows(n_rows=700, uneven=True)
    model = ExactUnlearner(Shifted()).fit(X).unlearn(X[:9])
    np.testing.assert_array_equal(model.estimator_.mean_, Shifted().fit(X[9:]).mean_)


def test_a_thousand_requests_do_not_drift():
    X, _ = training_rows(n_rows=1300, uneven=True)
    model = ExactUnlearner(StandardScaler()).fit(X)
    for row in X[:1000]:
        model.unlearn(row[None])
    reference = StandardScaler().fit(X[1000:])
    np.testing.assert_allclose(model.estimator_.mean_, reference.mean_, rtol=1e-13)
    np.testing.assert_allclose(model.estimator_.var_, reference.var_, rtol=1e-12)


# those that are fitted again, or solved anew, cannot drift
NO_SUMS = ("logistic", "neighbours", "imputer of medians")
DRIFTING = [name for name in RULES if not name.startswith(NO_SUMS)]
DRIFTING += OTHERS


@pytest.mark.slow
@pytest.mark.parametrize("name", DRIFTING)
def test_ten_thousand_requests_do_not_drift(name):
    estimator, X, y = case(name, 11_000)
    requests = np.random.default_rng(3).permutation(len(X))[:10_000, None]
    forget_and_compare(estimator, X, y, requests, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(["scaler", "min-max", "ridge", "naive Bayes"]),
    seed=st.integers(0, 10**6),
    n_rows=st.integers(12, 600),
    share=st.floats(0.01, 0.8),
    n_requests=st.integers(1, 4),
)
def test_any_requests_equal_refit(name, seed, n_rows, share, n_requests):
    estimator, X, y = case(name, n_rows, seed)
    rng = np.random.default_rng(seed)
    X[rng.integers(0, n_rows, n_rows // 4)] = X[0]  # copies
    n_forget = max(n_requests, int(share * (n_rows - 8)))
    chosen = rng.choice(n_rows, n_forget, replace=False)
    requests = [r for r in np.array_split(chosen, n_requests) if len(r)]
    forget_and_compare(estimator, X, y, requests, prepared=False, rtol=1e-7)
