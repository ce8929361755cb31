"""The rows on which a model is watched while requests come in, and what is watched."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.audit._training import take
from sklearn_unlearn.audit.stress._networks import network_of

__all__ = ["ProbeBatch", "weights_of"]

# rows that are looked at; more would only take longer
N_LOOKED_AT = 1000


class ProbeBatch:
    """A fixed batch of rows that are never asked for.

    Parameters
    ----------
    task : Task
    X, y : rows and targets
        All.
    kept : ndarray of int
        Positions of rows that are never asked for.
    X_test, y_test : rows and targets, or None
        By which the score is measured, and negative flips.
    rng : numpy.random.RandomState
    """

    def __init__(self, task, X, y, kept, X_test, y_test, rng):
        if X_test is not None and y_test is None:
            raise ValueError("y_test must be given with X_test.")
        kept = np.sort(rng.permutation(kept)[:N_LOOKED_AT])
        self.task, self._all = task, (X, y)
        self.X, self.y = take(X, kept), take(y, kept)
        tested = X_test is not None
        self._X_test = X_test if tested else self.X
        self._y_test = np.asarray(y_test) if tested else self.y
        numbers = None if task.is_classifier else np.asarray(y, dtype=float)
        self._centre = None if numbers is None else numbers.mean(axis=0)
        self._scale = None if numbers is None else numbers.std(axis=0) + 1e-300

    def loss(self, model):
        """Return the mean log loss, or squared error in variances of the target."""
        return self._loss(self.task.answers(model, self.X))

    def look(self, model, gone):
        """Return what a model says of the batch, and of the rows at these positions."""
        answers = self.task.answers(model, self.X)
        tested = self.task.answers(model, self._X_test)[np.newaxis]
        right = self.task.successes(tested, self._y_test)[0]
        return {
            "loss": self._loss(answers),
            "score": float(right.mean()),
            "largest logit": self._largest_logit(answers),
            "negative flips": right,  # until it is known what it was at the start
            "forget signal": self._signal(model, np.asarray(gone, dtype=int)),
        }

    def with_flips(self, records):
        """Return records in which negative flips since the first are counted."""
        first = records[0]["negative flips"]
        if self.task.is_classifier:
            flips = [np.mean(first * (1 - r["negative flips"])) for r in records]
        else:  # of numbers, rows whose error has grown by more than is noise
            slack = np.square(self._scale).mean() * 0.1
            flips = [np.mean(first - r["negative flips"] > slack) for r in records]
        return [
            r | {"negative flips": float(n)}
            for r, n in zip(records, flips, strict=True)
        ]

    def _loss(self, answers):
        if self.task.is_classifier:
            margins = self.task.signals(answers[np.newaxis], self.y)
            return float(np.logaddexp(0, -margins).mean())
        y = np.asarray(self.y, dtype=float).reshape(len(self.y), -1)
        return float((((answers - y) / self._scale) ** 2).mean())

    def _largest_logit(self, answers):
        if not self.task.is_classifier:
            return float(np.abs((answers - self._centre) / self._scale).max())
        if self.task.is_indicator:
            chosen = (answers > 0.5).astype(int)
        else:
            chosen = self.task.classes[answers.argmax(axis=1)]
        return float(self.task.signals(answers[np.newaxis], chosen).max())

    def _signal(self, model, gone):
        if not len(gone):
            return np.nan
        X, y = (take(values, gone) for values in self._all)
        answers = self.task.answers(model, X)[np.newaxis]
        measure = self.task.signals if self.task.is_classifier else self.task.successes
        return float(measure(answers, y).mean())


def weights_of(model):
    """Return all weights of a network or linear model as one array; None of others."""
    network = network_of(model)
    parts = None
    if hasattr(network, "coefs_"):
        parts = [*network.coefs_, *network.intercepts_]
    elif hasattr(network, "coef_") and not hasattr(network.coef_, "toarray"):
        parts = [network.coef_, getattr(network, "intercept_", 0.0)]
    elif hasattr(network, "module_"):
        parts = [p.detach().cpu().numpy() for p in network.module_.parameters()]
    if parts is None:
        return None
    return np.concatenate([np.asarray(part, dtype=float).ravel() for part in parts])
