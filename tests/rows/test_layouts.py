"""Containers of rows are taken apart, joined and looked up without a change."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import datetime
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.fixes import parse_version

from sklearn_unlearn.exact import Retrain
from sklearn_unlearn.exceptions import UnlearningWarning

WORDS = ["red", "green", "blue", "", "ö"]
FORMATS = ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]
HAS_NARWHALS = parse_version(sklearn.__version__) >= parse_version("1.9")
needs_narwhals = pytest.mark.skipif(
    not HAS_NARWHALS, reason="scikit-learn 1.9 or newer"
)


def columns_of_every_type(rng, n_rows):
    """Columns of pandas' types, some with missing values."""
    words = rng.choice(WORDS, n_rows)
    numbers, gaps = rng.integers(-3, 4, n_rows), rng.random(n_rows) < 0.3
    moments = pd.to_datetime(rng.integers(0, 10**18, n_rows))
    nullable = pd.array(numbers, dtype="Int64")
    nullable[gaps] = pd.NA
    return {
        "float": np.where(gaps, np.nan, numbers / 3),
        "float32": numbers.astype(np.float32),
        "int": numbers.astype(np.int64) + 2**60,
        "int8": numbers.astype(np.int8),
        "bool": gaps,
        "word": words,
        "own": pd.array(words, dtype="string"),
        "mixed": [*words[:-1], 1],
        "level": pd.Categorical(np.where(gaps, None, words), ordered=True),
        "number level": pd.Categorical(numbers),
        "nullable": nullable,
        "moment": moments,
        "zone": moments.tz_localize("Europe/Oslo", ambiguous=True, nonexistent="NaT"),
        "span": moments - moments[0],
        "period": moments.to_period("M"),
    }


def frame_of(rng, n_rows, index):
    """A frame of some of these columns, with one of several kinds of index."""
    columns = columns_of_every_type(rng, n_rows)
    names = rng.choice(sorted(columns), rng.integers(1, 8), replace=False)
    frame = pd.DataFrame({name: columns[name] for name in names})
    words = [f"{rng.choice(WORDS)}{i}" for i in range(n_rows)]
    frame.index = {
        "count": pd.RangeIndex(n_rows),
        "numbers": pd.Index(rng.permutation(n_rows), name="row"),
        "words": pd.Index(words),
        "levels": pd.MultiIndex.from_arrays(
            [words, columns["moment"], pd.Categorical(words)], names=["a", None, "c"]
        ),
        "categories": pd.CategoricalIndex(words),
        "zone": pd.DatetimeIndex(columns["zone"]),
    }[index]
    return frame


class Anything(BaseEstimator):
    """An estimator that takes whatever it is given."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self


def keep(X):
    """Return an unlearner that keeps these rows."""
    return Retrain(Anything()).fit(X)


def joined(X):
    """Have a container taken apart and joined again."""
    return keep(X).retained_rows().X


def assert_found(X, take):
    """All rows but the last are found, and the last one stays."""
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_rows > 1:
        model = keep(X).unlearn(take(X, slice(0, n_rows - 1)))
        assert model.n_forgotten_ == n_rows - 1


def by_place(X, rows):
    return X[rows]


def by_iloc(X, rows):
    return X.iloc[rows]


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.integers(1, 12),
    index=st.sampled_from(
        ["count", "numbers", "words", "levels", "categories", "zone"]
    ),
)
def test_frames_of_pandas(seed, n_rows, index):
    frame = frame_of(np.random.default_rng(seed), n_rows, index)
    assert_found(frame, by_iloc)
    assert_frame_equal(joined(frame), frame, check_categorical=False)
    # and after rows have gone
    stays = np.arange(n_rows) % 3 != 0
    if stays.any():
        rows = keep(frame).unlearn(frame[~stays], on_unknown="ignore").retained_rows().X
        if len(frame.drop_duplicates()) == n_rows:
            assert_frame_equal(rows, frame[stays], check_categorical=False)
        for name, dtype in rows.dtypes.items():
            if isinstance(dtype, pd.CategoricalDtype):
                assert set(dtype.categories) == set(rows[name].dropna())
                assert dtype.ordered == frame[name].dtype.ordered


@pytest.mark.parametrize("dtype", [object, "string", "category"])
def test_series_of_pandas(dtype):
    series = pd.Series(["a b", "c", "a b"], dtype=dtype, name="text", index=[5, 1, 9])
    assert_found(series, by_iloc)
    assert_series_equal(joined(series), series)
    left = keep(series).unlearn(series.tolist()[1:2]).retained_rows().X
    assert_series_equal(left, series.drop(1), check_categorical=False)


@pytest.mark.parametrize("cells", [[{"a": 1}, {"b": 2}, {}], [["a"], ["b", "c"], []]])
def test_series_of_dictionaries_and_lists(cells):
    series = pd.Series(cells, index=[5, 1, 9])
    left = keep(series).unlearn(series.iloc[[1]]).retained_rows().X
    assert_series_equal(left, series.drop(1))
    assert {type(cell) for cell in left} == {type(cells[0])}


def test_columns_of_one_name():
    frame = pd.DataFrame([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], columns=["a", "a"])
    left = keep(frame).unlearn(frame.iloc[[1]]).retained_rows().X
    assert_frame_equal(left, frame.drop(1))


def native_columns(rng, n_rows):
    """Columns of plain Python values, by the type that polars has for them."""
    pl = pytest.importorskip("polars")
    gaps = rng.random(n_rows) < 0.3
    words = [str(w) for w in rng.choice(WORDS, n_rows)]
    numbers = rng.integers(-3, 4, n_rows).tolist()
    start = datetime.datetime(2020, 1, 1)
    moments = [start + datetime.timedelta(hours=h) for h in numbers]

    def some(values):
        return [None if gap else value for gap, value in zip(gaps, values, strict=True)]

    return {
        "float": (some([n / 3 for n in numbers]), pl.Float64),
        "float32": (numbers, pl.Float32),
        "int": ([n + 2**60 for n in numbers], pl.Int64),
        "nullable": (some(numbers), pl.Int8),
        "bool": (gaps.tolist(), pl.Boolean),
        "word": (some(words), pl.String),
        "category": (words, pl.Categorical),
        "moment": (some(moments), pl.Datetime("us")),
        "zone": (some(moments), pl.Datetime("ns", "Europe/Oslo")),
        "date": (some([m.date() for m in moments]), pl.Date),
        "span": (some([m - start for m in moments]), pl.Duration("ms")),
        "list": ([[n, 1] for n in numbers], pl.List(pl.Int64)),
    }


@needs_narwhals
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(1, 12))
def test_frames_of_polars_and_pyarrow(seed, n_rows):
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    rng = np.random.default_rng(seed)
    columns = native_columns(rng, n_rows)
    names = rng.choice(sorted(columns), rng.integers(1, 8), replace=False)
    frame = pl.DataFrame([pl.Series(n, v, t) for n, (v, t) in columns.items()])
    frame = frame.select(names)
    assert_found(frame, by_place)
    again = joined(frame)
    assert again.schema == frame.schema
    assert again.equals(frame)
    table = frame.to_arrow()
    if "category" in names:
        small = pa.dictionary(pa.int8(), pa.large_string())
        place = table.column_names.index("category")
        words = pa.array(frame["category"].to_list(), type=small)
        table = table.set_column(place, "category", words)
    assert_found(table, lambda X, rows: X.slice(0, rows.stop))
    again = joined(table)
    assert again.schema.equals(table.schema.remove_metadata())
    assert again.equals(table)


@needs_narwhals
@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_words_of_forgotten_rows_leave_native_frames(library):
    pl = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    words = ["red", "blue", "canary", "red"]
    frame = pl.DataFrame(
        [
            pl.Series("word", words),
            pl.Series("category", words, dtype=pl.Categorical),
            pl.Series("level", words, dtype=pl.Enum(["red", "blue", "canary", "none"])),
        ]
    )
    table = frame if library == "polars" else frame.to_arrow()
    model = keep(table)
    assert b"none" not in pickle.dumps(model)
    model.unlearn(table[2:3] if library == "polars" else table.slice(2, 1))
    assert b"canary" not in pickle.dumps(model)
    assert model.retained_rows().X.shape == (3, 3)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ["matrix", "array"])
def test_sparse_rows(form, kind):
    X = getattr(sparse, f"{form}_{kind}")(np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 3.0]]))
    again = joined(X)
    assert type(again) is type(X)
    np.testing.assert_array_equal(again.toarray(), X.toarray())
    if form != "bsr" and form != "coo" and form != "dia":
        assert_found(X, by_place)
    assert keep(X).unlearn(X.tocsr()[:1]).n_forgotten_ == 1


LISTS = {
    "mixed": [["Male", 1], ["Female", 3.5], ["Male", None]],
    "tuples": [("Male", 1), ("Female", 3), ("Male", 2)],
    "whole and other numbers": [[1, 2.5], [2, 3.0], [1, 7.5]],
    "documents": ["a b", "", "c"],
    "bytes": [b"a", b"b", b"a"],
    "dictionaries": [{"a": 1, "b": ["x", "y"]}, {}, {"b": "z"}],
    "tokens": [["a", "b"], ["c"], []],
    "pairs": [[("a", 1)], [("b", 2)], [("c", 3)]],
    "tuple of lists": (["a", 1], ["b", 2], ["c", 3]),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists(name):
    rows = LISTS[name]
    again = joined(rows)
    assert repr(again) == repr(rows)
    left = keep(rows).unlearn(rows[1:2]).retained_rows().X
    assert repr(left) == repr(type(rows)([rows[0], rows[2]]))


def test_dictionaries_are_found_in_any_order():
    model = keep([{"a": 1, "b": {"c": 2, "d": 3}}, {"a": 2}])
    left = model.unlearn([{"b": {"d": 3, "c": 2}, "a": 1}]).retained_rows().X
    assert left == [{"a": 2}]


@pytest.mark.parametrize(
    "X",
    [
        np.arange(6.0).reshape(3, 2),
        np.arange(6).reshape(3, 2)[::-1],
        np.arange(24.0).reshape(3, 2, 4),
        np.array([["Male", 1], ["Female", 3], [None, 2]], dtype=object),
        np.array([["a", "b"], ["c", "d"]]),
        np.array(["a b", "c"], dtype=object),
        np.array(["2020-01-01", "NaT"], dtype="datetime64[s]").reshape(2, 1),
    ],
    ids=str,
)
def test_arrays(X):
    again = joined(X)
    assert again.dtype == X.dtype
    np.testing.assert_array_equal(again, X)
    assert_found(X, by_place)


def test_rows_that_are_not_in_memory_cannot_be_kept():
    frames = pytest.importorskip("dask.dataframe")
    frame = frames.from_pandas(pd.DataFrame({"a": [1.0, 2.0]}), npartitions=1)
    with pytest.warns(UnlearningWarning, match=r"dask DataFrame .* pass X.compute"):
        keep(frame)


@pytest.mark.skipif(HAS_NARWHALS, reason="scikit-learn older than 1.9")
def test_native_frames_need_a_newer_scikit_learn():
    pl = pytest.importorskip("polars")
    with pytest.warns(UnlearningWarning, match=r"polars .* scikit-learn 1.9"):
        keep(pl.DataFrame({"a": [1.0]}))
