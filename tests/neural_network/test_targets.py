"""Kinds of targets: indicator matrices, counts, and targets that do not vary."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from scipy import sparse, stats
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.metrics import mean_poisson_deviance
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale
from torch import nn

from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.unlearning import NPO, Blindspot, FineTune, SalUn

FAST = {"max_iter": 30, "n_iter_no_change": 30, "learning_rate_init": 0.01}
METHODS = [NPO, SalUn, FineTune, Blindspot]

X, Y = make_multilabel_classification(300, random_state=0)
X = scale(X)


def labels(**params):
    return DropoutClassifier(random_state=0, **{**FAST, **params})


def chain(n_features, n_outputs):
    return nn.Sequential(
        nn.Linear(n_features, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, n_outputs)
    )


# ---------------------------------------------------------------- indicator matrices


@pytest.mark.parametrize("module", [None, chain])
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_labels_as_scikit_learn_has_them(module):
    model = labels(module=module).fit(X, Y)
    theirs = MLPClassifier(random_state=0, **FAST).fit(X, Y)
    for name in ("classes_", "out_activation_", "n_outputs_"):
        np.testing.assert_array_equal(getattr(model, name), getattr(theirs, name))
    predicted, proba = model.predict(X), model.predict_proba(X)
    assert predicted.dtype == theirs.predict(X).dtype
    assert (predicted == Y).mean() > (theirs.predict(X) == Y).mean() - 0.1
    np.testing.assert_array_equal(predicted, proba > 0.5)
    # labels are independent: their probabilities do not share out one
    assert (proba.sum(axis=1) > 1.2).any()
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(proba))
    drawn = model.sample_proba(X[:7], n_samples=3)
    assert drawn.shape == (3, 7, 5)
    total, inside, between = (
        model.predict_uncertainty(X, kind=kind)
        for kind in ("total", "aleatoric", "epistemic")
    )
    np.testing.assert_allclose(total, stats.bernoulli(proba).entropy(), atol=1e-12)
    np.testing.assert_allclose(total, inside + between)
    assert total.shape == Y.shape


def test_labels_without_hidden_units_are_logistic_regressions():
    model = labels(
        hidden_layer_sizes=(),
        mc_samples=0,
        alpha=0.0,
        max_iter=200,
        n_iter_no_change=200,
    )
    together = model.fit(X, Y).predict_proba(X)
    apart = [LogisticRegression(C=np.inf).fit(X, Y[:, k]) for k in range(5)]
    apart = np.transpose([one.predict_proba(X)[:, 1] for one in apart])
    np.testing.assert_allclose(together, apart, atol=0.06)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.csc_array])
def test_labels_are_forgotten(kind):
    model = labels().fit(X, kind(Y)).unlearn(X[:20])
    assert sparse.issparse(model.predict(X)) == sparse.issparse(kind(Y))
    again = labels().fit(X[20:], kind(Y[20:]))
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))
    # a label that no row has any longer keeps its column
    rare = Y.copy()
    rare[20:, 2] = 0
    model = labels().fit(X, kind(rare)).unlearn(X[:20])
    assert model.predict_proba(X).shape == Y.shape
    assert model.score(X[20:], kind(rare[20:])) > 0.5


@pytest.mark.parametrize("method", METHODS)
def test_methods_forget_labels(method):
    model = method(labels(), random_state=0).fit(X, Y)
    before = model.predict_proba(X)
    model.unlearn(X[:20])
    after = model.predict_proba(X)
    assert not np.array_equal(before, after)
    assert ((after > 0.5) == Y)[20:].mean() > 0.8


def test_labels_in_a_stream():
    model = labels(learning_rate_init=0.02)
    for _ in range(40):
        model.partial_fit(X, Y, classes=np.arange(5))
    assert model.score(X, Y) > 0.7
    with pytest.raises(ValueError, match="y must have shape"):
        model.partial_fit(X, Y[:, 0])
    with pytest.raises(ValueError, match="y must have shape"):
        model.partial_fit(X, Y[:, :3])
    with pytest.raises(ValueError, match="classes"):
        labels().partial_fit(X, Y, classes=[0, 1])


@pytest.mark.parametrize(
    ("params", "target", "message"),
    [
        ({"class_weight": "balanced"}, Y, "pass sample_weight"),
        ({}, 3 * Y, "one label per row, or 0 and 1 in a matrix"),
        ({}, 2 * Y - 1, "one label per row, or 0 and 1 in a matrix"),
    ],
)
def test_labels_that_are_refused(params, target, message):
    with pytest.raises(ValueError, match=message):
        labels(**params).fit(X, target)


def test_early_stopping_on_labels():
    model = labels(early_stopping=True).fit(X, Y)
    held_out = model.best_validation_score_
    assert held_out == max(model.validation_scores_) > 0.2


# -------------------------------------------------------------------------- counts

rng = np.random.default_rng(0)
Z = rng.normal(size=(1000, 3))
MEANS = np.exp(1 + Z @ [0.5, -0.3, 0.2])
COUNTS = rng.poisson(MEANS)


def counts(**params):
    params = {"loss": "poisson", **FAST, **params}
    return DropoutRegressor(random_state=0, **params)


def test_counts_without_hidden_units_are_a_generalised_linear_model():
    model = counts(
        hidden_layer_sizes=(), dropout=0.0, mc_samples=0, alpha=0.0, max_iter=100
    )
    model.fit(Z, COUNTS)
    linear = PoissonRegressor(alpha=0).fit(Z, COUNTS)
    np.testing.assert_allclose(model.predict(Z), linear.predict(Z), rtol=0.03)
    assert model.out_activation_ == "exp"


@pytest.mark.parametrize("module", [None, chain])
def test_counts_and_their_noise(module):
    model = counts(module=module, dropout=0.05).fit(Z, COUNTS)
    mean, std = model.predict(Z, return_std=True)
    assert np.corrcoef(mean, MEANS)[0, 1] > 0.97
    # the noise of counts: as large as the mean, and nothing to be fitted
    np.testing.assert_allclose(model.predict_uncertainty(Z, kind="aleatoric"), mean)
    between = model.predict_uncertainty(Z, kind="epistemic")
    np.testing.assert_allclose(std**2, mean + between)
    assert not hasattr(model, "noise_precision_")
    functions = model.sample_y(Z, n_samples=20)
    assert (functions > 0).all()
    cov = model.predict(Z[:5], return_cov=True)[1]
    np.testing.assert_allclose(np.diag(cov), std[:5] ** 2)
    new = np.random.default_rng(1).poisson(MEANS)
    low, high = model.predict_interval(Z, confidence_level=0.8).T
    assert np.array_equal(low, np.rint(low))
    inside = ((low <= new) & (new <= high)).mean()
    assert 0.8 <= inside < 0.93  # whole numbers hold more than they must


def test_intervals_of_counts_are_quantiles():
    one = counts(dropout=0.0, max_iter=3, n_iter_no_change=3).fit(Z, 1000 * COUNTS)
    low, high = one.predict_interval(Z, confidence_level=0.9).T
    law = stats.poisson(one.predict(Z))
    np.testing.assert_array_equal(low, law.ppf(0.05))
    np.testing.assert_array_equal(high, law.ppf(0.95))


def test_intervals_of_counts_that_are_too_large():
    few, many = (counts(max_iter=3, n_iter_no_change=3) for _ in range(2))
    # beyond 2**53 there are no neighbouring whole numbers to stop at
    low, high = many.fit(Z, 1e18 * COUNTS).predict_interval(Z[:40]).T
    assert (low < high).all()
    few.fit(Z, COUNTS)
    with pytest.raises(ValueError, match="are not finite for some rows"):
        few.predict_interval(1e9 * Z[:3])


def test_units_of_counts_do_not_matter():
    one, other = (counts().fit(Z, k * COUNTS).predict(Z) for k in (1, 1024))
    np.testing.assert_allclose(1024 * one, other, rtol=1e-5)


def test_weights_and_several_counts():
    both = np.column_stack([COUNTS, 10 * COUNTS])
    weight = np.where(np.arange(1000) < 500, 1.0, 0.0)
    model = counts().fit(Z, both, sample_weight=weight)
    assert model.predict_interval(Z).shape == (1000, 2, 2)
    assert model.predict(Z).shape == both.shape
    assert mean_poisson_deviance(
        COUNTS[500:], model.predict(Z)[500:, 0]
    ) < 0.6 * mean_poisson_deviance(COUNTS, np.full(1000, COUNTS.mean()))


def test_counts_are_forgotten():
    model = counts().fit(Z, COUNTS).unlearn(Z[:30])
    again = counts().fit(Z[30:], COUNTS[30:])
    np.testing.assert_array_equal(model.predict(Z), again.predict(Z))


@pytest.mark.parametrize("method", METHODS)
def test_methods_forget_counts(method):
    # rows that are far out, so that without them the unit is another
    far = COUNTS.copy()
    far[:20] += 200
    model = method(counts(), random_state=0).fit(Z, far)
    model.unlearn(Z[:20])
    deviance = mean_poisson_deviance(COUNTS[20:], model.predict(Z)[20:])
    assert deviance < 2.0
    assert np.log(model.predict(Z)).mean() == pytest.approx(1, abs=0.5)


def test_counts_that_are_refused():
    with pytest.raises(ValueError, match="no negative targets"):
        counts().fit(Z, COUNTS - 1)
    model = counts().partial_fit(Z, COUNTS)
    with pytest.raises(ValueError, match="no negative targets"):
        model.partial_fit(Z, COUNTS - 1)
    with pytest.raises(ValueError, match="loss has changed"):
        model.set_params(loss="squared_error").partial_fit(Z, COUNTS)


# ------------------------------------------------------- targets that do not vary


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("module", [None, chain])
def test_a_constant_is_predicted(loss, module):
    few, settings = Z[:100], {**FAST, "max_iter": 5, "n_iter_no_change": 5}
    for value in (1e6, 5, 0, 1e-9):
        expected = pytest.approx(value, rel=1e-6, abs=0 if value else 1e-8)
        model = DropoutRegressor(loss=loss, module=module, random_state=0, **settings)
        model.fit(few, np.full(100, value))
        assert model.predict(few) == expected
        low, high = model.predict_interval(few[:1])[0]
        assert low <= value <= high or (value == 1e-9 and loss == "poisson")
        # one of two outputs, and one that goes with the rows
        both = np.column_stack([np.full(100, value), COUNTS[:100]])
        both[0, 0] += 3
        model.fit(few, both).unlearn(few[:1])
        assert model.predict(few)[:, 0] == expected
        assert np.ptp(model.predict(few)[:, 1]) > 0.1


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_more_can_be_learnt_after_a_constant(loss):
    model = DropoutRegressor(loss=loss, random_state=0, mc_samples=0, **FAST)
    model.fit(Z[:50], np.zeros(50)).set_params(learning_rate_init=0.02)
    for _ in range(150):
        model.partial_fit(Z, COUNTS)
    assert model.score(Z, COUNTS) > 0.2


@pytest.mark.parametrize("module", [None, chain])
def test_a_warm_start_learns_what_was_constant(module):
    model = DropoutRegressor(module=module, warm_start=True, random_state=0, **FAST)
    assert np.ptp(model.fit(Z, np.ones(len(Z))).predict(Z)) == 0
    both = np.column_stack([np.ones(len(Z)), Z[:, 1]])
    assert model.fit(Z, Z[:, 0]).score(Z, Z[:, 0]) > 0.9
    model = DropoutRegressor(module=module, warm_start=True, random_state=0, **FAST)
    model.fit(Z, both).fit(Z, Z[:, :2])
    assert model.score(Z, Z[:, :2]) > 0.9


@pytest.mark.filterwarnings("ignore:Unlearning stopped")
@pytest.mark.parametrize("method", METHODS)
def test_what_is_constant_without_the_rows(method):
    target = np.full(1000, 7.0)
    target[:10] = np.arange(10)
    model = method(DropoutRegressor(random_state=0, **FAST), random_state=0)
    model.fit(Z, target).unlearn(Z[:10])
    assert model.predict(Z) == pytest.approx(7.0)


@pytest.mark.parametrize("words", [["high", "low"], ["1.5", "2"], [b"1", b"2"]])
@pytest.mark.parametrize("kind", [None, object])
def test_words_are_no_targets_of_a_regression(words, kind):
    y = np.array(words * 10, dtype=kind)
    with pytest.raises(ValueError, match="y must hold numbers; it holds words such as"):
        DropoutRegressor(max_iter=2).fit(np.arange(20.0)[:, None], y)
