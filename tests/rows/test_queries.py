"""What a query means: types, missing values, extremes and empty requests."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sklearn_unlearn.exceptions import AmbiguousRowsError, UnknownRowsError
from sklearn_unlearn.rows._store import RowStore


def objects(*rows):
    return np.array(rows, dtype=object)


def hashes(store):
    """All row hashes that a store holds."""
    store.build_index()
    return Counter(h for h, _ in store._index._buckets for h in h.tolist())


# 1e150 is beyond what counts for the scale of a column
FLOATS = [0.0, -0.0, 1.0, 1.5, np.nan, np.inf, -np.inf, 1e150]
CELLS = [*FLOATS, None, True, 1, "1", "a", "", pd.NA, pd.NaT, 2**60, 2**60 + 1]


def value(cell):
    """What a cell counts as: the reference for equality."""
    if cell is None or cell is pd.NA or cell is pd.NaT or cell != cell:
        return "missing"
    return ("word", cell) if isinstance(cell, str) else cell


def make_table(rng, kind, n_rows):
    """Return rows with many copies, as an array or frame, and as plain tuples."""
    if kind == "floats":
        X = rng.choice(FLOATS, size=(n_rows, 2))
    elif kind == "integers":
        X = rng.integers(-1, 2, size=(n_rows, 3))
    else:
        X = np.empty((n_rows, 2), dtype=object)
        for place in np.ndindex(X.shape):
            X[place] = CELLS[rng.integers(len(CELLS))]
    plain = [tuple(map(value, row)) for row in X.tolist()]
    return (pd.DataFrame(X) if kind == "frame" else X), plain


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["floats", "integers", "objects", "frame"]),
)
def test_requests_against_lists(seed, kind):
    rng = np.random.default_rng(seed)
    n_kept, n_asked = rng.integers(1, 400), rng.integers(1, 2000)
    X, plain = make_table(rng, kind, n_kept)
    query, plain_query = make_table(rng, kind, n_asked)
    store = RowStore.keep(X)
    if seed % 2:
        store.build_index()
    left = {}
    for position, row in enumerate(plain):
        left.setdefault(row, []).append(position)
    found, unknown = [], []
    for i, row in enumerate(plain_query):
        # the last kept of equal copies goes first
        (found.append(left[row].pop()) if left.get(row) else unknown.append(i))

    positions = store.find(query, on_unknown="ignore")

    np.testing.assert_array_equal(positions, sorted(found))
    if unknown:
        message = (
            f"{len(unknown)} of {n_asked} rows in X_forget.*positions {unknown[0]}"
        )
        with pytest.raises(UnknownRowsError, match=message):
            store.find(query)
    kept = store.drop(positions)
    stays = np.setdiff1d(np.arange(n_kept), positions)
    expected = RowStore.keep(X.iloc[stays] if kind == "frame" else X[stays])
    assert hashes(kept) == hashes(expected)
    rest = kept.rows().X
    rest = rest.to_numpy(dtype=object) if kind == "frame" else rest
    assert [tuple(map(value, r)) for r in rest.tolist()] == [plain[i] for i in stays]


@pytest.mark.parametrize(
    ("kept", "query"),
    [
        (sparse.csr_array([[1, 0], [2, 3]]), np.array([[1.5, 0]])),
        (sparse.csr_array([[1, 0], [2, 3]]), sparse.csr_array([[1.5, 0]])),
        (sparse.csr_array(np.eye(2)), objects(["a", 0])),
        (np.array([[np.inf]], np.float32), np.array([[1e300]])),
        (np.array([[1.0]]), objects(["1"])),
        (np.array([[2**60]]), objects([2**60 + 1])),
        (np.array([[2**63 - 1]]), np.array([[2.0**63]])),
        (np.array([[0]], np.uint8), np.array([[256]])),
        (np.array([[1]]), np.array([[np.nan]])),
        (np.array([[1]]), np.array([["2020"]], "M8[ns]")),
        (pd.DataFrame({"a": [0]}), pd.DataFrame({"a": ["x"]})),
    ],
)
def test_values_that_a_column_cannot_hold_are_unknown(kept, query):
    with pytest.raises(UnknownRowsError):
        RowStore.keep(kept).find(query)


def test_large_whole_numbers_are_not_rounded():
    ids = pd.DataFrame({"id": [2**60, 2**60 + 1], "age": [3, 4]})
    store = RowStore.keep(ids)
    assert store.find(ids.astype({"age": float}).iloc[1:]).tolist() == [1]
    assert store.find(objects([2**60 + 1, 4])).tolist() == [1]


def test_an_odd_cell_spoils_its_own_row_only():
    days = pd.DataFrame({"day": pd.to_datetime(["2020-01-01", "2021-01-01", None])})
    query = pd.DataFrame({"day": [pd.Timestamp("2021-01-01"), "?", None]}, dtype=object)
    store = RowStore.keep(days)
    assert store.find(query, on_unknown="ignore").tolist() == [1, 2]
    with pytest.raises(UnknownRowsError, match="1 of 3"):
        store.find(query)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, pd.DataFrame])
def test_nothing_asked_and_nothing_kept(kind):
    X = np.eye(3)
    store = RowStore.keep(kind(X), np.arange(3))
    assert store.find(kind(np.empty((0, 3)))).tolist() == []
    assert store.take([]).X.shape == (0, 3)
    assert store.drop([]).n_rows == 3
    nobody = store.drop(np.arange(3))
    assert nobody.rows().X.shape == (0, 3)
    assert nobody.find(kind(X), on_unknown="ignore").tolist() == []


def test_wide_sparse_rows_are_compared_without_zeros():
    rng = np.random.default_rng(0)
    data, rows = rng.uniform(1, 2, 6000), np.repeat(np.arange(2000), 3)
    places = rows, np.tile([0, 5, 10**6], 2000)
    X = sparse.csr_array((data, places), shape=(2000, 10**6 + 1))
    found = RowStore.keep(X).find(X * (1 + 1e-11))
    np.testing.assert_array_equal(found, np.arange(2000))


def test_targets_have_the_tolerance_of_a_column():
    y = np.array([0.0, 5.0, 3.0, 4.0])
    store = RowStore.keep(np.ones((4, 1)), y)
    assert store.find(np.ones((2, 1)), [4.0 + 1e-10, 1e-12]).tolist() == [0, 3]
    with pytest.raises(UnknownRowsError, match="1 of 2"):
        store.find(np.ones((2, 1)), [4.001, 5.0])
    labels = RowStore.keep(np.ones((2, 1)), [0, 1])
    # a label that does not exist leaves the others alone
    assert labels.find(np.ones((2, 1)), [0.5, 1.0], on_unknown="ignore").tolist() == [1]
    with pytest.raises(AmbiguousRowsError, match="y_forget"):
        labels.find(np.ones((1, 1)))


def test_no_word_of_a_forgotten_row_is_pickled():
    X = pd.DataFrame(
        {
            "name": pd.Categorical(
                ["Ann", "Zebedee", "Ann"], ["Zebedee", "Ann", "Max"]
            ),
            "town": ["Rome", "Timbuktu", "Rome"],
            "size": pd.array([1, 7, None], dtype="Int64"),
        }
    )
    store = RowStore.keep(X)
    store.build_index()
    assert b"Max" not in pickle.dumps(store)  # an unused level at the start
    kept = store.drop(store.find(X.iloc[[1]]))
    written = pickle.dumps(kept)
    assert b"Zebedee" not in written and b"Timbuktu" not in written
    rest = pickle.loads(written).rows().X
    expected = X.iloc[[0, 2]].reset_index(drop=True)
    expected["name"] = expected["name"].cat.remove_unused_categories()
    pd.testing.assert_frame_equal(rest, expected)
