"""Forests that forget rows are those that a fit on the retained rows gives."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import parallel_config
from scipy import stats
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from sklearn_unlearn.exact import RemovalForestClassifier, RemovalForestRegressor
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import assert_same_state
from tests.exact.forest._rows import law_data, make_rows

compiled = pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="takes minutes without numba"
)
ROOT = Path(__file__).resolve().parents[3]
FORESTS = [RemovalForestClassifier, RemovalForestRegressor]
# shallow, with large leaves, with all features, and as they come
SETTINGS = [
    {},
    {"max_features": None},
    {"max_features": 1, "min_samples_leaf": 4},
    {"max_depth": 4, "min_samples_split": 20},
]


def assert_is_fit(model, X, y):
    """The whole state is that of a fit on these rows."""
    reference = type(model)(**model.get_params()).fit(X, y)
    assert_same_state(model, reference, rtol=0)
    assert np.array_equal(model.predict(X), reference.predict(X))


@pytest.mark.parametrize("params", SETTINGS, ids=str)
@pytest.mark.parametrize("forest", FORESTS)
def test_requests_in_any_order_equal_a_fit(forest, params):
    X, y = make_rows(forest)
    model = forest(3, random_state=1, **params).fit(X, y)
    rng = np.random.default_rng(0)
    for n_forget in (1, 1, 3, 40, 1, 150, 1, 2):
        chosen = rng.choice(len(X), n_forget, replace=False)
        model.unlearn(X[chosen], y[chosen])
        # of equal rows, those that came last are forgotten
        keep = model.retained_rows()
        X, y = keep.X, keep.y
        assert_is_fit(model, X, y)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_forget_set(data):
    forest = data.draw(st.sampled_from(FORESTS))
    n_rows = data.draw(st.integers(2, 400))
    X, y = make_rows(forest, n_rows, seed=data.draw(st.integers(0, 99)))
    order = data.draw(st.permutations(range(n_rows)))
    n_forget = data.draw(st.integers(1, n_rows - 1))
    params = data.draw(st.sampled_from(SETTINGS))
    model = forest(2, random_state=0, **params).fit(X, y)
    chosen = order[:n_forget]
    model.unlearn(X[chosen], y[chosen])
    keep = model.retained_rows()
    assert len(keep.X) == n_rows - n_forget
    reference = forest(2, random_state=0, **params)
    if forest is RemovalForestClassifier:  # which keeps the classes of the fit
        reference.fit(keep.X, keep.y)
        assert np.array_equal(model.predict(X), reference.predict(X))
    else:
        assert_is_fit(model, keep.X, keep.y)


@pytest.mark.parametrize("forest", FORESTS)
def test_extremes_and_long_sequences(forest):
    X, y = make_rows(forest, 400)
    model = forest(2, random_state=3).fit(X, y)
    for column in (0, 3, 0, 3, 2):  # the lowest and the highest, one after another
        for chosen in (np.argmin, np.argmax):
            i = chosen(X[:, column])
            model.unlearn(X[[i]], y[[i]])
            keep = model.retained_rows()
            X, y = keep.X, keep.y
            assert_is_fit(model, X, y)
    for _ in range(300):  # statistics do not drift
        model.unlearn(X[[0]], y[[0]])
        keep = model.retained_rows()
        X, y = keep.X, keep.y
    assert_is_fit(model, X, y)


def test_one_class_left_makes_leaves():
    X, y = load_iris(return_X_y=True)
    model = RemovalForestClassifier(5, random_state=0).fit(X, y)
    model.unlearn(X[y != 2], y[y != 2])
    assert np.array_equal(model.predict_proba(X), [[0, 0, 1]] * len(X))
    assert np.array_equal(model.predict_log_proba(X[:1]), [[-np.inf, -np.inf, 0]])
    whole = RemovalForestClassifier(5, random_state=0).fit(X[y == 2], X[y == 2, 0] > 6)
    assert len(pickle.dumps(model.export())) < len(pickle.dumps(whole.export()))


def test_deep_trees():
    X = 2.0 ** np.arange(-120, 125)[:, None]  # each split takes off one row or two
    y = np.arange(len(X)) % 2
    model = RemovalForestClassifier(3, random_state=0).fit(X, y)
    assert np.array_equal(model.predict(X), y)
    model.unlearn(X[::9], y[::9])
    keep = np.arange(len(X)) % 9 != 0
    assert_is_fit(model, X[keep], y[keep])


def test_a_fit_that_fails_leaves_the_forest():
    X, y = load_iris(return_X_y=True)
    model = RemovalForestClassifier(3, random_state=0).fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="continuous"):
        model.fit(X[:, :2], X[:, 3])
    assert np.array_equal(model.predict_proba(X), before)
    assert model.unlearn(X[:1]).n_forgotten_ == 1


def test_largest_target_may_change_the_code():
    X, y = load_diabetes(return_X_y=True)
    y[7] = 1e15  # far above: the others are coded relative to it
    model = RemovalForestRegressor(3, random_state=0).fit(X, y)
    model.unlearn(X[[7]])
    assert_is_fit(model, np.delete(X, 7, 0), np.delete(y, 7))


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1.0, 1e12, 1e300])
def test_targets_of_any_size(scale):
    X, y = load_diabetes(return_X_y=True)
    plain = RemovalForestRegressor(3, random_state=0, min_samples_leaf=5).fit(X, y)
    scaled = RemovalForestRegressor(3, random_state=0, min_samples_leaf=5)
    predicted = scaled.fit(X, y * scale).predict(X) / scale
    np.testing.assert_allclose(predicted, plain.predict(X), rtol=1e-12)


# ------------------------------------------------------------------------- the law


@compiled
def test_predictions_have_the_law_of_a_fit():
    X, y = law_data()

    def shares(seed, unlearn):
        model = RemovalForestClassifier(3, random_state=seed)
        if unlearn:
            model.fit(X, y).unlearn(X[:10])
        else:
            model.fit(X[10:], y[10:])
        return model.predict_proba(X[:5])[:, 1].sum()

    first = [shares(seed, True) for seed in range(200)]
    second = [shares(seed, False) for seed in range(1000, 1200)]
    assert stats.ks_2samp(first, second).pvalue > 0.001
    whole = [
        RemovalForestClassifier(3, random_state=s).fit(X, y).predict_proba(X[:5])
        for s in range(200)
    ]
    whole = [proba[:, 1].sum() for proba in whole]
    assert stats.ks_2samp(whole, second).pvalue < 1e-6


# ------------------------------------------------------------------ how it is used


@pytest.mark.parametrize("forest", FORESTS)
def test_threads_give_the_same_bytes(forest):
    X, y = make_rows(forest, 300)
    fitted, predicted = [], []
    for backend, n_jobs in (("threading", 1), ("threading", 3), ("loky", 2)):
        model = forest(5, random_state=0, n_jobs=n_jobs)
        with parallel_config(backend):
            model.fit(X, y).unlearn(X[:9], y[:9])
            predicted.append(model.predict(X).tobytes())
        fitted.append(model.set_params(n_jobs=None))
    for other in fitted[1:]:
        assert_same_state(fitted[0], other, rtol=0)
    assert predicted[0] == predicted[1] == predicted[2]


SCRIPT = """
import pickle
from sklearn.datasets import load_diabetes, load_iris
from sklearn_unlearn.exact import RemovalForestClassifier, RemovalForestRegressor
for forest, load in (
    (RemovalForestClassifier, load_iris), (RemovalForestRegressor, load_diabetes)
):
    X, y = load(return_X_y=True)
    model = forest(3, random_state=0).fit(X, y).unlearn(X[::9], y[::9])
    model.unlearning_log_ = []
    print(pickle.dumps(model).hex())
    print(model.predict(X).tobytes().hex())
"""


@compiled
def test_uncompiled_gives_the_same_bytes():
    results = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=ROOT,
            env={**os.environ, "NUMBA_DISABLE_JIT": value},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for value in ("0", "1")
    ]
    assert results[0] == results[1]


def test_import_does_not_wait_for_numba():
    code = "import sys, sklearn_unlearn.exact; print('numba' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert result.stdout.strip() == "False"


def test_guarantee_follows_the_seed():
    def guarantee(seed):
        forest = RemovalForestClassifier(2, random_state=seed)
        return get_tags(forest).unlearner_tags.guarantee

    assert guarantee(0) == "exact"
    assert guarantee(None) == guarantee(np.random.RandomState(0)) == "exact_law"


@pytest.mark.parametrize("forest", FORESTS)
def test_pipeline_grows_it_again(forest):
    X, y = make_rows(forest, 200)
    model = make_pipeline(StandardScaler(), forest(3, random_state=0)).fit(X, y)
    model.unlearn(X[-20:], y[-20:])
    keep = model.retained_rows()
    reference = make_pipeline(StandardScaler(), forest(3, random_state=0))
    reference.fit(keep.X, keep.y)
    assert np.array_equal(model.predict(X), reference.predict(X))
    # statistics are of no use to a step, which has no rows
    alone = forest(3, random_state=0).fit(X, y)
    assert len(pickle.dumps(model[-1])) < len(pickle.dumps(alone)) / 2


@pytest.mark.parametrize("forest", FORESTS)
def test_bad_input_raises(forest):
    X, y = make_rows(forest, 50)
    with pytest.raises(ValueError, match="NaN"):
        forest(2).fit(np.where(X > 1, np.nan, X), y)
    with pytest.raises(ValueError, match="max_features"):
        forest(2, max_features=0).fit(X, y)
    with pytest.raises(ValueError, match="min_samples_split"):
        forest(2, min_samples_split=0.5).fit(X, y)
    with pytest.raises(TypeError, match="sample_weight"):
        forest(2).fit(X, y, sample_weight=np.ones(50))


@compiled
def test_not_worse_than_extra_trees():
    X, y = load_diabetes(return_X_y=True)
    settings = {"n_estimators": 50, "random_state": 0}
    ours, theirs = (
        cross_val_score(forest(**settings), X, y, cv=5).mean()
        for forest in (RemovalForestRegressor, ExtraTreesRegressor)
    )
    assert ours > theirs - 0.03


@compiled
def test_covertype(loaders):
    data = loaders.covertype15k()
    X, y = data["X"].to_numpy(float), data["y"]
    X, X_test, y, y_test = train_test_split(X, y, train_size=4000, random_state=0)
    settings = {"n_estimators": 20, "random_state": 0}
    model = RemovalForestClassifier(**settings).fit(X, y)
    before = model.score(X_test[:3000], y_test[:3000])
    theirs = ExtraTreesClassifier(**settings).fit(X, y)
    assert before > theirs.score(X_test[:3000], y_test[:3000]) - 0.01
    assert before > 0.75
    model.unlearn(X[y == 0], y[y == 0])
    assert not (model.predict(X_test[:1000]) == 0).any()
    proba = model.predict_proba(X_test[:100])
    keep = y != 0
    reference = RemovalForestClassifier(**settings).fit(X[keep], y[keep])
    assert np.array_equal(proba[:, 1:], reference.predict_proba(X_test[:100]))


def test_parameters_that_changed_since_fit():
    X, y = load_iris(return_X_y=True)
    forest = RemovalForestClassifier(3, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="max_features changed since fit"):
        forest.set_params(max_features=1).unlearn(X[:1])
    assert forest.set_params(max_features="sqrt").unlearn(X[:1]).n_forgotten_ == 1


def test_vanished_classes_change_no_bit_of_the_others():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)), np.arange(200) % 12
    forest = RemovalForestClassifier(3, random_state=0).fit(X, y)
    forest.unlearn(X[y == 4])
    anew = RemovalForestClassifier(3, random_state=0).fit(X[y != 4], y[y != 4])
    ours = np.delete(forest.predict_proba(X), 4, axis=1)
    assert np.array_equal(ours, anew.predict_proba(X))
