"""Learning rows again: curves, their gaps, and models that cannot learn on."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.audit.stress import (
    anamnesis_index,
    relearn_curve,
    revival_gap_error,
)
from sklearn_unlearn.pipeline import make_pipeline
from tests.audit.stress._models import NETWORK, Nothing, digits


@pytest.fixture(scope="module")
def models():
    """An original, and two models retrained without its first 30 rows."""
    X, y, *_ = digits(n_wrong=30)
    fits = [clone(NETWORK).set_params(random_state=seed) for seed in range(3)]
    first = fits[0].fit(X, y)
    return X, y, first, [model.fit(X[30:], y[30:]) for model in fits[1:]]


def test_originals_know_the_rows_at_once(models):
    X, y, original, (first, second) = models
    half = (X[:15], y[:15], X[15:30], y[15:30])
    curves = [relearn_curve(m, *half) for m in (original, first, second)]
    gap, among = (
        revival_gap_error(curves[0], curves[1:]),
        revival_gap_error(curves[1], curves[2]),
    )
    assert gap > 3 * abs(among) and gap > 2.0
    assert revival_gap_error(curves[1:], curves[1:]) == 0
    scores = [
        relearn_curve(m, X[:30], y[:30], n_steps=40, response="score")
        for m in (original, first, second)
    ]
    assert scores[0][0] == np.mean(original.predict(X[:30]) == y[:30]) > 0.2
    assert anamnesis_index(scores[0], scores[1:], scores[0][0]) == 0.0
    assert anamnesis_index(scores[1:], scores[1:], scores[0][0]) == 1.0


def test_the_model_stays_as_it_is_and_the_rate_counts(models):
    X, y, original, _ = models
    before = original.predict_proba(X)
    slow, fast = (
        relearn_curve(original, X[:30], y[:30], learning_rate_init=rate)
        for rate in (1e-6, 1e-2)
    )
    assert (original.predict_proba(X) == before).all()
    assert slow == pytest.approx(slow[0], rel=0.01)
    assert fast[-1] > slow[-1] + 0.5


def test_numbers_pipelines_and_wrappers():
    X, y, *_ = digits()
    network = MLPRegressor(hidden_layer_sizes=(8,), max_iter=30, random_state=0)
    model = make_pipeline(StandardScaler(), Nothing(network)).fit(X, y)
    plain = network.fit(StandardScaler().fit_transform(X), y)
    curve = relearn_curve(model, X[:20], y[:20], n_steps=3)
    rows = StandardScaler().fit(X).transform(X[:20])
    assert curve[0] == pytest.approx(-np.mean((plain.predict(rows) - y[:20]) ** 2))
    assert curve[-1] > curve[0]


def test_closed_forms_of_the_index():
    retrained = [[0.0, 0.0, 0.5, 1.0], [0.0, 0.0, 1.0, 1.0]]  # after 3 steps, and 2
    assert anamnesis_index([0.0, 1.0, 1.0, 1.0], retrained, 1.0) == 1 / 2.5
    # who does not get there counts with one step more than there are
    assert anamnesis_index([0.0, 0.0, 0.0, 0.0], retrained, 1.0) == 4 / 2.5
    assert np.isnan(anamnesis_index([0.0, 0.1], [0.0, 0.2], 1.0))
    assert np.isnan(anamnesis_index([0.0, 1.0], [1.0, 1.0], 1.0))
    # the tolerance is a share, also where scores are below 0
    assert anamnesis_index([-9.0, -1.04], [-9.0, -1.04], -1.0) == 1.0


def test_bad_input_gets_one_sentence(models):
    X, y, original, _ = models
    with pytest.raises(TypeError, match="GaussianNB cannot be trained on"):
        relearn_curve(GaussianNB().fit(X, y), X, y)
    with pytest.raises(ValueError, match="y_eval"):
        relearn_curve(original, X, y, X)
    with pytest.raises(ValueError, match="no output"):
        relearn_curve(original, X, y + 10)
    with pytest.raises(ValueError, match="as many steps; got 1 and 2"):
        revival_gap_error([0.0, 1.0], [0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="NaN"):
        revival_gap_error([0.0, np.nan], [0.0, 1.0])
