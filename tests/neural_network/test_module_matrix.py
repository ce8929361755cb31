"""Modules by their first layer: fits, streams, and requests behind another step."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import pickle
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn

from sklearn_unlearn.dropout import BernoulliDropout
from sklearn_unlearn.exceptions import PipelineRetrainWarning
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import FineTune

rng = np.random.default_rng(0)
X = rng.normal(size=(90, 6))
y = np.arange(90) % 3
X[:, 0] += y
GONE = slice(0, 9)
LEFT = slice(9, None)


def starts_with(first, n_features, n_outputs):
    """Build a module that has this layer first."""
    layer = FIRST[first](n_features)
    with torch.no_grad():
        width = layer(torch.zeros(2, n_features)).shape[1]
    layers = (layer, nn.ReLU(), nn.Dropout(0.1), nn.Linear(width, n_outputs))
    return nn.Sequential(*layers)


def convolution(n_features):
    layers = (nn.Unflatten(1, (1, n_features)), nn.Conv1d(1, 3, 3), nn.Flatten())
    return nn.Sequential(*layers)


class Positions(nn.Module):
    """Looks the signs of the features up in a table."""

    def __init__(self, n_features):
        super().__init__()
        self.table = nn.Embedding(2, 4)

    def forward(self, x):
        return self.table((x > 0).long()).flatten(1)


FIRST = {
    "linear": lambda n_features: nn.Linear(n_features, 16),
    "convolution": convolution,
    "batch normalization": nn.BatchNorm1d,
    "layer normalization": nn.LayerNorm,
    "table": Positions,
    "noise": lambda n_features: BernoulliDropout(0.2),
}
every_first_layer = pytest.mark.parametrize("first", FIRST)


def network(first, **params):
    settings = {"max_iter": 5, "n_iter_no_change": 5, "batch_size": 16}
    settings |= {"learning_rate_init": 0.01, "mc_samples": 5, "random_state": 0}
    return DropoutClassifier(module=partial(starts_with, first), **settings, **params)


@every_first_layer
@pytest.mark.parametrize("early_stopping", [False, True], ids=["all", "early stopping"])
def test_forgetting_is_a_fit_on_the_others(first, early_stopping):
    model = network(first, early_stopping=early_stopping).fit(X, y).unlearn(X[GONE])
    again = network(first, early_stopping=early_stopping).fit(X[LEFT], y[LEFT])
    assert np.array_equal(model.predict_proba(X), again.predict_proba(X))
    assert model.validation_scores_ == again.validation_scores_
    assert (again.validation_scores_ is not None) == early_stopping


def test_early_stopping_returns_to_the_best_epoch():
    settings = {"early_stopping": True, "validation_fraction": 0.3}
    model = network("linear", **settings)
    model.set_params(learning_rate_init=0.1, max_iter=20).fit(X, y)
    best = int(np.argmax(model.validation_scores_))
    assert best + 1 < len(model.validation_scores_), "here the last must not be best"
    again = network("linear", **settings)
    again.set_params(learning_rate_init=0.1, max_iter=best + 1).fit(X, y)
    assert np.array_equal(model.predict_proba(X), again.predict_proba(X))


@every_first_layer
def test_a_stream_goes_on_where_it_stood(first):
    model = network(first).partial_fit(X[:45], y[:45], classes=[0, 1, 2])
    loaded = pickle.loads(pickle.dumps(model))
    for stream in (model, loaded):
        stream.partial_fit(X[45:], y[45:])
    assert np.array_equal(model.predict_proba(X), loaded.predict_proba(X))
    model.unlearn(X[GONE], X_retain=X[LEFT], y_retain=y[LEFT])
    again = network(first).fit(X[LEFT], y[LEFT])
    assert np.array_equal(model.predict_proba(X), again.predict_proba(X))


def test_steps_of_a_stream_are_those_of_adam():
    start = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    model = DropoutClassifier(
        module=lambda n_features, n_outputs: copy.deepcopy(start),
        mc_samples=0,
        alpha=0.0,
        batch_size=30,
        learning_rate_init=0.01,
    )
    expected = copy.deepcopy(start)
    adam = torch.optim.Adam(expected.parameters(), lr=0.01)
    for part in (slice(0, 30), slice(30, 60), slice(60, 90)):
        model.partial_fit(X[part], y[part], classes=[0, 1, 2])
        rows = torch.tensor(X[part], dtype=torch.float32)
        loss = nn.functional.cross_entropy(expected(rows), torch.tensor(y[part]))
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        p = expected(torch.tensor(X, dtype=torch.float32)).softmax(1).numpy()
    np.testing.assert_allclose(model.predict_proba(X), p, atol=1e-5)


@every_first_layer
def test_behind_a_step_that_changes(first):
    settings = {"n_epochs": 1, "random_state": 0}
    model = make_pipeline(StandardScaler(), FineTune(network(first), **settings))
    model.fit(X, y)
    if first == "linear":
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.unlearn(X[GONE])
        assert np.isfinite(model.predict_proba(X)).all()
        return
    with pytest.warns(PipelineRetrainWarning, match="no first linear layer"):
        model.unlearn(X[GONE])
    again = make_pipeline(StandardScaler(), FineTune(network(first), **settings))
    again.fit(X[LEFT], y[LEFT])
    np.testing.assert_allclose(
        model.predict_proba(X), again.predict_proba(X), atol=1e-4
    )
