"""Estimators that hold others forget through their parts."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils import get_tags

from sklearn_unlearn.exact import ExactUnlearner, find_rule
from sklearn_unlearn.utils.estimator_checks import assert_same_state

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore:.*TargetEncoder.*:FutureWarning")


def table(n_rows=400, seed=0):
    """Numbers with gaps, words with gaps, a category, and a target of two classes."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "height": rng.normal(170, 10, n_rows),
            "income": rng.lognormal(10, 1, n_rows),
            "town": rng.choice(["Oslo", "Rome", "Bern", "Riga"], n_rows),
            "size": pd.Categorical(rng.choice(["s", "m", "l"], n_rows)),
            "children": rng.integers(0, 4, n_rows),
        }
    )
    frame.loc[rng.choice(n_rows, n_rows // 20, replace=False), "income"] = np.nan
    frame.loc[rng.choice(n_rows, n_rows // 20, replace=False), "town"] = None
    target = (frame["height"] + 8 * frame["children"] > 180).to_numpy().astype(int)
    return frame, target


WORDS = make_pipeline(
    SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
)
COLUMNS = ColumnTransformer(
    [
        ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), [0, 1]),
        ("words", WORDS, ["town"]),
        ("nothing", StandardScaler(), []),
        ("dropped", "drop", ["size"]),
    ],
    remainder=MinMaxScaler(),
)
COMPOSITES = {
    "columns": COLUMNS,
    "columns of frames": clone(COLUMNS)
    .set_params(words__onehotencoder__sparse_output=False)
    .set_output(transform="pandas"),
    "columns as they are": make_column_transformer(
        (OneHotEncoder(), ["size"]), (StandardScaler(), ["height"]), n_jobs=2
    ),
    "union": make_pipeline(
        make_column_transformer((SimpleImputer(), ["height", "income"])),
        make_union(StandardScaler(), PCA(1), SelectKBest(k=1)),
    ),
    "cross-fitted": make_pipeline(
        make_column_transformer(
            (TargetEncoder(random_state=0), ["town", "size"]), remainder="passthrough"
        ),
        SimpleImputer(),
        LogisticRegression(C=0.01, max_iter=500),
    ),
    "model": make_pipeline(COLUMNS, Ridge()),
    "steps that learn nothing": make_pipeline(
        make_column_transformer((SimpleImputer(), ["height", "income"])),
        FunctionTransformer(np.log1p),
        "passthrough",
        StandardScaler(),
    ),
}
NOT_STATE = ("n_iter_", "n_jobs")


def compare(estimator, requests, n_rows=400, seed=0):
    """Forget request by request, and compare the whole state with a fit without."""
    frame, target = table(n_rows, seed)
    model = ExactUnlearner(estimator).fit(frame, target)
    keep = np.ones(n_rows, dtype=bool)
    for i, request in enumerate(requests):
        model.unlearn(frame.iloc[request], target[request])
        if i == 0:
            model.prepare()
        keep[request] = False
    reference = ExactUnlearner(estimator).fit(frame[keep], target[keep])
    fits = model.estimator_, reference.estimator_
    assert_same_state(*fits, atol=1e-14, ignore=NOT_STATE)
    method = "transform" if hasattr(model, "transform") else "predict"
    ours, theirs = (getattr(m, method)(frame) for m in (model, reference))
    assert type(ours) is type(theirs)
    for values in (ours, theirs):
        if hasattr(values, "columns"):
            assert list(ours.columns) == list(theirs.columns)
    dense = [v.toarray() if hasattr(v, "toarray") else v for v in (ours, theirs)]
    np.testing.assert_allclose(*dense, rtol=1e-8, atol=1e-9)
    return model


@pytest.mark.parametrize("name", COMPOSITES)
def test_equals_refit(name):
    rng = np.random.default_rng(1)
    order = rng.permutation(400)
    requests = [*order[:8, None], order[8:60], order[60:260]]
    compare(COMPOSITES[name], requests)


@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from(["columns", "union", "model"]),
    seed=st.integers(0, 10**6),
    n_rows=st.integers(60, 300),
    share=st.floats(0.02, 0.6),
    n_requests=st.integers(1, 4),
)
def test_any_requests_equal_refit(name, seed, n_rows, share, n_requests):
    rng = np.random.default_rng(seed)
    n_forget = max(n_requests, int(share * n_rows))
    chosen = rng.choice(n_rows, n_forget, replace=False)
    compare(COMPOSITES[name], np.array_split(chosen, n_requests), n_rows, seed)


def test_a_category_and_a_gap_that_only_the_forgotten_had():
    frame, target = table()
    frame["town"] = frame["town"].fillna("Oslo")
    frame.loc[[3, 9], "town"] = "where only the forgotten lived"
    frame["height"] = frame["height"].where(frame.index != 9)
    model = ExactUnlearner(COLUMNS).fit(frame, target).prepare()
    model.unlearn(frame.loc[[3, 9]])
    keep = frame.drop(index=[3, 9])
    reference = clone(COLUMNS).fit(keep, target[keep.index])
    assert model.transform(keep).shape == reference.transform(keep).shape
    assert b"only the forgotten" not in pickle.dumps(model)


def test_columns_that_are_chosen_by_their_values():
    def varying(X):
        return [name for name in ("height", "children") if X[name].nunique() > 1]

    frame, target = table()
    frame["children"] = 0
    frame.loc[[5, 6], "children"] = 2
    steps = make_column_transformer((StandardScaler(), varying))
    model = ExactUnlearner(steps).fit(frame, target).unlearn(frame.loc[[5, 6]])
    assert model.transform(frame).shape[1] == 1  # no column for what is constant now


def test_a_rule_that_forgets_nothing_is_found_out(monkeypatch):
    rule = find_rule(StandardScaler())
    monkeypatch.setattr(rule, "assemble", lambda fitted, summaries: fitted)
    with pytest.raises(AssertionError, match="mean_"):
        compare(COMPOSITES["columns as they are"], [np.arange(40)])


def test_what_they_promise_is_what_their_parts_do():
    seeded = Pipeline([("scale", StandardScaler()), ("pca", PCA(2))])
    assert get_tags(ExactUnlearner(COLUMNS)).unlearner_tags.guarantee == "exact"
    union = FeatureUnion([("a", StandardScaler()), ("b", TargetEncoder())])
    assert get_tags(ExactUnlearner(union)).unlearner_tags.guarantee == "exact_law"
    assert get_tags(ExactUnlearner(seeded)).unlearner_tags.guarantee == "exact_law"
    frame, target = table()
    model = ExactUnlearner(COLUMNS).fit(frame, target)
    assert model.unlearning_cost(frame[:3]).path == "parts"
