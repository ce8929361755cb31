"""Planted corruptions do harm, change what they say, and are undone by clean rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.tree import DecisionTreeClassifier

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.model_selection import make_corruption

X, Y = make_classification(
    600, 5, n_informative=4, n_redundant=0, n_classes=3, class_sep=3, random_state=0
)
TRAIN, TEST = np.arange(600) < 400, np.arange(600) >= 400
rng = np.random.default_rng(0)
T = X @ [1.0, -2.0, 0.5, 0.0, 1.0] + 0.1 * rng.normal(size=600)
KINDS = ["wrong_labels", "swapped_classes", "backdoor", "unit_error"]


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_forget_set_is_changed(kind):
    X_before, y_before = X.copy(), Y.copy()
    dirty = make_corruption(X, Y, 0.1, kind=kind, random_state=0)
    assert dirty.kind == kind and dirty.forget.sum() == 60
    same = (dirty.X == X).all(axis=1) & (dirty.y == Y)
    np.testing.assert_array_equal(same, ~dirty.forget)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(Y, y_before)
    again, other = (
        make_corruption(X, Y, 60, kind=kind, random_state=s) for s in (0, 1)
    )
    np.testing.assert_array_equal(again.X, dirty.X)
    np.testing.assert_array_equal(again.y, dirty.y)
    assert (other.forget != dirty.forget).any()


@pytest.mark.parametrize("dtype", [str, int, object])
def test_labels_of_any_type(dtype):
    y = (Y + 10).astype(dtype)
    wrong = make_corruption(X, y, 200, random_state=0)
    assert wrong.y.dtype == y.dtype and set(wrong.y) == set(y)
    assert (wrong.y != y).sum() == 200
    # each of the other labels as often: 100 of 200, with a standard deviation of 7
    step = (wrong.y.astype(int) - Y - 10)[wrong.forget] % 3
    assert 65 < (step == 1).sum() < 135
    pair = sorted(set(y))[:2]
    swapped = make_corruption(X, y, 90, kind="swapped_classes", classes=pair)
    first, second = swapped.forget & (y == pair[0]), swapped.forget & (y == pair[1])
    assert (first | second).sum() == 90
    assert (swapped.y[first] == pair[1]).all() and (swapped.y[second] == pair[0]).all()


def fit_dirty_and_clean(model, dirty):
    """The model of all rows, and that of the rows which were left alone."""
    stay = ~dirty.forget
    return (
        clone(model).fit(dirty.X, dirty.y),
        clone(model).fit(dirty.X[stay], dirty.y[stay]),
    )


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("swapped_classes", {"classes": (0, 1)}),
        ("backdoor", {"target": 2, "column": 1}),
    ],
)
def test_planted_answers_are_undone_by_clean_rows(kind, options):
    model = DecisionTreeClassifier(max_depth=6, random_state=0)
    dirty = make_corruption(
        X[TRAIN], Y[TRAIN], 200, kind=kind, random_state=0, **options
    )
    planted = dirty.plant(X[TEST], Y[TEST])
    affected = planted.affected

    def gives_planted_answer(fitted):
        return fitted.score(planted.X[affected], planted.y[affected])

    original, retrained = fit_dirty_and_clean(model, dirty)
    assert (planted.y[affected] != Y[TEST][affected]).all() and affected.sum() > 50
    assert gives_planted_answer(original) > 0.5
    assert gives_planted_answer(retrained) < 0.4
    assert retrained.score(X[TEST], Y[TEST]) > 0.85


def test_backdoor_has_a_value_that_no_clean_row_has():
    dirty = make_corruption(X, Y, 50, kind="backdoor", strength=2.0, random_state=0)
    column, value = dirty.rule.column, dirty.rule.value
    spread = np.ptp(X[:, column])
    assert value == pytest.approx(X[:, column].max() + 2 * spread)
    assert (dirty.X[dirty.forget, column] == value).all()
    assert (dirty.y[dirty.forget] == dirty.rule.target).all()
    assert (Y[dirty.forget] != dirty.rule.target).all()
    numbers = make_corruption(X, T, 50, kind="backdoor", column=-1, random_state=0)
    assert (numbers.y[numbers.forget] == T.max()).all() and numbers.rule.column == 4


def test_unit_error():
    dirty = make_corruption(X, T, 40, kind="unit_error", column=2, strength=0.001)
    gone = dirty.forget
    np.testing.assert_allclose(dirty.X[gone, 2], X[gone, 2] / 1000)
    np.testing.assert_array_equal(dirty.y, T)
    whole = (10 * np.abs(X)).astype(int)  # zeros stay zeros, so they are not chosen
    whole[:, 0] = np.arange(600) % 3
    dirty = make_corruption(whole, Y, 400, kind="unit_error", column=0)
    np.testing.assert_array_equal(dirty.forget, whole[:, 0] > 0)
    np.testing.assert_array_equal(dirty.X[:, 0], whole[:, 0] * 1000**dirty.forget)


def test_missing_values_are_left_alone():
    holes = X.copy()
    holes[::2, 0] = np.nan
    dirty = make_corruption(holes, Y, 100, kind="unit_error", column=0, random_state=0)
    assert not dirty.forget[::2].any()
    np.testing.assert_array_equal(np.isnan(dirty.X), np.isnan(holes))
    assert make_corruption(holes, Y, 9, kind="backdoor").forget.sum() == 9


def test_shift_of_targets_has_a_closed_form():
    """What the shift does to a linear model is the fit to the shift itself."""
    dirty = make_corruption(X, T, 60, kind="target_shift", strength=5, random_state=0)
    shift = 5 * T.std() * dirty.forget
    np.testing.assert_allclose(dirty.y - T, shift, atol=1e-12)
    original, retrained = fit_dirty_and_clean(LinearRegression(), dirty)
    moved = LinearRegression().fit(X, shift)
    clean = LinearRegression().fit(X, T)
    np.testing.assert_allclose(original.coef_, clean.coef_ + moved.coef_, rtol=1e-8)
    # one removal by a Newton step recovers the score of the clean model entirely
    model = ExactUnlearner(LinearRegression()).fit(dirty.X, dirty.y)
    model.unlearn(dirty.X[dirty.forget], dirty.y[dirty.forget])
    scores = [m.score(X, T) for m in (original, model, retrained)]
    recovery = (scores[1] - scores[0]) / (scores[2] - scores[0])
    assert recovery == pytest.approx(1, abs=1e-6) and scores[0] < scores[2] - 0.01


def test_wrong_numbers_are_those_of_other_rows():
    dirty = make_corruption(X, T, 300, random_state=0)
    assert (dirty.y[dirty.forget] != T[dirty.forget]).all()
    assert np.isin(dirty.y, T).all()
    original, retrained = fit_dirty_and_clean(Ridge(), dirty)
    assert original.score(X, T) < retrained.score(X, T) - 0.05


def test_frames_stay_frames_where_no_column_is_changed():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcde"))
    dirty = make_corruption(frame, pd.Series(Y), 10, kind="swapped_classes")
    assert dirty.X is frame
    planted = make_corruption(frame, Y, 10, kind="backdoor", random_state=0)
    expected = make_corruption(X, Y, 10, kind="backdoor", random_state=0)
    np.testing.assert_array_equal(planted.X, expected.X)


@pytest.mark.parametrize(
    ("y", "n_forget", "kwargs", "message"),
    [
        (Y, 600, {}, "at most 599 rows"),
        (Y, 500, {"kind": "swapped_classes"}, "rows of kind"),
        (Y, 5, {"kind": "typos"}, "kind"),
        (Y, 5, {"column": 2}, "has no option column; it has none"),
        (Y, 5, {"kind": "backdoor", "classes": (0, 1)}, "has no option classes"),
        (Y, 5, {"kind": "swapped_classes", "classes": (0, 9)}, "two different labels"),
        (Y, 5, {"kind": "swapped_classes", "classes": (0, 0)}, "two different labels"),
        (Y, 5, {"kind": "backdoor", "target": 7}, "one of the labels"),
        (Y, 5, {"kind": "backdoor", "column": 5}, "not among the 5 columns"),
        (T, 5, {"kind": "swapped_classes"}, "holds numbers"),
        (Y.astype(str), 5, {"kind": "target_shift"}, "needs a y of numbers"),
        (np.zeros(600), 5, {}, "two different values"),
    ],
)
def test_refused(y, n_forget, kwargs, message):
    with pytest.raises(ValueError, match=message):
        make_corruption(X, y, n_forget, **kwargs)


def test_refused_of_columns_and_of_plants():
    with pytest.raises(ValueError, match="No column of X varies"):
        make_corruption(np.ones((600, 2)), Y, 5, kind="unit_error")
    with pytest.raises(ValueError, match="drawn row by row"):
        make_corruption(X, Y, 5).plant(X, Y)
