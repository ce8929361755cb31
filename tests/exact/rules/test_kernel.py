"""Kernel ridge regression and Gaussian processes lose rows as if never fitted."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import ExactUnlearner, find_rule
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import (
    assert_same_state,
    check_no_residue,
    find_residue,
)
from tests.exact._data import training_rows
from tests.exact._refit import (
    SOLVER,
    do_nothing,
    forbid_fits,
    forget_and_compare,
    forget_rows,
    refit,
    spread_of_refits,
)

N_ROWS = 160
NOISY = {"alpha": 0.1, "optimizer": None}


def exponential(a, b, scale=1.0):
    return np.exp(-np.abs(a - b).sum() / scale)


CASES = {
    "rbf": (KernelRidge(kernel="rbf", alpha=0.3), "number"),
    "linear": (KernelRidge(alpha=2.0), "number"),
    "a penalty each": (KernelRidge(kernel="poly", alpha=[0.5, 3.0]), "numbers"),
    "a column of targets": (KernelRidge(kernel="laplacian", gamma=0.2), "column"),
    "callable": (
        KernelRidge(kernel=exponential, kernel_params={"scale": 2.0}),
        "number",
    ),
    "process": (GaussianProcessRegressor(RBF(1.5), **NOISY), "number"),
    "noise in the kernel": (
        GaussianProcessRegressor(RBF(1.5) + WhiteKernel(0.2), optimizer=None),
        "column",
    ),
    "normalized": (GaussianProcessRegressor(normalize_y=True, **NOISY), "numbers"),
    "nothing to optimize": (
        GaussianProcessRegressor(
            ConstantKernel(2.0, "fixed") * RBF(1.0, "fixed"), alpha=0.1
        ),
        "number",
    ),
}
RNG = np.random.default_rng(5)
REQUESTS = {
    "random": [RNG.choice(N_ROWS, 8, replace=False)],
    "one by one": RNG.choice(N_ROWS, 50, replace=False)[:, None],
    "the first": [[0], [1], [2]],
    "the last": [[N_ROWS - 1], [N_ROWS - 2]],
    "extremes": None,
    "most": [np.arange(10, N_ROWS - 10)],
    "all but two": [np.r_[0:77, 78:100, 101:N_ROWS]],
}


def case(name, kind="random"):
    """Estimator, rows, targets and requests."""
    estimator, target = CASES[name]
    X, y = training_rows(target, N_ROWS)
    requests = REQUESTS[kind]
    if kind == "extremes":
        requests = [np.unique(np.r_[X.argmax(axis=0), X.argmin(axis=0)])]
    return estimator, X, y, requests


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("name", CASES)
def test_equals_refit(name, kind):
    estimator, X, y, requests = case(name, kind)
    # a kernel that is called pair by pair, and a process of few rows, may be refitted
    fast = kind not in ("most", "all but two") or isinstance(estimator, KernelRidge)
    forget_and_compare(estimator, X, y, requests, fast=fast)


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("name", ["rbf", "process"])
def test_the_old_model_does_not_pass(name, kind):
    estimator, X, y, requests = case(name, kind)
    with do_nothing(estimator), pytest.raises(AssertionError, match="differ"):
        forget_and_compare(estimator, X, y, requests)


@pytest.mark.parametrize("name", ["rbf", "process"])
def test_copies_and_constant_columns(name):
    estimator, X, y, _ = case(name)
    X = np.column_stack([X, np.full(N_ROWS, 0.7)])
    X[80:120], y[80:120] = X[:40], y[:40]  # of copies the last goes
    # the constant column is one only once the row is gone, too
    X[60, 3] = 50.0
    requests = [np.arange(80, 90), [60], np.arange(90, 120)]
    forget_and_compare(estimator, X, y, requests, fast=name == "rbf")


@pytest.mark.parametrize(
    "estimator",
    [
        KernelRidge(kernel="rbf", gamma=30.0, alpha=0.1),
        GaussianProcessRegressor(RBF(0.2), alpha=0.5, normalize_y=True, optimizer=None),
    ],
    ids=["ridge", "process"],
)
def test_real_rows(estimator):
    X, y = load_diabetes(return_X_y=True)
    oldest = np.argsort(-X[:, 0])[:24]
    forget_and_compare(estimator, X, y, [oldest[:20], oldest[20:]], fast=True)


@pytest.mark.parametrize("weight", ["each", 2.0, 3, 1.0])
def test_weights(weight):
    X, y = training_rows("numbers", N_ROWS)
    if weight == "each":
        weight = np.random.default_rng(1).integers(0, 4, N_ROWS) / 2
    estimator = KernelRidge(kernel="rbf", alpha=0.3)
    requests = [np.arange(5), [70], [90]]
    params = {"sample_weight": weight}
    forget_and_compare(estimator, X, y, requests, params, fast=True)


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array])
def test_sparse_rows(form):
    X, y = training_rows("number", N_ROWS)
    X = form(np.where(X > 0, X, 0))
    estimator = KernelRidge(kernel="rbf", alpha=0.3)
    model = ExactUnlearner(estimator).fit(X, y).prepare()
    with forbid_fits(estimator):
        model.unlearn(X[:5], y[:5])
    reference = KernelRidge(kernel="rbf", alpha=0.3).fit(X[5:], y[5:])
    np.testing.assert_allclose(model.predict(X), reference.predict(X), rtol=1e-9)
    assert model.estimator_.X_fit_.shape == (N_ROWS - 5, 3)


@pytest.mark.parametrize("name", ["rbf", "a penalty each", "process", "normalized"])
def test_three_hundred_requests_do_not_drift(name):
    estimator, target = CASES[name]
    X, y = training_rows(target, 360)
    order = np.random.default_rng(3).permutation(360)[:300]
    forget_and_compare(estimator, X, y, order[:, None], rtol=1e-10)


@pytest.mark.parametrize(
    "estimator",
    [
        KernelRidge(kernel="rbf", gamma=0.01, alpha=1e-10),
        KernelRidge(kernel="rbf", gamma=0.01, alpha=1e-6),
        GaussianProcessRegressor(RBF(5.0), alpha=1e-10, optimizer=None),
    ],
    ids=["ridge", "ridge with more penalty", "process"],
)
def test_ill_conditioned_kernels(estimator):
    X, y = training_rows("number", N_ROWS)
    requests = np.random.default_rng(2).choice(N_ROWS, 50, replace=False)[:, None]
    model, keep = forget_rows(estimator, X, y, requests)
    reference = refit(estimator, X, y, keep)
    spread = spread_of_refits(
        lambda order: refit(estimator, X[keep][order], y[keep][order]),
        lambda fit: fit.predict(X),
        keep.sum(),
    )
    gap = np.abs(model.predict(X) - reference.predict(X)).max()
    scale = np.abs(reference.predict(X)).max()
    assert gap <= max(1e-8 * scale, 10 * spread)


@pytest.mark.parametrize("name", ["rbf", "process", "normalized"])
def test_nothing_holds_a_forgotten_row(name):
    estimator, X, y, requests = case(name)
    model, keep = forget_rows(estimator, X, y, requests)
    gone = X[~keep]
    assert find_residue(model, gone, X[keep]) == []
    with do_nothing(estimator):
        planted, _ = forget_rows(estimator, X, y, requests)
    assert find_residue(planted, gone, X[keep])
    n_kept = keep.sum()
    for thing in vars(model.estimator_).values():
        assert not isinstance(thing, np.ndarray) or N_ROWS not in thing.shape
    assert len(pickle.loads(pickle.dumps(model)).estimator_.predict(gone)) == len(gone)
    if name != "rbf":
        assert model.estimator_.L_.shape == (n_kept, n_kept)
    check_no_residue("ExactUnlearner", ExactUnlearner(estimator))


@pytest.mark.parametrize("sign", [-1, 1])
def test_digits_that_are_lost_in_either_direction(sign):
    # two rows that nearly cancel: a correction has the sign of the targets, or not
    X, y = np.array([[1.3], [-1.3], [0.5]]), sign * np.array([1.0, 0.7, 2.0])
    model = ExactUnlearner(KernelRidge(alpha=1e-12)).fit(X, y).unlearn(X[2:])
    reference = KernelRidge(alpha=1e-12).fit(X[:2], y[:2])
    np.testing.assert_array_equal(model.estimator_.dual_coef_, reference.dual_coef_)


def test_an_optimized_kernel_is_fitted_again():
    X, y = training_rows("number", 60)
    estimator = GaussianProcessRegressor(RBF(1.0), alpha=0.1)
    assert find_rule(estimator).guarantee(estimator) == "exact"
    model, _ = forget_and_compare(estimator, X, y, [[3, 7]], rtol=0)
    assert model.unlearning_cost(X[:1]).path == "refit"
    assert model.estimator_.kernel_ != refit(estimator, X, y).kernel_


def test_many_targets():
    X, _ = training_rows("number", N_ROWS)
    targets = X @ np.random.default_rng(0).normal(size=(3, 20))
    estimator = KernelRidge(kernel="rbf", alpha=0.3)
    forget_and_compare(estimator, X, targets, [[0], [7, 8]], fast=True)


def test_many_penalties_are_fitted_again():
    X, _ = training_rows("number", N_ROWS)
    targets = X @ np.random.default_rng(0).normal(size=(3, 6))
    estimator = KernelRidge(alpha=np.arange(1.0, 7.0))
    forget_and_compare(estimator, X, targets, [[0], [7]])


@pytest.mark.parametrize("name", ["rbf", "process"])
def test_a_model_that_was_fitted_on_rows_in_another_order(name):
    estimator, X, y, _ = case(name)
    order = np.random.default_rng(4).permutation(N_ROWS)
    frozen = FrozenEstimator(refit(estimator, X, y, order))
    model = ExactUnlearner(frozen).fit(X, y).prepare().unlearn(X[:4], y[:4])
    reference = refit(estimator, X, y, np.arange(4, N_ROWS))
    assert_same_state(model.estimator_, reference, ignore=SOLVER)


@pytest.mark.parametrize("name", ["rbf", "process"])
def test_rows_given_again_and_rows_that_move(name):
    estimator, X, y, _ = case(name)
    reference = refit(estimator, X, y, np.arange(4, N_ROWS))
    model = ExactUnlearner(estimator, store_training_data=False).fit(X, y)
    model.unlearn(X[:4], y[:4], X_retain=X[4:], y_retain=y[4:])
    assert_same_state(model.estimator_, reference, ignore=SOLVER)
    pipe = make_pipeline(StandardScaler(), estimator).fit(X, y).unlearn(X[:4], y[:4])
    pipe.unlearn(X[4:6], y[4:6])
    again = make_pipeline(StandardScaler(), estimator).fit(X[6:], y[6:])
    np.testing.assert_allclose(pipe.predict(X), again.predict(X), rtol=1e-8)


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(["rbf", "a penalty each", "process", "normalized"]),
    seed=st.integers(0, 10**6),
    n_rows=st.integers(6, 90),
    share=st.floats(0.01, 0.9),
    n_requests=st.integers(1, 4),
)
def test_any_requests_equal_refit(name, seed, n_rows, share, n_requests):
    estimator, target = CASES[name]
    X, y = training_rows(target, n_rows, seed)
    rng = np.random.default_rng(seed)
    X[rng.integers(0, n_rows, n_rows // 4)] = X[0]  # copies
    n_forget = max(n_requests, int(share * (n_rows - 2)))
    chosen = rng.choice(n_rows, n_forget, replace=False)
    requests = np.array_split(chosen, n_requests)
    forget_and_compare(estimator, X, y, requests, prepared=False)
