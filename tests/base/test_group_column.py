"""The column of ids, which travels with the rows and never is a feature."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_unlearn.exact import (
    CertifiedRidge,
    ExactUnlearner,
    Retrain,
    SISAClassifier,
    SISARegressor,
)
from sklearn_unlearn.exceptions import AmbiguousRowsError, UnknownRowsError
from sklearn_unlearn.model_selection import SearchUnlearner
from sklearn_unlearn.pipeline import Pipeline, make_pipeline
from sklearn_unlearn.utils.estimator_checks import find_residue

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = (X[:, 0] + X[:, 1] > 0).astype(int)
IDS = np.repeat(np.arange(20) + 100, 3)
PEOPLE = np.array([f"person {i}" for i in IDS])

MODELS = {
    "Pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "Pipeline of shards": make_pipeline(
        StandardScaler(), SISAClassifier(GaussianNB(), random_state=0)
    ),
    "ExactUnlearner": ExactUnlearner(GaussianNB()),
    "Retrain": Retrain(LogisticRegression()),
    "SISAClassifier": SISAClassifier(GaussianNB(), random_state=0),
    "SISARegressor": SISARegressor(Ridge(), random_state=0),
    "transformer": ExactUnlearner(StandardScaler()),
    "Pipeline of transformers": make_pipeline(StandardScaler(), "passthrough"),
}


def frame(rows=X, ids=PEOPLE, place=1):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(rows, columns=["a", "b", "c"])
    table.insert(place, "person", ids)
    return table


def with_column(kind):
    """Rows with a column of ids, the value of `group_column`, and rows without it."""
    column = np.insert(X, 1, IDS, axis=1)
    if kind == "frame":
        return frame(), "person", frame().drop(columns="person")
    if kind == "frame by position":
        return frame(), 1, frame().drop(columns="person")
    if kind == "array":
        return column, 1, X
    if kind == "counted from the end":
        return column, -3, X
    if kind == "list":
        return column.tolist(), 1, X.tolist()
    return getattr(sparse, f"{kind}_array")(column), 1, sparse.csr_array(X)


KINDS = ["frame", "frame by position", "array", "counted from the end", "list"]


def output(model, rows):
    return (model.transform if hasattr(model, "transform") else model.predict)(rows)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_column_is_ids_and_no_feature(name, kind):
    rows, column, features = with_column(kind)
    model = clone(MODELS[name]).set_params(group_column=column).fit(rows, y)
    asked = PEOPLE if kind.startswith("frame") else IDS
    plain = clone(MODELS[name]).fit(features, y, groups=asked)
    assert model.n_features_in_ == 3
    assert list(getattr(model, "feature_names_in_", "abc")) == ["a", "b", "c"]
    model.unlearn(groups=asked[:1])
    plain.unlearn(groups=asked[:1])
    assert model.n_forgotten_ == 3
    for given in (rows, features):  # with the column or without it
        np.testing.assert_array_equal(output(model, given), output(plain, features))
        if hasattr(model, "score") and hasattr(model, "predict"):
            assert model.score(given, y) == plain.score(features, y)
    some = slice(5, 8)
    for given in (rows, features):
        part = given.iloc[some] if hasattr(given, "iloc") else given[some]
        assert clone(model).fit(rows, y).unlearn(part).n_forgotten_ == 3


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
def test_sparse_rows(kind):
    rows, column, features = with_column(kind)
    model = Retrain(LogisticRegression(), group_column=column).fit(rows, y)
    model.unlearn(groups=[100])
    reference = LogisticRegression().fit(features[3:], y[3:])
    np.testing.assert_array_equal(model.predict(rows), reference.predict(features))


def test_other_frames_than_that_of_the_fit():
    model = make_pipeline(StandardScaler(), GaussianNB(), group_column="person")
    model.fit(frame(), y)
    moved = frame(place=3)
    np.testing.assert_array_equal(model.predict_proba(moved), model.predict_proba(X))
    assert model.unlearn(frame().iloc[:3]).n_forgotten_ == 3
    assert model.unlearning_cost(groups=["person 105"])["gaussiannb"].n_forget == 3


def test_no_id_stays():
    model = make_pipeline(
        OneHotEncoder(handle_unknown="ignore"), GaussianNB(), group_column="person"
    )
    model = make_pipeline(StandardScaler(), GaussianNB(), group_column="person")
    model.fit(frame(), y).unlearn(groups=["person 103"])
    assert find_residue(model, X[9:12], np.delete(X, slice(9, 12), axis=0)) == []
    assert b"person 103" not in pickle.dumps(model)
    assert b"person 104" not in pickle.dumps(model.export())
    assert model.export().predict(frame()).shape == (60,)


def test_column_travels_through_searches():
    model = make_pipeline(StandardScaler(), GaussianNB(), group_column="person")
    search = GridSearchCV(model, {"gaussiannb__var_smoothing": [1e-9, 1e-2]}, cv=3)
    best = search.fit(frame(), y).best_estimator_
    assert best.unlearn(groups=["person 100"]).n_forgotten_ == 3
    scores = cross_val_score(model, frame(), y, error_score="raise")
    assert np.isfinite(scores).all()


def test_slices_of_a_pipeline_take_rows_with_the_column():
    model = make_pipeline(StandardScaler(), GaussianNB(), group_column="person")
    model.fit(frame(), y)
    expected = StandardScaler().fit_transform(X)
    np.testing.assert_allclose(model[:-1].transform(frame()), expected)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("column", "rows", "params", "message"),
    [
        ("person", "frame", {"groups": IDS}, "leave groups out"),
        ("nobody", "frame", {}, "not the name of a column of X"),
        ("person", "array", {}, "X has no column names"),
        (4, "array", {}, "no position of a column"),
    ],
)
def test_refused(name, column, rows, params, message):
    model = clone(MODELS[name]).set_params(group_column=column)
    with pytest.raises(ValueError, match=message):
        model.fit(with_column(rows)[0], y, **params)


def test_a_second_fit_without_the_column():
    model = Pipeline([("model", GaussianNB())], group_column=1).fit(
        with_column("array")[0], y
    )
    model.set_params(group_column=None).fit(X, y)
    with pytest.raises(ValueError, match="ids of the rows"):
        model.unlearn(groups=[100])
    assert model.predict(X).shape == (60,)


def test_the_column_tells_equal_rows_apart():
    rows = np.repeat(X[:20], 3, axis=0)
    labels = np.repeat(y[:20], 3)
    names = np.array([f"person {i % 3}" for i in range(60)])
    model = make_pipeline(StandardScaler(), GaussianNB(), group_column="person")
    model.fit(frame(rows, names), labels)
    with pytest.raises(AmbiguousRowsError, match="groups="):
        model.unlearn(rows[:1])
    model.unlearn(frame(rows, names).iloc[:1])
    left = model.retained_rows()
    np.testing.assert_array_equal(left.groups, names[1:])
    other = frame(rows, names).iloc[1:2].assign(person="person 9")
    with pytest.raises(UnknownRowsError, match="under that id"):
        model.unlearn(other)
    assert model.unlearn(other, on_unknown="ignore").n_forgotten_ == 1


def test_a_row_of_another_person_is_unknown():
    model = ExactUnlearner(GaussianNB(), group_column=0)
    model.fit(np.insert(X, 0, IDS, axis=1), y)
    with pytest.raises(UnknownRowsError, match="under that id"):
        model.unlearn(np.insert(X[:1], 0, 105, axis=1))
    assert model.unlearn(np.insert(X[:1], 0, 100, axis=1)).n_forgotten_ == 1


def test_a_request_by_id_after_a_fit_without_ids_says_how_to_give_them():
    model = make_pipeline(StandardScaler(), GaussianNB())
    search = GridSearchCV(model, {"gaussiannb__var_smoothing": [1e-9, 1e-2]}, cv=3)
    search.fit(X, y, groups=IDS)  # for the splitter alone
    for fitted in (search.best_estimator_, SearchUnlearner(search).fit(X, y)):
        column = rf"{type(fitted).__name__}\(group_column="
        with pytest.raises(ValueError, match=f"{column}.* SearchUnlearner"):
            fitted.unlearn(groups=[100])
    with pytest.raises(ValueError, match=r"fit\(X, y, groups=ids\)\. "):
        CertifiedRidge().fit(X, X[:, 0]).unlearn(groups=[100])
