"""What tells each method from a fake one."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import scale
from torch import nn

from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.unlearning import (
    NPO,
    Blindspot,
    FineTune,
    NetworkUnlearner,
    SalUn,
)
from tests._instances import NETWORK_METHODS
from tests.unlearning._networks import SMALL, digits, unlearned, weights


@pytest.fixture(scope="module")
def fitted():
    X, y = digits()
    return X, y, DropoutClassifier((64,), **SMALL).fit(X, y)


def without_rows(model):
    """Return a copy that cannot tell which rows it was fitted on."""
    return copy.deepcopy(model).set_params(store_training_data=False)


# ------------------------------------------------------------- shared machinery


def test_training_that_harms_the_retained_rows_is_undone(fitted):
    X, y, model = fitted
    forget = np.arange(len(X)) < 60
    with pytest.warns(UnlearningWarning, match="stopped after 0 of 8 epochs"):
        harmed = unlearned(NPO, model, X, y, forget, learning_rate_init=1.0)
    assert np.array_equal(weights(harmed), weights(model))
    harmed = unlearned(
        NPO, model, X, y, forget, learning_rate_init=1.0, max_retain_increase=np.inf
    )
    assert harmed.score(X[~forget], y[~forget]) < 0.9


def test_noise_is_off_while_a_network_unlearns(fitted):
    X, y, model = fitted
    forget = np.arange(len(X)) < 30
    noisy = clone(model).set_params(dropout=0.5, max_iter=1).fit(X, y)
    # what is changed in the module changes the network
    linear = [layer for layer in model.module_ if isinstance(layer, nn.Linear)]
    changed = [layer for layer in noisy.module_ if isinstance(layer, nn.Linear)]
    for theirs, ours in zip(changed, linear, strict=True):
        theirs.load_state_dict(ours.state_dict())
    assert np.array_equal(weights(noisy), weights(model))
    same = [unlearned(NPO, m, X, y, forget) for m in (model, noisy)]
    assert np.array_equal(weights(same[0]), weights(same[1]))


def chain(n_features, n_outputs):
    layers = [nn.Linear(n_features, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1)]
    return nn.Sequential(*layers, nn.Linear(32, n_outputs))


@pytest.mark.parametrize("module", [None, chain], ids=["perceptron", "module"])
def test_a_teacher_does_not_learn(module):
    seen = {}

    class Taught(NetworkUnlearner):
        def _unlearn_network(self, student):
            teacher = student.network()
            first = student.outputs(student.retain, teacher)
            seen["as it was"] = torch.equal(first, student.outputs(student.retain))
            student.train(lambda retain, forget: -forget.losses.mean())
            again = student.outputs(student.retain, teacher)
            seen["as before"] = torch.equal(first, again)
            now = student.outputs(student.retain)
            seen["moved"] = not torch.allclose(first, now, atol=0.1)
            seen["frozen"] = not (first.requires_grad or now.requires_grad)

    X, y = digits(300)
    model = DropoutClassifier((32,), module=module, **SMALL).fit(X, y)
    forget = np.arange(len(X)) < 60
    unlearned(Taught, model, X, y, forget, max_retain_increase=np.inf)
    assert seen == dict.fromkeys(("as it was", "as before", "moved", "frozen"), True)


def test_another_method_in_a_few_lines(fitted):
    class Nothing(NetworkUnlearner):
        def _unlearn_network(self, student):
            student.train(lambda retain, forget: 0.0 * retain.losses.sum())

    X, y, model = fitted
    model = clone(model).set_params(alpha=0.0).fit(X, y)
    forget = np.arange(len(X)) < 30
    kept = unlearned(Nothing, model, X, y, forget)
    assert np.array_equal(weights(kept), weights(model))
    assert kept.n_forgotten_ == 30


# ------------------------------------------------------------------- FineTune


def test_no_l1_is_plain_fine_tuning(fitted):
    class Plain(NetworkUnlearner):
        def _unlearn_network(self, student):
            student.train(lambda retain, _: retain.losses.mean(), forget=False)

    X, y, model = fitted
    forget = np.arange(len(X)) < 60
    plain = unlearned(Plain, model, X, y, forget)
    tuned = unlearned(FineTune, model, X, y, forget, l1=0.0)
    assert np.array_equal(weights(tuned), weights(plain))
    assert not np.array_equal(weights(tuned), weights(model))


def test_fine_tuning_is_what_a_loop_of_torch_does(fitted):
    X, y, model = fitted
    model = clone(model).set_params(alpha=0.1).fit(X, y)
    forget = np.arange(len(X)) < 60
    # all rows in one batch, whose order is then of no account
    tuned = unlearned(FineTune, model, X, y, forget, n_epochs=20, batch_size=len(X))
    module = copy.deepcopy(model.module_)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.005)
    rows = torch.from_numpy(X[~forget]).float()
    target = torch.from_numpy(y[~forget])
    for _ in range(20):
        loss = nn.functional.cross_entropy(module(rows), target)
        for layer in (module[0], module[-1]):
            loss = loss + 0.1 / 2 / len(rows) * layer.weight.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    first = module[0].weight.detach().numpy().T
    assert np.abs(first - model.coefs_[0]).max() > 0.01
    assert np.allclose(tuned.estimator_.coefs_[0], first, atol=1e-5)


def test_l1_makes_sparse(fitted):
    X, y, model = fitted
    forget = y == 3
    small = []
    for l1 in (0.0, 1e-4, 1e-3):
        tuned = unlearned(FineTune, model, X, y, forget, l1=l1, n_epochs=20)
        small.append(int((np.abs(weights(tuned)) < 3e-3).sum()))
    assert small[0] < small[1] < small[2]


# ---------------------------------------------------------------------- SalUn


def test_frozen_weights_do_not_move_by_a_bit(fitted):
    X, y, model = fitted
    # weight decay, and moments from earlier steps, would move them
    model = clone(model).set_params(alpha=10.0, max_iter=5).fit(X, y)
    before = weights(model)
    after = weights(
        unlearned(SalUn, model, X, y, y == 3, keep=0.1, max_retain_increase=9.0)
    )
    moved = before != after
    assert moved.sum() == pytest.approx(0.1 * len(before), rel=0.05)
    assert moved.sum() <= round(0.1 * len(before))


def test_frozen_weights_of_a_module():
    def module(n_features, n_outputs):
        layers = [nn.Linear(n_features, 32), nn.ReLU(), nn.Dropout(0.1)]
        return nn.Sequential(*layers, nn.Linear(32, n_outputs))

    X, y = digits(300)
    network = DropoutClassifier(module=module, **SMALL).set_params(alpha=5.0)
    model = network.fit(X, y)
    changed = unlearned(SalUn, model, X, y, y == 3, keep=0.2)
    pairs = zip(
        model.module_.parameters(),
        changed.estimator_.module_.parameters(),
        strict=True,
    )
    moved = [(a != b).flatten() for a, b in pairs]
    share = torch.cat(moved).double().mean()
    assert 0.15 < float(share) <= 0.2 + 1e-9


def test_keeping_all_weights_is_no_mask(fitted):
    class Unmasked(SalUn):
        def _saliency(self, student):
            return None

    X, y, model = fitted
    forget = y == 3
    all_weights = unlearned(SalUn, model, X, y, forget, keep=1.0)
    assert np.array_equal(
        weights(all_weights), weights(unlearned(Unmasked, model, X, y, forget))
    )


# ------------------------------------------------------------------------ NPO


def test_npo_bears_a_heavy_weight_and_ascent_does_not(fitted):
    class Ascent(NPO):
        def _unlearn_network(self, student):
            def objective(retain, forget):
                return retain.mean(retain.losses) - forget.mean(forget.losses)

            student.train(objective)

    X, y, model = fitted
    forget = np.arange(len(X)) < 60
    settings = {"forget_weight": 1.0, "max_retain_increase": np.inf, "n_epochs": 12}
    accuracy = [
        unlearned(method, model, X, y, forget, **settings).score(X[~forget], y[~forget])
        for method in (NPO, Ascent)
    ]
    assert accuracy[0] > 0.9
    assert accuracy[1] < accuracy[0] - 0.2


# ------------------------------------------------------------------ Blindspot


@pytest.mark.parametrize("method", [FineTune, Blindspot])
def test_targets_of_forgotten_rows_are_not_used(method, fitted):
    X, y, model = fitted
    model = without_rows(model)
    forget = np.arange(len(X)) < 60
    other = y.copy()
    other[forget] = np.random.default_rng(0).permutation(y[forget])
    same = [unlearned(method, model, X, labels, forget) for labels in (y, other)]
    assert np.array_equal(weights(same[0]), weights(same[1]))
    bare = method(FrozenEstimator(model), random_state=0, store_training_data=False)
    bare.fit(X, y).unlearn(X[forget], X_retain=X[~forget], y_retain=y[~forget])
    assert np.array_equal(weights(bare), weights(same[0]))
    with pytest.raises(ValueError, match="pass y_forget"):
        NPO(FrozenEstimator(model), store_training_data=False).fit(X, y).unlearn(
            X[forget], X_retain=X[~forget], y_retain=y[~forget]
        )


def test_the_new_network_is_blind(fitted):
    seen = []

    class Watched(Blindspot):
        def _unlearn_network(self, student):
            seen.append(student.train_fresh(5).outputs(X[:10]))

    X, y, model = fitted
    model = without_rows(model)
    forget = np.arange(len(X)) < 60
    unlearned(Watched, model, X, y, forget)
    poisoned = X.copy()
    poisoned[forget] = 1e6
    unlearned(Watched, model, poisoned, y, forget)
    assert np.array_equal(seen[0], seen[1])


def test_blindspot_without_weight_is_fine_tuning(fitted):
    class SameBatches(NetworkUnlearner):
        def _unlearn_network(self, student):
            student.train_fresh(1)
            student.train(
                lambda retain, forget: retain.losses.mean() + 0 * forget.outputs.sum()
            )

    X, y, model = fitted
    forget = np.arange(len(X)) < 60
    weightless = unlearned(
        Blindspot, model, X, y, forget, forget_weight=0.0, proxy_epochs=1
    )
    tuned = unlearned(SameBatches, model, X, y, forget)
    assert np.array_equal(weights(weightless), weights(tuned))


# ------------------------------------------------------------------ both tasks


def fit_with_seeds(network, X, y, seeds):
    """Fit copies of a network that differ in their seeds."""
    return [clone(network).set_params(random_state=s).fit(X, y) for s in seeds]


@pytest.fixture(scope="module")
def mislabelled():
    """Rows, of which some have wrong labels, networks, and what is to be reached."""
    X, y = digits(900)
    rng = np.random.default_rng(0)
    forget = rng.random(len(X)) < 0.1
    y = np.where(forget, (y + rng.integers(1, 10, len(y))) % 10, y)
    network = DropoutClassifier((128,), dropout=0.1, **SMALL)
    network.set_params(max_iter=100, n_iter_no_change=100, learning_rate_init=0.005)
    models = fit_with_seeds(network, X, y, range(3))
    reference = fit_with_seeds(network, X[~forget], y[~forget], range(10, 13))
    p = np.mean([m.predict_proba(X[forget]) for m in reference], axis=0)
    return X, y, forget, models, p


@pytest.mark.parametrize("method", NETWORK_METHODS)
def test_wrong_labels_are_forgotten(method, mislabelled):
    X, y, forget, models, p = mislabelled

    def distance(model):
        return np.abs(model.predict_proba(X[forget]) - p).sum(axis=1).mean() / 2

    for model in models:
        assert model.score(X[forget], y[forget]) > 0.4
        after = unlearned(method, model, X, y, forget)
        assert distance(after) < distance(model) - 0.02
        assert after.score(X[~forget], y[~forget]) > 0.97


@pytest.mark.parametrize("method", NETWORK_METHODS)
def test_random_rows_are_not_driven_to_zero(method):
    X, y = digits(1200)
    train, test = np.arange(800), np.arange(800, 1200)
    network = DropoutClassifier((64,), **SMALL)
    model = network.fit(X[train], y[train])
    forget = np.random.default_rng(0).random(800) < 0.05
    after = unlearned(method, model, X[train], y[train], forget)
    forgotten = after.score(X[train][forget], y[train][forget])
    assert forgotten > after.score(X[test], y[test]) - 0.2


def distances(network, X, y, forget, runs, n_models=4):
    """RMS distance of predictions for forgotten rows to a retrained ensemble."""
    models = fit_with_seeds(network, X, y, range(n_models))
    kept = ~forget
    reference = fit_with_seeds(network, X[kept], y[kept], range(100, 106))
    target = np.mean([m.predict(X[forget]) for m in reference], axis=0)

    def distance(found):
        gaps = [m.predict(X[forget]) - target for m in found]
        return np.sqrt(np.mean(np.square(gaps))) / y.std()

    yield distance(models)
    for method, params in runs:
        found = [unlearned(method, m, X, y, forget, **params) for m in models]
        yield distance(found)


def test_wrong_numbers_are_forgotten():
    X, y = load_diabetes(return_X_y=True)
    rng = np.random.default_rng(0)
    forget = rng.random(len(X)) < 0.1
    y[forget] = rng.permutation(y[forget])
    network = DropoutRegressor((128,), noise_precision=1.0, **SMALL)
    network.set_params(max_iter=100, n_iter_no_change=100, batch_size=64)
    runs = [(method, {}) for method in (FineTune, SalUn, NPO, Blindspot)]
    before, tuned, relabelled, npo, blind = distances(
        network, scale(X), y, forget, runs
    )
    assert before > 0.4
    assert max(npo, blind) < tuned < before
    assert relabelled < before


def test_a_range_of_numbers_is_forgotten():
    X, y = make_friedman1(400, noise=0.5, random_state=0)
    network = DropoutRegressor((64, 64), noise_precision=1.0, **SMALL)
    network.set_params(max_iter=150, n_iter_no_change=150, learning_rate_init=0.002)
    runs = [(FineTune, {}), (NPO, {})]
    runs += [(Blindspot, {"proxy_epochs": n}) for n in (5, 75)]
    before, tuned, npo, blind, longer = distances(
        network, X, y, y < np.quantile(y, 0.2), runs
    )
    # a new network that is trained too briefly knows too little
    assert longer < min(blind, tuned) and tuned < before
    assert npo < tuned


@pytest.mark.parametrize("method", NETWORK_METHODS)
def test_predicted_numbers_stay_within_bounds(method):
    X, y = make_friedman1(400, noise=0.5, random_state=1)
    y = np.column_stack([y, 100 * y]) if method is NPO else y
    forget = np.arange(len(X)) < 40
    network = DropoutRegressor((64,), noise_precision=1.0, **SMALL)
    model = network.fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnlearningWarning)
        after = unlearned(method, model, X, y, forget)
    distance = np.abs(after.predict(X[forget]) - y.mean(axis=0))
    assert (distance < 3 * y.std(axis=0)).all()
    assert after.score(X[~forget], y[~forget]) > 0.8


def test_many_small_requests():
    X, y = digits(900)
    rng = np.random.default_rng(1)
    wrong = rng.permutation(900)[:60]
    y = y.copy()
    y[wrong] = (y[wrong] + 1) % 10
    network = DropoutClassifier((128,), dropout=0.1, **SMALL)
    network.set_params(max_iter=100, n_iter_no_change=100, learning_rate_init=0.005)
    model = network.fit(X, y)
    for method in (NPO, Blindspot):
        after = method(FrozenEstimator(model), random_state=0).fit(X, y)
        for part in np.array_split(wrong, 6):
            after.unlearn(X[part], y[part])
        assert after.n_forgotten_ == 60 and len(after.unlearning_log_) == 6
        assert after.score(X[wrong], y[wrong]) < 0.1
        kept = np.setdiff1d(np.arange(900), wrong)
        assert after.score(X[kept], y[kept]) > 0.98
