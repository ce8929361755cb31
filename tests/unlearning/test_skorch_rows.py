"""Nets of skorch: the rows they take, and how they are trained."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import scale
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    LRScheduler,
)
from skorch.dataset import ValidSplit
from torch import nn

from sklearn_unlearn.exceptions import UnknownRowsError, UnlearningWarning
from sklearn_unlearn.unlearning import NPO, Blindspot
from sklearn_unlearn.utils.estimator_checks import find_residue
from tests._instances import NETWORK_METHODS


class Small(nn.Sequential):
    def __init__(self):
        layers = [nn.Linear(64, 24), nn.ReLU(), nn.Dropout(0.1)]
        super().__init__(*layers, nn.Linear(24, 10))


def classifier(module, **params):
    """An unfitted net, trained by Adam."""
    settings = {
        "criterion": nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "lr": 0.02,
        "max_epochs": 8,
        "batch_size": 32,
        "train_split": None,
        "verbose": 0,
    }
    return NeuralNetClassifier(module, **{**settings, **params})


@pytest.fixture(autouse=True)
def _same_nets():
    """Nets that are fitted by themselves draw from the global generator of torch."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def digits(n_rows):
    X, y = load_digits(return_X_y=True)
    return (X[:n_rows] / 16).astype(np.float32), y[:n_rows]


class Pictures(nn.Module):
    """Takes pictures of shape (1, 8, 8)."""

    def __init__(self, normalised=False):
        super().__init__()
        self.inner = nn.Conv2d(1, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6) if normalised else nn.Identity()
        self.drop = nn.Dropout2d(0.1)
        self.last = nn.Linear(6 * 64, 10)

    def forward(self, x):
        return self.last(self.drop(self.norm(self.inner(x)).relu()).flatten(1))


class Sequences(nn.Module):
    """Takes sequences of 8 steps."""

    def __init__(self):
        super().__init__()
        self.inner = nn.LSTM(8, 16, batch_first=True)
        self.last = nn.Linear(16, 10)

    def forward(self, x):
        return self.last(self.inner(x)[0][:, -1])


class Words(nn.Module):
    """Takes numbers of words, which must be whole."""

    def __init__(self):
        super().__init__()
        self.inner, self.last = nn.Embedding(17, 4), nn.Linear(4 * 64, 10)

    def forward(self, x):
        return self.last(self.inner(x).flatten(1))


@pytest.mark.parametrize("frozen", [False, True], ids=["fitted here", "frozen"])
@pytest.mark.parametrize("method", [NPO, Blindspot])
@pytest.mark.parametrize(
    ("module", "shape", "dtype"),
    [
        (Pictures, (1, 8, 8), np.float32),
        (Sequences, (8, 8), np.float32),
        (Words, (64,), np.int64),
        (Words, (64,), np.uint8),
    ],
)
def test_rows_as_the_module_takes_them(module, shape, dtype, method, frozen):
    X, y = load_digits(return_X_y=True)
    X, y = X[:257].reshape(257, *shape).astype(dtype), y[:257]
    net = classifier(module)
    if frozen:
        net.fit(X.astype(np.int64) if dtype == np.uint8 else X, y)
    model = method(FrozenEstimator(net) if frozen else net, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.3
    model.unlearn(X[:9])
    assert model.retained_rows().X.shape == (248, *shape)
    with pytest.raises(UnknownRowsError):
        model.unlearn(X[:1])
    again = pickle.loads(pickle.dumps(model.unlearn(X[9:12])))
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert np.allclose(
        model.estimator_.net_.predict_proba(
            X.astype(np.int64) if module is Words else X
        ),
        model.predict_proba(X),
        atol=1e-5,
    )
    assert not find_residue(model, X[:12], X[12:])


def test_wrong_shapes_of_rows_are_named():
    X, y = digits(60)
    X = X.reshape(-1, 1, 8, 8)
    net = classifier(Pictures)
    model = NPO(net, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match=r"\(1, 4, 16\).* of shape \(1, 8, 8\)"):
        model.predict(X.reshape(-1, 1, 4, 16))
    with pytest.raises(ValueError, match=r"Expected 4D array, got 2D .* 3 dimensions"):
        model.unlearn(X[:3].reshape(3, -1))
    with pytest.raises(ValueError, match=r"got 3D .* pass X_forget\[None\]"):
        model.unlearn(X[0])
    with pytest.raises(ValueError, match=r"rows of shape \(1, 4, 16\)"):
        model.unlearn(X[:3].reshape(3, 1, 4, 16))
    with pytest.raises(TypeError, match="Rows in a dict cannot be forgotten"):
        NPO(net).fit({"x": X}, y)


def test_the_same_without_kept_rows():
    X, y = digits(60)
    X = X.reshape(-1, 1, 8, 8)
    net = classifier(Pictures)
    model = NPO(net, random_state=0, store_training_data=False).fit(X, y)
    model.unlearn(X[:5], y[:5], X_retain=X[5:], y_retain=y[5:])
    assert model.n_forgotten_ == 5


class Squeezed(nn.Sequential):
    """Returns one number per row, without an axis of its own."""

    def __init__(self, n_features=10):
        super().__init__(nn.Linear(n_features, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return super().forward(x).squeeze()


class OneAxis(NeuralNetRegressor):
    """Takes targets of one axis, as the module returns them."""

    def check_data(self, X, y):
        pass


@pytest.mark.parametrize("criterion", [nn.MSELoss, nn.MSELoss()])
@pytest.mark.parametrize("frozen", [False, True], ids=["fitted here", "frozen"])
def test_outputs_without_an_axis(frozen, criterion):
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X).astype(np.float32), scale(y).astype(np.float32)
    adam = {"optimizer": torch.optim.Adam, "lr": 0.01, "max_epochs": 30}
    net = OneAxis(Squeezed, criterion=criterion, verbose=0, train_split=None, **adam)
    if frozen:
        net.fit(X, y)
    model = Blindspot(FrozenEstimator(net) if frozen else net, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.5
    assert model.unlearn(X[:10]).predict(X[:1]).shape == (1,)
    assert model.score(X, y) > 0.4


def test_a_module_of_other_targets_is_named():
    X, y = load_diabetes(return_X_y=True)
    net = NeuralNetRegressor(nn.Linear, module__in_features=10, module__out_features=3)
    net.set_params(verbose=0, max_epochs=1, train_split=None)
    with (
        pytest.warns(UserWarning, match="target size"),
        pytest.raises(ValueError, match="y has 1 targets, and the net 3"),
    ):
        NPO(net).fit(X, scale(y))


def normalised(**params):
    return classifier(Pictures, module__normalised=True, **params)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("method", NETWORK_METHODS)
@pytest.mark.filterwarnings("ignore:Unlearning stopped")
def test_batch_normalization_and_a_last_batch_of_one(method, drop_last):
    n_left = 193
    X, y = digits(n_left + 7)
    X = X.reshape(-1, 1, 8, 8)
    net = normalised(batch_size=64, iterator_train__drop_last=drop_last)
    model = method(net, random_state=0).fit(X, y).unlearn(X[: len(X) - n_left])
    assert model.score(X, y) > 0.2
    fresh = method(net, random_state=0).fit(X[-n_left:], y[-n_left:])
    assert fresh.score(X, y) > 0.2


def test_batch_normalization_needs_two_rows():
    X, y = digits(40)
    with pytest.raises(ValueError, match=r"more than one row per batch.*batch_size=1"):
        NPO(normalised(batch_size=1)).fit(X.reshape(-1, 1, 8, 8), y)


class Reversed(NeuralNetClassifier):
    """Turns around what the module returns."""

    def infer(self, x, **params):
        return -super().infer(x, **params)


def test_what_a_net_does_beside_its_module_is_refused():
    X, y = digits(100)
    net = Reversed(Small, criterion=nn.CrossEntropyLoss, max_epochs=2, verbose=0)
    for model in (net, FrozenEstimator(clone(net).fit(X, y))):
        with pytest.raises(TypeError, match="Reversed predicts something else"):
            NPO(model).fit(X, y)


def test_samplers_of_rows_are_refused():
    X, y = digits(100)
    sampler = torch.utils.data.WeightedRandomSampler([1.0] * 100, 100)
    net = classifier(Small, iterator_train__sampler=sampler)
    with pytest.raises(ValueError, match="iterator_train__sampler"):
        NPO(net).fit(X, y)


class Weighted(nn.CrossEntropyLoss):
    """The criterion of torch by another name."""


def test_criteria_derived_from_a_known_one():
    X, y = digits(100)
    model = NPO(classifier(Small, criterion=Weighted), random_state=0)
    assert model.fit(X, y).unlearn(X[:5]).n_forgotten_ == 5


RATES = []


class Rates(Callback):
    """Writes down the learning rate of each epoch."""

    def on_epoch_end(self, net, **kwargs):
        RATES.append(net.optimizer_.param_groups[0]["lr"])


def test_callbacks_of_the_net_are_those_of_its_training(tmp_path):
    X, y = digits(300)
    RATES.clear()
    net = classifier(
        Small,
        max_epochs=12,
        lr=0.01,
        train_split=ValidSplit(5),
        callbacks=[
            ("schedule", LRScheduler("StepLR", step_size=1, gamma=0.5)),
            ("rates", Rates()),
            ("stop", EarlyStopping(patience=3, threshold=10.0)),
            ("saved", Checkpoint(dirname=str(tmp_path), f_pickle="net.pkl")),
            ("accuracy", EpochScoring("accuracy", on_train=True)),
        ],
    )
    model = Blindspot(net, random_state=0).fit(X, y)
    n_epochs = len(RATES)
    assert RATES == [0.005, 0.0025, 0.00125, 0.000625]
    assert pickle.loads((tmp_path / "net.pkl").read_bytes()).predict(X).shape == (300,)
    written = pickle.dumps(model.unlearn(X[:5]))
    assert len(RATES) == n_epochs  # what the package trains, they do not follow
    assert not any(row.tobytes() in written for row in X[:5])
    # the parameters of the unlearner are the user's own, and as they were
    assert [name for name, _ in model.estimator.callbacks] == [
        name for name, _ in net.callbacks
    ]


@pytest.mark.parametrize("drop_last", [False, True])
def test_a_fitted_net_was_fitted_on_as_many_rows(drop_last):
    X, y = digits(150)
    net = classifier(Small, max_epochs=2, train_split=ValidSplit(5))
    net.set_params(iterator_train__drop_last=drop_last).fit(X[:100], y[:100])
    NPO(FrozenEstimator(net)).fit(X[:100], y[:100])
    for n_given in (50, 150):
        with pytest.warns(UnlearningWarning, match=f"and fit is given {n_given}"):
            NPO(FrozenEstimator(net)).fit(X[:n_given], y[:n_given])
    # one that was given the parameters of another has not counted
    loaded = clone(net).initialize()
    loaded.module_.load_state_dict(net.module_.state_dict())
    model = NPO(FrozenEstimator(loaded), random_state=0).fit(X, y)
    assert np.array_equal(model.predict(X), net.predict(X))


def test_uncertainty_of_a_net_with_dropout():
    X, y = digits(200)
    model = NPO(classifier(Small), random_state=0)
    model.fit(X, y)
    parts = {
        kind: model.predict_uncertainty(X, kind=kind)
        for kind in ("total", "aleatoric", "epistemic")
    }
    assert np.allclose(parts["total"], parts["aleatoric"] + parts["epistemic"])
    assert parts["epistemic"].min() >= 0 and parts["epistemic"].mean() > 0.01
    noise = np.random.default_rng(0).random(X.shape)
    assert model.predict_uncertainty(noise).mean() > parts["total"].mean()
    # the functions are those of all rows, and the same in every call
    some = model.predict_uncertainty(X[5:9])
    assert np.allclose(some, parts["total"][5:9])
    drawn = model.sample_proba(X, n_samples=400)
    assert drawn.shape == (400, 200, 10)
    assert np.allclose(drawn.sum(axis=-1), 1)
    p = np.clip(drawn.mean(axis=0), 1e-12, 1)
    assert np.allclose(-(p * np.log(p)).sum(axis=1), parts["total"], atol=0.15)
    again = pickle.loads(pickle.dumps(model.unlearn(X[:5])))
    assert np.array_equal(model.predict_uncertainty(X), again.predict_uncertainty(X))
    with pytest.raises(ValueError, match="kind must be"):
        model.predict_uncertainty(X, kind="both")


def test_dropout_by_functions_is_not_left_out_of_the_uncertainty():
    class Half(Small):
        def forward(self, x):
            return nn.functional.dropout(super().forward(x), 0.5, self.training)

    X, y = digits(100)
    model = NPO(classifier(Half), random_state=0).fit(X, y)
    assert model.predict_proba(X).shape == (100, 10)
    assert not hasattr(model, "predict_uncertainty")
    assert not hasattr(model, "sample_proba")


class Numbers(nn.Sequential):
    def __init__(self, rate=0.2):
        layers = [nn.Linear(10, 32), nn.ReLU(), nn.Dropout(rate), nn.Linear(32, 1)]
        super().__init__(*layers)


def test_uncertainty_about_numbers():
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X), scale(y)
    net = NeuralNetRegressor(Numbers, verbose=0, train_split=None)
    model = Blindspot(net, random_state=0).fit(X, y)
    drawn = model.sample_y(X, n_samples=300)
    assert drawn.shape == (442, 300)
    spread = model.predict_uncertainty(X, kind="epistemic")
    assert np.corrcoef(drawn.var(axis=1), spread)[0, 1] > 0.7
    assert model.predict_uncertainty(10 * X, "epistemic").mean() > spread.mean()
    with pytest.raises(ValueError, match="no model of the noise"):
        model.predict_uncertainty(X)
    several = Blindspot(net.set_params(train_split=None), random_state=0)
    assert several.fit(X, y[:, None]).sample_y(X, n_samples=3).shape == (442, 1, 3)


def test_a_net_without_dropout_knows_no_uncertainty():
    X, y = digits(60)
    model = NPO(classifier(Sequences)).fit(X.reshape(-1, 8, 8), y)
    assert not hasattr(model, "predict_uncertainty")
    with pytest.raises(AttributeError, match="predict_uncertainty"):
        model.predict_uncertainty(X)
