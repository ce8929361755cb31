"""A network that is kept while earlier steps of its pipeline forget."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline as sklearn_make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

from sklearn_unlearn.base import BaseUnlearner
from sklearn_unlearn.exceptions import PipelineRetrainWarning
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline


class Keep(BaseUnlearner):
    """An approximate unlearner whose forget weight is zero."""

    def __init__(self, estimator, store_training_data=True):
        self.estimator = estimator
        self.store_training_data = store_training_data

    def _unlearn_rows(self, request):
        request.retain.X.shape  # noqa: B018 - it could look at the rows


X, y = load_digits(return_X_y=True)
X = X / 16
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
RANDOM = np.random.default_rng(0).random(len(X_train)) < 0.05
CLASS = y_train == 7
NETWORK = DropoutClassifier(
    (64,), learning_rate_init=0.01, max_iter=30, n_iter_no_change=30, random_state=0
)


@pytest.mark.parametrize("forget", [RANDOM, CLASS], ids=["random", "class"])
@pytest.mark.parametrize(
    "steps",
    [
        [PCA(20, random_state=0)],
        [StandardScaler(), PCA(20, random_state=0)],
        [StandardScaler()],
    ],
    ids=lambda steps: "+".join(type(step).__name__ for step in steps),
)
def test_accuracy_survives_new_coordinates(steps, forget):
    model = make_pipeline(*steps, Keep(NETWORK)).fit(X_train, y_train)
    before = model.score(X_test, y_test)
    with warnings.catch_warnings():
        warnings.simplefilter("error", PipelineRetrainWarning)
        model.unlearn(X_train[forget])
    # scaled pixels without a class span another subspace: one point is lost there
    allowed = 0.02 if len(steps) == 2 else 0.01
    assert abs(model.score(X_test, y_test) - before) <= allowed
    assert model.n_forgotten_ == forget.sum()


def test_features_that_are_selected_anew():
    # A feature that is no longer selected may take its information along. Then the
    # network can be no better than one that was never shown it.
    varying = X_train.std(axis=0) > 0
    for seed in range(4):
        forget = np.random.default_rng(seed).random(len(X_train)) < 0.05
        model = make_pipeline(SelectKBest(k=20), Keep(NETWORK))
        model.fit(X_train[:, varying], y_train)
        before = model.score(X_test[:, varying], y_test)
        again = make_pipeline(SelectKBest(k=20), NETWORK)
        again.fit(X_train[~forget][:, varying], y_train[~forget])
        retrained = again.score(X_test[:, varying], y_test)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PipelineRetrainWarning)
            model.unlearn(X_train[forget][:, varying])
        after = model.score(X_test[:, varying], y_test)
        assert after >= min(before, retrained) - 0.01


def test_dropped_categories():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 6, size=(600, 4))
    codes[:3] = 7  # a category that only these rows have
    target = (codes.sum(axis=1) > 10).astype(int)
    encoder = OneHotEncoder(handle_unknown="ignore")
    model = make_pipeline(encoder, OneHotDense(), Keep(NETWORK))
    model.fit(codes[:400], target[:400])
    before = model.score(codes[400:], target[400:])
    width = model[-1].n_features_in_
    model.unlearn(codes[:3])
    assert model[-1].n_features_in_ == width - 4
    assert abs(model.score(codes[400:], target[400:]) - before) <= 0.01


class OneHotDense(StandardScaler):
    """Dense rows of the same values."""

    def fit(self, X, y=None):
        return super().fit(X.toarray())

    def transform(self, X):
        return super().transform(X.toarray())


def test_moving_is_exact_where_the_map_is():
    # a scaler moves and stretches: the function of raw rows stays what it was
    model = make_pipeline(StandardScaler(), Keep(NETWORK)).fit(X_train, y_train)
    before = model.predict_proba(X_test)
    model.unlearn(X_train[RANDOM])
    assert np.abs(model.predict_proba(X_test) - before).max() < 1e-4


def test_lost_coordinates_force_a_fit():
    model = make_pipeline(
        StandardScaler(), Nystroem(n_components=60, random_state=0), Keep(NETWORK)
    )
    model.fit(X_train, y_train)
    before = model[-1].estimator_
    with pytest.warns(PipelineRetrainWarning, match="after nystroem"):
        model.unlearn(X_train[CLASS])
    assert model[-1].estimator_ is not before
    assert model.n_forgotten_ == model[-1].n_forgotten_ == CLASS.sum()
    assert model[-1].__dict__["_rows"] is None


def test_without_a_linear_layer_it_is_fitted_again():
    model = make_pipeline(StandardScaler(), Keep(LogisticRegression()))
    model.fit(X_train, y_train)
    with pytest.warns(PipelineRetrainWarning, match="standardscaler has changed"):
        model.unlearn(X_train[RANDOM])
    again = sklearn_make_pipeline(StandardScaler(), LogisticRegression())
    again.fit(X_train[~RANDOM], y_train[~RANDOM])
    assert np.allclose(model.predict_proba(X_test), again.predict_proba(X_test))


class Residual(nn.Module):
    """Sees the rows twice, so that its first layer cannot take in a map."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.first = nn.Linear(n_features, n_features)
        self.drop = nn.Dropout(0.1)
        self.last = nn.Linear(n_features, n_outputs)

    def forward(self, x):
        return self.last(x + self.drop(self.first(x).relu()))


@pytest.mark.parametrize("module", [nn.Sequential, Residual], ids=["chain", "residual"])
def test_modules(module):
    def chain(n_features, n_outputs):
        layers = (nn.Linear(n_features, 32), nn.ReLU(), nn.Dropout(0.1))
        return nn.Sequential(*layers, nn.Linear(32, n_outputs))

    factory = chain if module is nn.Sequential else module
    network = DropoutClassifier(module=factory, max_iter=15, random_state=0)
    network.set_params(n_iter_no_change=15, learning_rate_init=0.01)
    model = make_pipeline(StandardScaler(), Keep(network)).fit(X_train, y_train)
    before = model.score(X_test, y_test)
    if module is Residual:
        with pytest.warns(PipelineRetrainWarning, match="no first linear layer"):
            model.unlearn(X_train[RANDOM])
    else:
        model.unlearn(X_train[RANDOM])
        assert model.score(X_test, y_test) == pytest.approx(before, abs=0.01)


def test_exact_networks_are_not_moved():
    model = make_pipeline(PCA(20, random_state=0), NETWORK).fit(X_train, y_train)
    model.unlearn(X_train[RANDOM])
    again = make_pipeline(PCA(20, random_state=0), NETWORK)
    again.fit(X_train[~RANDOM], y_train[~RANDOM])
    assert np.array_equal(model.predict_proba(X_test), again.predict_proba(X_test))


def mixed_table(n_rows=600, seed=0):
    rng = np.random.default_rng(seed)
    age, spend = rng.normal(50, 15, n_rows).round(), rng.gamma(2, 40, n_rows).round(2)
    town, plan = rng.choice(list("abcde"), n_rows), rng.choice(list("xyz"), n_rows)
    y = (age / 15 + spend / 60 + (plan == "x") + rng.normal(size=n_rows) > 5) * 1
    age[rng.random(n_rows) < 0.1] = np.nan
    X = pd.DataFrame({"age": age, "spend": spend, "town": town, "plan": plan})
    return X, y


@pytest.mark.parametrize("strategy", ["mean", "median", None])
def test_requests_do_not_wreck_a_network_behind_dependent_columns(strategy):
    """The columns of all categories add up to 1; imputed cells are moved."""
    X, y = mixed_table()
    if strategy is None:
        X["age"] = X["age"].fillna(0.0)
    numbers = [StandardScaler()]
    if strategy is not None:
        numbers.insert(0, SimpleImputer(strategy=strategy))
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (sklearn_make_pipeline(*numbers), ["age", "spend"]), (encoder, ["town", "plan"])
    )
    network = DropoutClassifier(
        (16,), max_iter=20, n_iter_no_change=20, learning_rate_init=0.01, random_state=0
    )
    model = make_pipeline(columns, Keep(network))
    model.fit(X, y, groups=np.arange(600) // 4)
    unseen = pd.DataFrame({"age": 50.0, "spend": 80.0, "town": ["f"], "plan": ["w"]})
    rows = pd.concat([X.dropna(), unseen])
    before = model.predict_proba(rows)
    for person in range(8):
        model.unlearn(groups=[person])
    after = model.predict_proba(rows)
    tolerance = 1e-4 if strategy is None else 0.02
    np.testing.assert_allclose(after, before, atol=tolerance)
