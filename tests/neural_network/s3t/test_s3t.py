"""Ensembles of sequences of slices: what they keep, drop and train again."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.utils import get_tags
from threadpoolctl import threadpool_limits

from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.neural_network import S3TClassifier, S3TRegressor
from sklearn_unlearn.utils.estimator_checks import assert_same_state
from tests.neural_network.s3t._ensembles import SETTINGS, rows_of


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_refresh_is_a_fit_on_the_retained_rows(kind):
    model, X, y = rows_of(kind)
    model.fit(X, y).unlearn(X[:4]).unlearn(X[60:62])
    keep = np.delete(np.arange(len(X)), [0, 1, 2, 3, 60, 61])
    reference = clone(model).fit(X[keep], y[keep])
    with pytest.raises(AssertionError, match="differ"):  # there is something to refresh
        assert_same_state(model, reference)
    assert_same_state(model.refresh(), reference, rtol=0)
    assert model.n_forgotten_ == 6


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_same_bytes_serial_in_threads_and_in_processes(kind):
    model, X, y = rows_of(kind)
    fitted = []
    for backend, n_jobs in (("sequential", 1), ("threading", 2), ("loky", 2)):
        with parallel_config(backend, n_jobs=n_jobs):
            fitted.append(clone(model).fit(X, y, forget=np.arange(len(X)) < 2))
    assert_same_state(fitted[0], fitted[1], rtol=0)
    assert_same_state(fitted[0], fitted[2], rtol=0)


# ------------------------------------------------------------- without rows, groups


def test_without_rows():
    model, X, y = rows_of("classes")
    X = X.astype(np.float32)
    bare = clone(model).set_params(store_training_data=False).fit(X, y)
    model.fit(X, y)
    assert not get_tags(bare).unlearner_tags.requires_retain
    assert X[5].tobytes() not in pickle.dumps(bare)
    for some in ([0, 1], [90]):
        model.unlearn(X[some]), bare.unlearn(X[some].astype(np.float64))
        if model.prefix_lengths_.tolist() == bare.prefix_lengths_.tolist():
            assert np.array_equal(model.predict_proba(X), bare.predict_proba(X))
    assert bare.n_forgotten_ == 3
    with pytest.raises(UnknownRowsError, match=r"1 of 2 rows .* positions \[1\]"):
        bare.unlearn(X[[7, 0]])
    with pytest.raises(UnknownRowsError, match="1 of 2 rows"):
        bare.unlearn(X[[7, 7]])
    assert bare.n_forgotten_ == 3
    bare.unlearn(X[[7, 0]], on_unknown="ignore")
    assert bare.n_forgotten_ == 4
    rest = np.setdiff1d(np.arange(len(X)), [0, 1, 7, 90])
    with pytest.raises(ValueError, match=r"leave no shard.*X_retain"):
        bare.unlearn(X[rest])
    some, rest = rest[:80], rest[80:]
    bare.unlearn(X[some], X_retain=X[rest], y_retain=y[rest])
    assert np.isfinite(bare.predict_proba(X)).all()
    with pytest.raises(ValueError, match="keeps no rows"):
        bare.refresh()
    with pytest.raises(ValueError, match="only be forgotten if fit was given"):
        bare.unlearn(groups=[1])


def test_groups_share_a_slice_and_go_without_rows():
    _, X, y = rows_of("numbers")
    person = np.array([f"person {i}" for i in np.arange(len(X)) % 30])
    kept = S3TRegressor(**SETTINGS).fit(X, y, groups=person)
    bare = S3TRegressor(**SETTINGS, store_training_data=False)
    bare.fit(X, y, groups=person)
    for model in (kept, bare):
        model.unlearn(groups=["person 3"])
        assert model.n_forgotten_ == 6
        # six rows, and one slice of one shard is lost
        assert sorted(model.prefix_lengths_) == [2, 3]
    assert np.array_equal(kept.predict(X), bare.predict(X))
    with pytest.raises(UnknownRowsError, match="1 of 1 ids"):
        bare.unlearn(groups=["person 3"])
    with pytest.raises(ValueError, match="Leave X_retain and y_retain out"):
        bare.unlearn(X[:1], X_retain=X[1:174], y_retain=y[1:174])


def test_given_rows_are_the_training_set():
    model, X, y = rows_of("numbers")
    order = np.random.default_rng(0).permutation(np.arange(1, len(X)))
    asked = clone(model).fit(X, y).unlearn(X[:1])
    given = clone(model).fit(X, y)
    given.unlearn(X[:1], X_retain=X[order], y_retain=y[order])
    assert np.array_equal(asked.predict(X), given.predict(X))
    # and the next request finds them in their new order
    for fitted in (asked, given):
        fitted.unlearn(X[100:101])
    assert np.array_equal(asked.predict(X), given.predict(X))
    assert np.array_equal(asked.prefix_lengths_, given.prefix_lengths_)
    # rows that were never fitted: the model of the retained ones
    new = np.vstack([X[1:90] + 0.5, X[90:]])
    with pytest.raises(ValueError, match="rows of X_retain are not among"):
        clone(model).fit(X, y).unlearn(X[:1], X_retain=new, y_retain=y[1:])
    bare = clone(model).set_params(store_training_data=False)
    given = clone(bare).fit(X, y).unlearn(X[:1], X_retain=new, y_retain=y[1:])
    assert_same_state(given, bare.fit(new, y[1:]), rtol=0)


def test_labels_that_fit_has_not_seen():
    model, X, y = rows_of("classes")
    bare = model.set_params(store_training_data=False).fit(X, y)
    labels = y.copy()
    labels[50] = 9
    everything = np.arange(len(X)) < 120
    with pytest.raises(ValueError, match=r"labels that fit has not seen: \[9\]"):
        bare.unlearn(
            X[~everything], X_retain=X[everything], y_retain=labels[everything]
        )


# -------------------------------------------------------------------- in a pipeline


def test_export_forgets_how_to_forget():
    model, X, y = rows_of("numbers")
    exported = model.fit(X, y).unlearn(X[:1]).export()
    assert np.array_equal(exported.predict(X), model.predict(X))
    assert len(pickle.dumps(exported)) < len(pickle.dumps(model)) / 1.5
    for request in ({"X_forget": X[1:2]}, {"groups": [1]}):
        with pytest.raises(ValueError, match="exported copy"):
            exported.unlearn(**request)


def test_more_sequences_than_there_may_be():
    model, X, y = rows_of("numbers")
    assert model.set_params(n_sequences=1000, n_slices=1).fit(X, y)
    with pytest.raises(ValueError, match=r"'n_sequences' .* range \[1, 1000\]"):
        model.set_params(n_sequences=1001).fit(X, y)


def test_a_fit_that_fails_changes_nothing():
    model, X, y = rows_of("numbers")
    model.fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="groups"):
        model.fit(X[:50], y[:50], groups=[1, 2])
    assert np.array_equal(model.predict(X), before)
    assert model.unlearn(X[:1]).n_forgotten_ == 1


# ------------------------------------------------------------------------- quality


def test_a_class_that_a_sequence_has_not_seen_has_probability_zero():
    model, X, y = rows_of("classes")
    model.fit(X, y)
    model.unlearn(X[y == 2], y[y == 2])
    assert model.classes_.tolist() == [0, 1, 2]
    # all slices were hit, so all shards were trained again
    assert not model.predict_proba(X)[:, 2].any()


@pytest.mark.parametrize("n_rows", [1, 2, 7])
def test_fewer_rows_than_slices(n_rows):
    _, X, y = rows_of("numbers")
    model = S3TRegressor(**SETTINGS).fit(X[:n_rows], y[:n_rows])
    assert np.isfinite(model.predict(X)).all()
    one = S3TRegressor(n_shards=1, n_slices=1, random_state=0).fit(X[:1], [4e5])
    np.testing.assert_allclose(one.predict(X[:1]), 4e5, rtol=0.05)


def test_units_of_the_target_do_not_matter():
    model, X, y = rows_of("numbers")
    plain = clone(model).fit(X, y).predict(X)
    scaled = clone(model).fit(X, 1e6 + 1e3 * y).predict(X)
    np.testing.assert_allclose((scaled - 1e6) / 1e3, plain, rtol=1e-3)
    two = clone(model).fit(X, np.column_stack([y, -y])).predict(X)
    assert two.shape == (len(X), 2)


def test_inputs_may_be_features_already():
    model, X, y = rows_of("numbers")
    bare = clone(model).set_params(n_components=0, n_epochs=20).fit(X, y)
    assert bare.score(X, y) > 0.5


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_digits_before_and_after_requests():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    with threadpool_limits(1):
        mlp = MLPClassifier(random_state=0, max_iter=60).fit(X / 16, y)
        models = [
            S3TClassifier(n_sequences=b, n_epochs=5, random_state=3).fit(X, y)
            for b in (1, 4)
        ]
    for model in models:
        assert model.score(X_test, y_test) > mlp.score(X_test / 16, y_test) - 0.03
    for row in X[:6]:
        for model in models:
            model.unlearn(row[None])
    one, four = models
    assert four.prefix_lengths_.sum() > one.prefix_lengths_.sum()
    assert four.score(X_test, y_test) > 0.9
