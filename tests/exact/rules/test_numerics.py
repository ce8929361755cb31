"""Data on which a rule could go wrong without notice."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import ExactUnlearner

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
TARGET = X.sum(axis=1) + RNG.normal(size=200)
LABEL = RNG.integers(0, 3, 200)


def unlearned_and_refit(estimator, rows, y, n_forget=5):
    """Forget the first rows twice, from summaries made before."""
    model = ExactUnlearner(estimator).fit(rows, y).prepare()
    model.unlearn(rows[: n_forget - 1]).unlearn(rows[n_forget - 1 : n_forget])
    rest = None if y is None else y[n_forget:]
    return model, ExactUnlearner(estimator).fit(rows[n_forget:], rest)


@pytest.mark.parametrize("constant", [0.3, 1 / 3, 5 / 7, 1e-3 / 7, 333333.3])
@pytest.mark.parametrize("estimator", [LinearRegression(), Ridge(1e-10), Ridge()])
def test_a_constant_column_has_no_coefficient(estimator, constant):
    rows = np.column_stack([X, np.full(200, constant)])
    model, reference = unlearned_and_refit(estimator, rows, TARGET)
    moved = rows + np.array([0, 0, 0, 0.01])
    np.testing.assert_allclose(
        model.predict(moved), reference.predict(moved), rtol=1e-8, atol=1e-8
    )


def test_a_column_becomes_constant_for_least_squares():
    rows = np.column_stack([X, np.full(200, 0.7)])
    rows[:5, 3] = RNG.normal(size=5)
    model, reference = unlearned_and_refit(LinearRegression(), rows, TARGET)
    assert model.estimator_.rank_ == reference.estimator_.rank_ == 3
    np.testing.assert_allclose(model.predict(rows), reference.predict(rows), rtol=1e-8)


@pytest.mark.parametrize("scale", [1e7, 1e6, 1e-6, 1e-7])
def test_least_squares_cut_off_is_scikit_learns(scale):
    rows = X * [scale, 1.0, 1.0]
    model, reference = unlearned_and_refit(LinearRegression(), rows, TARGET)
    assert model.estimator_.rank_ == reference.estimator_.rank_
    np.testing.assert_allclose(model.predict(rows), reference.predict(rows), rtol=1e-8)


@pytest.mark.parametrize("offset", [1e4, 1e6, 1e8])
def test_logistic_regression_far_from_zero(offset):
    rows = X + np.array([offset, 0.0, 0.0])
    estimator = LogisticRegression(max_iter=200)
    model, reference = unlearned_and_refit(estimator, rows, LABEL)
    # the offset itself is rounded to 1e-16 * offset in every row
    np.testing.assert_allclose(
        model.predict_proba(rows), reference.predict_proba(rows), atol=1e-7
    )


def test_a_class_goes_from_balanced_weights():
    model = ExactUnlearner(LogisticRegression(class_weight="balanced")).fit(X, LABEL)
    model.unlearn(X[LABEL == 0])
    rest = LABEL != 0
    reference = ExactUnlearner(LogisticRegression(class_weight="balanced"))
    reference.fit(X[rest], LABEL[rest])
    np.testing.assert_allclose(
        model.predict_proba(X)[:, 1:], reference.predict_proba(X), atol=1e-10
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (GaussianNB(), LABEL),
        (SimpleImputer(), None),
        (StandardScaler(), None),
        (Ridge(), TARGET),
    ],
    ids=str,
)
def test_single_precision_is_that_of_the_fit(estimator, y, dtype):
    rows = X.astype(dtype)
    model, reference = unlearned_and_refit(estimator, rows, y)
    method = "predict" if hasattr(estimator, "predict") else "transform"
    ours, theirs = getattr(model, method)(rows), getattr(reference, method)(rows)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_pca_with_large_means_is_scikit_learns():
    rows = X + np.array([1e9, 0.0, 0.0])
    estimator = PCA(svd_solver="covariance_eigh")
    model, reference = unlearned_and_refit(estimator, rows, None)
    np.testing.assert_array_equal(
        model.estimator_.singular_values_, reference.estimator_.singular_values_
    )


def test_naive_bayes_takes_a_column_and_tiny_weights():
    with pytest.warns(UserWarning, match="column-vector"):
        model = ExactUnlearner(GaussianNB()).fit(X, LABEL[:, None])
    model.unlearn(X[:5])
    reference = clone(GaussianNB()).fit(X[5:], LABEL[5:])
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X))
    weight = np.where(LABEL == 0, 1e-12, 1.0)
    model = ExactUnlearner(GaussianNB()).fit(X, LABEL, sample_weight=weight)
    model.prepare().unlearn(X[:5])
    reference = GaussianNB().fit(X[5:], LABEL[5:], sample_weight=weight[5:])
    np.testing.assert_allclose(model.estimator_.theta_, reference.theta_)


@pytest.mark.parametrize("n_gone", [300, 3000])
def test_an_optimum_far_from_where_the_search_begins(n_gone):
    """Whole steps of Newton's method would overshoot: they are halved."""
    rng = np.random.default_rng(0)
    gone = rng.normal(size=(n_gone, 2))
    left = 5 * rng.normal(size=(40, 2))
    y_gone = gone[:, 0] > 0
    y_left = (left[:, 0] < 0) ^ (rng.random(40) < 0.45)
    X, y = np.concatenate([gone, left]), np.concatenate([y_gone, y_left])
    model = ExactUnlearner(LogisticRegression(C=1e5, max_iter=10_000))
    after = clone(model).fit(X, y).unlearn(gone).estimator_
    truth = clone(model).fit(left, y_left).estimator_
    np.testing.assert_allclose(after.coef_, truth.coef_, rtol=1e-8)


def test_many_scattered_rows_leave_a_factor():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.sin(X).sum(axis=1)
    model = ExactUnlearner(KernelRidge(alpha=0.1, kernel="rbf", gamma=0.5))
    gone = np.arange(300) % 7 == 0
    after = clone(model).fit(X, y).prepare().unlearn(X[gone])
    assert after.n_forgotten_ == 43
    truth = clone(model).fit(X[~gone], y[~gone])
    np.testing.assert_allclose(after.predict(X), truth.predict(X), rtol=1e-8)
