"""A whole number that was rounded forgets nobody but the one row it stands for."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.exceptions import AmbiguousRowsError, UnknownRowsError


def fit(X):
    return ExactUnlearner(StandardScaler(with_mean=not sparse.issparse(X))).fit(X)


def frame(ids, x=0.5):
    return pd.DataFrame({"id": ids, "x": x})


@pytest.mark.parametrize("ask", [pd.DataFrame.to_numpy, lambda X: X.astype(float)])
def test_one_of_several_is_asked_about(ask):
    model = fit(frame(2**60 + np.arange(20)))
    for i in (0, 3):
        with pytest.raises(AmbiguousRowsError, match="integers") as caught:
            model.unlearn(ask(frame(2**60 + np.arange(20)).iloc[[i]]))
        assert caught.value.positions == (0,)
    assert model.n_forgotten_ == 0
    assert model.unlearn(frame([2**60 + 3])).n_forgotten_ == 1


def test_the_only_one_is_found():
    X = frame(2**60 + 1000 * np.arange(20) + 7)
    model = fit(X).unlearn(X.iloc[[3, 5]].to_numpy())
    np.testing.assert_array_equal(
        model.retained_rows().X["id"], X["id"].drop(index=[3, 5])
    )
    with pytest.raises(UnknownRowsError):
        model.unlearn(X.iloc[[3]].to_numpy())
    with pytest.raises(UnknownRowsError):
        model.unlearn(X.iloc[[4]].to_numpy() + 500.0)


def test_other_columns_tell_which_is_meant():
    X = frame(2**60 + np.arange(20), np.arange(20) // 2 + 0.5)
    X.loc[2, "x"] = 77.5
    model = fit(X)
    model.unlearn(X.iloc[[2, 3]].to_numpy())
    assert model.retained_rows().X["id"].tolist() == X["id"].drop(index=[2, 3]).tolist()
    with pytest.raises(AmbiguousRowsError):
        model.unlearn(X.iloc[[4]].to_numpy())


def test_single_precision():
    X = (2**24 + np.arange(10, dtype=np.int32)).reshape(-1, 1)
    model = fit(X)
    for i in (1, 4):
        query = X[[i]].astype(np.float32)
        assert int(query[0, 0]) == X[i, 0] - (i == 1)
        with pytest.raises(AmbiguousRowsError):
            model.unlearn(query)
    assert model.unlearn(X[[4]].astype(float)).n_forgotten_ == 1


@pytest.mark.parametrize(
    "start", [np.uint64(2**63), np.uint64(2**64 - 4096), np.int64(-(2**63))]
)
def test_the_ends_of_a_type(start):
    X = (start + np.arange(10, dtype=type(start))).reshape(-1, 1)
    model = fit(X)
    with pytest.raises(AmbiguousRowsError, match="integers"):
        model.unlearn(X[[3]].astype(float))
    assert model.unlearn(X[[3]]).n_forgotten_ == 1


def test_many_that_no_column_tells_apart():
    X = frame(2**60 + np.arange(3000) % 2)
    with pytest.raises(AmbiguousRowsError):
        fit(X).unlearn(X.iloc[[3]].to_numpy())
    X = frame(np.full(3000, 2**60 + 1))
    assert fit(X).unlearn(X.iloc[[3, 4]].to_numpy()).n_forgotten_ == 2


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.coo_matrix])
def test_sparse_rows_do_not_know_rounded_numbers(kind):
    X = kind(np.array([[2**60, 0], [2**60 + 1, 0], [0, 1]]))
    with pytest.raises(UnknownRowsError):
        fit(X).unlearn(np.array([[2.0**60, 0]]))
    with pytest.raises(UnknownRowsError):
        fit(X).unlearn(sparse.csr_array(np.array([[2.0**60, 0]])))


def test_sparse_rows_beside_rounded_ones_are_found():
    X = np.array([[2**60, 0], [2**60 + 1, 0], [0, 1], [0, 2]])
    asked = np.array([[2.0**60, 0], [0, 1], [2.0**60, 2.0**60]])
    for query in (asked, sparse.csr_array(asked)):
        model = fit(sparse.csr_array(X)).unlearn(query, on_unknown="ignore")
        np.testing.assert_array_equal(
            model.retained_rows().X.toarray(), np.delete(X, 2, axis=0)
        )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    start=st.sampled_from([2**24 - 9, 2**25 + 6, 2**53 - 9, 2**54 + 3, -(2**55)]),
    step=st.sampled_from([1, 3, 8]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_numbers_that_round_alike(seed, start, step, dtype):
    rng = np.random.default_rng(seed)
    ids = start + step * rng.permutation(40)[:12]
    X = np.column_stack([ids, rng.integers(0, 2, 12)])
    model, query = fit(X), X[[rng.integers(12)]].astype(dtype)
    alike = (X.astype(dtype) == query).all(axis=1)
    is_exact = abs(query[0, 0]) < 2 ** (np.finfo(dtype).nmant + 1)
    if alike.sum() == 1 or is_exact:
        model.unlearn(query)
        np.testing.assert_array_equal(model.retained_rows().X, X[~alike])
    else:
        with pytest.raises(AmbiguousRowsError):
            model.unlearn(query)
