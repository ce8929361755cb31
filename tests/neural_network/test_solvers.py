"""Solvers and learning rates, against scikit-learn's own perceptron."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale
from torch import nn

from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.unlearning import FineTune

X, y = load_iris(return_X_y=True)
X = scale(X)

# epochs stop to make progress at once, so that "adaptive" has something to do
STALLS = {"tol": 10.0, "n_iter_no_change": 1}
SGD = {"solver": "sgd", "learning_rate_init": 0.1}
SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "sgd": SGD,
    "momentum": {**SGD, "nesterovs_momentum": False, "momentum": 0.7},
    "no momentum": {**SGD, "momentum": 0.0},
    "invscaling": {**SGD, "learning_rate": "invscaling", "power_t": 0.2},
    "adaptive": {**SGD, "learning_rate": "adaptive", **STALLS},
    "adaptive, momentum": {
        **SGD,
        "learning_rate": "adaptive",
        "nesterovs_momentum": False,
        **STALLS,
    },
}
every_solver = pytest.mark.parametrize("solver", SOLVERS)
FIXED = {"alpha": 0.1, "batch_size": 50, "shuffle": False, "random_state": 0}


def layers(n_features, n_outputs):
    return nn.Sequential(nn.Linear(n_features, 6), nn.Tanh(), nn.Linear(6, n_outputs))


def network(solver, **params):
    settings = {"dropout": 0, "mc_samples": 0, "n_iter_no_change": 100, **FIXED}
    settings |= {**SOLVERS[solver], **params}
    return DropoutClassifier((6,), "tanh", **settings)


def weights(model):
    linear = [m for m in model.module_.modules() if isinstance(m, nn.Linear)]
    parts = [part.detach().numpy() for m in linear for part in (m.weight.T, m.bias)]
    return parts[::2], parts[1::2]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@every_solver
@pytest.mark.parametrize("module", [None, layers])
def test_steps_are_those_of_scikit_learn(solver, module):
    ours = network(solver, module=module, warm_start=True, max_iter=1).fit(X, y)
    settings = {"n_iter_no_change": 100, **FIXED, **SOLVERS[solver]}
    theirs = MLPClassifier((6,), "tanh", warm_start=True, max_iter=1, **settings)
    theirs.fit(X, y)
    # both begin from here
    theirs.coefs_, theirs.intercepts_ = [
        [part.astype(float) for part in parts] for parts in weights(ours)
    ]
    theirs.best_loss_ = np.inf
    for model in (ours, theirs):
        model.set_params(max_iter=9).fit(X, y)
    theirs_now = theirs.coefs_, theirs.intercepts_
    for mine, other in zip(weights(ours), theirs_now, strict=True):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)
    assert (ours.t_, ours.n_iter_) == (theirs.t_, theirs.n_iter_) == (1500, 9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@every_solver
@pytest.mark.parametrize("module", [None, layers])
def test_a_stream_takes_the_steps_of_a_fit(solver, module):
    expected = network(solver, module=module, max_iter=6).fit(X, y)
    model = network(solver, module=module)
    for _ in range(6):
        model = pickle.loads(pickle.dumps(model)).partial_fit(X, y)
    for mine, other in zip(weights(model), weights(expected), strict=True):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    assert model.t_ == expected.t_ == 900
    # another solver begins anew
    other = "sgd" if solver == "adam" else "adam"
    model.set_params(**SOLVERS[other]).partial_fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


def test_adaptive_ends_when_its_steps_are_small():
    model = network("adaptive", max_iter=1000).fit(X, y)
    settings = {**SOLVERS["adaptive"], **FIXED}
    other = MLPClassifier((6,), "tanh", max_iter=1000, **settings).fit(X, y)
    assert model.n_iter_ == other.n_iter_ == len(model.loss_curve_)


def last_epoch(losses, decay, tol, patience):
    """The epoch after which training stops, by hand."""
    best, stale, total = np.inf, 0, 0.0
    for epoch, loss in enumerate(losses, start=1):
        total = decay * total + (1 - decay) * loss
        mean = total / (1 - decay**epoch)
        stale = 0 if mean < best - tol else stale + 1
        best = min(best, mean)
        if stale > patience:
            return epoch
    return None


@pytest.mark.parametrize("p", [0.0, 0.3])
@pytest.mark.parametrize("module", [False, True])
def test_a_smoothed_loss_decides_under_dropout(p, module):
    def build(n_features, n_outputs):
        noise = [nn.Dropout(p)] if p else []
        hidden = nn.Linear(n_features, 16)
        return nn.Sequential(hidden, nn.ReLU(), *noise, nn.Linear(16, n_outputs))

    rule = {"tol": 1e-3, "n_iter_no_change": 5}
    settings = {"learning_rate_init": 0.02, "max_iter": 500, "random_state": 0}
    if module:
        settings |= {"module": build, "mc_samples": 0}
    model = DropoutClassifier((16,), dropout=p, **rule, **settings).fit(X, y)
    losses = model.loss_curve_
    assert len(losses) == model.n_iter_ < 500
    raw, smooth = (last_epoch(losses, decay, 1e-3, 5) for decay in (0.0, 0.9))
    if p:  # the losses themselves would have ended training before
        assert raw < smooth == model.n_iter_
    else:
        assert raw == model.n_iter_
    assert model.best_loss_ == min(losses)
    early = DropoutClassifier((16,), dropout=p, early_stopping=True, **settings)
    scores = early.fit(X, y).validation_scores_
    assert last_epoch(-np.array(scores), 0.0, 1e-4, 10) == early.n_iter_


@pytest.mark.parametrize("Network", [DropoutClassifier, DropoutRegressor])
def test_unlearning_takes_the_same_steps_again(Network):
    settings = {"max_iter": 5, "n_iter_no_change": 5, "random_state": 0}
    model = Network((5,), **SOLVERS["invscaling"], **settings)
    gone = np.arange(0, 150, 10)
    expected = clone(model).fit(np.delete(X, gone, 0), np.delete(y, gone))
    model.fit(X, y).unlearn(X[gone], y[gone])
    assert np.array_equal(model.predict(X), expected.predict(X))
    assert model.t_ == expected.t_
    model.set_params(solver="adam")
    with pytest.raises(ValueError, match="solver changed since fit"):
        model.unlearn(X[:1], y[:1])


@pytest.mark.parametrize("Network", [DropoutClassifier, DropoutRegressor])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_other_solvers_are_refused(Network, method):
    with pytest.raises(ValueError, match="its line search compares losses"):
        getattr(Network(solver="lbfgs"), method)(X, y)
    with pytest.raises(ValueError, match="""must be "adam" or "sgd"; got 'rmsprop'"""):
        getattr(Network(solver="rmsprop"), method)(X, y)


def test_search_over_solvers_and_learning_rates():
    grid = {
        "solver": ["adam", "sgd"],
        "learning_rate": ["constant", "invscaling", "adaptive"],
        "learning_rate_init": [1e-4, 0.1],
    }
    model = network("adam", alpha=1e-4, shuffle=True, max_iter=20)
    search = GridSearchCV(model, grid, cv=3, error_score="raise")
    with pytest.warns(ConvergenceWarning):
        search.set_params(estimator__n_iter_no_change=10).fit(X, y)
    assert search.best_score_ > 0.9
    scores = search.cv_results_["mean_test_score"]
    assert len(np.unique(scores)) > 3  # the parameters matter


def test_unlearners_use_adam():
    model = network("sgd", learning_rate_init=0.5, max_iter=5).fit(X, y)
    frozen = FrozenEstimator(model)
    auto, given = (
        FineTune(frozen, learning_rate_init=rate, random_state=0).fit(X, y)
        for rate in ("auto", 0.001)
    )
    for unlearner in (auto, given):
        unlearner.unlearn(X[:5])
    assert np.array_equal(auto.predict_proba(X), given.predict_proba(X))
