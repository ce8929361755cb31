"""Two states are the same if every attribute is, whatever it is made of."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import functools

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.gaussian_process import GaussianProcessClassifier

from sklearn_unlearn.utils.estimator_checks import assert_same_state
from tests.testing._estimators import HONEST, Keeper


def holder(**attributes):
    estimator = Keeper(None)
    vars(estimator).update(attributes)
    return estimator


def places(error):
    """Where the message of a comparison says that two states differ."""
    return [text.split()[0] for text in str(error).split("differ: ")[1].split("; ")]


class Counter:
    def __init__(self, value, arrangement):
        self.value, self.arrangement = value, arrangement

    def _comparable_state(self):
        return self.value


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.array([1.0, 1e-9]), np.array([1.0, 3e-9])),
        (np.array([1.0, np.nan, np.inf]), np.array([1.0, np.nan, np.inf])),
        (np.float64(2.0), 2.0),
        ([1, (2.0, "a")], [1, (2.0 + 1e-9, "a")]),
        ({"a": {1, 2}}, {"a": {2, 1}}),
        (sparse.csr_array(np.eye(3)), sparse.csr_array(np.eye(3))),
        (np.random.RandomState(0), np.random.RandomState(0)),
        (np.random.default_rng(0), np.random.default_rng(0)),
        (functools.partial(max, 1), functools.partial(max, 1)),
        (np.array(["a", None, np.nan], object), np.array(["a", None, np.nan], object)),
        (Counter(1, "in blocks"), Counter(1, "in one piece")),
    ],
)
def test_same_state(a, b):
    assert_same_state(holder(fitted_=a), holder(fitted_=b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.array([1.0, 1e-9]), np.array([1.0, 3e-8])),
        (np.array([1.0, np.nan]), np.array([np.nan, 1.0])),
        (np.array([1, 2]), np.array([1, 3])),
        (np.array([1, 2]), np.array([1.0, 2.0])),
        (np.zeros(3), np.zeros((3, 1))),
        (np.array(["a"]), np.array(["b"])),
        (np.array([np.inf]), np.array([-np.inf])),
        (1, 2),
        (1.0, 1.1),
        ("a", "b"),
        (None, 1),
        ([1], [1, 2]),
        ([1], (1,)),
        ({"a": 1}, {"b": 1}),
        ({1}, {2}),
        (b"a", b"b"),
        (sparse.csr_array(np.eye(3)), sparse.csr_array(2 * np.eye(3))),
        (np.random.RandomState(0), np.random.RandomState(1)),
        (np.random.default_rng(0), np.random.default_rng(1)),
        (np.mean, np.median),
        (functools.partial(max, 1), functools.partial(max, 2)),
        (Counter(1, "same"), Counter(2, "same")),
        (np.array(["a", 1.0], object), np.array(["a", 2.0], object)),
    ],
)
def test_different_state(a, b):
    with pytest.raises(AssertionError) as raised:
        assert_same_state(holder(fitted_=a), holder(fitted_=b))
    assert all(place.startswith("estimator.fitted_") for place in places(raised.value))


def test_what_is_not_state():
    a = holder(n_forgotten_=1, unlearning_log_=[1], refit_time_=1.0, n_iter_=3)
    b = holder(n_forgotten_=2, mean_fit_time_=2.0, n_iter_=4)
    with pytest.raises(AssertionError) as raised:
        assert_same_state(a, b)
    assert len(places(raised.value)) == 1
    names = ("n_forgotten_", "unlearning_log_", "n_iter_")
    assert_same_state(a, b, ignore=names)
    assert_same_state(a, b, ignore=names, rtol=0)
    with pytest.raises(AssertionError, match="_private is only in the second"):
        assert_same_state(holder(), holder(_private=1))
    assert_same_state(Keeper(KMeans()), Keeper(PCA()))
    with pytest.raises(AssertionError, match="scale is 1, not 2"):
        assert_same_state(Keeper(None, scale=1), Keeper(None, scale=2))


def test_the_message_names_three_differences():
    a, b = (holder(**dict.fromkeys(("a_", "b_", "c_", "d_", "e_"), i)) for i in (1, 2))
    with pytest.raises(AssertionError, match=r"; and 2 more$"):
        assert_same_state(a, b)


@pytest.mark.parametrize("estimator", HONEST, ids=str)
@pytest.mark.filterwarnings("ignore")
def test_state_of_estimators(estimator):
    """Two fits on the same rows agree, on other rows they differ."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(150, 4)), rng.integers(0, 2, size=150)
    first, second = (clone(estimator) for _ in range(2))
    for step in (first, second):
        if "random_state" in step.get_params():
            step.set_params(random_state=0)
    first.fit(X[30:], y[30:]), second.fit(X[30:].copy(), y[30:].copy())
    assert_same_state(first, second)
    second.fit(X, y)
    with pytest.raises(AssertionError, match="The states of two"):
        assert_same_state(first, second)


def test_state_of_gaussian_process():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(40, 2)), rng.integers(0, 2, size=40)
    models = [GaussianProcessClassifier(optimizer=None).fit(X, y) for _ in range(2)]
    assert_same_state(*models)
    with pytest.raises(AssertionError, match="The states of two"):
        assert_same_state(models[0], clone(models[1]).fit(X[5:], y[5:]))
