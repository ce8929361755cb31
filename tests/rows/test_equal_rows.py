"""Equal rows are told apart by what was kept beside them, or by types of cells."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.naive_bayes import GaussianNB

from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.exceptions import AmbiguousRowsError, UnknownRowsError

X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [5.0, 6.0], [3.0, 4.5], [1.0, 2.0]])
Y = np.array([0, 1, 0, 1, 0, 0])


def left(model):
    """Retained rows as plain tuples."""
    rows = model.retained_rows().X
    rows = rows.to_numpy(dtype=object) if hasattr(rows, "iloc") else rows
    return [tuple(row) for row in rows.tolist()]


def test_the_last_of_copies_that_differ_in_nothing_goes():
    ids = ["anna", "bob", "anna", "cleo", "dora", "anna"]
    model = ExactUnlearner(GaussianNB()).fit(X, Y, groups=ids)
    model.unlearn(X[:2])
    np.testing.assert_array_equal(model.retained_rows().X, X[[0, 2, 3, 4]])


@pytest.mark.parametrize(
    ("y", "extra", "message"),
    [
        ([0, 1, 1, 1, 0, 0], {}, "pass y_forget"),
        (Y, {"groups": ["anna", "dora", "bob", "cleo", "dora", "anna"]}, "groups="),
        (Y, {"groups": [None, "dora", "bob", "cleo", "dora", "anna"]}, "groups="),
        (Y, {"sample_weight": [1.0, 1, 2, 1, 1, 1]}, "groups="),
    ],
)
def test_some_of_copies_that_differ_are_asked_about(y, extra, message):
    model = ExactUnlearner(GaussianNB()).fit(X, y, **extra)
    with pytest.raises(AmbiguousRowsError, match=message) as caught:
        model.unlearn(X[[3, 0, 0]])
    assert caught.value.positions == (1, 2)
    assert model.n_forgotten_ == 0
    assert model.unlearn(X[[0, 0, 0]]).n_forgotten_ == 3  # all copies: no doubt


def test_targets_and_weights_of_types_that_numpy_does_not_know():
    y, weight = pd.Series(Y, dtype="Int64"), pd.Series(Y + 1, dtype="Float64")
    y[5] = 1
    model = ExactUnlearner(GaussianNB()).fit(X, y, sample_weight=weight)
    model.unlearn(X[[5]], y[[5]])
    np.testing.assert_array_equal(model.retained_rows().X, X[:5])
    np.testing.assert_array_equal(model.retained_rows().y, Y[:5])


def test_nobody_takes_the_row_of_another():
    ids = ["anna", "cleo", "bob", "cleo", "dora", "eve"]
    model = ExactUnlearner(GaussianNB()).fit(X, Y, groups=ids).unlearn(groups=["bob"])
    assert model.retained_rows().groups.tolist() == [i for i in ids if i != "bob"]
    with pytest.raises(AmbiguousRowsError, match="groups="):
        model.unlearn(X[:1])  # anna's or eve's
    model.unlearn(groups=["anna"])
    model.unlearn(X[:1])
    assert model.retained_rows().groups.tolist() == ["cleo", "cleo", "dora"]


def test_targets_and_ids_together():
    y = [0, 1, 1, 1, 0, 1]
    ids = ["anna", "cleo", "bob", "cleo", "dora", "eve"]
    model = ExactUnlearner(GaussianNB()).fit(X, y, groups=ids)
    with pytest.raises(AmbiguousRowsError, match="groups="):
        model.unlearn(X[:1], [1])  # bob's or eve's
    model.unlearn(X[:1], [0])
    assert "anna" not in model.retained_rows().groups
    with pytest.raises(UnknownRowsError):
        model.unlearn(X[:1], [0])


INDEXES = [
    pd.Index(list("abcdef")),
    pd.Index([12, 3, 0, 7, 2, 5]),
    pd.Index([0.5, 3, 0, 7, 2, 5]),
    pd.MultiIndex.from_product([["x", "y"], [0, 1, 2]]),
    pd.date_range("2020-01-01", periods=6, tz="UTC"),
    pd.CategoricalIndex(list("abcdef")),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda i: type(i).__name__)
def test_labels_of_an_index_say_which_copy_is_meant(index):
    frame = pd.DataFrame(X, index=index, columns=["a", "b"])
    model = ExactUnlearner(GaussianNB()).fit(frame, Y)
    for request in (X[:1], frame.iloc[[0]].reset_index(drop=True)):
        with pytest.raises(AmbiguousRowsError, match=r"X\.loc\[labels\]"):
            model.unlearn(request)
    for place in (2, 0):
        model.unlearn(frame.iloc[[place]])
    # one copy is left: no doubt
    assert list(model.retained_rows().X.index) == list(index[[1, 3, 4, 5]])
    assert model.unlearn(X[:1]).n_forgotten_ == 3


def test_a_count_of_the_rows_says_nothing():
    frame = pd.DataFrame(X, columns=["a", "b"])
    model = ExactUnlearner(GaussianNB()).fit(frame, Y).unlearn(frame.iloc[[0]])
    assert model.retained_rows().X.index.tolist() == [0, 1, 2, 3, 4]
    ids = ["anna", "cleo", "bob", "cleo", "dora", "eve"]
    model = ExactUnlearner(GaussianNB()).fit(frame, Y, groups=ids)
    with pytest.raises(AmbiguousRowsError, match="groups="):
        model.unlearn(frame.iloc[[0]])


def test_labels_do_not_hide_that_a_row_is_somebody_elses():
    frame = pd.DataFrame(X, index=list("aaabcd"), columns=["a", "b"])
    ids = ["anna", "anna", "bob", "cleo", "dora", "eve"]
    model = ExactUnlearner(GaussianNB()).fit(frame, Y, groups=ids)
    with pytest.raises(AmbiguousRowsError, match="groups="):
        model.unlearn(frame.iloc[[0]])  # the label of bob's row as well
    model.unlearn(frame.iloc[[5]])
    assert "eve" not in model.retained_rows().groups


class AnyRows(BaseEstimator):
    """An estimator that takes whatever rows there are."""

    def fit(self, X, y=None):
        self.n_ = len(X)
        return self


def objects(*rows):
    return np.array([np.array(row, dtype=object) for row in rows], dtype=object)


ONES = [1, 1.0, True, Decimal(1), Fraction(1), "1", b"1", 1 + 0j]
MISSING = [None, np.nan, pd.NA, pd.NaT]
BIG = [2**60, 2**60 + 1, 2.0**60, np.int64(2**53 + 1), 2.0**53, Fraction(1, 3), 1 / 3]
DATES = [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01", tz="UTC"), "2020-01-01"]


@pytest.mark.parametrize("as_frame", [False, True])
@pytest.mark.parametrize("cells", [ONES, MISSING, BIG, DATES, ONES + MISSING + BIG])
def test_a_cell_finds_itself(cells, as_frame):
    rows = objects(*([cell, "same"] for cell in cells))
    rows = pd.DataFrame(rows) if as_frame else rows
    for i in range(len(cells)):
        query = rows.iloc[[i]] if as_frame else rows[[i]]
        model = Retrain(AnyRows()).fit(rows).unlearn(query)
        expected = [(cell, "same") for cell in cells[:i] + cells[i + 1 :]]
        assert list(map(repr, left(model))) == list(map(repr, expected))


@pytest.mark.parametrize(
    "cells", [[1, 1.0], [1, True], [None, np.nan], [1, Decimal(1)]]
)
def test_an_equal_cell_stands_for_another_where_that_is_clear(cells):
    model = Retrain(AnyRows()).fit(objects(["a", 0], *([cell, 0] for cell in cells)))
    other = pd.NA if cells[0] is None else Fraction(1)
    with pytest.raises(AmbiguousRowsError, match="other types"):
        model.unlearn(objects([other, 0]))
    model.unlearn(objects([cells[0], 0])).unlearn(objects([other, 0]))
    assert left(model) == [("a", 0)]
    with pytest.raises(UnknownRowsError):
        model.unlearn(objects([other, 0]))


def test_a_large_number_stands_for_no_whole_one():
    # 2.0**60 is what all of 2**60 - 64 to 2**60 + 128 are as floating-point numbers
    model = Retrain(AnyRows()).fit(objects([2**60, "a"], [2**60 + 3, "a"], [0, "a"]))
    with pytest.raises(UnknownRowsError):
        model.unlearn(objects([2.0**60, "a"]))
    assert model.unlearn(objects([2**60 + 3, "a"])).n_forgotten_ == 1


CELLS = [1, True, 1.0, None, np.nan, "1"]


def kind(cell):
    """What equal cells share."""
    return "missing" if cell is None or cell != cell else cell


def reference(kept, asked):
    """Cells that stay, as words, and how many are unknown; None if it is unclear."""
    stay, n_unknown = Counter(), 0
    for value in dict.fromkeys(map(kind, kept + asked)):
        rows = Counter(repr(cell) for cell in kept if kind(cell) == value)
        queries = Counter(repr(cell) for cell in asked if kind(cell) == value)
        rows, queries = rows - queries, queries - rows
        n_rows, n_queries = rows.total(), queries.total()
        if 0 < n_queries < n_rows and len(rows) > 1:
            return None
        if n_queries >= n_rows:
            rows = Counter()
        elif n_queries:
            rows = Counter({name: n - n_queries for name, n in rows.items()})
        stay, n_unknown = stay + rows, n_unknown + max(0, n_queries - n_rows)
    return stay, n_unknown


@settings(max_examples=100, deadline=None)
@given(
    kept=st.lists(st.sampled_from(CELLS), min_size=1, max_size=12),
    asked=st.lists(st.sampled_from(CELLS), min_size=1, max_size=8),
)
def test_cells_of_one_type_first(kept, asked):
    model = Retrain(AnyRows()).fit(objects(["stays"], *([cell] for cell in kept)))
    expected = reference(kept, asked)
    request = objects(*([cell] for cell in asked))
    if expected is None:
        with pytest.raises(AmbiguousRowsError, match="other types"):
            model.unlearn(request, on_unknown="ignore")
        return
    if expected[1]:
        with pytest.raises(UnknownRowsError, match=f"^{expected[1]} of {len(asked)}"):
            model.unlearn(request)
    model.unlearn(request, on_unknown="ignore")
    assert Counter(repr(cell) for (cell,) in left(model)[1:]) == expected[0]
