"""Nobody can make rows that hide others."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import ExactUnlearner


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


def test_pickles_of_equal_fits_are_equal():
    X = np.random.default_rng(0).normal(size=(100, 2))
    one, other = (ExactUnlearner(StandardScaler()).fit(X).prepare() for _ in range(2))
    assert pickle.dumps(one) == pickle.dumps(other)
    again = pickle.loads(pickle.dumps(one)).unlearn(X[:3]).unlearn(X[3:5])
    np.testing.assert_array_equal(again.retained_rows().X, X[5:])
