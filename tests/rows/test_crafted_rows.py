"""Nobody can make rows that hide others, or that take long to tell from others."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.rows._store import RowStore

N_ROWS = 50_000


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


def test_the_key_is_in_no_pickle():
    X = np.random.default_rng(0).normal(size=(100, 2))
    one, other = (ExactUnlearner(StandardScaler()).fit(X).prepare() for _ in range(2))
    assert pickle.dumps(one) == pickle.dumps(other)
    hashes = [model._rows.hash_rows([X]) for model in (one, other)]
    assert not np.isin(*hashes).any()
    again = pickle.loads(pickle.dumps(one)).unlearn(X[:3]).unlearn(X[3:5])
    np.testing.assert_array_equal(again.retained_rows().X, X[5:])


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
