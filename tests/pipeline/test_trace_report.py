"""Which fitted attributes know of rows, and what a request costs, step by step."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn import pipeline as sklearn_pipeline
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_union
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_unlearn.exact import find_rule
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.pipeline import make_pipeline, trace_rows
from tests.pipeline._tables import mixed_pipeline

X, y = load_iris(return_X_y=True)
FORGET = np.random.default_rng(0).choice(len(X), 12, replace=False)


def test_memory_names_what_changes():
    X_wide = X.copy()
    X_wide[3, 1] = 40.0  # the largest of its column
    model = make_pipeline(MinMaxScaler(), GaussianNB()).fit(X_wide, y)
    before = model.predict_proba(X)
    report = trace_rows(model, X_wide[[3]])
    assert np.array_equal(model.predict_proba(X), before)
    assert model.n_forgotten_ == 0
    named = {(record.step, record.attribute): record for record in report}
    assert ("minmaxscaler", "data_max_") in named
    assert ("minmaxscaler", "data_min_") not in named  # nothing changes there
    assert ("gaussiannb", "theta_") in named
    assert all(record.changes and record.updated for record in report)
    largest = named["minmaxscaler", "data_max_"]
    assert largest.before == pytest.approx((40 - X[:, 1].max()) / X.max())
    assert largest.after == 0
    lines = str(report).splitlines()
    assert lines[0].split()[:2] == ["step", "attribute"]
    assert len(lines) == len(report) + 1


def test_memory_finds_a_step_that_remembers(monkeypatch):
    model = make_pipeline(StandardScaler(), GaussianNB()).fit(X, y)
    rule = find_rule(StandardScaler())
    monkeypatch.setattr(rule, "assemble", lambda fitted, summaries: fitted)
    report = trace_rows(model, X[FORGET], y[FORGET])
    scaler = [record for record in report if record.step == "standardscaler"]
    assert {r.attribute for r in scaler if not r.updated} >= {"mean_", "var_"}


def test_memory_of_steps_within_steps(loaders):
    frame = loaders.german()["X"].iloc[:300]
    labels = loaders.german()["y"][:300]
    model = mixed_pipeline(frame).fit(frame, labels)
    report = trace_rows(model, frame.iloc[:5]).to_frame()
    inner = "columntransformer__pipeline-1__standardscaler"
    assert inner in set(report["step"])
    assert report["updated"].all()
    costs = model.unlearning_cost(frame.iloc[:5])
    assert set(report["step"]) <= set(costs)
    assert costs["columntransformer__pipeline-1__simpleimputer"].path == "summaries"
    assert costs["logisticregression"].path == "warm start"


def test_memory_wants_rows_that_were_fitted():
    model = make_pipeline(StandardScaler(), GaussianNB()).fit(X, y)
    with pytest.raises(UnknownRowsError):
        trace_rows(model, X[:1] + 1)
    assert find_rule(model).path == "parts"


def test_memory_of_another_kind_of_estimator_or_a_single_class():
    plain = sklearn_pipeline.make_pipeline(StandardScaler(), GaussianNB()).fit(X, y)
    with pytest.raises(TypeError, match="pipeline must be a sklearn_unlearn"):
        trace_rows(plain, X[:1])
    two = y < 2
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[two], y[two])
    with pytest.raises(ValueError, match="nothing to compare"):
        trace_rows(model, X[y == 0], y[y == 0])


def test_costs_are_those_of_the_request():
    trees = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))
    cost = trees.fit(X, y).unlearning_cost(X[FORGET])["standardscaler"]
    assert cost.path == "refit" and "rounding" in cost.reason
    part = make_pipeline(make_union(StandardScaler()), DecisionTreeClassifier())
    cost = part.fit(X, y).unlearning_cost(X[FORGET])["featureunion__standardscaler"]
    assert cost.path == "refit" and "rounding" in cost.reason
    single = make_pipeline(StandardScaler(), GaussianNB()).fit(X.astype(np.float32), y)
    costs = single.unlearning_cost(X[FORGET].astype(np.float32))
    assert costs["standardscaler"].path == "refit"
    weights = {"standardscaler__sample_weight": np.ones(len(y))}
    weighted = make_pipeline(StandardScaler(), GaussianNB()).fit(X, y, **weights)
    assert weighted.unlearning_cost(X[FORGET])["standardscaler"].path == "refit"
    with pytest.raises(ValueError, match="every row"):
        trees.unlearning_cost(X, y)
