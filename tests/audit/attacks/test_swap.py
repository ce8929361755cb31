"""The advantage of swapping forgotten and unseen rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from itertools import count

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_unlearn.audit.attacks import swap_advantage_error
from sklearn_unlearn.exact import ExactUnlearner, Retrain

X, Y = make_classification(400, flip_y=0.3, random_state=0)
NUMBERS = X[:, 0] + np.random.default_rng(0).normal(size=400)
FORGET, SWAP = np.arange(400) < 100, np.arange(400) >= 300


@pytest.mark.parametrize(
    ("unlearner", "y"),
    [
        (Retrain(DecisionTreeClassifier()), Y),
        (Retrain(RandomForestClassifier(5)), Y),
        (Retrain(DecisionTreeRegressor()), NUMBERS),
    ],
    ids=repr,
)
def test_retraining_with_a_common_seed_has_none(unlearner, y):
    found = swap_advantage_error(
        unlearner, X, y, FORGET, SWAP, n_repeats=2, return_interval=True, random_state=0
    )
    assert found == (0.0, 0.0, 0.0)


def test_closed_form_has_none():
    found = swap_advantage_error(
        ExactUnlearner(Ridge()), X, NUMBERS, FORGET, SWAP, random_state=0
    )
    assert abs(found) < 0.02, "rounding may move a row over the threshold"


@pytest.mark.parametrize(
    ("estimator", "y"),
    [(DecisionTreeClassifier(), Y), (DecisionTreeRegressor(), NUMBERS)],
    ids=repr,
)
def test_doing_nothing_is_found(estimator, y):
    arguments = {"return_interval": True, "random_state": 0}
    value, low, high = swap_advantage_error(estimator, X, y, FORGET, SWAP, **arguments)
    assert 0.15 < low <= value <= high <= 1
    again = swap_advantage_error(estimator, X, y, FORGET, SWAP, **arguments)
    assert again == (value, low, high), "the same seed"


class FreshTree(ClassifierMixin, BaseEstimator):
    """Exact retraining, of a tree whose seed is new in each fit."""

    seeds = count()

    def fit(self, X, y):
        tree = DecisionTreeClassifier(max_features=1, random_state=next(self.seeds))
        self.retrain_ = Retrain(tree).fit(X, y)
        self.classes_ = self.retrain_.classes_
        return self

    def unlearn(self, X_forget, y_forget):
        self.retrain_.unlearn(X_forget, y_forget)
        return self

    def predict_proba(self, X):
        return self.retrain_.predict_proba(X)

    def predict(self, X):
        return self.retrain_.predict(X)


def test_chance_is_no_gain():
    found = [
        swap_advantage_error(FreshTree(), X, Y, FORGET, SWAP, random_state=seed)
        for seed in range(40)
    ]
    assert np.std(found) > 0, "these models do differ"
    assert abs(np.mean(found)) < 0.03


class RandomisedResponse(ClassifierMixin, BaseEstimator):
    """Publishes one bit, which set it was trained on, and lies now and then.

    The first feature is 1 for rows of one set, -1 for those of the other, 0 for others.
    """

    def __init__(self, epsilon=1.0, random_state=None):
        self.epsilon = epsilon
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.bit_ = np.sign(X[:, 0].sum())
        return self

    def unlearn(self, X_forget, y_forget):
        rng = np.random.default_rng(self.random_state)
        if rng.random() < 1 / (1 + np.exp(self.epsilon)):
            self.bit_ = -self.bit_
        return self

    def predict_proba(self, X):
        sure = np.where(X[:, 0] == self.bit_, 0.9, 0.6)
        return np.column_stack([1 - sure, sure])

    def predict(self, X):
        return np.ones(len(X))


def test_randomised_response_keeps_its_bound():
    epsilon = 1.0
    rows, y = np.zeros((60, 1)), np.ones(60)
    y[:3] = 0
    first, second = np.arange(60) // 20 == 1, np.arange(60) // 20 == 2
    rows[first], rows[second] = 1, -1
    found = swap_advantage_error(
        RandomisedResponse(epsilon),
        rows,
        y,
        first,
        second,
        n_repeats=300,
        random_state=0,
    )
    half_of_bound = np.expm1(epsilon) / (np.exp(epsilon) + 1)
    assert abs(found - half_of_bound) < 0.2
    assert found <= 2 * half_of_bound


def test_persons_stay_together():
    persons = np.arange(400) // 4
    arguments = {"return_interval": True, "random_state": 0}
    tree = DecisionTreeClassifier()
    _, low, high = swap_advantage_error(tree, X, Y, FORGET, SWAP, **arguments)
    # each row four times: as persons they are the same evidence as once
    X4, y4 = np.repeat(X, 4, axis=0), np.repeat(Y, 4)
    masks = [np.repeat(mask, 4) for mask in (FORGET, SWAP)]
    found = swap_advantage_error(
        tree, X4, y4, *masks, groups=np.repeat(np.arange(400), 4), **arguments
    )
    assert found.high - found.low > 0.7 * (high - low)
    rows = swap_advantage_error(tree, X4, y4, *masks, **arguments)
    assert rows.high - rows.low < 0.7 * (high - low)
    persons[300] = persons[0]
    with pytest.raises(ValueError, match="persons with rows in both"):
        swap_advantage_error(tree, X, Y, FORGET, SWAP, groups=persons)


def test_bad_arguments():
    tree = DecisionTreeClassifier()
    with pytest.raises(ValueError, match="must not mark the same row"):
        swap_advantage_error(tree, X, Y, FORGET, FORGET)
    with pytest.raises(ValueError, match="forget must be a boolean mask"):
        swap_advantage_error(tree, X, Y, np.arange(100), SWAP)
    with pytest.raises(ValueError, match=r"signals of .* are margin.*'residual'"):
        swap_advantage_error(tree, X, Y, FORGET, SWAP, signals=["residual"])
    with pytest.raises(ValueError, match="groups must have one id per row"):
        swap_advantage_error(tree, X, Y, FORGET, SWAP, groups=[1, 2])
