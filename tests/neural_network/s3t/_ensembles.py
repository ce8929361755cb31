"""Small ensembles of adapters, and rows for them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.datasets import make_friedman1

from sklearn_unlearn.neural_network import S3TClassifier, S3TRegressor

SETTINGS = {"n_shards": 2, "n_slices": 3, "n_components": 24, "rank": 4}
SETTINGS |= {"n_epochs": 4, "learning_rate_init": 0.01, "random_state": 0}


def rows_of(kind, n_rows=180):
    """Return a small ensemble, unfitted, and rows for it."""
    X, y = make_friedman1(n_rows, n_features=6, noise=0.1, random_state=0)
    X = X * [1.0, 1e4, 1e-3, 1.0, 1.0, 1.0]  # units must not matter
    if kind == "numbers":
        return S3TRegressor(**SETTINGS), X, y
    return S3TClassifier(**SETTINGS), X, np.digitize(y, [11.0, 17.0])


def output(model, X):
    return getattr(model, "predict_proba", model.predict)(X)
