"""Steps of many kinds in one pipeline: tables of mixed types, ties, metadata."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_unlearn.exact import SummaryRule, register_rule
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import find_residue
from tests.pipeline._tables import mixed_pipeline

X, y = load_iris(return_X_y=True)
FORGET = np.random.default_rng(0).choice(len(X), 12, replace=False)


@pytest.mark.parametrize("name", ["adult", "bank", "german", "diabetes130"])
def test_real_mixed_table(name, loaders):
    data = getattr(loaders, name)()
    n_rows = min(3000, len(data["y"]))
    frame, labels = data["X"].iloc[:n_rows], data["y"][:n_rows]
    model = mixed_pipeline(frame).fit(frame, labels)
    before = model.predict_proba(frame)
    order = np.random.default_rng(0).permutation(n_rows)
    model.unlearn(frame.iloc[order[:1]], labels[order[:1]]).prepare()
    for request in np.array_split(order[1:200], 9):
        model.unlearn(frame.iloc[request], labels[request])
    rest = model.retained_rows()
    reference = mixed_pipeline(frame).fit(rest.X, rest.y)
    gap = np.abs(model.predict_proba(frame) - reference.predict_proba(frame)).max()
    assert gap < 1e-8
    # so small a gap means something only if the rows have made a difference
    assert np.abs(before - reference.predict_proba(frame)).max() > 1e4 * gap
    assert len(rest.y) == n_rows - 200


def test_what_is_prepared_is_forgotten_too():
    names = np.array([f"name {i}" for i in range(len(X))], dtype=object)
    rows = np.column_stack([names, X.astype(object)])
    steps = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), [0]), (StandardScaler(), [1, 2, 3])
    )
    model = make_pipeline(steps, GaussianNB(var_smoothing=0.1))
    with np.errstate(all="ignore"):
        steps.set_params(sparse_threshold=0)
        model.fit(rows, y).prepare().unlearn(rows[FORGET], y[FORGET])
    keep = np.setdiff1d(np.arange(len(X)), FORGET)
    assert not find_residue(model, rows[FORGET], rows[keep])
    reference = clone(model).fit(rows[keep], y[keep])
    np.testing.assert_allclose(
        model.predict_proba(rows), reference.predict_proba(rows), atol=1e-8
    )


@pytest.mark.parametrize(
    "steps",
    [
        (StandardScaler(), KNeighborsClassifier(5)),
        (StandardScaler(), PCA(2), DecisionTreeClassifier(random_state=0)),
        (SimpleImputer(), OneHotEncoder(handle_unknown="ignore"), BernoulliNB()),
        (StandardScaler(), VarianceThreshold(1.0), GaussianNB()),
        (MinMaxScaler(), SVC(gamma=2.0)),
    ],
)
def test_steps_that_rounding_upsets_see_the_very_same_rows(steps):
    rows = np.round(X * 2)  # many ties
    rows[:, 3] = np.where(np.arange(len(X)) % 7 == 0, np.nan, rows[:, 3])
    rows = rows if isinstance(steps[0], SimpleImputer) else np.nan_to_num(rows, nan=1.0)
    model = make_pipeline(*steps).fit(rows, y, groups=np.arange(len(X)))
    keep = np.ones(len(X), dtype=bool)
    for request in np.array_split(FORGET, 4):
        keep[request] = False
        reference = make_pipeline(*map(clone, steps))
        try:
            reference.fit(rows[keep], y[keep])
        except ValueError as error:
            with pytest.raises(ValueError, match=str(error)[:30]):
                model.unlearn(groups=request)
            return
        model.unlearn(groups=request)
        for method in ("predict", "transform", "predict_proba"):
            if hasattr(model, method):
                ours, theirs = (getattr(m, method)(rows) for m in (model, reference))
                np.testing.assert_array_equal(ours, theirs)


def test_metadata_requests_hold_no_estimators_of_the_past():
    sklearn.set_config(enable_metadata_routing=True)
    unique = np.random.default_rng(0).normal(size=X.shape)
    keep = np.setdiff1d(np.arange(len(X)), FORGET)
    weight = {"sample_weight": np.linspace(1, 2, len(y))}
    scale = StandardScaler().set_fit_request(sample_weight=True)
    # neighbours of the past would hold the rows themselves, were nothing before them
    for before, params in ([scale], weight), ([], {}):
        last = KNeighborsClassifier().set_score_request(sample_weight=False)
        model = make_pipeline(*before, last).fit(unique, y, **params)
        model.unlearn(unique[FORGET])
        assert not find_residue(model, unique[FORGET], unique[keep])
        assert not find_residue(model.export(), unique[FORGET], unique[keep])
        model.fit(X, y, **params).unlearn(X[FORGET], y[FORGET])
        assert model.n_forgotten_ == len(FORGET)


def test_inputs_that_are_transformed_along():
    sklearn.set_config(enable_metadata_routing=True)

    class Watches(GaussianNB):
        __metadata_request__fit = {"X_other": True}

        def fit(self, X, y, X_other=None):
            self.seen_ = np.array(X_other)
            return super().fit(X, y)

    other = X[:7] + 0.5
    steps = make_pipeline(StandardScaler(), Watches(), transform_input=["X_other"])
    model = clone(steps).fit(X, y, X_other=other).unlearn(X[FORGET], y[FORGET])
    keep = np.setdiff1d(np.arange(len(X)), FORGET)
    reference = clone(steps).fit(X[keep], y[keep], X_other=other)
    np.testing.assert_allclose(model[-1].seen_, reference[-1].seen_, rtol=1e-12)


def test_a_fit_that_returns_nothing():
    class Quiet(GaussianNB):
        def fit(self, X, y):
            super().fit(X, y)

    model = make_pipeline(StandardScaler(), Quiet()).fit(X, y)
    model.unlearn(X[FORGET], y[FORGET])
    keep = np.setdiff1d(np.arange(len(X)), FORGET)
    reference = make_pipeline(StandardScaler(), GaussianNB()).fit(X[keep], y[keep])
    np.testing.assert_allclose(
        model.predict_proba(X), reference.predict_proba(X), atol=1e-9
    )


def test_names_of_columns_of_forgotten_categories_are_gone():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"c": ["a", "b", "the forgotten"] + ["a", "b"] * 9})
    encode = make_column_transformer((OneHotEncoder(sparse_output=False), ["c"]))
    model = make_pipeline(encode).set_output(transform="pandas").fit(frame)
    model.unlearn(frame.iloc[[2]])
    assert list(model.get_feature_names_out()) == [
        "onehotencoder__c_a",
        "onehotencoder__c_b",
    ]
    assert b"the forgotten" not in pickle.dumps(model)


class Peaks(MaxAbsScaler):
    """Has a rule that notes how many rows it reads."""

    rows_read = 0


@register_rule(Peaks)
class PeaksRule(SummaryRule):
    def summarise(self, fitted, X, y, starts):
        Peaks.rows_read += len(X)
        return {"max": np.maximum.reduceat(np.abs(np.asarray(X)), starts)}

    def assemble(self, fitted, summaries):
        return clone(fitted).fit(summaries["max"].max(axis=0)[None])


@pytest.mark.parametrize("wrap", [lambda step: step, make_pipeline])
def test_prepare_does_beforehand_what_the_first_request_would(wrap):
    rows = np.random.default_rng(0).normal(size=(1000, 2))
    target = np.arange(1000) % 2
    model = make_pipeline(wrap(Peaks()), GaussianNB()).fit(rows, target)
    Peaks.rows_read = 0
    assert model.prepare() is model
    assert Peaks.rows_read == 1000
    model.unlearn(rows[:3])
    assert Peaks.rows_read < 1000 + 2 * 128
    assert model.prepare().n_forgotten_ == 3
