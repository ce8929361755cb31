"""The same bits whatever settings of torch the caller has."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle
from contextlib import contextmanager, nullcontext
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.unlearning import NPO

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 5))
y = np.arange(60) % 2
X[:, 0] += y
FAST = {"max_iter": 2, "n_iter_no_change": 2, "batch_size": 20, "mc_samples": 5}
FAST |= {"random_state": 0}


class Noisy(nn.Module):
    """Makes numbers of its own, in its constructor and in its passes."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.first = nn.Linear(n_features, 8)
        self.mixed = nn.Parameter(torch.randn(8, 8) / torch.tensor(8.0).sqrt())
        self.drop, self.last = nn.Dropout(0.2), nn.LazyLinear(n_outputs)
        self.register_buffer("steps", torch.linspace(0, 1, 8))

    def forward(self, x):
        x = x + torch.full((5,), 0.1)
        x = x + 0.01 * torch.randn(x.shape) if self.training else x
        h = self.first(x).relu() @ self.mixed + self.steps * torch.arange(8.0)
        return self.last(self.drop(h) + torch.zeros(8))


@contextmanager
def default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device():
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextmanager
def deterministic_algorithms():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


SETTINGS = {
    "autocast": lambda: torch.autocast("cpu"),
    "default device": default_device,
    "default dtype": default_dtype,
    "deterministic algorithms": deterministic_algorithms,
    "device": lambda: torch.device("meta"),
    "grad disabled": lambda: torch.set_grad_enabled(False),
    "inference mode": torch.inference_mode,
    "no grad": torch.no_grad,
}
MODELS = {
    "perceptron": DropoutClassifier((8,), **FAST),
    "numbers": DropoutRegressor((8,), **FAST, early_stopping=True),
    "module": DropoutClassifier(module=Noisy, **FAST),
    "unlearner of a module": NPO(
        DropoutClassifier(module=Noisy, **FAST), n_epochs=2, random_state=0
    ),
}


@cache
def everything(name, settings=None):
    """What a model gives on its way through a life, under these settings."""
    model = clone(MODELS[name])
    with SETTINGS[settings]() if settings else nullcontext():
        model.fit(X, y)
        first = model.predict(X), model.predict(X[:3])
        loaded = pickle.loads(pickle.dumps(model))
        second = loaded.unlearn(X[:6], y[:6]).predict(X)
        third = loaded.export().predict(X)
        if hasattr(loaded, "predict_proba"):
            third = loaded.predict_proba(X)
    return np.concatenate([np.ravel(part) for part in (*first, second, third)])


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("model", MODELS)
def test_settings_of_the_caller_change_nothing(model, settings):
    state = torch.get_rng_state()
    assert np.array_equal(everything(model, settings), everything(model))
    assert torch.equal(torch.get_rng_state(), state)
