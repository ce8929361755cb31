"""Planted corruptions and easy rows: aims that are known beforehand."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_regression
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB

from sklearn_unlearn.audit.stress import corruption_recovery, difficulty_spectrum
from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.model_selection import make_corruption
from tests.audit.stress._models import Nothing, digits


def test_a_target_shift_has_a_closed_form():
    """A shift c of rows F moves the coefficients by c (X'X)^-1 X_F' 1."""
    X, y = make_regression(100, 4, noise=1.0, random_state=0)
    X = np.column_stack([X, np.ones(100)])
    dirty = make_corruption(X[:80], y[:80], 20, kind="target_shift", random_state=0)
    linear = LinearRegression(fit_intercept=False)
    found = corruption_recovery(ExactUnlearner(linear), dirty, X[80:], y[80:])
    shift = dirty.rule.shift
    clean = np.linalg.lstsq(X[:80], y[:80], rcond=None)[0]
    ones = X[:80][dirty.forget].sum(axis=0)
    moved = clean + shift * np.linalg.solve(X[:80].T @ X[:80], ones)
    error = np.mean((X[80:] @ moved - y[80:]) ** 2)
    assert found.scores["original"] == pytest.approx(-error)
    assert found.recovery == pytest.approx(1, abs=1e-9)
    assert corruption_recovery(Nothing(linear), dirty, X[80:], y[80:]).recovery == 0


@pytest.mark.parametrize("kind", ["swapped_classes", "backdoor"])
def test_planted_corruptions_are_undone_or_not(kind):
    X, y = load_iris(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    options = {"classes": (0, 1)}
    if kind == "backdoor":
        options = {"column": 1, "target": 1}
    dirty = make_corruption(X[::2], y[::2], 30, kind=kind, random_state=0, **options)
    model = LogisticRegression()
    found = corruption_recovery(ExactUnlearner(model), dirty, X[1::2], y[1::2])
    assert found.recovery == pytest.approx(1)
    assert (found.planted["original"] > found.planted["retrained"] + 0.3).all()
    assert found.planted["unlearned"] == pytest.approx(found.planted["retrained"])
    idle = corruption_recovery(Nothing(model), dirty, X[1::2], y[1::2])
    assert idle.recovery == 0


def test_changed_rows_are_judged_by_clean_ones():
    X, y = make_regression(100, 4, noise=1.0, random_state=0)
    dirty = make_corruption(X[:80], y[:80], 8, kind="unit_error", random_state=0)
    model = ExactUnlearner(LinearRegression())
    found = corruption_recovery(model, dirty, X[80:], y[80:])
    clean = LinearRegression().fit(X[:80][~dirty.forget], y[:80][~dirty.forget])
    error = np.mean((clean.predict(X[80:]) - y[80:]) ** 2)
    assert found.scores["retrained"] == pytest.approx(-error)
    assert found.recovery == pytest.approx(1) and not found.planted
    assert found.scores["original"][0] < -10 * error


def test_harm_within_chance_is_no_number():
    X, y, X_test, y_test = digits()
    dirty = make_corruption(X, y, 2, random_state=0)
    found = corruption_recovery(ExactUnlearner(GaussianNB()), dirty, X_test, y_test)
    assert np.isnan(found.recovery) and not found.planted


def test_easy_rows_are_no_test():
    """Rows of 1 nearest neighbour's kind: nothing is at stake where all agree."""
    X, y = load_iris(return_X_y=True)
    table = difficulty_spectrum(
        ExactUnlearner(GaussianNB()),
        X,
        y,
        difficulty=np.arange(150.0),
        forget=np.arange(150) < 10,
        random_state=0,
    )
    assert table.index.tolist() == ["low", "mid", "high", "random", "given"]
    assert (table["verdict"] == "EQUAL").all() and (table["n_forget"] == 10).all()
    assert table["difficulty"].loc[["low", "mid", "high"]].is_monotonic_increasing
    assert table.loc["given", "difficulty"] == 4.5
    idle = difficulty_spectrum(
        Nothing(GaussianNB()), X, y, difficulty=np.arange(150.0), random_state=0
    )
    assert (idle["verdict"] == "NOT EQUAL").all()
