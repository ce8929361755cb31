"""RidgeCV chooses its penalty as a fit on the retained rows does."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import find_residue
from tests.exact._data import training_rows
from tests.exact._refit import (
    do_nothing,
    forget_and_compare,
    forget_rows,
    refit,
)

N_ROWS = 500
ALPHAS = np.logspace(-3, 4, 9)

CASES = {
    "default": (RidgeCV(), "number"),
    "one penalty": (RidgeCV(3.0), "column"),
    "errors kept": (RidgeCV(ALPHAS, store_cv_results=True), "number"),
    "errors of two kept": (RidgeCV(ALPHAS, store_cv_results=True), "numbers"),
    "a penalty each": (RidgeCV(ALPHAS, alpha_per_target=True), "numbers"),
    "a penalty for one": (RidgeCV(ALPHAS, alpha_per_target=True), "column"),
    "through zero": (RidgeCV(ALPHAS, fit_intercept=False), "number"),
    "by singular values": (RidgeCV(ALPHAS, gcv_mode="svd"), "number"),
    "by eigenvalues": (RidgeCV(ALPHAS, gcv_mode="eigen"), "number"),
    "same penalties": (RidgeCV([1.0, 5.0, 1.0, 5.0]), "number"),
}
RNG = np.random.default_rng(5)
REQUESTS = {
    "random": [RNG.choice(N_ROWS, 20, replace=False)],
    "one by one": RNG.choice(N_ROWS, 50, replace=False)[:, None],
    "a block": [np.arange(128, 256)],
    "extremes": None,
    "all but six": [np.r_[3:200, 203:N_ROWS]],
    "all but two": [np.r_[1:200, 201:N_ROWS]],
}


def case(name, kind="random"):
    """Estimator, rows, targets and requests."""
    estimator, target = CASES[name]
    X, y = training_rows(target, N_ROWS, uneven=True)
    requests = REQUESTS[kind]
    if kind == "extremes":
        requests = [np.unique(np.r_[X.argmax(axis=0), X.argmin(axis=0)])]
    return estimator, X, y, requests


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("name", CASES)
def test_equals_refit(name, kind):
    estimator, X, y, requests = case(name, kind)
    forget_and_compare(estimator, X, y, requests, fast="all but" not in kind)


@pytest.mark.parametrize("kind", REQUESTS)
def test_the_old_model_does_not_pass(kind):
    estimator, X, y, requests = case("errors kept", kind)
    with do_nothing(estimator), pytest.raises(AssertionError, match="differ"):
        forget_and_compare(estimator, X, y, requests)


def rows_that_choose(n_bad=30):
    """Clean rows, for which little is best, and some of wild targets, which are few."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 20))
    y = X @ rng.normal(size=20) + 0.1 * rng.normal(size=200)
    y[:n_bad] = 100 * rng.normal(size=n_bad)
    return X, y, np.arange(n_bad)


@pytest.mark.parametrize("planted", [False, True])
def test_the_rows_that_chose_the_penalty_go(planted):
    X, y, bad = rows_that_choose()
    estimator = RidgeCV(ALPHAS)
    before = refit(estimator, X, y)
    if planted:
        with do_nothing(estimator), pytest.raises(AssertionError, match="alpha_"):
            forget_and_compare(estimator, X, y, [bad])
        return
    model, reference = forget_and_compare(estimator, X, y, [bad[:9], bad[9:]])
    assert before.alpha_ >= 100 * reference.alpha_
    assert model.estimator_.alpha_ == reference.alpha_


@pytest.mark.parametrize("name", ["default", "errors of two kept", "through zero"])
@pytest.mark.parametrize("weight", ["each", 2.0])
def test_weights(name, weight):
    estimator, X, y, _ = case(name)
    if weight == "each":
        weight = np.random.default_rng(2).integers(0, 5, N_ROWS) / 2
    params = {"sample_weight": weight}
    requests = [np.arange(30), [200], np.arange(300, 340)]
    fast = np.ndim(weight) == 1
    forget_and_compare(estimator, X, y, requests, params, fast=fast)


def test_copies_and_constant_columns():
    X, y = training_rows("number", N_ROWS, uneven=True)
    X = np.column_stack([X, np.full(N_ROWS, 0.7)])
    X[300:350], y[300:350] = X[:50], y[:50]  # of copies the last goes
    X[60, 4] = 50.0  # the column is constant without this row
    requests = [np.arange(300, 320), [60], np.arange(320, 350)]
    forget_and_compare(RidgeCV(), X, y, requests)


@pytest.mark.parametrize("kind", ["nothing to explain", "no noise", "zero"])
def test_scores_that_are_rounding_are_scikit_learns(kind):
    X, y = training_rows("number", N_ROWS, uneven=True)
    y = {
        "nothing to explain": np.full(N_ROWS, 3.0),
        "no noise": X @ [100.0, 1.0, 0.1, -1.0],
        "zero": np.zeros(N_ROWS),
    }[kind]
    estimator = RidgeCV([1e-9, 1e-6])
    model, keep = forget_rows(estimator, X, y, [np.arange(5), [9]])
    reference = refit(estimator, X, y, keep)
    assert model.estimator_.alpha_ == reference.alpha_
    assert model.estimator_.best_score_ == reference.best_score_


def test_collinear_columns_and_rows_of_their_own():
    X, y = training_rows("number", N_ROWS, uneven=True)
    rng = np.random.default_rng(0)
    level = rng.integers(0, 4, N_ROWS)
    level[77] = 4  # the only row of its level
    X = np.column_stack([X, np.eye(5)[level]])  # which add up to the intercept
    for alphas in ([0.1, 1.0], [1e-6, 1e-3]):
        forget_and_compare(RidgeCV(alphas), X, y, [[3], [4, 5]], rtol=1e-7)


@pytest.mark.parametrize(
    "estimator",
    [RidgeCV(cv=3), RidgeCV(scoring="neg_mean_absolute_error")],
    ids=["splits", "scorer"],
)
def test_splits_and_scorers_are_left_to_a_fit(estimator):
    X, y = training_rows("number", N_ROWS, uneven=True)
    model, _ = forget_and_compare(estimator, X, y, [[0], [7]], rtol=0)
    assert model.unlearning_cost(X[1:2]).path == "refit"


def test_three_hundred_requests_do_not_drift():
    X, y = training_rows("number", N_ROWS, uneven=True)
    estimator = RidgeCV(ALPHAS, store_cv_results=True)
    order = np.random.default_rng(3).permutation(N_ROWS)[:300]
    forget_and_compare(estimator, X, y, order[:, None], fast=True)


def test_an_outlier_leaves_no_rounding_behind():
    X, y = training_rows("number", N_ROWS, uneven=True)
    X[300] *= 1e9
    forget_and_compare(RidgeCV(), X, y, [[300]])


def test_nothing_holds_a_forgotten_row():
    estimator, X, y, requests = case("errors kept")
    model, keep = forget_rows(estimator, X, y, requests)
    assert find_residue(model, X[~keep], X[keep]) == []
    assert len(model.estimator_.cv_results_) == keep.sum()


def test_in_a_pipeline():
    X, y = training_rows("number", N_ROWS, uneven=True)
    pipe = make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(X, y)
    pipe.unlearn(X[:30], y[:30]).unlearn(X[30:31])
    reference = make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(X[31:], y[31:])
    assert pipe[-1].alpha_ == reference[-1].alpha_
    np.testing.assert_allclose(pipe.predict(X), reference.predict(X), rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(CASES)),
    seed=st.integers(0, 10**6),
    n_rows=st.integers(12, 400),
    share=st.floats(0.01, 0.8),
    n_requests=st.integers(1, 4),
)
def test_any_requests_equal_refit(name, seed, n_rows, share, n_requests):
    estimator, target = CASES[name]
    X, y = training_rows(target, n_rows, seed, uneven=True)
    rng = np.random.default_rng(seed)
    X[rng.integers(0, n_rows, n_rows // 4)] = X[0]  # copies
    n_forget = max(n_requests, int(share * (n_rows - 8)))
    chosen = rng.choice(n_rows, n_forget, replace=False)
    requests = np.array_split(chosen, n_requests)
    forget_and_compare(estimator, X, y, requests, prepared=False, rtol=1e-7)
