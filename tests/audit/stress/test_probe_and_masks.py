"""Hidden layers and single masks: what is kept back behind the answers."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from torch import nn

from sklearn_unlearn.audit.stress import (
    mask_revival,
    mask_revival_gap_error,
    probe_recovery_gap,
    probe_score,
)
from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.pipeline import make_pipeline
from tests.audit.stress._models import NETWORK, ClosedMouth, SomeMasksRemember, digits


def fitted(network, X, y, seed):
    return clone(network).set_params(random_state=seed).fit(X, y)


def test_a_closed_mouth_is_seen_by_the_probe_alone():
    X, y, X_test, y_test = digits()
    stay, others = y != 8, y_test != 8
    silent = []
    for seed in range(4):
        model = ClosedMouth(clone(NETWORK).set_params(random_state=seed)).fit(X, y)
        silent.append(model.unlearn(X[~stay]))
    retrained = [fitted(NETWORK, X[stay], y[stay], seed) for seed in range(10, 14)]
    # it never gives the answer, and all else is as it is in retrained models
    accuracies = [
        [np.mean(m.predict(X_test[others]) == y_test[others]) for m in models]
        for models in (silent, retrained)
    ]
    assert all((model.predict(X_test) != 8).all() for model in silent)
    assert abs(np.mean(accuracies[0]) - np.mean(accuracies[1])) < 0.05
    scores, others = (
        [probe_score(m, X_test, y_test == 8) for m in models]
        for models in (silent, retrained)
    )
    assert min(s.score for s in scores) > max(s.score for s in others)
    gap = probe_recovery_gap(silent, retrained, X_test, y_test == 8)
    means = [np.mean([s.score for s in group]) for group in (scores, others)]
    assert gap == pytest.approx(means[0] - means[1]) and gap > 0.03
    assert abs(np.mean([s.control for s in scores]) - 0.5) < 0.15


def test_features_are_the_inputs_of_the_last_layer():
    """Whatever computes them: weights in public, a module of torch, or a pipeline."""
    X, y, *_ = digits()
    perceptron = MLPClassifier((6,), max_iter=20, random_state=0).fit(X, y)
    z = np.maximum(X @ perceptron.coefs_[0] + perceptron.intercepts_[0], 0)
    reader = LogisticRegression(C=0.5)
    found = probe_score(perceptron, X, y == 1, probe=reader, cv=3)
    same = MLPClassifier((64,), activation="identity", max_iter=1).fit(z @ np.eye(6), y)
    same.coefs_[0], same.intercepts_[0] = np.eye(6), np.zeros(6)
    assert probe_score(same, z, y == 1, probe=reader, cv=3) == found

    def module(n_features, n_outputs):
        layers = nn.Linear(n_features, 6), nn.ReLU(), nn.Dropout(0.1)
        return nn.Sequential(*layers, nn.Linear(6, n_outputs))

    network = DropoutClassifier(
        module=module, max_iter=5, n_iter_no_change=5, random_state=0
    )
    network.fit(X, y)
    first = network.module_[0]
    weights, bias = (p.detach().numpy().astype(float) for p in first.parameters())
    same.coefs_[0], same.intercepts_[0] = np.eye(6), np.zeros(6)
    z = np.maximum(X @ weights.T + bias, 0)
    expected = probe_score(same, z, y == 1, probe=reader, cv=3)
    assert probe_score(network, X, y == 1, probe=reader, cv=3) == pytest.approx(
        expected, abs=1e-3
    )
    piped = make_pipeline(StandardScaler(with_std=False), clone(NETWORK)).fit(X, y)
    centred = probe_score(piped[-1], X - X.mean(axis=0), y)
    assert probe_score(piped, X, y) == pytest.approx(centred, abs=1e-3)


def test_targets_of_every_kind_are_read_and_nothing_is_read_of_noise():
    X, y, *_ = digits()
    network = fitted(NETWORK, X, y, 0)
    scores = [probe_score(network, X, target).score for target in (y == 2, y, 1.5 * y)]
    assert min(scores) > 0.3
    noise = np.random.RandomState(0).permutation(y == 2)
    assert abs(probe_score(network, X, noise).score - 0.5) < 0.15


def test_a_model_without_a_hidden_layer_has_no_probe():
    X, y, *_ = digits()
    with pytest.raises(TypeError, match="GaussianNB has no hidden layer"):
        probe_score(GaussianNB().fit(X, y), X, y)
    with pytest.raises(ValueError, match="retrained"):
        probe_recovery_gap(fitted(NETWORK, X, y, 0), [], X, y)


def test_one_mask_that_remembers_is_found():
    X, y, *_ = digits(n_wrong=30)
    original = fitted(NETWORK, X, y, 0)
    retrained = [fitted(NETWORK, X[30:], y[30:], seed) for seed in (1, 2, 3)]
    rows = X[:30], y[:30]
    hidden = SomeMasksRemember(retrained[0], original)
    gaps = {
        name: mask_revival_gap_error(hidden, retrained[1:], *rows, statistic=name)
        for name in ("mean", "max")
    }
    among = mask_revival_gap_error(retrained[0], retrained[1:], *rows)
    assert gaps["max"] > 2.0 > abs(among)
    assert gaps["max"] > 3 * gaps["mean"]
    assert mask_revival_gap_error(original, retrained, *rows, statistic="mean") > 2.0


def test_masks_of_numbers_and_models_without_any():
    X, y, *_ = digits()
    network = DropoutRegressor((8,), max_iter=5, n_iter_no_change=5, random_state=0)
    network.fit(X, y)
    found = mask_revival(network, X[:10], y[:10], n_masks=20, random_state=1)
    drawn = network.sample_y(X[:10], 20, 1)
    signals = -np.mean((drawn - y[:10, None]) ** 2, axis=0)
    assert found == pytest.approx((signals.mean(), signals.std(), signals.max()))
    with pytest.raises(TypeError, match="draws no functions"):
        mask_revival(GaussianNB().fit(X, y), X[:10], y[:10])
