"""Rows for the tests of forests."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.exact import RemovalForestRegressor


def make_rows(forest, n_rows=500, seed=0):
    """Columns of numbers, of few values, with an outlier, nearly constant; twins."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 6))
    X[:, 1] = np.round(2 * X[:, 1])
    X[:, 2] = rng.random(n_rows) < 0.02
    X[:, 3] = rng.exponential(size=n_rows) ** 3
    X[:, 5] = 1.0
    X[1::7] = X[::7][: len(X[1::7])]
    signal = X[:, 0] + 0.3 * X[:, 1] + 2 * X[:, 2] + 0.5 * rng.normal(size=n_rows)
    if forest is RemovalForestRegressor:
        return X, np.round(signal, 2)
    return X, np.array(["few", "low", "mid", "top"])[
        np.digitize(signal, [-2.5, -0.5, 1.0])
    ]


def law_data():
    """Rows of which the first ten decide where the thresholds of column 0 lie."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(150, 3))
    y = (X[:, 1] + rng.normal(size=150) > 0).astype(int)
    X[:10, 0] = rng.uniform(6, 8, size=10)
    y[:10] = 1
    X[:10, 1] = -2.0
    return X, y
