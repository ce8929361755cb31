"""Pipelines on tables of mixed types, and what is told about their memory."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn import pipeline as sklearn_pipeline
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from sklearn_unlearn.exact import find_rule
from sklearn_unlearn.exact._rules_scaling import StandardScalerRule
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.pipeline import make_pipeline, pipeline_memory
from sklearn_unlearn.utils.estimator_checks import find_residue

X, y = load_iris(return_X_y=True)
FORGET = np.random.default_rng(0).choice(len(X), 12, replace=False)


def mixed_pipeline(frame):
    """Impute, scale and encode by type of column, then a logistic regression."""
    is_word = [not np.issubdtype(np.asarray(frame[c]).dtype, np.number) for c in frame]
    words = frame.columns[is_word].tolist()
    numbers = frame.columns[~np.array(is_word)].tolist()
    mixed = make_column_transformer(
        (
            sklearn_pipeline.make_pipeline(
                SimpleImputer(strategy="median"), StandardScaler()
            ),
            numbers,
        ),
        (
            sklearn_pipeline.make_pipeline(
                SimpleImputer(strategy="most_frequent"),
                OneHotEncoder(handle_unknown="ignore", min_frequency=5),
            ),
            words,
        ),
    )
    return make_pipeline(mixed, LogisticRegression(C=0.1, max_iter=1000))


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
    rest = model._rows.rows()
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


def test_memory_names_what_changes():
    X_wide = X.copy()
    X_wide[3, 1] = 40.0  # the largest of its column
    model = make_pipeline(MinMaxScaler(), GaussianNB()).fit(X_wide, y)
    before = model.predict_proba(X)
    report = pipeline_memory(model, X_wide[[3]])
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
    monkeypatch.setattr(StandardScalerRule, "assemble", lambda self, old, new: old)
    report = pipeline_memory(model, X[FORGET], y[FORGET])
    scaler = [record for record in report if record.step == "standardscaler"]
    assert {r.attribute for r in scaler if not r.updated} >= {"mean_", "var_"}


def test_memory_of_steps_within_steps(loaders):
    frame = loaders.german()["X"].iloc[:300]
    labels = loaders.german()["y"][:300]
    model = mixed_pipeline(frame).fit(frame, labels)
    report = pipeline_memory(model, frame.iloc[:5]).to_frame()
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
        pipeline_memory(model, X[:1] + 1)
    assert find_rule(model).path == "parts"
