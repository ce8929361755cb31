"""Monte Carlo dropout against what can be computed exactly."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import itertools

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.preprocessing import scale
from torch import nn

from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor

RNG = np.random.default_rng(0)
FAST = {"max_iter": 20, "n_iter_no_change": 20, "learning_rate_init": 0.01}
X = RNG.normal(size=(120, 3))
y = 50 + 20 * np.sin(X[:, 0]) + 10 * X[:, 1] + RNG.normal(size=120)


def fitted(sizes=(8,), **params):
    return DropoutRegressor(sizes, random_state=0, **{**FAST, **params}).fit(X, y)


def by_hand(model, X, masks=None):
    """Outputs in units of the target, with the units of the last layer masked."""
    (W, v), (b, c) = model.coefs_, model.intercepts_
    h = np.maximum(X @ W.astype(float) + b, 0)
    if masks is not None:
        h = h[None] * masks[:, None, :] / (1 - model.dropout)
    z = h @ v.astype(float) + c
    return h, z[..., 0] * y.std() + y.mean()


def test_covariance_of_dropout_before_the_last_layer():
    # card 2-8a: Cov(f(x), f(x')) = r sum_j v_j^2 h_j(x) h_j(x')
    model = fitted(dropout=0.3, mc_samples=20_000)
    rows = X[:4]
    h, mean = by_hand(model, rows)
    r = 0.3 / 0.7
    v = model.coefs_[1][:, 0].astype(float) * y.std()
    exact = r * np.einsum("j,ij,kj->ik", v**2, h, h)
    spread = np.sqrt(np.diag(exact))
    tolerance = 5 * np.outer(spread, spread) / np.sqrt(20_000) * 2
    predicted, cov = model.predict(rows, return_cov=True)
    cov -= np.eye(4) / model.noise_precision_
    assert (np.abs(cov - exact) < tolerance).all()
    assert (np.abs(predicted - mean) < 5 * spread / np.sqrt(20_000)).all()
    drawn = model.sample_y(rows, 20_000, random_state=1)
    assert (np.abs(np.cov(drawn, bias=True) - exact) < tolerance).all()


def test_linear_network_with_two_kinds_of_dropout():
    # card 2-8b: Var = v'Sv + r2 sum_j v_j^2 (mu_j^2 + S_jj), S = W' diag(r1 x^2) W
    T = 200_000
    model = fitted(activation="identity", dropout=0.4, input_dropout=0.2, mc_samples=T)
    x = X[:1]
    (W, v), (b, _) = model.coefs_, model.intercepts_
    v, mu = v[:, 0].astype(float), (x @ W + b)[0]
    S = W.T.astype(float) @ np.diag(0.25 * x[0] ** 2) @ W
    exact = v @ S @ v + (0.4 / 0.6) * (v**2 * (mu**2 + np.diag(S))).sum()
    exact *= y.var()
    variance = model.predict_uncertainty(x, "epistemic")[0]
    assert variance == pytest.approx(exact, rel=0.02)
    deterministic = model.set_params(mc_samples=0).predict(x)[0]
    mean = model.set_params(mc_samples=T).predict(x)[0]
    assert abs(mean - deterministic) < 5 * np.sqrt(exact / T)


def test_no_dropout_leaves_the_noise():
    model = fitted(dropout=0.0)
    mean, std = model.predict(X, return_std=True)
    assert np.allclose(std, model.noise_precision_**-0.5, rtol=1e-12)
    assert not model.predict_uncertainty(X, "epistemic").any()
    low, high = model.predict_interval(X, 0.9).T
    normal = stats.norm(mean, std)
    assert np.allclose([low, high], [normal.ppf(0.05), normal.ppf(0.95)], rtol=1e-9)


def test_all_masks_enumerated():
    # the exact mixture over 2^8 functions
    p, T = 0.25, 100_000
    model = fitted(dropout=p, mc_samples=T, noise_precision=0.05)
    masks = np.array(list(itertools.product([0, 1], repeat=8)))
    weight = np.prod(np.where(masks, 1 - p, p), axis=1)
    _, functions = by_hand(model, X[:5], masks)
    assert weight.sum() == pytest.approx(1)
    drawn = model.sample_y(X[:5], T).T
    ends = model.predict_interval(X[:5], 0.9).T
    below = [weight @ stats.norm(functions, 0.05**-0.5).cdf(end) for end in ends]
    assert np.allclose(below, [[0.05] * 5, [0.95] * 5], atol=0.005)
    mean = weight @ functions
    variance = weight @ (functions - mean) ** 2
    predicted, std = model.predict(X[:5], return_std=True)
    assert (np.abs(predicted - mean) < 5 * np.sqrt(variance / T)).all()
    assert np.allclose(std**2, variance + 20, rtol=0.02)
    # every function that was drawn is one of the 256
    distance = np.abs(drawn[:200, None] - functions[None]).max(axis=-1).min(axis=1)
    assert distance.max() < 1e-3


def batch_norm(n_features, n_outputs):
    return nn.Sequential(
        nn.Linear(n_features, 16),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(16, n_outputs),
    )


@pytest.mark.parametrize("params", [{}, {"module": batch_norm}], ids=["own", "module"])
def test_rows_do_not_see_one_another(params):
    model = fitted(**params)
    buffers = [b.clone() for b in model.module_.buffers()]
    for whole in (X, X[::-1]):
        together = model.predict(whole)
        alone = np.concatenate([model.predict(row[None]) for row in whole])
        if params:
            assert np.allclose(together, alone, rtol=1e-12)
        else:
            assert np.array_equal(together, alone)
    shifted = model.predict(X + 100)
    assert np.isfinite(shifted).all()
    for before, after in zip(buffers, model.module_.buffers(), strict=True):
        assert torch.equal(before, after)


def test_module_and_perceptron_have_the_same_moments():
    own = fitted(sizes=(16, 16), dropout=0.2, input_dropout=0.1)
    net = own.module_
    # steps so small that its weights stay those that it was given
    module = fitted(module=lambda *_: net, max_iter=1, learning_rate_init=1e-30)
    moments = []
    for model in (own, module):
        drawn = model.sample_y(X[:10], 4000, random_state=0)
        moments.append((drawn.mean(axis=1), drawn.std(axis=1)))
    assert np.allclose(moments[0][0], moments[1][0], atol=5 * moments[0][1].max() / 60)
    assert np.allclose(moments[0][1], moments[1][1], rtol=0.1)


def test_functions_are_smooth_and_shared():
    model = fitted(sizes=(32, 32), dropout=0.2)
    near = model.sample_y(X + 1e-6, 20)
    assert np.abs(near - model.sample_y(X, 20)).max() < 1e-2
    assert model.sample_y(X, 20).std(axis=1).min() > 0.1


def test_more_draws_begin_with_the_same_ones():
    model = fitted(sizes=(30, 30), dropout=0.2)
    few, many = (model.sample_y(X, t, random_state=5) for t in (7, 40))
    assert np.array_equal(few, many[:, :7])


def test_classifier_uncertainty():
    labels = np.where(X[:, 0] + 0.5 * X[:, 1] > 0, "yes", "no")
    model = DropoutClassifier((16,), dropout=0.3, random_state=0, **FAST)
    model.fit(X, labels)
    parts = {k: model.predict_uncertainty(X, k) for k in ("aleatoric", "epistemic")}
    total = model.predict_uncertainty(X)
    assert np.allclose(total, parts["aleatoric"] + parts["epistemic"], atol=1e-12)
    assert (parts["epistemic"] >= 0).all() and (total <= np.log(2) + 1e-12).all()
    drawn = model.sample_proba(X, 500, random_state=3)
    assert drawn.shape == (500, 120, 2)
    assert np.allclose(drawn.sum(axis=-1), 1)
    assert np.abs(drawn.mean(axis=0) - model.predict_proba(X)).max() < 0.15
    p = model.sample_proba(X[:5], 20_000)
    bald = (p * np.log(p / p.mean(axis=0))).sum(axis=-1).mean(axis=0)
    many = model.set_params(mc_samples=20_000).predict_uncertainty(X[:5], "epistemic")
    assert many == pytest.approx(bald, rel=0.05)  # mean KL to the mean
    deterministic = model.set_params(mc_samples=0)
    assert not deterministic.predict_uncertainty(X, "epistemic").any()
    with pytest.raises(ValueError, match="kind must be"):
        model.predict_uncertainty(X, "bald")


def test_same_contract_as_gaussian_processes():
    process = GaussianProcessRegressor().fit(X, y)
    targets = np.column_stack([y, -y])
    for target in (y, targets):
        model = DropoutRegressor((8,), random_state=0, **FAST).fit(X, target)
        process.fit(X, target)
        for params in ({"return_std": True}, {"return_cov": True}):
            ours, theirs = model.predict(X, **params), process.predict(X, **params)
            assert [a.shape for a in ours] == [a.shape for a in theirs]
        assert model.sample_y(X, 3).shape == process.sample_y(X, 3).shape
    std = model.predict(X, return_std=True)[1]
    cov = model.predict(X, return_cov=True)[1]
    diagonal = np.stack([np.diag(cov[..., k]) for k in range(2)], axis=1)
    assert np.allclose(diagonal, std**2)
    assert model.predict_interval(X).shape == (120, 2, 2)
    with pytest.raises(ValueError, match="At most one"):
        model.predict(X, return_std=True, return_cov=True)
    with pytest.raises(ValueError, match="confidence_level"):
        model.predict_interval(X, 95)


def test_intervals_cover_real_data():
    rows, target = load_diabetes(return_X_y=True)
    rows = scale(rows)
    inside = []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(rows))
        train, test = order[:330], order[330:]
        model = DropoutRegressor(
            (50,),
            dropout=0.1,
            early_stopping=True,
            validation_fraction=0.2,
            max_iter=200,
            learning_rate_init=0.003,
            random_state=seed,
        ).fit(rows[train], target[train])
        low, high = model.predict_interval(rows[test], 0.9).T
        inside.append(((target[test] > low) & (target[test] < high)).mean())
    assert 0.8 < np.mean(inside) < 0.97


def test_uncertainty_finds_errors_on_real_data():
    rows, labels = load_breast_cancer(return_X_y=True)
    rows = scale(rows)
    rates = []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(rows))
        train, test = order[:200], order[200:]
        model = DropoutClassifier((30,), dropout=0.3, random_state=seed, **FAST)
        model.fit(rows[train], labels[train])
        wrong = model.predict(rows[test]) != labels[test]
        doubt = model.predict_uncertainty(rows[test])
        rates.append(stats.rankdata(doubt)[wrong].mean() / len(test))
    assert np.mean(rates) > 0.8  # 0.5 if doubt said nothing
