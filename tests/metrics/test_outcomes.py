"""Scores beside those of retrained models, and what a report shows of them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    mean_squared_error,
    r2_score,
)

from sklearn_unlearn.metrics import (
    group_score,
    recovery_score,
    score_gap,
    unlearning_report,
)


def test_interval_is_for_one_more_retrained_model():
    rng = np.random.default_rng(0)
    inside = 0
    for scores in rng.normal(size=(2000, 10)):
        found = score_gap(scores[0], scores[1:], confidence_level=0.9)
        inside += found.low <= found.value <= found.high
    assert stats.binomtest(inside, 2000, 0.9).pvalue > 1e-3


def test_gap_has_a_sign():
    assert score_gap(0.7, [0.8, 0.9]).gap == pytest.approx(-0.15)
    alone = score_gap(0.7, [0.8])
    assert alone.gap == pytest.approx(-0.1) and np.isnan([alone.low, alone.high]).all()
    assert score_gap(0.75, [0.75, 0.75, 0.75]) == (0.75, 0.75, 0.0, 0.75, 0.75)


def draw(seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=120)
    models = np.where(rng.random((5, 120)) < 0.7, y, rng.integers(3, size=(5, 120)))
    return y, models, np.repeat(["forget", "retain", "test"], 40)


def test_report_of_classes():
    y, models, roles = draw()
    found = unlearning_report(y, models[0], models[1:], roles, output_dict=True)
    assert list(found) == ["forget", "retain", "test"]
    for i, role in enumerate(found):
        rows = slice(40 * i, 40 * i + 40)
        for name, score in (
            ("accuracy", accuracy_score),
            ("balanced accuracy", balanced_accuracy_score),
        ):
            expected = score_gap(
                score(y[rows], models[0][rows]),
                [score(y[rows], m[rows]) for m in models[1:]],
            )
            np.testing.assert_allclose(found[role][name], expected)
    text = unlearning_report(y, models[0], models[1:], roles, digits=2)
    lines = [line.split() for line in text.splitlines()]
    assert lines[0] == ["value", "retrained", "gap", "low", "high"]
    assert len(lines) == 7
    assert lines[1][:2] == ["forget", "accuracy"]
    assert lines[1][2] == f"{found['forget']['accuracy'].value:.2f}"


def test_report_of_numbers():
    rng = np.random.default_rng(0)
    y, models = rng.normal(size=30), rng.normal(size=(3, 30))
    roles = np.array(["test"] * 30)
    found = unlearning_report(y, models[0], models[1:], roles, output_dict=True)
    assert list(found) == ["test"]  # there are no others
    rmse = mean_squared_error(y, models[0]) ** 0.5
    assert found["test"]["RMSE"].value == pytest.approx(rmse)
    assert found["test"]["R2"].value == pytest.approx(r2_score(y, models[0]))
    own = {"largest error": lambda t, p: np.abs(t - p).max()}
    found = unlearning_report(
        y, models[0], models[1:], roles, scores=own, output_dict=True
    )
    assert found["test"]["largest error"].value == np.abs(y - models[0]).max()


def test_a_retrained_model_has_no_gap():
    y, models, roles = draw()
    found = unlearning_report(y, models[0], models[0], roles, output_dict=True)
    assert {gap.gap for gaps in found.values() for gap in gaps.values()} == {0.0}


def test_names_of_labels_and_order_of_rows_change_nothing():
    y, models, roles = draw()
    expected = unlearning_report(y, models[0], models[1:], roles)
    names, order = np.array(["z", "b", "m"]), np.random.default_rng(1).permutation(120)
    found = unlearning_report(
        names[y][order], names[models[0]][order], names[models[1:, order]], roles[order]
    )
    assert found == expected


def test_groups():
    y_true = np.array(["a"] * 4 + ["b"] * 2)
    y_pred = np.array(["a", "a", "a", "b", "b", "a"])
    assert group_score(y_true, y_pred) == 0.5
    balanced = group_score(y_true, y_pred, average="balanced")
    assert balanced == balanced_accuracy_score(y_true, y_pred)
    assert group_score(y_true, y_pred, average=None) == {"a": 0.75, "b": 0.5}
    town = [1, 1, 1, 2, 2, 2]
    assert group_score(y_true, y_pred, groups=town) == pytest.approx(1 / 3)
    worst = group_score(
        [1.0, 2.0, 3.0],
        [1.0, 2.0, 5.0],
        groups=[0, 0, 1],
        score_func=lambda t, p: -mean_squared_error(t, p),
    )
    assert worst == -4.0


def test_recovery_of_shifted_targets_is_one():
    # targets of the forgotten rows were shifted by 2: a straight line is off by 1
    x = np.tile([-1.0, 1.0], 20)
    y, corrupted = 3 * x, 3 * x + 2.0 * (np.arange(40) < 20)

    def score(rows, targets):
        line = np.polyfit(x[rows], targets[rows], 1)
        return -np.abs(np.polyval(line, x) - y).max()

    original, retrained = score(slice(None), corrupted), score(slice(20, None), y)
    assert original == pytest.approx(-1) and retrained == pytest.approx(0)
    assert recovery_score(retrained, original, [retrained]) == pytest.approx(1)
    assert recovery_score(original, original, [retrained]) == 0
    assert recovery_score(-1.5, original, [retrained]) == pytest.approx(-0.5)
    assert np.isnan(recovery_score(0.8, 0.79, [0.8, 0.82, 0.78]))


def test_what_is_refused():
    y, models, roles = draw()
    with pytest.raises(ValueError, match="roles must be 'forget', 'retain' or 'test'"):
        unlearning_report(y, models[0], models[1:], np.where(roles == "test", "x", "y"))
    with pytest.raises(ValueError, match="y_pred must have shape"):
        unlearning_report(y, models[0][1:], models[1:], roles)
    with pytest.raises(ValueError, match="NaN"):
        unlearning_report(y * 0.5, models[0] * np.nan, models[1:] * 0.5, roles)
    with pytest.raises(ValueError, match="Input scores_retrained contains NaN"):
        score_gap(0.5, [0.5, np.nan])
    with pytest.raises(ValueError, match="Input score contains NaN"):
        score_gap(np.nan, [0.5])
    with pytest.raises(ValueError, match="y_pred contains NaN"):
        group_score([1.0, 2.0], [1.0, np.nan])
