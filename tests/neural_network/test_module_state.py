"""Modules that keep more than parameters, or less than they should, survive."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import pickle
from collections import deque
from enum import Enum

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune

from sklearn_unlearn.neural_network import DropoutClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 6))
y = np.arange(50) % 2
X[:, 0] += y


def network(module, **params):
    settings = {"max_iter": 3, "n_iter_no_change": 3, "batch_size": 10}
    settings |= {"learning_rate_init": 0.01, "mc_samples": 3, "random_state": 0}
    return DropoutClassifier(module=module, **{**settings, **params})


class Phase(Enum):
    BEFORE = 0
    AFTER = 1


class Notes:
    """An object of the user that a module writes to."""

    def __init__(self):
        self.mean, self.seen = 0.0, []


class Keeps(nn.Module):
    """Keeps what it has seen wherever a module can keep something."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.first, self.last = nn.Linear(n_features, 8), nn.Linear(8, n_outputs)
        self.drop, self.phase, self.level = nn.Dropout(0.1), Phase.BEFORE, 0.0
        self.notes, self.recent, self.table = Notes(), deque(maxlen=2), {}
        self.unregistered = [nn.Linear(8, 8)]
        self.register_buffer("mean", None)
        self.register_buffer("count", torch.tensor(0), persistent=False)
        self.register_buffer("used", torch.zeros(8, dtype=torch.bool))
        self.half = torch.ones(8, dtype=torch.bfloat16)

    def forward(self, x):
        if self.training:
            self._learn(x.detach())
        x = x - (0 if self.mean is None else self.mean) - self.level
        h = self.first(x).relu() * self.used
        self.kept = h, h.sum()  # with their graph
        h = h * self.notes.mean + self.unregistered[0](h)
        if self.phase is Phase.AFTER:
            h = h + sum(self.recent) + self.table[3]["x"] * self.half.to(h.dtype)
        return self.last(self.drop(h)) + self.count

    def _learn(self, x):
        self.mean, self.count = x.mean(0), self.count + 1
        self.used |= torch.arange(8) < 7
        self.phase, self.level = Phase.AFTER, 0.9 * self.level + float(x.mean())
        self.notes.mean, self.table[3] = float(x.std()), {"x": x.max()}
        self.notes.seen.append(len(x))
        self.recent.append(float(x.sum()))
        self.half = self.half * 0.9
        with torch.no_grad():
            self.unregistered[0].weight.mul_(0.9)


class Tied(nn.Module):
    """Weights in two places, and in parametrisations and masks of torch."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.first = nn.utils.weight_norm(nn.Linear(n_features, 8))
        self.second = nn.utils.parametrizations.weight_norm(nn.Linear(8, 8))
        self.third = nn.utils.spectral_norm(nn.Linear(8, 8))
        self.fourth = nn.utils.parametrizations.spectral_norm(nn.Linear(8, 8))
        self.fifth, self.sixth = nn.Linear(8, 8), nn.Linear(8, 8)
        self.sixth.weight = self.fifth.weight
        self.mask = prune.l1_unstructured(nn.Linear(8, n_outputs), "weight", 0.3)
        self.drop = nn.Dropout(0.1)
        self.scales = nn.ParameterList([torch.ones(8), torch.rand(8)])
        self.shifts = nn.ParameterDict({"a": torch.zeros(8)})

    def forward(self, x):
        for layer in (self.first, self.second, self.third, self.fourth):
            x = layer(x).relu()
        x = self.sixth(self.fifth(x)) * self.scales[0] + self.shifts["a"]
        return self.mask(self.drop(x) * self.scales[1])


class ExtraState(nn.Module):
    """State that only `get_extra_state` tells of."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_features, n_outputs), nn.Dropout(0.1))
        level = [0.0]

        def change(value=None):
            level[0] = level[0] if value is None else value
            return level[0]

        self.change = change

    def __deepcopy__(self, memo):
        new = ExtraState(6, 2)
        new.net = copy.deepcopy(self.net, memo)
        new.training = self.training
        new.set_extra_state(self.get_extra_state())
        return new

    def get_extra_state(self):
        return {"level": self.change()}

    def set_extra_state(self, state):
        self.change(state["level"])

    def forward(self, x):
        if self.training:
            self.change(self.change() + 0.1)
        return self.net(x) * (1 + self.change()) + self.change()


class Lazy(nn.Sequential):
    def __init__(self, n_features, n_outputs):
        super().__init__(
            nn.LazyLinear(8),
            nn.LazyBatchNorm1d(),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.LazyLinear(n_outputs),
        )


def channels_last(n_features, n_outputs):
    convolution = nn.Conv2d(3, 4, (1, 2)).to(memory_format=torch.channels_last)
    layers = (nn.Unflatten(1, (3, 1, n_features // 3)), convolution, nn.Flatten())
    return nn.Sequential(*layers, nn.Dropout(0.1), nn.Linear(4, n_outputs))


class Fourier(nn.Module):
    """Complex weights, and random ones that are no buffer."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.mixed = nn.Parameter(torch.randn(n_features, 8, dtype=torch.complex64))
        self.phase = torch.rand(8)
        self.drop, self.last = nn.Dropout(0.1), nn.Linear(8, n_outputs).double()

    def forward(self, x):
        h = (x.to(self.mixed.dtype) @ self.mixed).abs()
        return self.last(self.drop(h + self.phase))


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")
@pytest.mark.parametrize("early_stopping", [False, True], ids=["all", "early stopping"])
@pytest.mark.parametrize(
    "module", [Keeps, Tied, ExtraState, Lazy, channels_last, Fourier]
)
def test_all_state_travels(module, early_stopping):
    model = network(module, early_stopping=early_stopping).fit(X, y)
    p = model.predict_proba(X)
    for other in (
        pickle.loads(pickle.dumps(model)),
        pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(model)))),
        copy.deepcopy(model),
        model.export(),
    ):
        assert np.array_equal(p, other.predict_proba(X))
    again = network(module, early_stopping=early_stopping).fit(X, y)
    assert pickle.dumps(model) == pickle.dumps(again)
    parameters = model.module_.parameters()
    loaded = pickle.loads(pickle.dumps(model)).module_.parameters()
    assert len(list(parameters)) == len(list(loaded)), "tied weights came apart"
    model.unlearn(X[:5])
    again = network(module, early_stopping=early_stopping).fit(X[5:], y[5:])
    assert np.array_equal(model.predict_proba(X), again.predict_proba(X))


def test_tensors_left_by_a_pass_are_not_mixed_up():
    class Leaves(nn.Module):
        def __init__(self, n_features, n_outputs):
            super().__init__()
            self.drop, self.last = nn.Dropout(0.1), nn.Linear(n_features, n_outputs)

        def forward(self, x):
            outputs = self.last(self.drop(x))
            for i in range(50):
                setattr(self, f"left_{i}", outputs.sum() * 0 + i)
            return outputs

    model = network(Leaves).fit(X, y)
    for module in (model.module_, copy.deepcopy(model.module_), model.export().module_):
        assert [float(getattr(module, f"left_{i}")) for i in range(50)] == [*range(50)]


def grows(n_features, n_outputs):
    """A module that adds a layer in training."""

    class Grows(nn.Sequential):
        def forward(self, x):
            if self.training and len(self) < 3:
                self.append(nn.Linear(n_outputs, n_outputs))
            return super().forward(x)

    return Grows(nn.Linear(n_features, n_outputs), nn.Dropout(0.1))


def hides(n_features, n_outputs):
    """A module that keeps what it learns where nobody can see it."""
    level = [0.0]

    class Hides(nn.Sequential):
        def forward(self, x):
            level[0] += 0.1 * self.training
            return super().forward(x) * (1 + level[0])

    return Hides(nn.Linear(n_features, n_outputs), nn.Dropout(0.1))


@pytest.mark.parametrize("module", [grows, hides])
def test_what_cannot_travel_is_not_saved(module):
    model = network(module).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()
    with pytest.raises(pickle.PicklingError, match="cannot be saved"):
        pickle.dumps(model)


def test_modules_of_functions_within_functions():
    cloudpickle = pytest.importorskip("cloudpickle")

    def here(n_features, n_outputs):
        layers = (nn.Linear(n_features, 8), nn.Dropout(0.1), nn.Linear(8, n_outputs))
        return nn.Sequential(*layers)

    model = network(here).fit(X, y)
    loaded = cloudpickle.loads(cloudpickle.dumps(model))
    assert np.array_equal(model.predict_proba(X), loaded.predict_proba(X))


# -------------------------------------------------- what is random, and what mixes rows


class Rows(nn.Module):
    """Shows one way to treat rows; see the tests."""

    def __init__(self, treat, n_features, n_outputs):
        super().__init__()
        self.first, self.last = nn.Linear(n_features, 8), nn.Linear(8, n_outputs)
        self.drop, self.treat = nn.Dropout(0.1), treat

    def forward(self, x):
        return self.last(self.drop(self.treat(self.first(x), self.training)))


def rows_treated(treat):
    return lambda n_features, n_outputs: Rows(treat, n_features, n_outputs)


@pytest.mark.parametrize(
    "treat",
    [
        lambda h, training: F.dropout(h, 0.2, training),
        lambda h, training: F.alpha_dropout(h, 0.2, training),
        lambda h, training: F.dropout(h, 0.2),
        lambda h, training: nn.Dropout(0.2)(h),
        lambda h, training: F.scaled_dot_product_attention(
            h[:, None], h[:, None], h[:, None], dropout_p=0.2 * training
        )[:, 0],
    ],
    ids=["dropout", "alpha", "always", "hidden layer", "attention"],
)
def test_dropout_of_functions_beside_layers(treat):
    module = rows_treated(treat)
    with pytest.raises(ValueError, match="which the uncertainty would leave out"):
        network(module).fit(X, y)
    model = network(module, mc_samples=0).fit(X, y)
    p = model.predict_proba(X)
    assert np.allclose(p[7:8], model.predict_proba(X[7:8]), atol=1e-12)
    with pytest.raises(ValueError, match="which the uncertainty would leave out"):
        model.sample_proba(X)


def test_other_noise_is_no_dropout():
    def treat(h, training):
        h = F.rrelu(h, training=training)
        return h + 0.1 * torch.randn_like(h) if training else h

    model = network(rows_treated(treat)).fit(X, y)
    assert model.predict_uncertainty(X, "epistemic").max() > 0


@pytest.mark.parametrize("mc_samples", [0, 4])
def test_numbers_drawn_in_evaluation_do_not_depend_on_other_rows(mc_samples):
    module = rows_treated(lambda h, training: h + torch.randn_like(h))
    model = network(module, mc_samples=mc_samples).fit(X, y)
    p = model.predict_proba(X)
    assert np.array_equal(p, model.predict_proba(X))
    assert np.allclose(p[7:9], model.predict_proba(X[7:9]), atol=1e-12)
    assert np.allclose(p[::-1], model.predict_proba(X[::-1]), atol=1e-12)


@pytest.mark.parametrize(
    ("treat", "message"),
    [
        (lambda h, training: h - h.mean(0), "depend on one another"),
        (lambda h, training: h.softmax(0), "depend on one another"),
        (lambda h, training: F.batch_norm(h, None, None, training=True), "single row"),
        (lambda h, training: h.squeeze().unflatten(1, (-1, 2)).flatten(1), "single"),
    ],
    ids=["mean", "softmax", "batch normalization", "squeezed"],
)
def test_rows_that_depend_on_one_another(treat, message):
    with pytest.raises(ValueError, match=message):
        network(rows_treated(treat)).fit(X, y)


def test_rows_on_another_axis_share_their_noise():
    class SequenceFirst(nn.Module):
        def __init__(self, n_features, n_outputs):
            super().__init__()
            self.first, self.last = nn.Linear(1, 8), nn.Linear(8, n_outputs)
            self.drop = nn.Dropout(0.5)

        def forward(self, x):
            h = self.drop(self.first(x.T[..., None]))  # n_features, n_rows, 8
            return self.last(h.mean(0))

    model = network(SequenceFirst, mc_samples=5).fit(X, y)
    p = model.predict_proba(X)
    assert np.allclose(p[::-1], model.predict_proba(X[::-1]), atol=1e-12)
    assert np.allclose(p[7:9], model.predict_proba(X[7:9]), atol=1e-12)


@pytest.mark.parametrize("p", [0.0, 0.3])
def test_a_rate_of_zero_has_no_uncertainty(p):
    def module(n_features, n_outputs):
        layers = (nn.Linear(n_features, 8), nn.Dropout(p), nn.Linear(8, n_outputs))
        return nn.Sequential(*layers)

    model = network(module).fit(X, y)
    assert (model.predict_uncertainty(X, "epistemic").max() > 1e-9) == (p > 0)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_compiled_modules():
    def plain(n_features, n_outputs):
        layers = (nn.Linear(n_features, 8), nn.Dropout(0.2), nn.Linear(8, n_outputs))
        return nn.Sequential(*layers)

    expected = network(plain).fit(X, y).predict_proba(X)
    for module in (
        lambda *sizes: torch.compile(plain(*sizes)),
        lambda *sizes: nn.Sequential(torch.compile(plain(*sizes))),
    ):
        model = network(module).fit(X, y)
        np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-6)
    with pytest.raises(TypeError, match="was compiled by"):
        network(lambda *sizes: torch.jit.script(plain(*sizes))).fit(X, y)
