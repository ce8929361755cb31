"""What the models before and after a request tell together."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sklearn_unlearn.audit.attacks import update_leakage_error, update_membership_auc
from sklearn_unlearn.exact import ExactUnlearner


def rows(seed, n_rows=3000, n_features=8, n_outputs=1):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(n_features, n_features))
    X = rng.normal(size=(n_rows, n_features)) @ mixing + 3
    X_public = rng.normal(size=(2000, n_features)) @ mixing + 3
    y = X @ rng.normal(size=(n_features, n_outputs)) + rng.normal(
        size=(n_rows, n_outputs)
    )
    return X, y[:, 0] if n_outputs == 1 else y, X_public


def before_and_after(estimator, X, y, n_forget=1):
    before = ExactUnlearner(estimator).fit(X, y)
    after = ExactUnlearner(estimator).fit(X, y)
    return before, after.unlearn(X[:n_forget], y[:n_forget])


@pytest.mark.parametrize(
    "estimator",
    [Ridge(), Ridge(alpha=100.0, fit_intercept=False), LinearRegression()],
    ids=repr,
)
def test_ridge_shows_the_row(estimator):
    for seed in range(5):
        X, y, X_public = rows(seed)
        models = before_and_after(estimator, X, y)
        exact = update_leakage_error(*models, X[:1], X_public=X[1:])
        assert exact > 1 - 1e-6, "with the covariance of the training rows"
        value, null = update_leakage_error(
            *models, X[:1], X_public=X_public, n_retained=2999, return_null=True
        )
        assert value > 0.99
        assert null < 0.6 or not estimator.fit_intercept


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_shows_the_row(n_classes):
    X, scores, X_public = rows(0, n_outputs=n_classes)
    y = (
        scores / scores.std() + np.random.default_rng(0).gumbel(size=scores.shape)
    ).argmax(1)
    models = before_and_after(LogisticRegression(max_iter=1000), X, y)
    assert update_leakage_error(*models, X[:1], X_public=X[1:]) > 0.999
    value, null = update_leakage_error(
        *models, X[:1], X_public=X_public, return_null=True, random_state=0
    )
    assert value > 0.97
    assert null < 0.6


def test_several_rows_show_their_span():
    X, y, _ = rows(0, n_outputs=3)
    models = before_and_after(Ridge(), X, y, n_forget=3)
    # three outputs, three rows: the whole span
    each = update_leakage_error(*models, X[:3], X_public=X[3:], average=None)
    assert (each > 1 - 1e-6).all()
    X, y, _ = rows(0)
    models = before_and_after(Ridge(), X, y, n_forget=3)
    each = update_leakage_error(*models, X[:3], X_public=X[3:], average=None)
    assert each.min() < 0.9, "one output tells one direction"
    largest = update_leakage_error(*models, X[:3], X_public=X[3:])
    assert largest == each.max()


def test_a_model_that_has_not_moved_shows_nothing():
    X, y, X_public = rows(0, 300)
    model = Ridge().fit(X, y)
    assert update_leakage_error(model, model, X[:1], X_public=X_public) == 0


def test_models_without_coefficients_are_refused():
    X, y, X_public = rows(0, 300)
    tree = DecisionTreeRegressor().fit(X, y)
    pipeline = make_pipeline(StandardScaler(), Ridge()).fit(X, y)
    model = Ridge().fit(X, y)
    with pytest.raises(ValueError, match="the 8 features of the models"):
        update_leakage_error(model, model, X[:1, 1:], X_public=X_public)
    for model in (tree, pipeline):
        with pytest.raises(ValueError, match="linear model with coef_"):
            update_leakage_error(model, model, X[:1], X_public=X_public)


@pytest.mark.parametrize(
    "estimator", [KNeighborsClassifier(3), KNeighborsRegressor(3)], ids=repr
)
def test_two_versions_tell_which_rows_went(estimator):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), rng.integers(3, size=300)
    if isinstance(estimator, KNeighborsRegressor):
        y = rng.normal(size=300)
    X, y, X_unseen, y_unseen = X[:200], y[:200], X[200:], y[200:]
    before, after = before_and_after(estimator, X, y, 40)
    forgotten = X[:40], y[:40]
    found = update_membership_auc(
        before, after, *forgotten, X_unseen, y_unseen, return_interval=True
    )
    assert found.low > 0.55
    # neither version alone tells so much, and the same one twice tells nothing
    same = update_membership_auc(after, after, *forgotten, X_unseen, y_unseen)
    assert same == 0.5
