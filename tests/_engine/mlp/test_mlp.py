"""Written-out passes of perceptrons: against autograd, and many against one."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.preprocessing import scale
from torch import nn

from sklearn_unlearn._engine._losses import CrossEntropy, SquaredError
from sklearn_unlearn._engine._solvers import AdamSettings
from sklearn_unlearn._engine._training import TensorRows
from sklearn_unlearn._engine.mlp import _perceptron
from sklearn_unlearn._engine.mlp._masks import NUMBERS_AHEAD, MaskStream
from sklearn_unlearn._engine.mlp._mlp import ACTIVATIONS, MLP, Layout
from sklearn_unlearn._engine.mlp._perceptron import Perceptron
from sklearn_unlearn.dropout._noise import make_generator
from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.neural_network._many import fit_many

SIZES = (6, 9, 7, 4)
N = 33


def poisson(outputs, target):
    return (outputs.exp() - target * outputs).sum()


def multi_label(outputs, target):
    target = (target > 0).to(outputs.dtype)
    return nn.functional.binary_cross_entropy_with_logits(
        outputs, target, reduction="sum"
    )


def problem(loss, n_models=None, seed=0):
    """Inputs, target and weights of random rows, in float64."""
    rng = np.random.default_rng(seed)
    lead = () if n_models is None else (n_models,)
    X = torch.from_numpy(rng.normal(size=(*lead, N, SIZES[0])))
    if isinstance(loss, CrossEntropy):
        target = torch.from_numpy(rng.integers(0, SIZES[-1], (*lead, N, 1)))
    else:
        target = torch.from_numpy(rng.normal(size=(*lead, N, SIZES[-1])))
    return X, target, torch.from_numpy(rng.uniform(0.1, 2, (*lead, N, 1)))


def network(activation, dropout, n_models=None, dtype=torch.float64):
    layout = Layout(SIZES)
    rng = make_generator(0)
    flat = [layout.initial(rng, activation) for _ in range(n_models or 1)]
    flat = torch.stack(flat).to(dtype)
    return MLP(layout, activation, dropout, flat if n_models else flat[0])


def by_autograd(mlp, value):
    """The gradient of a function of the parameters, by autograd."""
    flat = mlp.parameters.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(value(flat), flat)
    return gradient


def module_like(flat, X, masks, activation, rates):
    """The network as a user of torch would write it, masks scaled."""
    act = ACTIVATIONS[activation].module()
    weights, biases = Layout(SIZES).views(flat)
    a = X
    for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
        if masks[layer] is not None:
            a = a * masks[layer] / (1 - rates[layer])
        a = a @ W + b
        if layer + 1 < len(weights):
            a = act(a)
    return a


class Objective:
    """Any function of the outputs, by autograd on them alone."""

    def __init__(self, function):
        self.function = function

    def gradient(self, outputs, target, weight=None):
        with torch.inference_mode(False), torch.enable_grad():
            outputs = outputs.clone().requires_grad_()
            loss = self.function(outputs, target.clone())
            return loss.detach(), torch.autograd.grad(loss, outputs)[0]


LOSSES = {
    "cross entropy": CrossEntropy(),
    "squared error": SquaredError(),
    "poisson": Objective(poisson),
    "multi-label": Objective(multi_label),
}


@pytest.mark.parametrize("rates", [(0, 0, 0), (0, 0.2, 0.5), (0.3, 0.2, 0.0)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("n_models", [None, 3])
def test_gradient_equals_autograd(activation, loss, rates, n_models):
    loss = LOSSES[loss]
    X, target, weight = problem(loss, n_models)
    mlp = network(activation, rates, n_models)
    rates = mlp.dropout  # as far as 16 random bits tell them apart
    rng = np.random.default_rng(1)
    masks = [
        torch.from_numpy((rng.random((*X.shape[:-1], width)) >= p) * 1.0) if p else None
        for p, width in zip(rates, SIZES, strict=False)
    ]
    if isinstance(loss, Objective):
        weight = None

        def value(flat):
            outputs = module_like(flat, X, masks, activation, rates)
            return loss.function(outputs, target)

    else:

        def value(flat):
            outputs = module_like(flat, X, masks, activation, rates)
            return (loss.rows(outputs, target) * weight).sum()

    with torch.inference_mode():
        outputs = mlp.forward(X, masks)
        total, d = loss.gradient(outputs, target, weight)
        mlp.backward(d)
    expected = by_autograd(mlp, value)
    assert torch.allclose(mlp.gradient, expected, rtol=1e-6, atol=1e-9)
    assert float(total.sum()) == pytest.approx(float(value(mlp.parameters)), rel=1e-9)


def test_module_is_the_same_network():
    layout = Layout(SIZES)
    flat = layout.initial(make_generator(0), "tanh").numpy()
    net = Perceptron(SIZES, "tanh", (0.1, 0.2, 0.0), flat)
    X = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    module = net.module()
    with torch.no_grad():
        outputs = module(torch.from_numpy(X)).numpy()
    assert np.allclose(outputs, net.outputs(X), atol=1e-6)
    assert np.shares_memory(module[-1].weight.detach().numpy(), flat)
    assert [type(m).__name__ for m in module].count("BernoulliDropout") == 2


def test_masks_are_fair_and_small():
    stream = MaskStream(make_generator(0), (64, 128), (0.2, 0.5), (100,))
    kept = [[mask.mean().item() for mask in stream.next(100)] for _ in range(60)]
    assert np.allclose(np.mean(kept, axis=0), [0.8, 0.5], atol=0.005)
    assert stream._drawn[0.2].size + stream._drawn[0.5].size <= NUMBERS_AHEAD
    assert [mask.shape[0] for mask in stream.next(7)] == [7, 7]


def test_input_dropout_is_ridge():
    # marginalised over the masks, a linear model minimises a ridge problem
    rng = np.random.default_rng(0)
    p = 0.3
    X = rng.normal(size=(100, 4)) * [1, 2, 0.5, 1] + 0.5
    y = X @ [1.0, -1.0, 2.0, 0.0] + rng.normal(size=100)
    D = np.column_stack([X, np.ones(100)])
    penalty = np.diag(np.append(p / (1 - p) * (X**2).sum(axis=0), 0))
    expected = np.linalg.solve(D.T @ D + penalty, D.T @ y)
    network = Perceptron((4, 1), "identity", (p,), np.zeros(5, dtype=np.float32))
    # forty masks for each row in a step, so that the average settles
    many, copies = np.tile(X, (40, 1)), np.tile(y, 40)
    rows = TensorRows(
        torch.from_numpy(many).float(), torch.from_numpy(copies).float()[:, None]
    )
    trainer = network.trainer(
        rows,
        SquaredError(),
        alpha=0,
        solver=AdamSettings(0.01),
        rng=make_generator(0),
        batch_size=len(many),
    )
    order, mean, n_mean = np.arange(len(many)), 0.0, 8000
    for step in range(1000 + n_mean):
        trainer.epoch(order)
        if step == 1000:
            trainer.optimizer.param_groups[0]["lr"] = 0.002
        if step >= 1000:
            mean = mean + network.parameters.astype(float) / n_mean
    assert np.allclose(mean, expected, atol=1e-3)


@pytest.mark.parametrize("T", [1, 50, 3000])
def test_memory_is_bounded_by_blocks(T, monkeypatch):
    # the same values whether masked weights are kept or made for every tile
    sizes = (3, 40, 40, 1)
    flat = Layout(sizes).initial(make_generator(0), "relu").numpy()
    net = Perceptron(sizes, "relu", (0.0, 0.2, 0.2), flat)
    X = np.random.default_rng(0).normal(size=(120, 3))
    first = net.apply(lambda f: f.mean(axis=0), X, T, 0)
    monkeypatch.setattr(_perceptron, "MAX_MASKED_WEIGHTS", 0)
    assert np.array_equal(first, net.apply(lambda f: f.mean(axis=0), X, T, 0))


# ------------------------------------------------------- networks fitted side by side

SUBSETS = [np.arange(50, 350), np.arange(600), np.arange(0, 1000, 2)]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


STALLS = {"tol": 10.0, "n_iter_no_change": 1}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("weighted", "params"),
    [
        (False, {}),
        (True, {}),
        (True, {"solver": "sgd"}),
        (False, {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.2}),
        (False, {"solver": "sgd", "learning_rate": "adaptive", **STALLS}),
    ],
)
def test_without_dropout_they_are_the_same(weighted, params, digits):
    X, y = digits
    settings = {"max_iter": 5, "n_iter_no_change": 5, "batch_size": 64, **params}
    if params:
        settings["learning_rate_init"] = 0.1
    network = DropoutClassifier((16,), dropout=0, **settings)
    rng = np.random.default_rng(0)
    weights = [rng.uniform(0.5, 2, len(s)) for s in SUBSETS] if weighted else None
    models = fit_many(
        network, X, y, seeds=[4, 5, 6], subsets=SUBSETS, sample_weights=weights
    )
    for i, (seed, subset) in enumerate(zip([4, 5, 6], SUBSETS, strict=True)):
        single = network.set_params(random_state=seed)
        single.fit(X[subset], y[subset], weights[i] if weighted else None)
        for many, alone in zip(models[i].coefs_, single.coefs_, strict=True):
            assert np.abs(many - alone).max() < 1e-5
        assert np.allclose(models[i].loss_curve_, single.loss_curve_, rtol=1e-4)
        assert models[i].t_ == single.t_ == 5 * len(subset)


def test_regressors():
    X, y = load_diabetes(return_X_y=True)
    network = DropoutRegressor((16,), dropout=0, max_iter=5, n_iter_no_change=5)
    models = fit_many(
        network, scale(X), y, seeds=[0, 1], subsets=[np.arange(300), np.arange(40, 400)]
    )
    single = network.set_params(random_state=1).fit(scale(X)[40:400], y[40:400])
    assert np.allclose(models[1].predict(scale(X)), single.predict(scale(X)), rtol=1e-4)
    assert models[1].noise_precision_ == pytest.approx(
        single.noise_precision_, rel=0.01
    )


def test_weighted_counts():
    X, y = load_diabetes(return_X_y=True)
    network = DropoutRegressor(
        (16,), loss="poisson", dropout=0, max_iter=5, n_iter_no_change=5
    )
    y, weight = np.column_stack([y // 10, y // 50]), 1.0 + np.arange(len(y)) % 3
    models = fit_many(network, X, y, seeds=[0, 1], sample_weights=[weight, weight])
    single = network.set_params(random_state=1).fit(X, y, sample_weight=weight)
    assert np.allclose(models[1].predict(X), single.predict(X), rtol=1e-4)
    assert np.allclose(models[1].loss_curve_, single.loss_curve_, rtol=1e-4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_under_dropout_a_smoothed_loss_lowers_their_rates(digits):
    X, y = digits
    network = DropoutClassifier(
        (16,),
        dropout=2**-16,  # which hardly ever drops a unit, but is noise
        solver="sgd",
        learning_rate="adaptive",
        learning_rate_init=0.1,
        tol=0.3,
        n_iter_no_change=1,
        max_iter=8,
    )
    (many,) = fit_many(network, X, y, seeds=[4])
    single = network.set_params(random_state=4).fit(X, y)
    assert np.allclose(many.loss_curve_, single.loss_curve_, rtol=0.01)


def test_with_dropout_they_have_the_same_distribution(digits):
    X, y = digits
    settings = {"max_iter": 8, "n_iter_no_change": 8, "learning_rate_init": 0.005}
    network = DropoutClassifier((24,), dropout=0.3, **settings)
    rows = np.arange(800)
    many = fit_many(network, X, y, seeds=np.arange(20).tolist(), subsets=[rows] * 20)
    single = [
        clone(network).set_params(random_state=seed).fit(X[rows], y[rows])
        for seed in range(20, 40)
    ]
    for measure in (lambda m: m.loss_, lambda m: m.score(X[800:], y[800:])):
        a, b = [[measure(m) for m in models] for models in (many, single)]
        assert stats.ks_2samp(a, b).pvalue > 0.001
        assert abs(np.mean(a) - np.mean(b)) < np.std(b)


def test_repeatable(digits):
    X, y = digits
    network = DropoutClassifier((16,), dropout=0.2, max_iter=3, n_iter_no_change=3)
    first, again = (
        fit_many(network, X, y, seeds=[1, 2, 3], subsets=SUBSETS) for _ in range(2)
    )
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.predict_proba(X), b.predict_proba(X))


def test_refusals(digits):
    X, y = digits
    with pytest.raises(ValueError, match="early_stopping"):
        fit_many(DropoutClassifier(early_stopping=True), X, y, seeds=[0])
    with pytest.raises(ValueError, match="the same classes"):
        fit_many(
            DropoutClassifier(),
            X,
            y,
            seeds=[0, 1],
            subsets=[np.arange(300), np.flatnonzero(y < 5)],
        )
