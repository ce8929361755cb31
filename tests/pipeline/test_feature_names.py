"""Names and counts of features are those of a fit on the retained rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_unlearn.exact import (
    CertifiedLogisticRegression,
    ExactUnlearner,
    RemovalForestClassifier,
    Retrain,
    SISAClassifier,
)
from sklearn_unlearn.neural_network import DropoutClassifier, S3TClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NPO, Blindspot

NAMES = ("feature_names_in_", "n_features_in_")
SHORT = {"max_iter": 5, "n_iter_no_change": 5, "random_state": 0}
NETWORK = DropoutClassifier((4,), **SHORT)
LAST = [
    LogisticRegression(),
    Ridge(),
    GaussianNB(),
    SVC(gamma=0.1),
    ExactUnlearner(LogisticRegression()),
    ExactUnlearner(GaussianNB()),
    Retrain(DecisionTreeClassifier(random_state=0)),
    SISAClassifier(LogisticRegression(), n_shards=2, random_state=0),
    CertifiedLogisticRegression(random_state=0),
    RemovalForestClassifier(n_estimators=2, random_state=0),
    NETWORK,
    S3TClassifier(n_shards=2, n_slices=2, random_state=0),
    NPO(NETWORK, random_state=0),
    Blindspot(NETWORK, random_state=0),
]


def table():
    """A frame of which the last row is the only one with its word."""
    towns = ["Oslo", "Rome"] * 20 + ["Uniqueville"]
    frame = pd.DataFrame({"town": towns, "age": np.arange(41.0)})
    return frame, np.array([0, 1] * 20 + [1])


def encoder(**options):
    """One column for each word, in frames."""
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (words, ["town"]), (StandardScaler(), ["age"]), **options
    ).set_output(transform="pandas")


def names_of(fitted):
    """All names and counts of features that fitted estimators hold, by path."""
    found, waiting, seen = {}, [("model", fitted)], set()
    while waiting:
        path, thing = waiting.pop()
        if isinstance(thing, (list, tuple)):
            waiting += [(f"{path}[{i}]", value) for i, value in enumerate(thing)]
        elif isinstance(thing, BaseEstimator) and id(thing) not in seen:
            seen.add(id(thing))
            own = vars(thing)
            found.update((f"{path}.{n}", np.array(own[n])) for n in NAMES if n in own)
            if hasattr(thing, "get_feature_names_out") and any(n in own for n in NAMES):
                found[f"{path}.out"] = thing.get_feature_names_out()
            waiting += [(f"{path}.{n}", value) for n, value in own.items()]
    return found


def assert_names_of_a_refit(model, X, y, forget):
    """Forget rows; compare names with those of a fit on the others."""
    model, stays = clone(model), np.setdiff1d(np.arange(len(X)), forget)
    reference = clone(model).fit(X.iloc[stays], y[stays])
    model.fit(X, y).unlearn(X.iloc[forget])
    ours, theirs = names_of(model), names_of(reference)
    assert ours.keys() == theirs.keys()
    for path in ours:
        np.testing.assert_array_equal(ours[path], theirs[path], err_msg=path)
    model.predict(X)
    return model


@pytest.mark.filterwarnings("ignore::sklearn_unlearn.exceptions.UnlearningWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("last", LAST, ids=str)
def test_a_forgotten_word_is_in_no_name(last):
    X, y = table()
    model = assert_names_of_a_refit(make_pipeline(encoder(), last), X, y, [40])
    for written in (pickle.dumps(model), pickle.dumps(model.export())):
        assert b"Uniqueville" not in written
        assert "Uniqueville".encode("utf-32-le") not in written


class WidestColumn(TransformerMixin, BaseEstimator):
    """Selects the column with the largest value, without a rule of its own."""

    def fit(self, X, y=None):
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.column_ = X.columns[np.argmax(X.max())]
        return self

    def transform(self, X):
        return X[[self.column_]]

    def get_feature_names_out(self, input_features=None):
        return np.array([self.column_], dtype=object)


def widest(X):
    return [X.columns[np.argmax(X.max())]]


@pytest.mark.parametrize("last", [LogisticRegression(), ExactUnlearner(GaussianNB())])
@pytest.mark.parametrize(
    "selector",
    [
        WidestColumn(),
        SelectKBest(k=1).set_output(transform="pandas"),
        ColumnTransformer([("p", "passthrough", widest)]).set_output(
            transform="pandas"
        ),
        make_union(
            SelectKBest(k=1), ColumnTransformer([("p", "passthrough", widest)])
        ).set_output(transform="pandas"),
    ],
    ids=["own", "best", "passthrough", "union"],
)
def test_another_column_of_the_same_number(selector, last):
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = pd.DataFrame(rng.normal(size=(60, 2)), columns=["first", "second"])
    X["first"] += 2 * y
    # as long as the first ten rows are there, the second column is chosen
    X.loc[:9, "second"] = 1000.0 * y[:10]
    X.loc[:9, "first"] -= 12 * y[:10]
    model = make_pipeline(selector, last)
    before = clone(model).fit(X, y)[0].get_feature_names_out()
    model = assert_names_of_a_refit(model, X, y, np.arange(10))
    assert not np.array_equal(before, model[0].get_feature_names_out())
