"""Fitting, continuing and forgetting of the two networks, and what they refuse."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle
import threading

import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils import get_tags
from threadpoolctl import threadpool_limits
from torch import nn
from torch.nn import functional as F

from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NetworkUnlearner

X, y = load_digits(return_X_y=True)
X = X / 16
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
FAST = {"max_iter": 15, "n_iter_no_change": 15, "learning_rate_init": 0.005}
FEW = slice(0, 300)


def small(**params):
    params = {"hidden_layer_sizes": (20,), **FAST, **params}
    return DropoutClassifier(random_state=0, **params)


def chain(n_features, n_outputs):
    return nn.Sequential(
        nn.Linear(n_features, 24), nn.ReLU(), nn.Dropout(0.1), nn.Linear(24, n_outputs)
    )


class Look(NetworkUnlearner):
    """Trains nothing, and shows what a method is given."""

    def _unlearn_network(self, student):
        type(self).seen = student


# ------------------------------------------------------------------------- learning


def test_dropout_helps_where_labels_are_wrong():
    rng = np.random.default_rng(0)
    wrong = rng.random(len(y_train)) < 0.4
    corrupted = np.where(wrong, rng.integers(0, 10, len(y_train)), y_train)
    scores = {}
    for p in (0.0, 0.5):
        model = DropoutClassifier(
            (128, 128), dropout=p, max_iter=60, n_iter_no_change=60, random_state=0
        )
        scores[p] = model.fit(X_train, corrupted).score(X_test, y_test)
    plain = MLPClassifier((128, 128), max_iter=60, n_iter_no_change=60, random_state=0)
    with pytest.warns(ConvergenceWarning):
        plain.fit(X_train, corrupted)
    assert scores[0.5] > scores[0.0] + 0.01
    assert scores[0.5] > plain.score(X_test, y_test) + 0.01


def test_units_of_the_target_do_not_matter():
    rows, target = load_diabetes(return_X_y=True)
    rows = scale(rows)
    model = DropoutRegressor((20,), random_state=0, **FAST)
    first = model.fit(rows, target).predict(rows, return_std=True)
    for factor, shift in ((1e6, 0.0), (1e-6, 5.0)):
        other = clone(model).fit(rows, target * factor + shift)
        mean, std = other.predict(rows, return_std=True)
        assert np.allclose((mean - shift) / factor, first[0], rtol=1e-3)
        assert np.allclose(std / factor, first[1], rtol=1e-3)
    assert r2_score(target, first[0]) > 0.3


def test_early_stopping_returns_to_the_best():
    network = small(
        early_stopping=True, max_iter=60, n_iter_no_change=5, learning_rate_init=0.05
    )
    unlearner = Look(network).fit(X_train, y_train)
    model = unlearner.estimator_
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert len(model.validation_scores_) == len(model.loss_curve_) == model.n_iter_ < 60
    assert model.best_loss_ is None
    # an unlearner is shown the rows that the network was trained on
    unlearner.unlearn(X_train[:1])
    trained = {row.tobytes() for row in Look.seen.retain.X.numpy()}
    rows = X_train[1:].astype(np.float32)
    held = 1 + np.flatnonzero([row.tobytes() not in trained for row in rows])
    assert len(held) == np.ceil(len(X_train) / 10)
    deterministic = model.set_params(mc_samples=0).predict(X_train[held])
    best = accuracy_score(y_train[held], deterministic)
    assert best == pytest.approx(model.best_validation_score_)


def test_weights_of_rows_and_classes():
    ten_times = np.where(y_train == 3, 10.0, 1.0)
    heavy = small(max_iter=2).fit(X_train, y_train, ten_times)
    by_class = small(max_iter=2, class_weight={3: 10.0}).fit(X_train, y_train)
    assert np.array_equal(heavy.predict_proba(X_test), by_class.predict_proba(X_test))
    plain = small(max_iter=2).fit(X_train, y_train)
    share = [(m.predict(X_test) == 3).mean() for m in (heavy, plain)]
    assert share[0] > share[1]
    same = small(max_iter=2).fit(X_train, y_train, np.full(len(y_train), 7.0))
    assert np.array_equal(same.predict_proba(X_test), plain.predict_proba(X_test))
    # rows that weigh nothing do not move the network
    nothing = (y_train != 3).astype(float)
    flipped = np.where(y_train == 3, 4, y_train)
    flipped[np.flatnonzero(y_train == 3)[0]] = 3  # the same classes
    a = small(max_iter=3).fit(X_train, y_train, nothing)
    b = small(max_iter=3).fit(X_train, flipped, nothing)
    assert np.array_equal(a.predict_proba(X_test), b.predict_proba(X_test))
    balanced = small(class_weight="balanced").fit(X_train, y_train)
    assert balanced.score(X_test, y_test) > 0.8


def test_many_outputs_and_labels():
    rows, target = load_diabetes(return_X_y=True)
    both = np.column_stack([target, 1000 - 5 * target])
    model = DropoutRegressor((20,), random_state=0, **FAST).fit(scale(rows), both)
    predicted = model.predict(scale(rows))
    assert predicted.shape == (442, 2) and r2_score(both, predicted) > 0.3
    assert model.noise_precision_.shape == (2,)
    words = np.array(list("abcdefghij"))[y_train]
    model = small().fit(X_train, words)
    assert set(model.predict(X_test)) <= set(words)
    assert small().fit(X_train, y_train == 3).predict(X_test).dtype == bool


def test_continuing():
    model = small(warm_start=True, max_iter=4)
    losses = [model.fit(X_train, y_train).loss_ for _ in range(4)]
    assert losses == sorted(losses, reverse=True)
    with pytest.raises(ValueError, match="labels that the network has no output for"):
        model.fit(X_train, y_train + 5)
    with pytest.raises(ValueError, match="features"):
        model.fit(X_train[:, :50], y_train)
    cold = small(max_iter=4).fit(X_train, y_train)
    assert cold.loss_ == losses[0]


def test_partial_fit_learns_a_stream():
    stream = small(batch_size=50)
    for start in range(0, 1200, 100):
        part = slice(start, start + 100)
        for _ in range(5):
            stream.partial_fit(X_train[part], y_train[part], classes=np.arange(10))
    assert stream.score(X_test, y_test) > 0.8
    assert stream.n_iter_ == len(stream.loss_curve_) == 60
    with pytest.raises(NotFittedError, match="partial_fit, which keeps no rows"):
        stream.unlearn(X_train[:3])
    retained = X_train[3:1200], y_train[3:1200]
    stream.unlearn(X_train[:3], X_retain=retained[0], y_retain=retained[1])
    again = small(batch_size=50).fit(*retained)
    assert np.array_equal(stream.predict_proba(X_test), again.predict_proba(X_test))
    # nor is it remembered where the optimizer stood
    for model in (stream, again):
        model.partial_fit(X_train[FEW], y_train[FEW])
    assert np.array_equal(stream.predict_proba(X_test), again.predict_proba(X_test))
    assert stream.n_forgotten_ == 3
    # where it stands now takes twice the room of the weights, and is not exported
    assert len(pickle.dumps(stream.export())) < len(pickle.dumps(stream)) / 2


def test_regressor_on_a_stream():
    rows, target = load_diabetes(return_X_y=True)
    rows = scale(rows)
    model = DropoutRegressor((20,), random_state=0, learning_rate_init=0.01)
    for _ in range(40):
        for start in range(0, 400, 100):
            part = slice(start, start + 100)
            model.partial_fit(rows[part], target[part])
    assert r2_score(target[400:], model.predict(rows[400:])) > 0.2
    assert 30 < model.noise_precision_**-0.5 < 90
    # one row that is predicted well does not make the noise vanish
    fitted = DropoutRegressor((20,), random_state=0, **FAST).fit(rows, target)
    before = fitted.noise_precision_
    fitted.partial_fit(rows[:1], fitted.predict(rows[:1]))
    assert fitted.noise_precision_ == pytest.approx(before, rel=0.01)


def test_streams_refuse_what_they_have_no_output_for():
    with pytest.raises(ValueError, match="labels that the network has no output for"):
        small().partial_fit(X_train[:4], [0, 1, 1, 2], classes=[0, 2])
    model = small().fit(X_train[FEW], y_train[FEW])
    with pytest.raises(ValueError, match="not what the network was begun with"):
        model.partial_fit(X_train[FEW], y_train[FEW], classes=[0, 1])
    model.unlearn(X_train[FEW][y_train[FEW] == 3])
    before = model.predict_proba(X_test)
    with pytest.raises(ValueError, match="no output for: \\[3\\]"):
        model.partial_fit(X_train[FEW], y_train[FEW])
    assert np.array_equal(before, model.predict_proba(X_test))
    with pytest.raises(ValueError, match="early_stopping"):
        small(early_stopping=True).partial_fit(X_train, y_train)
    rows, target = load_diabetes(return_X_y=True)
    two = DropoutRegressor((5,), **FAST).fit(rows, np.column_stack([target, target]))
    with pytest.raises(ValueError, match="y must have shape"):
        two.partial_fit(rows, target)
    weighted = DropoutRegressor((5,), **FAST, random_state=1)
    weighted.partial_fit(rows, target, 2 * target)
    assert 100 < weighted.predict(rows).mean() < 250


@pytest.mark.parametrize("params", [{}, {"module": chain}])
def test_a_failed_fit_loses_nothing(params):
    model = small(**params).fit(X_train[FEW], y_train[FEW])
    before = model.predict_proba(X_test)
    model.set_params(learning_rate_init=1e30)
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        model.fit(X_train[:, :5] * 1e20, y_train.astype(str))
    assert np.array_equal(before, model.predict_proba(X_test))
    model.set_params(learning_rate_init=0.005)
    assert model.unlearn(X_train[:3]).n_forgotten_ == 3


def test_rows_without_weight_count_nowhere():
    rows, target = load_diabetes(return_X_y=True)
    rows, weight = scale(rows), np.ones(442)
    weight[:5], wild = 0, target.copy()
    wild[:5] = 1e9
    model = DropoutRegressor((20,), random_state=0, **FAST)
    model.fit(rows, wild, sample_weight=weight)
    assert r2_score(target, model.predict(rows)) > 0.3
    few = (np.arange(442) < 6).astype(float)
    model.fit(rows, target, sample_weight=few * 1e300)
    small(early_stopping=True, validation_fraction=0.5).fit(
        X_train[FEW], y_train[FEW] < 5, (np.arange(300) < 20).astype(float)
    )


# ----------------------------------------------------------------------- forgetting


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("params", [{}, {"module": chain}], ids=["own", "module"])
def test_fit_in_any_mode_of_torch(params, mode):
    outside = small(**params).fit(X_train[FEW], y_train[FEW])
    with mode():
        inside = small(**params).fit(X_train[FEW], y_train[FEW])
        p = inside.unlearn(X_train[:5]).predict_proba(X_test)
    assert np.array_equal(p, outside.unlearn(X_train[:5]).predict_proba(X_test))


BACKBONE = nn.Linear(64, 24)


def on_a_backbone(n_features, n_outputs):
    return nn.Sequential(BACKBONE, nn.ReLU(), nn.Dropout(0.1), nn.Linear(24, n_outputs))


def test_layers_of_the_user_are_never_trained():
    weights = BACKBONE.weight.detach().clone()
    model = small(module=on_a_backbone).fit(X_train[FEW], y_train[FEW])
    model.unlearn(X_train[:20])
    again = small(module=on_a_backbone).fit(X_train[20:300], y_train[20:300])
    assert np.array_equal(model.predict_proba(X_test), again.predict_proba(X_test))
    assert torch.equal(weights, BACKBONE.weight)


@pytest.mark.parametrize("params", [{}, {"module": chain}, {"early_stopping": True}])
def test_forgetting_is_retraining(params):
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.5, 2, 300)
    forget = rng.random(300) < 0.1
    model = small(**params).fit(X_train[FEW], y_train[FEW], weight)
    model.unlearn(X_train[FEW][forget])
    again = small(**params)
    again.fit(X_train[FEW][~forget], y_train[FEW][~forget], weight[~forget])
    assert np.array_equal(model.predict_proba(X_test), again.predict_proba(X_test))
    assert model.loss_curve_ == again.loss_curve_
    assert model.validation_scores_ == again.validation_scores_


def test_a_class_goes():
    model = small().fit(X_train, y_train).unlearn(X_train[y_train == 3])
    p = model.predict_proba(X_test)
    assert p.shape == (len(X_test), 10) and not p[:, 3].any()
    assert model.sample_proba(X_test, 4).shape == (4, len(X_test), 10)
    assert np.isneginf(model.predict_log_proba(X_test)[:, 3]).all()
    again = small().fit(X_train[y_train != 3], y_train[y_train != 3])
    assert np.array_equal(np.delete(p, 3, axis=1), again.predict_proba(X_test))
    one = small().fit(X_train[FEW], y_train[FEW] == 3)
    one.unlearn(X_train[FEW][y_train[FEW] == 3])
    assert np.array_equal(one.predict_proba(X_test)[:, 0], np.ones(len(X_test)))


def test_noise_is_fitted_again():
    rows, target = load_diabetes(return_X_y=True)
    loud = target.copy()
    loud[:100] += np.random.default_rng(0).normal(0, 2000, 100)
    model = DropoutRegressor((10,), random_state=0, **FAST).fit(scale(rows), loud)
    before = model.noise_precision_
    model.unlearn(scale(rows)[:100])
    assert model.noise_precision_ > 10 * before
    again = clone(model).fit(scale(rows)[100:], loud[100:])
    assert model.noise_precision_ == again.noise_precision_
    assert np.array_equal(model.predict(scale(rows)), again.predict(scale(rows)))


def test_search_and_pipeline():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), small()),
        {"dropoutclassifier__dropout": [0.0, 0.2, [0.5]]},
        cv=2,
        n_jobs=2,
    )
    forget = np.arange(300) < 10
    search.fit(X_train[FEW], y_train[FEW], forget=forget)
    assert search.best_estimator_.n_forgotten_ == 10
    assert search.best_score_ > 0.5


# ------------------------------------------------------------------------- the same


@pytest.mark.parametrize("params", [{}, {"module": chain}, {"mc_samples": 0}])
def test_bytes_do_not_depend_on_threads(params):
    def fit():
        model = small(**params).fit(X_train, y_train)
        return np.vstack([model.predict_proba(X_test), model.predict_proba(X_test[:1])])

    with threadpool_limits(2):
        two = fit()
    with threadpool_limits(1):
        one = fit()
    assert np.array_equal(one, two)
    results = {}
    threads = [
        threading.Thread(target=lambda i=i: results.__setitem__(i, fit()))
        for i in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(one, other) for other in results.values())


def functional(n_features, n_outputs):
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(n_features, 16)
            self.last = nn.Linear(16, n_outputs)
            nn.init.orthogonal_(self.first.weight)

        def forward(self, x):
            x = x + 0.01 * torch.randn_like(x) if self.training else x
            return self.last(F.dropout(self.first(x).relu(), 0.1, self.training))

    return Functional()


@pytest.mark.parametrize("module", [None, chain, functional])
def test_global_generators_are_untouched(module):
    state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    samples = 0 if module is functional else 10
    model = small(module=module, mc_samples=samples, max_iter=3)
    first = model.fit(X_train[FEW], y_train[FEW]).predict_proba(X_test)
    assert torch.equal(state[0], torch.get_rng_state())
    assert np.array_equal(state[1], np.random.get_state()[1])  # noqa: NPY002
    again = clone(model).fit(X_train[FEW], y_train[FEW]).predict_proba(X_test)
    assert np.array_equal(first, again)


def test_numbers_of_draws():
    model = small(max_iter=1).fit(X_train[FEW], y_train[FEW])
    for n_samples in (0, -1, 2.5, "a"):
        with pytest.raises(ValueError, match="whole number"):
            model.sample_proba(X_test, n_samples)
    with pytest.raises(ValueError, match="mc_samples"):
        model.set_params(mc_samples=-3).predict(X_test)


def test_predictions_repeat_without_a_seed():
    model = DropoutClassifier((10,), **FAST).fit(X_train[FEW], y_train[FEW])
    p = model.predict_proba(X_test)
    assert np.array_equal(p, model.predict_proba(X_test))
    assert np.array_equal(p, pickle.loads(pickle.dumps(model)).predict_proba(X_test))
    other = DropoutClassifier((10,), **FAST).fit(X_train[FEW], y_train[FEW])
    assert not np.array_equal(p, other.predict_proba(X_test))


def test_pickles_hold_arrays_only():
    for params in ({}, {"module": chain}):
        model = small(max_iter=2, **params).fit(X_train[FEW], y_train[FEW])
        model.partial_fit(X_train[FEW], y_train[FEW])
        # but for the version of torch
        assert b"torch." not in pickle.dumps(model.set_params(module=None))


# ------------------------------------------------------------------- modules, refusals


class OwnAttention(nn.MultiheadAttention):
    """A user's own kind of a layer that drops units within."""


def drops_within(n_features, n_outputs):
    return nn.Sequential(OwnAttention(n_features, 1, dropout=0.1))


def identity_only(n_features, n_outputs):
    return nn.Linear(n_features, n_outputs)


def too_wide(n_features, n_outputs):
    return nn.Sequential(nn.Linear(n_features, n_outputs + 1), nn.Dropout(0.1))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (identity_only, "No layer of dropout was found in module"),
        (functional, "No layer of dropout was found in module"),
        (drops_within, "masks cannot be controlled"),
        (nn.Linear(64, 10), "every fit builds its own"),
        (lambda *_: nn.Sequential(nn.Dropout(0.1)), "has no parameters"),
        (lambda *_: 3, "returns a torch.nn.Module; it returned int"),
    ],
)
def test_modules_that_are_refused(module, message):
    with pytest.raises((ValueError, TypeError), match=message):
        small(module=module).fit(X_train[FEW], y_train[FEW])


def test_module_without_dropout_may_be_deterministic():
    model = small(module=identity_only, mc_samples=0).fit(X_train[FEW], y_train[FEW])
    assert model.score(X_test, y_test) > 0.5
    with pytest.raises(ValueError, match="No layer of dropout"):
        model.sample_proba(X_test)
    with pytest.raises(AttributeError, match="coefs_"):
        model.coefs_  # noqa: B018


def convolution(n_features, n_outputs):
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Dropout2d(0.1),
        nn.Flatten(),
        nn.Linear(8 * 36, n_outputs),
    )


def test_images():
    model = small(module=convolution, mc_samples=10, max_iter=10)
    model.fit(X_train, y_train)
    assert model.score(X_test, y_test) > 0.9
    assert model.predict_uncertainty(X_test, "epistemic").max() > 0
    layer = [m for m in model.module_ if type(m).__name__ == "BernoulliDropout"]
    assert [m.per_channel for m in layer] == [True]


class Twice(nn.Module):
    """Uses one layer of dropout two times."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.drop, self.last = nn.Dropout(0.5), nn.Linear(n_features, n_outputs)

    def forward(self, x):
        return self.last(self.drop(self.drop(x)))


def test_a_layer_that_is_used_twice():
    rows, target = load_diabetes(return_X_y=True)
    model = DropoutRegressor(module=Twice, mc_samples=3000, **FAST, random_state=0)
    mean = model.fit(scale(rows), target).predict(scale(rows)[:50])
    deterministic = model.set_params(mc_samples=0).predict(scale(rows)[:50])
    assert np.polyfit(deterministic, mean, 1)[0] == pytest.approx(1, abs=0.15)


class Encoder(nn.Module):
    """Layers for which torch has a short cut that leaves dropout out."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.embed = nn.Linear(8, 8)
        self.encode = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3)
        self.encode.self_attn.dropout = 0.0
        self.last = nn.Linear(8, n_outputs)

    def forward(self, x):
        x = self.embed(x.view(-1, 8, 8)).swapaxes(0, 1)
        return self.last(self.encode(x).mean(0))


class Single(nn.Module):
    """Insists on single precision, and draws more than its initial weights."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.first = nn.Linear(n_features, 16)
        self.drop, self.last = nn.Dropout(0.2), nn.Linear(16, n_outputs)
        self.order = torch.randperm(16)
        self.register_buffer("scale", torch.rand(16), persistent=False)

    def forward(self, x):
        h = self.first(x)[:, self.order] * self.scale
        return self.last(self.drop(h + torch.zeros(len(x), 16)).float())


@pytest.mark.parametrize("module", [Encoder, Single])
def test_unusual_modules(module):
    model = small(module=module, mc_samples=5, max_iter=2)
    model.fit(X_train[FEW], y_train[FEW])
    p = model.predict_proba(X_test[:50])
    assert model.predict_uncertainty(X_test[:50], "epistemic").max() > 1e-6
    for other in (pickle.loads(pickle.dumps(model)), model.export()):
        assert np.array_equal(p, other.predict_proba(X_test[:50]))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"validation_fraction": 0.001, "early_stopping": True}, "early_stopping"),
        ({"hidden_layer_sizes": (10.5,)}, "hidden_layer_sizes must hold whole"),
        ({"dropout": ["a"]}, "dropout must be a number"),
        ({"dropout": 1.0}, "dropout"),
        ({"dropout": [0.1, 0.2]}, "one such number per hidden layer"),
        ({"hidden_layer_sizes": (5, 0)}, "hidden_layer_sizes must be > 0"),
        ({"module": too_wide}, "one row of 10 outputs"),
        ({"device": "nonsense"}, "device"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises((ValueError, RuntimeError), match=message):
        small(**params).fit(X_train[FEW], y_train[FEW])


def test_bad_data():
    with pytest.raises(ValueError, match="one label per row"):
        small().fit(X_train[FEW], 2 * np.eye(10)[y_train[FEW]])
    with pytest.raises(ValueError, match=r"sample_weight is 0|non-zero number"):
        small().fit(X_train[FEW], y_train[FEW], np.zeros(300))
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        small(learning_rate_init=1e30).fit(X_train[FEW] * 1e20, y_train[FEW])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda():
    with pytest.raises(ValueError, match="no CUDA device"):
        small(device="cuda").fit(X_train[FEW], y_train[FEW])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("params", [{}, {"module": chain}])
def test_cuda(params):
    on_cpu = small(**params).fit(X_train, y_train)
    on_gpu = small(device="cuda", **params).fit(X_train, y_train)
    assert abs(on_cpu.score(X_test, y_test) - on_gpu.score(X_test, y_test)) < 0.05
    gap = on_gpu.predict_proba(X_test) - on_gpu.set_params(device="cpu").predict_proba(
        X_test
    )
    assert np.abs(gap).max() < 1e-3


# -------------------------------------------------------------------------- told of


def test_warning_only_if_stopping_was_wanted():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\)") as record:
        small(max_iter=3, n_iter_no_change=2).fit(X_train[FEW], y_train[FEW])
    assert record[0].filename == __file__
    small(max_iter=3, n_iter_no_change=3).fit(X_train[FEW], y_train[FEW])


def test_verbose(capsys):
    small(max_iter=2, verbose=True, early_stopping=True).fit(X_train, y_train)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[2].startswith("Iteration 2, loss = ")
    assert lines[3].startswith("Validation score: ")


needs_callbacks = pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9),
    reason="callbacks came with scikit-learn 1.9",
)


class Stop:
    """Counts epochs, and wants to stop after the second."""

    def __init__(self):
        self.scores, self.begun = [], []

    def setup(self, estimator, context):
        self.scores.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        if context.task_name == "epoch":
            self.scores.append(fitted_estimator.score(X, y))
        return context.task_name == "epoch" and len(self.scores) == 3

    def teardown(self, estimator, context):
        self.scores.append("teardown")


@needs_callbacks
def test_callbacks_of_scikit_learn():
    stop = Stop()
    model = small().set_callbacks(stop).fit(X_train, y_train)
    assert model.n_iter_ == 2
    assert stop.scores[0] == "setup" and stop.scores[-1] == "teardown"
    assert stop.scores[2] > 0.1
    assert stop.begun.count("epoch") == model.n_iter_
    model.unlearn(X_train[:3])
    assert len(stop.scores) == 4  # a refit is not a second run


@pytest.mark.parametrize("kind", [DropoutClassifier, DropoutRegressor])
def test_only_a_seed_promises_the_same_network(kind):
    def guarantee(random_state):
        return get_tags(kind(random_state=random_state)).unlearner_tags.guarantee

    assert guarantee(0) == "exact"
    assert guarantee(None) == guarantee(np.random.RandomState(0)) == "exact_law"
