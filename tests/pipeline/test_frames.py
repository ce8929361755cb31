"""Frames keep their index, types and columns through requests, and no label leaks."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline as make_sklearn_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_unlearn.exact import ExactUnlearner, Retrain, SISAClassifier
from sklearn_unlearn.exceptions import AmbiguousRowsError, UnlearningWarning
from sklearn_unlearn.pipeline import make_pipeline

RNG = np.random.default_rng(0)
N_ROWS = 60
LABELS = [f"person {i:02}" for i in RNG.permutation(N_ROWS)]
Y = np.arange(N_ROWS) % 2


class Joins(TransformerMixin, BaseEstimator):
    """Looks up the rows in another table by their index."""

    def __init__(self, table):
        self.table = table

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X.join(self.table)

    def get_feature_names_out(self, input_features=None):
        return np.array(["x", "known"], dtype=object)


def joining(last):
    """The target is known from the other table alone."""
    table = pd.DataFrame({"known": 1.0 * Y}, index=LABELS)
    return make_sklearn_pipeline(Joins(table), last)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(*(step for _, step in joining(LogisticRegression()).steps)),
        ExactUnlearner(joining(GaussianNB())),
        Retrain(joining(DecisionTreeClassifier(random_state=0))),
        SISAClassifier(
            joining(DecisionTreeClassifier(random_state=0)), n_shards=2, random_state=0
        ),
    ],
    ids=lambda model: type(model).__name__,
)
def test_rows_are_joined_by_their_own_labels(model):
    frame = pd.DataFrame({"x": RNG.normal(size=N_ROWS)}, index=LABELS)
    model.fit(frame, Y).unlearn(frame.iloc[[3, 20]])
    assert model.score(frame.drop(frame.index[[3, 20]]), np.delete(Y, [3, 20])) == 1.0
    kept = model.retained_rows().X
    assert_frame_equal(kept, frame.drop(frame.index[[3, 20]]))


INDEXES = {
    "words": pd.Index(LABELS, name="who"),
    "categories": pd.CategoricalIndex(LABELS),
    "levels": pd.MultiIndex.from_arrays(
        [LABELS, pd.Categorical(LABELS), np.arange(N_ROWS)], names=["a", None, "c"]
    ),
    "moments": pd.date_range("2020-01-01", periods=N_ROWS, tz="Europe/Oslo"),
}


@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        ExactUnlearner(GaussianNB()),
        Retrain(DecisionTreeClassifier(random_state=0)),
        SISAClassifier(DecisionTreeClassifier(random_state=0), n_shards=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_an_index_comes_back_without_the_forgotten_labels(model, index):
    columns = pd.MultiIndex.from_tuples([("canary", "x"), ("b", "x"), ("b", "y")])
    frame = pd.DataFrame(
        RNG.normal(size=(N_ROWS, 3)), columns=columns, index=INDEXES[index]
    )[["b"]]
    model.fit(frame, Y).unlearn(frame.iloc[[3, 20]])
    kept = model.retained_rows().X
    left = frame.iloc[np.delete(np.arange(N_ROWS), [3, 20])]
    assert_frame_equal(kept, left, check_categorical=False)
    written = pickle.dumps(model)
    for word in (LABELS[3], LABELS[20], "canary"):
        assert word.encode() not in written
        assert word.encode("utf-32-le") not in written


def test_columns_are_found_by_name():
    frame = pd.DataFrame(RNG.normal(size=(N_ROWS, 2)), columns=["age", "size"])
    frame["town"] = ["Oslo", "Rome"] * 30
    steps = make_column_transformer(
        (OneHotEncoder(), ["town"]), (StandardScaler(), ["age"])
    )
    model = make_pipeline(steps, GaussianNB()).fit(frame, Y)
    listed = frame.assign(id=np.arange(N_ROWS), target=Y).iloc[:, ::-1]
    with pytest.warns(UnlearningWarning, match="'target', 'id'. They are ignored"):
        assert model.unlearn(listed.iloc[:2]).n_forgotten_ == 2
    assert model.unlearn(frame.iloc[2:4, ::-1]).n_forgotten_ == 4
    before = model.predict_proba(frame)
    with pytest.raises(ValueError, match="lacks columns that fit was given: 'age'"):
        model.unlearn(frame.drop(columns="age").iloc[4:5])
    np.testing.assert_array_equal(model.predict_proba(frame), before)


@pytest.mark.parametrize("estimator", [ExactUnlearner, Retrain, make_pipeline])
def test_numbered_columns_and_arrays(estimator):
    X = RNG.normal(size=(N_ROWS, 2))
    frame = pd.DataFrame(X, columns=[7, 8])
    model = estimator(GaussianNB()).fit(frame, Y)
    with pytest.warns(UnlearningWarning, match="9"):
        model.unlearn(frame.assign(**{"z": 0.0}).rename(columns={"z": 9}).iloc[:1])
    assert model.unlearn(pd.DataFrame(X).iloc[1:2]).n_forgotten_ == 2
    with pytest.raises(ValueError, match="3 features"):
        model.unlearn(np.c_[X, X][2:3, :3])


@pytest.mark.parametrize("index", INDEXES)
def test_equal_rows_are_told_apart_by_their_labels(index):
    frame = pd.DataFrame(np.zeros((N_ROWS, 1)), columns=["x"], index=INDEXES[index])
    model = Retrain(GaussianNB()).fit(frame, np.zeros(N_ROWS))
    model.unlearn(frame.iloc[[3, 20]])
    kept = model.retained_rows().X
    assert kept.index.tolist() == frame.index.delete([3, 20]).tolist()
    with pytest.raises(AmbiguousRowsError):
        model.unlearn(frame.reset_index(drop=True).to_numpy()[:1])


def test_the_number_of_a_row_is_no_label():
    frame = pd.DataFrame(np.zeros((N_ROWS, 1)), columns=["x"])
    model = Retrain(GaussianNB()).fit(frame, np.zeros(N_ROWS))
    assert model.unlearn(frame.to_numpy()[:2]).n_forgotten_ == 2
