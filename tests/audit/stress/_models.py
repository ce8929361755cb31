"""Networks and unlearners of which it is known what they hide."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.datasets import load_digits

from sklearn_unlearn.base import BaseUnlearner, UnlearnerTags
from sklearn_unlearn.neural_network import DropoutClassifier

N_TRAIN = 250
NETWORK = DropoutClassifier(
    (32,),
    dropout=0.1,
    max_iter=60,
    n_iter_no_change=60,
    learning_rate_init=0.01,
    mc_samples=5,
)


class Nothing(BaseUnlearner):
    """Removes the rows from what it keeps, and leaves the model as it is."""

    def _unlearner_tags(self):
        return UnlearnerTags(guarantee="approximate")

    def _unlearn_rows(self, request):
        pass


class ClosedMouth(Nothing):
    """Gives a forgotten class no probability, and leaves the network as it is.

    As if the bias of its output were minus infinity.
    """

    def _unlearn_rows(self, request):
        self._silent = np.setdiff1d(self.classes_, request.retain.y)

    def predict_proba(self, X):
        found = self.estimator_.predict_proba(X)
        if hasattr(self, "_silent"):
            found = np.where(np.isin(self.classes_, self._silent), 0, found)
            found /= found.sum(axis=1, keepdims=True)
        return found

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class WearsOut(Nothing):
    """Multiplies what it is sure of by each request, from the second one."""

    def _unlearn_rows(self, request):
        self._n = getattr(self, "_n", 0) + 1

    def predict_proba(self, X):
        found = self.estimator_.predict_proba(X)
        power = 4.0 ** max(0, getattr(self, "_n", 0) - 1)
        found = np.maximum(found, 1e-12) ** power
        return found / found.sum(axis=1, keepdims=True)


class SomeMasksRemember:
    """A dropout network that gives the answers of another under one mask of ten."""

    _estimator_type = "classifier"

    def __init__(self, model, former):
        self.model, self.former = model, former
        self.classes_ = model.classes_

    def __sklearn_tags__(self):
        return self.model.__sklearn_tags__()

    def predict(self, X):
        return self.model.predict(X)

    def sample_proba(self, X, n_samples=1, random_state=0):
        found = self.model.sample_proba(X, n_samples, random_state)
        found[::10] = self.former.sample_proba(X, n_samples, random_state)[::10]
        return found


def digits(n_wrong=0):
    """Return digits to train on, of which the first have wrong labels, and others."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    y[:n_wrong] = (y[:n_wrong] + 1) % 10
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:450], y[N_TRAIN:450]
