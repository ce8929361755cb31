"""ExactUnlearner and Retrain: paths, costs, frozen models, tags."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Lasso, LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.utils.estimator_checks import find_residue

X, y = load_iris(return_X_y=True)


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(n_estimators=5, random_state=0),
        MLPClassifier((8,), max_iter=30, random_state=1),
        SGDClassifier(random_state=2),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_retrain_is_bit_for_bit(estimator, order):
    data = np.array(X, order=order)
    keep = np.ones(len(X), dtype=bool)
    keep[[3, 60, 61, 140]] = False
    model = Retrain(estimator).fit(data, y)
    model.unlearn(data[[140, 3]]).unlearn(data[[61, 60]])
    # of equal rows the last goes; these have no copies
    reference = estimator.__class__(**estimator.get_params()).fit(data[keep], y[keep])
    for method in ("predict_proba", "decision_function"):
        if hasattr(reference, method):
            ours, theirs = getattr(model, method), getattr(reference, method)
            np.testing.assert_array_equal(ours(data), theirs(data))


def test_reseed_draws_anew():
    forest = RandomForestClassifier(n_estimators=5, random_state=0)
    kept, drawn = Retrain(forest).fit(X, y), Retrain(forest, reseed=True).fit(X, y)
    assert get_tags(kept).unlearner_tags.guarantee == "exact"
    assert get_tags(drawn).unlearner_tags.guarantee == "exact_law"
    kept.unlearn(X[:1]), drawn.unlearn(X[:1])
    assert (kept.predict_proba(X) != drawn.predict_proba(X)).any()
    assert drawn.estimator.random_state == 0  # parameters never change


@pytest.mark.parametrize(
    ("estimator", "guarantee"),
    [
        (Ridge(), "exact"),
        (LogisticRegression(), "exact"),
        (LogisticRegression(solver="liblinear"), "exact_law"),
        (RandomForestClassifier(), "exact_law"),
        (RandomForestClassifier(random_state=3), "exact"),
        (GaussianNB(), "exact"),
    ],
)
def test_guarantee(estimator, guarantee):
    assert get_tags(ExactUnlearner(estimator)).unlearner_tags.guarantee == guarantee


@pytest.mark.parametrize(
    ("estimator", "path"),
    [
        (Ridge(), "summaries"),
        (Ridge(solver="sag"), "refit"),
        (LogisticRegression(), "warm start"),
        (LogisticRegression(solver="liblinear"), "refit"),
        (Lasso(), "refit"),
        (KNeighborsClassifier(), "refit"),
    ],
)
def test_the_path_is_told_beforehand(estimator, path):
    model = ExactUnlearner(estimator).fit(X[:100], y[:100])
    cost = model.unlearning_cost(X[:2])
    assert cost.path == path
    assert (cost.n_forget, cost.n_retain) == (2, 98)
    assert model.n_forgotten_ == 0


def test_frozen_model_is_not_fitted_again_and_does_not_leak():
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(80, 3)), np.arange(80) % 2
    original = KNeighborsClassifier().fit(rows, labels)
    model = ExactUnlearner(FrozenEstimator(original)).fit(rows, labels)
    assert model.estimator_ is not original
    model.unlearn(rows[:5])
    assert original.n_samples_fit_ == 80  # the caller's object is untouched
    assert model.estimator.estimator is original
    assert not find_residue(pickle.loads(pickle.dumps(model)), rows[:5], rows[5:])


def test_prepare_changes_nothing_but_the_time():
    first = ExactUnlearner(StandardScaler()).fit(X).prepare().unlearn(X[:5])
    second = ExactUnlearner(StandardScaler()).fit(X).unlearn(X[:5])
    np.testing.assert_allclose(
        first.estimator_.mean_, second.estimator_.mean_, rtol=1e-14
    )


def test_set_output_and_names():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcd"))
    scaler = ExactUnlearner(StandardScaler()).set_output(transform="pandas").fit(frame)
    scaler.unlearn(frame.iloc[[4, 9]])
    assert scaler.transform(frame).columns.tolist() == list("abcd")
    assert scaler.get_feature_names_out().tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        scaler.unlearn(frame[["b", "a", "c", "d"]].iloc[:1])
