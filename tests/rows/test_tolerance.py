"""A row that was never fitted is unknown, however near to a kept one it lies."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.exceptions import UnknownRowsError

STEPS = np.arange(60)
COLUMNS = {
    "unix times": 1.7e9 + STEPS * 2.0 + 0.25,
    "near one another": 1013.25 + 1.5e-6 * STEPS,
    "float32": (20000.25 + 0.3 * STEPS).astype(np.float32),
    "nearer float32": (20000.25 + 0.03125 * STEPS).astype(np.float32),
    "a tiny and a large gap": np.r_[5.25, 5.25 + 1e-9, 1e9 + 2.0 * STEPS[2:] + 0.5],
}


def table(column, other):
    """A table of one column beside others."""
    n_rows, dtype = len(column), column.dtype
    beside = {
        "constant": np.full((n_rows, 1), 3.0),
        "itself": column[:, None],
        "normal": np.random.default_rng(0).normal(size=(n_rows, 1)),
    }[other]
    return np.hstack([beside.astype(dtype), column[:, None]])


def is_unknown(model, row, y=None):
    n_rows = model.retained_rows().X.shape[0]
    with pytest.raises(UnknownRowsError):
        model.unlearn(row, y)
    return model.retained_rows().X.shape[0] == n_rows


@pytest.mark.parametrize("other", ["constant", "itself", "normal"])
@pytest.mark.parametrize("name", COLUMNS)
def test_a_neighbour_is_another_row(name, other):
    X = table(COLUMNS[name], other)
    model = ExactUnlearner(StandardScaler()).fit(X[:40])
    stranger = X[39:40].copy()
    stranger[0, 1] = X[40, 1]  # a step further, all else the same
    assert is_unknown(model, stranger)
    assert is_unknown(model, X[40:41])
    # forgotten rows are strangers, to a copy from a pickle as well
    model.unlearn(X[[7, 20]])
    for copy in (model, pickle.loads(pickle.dumps(model))):
        for i in (7, 20):
            assert is_unknown(copy, X[[i]])
    model.unlearn(np.delete(X[8:40], 12, axis=0))
    assert model.unlearn(X[[0]]).n_forgotten_ == 34


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_the_last_of_a_column_is_no_other(kind):
    X = np.array([[1.7e9 + 0.25, 1.0], [1.7e9 + 2.25, 1.0], [1.7e9 + 4.25, 1.0]])
    model = ExactUnlearner(StandardScaler(with_mean=False)).fit(kind(X))
    model.unlearn(kind(X[1:2]))
    assert is_unknown(model, kind(X[1:2]))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_neighbour_is_another_sparse_row(name):
    X = table(COLUMNS[name], "constant")
    X[::7] = 0
    kept = sparse.csr_array(X[:39])
    model = ExactUnlearner(StandardScaler(with_mean=False)).fit(kept)
    for i in (39, 40):
        assert is_unknown(model, sparse.csr_array(X[[i]]))
    assert is_unknown(model, sparse.csr_array(X[[20]] * [2, 1]))
    model.unlearn(sparse.csr_array(X[[20]]))
    assert is_unknown(model, sparse.csr_array(X[[20]]))
    close = X[30:32] * (1 + 1e-14 * (X.dtype == np.float64))
    assert model.unlearn(sparse.csr_array(close)).n_forgotten_ == 3


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_columns_of_zeros_and_of_one_other_number(kind):
    X = np.column_stack([np.zeros(9), np.arange(9) % 3 == 0, np.full(9, 2.5)])
    model = ExactUnlearner(StandardScaler(with_mean=False)).fit(kind(X))
    # where a column has two values, their distance tells how far a number may be off
    off = np.array([[0.0, 1e-11, 1e-14]])
    assert model.unlearn(kind(X[[0]] + off)).n_forgotten_ == 1
    assert is_unknown(model, kind(X[[3]] + off[:, [0, 1, 1]]))


@pytest.mark.parametrize("name", COLUMNS)
def test_targets_are_told_apart_as_well(name):
    y = COLUMNS[name].astype(float)
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = ExactUnlearner(Ridge()).fit(X, y)
    assert is_unknown(model, X[[9]], y[[10]])
    assert model.unlearn(X[[9]], y[[9]]).n_forgotten_ == 1
    assert is_unknown(model, X[[9]], y[[9]])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    start=st.sampled_from([0.25, 1013.25, 1.7e9, -3e5]),
    step=st.sampled_from([1e-6, 1e-3, 0.25, 30.5]),
    share=st.sampled_from([0.0, 1e-4, 1e-2, 0.3, 1.0]),
)
def test_a_share_of_the_gap_at_most(seed, start, step, share):
    # the tolerance is at most 1e-3 of the distance of the nearest kept values
    rng = np.random.default_rng(seed)
    X = start + step * rng.permutation(200).reshape(100, 2)
    model = ExactUnlearner(StandardScaler()).fit(X)
    query, j = X[[3]].copy(), rng.integers(2)
    query[0, j] += share * step * rng.choice([-1, 1])
    off = abs(query[0, j] - X[3, j])
    if off == 0:
        assert model.unlearn(query).n_forgotten_ == 1
    elif off > 1.1e-3 * step:
        assert is_unknown(model, query)
    elif off < 0.4e-3 * step and off < 0.4e-9 * abs(X[3, j]):
        assert model.unlearn(query).n_forgotten_ == 1


@pytest.mark.parametrize("n_rows", [100, 20_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_computed_again_are_found(n_rows, dtype):
    X = np.random.default_rng(0).normal(size=(n_rows, 8)).astype(dtype)
    pca = PCA(5, svd_solver="full").fit(X)
    Z = pca.transform(X)
    again = np.vstack([pca.transform(X[[i]]) for i in range(40)])
    model = ExactUnlearner(StandardScaler()).fit(Z).unlearn(again)
    np.testing.assert_array_equal(model.retained_rows().X, Z[40:])
    assert is_unknown(model, again[:1])


def test_an_exact_row_wins_over_one_an_ulp_away():
    X = np.random.default_rng(0).normal(size=(50, 3))
    X[1] = np.nextafter(X[0], np.inf)
    for i in (0, 1):
        model = ExactUnlearner(StandardScaler()).fit(X).unlearn(X[[i]])
        np.testing.assert_array_equal(model.retained_rows().X, np.delete(X, i, 0))
