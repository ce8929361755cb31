"""Nets of skorch that unlearn."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import contextlib
import pickle
from unittest import SkipTest

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler, scale
from sklearn.utils.estimator_checks import estimator_checks_generator
from skorch import (
    NeuralNet,
    NeuralNetBinaryClassifier,
    NeuralNetClassifier,
    NeuralNetRegressor,
)
from skorch.callbacks import Callback
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from torch import nn

from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NPO, Blindspot, FineTune
from sklearn_unlearn.utils.estimator_checks import check_unlearner, find_residue
from tests._instances import NETWORK_METHODS


class Small(nn.Sequential):
    """A module with dropout; it returns logits, or probabilities."""

    def __init__(self, n_features=4, n_outputs=3, probabilities=False):
        layers = [nn.Linear(n_features, 24), nn.ReLU(), nn.Dropout(0.1)]
        layers.append(nn.Linear(24, n_outputs))
        super().__init__(*layers, *([nn.Softmax(dim=-1)] if probabilities else []))


class Sizes(Callback):
    """Sets the sizes of the module to those of the data, as users of skorch do."""

    def on_train_begin(self, net, X, y, **kwargs):
        is_classes = isinstance(net, NeuralNetClassifier)
        n_outputs = max(2, len(np.unique(y))) if is_classes else y.shape[1]
        net.set_params(module__n_features=X.shape[1], module__n_outputs=n_outputs)


SETTINGS = {
    "optimizer": torch.optim.Adam,
    "lr": 0.04,
    "max_epochs": 8,
    "batch_size": 32,
    "verbose": 0,
    "callbacks": [("sizes", Sizes())],
}
CLASSIFIER = NeuralNetClassifier(
    Small, criterion=nn.CrossEntropyLoss, train_split=None, **SETTINGS
)
PROBABILITIES = NeuralNetClassifier(Small, module__probabilities=True, **SETTINGS)
REGRESSOR = NeuralNetRegressor(Small, train_split=None, **SETTINGS)
NETS = pytest.mark.parametrize(
    "net", [CLASSIFIER, REGRESSOR], ids=["classes", "numbers"]
)


@pytest.fixture(autouse=True)
def _same_nets():
    """Nets that are fitted by themselves draw from the global generator of torch."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@NETS
@pytest.mark.parametrize("method", NETWORK_METHODS)
@pytest.mark.filterwarnings("ignore:Unlearning stopped")
def test_contract(method, net):
    check_unlearner(method(net))


def test_contract_with_probabilities():
    check_unlearner(NPO(PROBABILITIES))


@NETS
def test_sklearn_checks(net):
    for estimator, check in estimator_checks_generator(NPO(net)):
        with contextlib.suppress(SkipTest):
            check(estimator)


def digits(n_rows=700):
    X, y = load_digits(return_X_y=True)
    return (X[:n_rows] / 16).astype(np.float32), y[:n_rows]


@pytest.mark.parametrize("method", NETWORK_METHODS)
def test_a_fitted_net_forgets_a_class(method):
    X, y = digits()
    net = clone(CLASSIFIER).set_params(max_epochs=30)
    net.fit(X, y)
    before = net.predict_proba(X)
    forget = y == 3
    model = method(FrozenEstimator(net), random_state=0).fit(X, y)
    assert np.allclose(model.predict_proba(X), before, atol=1e-5)
    model.unlearn(X[forget])
    accuracy = model.predict(X) == y
    assert accuracy[~forget].mean() > (net.predict(X) == y)[~forget].mean() - 0.03
    assert model.predict_proba(X)[forget, 3].mean() < before[forget, 3].mean() - 0.02
    # the net of the caller is as it was; a pickle does not have it
    assert np.array_equal(net.predict_proba(X), before)
    written = pickle.dumps(model)
    assert not find_residue(pickle.loads(written), X[forget].astype(float), X[~forget])
    weights = net.module_[0].weight.detach().numpy()
    assert weights[:2].tobytes() not in written and weights[0, :8].tobytes() in (
        pickle.dumps(net)
    )


def test_the_net_with_the_present_weights():
    X, y = digits(300)
    model = NPO(PROBABILITIES, random_state=0).fit(X, y)
    model.unlearn(X[:20])
    net = model.estimator_.net_
    assert isinstance(net, NeuralNetClassifier)
    assert np.allclose(net.predict_proba(X), model.predict_proba(X), atol=1e-5)
    assert len(net.history) == 0


def test_labels_are_those_of_the_user():
    X, y = digits(300)
    names = np.array([f"digit {number}" for number in range(10)])
    model = FineTune(CLASSIFIER, random_state=0).fit(X, names[y])
    assert list(model.classes_) == list(names)
    assert (model.predict(X) == names[y]).mean() > 0.9


def test_binary_classifier():
    X, y = digits()
    y = (y > 4).astype(int)
    net = NeuralNetBinaryClassifier(
        Small, module__n_features=64, module__n_outputs=1, **SETTINGS
    )
    net.set_params(callbacks=None, max_epochs=20)
    model = NPO(net, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.predict_proba(X).shape == (len(X), 2)
    wrong = np.random.default_rng(0).random(len(X)) < 0.05
    flipped = np.where(wrong, 1 - y, y)
    net.set_params(max_epochs=100, lr=0.005)
    model = NPO(net, random_state=0).fit(X, flipped)

    def believed():
        return model.predict_proba(X[wrong])[np.arange(wrong.sum()), flipped[wrong]]

    before = believed().mean()
    model.unlearn(X[wrong])
    assert believed().mean() < before - 0.05


def test_several_targets():
    X, y = load_diabetes(return_X_y=True)
    y = scale(np.column_stack([y, -y + X[:, 0]]))
    model = Blindspot(clone(REGRESSOR), random_state=0)
    model.fit(X, y).unlearn(X[:10])
    assert model.predict(X).shape == y.shape
    assert model.score(X, y) > 0.3


def test_the_global_generator_is_left_alone():
    X, y = digits(200)
    before = torch.get_rng_state()
    models = [NPO(CLASSIFIER, random_state=0).fit(X, y) for _ in range(2)]
    assert torch.equal(torch.get_rng_state(), before)
    first, second = (model.unlearn(X[:9]).predict_proba(X) for model in models)
    assert np.array_equal(first, second)


def test_class_weights_of_the_criterion_count():
    X, y = digits(300)
    net = clone(CLASSIFIER).fit(X, y)
    models = {}
    for kind, weight in (
        ("none", None),
        ("one", torch.ones(10)),
        ("large", torch.full((10,), 100.0)),
        ("of the fours", torch.where(torch.arange(10) == 4, 100.0, 1.0)),
    ):
        net.criterion_.weight = weight  # the same fitted module for all of them
        model = FineTune(FrozenEstimator(net), random_state=0).fit(X, y)
        models[kind] = model.unlearn(X[:5]).predict_proba(X)
    # their scale is of no account, as in the training of torch
    assert np.allclose(models["one"], models["none"], atol=1e-3)
    assert np.allclose(models["large"], models["none"], atol=1e-3)
    assert models["of the fours"][:, 4].mean() > models["none"][:, 4].mean()


def test_weight_decay_is_that_of_the_net():
    torch.manual_seed(0)  # the net is fitted by skorch itself
    X, y = digits(258)  # 257 are left: the last batch has one row
    for optimizer in (torch.optim.AdamW, torch.optim.Adam):
        net = clone(CLASSIFIER).set_params(
            optimizer=optimizer, optimizer__weight_decay=0.01, batch_size=256
        )
        net.set_params(max_epochs=60).fit(X, y)
        start = float(net.module_[0].weight.detach().norm())
        model = FineTune(
            FrozenEstimator(net), n_epochs=60, max_retain_increase=10.0, random_state=0
        )
        layer = model.fit(X, y).unlearn(X[:1]).estimator_.net_.module_[0]
        assert 0.8 < float(layer.weight.detach().norm()) / start < 1.25


def test_labels_are_numbers_of_outputs_for_a_fitted_net():
    X, y = digits()
    net = clone(CLASSIFIER).set_params(
        callbacks=None, module__n_features=64, module__n_outputs=10, max_epochs=30
    )
    kept = y != 3
    net.fit(X[kept], y[kept])
    model = FineTune(FrozenEstimator(net), random_state=0).fit(X[kept], y[kept])
    assert np.array_equal(model.predict(X), net.predict(X))
    assert np.allclose(model.predict_proba(X).sum(axis=1), 1)
    with pytest.raises(ValueError, match="no output for"):
        FineTune(FrozenEstimator(net)).fit(X[kept], y[kept] + 5)
    # a net that is fitted by the unlearner may have outputs to spare
    model = FineTune(net, store_training_data=False, random_state=0)
    model.fit(X[y < 4], y[y < 4])
    assert np.allclose(model.predict_proba(X).sum(axis=1), 1)
    with pytest.raises(ValueError, match="no output for"):
        model.unlearn(
            X[y < 4][:1], X_retain=X[1 : (y < 4).sum()], y_retain=y[1 : (y < 4).sum()]
        )


def test_a_column_is_dropped_before_a_net():
    codes = np.random.default_rng(0).integers(0, 3, size=(200, 2)).astype(str)
    codes[:2] = [["rare", "1"], ["rarer", "2"]]
    y = (codes[:, 0] == "1").astype(int)
    net = clone(CLASSIFIER).set_params(callbacks=None, max_epochs=15)
    net.set_params(module__n_features=8, module__n_outputs=2)
    for method in (FineTune, Blindspot):
        encoder = OneHotEncoder(sparse_output=False)
        model = make_pipeline(encoder, method(net, random_state=0)).fit(codes, y)
        for i, width in ((0, 7), (1, 6)):
            model.unlearn(codes[[i]])
            assert model[-1].n_features_in_ == width
            assert model.score(codes[2:], y[2:]) > 0.9
            assert model[-1].estimator_.net_.module_[0].in_features == width
        again = pickle.loads(pickle.dumps(model))
        p, q = (m.predict_proba(codes[2:]) for m in (model, again))
        assert np.array_equal(p, q)


def test_a_net_keeps_no_rows_of_its_validation():
    X, y = digits(200)
    valid = Dataset(X[:20], y[:20])
    net = clone(CLASSIFIER).set_params(train_split=predefined_split(valid))
    net.fit(X, y)
    model = FineTune(FrozenEstimator(net), random_state=0).fit(X, y)
    written = pickle.dumps(model.unlearn(X[:5]))
    assert not any(row.tobytes() in written for row in X[:5])


class Convolution(nn.Module):
    """Reads rows as pictures, and drops channels."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Conv2d(1, 6, 3, padding=1)
        self.drop = nn.Dropout2d(0.1)
        self.last = nn.Linear(6 * 64, 10)

    def forward(self, x):
        pictures = self.drop(self.inner(x.reshape(-1, 1, 8, 8)).relu())
        return self.last(pictures.flatten(1))


def test_convolutions_and_parts_given_as_instances():
    X, y = digits(300)
    net = NeuralNetClassifier(
        Convolution, criterion=nn.CrossEntropyLoss(), max_epochs=5, lr=0.01, verbose=0
    )
    net.set_params(optimizer=torch.optim.Adam)
    with torch.inference_mode():
        model = NPO(net, random_state=0).fit(X, y).unlearn(X[:10])
    assert np.allclose(model.estimator_.net_.predict_proba(X), model.predict_proba(X))
    assert model.score(X, y) > 0.6


def test_in_a_pipeline():
    X, y = digits()
    train, test = train_test_split(np.arange(len(X)), random_state=0)
    model = make_pipeline(StandardScaler(), NPO(CLASSIFIER, random_state=0))
    model.fit(X[train], y[train])
    before = model.score(X[test], y[test])
    model.unlearn(X[train[:20]])
    assert model.score(X[test], y[test]) > before - 0.05


def test_what_cannot_unlearn_is_named():
    X, y = digits(60)
    with pytest.raises(TypeError, match="got LogisticRegression"):
        NPO(LogisticRegression()).fit(X, y)
    with pytest.raises(TypeError, match="got NeuralNet"):
        NPO(NeuralNet(Small, criterion=nn.CrossEntropyLoss)).fit(X, y)
    built = NeuralNetClassifier(Small(64, 10), criterion=nn.CrossEntropyLoss)
    with pytest.raises(TypeError, match="built already"):
        NPO(built).fit(X, y)
    within = clone(CLASSIFIER).set_params(module__body=nn.Linear(64, 10))
    with pytest.raises(TypeError, match="module__body=Linear"):
        NPO(within).fit(X, y)
    with pytest.raises(ValueError, match="not fitted"):
        NPO(FrozenEstimator(clone(CLASSIFIER))).fit(X, y)
    smooth = clone(CLASSIFIER).set_params(criterion__label_smoothing=0.1)
    with pytest.raises(ValueError, match="label_smoothing"):
        NPO(smooth).fit(X, y)
    huber = clone(REGRESSOR).set_params(criterion=nn.HuberLoss)
    with pytest.raises(TypeError, match="HuberLoss"):
        NPO(huber).fit(X, y.astype(float))
