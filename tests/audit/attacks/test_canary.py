"""A bound on epsilon by canaries of one run."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from sklearn_unlearn.audit.attacks import canary_epsilon_bound
from sklearn_unlearn.exact import ExactUnlearner

RNG = np.random.default_rng(0)
X, X_CANARIES = RNG.normal(size=(200, 2)), RNG.normal(size=(100, 2))
NUMBERS = X[:, 0], RNG.normal(size=100)
LABELS = (X[:, 0] > 0).astype(int), (X_CANARIES[:, 0] < 0).astype(int)


@pytest.mark.parametrize(
    ("estimator", "y"),
    [(KNeighborsRegressor(1), NUMBERS), (KNeighborsClassifier(1), LABELS)],
    ids=["numbers", "classes"],
)
def test_memory_is_found_and_exact_forgetting_is_not(estimator, y):
    def bound(model, seed, **other):
        return canary_epsilon_bound(
            model, X, y[0], X_CANARIES, y[1], random_state=seed, **other
        )

    remembers = [bound(estimator, seed) for seed in range(5)]
    assert min(remembers) > 1
    assert bound(estimator, 0, n_guesses=10) < bound(estimator, 0)
    # right at 95 %: 30 exact ones exceed it five times with a chance of .016
    exact = [bound(ExactUnlearner(estimator), seed) for seed in range(30)]
    assert np.count_nonzero(exact) < 5


def test_easy_canaries_need_the_reference():
    # half of the canaries lie where the model is right anyway
    y = X[:, 0], np.where(np.arange(100) < 50, X_CANARIES[:, 0], NUMBERS[1])

    def mean(use_reference):
        return np.mean(
            [
                canary_epsilon_bound(
                    KNeighborsRegressor(2),
                    X,
                    y[0],
                    X_CANARIES,
                    y[1],
                    use_reference=use_reference,
                    random_state=seed,
                )
                for seed in range(10)
            ]
        )

    assert mean(True) > mean(False)
