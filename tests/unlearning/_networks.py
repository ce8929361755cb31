"""Fitted networks for the tests of what makes them forget."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator

SMALL = {"max_iter": 40, "n_iter_no_change": 40, "learning_rate_init": 0.01}
SMALL |= {"batch_size": 32, "mc_samples": 10, "random_state": 0}


def digits(n_rows=600):
    X, y = load_digits(return_X_y=True)
    return X[:n_rows] / 16, y[:n_rows]


def unlearned(method, model, X, y, forget, **params):
    """A fitted model that has forgotten rows; the original is left alone."""
    unlearner = method(FrozenEstimator(model), **{"random_state": 0, **params})
    return unlearner.fit(X, y).unlearn(X[forget], y[forget])


def weights(model):
    """All weights and biases of a perceptron, or of the one in an unlearner."""
    network = getattr(model, "estimator_", model)
    return np.concatenate([a.ravel() for a in network.coefs_ + network.intercepts_])
