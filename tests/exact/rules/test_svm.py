"""Support vector machines: rows that are no support vectors go without a fit."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.svm import SVC

from sklearn_unlearn.exact import ExactUnlearner, find_rule
from sklearn_unlearn.utils.estimator_checks import (
    assert_same_state,
    check_unlearner,
    find_residue,
)
from tests.exact._data import training_rows
from tests.exact._refit import (
    SOLVER,
    do_nothing,
    forbid_fits,
    forget_rows,
    refit,
    spread_of_refits,
)

N_ROWS = 240
# what the solver finds; all else of a machine that is kept is that of a refit
SOLUTION = ("support_", "support_vectors_", "n_support_", "dual_coef_", "intercept_")
SOLUTION += ("_n_support", "_dual_coef_", "_intercept_", *SOLVER)
CASES = {
    "two classes": (SVC(gamma=0.3), "two"),
    "three classes": (SVC(gamma=0.3, break_ties=True), "three"),
    "one against one": (
        SVC(gamma=0.2, decision_function_shape="ovo", random_state=0),
        "three",
    ),
    "weights of classes": (SVC(gamma="auto", class_weight={0: 2.0, 1: 0.5}), "three"),
    "linear": (SVC(kernel="linear"), "two"),
    "polynomial": (SVC(kernel="poly", gamma=0.1, degree=2, coef0=1.0), "three"),
}


def others(fitted, n_rows=N_ROWS):
    """Positions of the rows that are no support vectors."""
    return np.setdiff1d(np.arange(n_rows), fitted.support_)


def assert_kept(model, reference, fit, X, y, test):
    """Raise AssertionError unless a machine that was kept is as good as a refit."""
    ours = model.estimator_
    assert ours.shape_fit_ == reference.shape_fit_, "the shape differs"
    vectors = X[ours.support_]
    assert abs(vectors - ours.support_vectors_).max() == 0, "the vectors differ"
    code = np.searchsorted(ours.classes_, y[ours.support_])
    assert (np.diff(code) >= 0).all(), "the vectors differ in their classes"
    gap = np.abs(ours.decision_function(test) - reference.decision_function(test)).max()
    spread = spread_of_refits(fit, lambda other: other.decision_function(test), len(y))
    assert gap <= 2 * spread + 1e-12, f"outputs differ by {gap}"


@pytest.mark.parametrize(
    ("form", "planted"),
    [(np.asarray, False), (np.asarray, True), (sparse.csr_array, False)],
    ids=["dense", "planted", "sparse"],
)
@pytest.mark.parametrize("kind", ["some", "one by one", "all", "first"])
@pytest.mark.parametrize("name", CASES)
def test_other_rows_go_without_a_fit(name, kind, form, planted):
    estimator, target = CASES[name]
    X, y = training_rows(target, N_ROWS)
    model = ExactUnlearner(estimator).fit(form(X), y).prepare()
    free = others(model.estimator_)
    assert len(free) > 6
    requests = {
        "some": [free[[1, 3, 5]]],
        "one by one": np.random.default_rng(0).permutation(free)[:50, None],
        "all": [free],
        "first": [free[:1]],
    }[kind]
    keep = np.ones(N_ROWS, dtype=bool)
    with forbid_fits(estimator):
        for request in requests:
            if planted:
                with do_nothing(estimator):
                    model.unlearn(form(X[request]), y[request])
            else:
                model.unlearn(form(X[request]), y[request])
            keep[request] = False
    rows, rest = form(X[keep]), y[keep]

    def fit(order):
        return clone(estimator).fit(rows[order], rest[order])

    reference = clone(estimator).fit(rows, rest)
    if planted:
        with pytest.raises((AssertionError, IndexError)):
            assert_kept(model, reference, fit, rows, rest, form(X))
        return
    assert_kept(model, reference, fit, rows, rest, form(X))
    assert_same_state(model.estimator_, reference, rtol=0, ignore=SOLUTION)


@pytest.mark.parametrize("planted", [False, True])
@pytest.mark.parametrize("kind", ["one", "many", "class", "all but two"])
@pytest.mark.parametrize("name", ["two classes", "three classes"])
def test_support_vectors_lead_to_a_fit(name, kind, planted):
    estimator, target = CASES[name]
    X, y = training_rows(target, N_ROWS)
    model = ExactUnlearner(estimator).fit(X, y).prepare()
    keep = np.ones(N_ROWS, dtype=bool)
    gone = {
        "one": model.estimator_.support_[:1],
        "many": np.r_[model.estimator_.support_[::9], others(model.estimator_)[:3]],
        "class": np.flatnonzero(y == y[0]),
        "all but two": np.setdiff1d(np.arange(N_ROWS), [0, np.argmax(y != y[0])]),
    }[kind]
    keep[gone] = False
    with do_nothing(estimator) if planted else warnings.catch_warnings():
        model.unlearn(X[gone], y[gone])
    if kind == "class" and name == "two classes" and not planted:
        assert (model.predict(X) == y[keep][0]).all()
        return
    if kind == "class" and name == "two classes":
        assert (model.predict(X) != y[keep][0]).any()
        return
    reference = refit(estimator, X, y, keep)
    if planted:
        with pytest.raises(AssertionError, match="differ"):
            assert_same_state(model.estimator_, reference, rtol=0, ignore=SOLVER)
    else:
        assert_same_state(model.estimator_, reference, rtol=0, ignore=SOLVER)


def test_an_intercept_that_other_rows_hold():
    # with all coefficients at their bounds the intercept lies between other rows
    rng = np.random.default_rng(26)
    X = rng.normal(size=(40, 2))
    y = (X[:, 0] + 2 * rng.normal(size=40) > 0).astype(int)
    estimator = SVC(gamma=0.3, C=0.02, tol=1e-10)
    free = others(clone(estimator).fit(X, y), 40)
    moved = []
    for row in free:
        model = ExactUnlearner(estimator).fit(X, y)
        before = model.estimator_.intercept_
        model.unlearn(X[row : row + 1])
        reference = refit(estimator, X, y, np.arange(40) != row)
        assert_same_state(model.estimator_, reference, ignore=SOLVER)
        moved.append(abs(before - reference.intercept_)[0])
    assert max(moved) > 1e-4


UNCOVERED = {
    "gamma of the data": SVC(),
    "balanced": SVC(gamma=0.3, class_weight="balanced"),
    "callable": SVC(kernel=lambda a, b: a @ b.T),
    "early end": SVC(gamma=0.3, max_iter=20),
}


@pytest.mark.parametrize("name", UNCOVERED)
@pytest.mark.filterwarnings("ignore:Solver terminated early")
def test_what_depends_on_every_row_is_fitted_again(name):
    estimator = UNCOVERED[name]
    X, y = training_rows("three", N_ROWS)
    model = ExactUnlearner(estimator).fit(X, y)
    gone = others(model.estimator_)[:4]
    assert model.unlearning_cost(X[gone]).path == "refit"
    model.unlearn(X[gone], y[gone])
    keep = np.isin(np.arange(N_ROWS), gone, invert=True)
    reference = refit(estimator, X, y, keep)
    assert_same_state(model.estimator_, reference, rtol=0, ignore=SOLVER)


@pytest.mark.filterwarnings("ignore:The `probability` parameter")
def test_probabilities_are_cross_validated_again():
    X, y = training_rows("two", N_ROWS)
    estimator = SVC(gamma=0.3, probability=True, random_state=0)
    assert find_rule(estimator).guarantee(estimator) == "exact"
    assert find_rule(estimator).guarantee(SVC(probability=True)) == "exact_law"
    model = ExactUnlearner(estimator).fit(X, y)
    gone = others(model.estimator_)[:4]
    model.unlearn(X[gone])
    keep = np.isin(np.arange(N_ROWS), gone, invert=True)
    reference = refit(estimator, X, y, keep)
    np.testing.assert_array_equal(model.predict_proba(X), reference.predict_proba(X))


def test_gamma_of_a_linear_kernel_forgets():
    X, y = training_rows("two", N_ROWS)
    estimator = SVC(kernel="linear")
    model = ExactUnlearner(estimator).fit(X, y)
    gone = others(model.estimator_)[:9]
    with forbid_fits(estimator):
        model.unlearn(X[gone])
    keep = np.isin(np.arange(N_ROWS), gone, invert=True)
    # a gamma that no linear kernel asks for is made of the rows as well
    reference = refit(estimator, X, y, keep)
    assert_same_state(model.estimator_, reference, rtol=0, ignore=SOLUTION)


@pytest.mark.parametrize("with_zeros", [False, True])
def test_weights(with_zeros):
    X, y = training_rows("three", N_ROWS)
    estimator = SVC(gamma=0.3, tol=1e-9)
    weight = np.random.default_rng(1).integers(not with_zeros, 5, N_ROWS) / 2
    model = ExactUnlearner(estimator).fit(X, y, sample_weight=weight)
    keep = np.ones(N_ROWS, dtype=bool)
    for _ in range(3):
        kept = np.flatnonzero(keep)
        gone = kept[others(model.estimator_, len(kept))[[0, 4]]]
        model.unlearn(X[gone], y[gone])
        keep[gone] = False
    reference = refit(estimator, X, y, keep, {"sample_weight": weight})
    gap = model.estimator_.decision_function(X) - reference.decision_function(X)
    assert np.abs(gap).max() < 1e-7


@pytest.mark.parametrize("target", ["two", "three"])
def test_a_model_that_was_fitted_on_rows_in_another_order(target):
    X, y = training_rows(target, N_ROWS)
    order = np.random.default_rng(4).permutation(N_ROWS)
    estimator = SVC(gamma=0.3)
    frozen = refit(estimator, X, y, order)
    # not a support vector by its number, which speaks of another row
    gone = np.intersect1d(order[frozen.support_], others(frozen))[:2]
    model = ExactUnlearner(FrozenEstimator(frozen)).fit(X, y).unlearn(X[gone])
    keep = np.isin(np.arange(N_ROWS), gone, invert=True)
    reference = refit(estimator, X, y, keep)
    assert_same_state(model.estimator_, reference, ignore=SOLVER)


@pytest.mark.parametrize(
    "estimator", [SVC(gamma=0.3, tol=1e-12), SVC(), SVC(kernel="linear", tol=1e-12)]
)
def test_keeps_the_contract(estimator):
    check_unlearner(ExactUnlearner(estimator))


def test_nothing_holds_a_forgotten_row():
    X, y = training_rows("two", N_ROWS)
    model = ExactUnlearner(SVC(gamma=0.3)).fit(X, y)
    gone = np.r_[others(model.estimator_)[:5]]
    keep = np.isin(np.arange(N_ROWS), gone, invert=True)
    model.unlearn(X[gone])
    assert find_residue(model, X[gone], X[keep]) == []
    gone = np.flatnonzero(keep)[model.estimator_.support_[:3]]
    keep[gone] = False
    model.unlearn(X[gone])
    assert find_residue(model, X[gone], X[keep]) == []


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(sorted(CASES)),
    seed=st.integers(0, 10**6),
    n_rows=st.integers(20, 150),
    share=st.floats(0.01, 0.6),
    n_requests=st.integers(1, 4),
)
def test_any_requests_reach_the_optimum(name, seed, n_rows, share, n_requests):
    estimator, target = CASES[name]
    estimator = clone(estimator).set_params(tol=1e-10)
    X, y = training_rows(target, n_rows, seed)
    rng = np.random.default_rng(seed)
    copies = rng.integers(0, n_rows, n_rows // 4)
    classes = np.unique(training_rows(target, 150, 0)[1])
    X[copies], y[copies] = X[0], y[0]
    if len(np.unique(y)) < len(classes):  # nothing that could be fitted
        return
    n_forget = max(n_requests, int(share * (n_rows - 8)))
    model = ExactUnlearner(estimator).fit(X, y)
    # rather rows far from the boundary, which are no support vectors
    far = np.argsort(np.isin(np.arange(n_rows), model.estimator_.support_))
    chosen = far[rng.permutation(min(n_rows, 2 * n_forget))[:n_forget]]
    if len(np.unique(np.delete(y, chosen))) < len(np.unique(y)):
        return
    model, keep = forget_rows(estimator, X, y, np.array_split(chosen, n_requests))
    reference = refit(estimator, X, y, keep)
    ours, theirs = model.estimator_.decision_function(X), reference.decision_function(X)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
