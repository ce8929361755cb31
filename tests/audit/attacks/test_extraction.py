"""Attacks on copies of a model."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import LinearSVC

from sklearn_unlearn.audit.attacks import extraction_leakage

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(300, 5)), RNG.integers(3, size=300)
FORGET, RETAIN, UNSEEN = slice(100), slice(100, 200), slice(200, 300)
ROWS = {"X_forget": X[FORGET], "X_unseen": X[UNSEEN], "n_queries": 3000}
ROWS["random_state"] = 0


def leakage(model, y=Y, **other):
    return extraction_leakage(
        model, y_forget=y[FORGET], y_unseen=y[UNSEEN], **{**ROWS, **other}
    )


class LookUpFilter(ClassifierMixin, BaseEstimator):
    """A model that says of rows it should have forgotten that it knows nothing."""

    def __init__(self, model, rows):
        self.model = model
        self.rows = {row.tobytes() for row in rows}
        self.classes_ = model.classes_

    def predict_proba(self, X):
        proba = self.model.predict_proba(X)
        is_listed = [row.tobytes() in self.rows for row in np.ascontiguousarray(X)]
        proba[is_listed] = 1 / len(self.classes_)
        return proba

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def exact_rows(model):
    """Return the area of the attack that asks about the rows themselves."""
    asked = np.concatenate([X[FORGET], X[UNSEEN]])
    y = np.concatenate([Y[FORGET], Y[UNSEEN]])
    own = model.predict_proba(asked)[np.arange(200), y]
    return roc_auc_score(np.arange(200) < 100, own)


def test_a_look_up_filter_does_not_survive():
    remembers = KNeighborsClassifier(1).fit(X[:200], Y[:200])
    retrained = KNeighborsClassifier(1).fit(X[RETAIN], Y[RETAIN])
    listed = LookUpFilter(remembers, X[FORGET])
    # asked about the rows themselves, it looks no worse than a retrained model
    assert exact_rows(remembers) > 0.8
    assert abs(exact_rows(listed) - exact_rows(retrained)) < 0.2
    assert abs(leakage(retrained) - 0.5) < 0.1
    assert leakage(listed) > leakage(retrained) + 0.2
    assert leakage(remembers, return_interval=True).low > 0.6


def test_numbers():
    y = RNG.normal(size=300)
    remembers = KNeighborsRegressor(1).fit(X[:200], y[:200])
    retrained = KNeighborsRegressor(1).fit(X[RETAIN], y[RETAIN])
    assert abs(leakage(retrained, y) - 0.5) < 0.1
    assert leakage(remembers, y) > 0.75


def test_models_without_probabilities_and_other_copies():
    remembers = KNeighborsClassifier(1).fit(X[:200], Y[:200])
    copy = KNeighborsRegressor(3)
    assert leakage(remembers, copy=copy) > 0.7
    assert not hasattr(copy, "n_samples_fit_"), "a copy of the copy is fitted"
    linear = LinearSVC().fit(X[:200], Y[:200])
    assert 0.3 < leakage(linear) < 0.8


class Recorder(KNeighborsClassifier):
    """Remembers what it is asked."""

    def predict(self, X):
        self.asked_ = [*getattr(self, "asked_", []), X]
        return super().predict(X)

    def predict_proba(self, X):
        self.answered_ = X
        return super().predict_proba(X)


def test_queries_are_balanced_and_never_the_rows():
    # one class is rare
    y = (X[:, 0] > 1).astype(int)
    model = Recorder(5).fit(X[:200], y[:200])
    leakage(model, y)
    shares = np.bincount(KNeighborsClassifier.predict(model, model.answered_)) / 3000
    np.testing.assert_allclose(shares, 0.5, atol=0.05)
    asked = {row.tobytes() for row in np.concatenate(model.asked_)}
    assert not asked & {row.tobytes() for row in X}


def test_bad_input():
    model = KNeighborsClassifier(1).fit(X[:200], Y[:200])
    with pytest.raises(ValueError, match="X_forget contains NaN"):
        leakage(model, X_forget=np.full((100, 5), np.nan))
    with pytest.raises(ValueError, match="noise"):
        leakage(model, noise=0.0)
    with pytest.raises(NotFittedError):
        leakage(KNeighborsClassifier(1))
