"""What users of scikit-learn's perceptrons expect: attributes, messages, types."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn

from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor

X, y = load_iris(return_X_y=True)
FAST = {"max_iter": 5, "n_iter_no_change": 5, "random_state": 0}
NETWORKS = [DropoutClassifier, DropoutRegressor]


def chain(n_features, n_outputs):
    return nn.Sequential(
        nn.Linear(n_features, 16), nn.Tanh(), nn.Dropout(0.1), nn.Linear(16, n_outputs)
    )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(DropoutClassifier, MLPClassifier), (DropoutRegressor, MLPRegressor)],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_attributes(ours, theirs, dtype):
    rows = X.astype(dtype)
    model = ours(hidden_layer_sizes=(7, 5), **FAST).fit(rows, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        other = theirs(hidden_layer_sizes=(7, 5), **FAST).fit(rows, y)
    names = ["n_layers_", "n_outputs_", "out_activation_", "n_iter_"]
    for name in names:
        assert getattr(model, name) == getattr(other, name), name
    for name in ("coefs_", "intercepts_"):
        for mine, its in zip(getattr(model, name), getattr(other, name), strict=True):
            assert (mine.shape, mine.dtype) == (its.shape, its.dtype)
    assert model.predict(rows).dtype == other.predict(rows).dtype
    with pytest.raises(ValueError, match="read-only"):
        model.coefs_[0][:] = 0
    model.unlearn(rows[:3])
    assert model.n_layers_ == 4 and model.coefs_[0].dtype == dtype


def test_a_module_has_no_layers_to_count():
    model = DropoutClassifier(module=chain, **FAST).fit(X, y)
    assert model.out_activation_ == "softmax"
    assert not hasattr(model, "n_layers_")
    assert not hasattr(DropoutClassifier(), "n_layers_")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_calls_of_partial_fit_are_the_epochs_of_a_fit(network, solver):
    settings = {"dropout": 0.0, "solver": solver, "batch_size": 32, "random_state": 0}
    if network is DropoutRegressor:
        settings["noise_precision"] = 1.0
    whole = network(max_iter=4, n_iter_no_change=4, **settings).fit(X, y)
    parts = network(**settings)
    for _ in range(4):
        parts.partial_fit(X, y)
    np.testing.assert_array_equal(whole.predict(X), parts.predict(X))
    assert whole.t_ == parts.t_ == 4 * len(X)


@pytest.mark.parametrize("network", NETWORKS)
def test_patience_without_end(network):
    model = network(max_iter=3, n_iter_no_change=np.inf, tol=1e9, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\) reached"):
        model.fit(X, y)
    assert model.n_iter_ == 3


# -------------------------------------------------------- numbers that are too large


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("module", [None, chain])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_rows_too_large_to_learn(network, module, early_stopping, kind):
    for row in (0, 7, 149):  # whether it is trained on or held out
        far = X.copy()
        far[row] = 1e300
        model = network(module=module, early_stopping=early_stopping, **FAST)
        with pytest.raises(ValueError, match=r"non-finite parameter|are not finite"):
            model.fit(kind(far), y)
        assert not hasattr(model, "n_iter_")
    # few rows, one epoch: nothing but the weights tells
    with pytest.raises(ValueError, match=r"non-finite parameter|are not finite"):
        network(module=module).partial_fit(
            kind(far[-40:]),
            y[-40:],
            **({"classes": [0, 1, 2]} if network is DropoutClassifier else {}),
        )


@pytest.mark.parametrize("network", NETWORKS)
def test_rows_too_large_to_predict(network):
    model = network(**FAST).fit(X, y)
    far = X[:3].copy()
    far[1] = 1e300
    for method in (model.predict, model.predict_uncertainty):
        with pytest.raises(ValueError, match="are not finite for some rows"):
            method(far)
    far[1] = 1e30  # single precision is not exceeded
    assert np.isfinite(model.predict(far)).all()
    np.testing.assert_array_equal(
        model.predict(far)[[0, 2]], model.predict(X[:3])[[0, 2]]
    )


def test_divergence_under_early_stopping_ends_with_the_best():
    model = DropoutRegressor(
        activation="identity",
        solver="sgd",
        learning_rate_init=1.0,
        max_iter=50,
        early_stopping=True,
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning, match="no longer finite"):
        model.fit(X * 3, y)
    assert np.isnan(model.validation_scores_[-1])
    assert np.isfinite(model.best_validation_score_)
    assert np.isfinite(model.predict(X)).all()


# -------------------------------------------------------------------- types of numbers


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, np.int16, object])
def test_types_of_rows_and_targets(dtype):
    rows = np.rint(X * 2).astype(dtype)  # exact in all of them
    for network in NETWORKS:
        expected = network(**FAST).fit(rows.astype(float), y).predict(rows)
        model = network(**FAST).fit(rows, y)
        np.testing.assert_array_equal(model.predict(rows), expected)
        assert model.unlearn(rows[:1], y_forget=y[:1]).n_forgotten_ == 1
    np.testing.assert_array_equal(
        DropoutRegressor(**FAST).fit(X, y.astype(dtype)).predict(X),
        DropoutRegressor(**FAST).fit(X, y).predict(X),
    )


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a", "b", "c"])[y],
        np.array(["a", "b", "c"], dtype=object)[y],
        y > 0,
        y - 0.0,
        y.astype(np.float16),
    ],
)
def test_types_of_labels(labels):
    model = DropoutClassifier(**FAST, learning_rate_init=0.05).fit(X, labels)
    assert model.classes_.dtype == labels.dtype
    assert model.score(X, labels) > 0.6
