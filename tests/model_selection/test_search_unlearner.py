"""Searches over parameters that forget: the whole search, or the best model alone."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    PredefinedSplit,
    RandomizedSearchCV,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import get_tags

from sklearn_unlearn.exact import ExactUnlearner, Retrain, SISAClassifier
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.model_selection import SearchUnlearner
from sklearn_unlearn.neural_network import S3TClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import assert_same_state, find_residue

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
y = (X[:, 0] + X[:, 1] + 0.5 * rng.normal(size=120) > 0).astype(int)
IDS = np.tile(np.arange(20), 6)
GONE = np.isin(IDS, [3, 8])

LOGISTIC = LogisticRegression(max_iter=1000, random_state=0)
GRID = {"C": [0.01, 1.0]}
SLICES = S3TClassifier(
    n_shards=3, n_slices=3, n_components=8, rank=2, n_epochs=1, random_state=0
)
SHARDS = SISAClassifier(
    SGDClassifier(loss="log_loss", random_state=0),
    n_shards=2,
    n_slices=2,
    random_state=0,
)
SEARCHES = {
    "grid": GridSearchCV(LOGISTIC, GRID, cv=GroupKFold(4)),
    "random": RandomizedSearchCV(
        LOGISTIC, GRID, n_iter=2, cv=GroupKFold(4), random_state=0
    ),
    "halving": HalvingGridSearchCV(
        LOGISTIC, GRID, cv=GroupKFold(2), min_resources=60, random_state=0
    ),
    "pipeline": GridSearchCV(
        make_pipeline(StandardScaler(), LOGISTIC),
        {"logisticregression__C": [0.01, 1.0]},
        cv=GroupKFold(4),
    ),
    "shards": GridSearchCV(
        make_pipeline(StandardScaler(), SHARDS),
        {"sisaclassifier__n_epochs": [5, 10]},
        cv=GroupKFold(3),
    ),
    "several scores": GridSearchCV(
        LOGISTIC, GRID, scoring=["accuracy", "roc_auc"], refit="roc_auc", cv=3
    ),
}


@pytest.mark.parametrize("routing", [False, True], ids=["", "routing"])
@pytest.mark.parametrize("name", SEARCHES)
def test_refit_is_a_search_on_the_retained_rows(name, routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        model = SearchUnlearner(SEARCHES[name]).fit(X, y, groups=IDS)
        assert get_tags(model).unlearner_tags.guarantee == "exact"
        model.unlearn(groups=[3, 8])
        reference = SearchUnlearner(SEARCHES[name])
        reference.fit(X[~GONE], y[~GONE], groups=IDS[~GONE])
        assert model.n_forgotten_ == GONE.sum()
        assert_same_state(model.estimator_, reference.estimator_, rtol=0)
        assert model.best_params_ == reference.best_params_
        assert model.best_score_ == reference.best_score_
        np.testing.assert_array_equal(model.predict(X), reference.predict(X))
        assert model.score(X, y) == reference.score(X, y)


def test_it_is_the_search_that_was_given():
    plain = clone(SEARCHES["grid"]).fit(X, y, groups=IDS)
    model = SearchUnlearner(SEARCHES["grid"]).fit(X, y, groups=IDS)
    assert_same_state(model.estimator_, plain, rtol=0)
    assert model.cv_results_["params"] == plain.cv_results_["params"]
    assert not hasattr(SEARCHES["grid"], "best_estimator_")


@pytest.mark.parametrize("routing", [False, True], ids=["", "routing"])
def test_ids_reach_splits_and_fits(routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        steps = make_pipeline(FunctionTransformer(), SLICES)
        grid = {"s3tclassifier__rank": [1, 2]}
        search = GridSearchCV(steps, grid, cv=GroupKFold(2))
        model = SearchUnlearner(search, on_forget="best").fit(X, y, groups=IDS)
        before = model.best_estimator_[-1].prefix_lengths_
        after = model.unlearn(groups=[7]).best_estimator_[-1].prefix_lengths_
        assert (before != after).sum() <= 1  # all rows of a person are in one slice
        alone = clone(model.best_estimator_).fit(X, y, groups=IDS).unlearn(groups=[7])
        np.testing.assert_array_equal(after, alone[-1].prefix_lengths_)
        with pytest.raises(ValueError, match="groups"):
            clone(model).fit(X, y)  # which the splitter wants


def test_ids_beside_weights():
    weights = np.linspace(0.5, 2, 120)
    search = GridSearchCV(SHARDS, {"n_epochs": [2, 4]}, cv=GroupKFold(2))
    model = SearchUnlearner(search).fit(X, y, groups=IDS, sample_weight=weights)
    reference = clone(model).fit(
        X[~GONE], y[~GONE], groups=IDS[~GONE], sample_weight=weights[~GONE]
    )
    model.unlearn(groups=[3, 8])
    np.testing.assert_array_equal(model.predict_proba(X), reference.predict_proba(X))


BEST = {
    "plain": (LogisticRegression(C=10, max_iter=1000), "C"),
    "summaries": (GaussianNB(), "var_smoothing"),
    "unlearner": (ExactUnlearner(GaussianNB()), "estimator__var_smoothing"),
    "retrain": (Retrain(KNeighborsClassifier()), "estimator__n_neighbors"),
    "pipeline": (
        make_pipeline(StandardScaler(), GaussianNB()),
        "gaussiannb__var_smoothing",
    ),
}


@pytest.mark.parametrize("name", BEST)
def test_best_model_alone(name):
    template, parameter = BEST[name]
    values = [3, 5] if "neighbors" in parameter else [1e-3, 1e-1]
    search = GridSearchCV(template, {parameter: values}, cv=3)
    model = SearchUnlearner(search, on_forget="best").fit(X, y, groups=IDS)
    assert model.cv_results_ and model.best_score_
    chosen = model.best_params_
    for person in (3, 8):  # the second request goes on from the first
        model.unlearn(groups=[person])
    reference = clone(template).set_params(**chosen)
    if name == "plain":  # taken to its optimum
        reference = ExactUnlearner(reference)
    reference.fit(X[~GONE], y[~GONE])
    np.testing.assert_allclose(
        model.predict_proba(X), reference.predict_proba(X), rtol=1e-8, atol=1e-10
    )
    assert model.best_params_ == chosen
    assert get_tags(model).unlearner_tags.guarantee == "approximate"
    assert [r["guarantee"] for r in model.unlearning_log_] == ["approximate"] * 2
    assert find_residue(model, X[GONE], X[~GONE]) == []
    assert 0.5 < model.score(X, y) <= 1


def test_scores_that_knew_the_rows_are_gone():
    search = clone(SEARCHES["halving"])
    model = SearchUnlearner(search, on_forget="best").fit(X, y, groups=IDS)
    model.unlearn(groups=[3])
    left = {name for name in vars(model.estimator_) if name.endswith("_")}
    assert left <= {"best_estimator_", "best_params_", "scorer_", "multimetric_"}
    for name in ("cv_results_", "best_score_"):
        with pytest.raises(AttributeError, match="was dropped"):
            getattr(model, name)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    np.testing.assert_array_equal(model.export().predict(X), model.predict(X))
    assert loaded.fit(X, y, groups=IDS).best_score_ > 0.5


@pytest.mark.parametrize("on_forget", ["refit", "best"])
def test_classes_that_go(on_forget):
    labels = np.where(X[:, 2] > 0.8, 2, y)
    search = GridSearchCV(LOGISTIC, GRID, cv=2)
    model = SearchUnlearner(search, on_forget=on_forget).fit(X, labels)
    model.unlearn(X[labels == 2])
    assert (model.predict_proba(X)[:, 2] == 0).all()
    model.unlearn(X[labels == 1])
    np.testing.assert_array_equal(model.predict_proba(X), [[1.0, 0.0, 0.0]] * 120)


def test_frames_with_a_column_of_ids():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcd")).assign(person=IDS)
    model = SearchUnlearner(SEARCHES["grid"], group_column="person").fit(frame, y)
    plain = SearchUnlearner(SEARCHES["grid"]).fit(X, y, groups=IDS)
    model.unlearn(groups=[3])
    expected = plain.unlearn(groups=[3]).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(frame), expected, rtol=1e-10)
    assert list(model.feature_names_in_) == list("abcd")


def test_uncertainty_and_names_of_the_best_model():
    search = GridSearchCV(GaussianProcessRegressor(), {"alpha": [0.1, 1.0]}, cv=2)
    model = SearchUnlearner(search)
    assert hasattr(model, "sample_y") and not hasattr(model, "predict_interval")
    model.fit(X, X[:, 0])
    expected = model.best_estimator_.sample_y(X[:2], 3)
    np.testing.assert_array_equal(model.sample_y(X[:2], 3), expected)
    with pytest.raises(AttributeError, match="after fit"):
        _ = clone(model).best_params_


def test_costs():
    model = SearchUnlearner(SEARCHES["grid"]).fit(X, y, groups=IDS)
    cost = model.unlearning_cost(groups=[3])
    assert (cost.path, cost.n_forget, cost.n_retain) == ("refit", 6, 114)
    assert "9 fits" in cost.reason
    best = clone(model).set_params(on_forget="best").fit(X, y, groups=IDS)
    assert best.unlearning_cost(X[:2]).path == "unlearner"
    assert best.unlearn(X[:2]).unlearning_cost(X[2:3]).n_forget == 1
    with pytest.raises(UnknownRowsError):
        model.unlearning_cost(groups=[99])


def test_guarantee_knows_of_random_splits():
    def guarantee(**params):
        search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, **params)
        return get_tags(SearchUnlearner(search)).unlearner_tags.guarantee

    assert guarantee(cv=KFold(2)) == "exact"
    assert guarantee(cv=KFold(2, shuffle=True, random_state=0)) == "exact"
    assert guarantee(cv=KFold(2, shuffle=True)) == "exact_law"


@pytest.mark.parametrize(
    ("search", "error", "message"),
    [
        (Ridge(), TypeError, "must be a search"),
        (GridSearchCV(LOGISTIC, GRID, refit=False), ValueError, "refit=True"),
        (GridSearchCV(LOGISTIC, GRID, cv=[([0], [1])]), ValueError, "lists the rows"),
        (
            GridSearchCV(LOGISTIC, GRID, cv=PredefinedSplit(np.arange(120) % 2)),
            ValueError,
            'on_forget="best"',
        ),
        (GridSearchCV(LOGISTIC, GRID, cv=iter([])), ValueError, "read only once"),
    ],
    ids=["no search", "refit", "list", "predefined", "iterator"],
)
def test_refused(search, error, message):
    with pytest.raises(error, match=message):
        SearchUnlearner(search).fit(X, y)


def test_listed_splits_serve_the_best_model():
    splits = list(KFold(2).split(X))
    search = GridSearchCV(LOGISTIC, GRID, cv=splits)
    model = SearchUnlearner(search, on_forget="best").fit(X, y).unlearn(X[:5])
    assert model.n_forgotten_ == 5
