"""Networks that are fitted side by side, against networks fitted one by one."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.preprocessing import scale

from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.neural_network._many import fit_many

X, y = load_digits(return_X_y=True)
X = X / 16
SUBSETS = [np.arange(50, 350), np.arange(600), np.arange(0, 1000, 2)]


@pytest.mark.parametrize("weighted", [False, True])
def test_without_dropout_they_are_the_same(weighted):
    network = DropoutClassifier(
        (16,), dropout=0, max_iter=3, n_iter_no_change=3, batch_size=64
    )
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
        assert np.allclose(models[i].loss_curve_, single.loss_curve_, rtol=1e-5)


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


def test_with_dropout_they_have_the_same_distribution():
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


def test_repeatable():
    network = DropoutClassifier((16,), dropout=0.2, max_iter=3, n_iter_no_change=3)
    first, again = (
        fit_many(network, X, y, seeds=[1, 2, 3], subsets=SUBSETS) for _ in range(2)
    )
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.predict_proba(X), b.predict_proba(X))


def test_refusals():
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
