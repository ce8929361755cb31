"""Rules of classifiers that sum over classes, and of baselines, equal refitting."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as LDA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis as QDA
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, MultinomialNB
from sklearn.neighbors import NearestCentroid

from sklearn_unlearn.exact import ExactUnlearner
from tests.exact._refit import (
    assert_model_equals_refit,
    forget_and_compare,
    forget_rows,
)
from tests.exact.rules._class_cases import CLASSIFIERS, categories, labelled_rows

BAYES = [name for name, (e, _) in CLASSIFIERS.items() if "NB" in type(e).__name__]
SIZES = [name for name, (_, rows) in CLASSIFIERS.items() if rows is not categories]
SPREADS = ["linear", "linear, covariance", "quadratic, priors"]
SPREADS += ["centroid", "centroid, shrunk"]


def requests_of(kind, X, y):
    """Positions to forget, request by request."""
    rng = np.random.default_rng(1)
    n_rows = len(y)
    if kind == "random":
        return [rng.choice(n_rows, 30, replace=False)]
    if kind == "one by one":
        return rng.choice(n_rows, 50, replace=False)[:, None]
    if kind == "block":
        return [np.arange(256, 512)]
    if kind == "half":
        return [np.arange(0, n_rows, 2)]
    if kind == "extremes":
        dense = X.toarray() if sparse.issparse(X) else X
        return [np.unique(np.r_[dense.argmax(axis=0), dense.argmin(axis=0)])]
    if kind == "class":
        return [np.flatnonzero(y == "b"), np.flatnonzero(y == "a")[:3]]
    if kind == "two classes":
        return [
            np.flatnonzero(y == "b"),
            np.flatnonzero(y == "a"),
            np.flatnonzero(y == "c")[:1],
        ]
    kept = [np.flatnonzero(y == label)[0] for label in ("a", "c")]
    return [np.setdiff1d(np.arange(n_rows), kept)]  # all but two


KINDS = ["random", "one by one", "block", "half", "extremes"]


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("kind", [*KINDS, "class", "two classes", "all but two"])
@pytest.mark.filterwarnings("ignore:.*within_class_std_dev_.*:UserWarning")
@pytest.mark.filterwarnings("ignore:.*full rank.*")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_equals_refit(name, kind):
    X, y = labelled_rows(name)
    forget_and_compare(CLASSIFIERS[name][0], X, y, requests_of(kind, X, y))


@pytest.mark.parametrize("name", [*BAYES, "most frequent"])
@pytest.mark.parametrize("kind", ["whole", "real"])
def test_sample_weight(name, kind):
    X, y = labelled_rows(name)
    rng = np.random.default_rng(2)
    weight = rng.integers(0, 4, len(y)) if kind == "whole" else rng.random(len(y))
    requests = [np.arange(40, 90), [600], np.flatnonzero(y == "a")]
    forget_and_compare(
        CLASSIFIERS[name][0], X, y, requests, {"sample_weight": weight.astype(float)}
    )


@pytest.mark.parametrize("name", BAYES)
def test_one_weight_for_all_rows(name):
    X, y = labelled_rows(name)
    estimator = CLASSIFIERS[name][0]
    model = ExactUnlearner(estimator).fit(X, y, sample_weight=2.0).unlearn(X[:9], y[:9])
    reference = estimator.fit(X[9:], y[9:], sample_weight=2.0)
    np.testing.assert_array_equal(model.estimator_.class_count_, reference.class_count_)


@pytest.mark.parametrize(
    "name", ["multinomial", "complement, sparse", "Bernoulli", "categorical"]
)
def test_whole_counts_stay_exact(name):
    X, y = labelled_rows(name)
    estimator, requests = CLASSIFIERS[name][0], np.arange(0, 600, 10)[:, None]
    model, keep = forget_rows(estimator, X, y, requests)
    reference = estimator.fit(X[keep], y[keep])
    for attribute in ("class_count_", "feature_count_", "category_count_"):
        if hasattr(reference, attribute):
            ours = getattr(model.estimator_, attribute)
            theirs = getattr(reference, attribute)
            pairs = zip(ours, theirs, strict=True)
            assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("outlier", [1e9, 1e13])
def test_an_outlier_leaves_no_rounding_behind(name, outlier):
    X, y = labelled_rows(name)
    X = X.astype(float)
    X[300] = X[300] * outlier
    forget_and_compare(CLASSIFIERS[name][0], X, y, [[300], [301, 302]])


@pytest.mark.parametrize("name", SPREADS)
@pytest.mark.parametrize("value", [0.0, 0.1, 1e3 / 7])
@pytest.mark.parametrize("others", [0, 2])
@pytest.mark.filterwarnings("ignore:.*within_class_std_dev_.*:UserWarning")
@pytest.mark.filterwarnings("ignore:.*full rank.*")
def test_constant_columns(name, value, others):
    X, y = labelled_rows(name)
    X[others:, 1] = value  # constant from the start, or once the first rows are gone
    estimator = CLASSIFIERS[name][0]
    model, _ = forget_and_compare(estimator, X, y, [[0, 1], np.arange(2, 20)])
    # a spread that is rounding, or zero, is another model for rows off the constant
    moved = X + np.array([0.0, 0.1, 0.0, 0.0, 0.0])
    reference = ExactUnlearner(estimator).fit(X[20:], y[20:])
    np.testing.assert_allclose(
        model.predict_proba(moved), reference.predict_proba(moved), rtol=1e-7
    )


@pytest.mark.parametrize("name", ["linear", "quadratic"])
@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-5])
@pytest.mark.filterwarnings("ignore:.*full rank.*")
def test_collinear_columns_are_fitted_again(name, noise):
    X, y = labelled_rows(name)
    rng = np.random.default_rng(3)
    X[:, 1] = X[:, 3] + noise * rng.normal(size=len(X))
    X[:9, 1] += rng.normal(size=9)  # not collinear before
    model = ExactUnlearner(LDA() if name == "linear" else QDA(reg_param=0.01))
    model.fit(X, y).prepare()
    gone = np.flatnonzero(y == "b")
    gone = np.union1d(gone, np.arange(9))
    model.unlearn(X[gone], y[gone])
    rest = np.setdiff1d(np.arange(len(X)), gone)
    model.unlearn(X[rest[:5]], y[rest[:5]])  # with the classes that are left
    rest = rest[5:]
    reference = ExactUnlearner(model.estimator).fit(X[rest], y[rest])
    np.testing.assert_array_equal(
        model.estimator_.decision_function(X), reference.decision_function(X)
    )


def test_signs_do_not_depend_on_the_order_of_rows():
    X, y = labelled_rows("linear")
    fits, plain = [], []
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(len(X))
        for estimator in (LDA(), QDA(tol=1e-8)):
            ours = ExactUnlearner(estimator).fit(X[order], y[order])
            fits.append(ours.estimator_)
            plain.append(estimator.fit(X[order], y[order]))
            np.testing.assert_array_equal(
                ours.decision_function(X), plain[-1].decision_function(X)
            )
    of_plain, of_ours = (
        np.array([np.hstack(fit.rotations_) for fit in some[1::2]])
        for some in (plain, fits)
    )
    assert np.ptp(of_plain, axis=0).max() > 0.1
    assert np.ptp(of_ours, axis=0).max() < 1e-8
    for fit in fits[::2]:
        np.testing.assert_allclose(fit.scalings_, fits[0].scalings_, atol=1e-8)
        assert (fit.scalings_.max(axis=0) == np.abs(fit.scalings_).max(axis=0)).all()


def test_the_training_output_has_the_same_signs():
    X, y = labelled_rows("linear")
    model = ExactUnlearner(LDA())
    output = model.fit_transform(X, y)
    np.testing.assert_array_equal(output, model.transform(X))
    model.unlearn(X[:5], y[:5])
    assert_model_equals_refit(model, X[5:], y[5:])


def test_categories_vanish():
    X = np.array([[0, 1], [1, 0], [2, 1], [4, 0], [4, 1], [0, 0]])
    y = np.array([0, 1, 0, 1, 0, 1])
    model = ExactUnlearner(CategoricalNB(min_categories=[1, 3])).fit(X, y).prepare()
    model.unlearn(X[[2]])  # from the middle: it keeps its place
    assert model.estimator_.n_categories_.tolist() == [5, 3]
    model.unlearn(X[[3, 4]])  # the last
    assert model.estimator_.n_categories_.tolist() == [2, 3]
    assert_model_equals_refit(model, X[[0, 1, 5]], y[[0, 1, 5]])
    # rows of weight 0 show their categories
    model = ExactUnlearner(CategoricalNB()).fit(X, y, sample_weight=[1, 1, 1, 0, 1, 1])
    model.unlearn(X[[4]])
    assert model.estimator_.n_categories_.tolist() == [5, 2]


@pytest.mark.parametrize(
    "estimator",
    [
        MultinomialNB(class_prior=[0.2, 0.3, 0.5]),
        CategoricalNB(class_prior=[0.2, 0.3, 0.5]),
        LDA(n_components=2),
        DummyClassifier(strategy="constant", constant="b"),
    ],
    ids=str,
)
def test_what_a_fit_refuses_is_refused_and_changes_nothing(estimator):
    X, y = labelled_rows("categorical")
    X = X + np.random.default_rng(0).random(X.shape)
    model = ExactUnlearner(estimator).fit(X, y).prepare()
    before = model.predict_proba(X)
    with pytest.raises(ValueError) as refused:
        model.estimator.fit(X[y != "b"], y[y != "b"])
    with pytest.raises(ValueError) as ours:
        model.unlearn(X[y == "b"])
    assert str(ours.value) == str(refused.value)
    np.testing.assert_array_equal(model.predict_proba(X), before)


@pytest.mark.parametrize("strategy", ["mean", "median", "quantile", "constant"])
@pytest.mark.parametrize("weighted", [False, True])
def test_regression_baseline(strategy, weighted):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(500, 2)), rng.normal(size=(500, 2)) * [1e-3, 1e3] + 50
    estimator = DummyRegressor(strategy=strategy, quantile=0.3, constant=[1.0, 2.0])
    params = {"sample_weight": rng.random(500)} if weighted else {}
    y[7] = 1e12
    forget_and_compare(estimator, X, y, [np.arange(30), [60], [450]], params)


def test_baseline_of_several_outputs():
    X, y = labelled_rows("most frequent")
    Y = np.column_stack([y, np.where(X[:, 0] > 5, "b", "d")])
    model = ExactUnlearner(DummyClassifier()).fit(X, Y).prepare()
    gone = Y[:, 0] == "a"
    model.unlearn(X[gone]).unlearn(X[~gone][:5])
    assert_model_equals_refit(model, X[~gone][5:], Y[~gone][5:])


@pytest.mark.parametrize("dtype", [np.float32, np.int8, bool])
@pytest.mark.parametrize("estimator", [MultinomialNB(), BernoulliNB(), ComplementNB()])
def test_counts_of_any_type(estimator, dtype):
    X, y = labelled_rows("multinomial")
    X = X.astype(dtype)
    for rows in (X, sparse.csc_array(X)):
        forget_and_compare(estimator, sparse.csr_array(rows), y, [np.arange(50)])


def test_a_threshold_in_single_precision():
    X, y = labelled_rows("Bernoulli")
    X = np.where(X > 3, np.float32(0.1), np.float32(0.2))  # not above, as doubles are
    forget_and_compare(BernoulliNB(binarize=0.1), X, y, [np.arange(50)])


def test_data_frames():
    pd = pytest.importorskip("pandas")
    for name in ("multinomial", "Bernoulli", "categorical", "linear", "centroid"):
        X, y = labelled_rows(name)
        frame = pd.DataFrame(X).add_prefix("x")
        model = ExactUnlearner(CLASSIFIERS[name][0]).fit(frame, y).prepare()
        model.unlearn(frame.iloc[5:30], y[5:30])
        rest = np.r_[:5, 30 : len(y)]
        assert_model_equals_refit(model, frame.iloc[rest], y[rest])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["linear", "quadratic", "centroid", "multinomial, amounts"]
)
def test_ten_thousand_requests_do_not_drift(name):
    X, y = labelled_rows(name, 10_500)
    requests = np.arange(10_000)[:, None]
    forget_and_compare(CLASSIFIERS[name][0], X, y, requests)


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(sorted(CLASSIFIERS)),
    seed=st.integers(0, 10**6),
    n_rows=st.integers(60, 600),
    share=st.floats(0.01, 0.8),
    n_requests=st.integers(1, 50),
)
def test_any_requests_equal_refit(name, seed, n_rows, share, n_requests):
    X, y = labelled_rows(name, n_rows, seed)
    rng = np.random.default_rng(seed)
    pattern = rng.integers(0, n_rows, n_rows)
    copies = rng.random(n_rows) < 0.25
    X = X[np.where(copies, pattern, np.arange(n_rows))]
    y = y[np.where(copies, pattern, np.arange(n_rows))]
    chosen = rng.choice(n_rows, max(1, int(share * (n_rows - 40))), replace=False)
    requests = [r for r in np.array_split(chosen, n_requests) if len(r)]
    forget_and_compare(CLASSIFIERS[name][0], X, y, requests, prepared=False)


@pytest.mark.filterwarnings("ignore:.*within_class_std_dev_.*:UserWarning")
def test_digits_without_a_digit():
    X, y = load_digits(return_X_y=True)  # three pixels are black in every picture
    rest = y != 3
    for estimator in (LDA(), MultinomialNB(), NearestCentroid(), CategoricalNB()):
        model = (
            ExactUnlearner(estimator).fit(X, y).prepare().unlearn(X[~rest], y[~rest])
        )
        reference = ExactUnlearner(estimator).fit(X[rest], y[rest])
        np.testing.assert_array_equal(model.predict(X), reference.predict(X))
        assert (model.predict(X[~rest]) != 3).all()
        assert_model_equals_refit(model, X[rest], y[rest])
