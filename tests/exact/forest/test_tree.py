"""Nodes of trees: their statistics, their law, the random words they are made of."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib.util
import pickle

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_iris

from sklearn_unlearn.exact import RemovalForestClassifier, RemovalForestRegressor
from sklearn_unlearn.exact.forest.tree._forgetting import forget, splice
from sklearn_unlearn.exact.forest.tree._growing import grow
from sklearn_unlearn.exact.forest.tree._numba import SOURCES
from sklearn_unlearn.exact.forest.tree._random import (
    first_state,
    next_word,
    threefry,
)
from sklearn_unlearn.exact.forest.tree._structure import (
    add_means,
    add_shares,
)
from tests.exact.forest._rows import law_data, make_rows

compiled = pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="takes minutes without numba"
)


def test_statistics_of_nodes_are_counted_anew():
    X, y = make_rows(RemovalForestClassifier, 600)
    model = RemovalForestClassifier(4, random_state=0).fit(X, y)
    gone = np.arange(0, 600, 5)
    model.unlearn(X[gone], y[gone])
    keep = model.retained_rows()
    codes = np.searchsorted(model.classes_, keep.y)
    n_classes, n_seen = len(model.classes_), 0
    for tree, state in zip(model._trees, model._tree_states, strict=True):
        assert np.array_equal(np.sort(state.rows), np.arange(len(keep.X)))
        totals = np.bincount(codes, minlength=n_classes)
        assert np.array_equal(state.totals[0], totals)
        for at_root, on_left in zip(state.candidates[0], state.left[0], strict=True):
            column = keep.X[:, at_root["feature"]].astype(np.float32)
            assert at_root["lowest"] == column.min()
            assert at_root["highest"] == column.max()
            assert at_root["n_lowest"] == (column == at_root["lowest"]).sum()
            assert at_root["n_highest"] == (column == at_root["highest"]).sum()
            is_left = column <= at_root["threshold"]
            left = np.bincount(codes[is_left], minlength=n_classes)
            assert np.array_equal(on_left, left)
            n_seen += 1
        assert len(tree.value) == len(tree.feature) + 1
    assert n_seen >= 8


def root_of(X, y, rng):
    """The root of one extremely randomised tree, written as in the paper."""
    best = None
    for feature in rng.permutation(X.shape[1])[:2]:
        column = X[:, feature]
        cut = rng.uniform(column.min(), column.max())
        left = column <= cut
        impurity = sum(
            (
                1
                - (np.bincount(side, minlength=2) / len(side))
                @ np.bincount(side, minlength=2)
                / len(side)
            )
            * len(side)
            for side in (y[left], y[~left])
        )
        if best is None or impurity < best[0]:
            best = impurity, feature, cut
    return best[1:]


def roots(model):
    """Feature and threshold at the root of each tree."""
    return np.array([(tree.feature[0], tree.threshold[0]) for tree in model._trees])


def same_law(first, second):
    """Smallest p-value of tests that two samples of roots have one law."""
    counts = [np.bincount(s[:, 0].astype(int), minlength=3) for s in (first, second)]
    p_values = [stats.chi2_contingency(counts).pvalue]
    for feature in range(3):
        cuts = [s[s[:, 0] == feature, 1] for s in (first, second)]
        p_values.append(stats.ks_2samp(*cuts).pvalue)
    return min(p_values)


def test_law_is_that_of_a_fit_with_other_seeds():
    X, y = law_data()
    settings = {"max_features": 2, "max_depth": 1}
    model = RemovalForestClassifier(1500, random_state=0, **settings).fit(X, y)
    stale = roots(model)
    model.unlearn(X[:10])
    unlearned = roots(model)
    fitted = roots(
        RemovalForestClassifier(1500, random_state=1, **settings).fit(X[10:], y[10:])
    )
    rng = np.random.default_rng(2)
    written = np.array([root_of(X[10:], y[10:], rng) for _ in range(1500)])
    assert same_law(unlearned, fitted) > 0.001
    assert same_law(unlearned, written) > 0.001
    # two wrong rules: splits are never looked at again; thresholds are not drawn
    # again when their range shrinks (they are cut off at its end)
    assert same_law(stale, fitted) < 1e-6
    highest = X[10:].max(axis=0)[stale[:, 0].astype(int)]
    cut_off = np.column_stack([stale[:, 0], np.minimum(stale[:, 1], highest)])
    assert same_law(cut_off, fitted) < 1e-6


def test_random_words_are_those_of_the_reference():
    # known answers of Random123
    assert threefry((0, 0), 0, 0) == (0x6B200159, 0x99BA4EFE)
    ones = 0xFFFFFFFF
    assert threefry((ones, ones), ones, ones) == (0x1CB996FC, 0xBB002BE7)


def test_rows_with_one_target_are_not_parted():
    X = np.random.default_rng(0).normal(size=(60, 2))
    X[:, 0] = np.arange(60) % 2
    y = 3.0 * X[:, 0]
    y[8] = 5.0  # without this row the first column tells all
    model = RemovalForestRegressor(3, max_features=None, random_state=0).fit(X, y)
    assert all(len(tree.feature) > 1 for tree in model._trees)
    model.unlearn(X[[8]])
    assert all(len(tree.feature) == 1 for tree in model._trees)


def test_words_of_a_node_are_those_of_small_fast_counting():
    # sfc32 of PractRand, written for whole numbers of 32 bits
    u = np.uint32
    ours = state = first_state((1, 2))
    a, b, c, count = np.array(state, dtype=u)
    with np.errstate(over="ignore"):
        for _ in range(50):
            expected = a + b + count
            a, b = b ^ (b >> u(9)), c + (c << u(3))
            c, count = ((c << u(21)) | (c >> u(11))) + expected, count + u(1)
            word, ours = next_word(ours)
            assert (word, *ours) == (expected, a, b, c, count)


@compiled
def test_saved_code_belongs_to_the_sources():
    # numba saves machine code under the name of a function, which must change with any
    # file of the folder
    for function in (grow, forget, splice, add_means, add_shares):
        name = function.py_func.__qualname__
        assert name == f"{function.py_func.__name__}_{SOURCES:x}"
        assert function._cache._impl.filename_base.split("-")[0].endswith(name)


def test_an_export_has_no_rows_and_no_keys():
    X, y = load_iris(return_X_y=True)
    model = RemovalForestClassifier(5, random_state=0).fit(X, y)
    exported = model.export()
    assert exported._data is exported._tree_states is exported._keys is None
    assert np.array_equal(exported.predict_proba(X), model.predict_proba(X))
    assert len(pickle.dumps(exported)) < len(pickle.dumps(model)) / 2
    with pytest.raises(ValueError, match="exported copy"):
        exported.unlearn(X[:1], y[:1], X_retain=X[1:], y_retain=y[1:])
