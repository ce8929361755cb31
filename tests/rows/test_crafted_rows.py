"""Nobody can make rows that hide others."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.exceptions import UnknownRowsError


def collide(victim):
    """A row with the hash of `victim` under the hash of a former version.

    It was a sum of products with factors that everybody knew.
    """
    factor, shift, mask = 0x9E3779B97F4A7C15, 29, 2**64 - 1

    def mix(code):
        code ^= code >> 32
        code = code * factor & mask
        return code ^ (code >> shift)

    def unmix(code):
        code ^= code >> shift
        code ^= code >> 2 * shift
        code = code * pow(factor, -1, 2**64) & mask
        return code ^ (code >> 32)

    draws = np.random.default_rng(20).integers(0, 2**63, size=2, dtype=np.uint64)
    first, second = (int(d) * 2 + 1 & mask for d in draws)
    a, b = (int(v) for v in victim.view(np.uint64))
    other = int(np.float64(1.5).view(np.uint64))
    total = mix(a) * first + mix(b) * second
    code = unmix((total - mix(other) * first) * pow(second, -1, 2**64) & mask)
    return np.array([other, code], dtype=np.uint64).view(np.float64)


def test_a_crafted_row_hides_nobody():
    rng = np.random.default_rng(0)
    crafted = victim = np.zeros(2)
    while not (crafted[1] and np.isfinite(crafted[1]) and abs(crafted[1]) < 1e100):
        victim = rng.normal(size=2)
        crafted = collide(victim)
    X = np.vstack([rng.normal(size=(10, 2)), victim, crafted])
    model = ExactUnlearner(StandardScaler()).fit(X)
    model.unlearn(victim[None], on_unknown="ignore")
    np.testing.assert_array_equal(model.retained_rows().X, np.delete(X, 10, axis=0))


@pytest.mark.parametrize("kind", ["dense", "float32", "sparse", "words"])
def test_rows_that_share_a_hash_are_compared(kind, monkeypatch):
    monkeypatch.setattr(
        "sklearn_unlearn.rows._cells.RowHash.__call__",
        lambda self, parts, memo=None: np.zeros(parts[0].shape[0], dtype=np.uint64),
    )
    X = np.random.default_rng(0).integers(0, 3, size=(40, 3)) + 0.0
    X[[3, 8, 30]] = [[5, 0, 6], [0, 5, 6], [5, 6, 0]]
    make = {
        "dense": np.asarray,
        "float32": np.float32,
        "sparse": sparse.csr_array,
        "words": lambda X: X.astype(int).astype(str).astype(object),
    }[kind]
    steps = OneHotEncoder() if kind == "words" else StandardScaler(with_mean=False)
    model = ExactUnlearner(steps).fit(make(X))
    model.unlearn(make(np.vstack([X[[30, 8]], [[6, 5, 0]]])), on_unknown="ignore")
    left = model.retained_rows().X
    left = left.toarray() if kind == "sparse" else left
    expected = np.delete(X, [8, 30], axis=0)
    np.testing.assert_array_equal(left, make(expected) if kind == "words" else expected)


def nearly_equal(dtype):
    """Rows in clusters that last digits tell apart, one column of each far away."""
    rng = np.random.default_rng(0)
    size = 20 * np.finfo(dtype).eps
    X = 1 + size * rng.uniform(-1, 1, size=(3000, 4))
    cluster = np.arange(3000) // 100
    X[np.arange(3000), cluster % 4] += 0.5 + cluster // 4
    again = X[::100] + size / 3 * rng.uniform(-1, 1, size=(30, 4))
    return X.astype(dtype), again.astype(dtype)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_rows_that_are_nearly_equal_stand_for_none(dtype, kind):
    if dtype is np.float16 and kind is not np.asarray:
        pytest.skip("no sparse rows have this type")
    X, again = nearly_equal(dtype)
    strangers = again[~(again[:, None] == X[::100]).all(axis=2).any(axis=1)]
    model = ExactUnlearner(StandardScaler(with_mean=False)).fit(kind(X))
    with pytest.raises(UnknownRowsError) as caught:
        model.unlearn(kind(strangers))
    assert len(caught.value.positions) == len(strangers) > 0
    assert model.unlearn(kind(X[[7, 2999]])).n_forgotten_ == 2


def test_pickles_of_equal_fits_are_equal():
    X = np.random.default_rng(0).normal(size=(100, 2))
    one, other = (ExactUnlearner(StandardScaler()).fit(X).prepare() for _ in range(2))
    assert pickle.dumps(one) == pickle.dumps(other)
    again = pickle.loads(pickle.dumps(one)).unlearn(X[:3]).unlearn(X[3:5])
    np.testing.assert_array_equal(again.retained_rows().X, X[5:])
