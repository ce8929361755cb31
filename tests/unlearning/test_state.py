"""What a network keeps of its training rows besides its weights."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_approximation import Nystroem
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

from sklearn_unlearn.exact import Retrain
from sklearn_unlearn.exceptions import PipelineRetrainWarning, UnlearningWarning
from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NPO, Blindspot, FineTune, NetworkUnlearner

SMALL = {"max_iter": 30, "n_iter_no_change": 30, "learning_rate_init": 0.01}
SMALL |= {"batch_size": 32, "mc_samples": 10, "random_state": 0}


class Look(NetworkUnlearner):
    """Trains nothing, and shows what a method is given."""

    def _unlearn_network(self, student):
        type(self).seen = student


@pytest.fixture
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:400] / 16, y[:400]


def test_curves_of_the_fit_are_gone(digits):
    X, y = digits
    network = DropoutClassifier((32,), early_stopping=True, **SMALL)
    model = NPO(network, random_state=0).fit(X, y)
    assert model.estimator_.loss_curve_
    model.unlearn(X[:20])
    for name in ("loss_curve_", "loss_", "validation_scores_", "best_loss_"):
        assert not hasattr(model.estimator_, name)


def test_where_the_optimizer_stood_is_gone(digits):
    X, y = digits
    stream = DropoutClassifier((32,), **SMALL).partial_fit(X, y)
    model = FineTune(FrozenEstimator(stream), random_state=0).fit(X, y)
    for fitted in (model, model.unlearn(X[:20])):
        # that takes twice the room of the weights
        written = len(pickle.dumps(fitted.estimator_))
        assert written < len(pickle.dumps(stream)) / 2


@pytest.mark.parametrize("module", [None, "chain"])
def test_units_of_the_target_are_those_of_the_retained_rows(module):
    if module == "chain":

        def module(n_features, n_outputs):
            layers = (nn.Linear(n_features, 24), nn.ReLU(), nn.Dropout(0.1))
            return nn.Sequential(*layers, nn.Linear(24, n_outputs, bias=False))

    X, y = make_friedman1(300, random_state=0)
    y[:30] += 40.0
    network = DropoutRegressor((24,), module=module, noise_precision=1.0, **SMALL)
    model = Look(network).fit(X, y)
    before = model.predict(X)
    model.unlearn(X[:30])
    # the function is what it was
    assert np.allclose(model.predict(X), before, rtol=1e-3, atol=1e-3 * y.std())
    targets = Look.seen.retain.target
    assert float(targets.mean()) == pytest.approx(0, abs=1e-5)
    assert float(targets.std(correction=0)) == pytest.approx(1, abs=1e-5)
    # and so are the outputs of the network
    outputs = Look.seen.outputs(Look.seen.retain)[:, 0].numpy() * y[30:].std()
    deterministic = model.estimator_.set_params(mc_samples=0).predict(X[30:])
    assert np.allclose(outputs + y[30:].mean(), deterministic, rtol=1e-4, atol=1e-3)


def test_units_that_no_last_layer_can_take_in():
    class Positive(nn.Sequential):
        def __init__(self, n_features, n_outputs):
            layers = (nn.Linear(n_features, 24), nn.ReLU(), nn.Dropout(0.1))
            super().__init__(*layers, nn.Linear(24, n_outputs), nn.Softplus())

    X, y = make_friedman1(200, random_state=0)
    network = DropoutRegressor(module=Positive, noise_precision=1.0, **SMALL)
    model = FineTune(network, random_state=0).fit(X, y)
    with pytest.warns(UnlearningWarning, match="no last linear layer"):
        model.unlearn(X[:20])
    again = DropoutRegressor(module=Positive, noise_precision=1.0, **SMALL)
    again.fit(X[20:], y[20:])
    assert np.array_equal(model.predict(X), again.predict(X))


def test_noise_is_measured_again_without_forgotten_rows():
    X, y = make_friedman1(400, noise=0.1, random_state=0)
    wild = np.random.default_rng(0).random(400) < 0.1
    y[wild] += 30 * np.random.default_rng(1).normal(size=wild.sum())
    # more rows are held out than usual, so that some of them are wild
    model = Look(DropoutRegressor((32,), early_stopping=True, **SMALL)).fit(X, y)
    before = model.estimator_.noise_precision_

    def trained_on():
        rows = {row.tobytes() for row in Look.seen.retain.X.numpy()}
        return np.array([row.tobytes() in rows for row in X.astype(np.float32)])

    first = np.arange(400) == np.argmax(wild)
    model.unlearn(X[first])
    trained = trained_on()
    held = ~trained & ~first
    assert held.sum() in (39, 40) and (held & wild).any()
    model.unlearn(X[wild & ~first])
    # held-out rows are not trained on now either
    assert np.array_equal(trained_on(), trained & ~wild)
    assert model.estimator_.noise_precision_ > 2 * before


def test_statistics_of_batch_normalization_are_those_of_the_retained_rows(digits):
    def module(n_features, n_outputs):
        first = nn.BatchNorm1d(n_features)
        return nn.Sequential(
            first, nn.Linear(n_features, 32), nn.ReLU(), nn.Linear(32, n_outputs)
        )

    X, y = digits
    X = X.copy()
    X[:20] += 100.0
    network = DropoutClassifier(module=module, **{**SMALL, "mc_samples": 0})
    model = NPO(network, random_state=0).fit(X, y)
    assert float(model.estimator_.module_[0].running_mean.max()) > 2
    model.unlearn(X[:20])
    layer = model.estimator_.module_[0]
    assert np.allclose(layer.running_mean, X[20:].mean(axis=0), atol=1e-4)
    assert np.allclose(layer.running_var, X[20:].var(axis=0, ddof=1), atol=1e-4)
    assert layer.momentum == 0.1


def test_weights_of_rows(digits):
    X, y = digits
    network = DropoutClassifier((32,), class_weight="balanced", **SMALL)
    model = Look(network).fit(X, y)
    few = np.flatnonzero(y == 3)[5:]
    model.unlearn(X[few])
    retained = np.setdiff1d(np.arange(len(X)), few)
    weight = Look.seen.retain.weight[:, 0].numpy()
    per_class = [weight[y[retained] == c].sum() for c in range(10)]
    assert np.allclose(per_class, per_class[0], rtol=1e-4)
    # rows to forget weigh what they weighed in the fit on all rows
    assert float(Look.seen.forget.weight.max()) < weight.max() / 3


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_given_weights_go_with_their_rows(digits, in_pipeline):
    X, y = digits
    given = np.arange(1, len(X) + 1, dtype=float)
    if in_pipeline:
        model = make_pipeline(StandardScaler(), Look(DropoutClassifier(**SMALL)))
        model.fit(X, y, look__sample_weight=given)
    else:
        model = Look(DropoutClassifier(**SMALL)).fit(X, y, sample_weight=given)
    model.unlearn(X[::10])
    kept = np.delete(given, np.arange(0, len(X), 10))
    # both in one unit, so that each row has the say that it had in the fit
    for rows, raw in ((Look.seen.retain, kept), (Look.seen.forget, given[::10])):
        assert np.allclose(rows.weight[:, 0], raw / kept.mean(), rtol=1e-5)


def test_forgotten_categories_need_no_column():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, size=(300, 3))
    codes[:4] = 7  # a category that only these rows have
    y = (codes.sum(axis=1) > 6).astype(int)
    encoder = OneHotEncoder(sparse_output=False)  # refuses categories it does not know
    for method in (NPO, Blindspot):
        model = make_pipeline(encoder, method(DropoutClassifier(**SMALL)))
        model.fit(codes, y)
        before = model.score(codes[4:], y[4:])
        model.unlearn(codes[:4])
        assert model[-1].n_features_in_ == 15
        assert model.score(codes[4:], y[4:]) > before - 0.02


def test_in_any_mode_of_torch(digits):
    X, y = digits
    network = DropoutClassifier((32,), **SMALL).fit(X, y)
    models = []
    for _ in range(2):
        model = NPO(FrozenEstimator(network), random_state=0).fit(X, y)
        with torch.inference_mode(mode=bool(models)):
            models.append(model.unlearn(X[:10]))
    p, q = (model.predict_proba(X) for model in models)
    assert np.array_equal(p, q)


def test_original_of_a_frozen_model_keeps_its_rows(digits):
    X, y = digits
    network = DropoutClassifier((32,), **SMALL).fit(X, y)
    before = network.predict_proba(X)
    NPO(FrozenEstimator(network)).fit(X, y).unlearn(X[:10])
    assert np.array_equal(network.predict_proba(X), before)
    assert network.unlearn(X[:10]).n_forgotten_ == 10


def test_a_frozen_model_is_fitted_again_where_its_coordinates_are_lost(digits):
    X, y = digits
    sample = Nystroem(n_components=20, gamma=1.0, random_state=0)
    network = DropoutClassifier((32,), **SMALL).fit(sample.fit_transform(X), y)
    model = make_pipeline(sample, NPO(FrozenEstimator(network), random_state=0))
    model.fit(X, y)
    with pytest.warns(PipelineRetrainWarning):
        model.unlearn(X[:100])
    again = make_pipeline(clone(sample), clone(network)).fit(X[100:], y[100:])
    assert np.array_equal(model.predict_proba(X), again.predict_proba(X))
    with pytest.raises(ValueError, match="holds no training rows"):
        model[-1].estimator_.retained_rows()


def test_a_frozen_model_must_fit_its_rows(digits):
    X, y = digits
    network = DropoutClassifier((32,), **SMALL)
    with pytest.raises(NotFittedError):
        NPO(FrozenEstimator(network)).fit(X, y)
    network.fit(X[y < 9], y[y < 9])
    with pytest.raises(ValueError, match="no output for"):
        NPO(FrozenEstimator(network)).fit(X, y)
    with pytest.raises(ValueError, match="features"):
        NPO(FrozenEstimator(network)).fit(X[:, :10], y % 9)


def test_nothing_of_the_rows_is_in_an_export(digits):
    X, y = digits
    model = make_pipeline(StandardScaler(), NPO(DropoutClassifier(**SMALL)))
    weight = np.random.default_rng(0).uniform(1, 2, len(X))
    model.fit(X, y, npo__sample_weight=weight).unlearn(X[:5])
    exported = model.export()
    assert any(value.tobytes() in pickle.dumps(model) for value in weight)
    assert not any(value.tobytes() in pickle.dumps(exported) for value in weight)
    assert exported[-1].estimator_.random_state is None
    # where no layer can take in the new units, the fit starts anew and keeps no rows
    module = nn.Sequential(
        nn.Linear(64, 8), nn.Dropout(0.1), nn.Linear(8, 1), nn.Tanh()
    )
    network = DropoutRegressor(module=lambda *_: module, noise_precision=1.0, **SMALL)
    model = FineTune(network, store_training_data=False)
    with pytest.warns(UnlearningWarning, match="fitted again"):
        model.fit(X, y).unlearn(X[:5], X_retain=X[5:], y_retain=y[5:])
    with pytest.raises(ValueError, match="holds no training rows"):
        model.estimator_.retained_rows()


class Restless(nn.Module):
    """Draws numbers in every pass, also in evaluation mode."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.linear = nn.Linear(n_features, n_outputs)

    def forward(self, x):
        return self.linear(x + 0.01 * torch.randn_like(x))


def test_modules_that_draw_numbers_draw_them_from_the_seed(digits):
    X, y = digits
    network = DropoutClassifier(module=Restless, **{**SMALL, "mc_samples": 0})
    network.fit(X, y)
    before = torch.get_rng_state()
    models = [
        NPO(FrozenEstimator(network), random_state=0).fit(X, y).unlearn(X[:5])
        for _ in range(2)
    ]
    assert torch.equal(torch.get_rng_state(), before)
    first, second = (m.estimator_.module_.linear.weight for m in models)
    assert torch.equal(first, second)


def test_layers_that_are_not_trained_stay_so(digits):
    class Half(nn.Sequential):
        def __init__(self, n_features, n_outputs):
            first = nn.Linear(n_features, 32).requires_grad_(False)
            super().__init__(
                first, nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, n_outputs)
            )

    X, y = digits
    network = DropoutClassifier(module=Half, **SMALL)
    model = make_pipeline(StandardScaler(), NPO(network)).fit(X, y)
    # a layer that is not trained cannot lose what the scaler has told it of all rows
    with pytest.warns(UnlearningWarning, match="'0.bias' of module"):
        model.unlearn(X[:5])
    trained = [p.requires_grad for p in model[-1].estimator_.module_.parameters()]
    assert trained == [False, False, True, True]


def test_few_rows_are_left(digits):
    X, y = digits
    network = DropoutClassifier((32,), **SMALL).fit(X, y)
    for n_left in (3, 1):
        model = NPO(FrozenEstimator(network), max_retain_increase=np.inf)
        model.fit(X, y).unlearn(X[n_left:])
        assert np.isfinite(model.predict_proba(X)).all()

    def module(n_features, n_outputs):
        return nn.Sequential(
            nn.BatchNorm1d(n_features), nn.Linear(n_features, n_outputs)
        )

    network = DropoutClassifier(module=module, **{**SMALL, "mc_samples": 0}).fit(X, y)
    model = NPO(FrozenEstimator(network)).fit(X, y)
    with pytest.raises(ValueError, match="more than one retained row"):
        model.unlearn(X[1:])
    assert model.n_forgotten_ == 0


def test_uncertainty_is_that_of_the_network():
    X, y = make_friedman1(200, random_state=0)
    model = FineTune(DropoutRegressor(**SMALL), random_state=0).fit(X, y)
    model.unlearn(X[:5])
    network = model.estimator_
    for method in ("predict_uncertainty", "predict_interval", "sample_y"):
        values = getattr(model, method)(X[:7])
        assert np.array_equal(values, getattr(network, method)(X[:7]))
    _, std = model.predict(X[:7], return_std=True)
    assert np.allclose(std**2, model.predict_uncertainty(X[:7]))
    assert not hasattr(model, "sample_proba")
    classes = FineTune(DropoutClassifier(**SMALL)).fit(X, y > 14)
    assert classes.sample_proba(X[:7], n_samples=3).shape == (3, 7, 2)
    assert not hasattr(classes, "predict_interval")


def test_a_fit_with_bad_arguments_leaves_the_fitted_model(digits):
    X, y = digits
    model = NPO(DropoutClassifier((32,), **SMALL)).fit(X, y)
    with pytest.raises(ValueError, match="boolean mask"):
        model.fit(X, y, forget=np.arange(3))
    assert model.unlearn(X[:3]).n_forgotten_ == 3


def test_a_step_alone_is_not_told_to_forget(digits):
    X, y = digits
    model = make_pipeline(StandardScaler(), NPO(DropoutClassifier(**SMALL)))
    with pytest.raises(ValueError, match="forget=mask to fit of the pipeline"):
        model.fit(X, y, npo__forget=np.arange(len(X)) < 5)


@pytest.mark.parametrize("alias", [True, "weights"])
def test_weights_are_routed_under_any_name(digits, alias):
    X, y = digits
    given = np.arange(1, len(X) + 1, dtype=float)
    name = "sample_weight" if alias is True else alias
    with sklearn.config_context(enable_metadata_routing=True):
        network = DropoutClassifier(**SMALL).set_fit_request(sample_weight=alias)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        model = make_pipeline(scaler, Look(network))
        model.fit(X, y, **{name: given}).unlearn(X[::10])
        for rows in (Look.seen.retain, Look.seen.forget):
            assert float(rows.weight.max()) > 1.5
        # and where the last step is fitted again
        lost = Nystroem(n_components=20, gamma=1.0, random_state=0)
        model = make_pipeline(lost, Look(network)).fit(X, y, **{name: given})
        with pytest.warns(PipelineRetrainWarning):
            model.unlearn(X[::10])


def test_names_of_features_go_along(digits):
    X, y = digits
    scaler = StandardScaler().set_output(transform="pandas")
    model = make_pipeline(scaler, NPO(DropoutClassifier(**SMALL))).fit(X, y)
    before = list(model[-1].feature_names_in_)
    assert list(model.unlearn(X[:5])[-1].feature_names_in_) == before


def test_a_frozen_model_must_have_been_fitted_on_these_rows(digits):
    X, y = digits
    network = DropoutClassifier((32,), **{**SMALL, "max_iter": 3}).fit(X[:200], y[:200])
    for method in (NPO, Retrain):
        with pytest.raises(ValueError, match=r"200 were not among.*positions 0, 1"):
            method(FrozenEstimator(network)).fit(X[200:], y[200:])
    wrong = np.r_[(y[:1] + 1) % 10, y[1:200]]
    with pytest.raises(ValueError, match=r"1 were not among .* target; positions 0\."):
        NPO(FrozenEstimator(network)).fit(X[:200], wrong)
    with pytest.raises(ValueError, match="in another order"):
        NPO(FrozenEstimator(network)).fit(X[:200][::-1], y[:200][::-1])
    with pytest.warns(UnlearningWarning, match="200 rows, and fit is given 150"):
        NPO(FrozenEstimator(network)).fit(X[:150], y[:150])
    behind = make_pipeline(StandardScaler(), NPO(FrozenEstimator(network)))
    with pytest.raises(ValueError, match="were not among"):
        behind.fit(X[:200], y[:200])
    # without rows their number is known; rounding and another type make no difference
    network.set_params(store_training_data=False)
    NPO(FrozenEstimator(network)).fit(X[:200], y[:200])
    with pytest.raises(ValueError, match="fitted on 200 rows, and fit is given 201"):
        NPO(FrozenEstimator(network)).fit(X[:201], y[:201])


def test_a_frozen_model_may_get_its_rows_in_another_container(digits):
    X, y = digits
    model = DropoutClassifier((32,), **{**SMALL, "max_iter": 3})
    model.fit(X[:60].astype(np.float32), y[:60])
    for rows in (X[:60] * (1 + 1e-7), X[:60].tolist()):
        NPO(FrozenEstimator(model)).fit(rows, y[:60].astype(float))
    with pytest.raises(ValueError, match="60 were not among"):
        NPO(FrozenEstimator(model)).fit(X[:60] * 1.01, y[:60])
    model.unlearn(X[:5])
    with pytest.raises(ValueError, match="5 were not among"):
        NPO(FrozenEstimator(model)).fit(X[:60], y[:60])
    assert NPO(FrozenEstimator(model)).fit(X[5:60], y[5:60]).n_forgotten_ == 0
