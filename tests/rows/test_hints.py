"""What is no table of rows, or of other types, is refused with what to pass instead."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import assert_same_state

X = pd.DataFrame(np.arange(12.0).reshape(6, 2), list("abcdef"), ["x", "y"])


@pytest.mark.parametrize("make", [ExactUnlearner, make_pipeline])
@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ([1, 2], r"X\[positions\]"),
        (np.array([1, 2]), r"X\[positions\]"),
        (range(2), r"X\[positions\]"),
        (np.array([1, 2**63], dtype=np.uint64), r"X\[positions\]"),
        (np.arange(6) < 2, r"X\[mask\]"),
        ([True, False], r"X\[mask\]"),
        (X["x"] < 3, r"X\[mask\]"),
        (X.index[:2], r"X\.loc\[labels\]"),
        (["a", "b"], r"X\.loc\[labels\]"),
        (X.loc["a"], r"X\.loc\[\[label\]\]"),
        ("a", r"X\.loc\[\[label\]\]"),
        (3, r"X\[\[position\]\]"),
        (slice(2), r"X\[slice\]"),
        ({"x": [0.0], "y": [1.0]}, r"pandas\.DataFrame\(X_forget\)"),
        ({"x": 0.0, "y": 1.0}, r"pandas\.DataFrame\(\[X_forget\]\)"),
        ([{"x": 0.0, "y": 1.0}], r"pandas\.DataFrame\(X_forget\)"),
        (np.array([0.0, 1.0]), r"X_forget\.reshape\(1, -1\)"),
        ([0.0, 1.0], r"pass \[X_forget\]"),
        (np.zeros((1, 1, 2)), "Expected 2D array, got 3D"),
        ({1, 2}, r"a single set .* X\[list\(positions\)\]; of ids, groups=list\(ids\)"),
        ({"a": 1}.keys(), r"groups=list\(ids\)"),
        ((row for row in [[0.0, 1.0]]), r"pass list\(X_forget\)"),
        (map(list, [[0.0, 1.0]]), r"pass list\(X_forget\)"),
        ((X, X["x"]), r"pass two arguments, unlearn\(X, y\)"),
        ([X.to_numpy(), X[["x"]].to_numpy()], r"pass two arguments"),
    ],
)
def test_the_hint_says_what_to_pass(make, wrong, hint):
    model = make(StandardScaler()).fit(X)
    before = make(StandardScaler()).fit(X)
    with pytest.raises(ValueError, match=hint):
        model.unlearn(wrong)
    assert_same_state(model, before)


@pytest.mark.parametrize("wrong", ["one text", {"one": 1}, 7])
def test_a_single_text_is_put_into_a_list(wrong):
    model = ExactUnlearner(CountVectorizer()).fit(["one text", "another text", "more"])
    with pytest.raises(ValueError, match="put a single one into a list"):
        model.unlearn(wrong)
    assert model.unlearn(["one text"]).n_forgotten_ == 1


@pytest.mark.parametrize("make", [ExactUnlearner, make_pipeline])
@pytest.mark.parametrize("wrong", [X[:2].astype(str), X[:2].to_numpy().astype(str)])
def test_text_for_numbers_is_named(make, wrong):
    model = make(StandardScaler()).fit(X)
    with pytest.raises(UnknownRowsError, match=r"2 hold values .* text for a number"):
        model.unlearn(wrong)
    with pytest.raises(UnknownRowsError) as caught:
        model.unlearn(X[:2] + 0.5)
    assert "text" not in str(caught.value)
