"""Ids keep their types, whatever they come in; missing ones are nobody's."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import datetime
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.exceptions import UnknownRowsError, UnlearningWarning
from sklearn_unlearn.neural_network import S3TClassifier


def fit(ids, n_rows=None):
    n_rows = len(ids) if n_rows is None else n_rows
    X = np.arange(2.0 * n_rows).reshape(n_rows, 2)
    return ExactUnlearner(StandardScaler()).fit(X, groups=ids)


def left(ids, asked):
    """Positions of the rows that stay after a request by ids."""
    model = fit(ids).unlearn(groups=asked)
    return (model.retained_rows().X[:, 0] / 2).astype(int).tolist()


DAYS = ["2020-01-01", "2021-01-01"]
LARGE = [2**60, 2**60 + 1, None]  # which floating-point numbers cannot tell apart


@pytest.mark.parametrize(
    ("ids", "asked", "stay"),
    [
        ([7, "7", "a", 8], ["7"], [0, 2, 3]),
        ([1, "1", True, 2], [1], [1, 2, 3]),
        ([1, "1", True, 2], [True], [0, 1, 3]),
        ([7, "7", 7.0, 8], [7.0], [1, 3]),
        ([7, 7, 8], [Decimal(7)], [2]),
        ([Decimal(7), "x"], [7], [1]),
        ([2**60, 2**60 + 1], [2**60], [1]),
        ([2**63, -1], [-1], [0]),
        ([2**70, 1], [2**70], [1]),
        (["ann", "bob"], "ann", [1]),
        (np.array([[7], [11]]), [11], [0]),
        ([[7], [11]], [[7]], [1]),
        ([(7,), (11,)], [(7,)], [1]),
        ([("no", 7), ("se", 7)], [("se", 7)], [0]),
        (pd.DataFrame({"id": [7, 11]}), pd.DataFrame({"id": [11]}), [0]),
        (pd.Series(["a", "b"], index=[5, 6]), pd.Series(["b"], index=[9]), [0]),
        (pd.Index([7, 11]), pd.Index([7]), [1]),
        (pd.Categorical(["a", "b", "a"]), ["a"], [1]),
        (pd.array([7, 11, None], dtype="Int64"), [7], [1, 2]),
        (np.array([2.0**53 - 1, 7]), [2**53 - 1], [1]),
        (np.array([2.0**24 - 1, 7], np.float32), [2**24 - 1], [1]),
        (np.array(["ab", "cd"]), np.array(["ab"]), [1]),
        (np.array(DAYS, "M8[ns]"), [pd.Timestamp(DAYS[0])], [1]),
        (np.array(DAYS, "M8[D]"), [datetime.date(2021, 1, 1)], [0]),
        ([True, False, False], [True], [1, 2]),
        (pd.array([2**60, 2**60 + 1, None], dtype="Int64"), [2**60], [1, 2]),
        (pd.DataFrame({"id": LARGE}, dtype="Int64"), [2**60], [1, 2]),
        (pl.Series(LARGE), [2**60], [1, 2]),
        (pl.DataFrame({"id": LARGE}), pl.Series([2**60, None])[:1], [1, 2]),
        (pa.array(LARGE), [2**60], [1, 2]),
        (pa.chunked_array([LARGE]), [2**60], [1, 2]),
        (pa.table({"id": LARGE}), pa.array([2**60]), [1, 2]),
        (pa.array(["a", "b", None]), pa.array(["a"]), [1, 2]),
        (np.ma.array([7, 7, 8], mask=[False, True, False]), [7], [1, 2]),
        ([2j, 1], [2j], [1]),
        (np.array([(7, "a"), (8, "b")], dtype="i8,O"), [(7, "a")], [1]),
    ],
)
def test_ids_keep_their_types(ids, asked, stay):
    assert left(ids, asked) == stay


@pytest.mark.parametrize(
    ("ids", "asked"),
    [
        ([1, 2], [True]),
        ([True, False], [1]),
        ([1, 2], ["1"]),
        (["1", "2"], [1]),
        ([2**60 + 1, 2**60 + 3], [2.0**60]),
        ([2**60, 2**60 + 1], [2.0**60]),
        ([2**60, "a"], [2.0**60]),
        (np.array([2**24, 2**24 + 1]), np.array([2**24 + 1], np.float32)),
        (np.array([2.0**53, 1]), [2**53 + 1]),
        (np.array([2.0**24, 1], np.float32), [2**24]),
        (np.array(["ab", "cd"]), ["abc"]),
        (np.array([1, 2], np.int8), [257]),
        (np.array(DAYS, "M8[ns]"), [DAYS[0]]),
        ([None, 1], [None]),
        ([np.nan, 1.0], [np.nan]),
        (pd.array([7, None], dtype="Int64"), [pd.NA]),
        (np.array(["NaT", DAYS[0]], "M8[ns]"), [pd.NaT]),
    ],
)
def test_other_ids_are_unknown(ids, asked):
    model = fit(ids)
    with pytest.raises(UnknownRowsError, match="1 of 1 ids") as caught:
        model.unlearn(groups=asked)
    assert caught.value.positions == (0,)
    assert len(caught.value.groups) == 1
    assert model.n_forgotten_ == 0


def test_the_kind_of_the_ids_is_named():
    with pytest.raises(
        UnknownRowsError, match="given to fit are text, yours are numbers"
    ) as caught:
        fit(["1", "2", "3"]).unlearn(groups=[3, 4])
    assert caught.value.groups == (3, 4) and caught.value.positions == (0, 1)
    with pytest.raises(UnknownRowsError) as caught:
        fit(["1", 2, "3"]).unlearn(groups=["3", 4])
    assert "are text" not in str(caught.value)
    assert caught.value.groups == (4,) and caught.value.positions == (1,)


def test_ids_of_another_kind_are_not_passed_over_in_silence():
    model = fit(["1", "2", "3"])
    with pytest.warns(UnlearningWarning, match="are text, yours are numbers"):
        model.unlearn(groups=[3, 9], on_unknown="ignore")
    assert model.n_forgotten_ == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.unlearn(groups=["9"], on_unknown="ignore")


def test_one_column_of_ids():
    for ids in (np.ones((4, 2)), pd.DataFrame({"a": range(4), "b": range(4)})):
        with pytest.raises(ValueError, match="one column"):
            fit(ids)
    with pytest.raises(ValueError, match="one id per row"):
        fit(["a", "b"], n_rows=3)
    with pytest.raises(ValueError, match="group_column='person'"):
        fit("person", n_rows=3)
    with pytest.raises(TypeError, match="lists or arrays"):
        fit([[1, 2], [3, 4], "c"])


def test_slices_without_rows_know_ids_by_type():
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    ids = [7, "7", True, 1, None] * 8
    model = S3TClassifier(
        n_shards=2, n_slices=2, store_training_data=False, random_state=0
    ).fit(X, y, groups=ids)
    assert model.unlearn(groups=["7"]).n_forgotten_ == 8
    assert model.unlearn(groups=[True]).n_forgotten_ == 16
    for asked in ("7", True, None):
        with pytest.raises(UnknownRowsError) as caught:
            model.unlearn(groups=[asked])
        assert caught.value.groups == (asked,)
