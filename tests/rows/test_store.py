"""Kept rows are found by value, as a multiset, and no wrong row ever is."""

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
from sklearn.decomposition import PCA

from sklearn_unlearn.exceptions import AmbiguousRowsError, UnknownRowsError
from sklearn_unlearn.rows import _cells
from sklearn_unlearn.rows._store import RowStore

CELLS = [0.0, -0.0, 1.0, -1.0, 0.1, np.nan, np.inf, -np.inf, 1e300, 2.5]


def key(row):
    """A row as something to count: NaN equals NaN, -0.0 equals 0.0."""
    return tuple("nan" if v != v else v + 0.0 for v in row)


def reference_forget(rows, request):
    """Positions that a plain search from the end would take; None if unknown."""
    left = {}
    for i, row in enumerate(rows):
        left.setdefault(key(row), []).append(i)
    chosen, unknown = [], []
    for q, row in enumerate(request):
        if left.get(key(row)):
            chosen.append(left[key(row)].pop())
        else:
            unknown.append(q)
    return sorted(chosen), unknown


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.integers(1, 900),
    n_columns=st.integers(1, 4),
    n_queries=st.integers(1, 2500),
    kind=st.sampled_from(["cells", "float32", "integers", "sparse"]),
)
def test_a_wrong_row_is_never_found(seed, n_rows, n_columns, n_queries, kind):
    # 150 examples of about 1250 requests; many of the rows asked for are strangers
    rng = np.random.default_rng(seed)
    if kind == "cells":
        pool = rng.choice(CELLS, size=(n_rows + 40, n_columns))
    elif kind == "integers":
        pool = rng.integers(-3, 4, size=(n_rows + 40, n_columns))
    elif kind == "sparse":
        pool = rng.choice([0.0, 0.0, 0.0, 1.0, 2.0], size=(n_rows + 40, n_columns))
    else:
        # numbers that are further apart than the tolerance
        pool = rng.permutation((n_rows + 40) * n_columns).reshape(-1, n_columns)
        pool = (0.37 * (pool + 1)).astype(np.float32)
    kept = pool[rng.integers(0, n_rows, n_rows)]
    queries = pool[rng.integers(0, len(pool), n_queries)]
    expected, unknown = reference_forget(kept, queries)
    data, request = kept, queries
    if kind == "sparse":
        data, request = sparse.csr_array(kept), sparse.csr_matrix(queries)
    store = RowStore.keep(data)
    assert store.find(request, on_unknown="ignore").tolist() == expected
    if unknown:
        with pytest.raises(UnknownRowsError, match=rf"^{len(unknown)} of"):
            store.find(request)
    left = store.drop(np.array(expected, dtype=np.int64))
    rest = left.rows().X
    rest = rest.toarray() if sparse.issparse(rest) else rest
    np.testing.assert_array_equal(rest, np.delete(kept, expected, axis=0))
    if len(rest):  # and again, from an index that was cut
        again, _ = reference_forget(rest, queries)
        assert left.find(request, on_unknown="ignore").tolist() == again


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
    outlier=st.sampled_from([1.0, 1e6, 1e13]),
)
def test_rounding_is_forgiven_and_no_more(seed, dtype, outlier):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(400, 5)).astype(dtype)
    # must not widen anything; a whole number would not be forgiven another one
    X[0, 0] = outlier + 0.25
    store = RowStore.keep(X)
    chosen = rng.choice(400, 50, replace=False)
    # the last digits, which a second computation of a row changes
    r = {np.float32: 1e-5, np.float64: 1e-13}[dtype]
    nearly = X[chosen] * (1 + 0.2 * r * rng.uniform(-1, 1, size=(50, 5))).astype(dtype)
    assert store.find(nearly).tolist() == sorted(chosen)
    strangers = X[chosen] + dtype({np.float32: 1e-2, np.float64: 1e-6}[dtype])
    with pytest.raises(UnknownRowsError, match=r"^50 of 50"):
        store.find(strangers)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), labels=st.sampled_from(["words", "numbers"]))
def test_targets_choose_between_copies(seed, labels):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, size=(60, 2)).astype(float)
    code = rng.integers(0, 3, 60)
    y = np.array(["a", "b", "c"])[code] if labels == "words" else code * 0.1
    order = rng.permutation(60)[:20]
    joint = np.column_stack([X, code])
    expected, _ = reference_forget(joint, joint[order])
    assert RowStore.keep(X, y).find(X[order], y[order]).tolist() == expected


def test_rows_with_one_hash_are_all_compared(monkeypatch):
    def constant(self, parts, memo=None):
        return np.zeros(parts[0].shape[0], dtype=np.uint64)

    monkeypatch.setattr(_cells.RowHash, "__call__", constant)
    X = np.repeat(np.arange(10.0), 2).reshape(10, 2)
    X = np.vstack([X, X[:4]])
    store = RowStore.keep(X, np.arange(14) % 2)
    assert store.find(X[[7, 12, 5, 2]]).tolist() == [2, 5, 7, 12]
    assert store.find(X[[3]], [1]).tolist() == [13]
    with pytest.raises(UnknownRowsError, match="2 of 3"):
        store.find([[0.0, 1.0], [4.0, 4.0], [0.5, 0.5]])
    with pytest.raises(UnknownRowsError, match=r"1 of 2 .* as often as asked for"):
        store.find(X[[8, 8]])
    left = store.drop([5, 7])
    assert left.find(X[[8]]).tolist() == [6]
    assert not len(left.find(X[[5]], on_unknown="ignore"))


def test_ambiguity_asks_for_more():
    X = np.array([[1.0], [1.0 + 1e-12], [2.0], [2.0]])
    y = np.array([0, 0, 0, 1])
    store = RowStore.keep(X, y)
    with pytest.raises(UnknownRowsError):
        store.find([[1.0 + 5e-13]])
    assert store.find([[1.0]]).tolist() == [0]  # an exact match wins
    with pytest.raises(AmbiguousRowsError, match="y_forget"):
        store.find([[2.0]])
    assert store.find([[2.0], [2.0]]).tolist() == [2, 3]  # all of them: no doubt
    assert store.find([[2.0]], [0]).tolist() == [2]
    with pytest.raises(UnknownRowsError):
        store.find([[2.0]], [5])
    with pytest.raises(ValueError, match="y_forget"):
        store.find([[2.0]], [0, 1])


@pytest.mark.parametrize(
    ("kept", "query", "found"),
    [
        (np.array([[1, 2], [3, 4]]), [[3.0, 4.0]], [1]),
        (np.array([[1, 2], [3, 4]]), [[3.5, 4.0]], []),
        (np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[3, 4]]), [1]),
        (np.array([[1.0, 2.0], [3.0, 4.0]]), [["x", "y"]], []),
        (np.array([["a", 1], ["b", None]], dtype=object), [["b", np.nan]], [1]),
        (np.array([["a", 1], ["1", 1]], dtype=object), [[1, 1]], []),
        (np.array([["a", 1], ["b", 2.0]], dtype=object), [["b", 2]], [1]),
        (np.array([["a"], ["b"]]), [["b"]], [1]),
        (np.array([[True], [False]]), [[0]], [1]),
        (["some words", "other words"], ["other words"], [1]),
        (np.array([[2**60], [2**60 + 1]]), np.array([[2**60 + 1]]), [1]),
        (np.array([["2020-01-01"]], dtype="M8[D]"), [["2020-01-01"]], [0]),
        (np.array([[0.5], [np.nan]], np.longdouble), [[np.nan], [2.0]], [1]),
        (
            np.array([[-0.0], [1.5]], np.longdouble),
            np.array([[0.0]], np.longdouble),
            [0],
        ),
    ],
)
def test_queries_are_cast_to_what_was_kept(kept, query, found):
    assert RowStore.keep(kept).find(query, on_unknown="ignore").tolist() == found


def test_sparse_rows_in_any_order():
    data = sparse.csr_matrix(np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0], [3.0, 0, 0]]))
    store = RowStore.keep(data)
    untidy = sparse.csr_matrix(
        (np.array([2.0, 0.5, 0.5, 0.0]), np.array([2, 1, 1, 0]), np.array([0, 4])),
        shape=(1, 3),
    )
    assert store.find(untidy).tolist() == [0]
    assert store.find(np.zeros((1, 3))).tolist() == [1]
    assert store.find(data[[2]] * (1 + 1e-11)).tolist() == [2]
    assert type(store.rows().X) is sparse.csr_matrix


def frame(n_rows=600):
    rng = np.random.default_rng(0)
    names = [f"person {i}" for i in range(n_rows)]
    return pd.DataFrame(
        {
            "name": pd.Categorical(names, ordered=True),
            "town": rng.choice(["Oslo", "Rome", None], n_rows),
            "x": rng.normal(size=n_rows),
            "n": pd.array(rng.integers(0, 9, n_rows), dtype="Int64"),
            "day": pd.date_range("2020-01-01", periods=n_rows, tz="UTC"),
            "k": rng.integers(0, 9, n_rows),
        }
    )


def test_frames_come_back_as_they_were_without_the_forgotten():
    table = frame()
    table.loc[3, "n"] = pd.NA
    store = RowStore.keep(table)
    positions = store.find(table.iloc[[3, 500, 77]])
    assert positions.tolist() == [3, 77, 500]
    left = store.drop(positions)
    expected = table.drop(index=[3, 77, 500])
    expected["name"] = expected["name"].cat.remove_unused_categories()
    pd.testing.assert_frame_equal(left.rows().X, expected)
    written = pickle.dumps(left)
    assert b"person 77" not in written and b"person 78" in written
    plain = table.astype({"name": str, "n": object})
    assert store.find(plain.iloc[[8]]).tolist() == [8]


def test_untouched_blocks_are_shared():
    X = np.random.default_rng(0).normal(size=(1000, 3))
    store = RowStore.keep(X, np.arange(1000))
    store.build_index()
    left = store.drop(np.array([5, 6, 999]))
    same = [a is b for a, b in zip(store._blocks, left._blocks, strict=True)]
    assert same.count(False) == 2 and not same[0] and not same[-1]
    assert all(v.base is None for block in left._blocks for v in block.values())
    hashes = np.concatenate([h for h, _ in left._index._buckets])
    gone = store.hash_rows([X[[5, 6, 999]]])
    assert not np.isin(gone, hashes).any()


def test_rows_behind_a_float32_transformer_are_found_one_by_one():
    X = np.random.default_rng(0).normal(size=(800, 20)).astype(np.float32)
    pca = PCA(10, svd_solver="full").fit(X)
    store = RowStore.keep(pca.transform(X))
    for i in range(0, 800, 40):
        assert store.find(pca.transform(X[[i]])).tolist() == [i]


def test_groups():
    store = RowStore.keep(np.zeros((6, 1)), groups=np.array(list("abacab")))
    assert store.find_groups(np.array(["a", "c"])).tolist() == [0, 2, 3, 4]
    with pytest.raises(UnknownRowsError, match=r"1 of 2 ids"):
        store.find_groups(np.array(["a", "z"]))
    assert not store.drop(np.array([3])).find_groups(["c"], on_unknown="ignore").size


def test_cells_that_are_no_values_are_refused():
    X = np.empty((1, 1), dtype=object)
    X[0, 0] = [1, 2]
    with pytest.raises(TypeError, match="neither numbers nor words"):
        RowStore.keep(X).find(X)


def test_adult_duplicates(loaders):
    data = loaders.adult()
    table, label = data["X"], data["y"]
    joint = table.assign(label=label)
    twice = joint[joint.duplicated(keep=False)]
    store = RowStore.keep(table, label)
    n_copies = len(twice)
    assert n_copies > 50
    rows = twice.drop(columns="label")
    assert len(store.find(rows, twice["label"].to_numpy())) == n_copies


@pytest.mark.slow
def test_a_million_rows():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1_000_000, 50))
    store = RowStore.keep(rows)
    chosen = np.sort(rng.choice(1_000_000, 1000, replace=False))
    np.testing.assert_array_equal(store.find(rows[chosen]), chosen)
    np.testing.assert_array_equal(store.find(rows[chosen] * (1 + 1e-14)), chosen)
    left = store.drop(chosen)
    assert left.n_rows == 999_000
    assert not len(left.find(rows[chosen], on_unknown="ignore"))


# -------------------------------------------------------------- what a query means


def objects(*rows):
    return np.array(rows, dtype=object)


def hashes(store, parts):
    """All row hashes that a store holds, and those of other rows."""
    store.build_index()
    held = Counter(h for h, _ in store._index._buckets for h in h.tolist())
    return held, Counter(store.hash_rows(parts).tolist())


# 1e150 is beyond what counts for the scale of a column
FLOATS = [0.0, -0.0, 2.0, 1.5, np.nan, np.inf, -np.inf, 1e150]
ANY_CELLS = [
    *FLOATS,
    True,
    "1",
    "a",
    "",
    2**60,
    2**60 + 1,
]  # no two of them are equal but of different types


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
            X[place] = ANY_CELLS[rng.integers(len(ANY_CELLS))]
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
    held, those_of_the_rest = hashes(kept, *expected.chunks())
    assert held == those_of_the_rest
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
    expected = X.iloc[[0, 2]]
    expected["name"] = expected["name"].cat.remove_unused_categories()
    pd.testing.assert_frame_equal(rest, expected)


# ----------------------------------------------------- rows that are hard to tell apart

N_ROWS = 50_000


def contents():
    """Rows that are hard to tell apart, and others that are not among them."""
    rng = np.random.default_rng(0)
    shape, asked = (N_ROWS, 6), (200, 6)
    X, Q = rng.normal(size=shape), rng.normal(size=asked)
    yield X, Q
    fill, Q_fill = X.copy(), Q.copy()
    fill[rng.random(N_ROWS) < 0.3, 4] = Q_fill[:, 4] = 9.96921e36
    yield fill, Q_fill
    huge, Q_huge = X.copy(), Q.copy()
    for rows in (huge[::3], Q_huge):
        rows[:, :2] = 1e80, -1e80
    yield huge, Q_huge
    lattice, Q_lattice = (rng.choice([0.0, 0.1, 0.7], size=s) for s in (shape, asked))
    lattice[:, 0], Q_lattice[:, 0] = lattice[:, 1], 0.1 - Q_lattice[:, 1]
    yield lattice, Q_lattice
    pair = lattice.copy()  # two values of each column are neighbours
    pair[0], pair[1] = 0.5, np.nextafter(0.5, 1)
    yield pair, Q_lattice
    for width in (1e-12, 1e-14):
        yield 1 + width * X, 1 + width * Q
    one, Q_one = np.ones(shape), np.ones(asked)
    one[:, 3], Q_one[:, 3] = X[:, 3], Q[:, 3]
    yield one, Q_one
    yield np.repeat(X[:20], N_ROWS // 20, axis=0), Q


class Counted(RowStore):
    """A store that counts the rows that are read."""

    n_read = 0

    def columns_at(self, positions, names=None):
        type(self).n_read += len(positions)
        return super().columns_at(positions, names)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", range(9))
def test_few_rows_are_compared_with_an_unknown_one(monkeypatch, case, dtype):
    with np.errstate(over="ignore"):
        X, Q = (rows.astype(dtype) for rows in list(contents())[case])
    store = Counted.keep(X)
    monkeypatch.setattr(Counted, "n_read", 0)
    found = store.find(Q, on_unknown="ignore")
    assert Counted.n_read < 1000 * len(Q)
    for row in store.take(found).X if len(found) else []:
        assert (Q == row).all(axis=1).any()


def test_two_stores_hash_rows_differently():
    X = np.random.default_rng(0).normal(size=(100, 2))
    hashes = [RowStore.keep(X).hash_rows([X]) for _ in range(2)]
    assert not np.isin(*hashes).any()
