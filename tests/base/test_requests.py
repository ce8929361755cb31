"""Requests that give the retained rows, and what an unlearner hands on."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline as sklearn_make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import ExactUnlearner, Retrain, SISAClassifier
from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NPO, FineTune

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = np.arange(60) % 2
GONE, LEFT = slice(0, 5), slice(5, None)


@pytest.mark.parametrize(
    ("rows", "given", "message"),
    [
        (X[GONE], {"X_retain": X[:0], "y_retain": y[:0]}, "X_retain"),
        (X[GONE], {"X_retain": X[LEFT]}, "y_retain"),
        (X[GONE], {"X_retain": X[LEFT, 0], "y_retain": y[LEFT]}, "2D array"),
        (X[GONE], {"X_retain": X[6:], "y_retain": y[6:]}, "X_retain"),
        (X[GONE], {"X_retain": X[LEFT, :2], "y_retain": y[LEFT]}, "features"),
        (X[GONE], {"X_retain": np.arange(55), "y_retain": y[LEFT]}, "X_retain holds"),
        (X[GONE], {"y_retain": y[LEFT]}, "y_retain belongs to X_retain"),
        (None, {"X_retain": X[LEFT], "y_retain": y[LEFT], "groups": [1]}, "groups"),
        (None, {"y_forget": y[GONE], "groups": [1]}, "y_forget belongs to X_forget"),
    ],
)
@pytest.mark.parametrize("store", [True, False])
def test_given_rows_are_checked(store, rows, given, message):
    model = ExactUnlearner(GaussianNB(), store_training_data=store).fit(X, y)
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match=message):
        model.unlearn(rows, **given)
    assert pickle.dumps(model) == before


def test_columns_of_given_rows_are_named_as_theirs():
    frame = pd.DataFrame(X, columns=list("abc"))
    model = Retrain(GaussianNB()).fit(frame, y)
    with pytest.raises(ValueError, match=r"X_retain lacks columns .* 'b'"):
        model.unlearn(frame[GONE], X_retain=frame[LEFT][["a", "c"]], y_retain=y[LEFT])
    with pytest.warns(UnlearningWarning, match=r"X_retain has columns .* 'd'"):
        model.unlearn(frame[GONE], X_retain=frame[LEFT].assign(d=1), y_retain=y[LEFT])
    assert model.n_forgotten_ == 5


def test_rows_with_ids_are_not_given():
    model = Retrain(GaussianNB()).fit(X, y, groups=np.arange(60) // 2)
    with pytest.raises(ValueError, match="groups"):
        model.unlearn(X[GONE], X_retain=X[LEFT], y_retain=y[LEFT])
    assert model.n_forgotten_ == 0


def test_the_cost_of_a_fit_is_all_that_stays():
    model = Retrain(GaussianNB()).fit(X, y)
    cost = model.unlearning_cost(X[GONE])
    assert (cost.path, cost.n_forget, cost.n_read) == ("refit", 5, 55)
    assert model.n_forgotten_ == 0


def test_names_are_known_after_a_fit():
    model = ExactUnlearner(StandardScaler())
    with pytest.raises(NotFittedError):
        model.get_feature_names_out()
    assert list(model.fit(X).get_feature_names_out(["a", "b", "c"])) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "last", [KMeans(2, n_init=1, random_state=0), TSNE(perplexity=5, random_state=0)]
)
def test_a_pipeline_ends_in_what_only_fits(last):
    method = "fit_predict" if hasattr(last, "fit_predict") else "fit_transform"
    model = make_pipeline(StandardScaler(), last)
    reference = sklearn_make_pipeline(StandardScaler(), last)
    found = getattr(model, method)(X)
    np.testing.assert_allclose(found, getattr(reference, method)(X), rtol=1e-5)
    model.unlearn(X[GONE])
    name = "labels_" if method == "fit_predict" else "embedding_"
    fitted = getattr(model[-1], name)
    assert len(fitted) == 55
    np.testing.assert_allclose(fitted, getattr(reference, method)(X[LEFT]), rtol=1e-4)


def test_shards_take_weights_by_request():
    weight = rng.uniform(0.5, 2.0, 60)
    plain = SISAClassifier(LogisticRegression(), n_shards=2, random_state=0)
    plain.fit(X, y, sample_weight=weight).unlearn(X[GONE])
    sklearn.set_config(enable_metadata_routing=True)
    inner = LogisticRegression().set_fit_request(sample_weight=True)
    routed = SISAClassifier(inner, n_shards=2, random_state=0)
    routed.fit(X, y, sample_weight=weight).unlearn(X[GONE])
    for ours, theirs in zip(routed.estimators_, plain.estimators_, strict=True):
        np.testing.assert_array_equal(ours.coef_, theirs.coef_)


def test_a_stream_forgets_where_the_optimizer_stood():
    stream = DropoutClassifier((200,), random_state=0)
    stream.partial_fit(X, y, classes=[0, 1])
    model = FineTune(FrozenEstimator(stream), n_epochs=1, random_state=0).fit(X, y)
    model.unlearn(X[GONE])
    # moments of the steps know the rows of the batches
    assert len(pickle.dumps(model.estimator_)) < len(pickle.dumps(stream)) / 2
    model.estimator_.partial_fit(X[LEFT], y[LEFT])


def test_only_networks_are_edited():
    with pytest.raises((TypeError, ValueError), match="LogisticRegression"):
        NPO(FrozenEstimator(LogisticRegression().fit(X, y))).fit(X, y)


def test_weights_are_forgotten_with_their_rows():
    weight = np.ones(60)
    weight[GONE] = 123.456789
    model = ExactUnlearner(GaussianNB()).fit(X, y, sample_weight=weight)
    assert weight[:1].tobytes() in pickle.dumps(model)
    model.unlearn(X[GONE])
    assert weight[:1].tobytes() not in pickle.dumps(model)
