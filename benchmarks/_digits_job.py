"""The job that the unlearners are measured on, for the demo and the benchmark.

A tenth of the labels of 1200 handwritten digits is wrong, and a network has learnt half
of these by heart. What it should forget is known: the labels that are wrong.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import time

import numpy as np
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator

from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.neural_network._many import fit_many
from sklearn_unlearn.unlearning import NPO, Blindspot, FineTune, SalUn

N_TRAIN = 1200
METHODS = [FineTune, SalUn, NPO, Blindspot]
# Retrained and original models are fitted from different seeds.
RETRAINED = 1000


class Job:
    """Digits of which a tenth has a wrong label.

    Attributes
    ----------
    X, y : ndarray
        Training rows, labels as the network gets them.
    X_test, y_test : ndarray
        Other digits, with the right labels.
    corrupted : ndarray of bool, shape (1200,)
        Which labels are wrong.
    some : ndarray of bool, shape (1200,)
        A random twentieth of the rows.
    """

    def __init__(self, seed):
        X, y = load_digits(return_X_y=True)
        X = X / 16
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(X))
        train, test = order[:N_TRAIN], order[N_TRAIN:]
        self.X, self.X_test, self.y_test = X[train], X[test], y[test]
        self.corrupted = np.zeros(N_TRAIN, dtype=bool)
        self.corrupted[rng.choice(N_TRAIN, N_TRAIN // 10, replace=False)] = True
        self.y = y[train].copy()
        n_wrong = int(self.corrupted.sum())
        self.y[self.corrupted] += rng.integers(1, 10, size=n_wrong)
        self.y %= 10
        self.some = np.zeros(N_TRAIN, dtype=bool)
        self.some[rng.choice(N_TRAIN, N_TRAIN // 20, replace=False)] = True


def network(seed=0):
    """Return the network of the job, unfitted."""
    return DropoutClassifier(
        (128,),
        dropout=0.2,
        learning_rate_init=2e-3,
        batch_size=64,
        max_iter=150,
        n_iter_no_change=150,
        random_state=seed,
    )


def originals(job, n_models):
    """Fit networks on all rows."""
    return fit_many(network(), job.X, job.y, seeds=range(n_models))


def retrained(job, forget, n_models):
    """Fit networks without the rows to forget."""
    seeds = range(RETRAINED, RETRAINED + n_models)
    return fit_many(network(), job.X[~forget], job.y[~forget], seeds=seeds)


def assert_remembered(job, models):
    """Make sure that there is something to forget."""
    share = np.mean(
        [m.score(job.X[job.corrupted], job.y[job.corrupted]) for m in models]
    )
    if share < 0.4:
        raise AssertionError(
            f"the networks know only {100 * share:.0f} % of the wrong labels: there is "
            "nothing to forget"
        )


def unlearn(method, model, job, forget, **params):
    """Return the model without the rows, and the seconds that this took."""
    unlearner = method(FrozenEstimator(model), random_state=0, **params)
    unlearner.fit(job.X, job.y)
    start = time.perf_counter()
    unlearner.unlearn(job.X[forget], job.y[forget])
    return unlearner, time.perf_counter() - start


def seconds_to_retrain(job, forget, **params):
    """Time a fit of one network without the rows."""
    model = network().set_params(**params)
    start = time.perf_counter()
    model.fit(job.X[~forget], job.y[~forget])
    return time.perf_counter() - start


class Reference:
    """Retrained networks, and how far a model is from them."""

    def __init__(self, job, forget, models):
        self.job, self.forget, self.models = job, forget, models
        self._mean = np.mean([m.predict_proba(job.X) for m in models], axis=0)

    def measure(self, model):
        """Return accuracies in percent, and distances in nats."""
        job, forget = self.job, self.forget
        p = model.predict_proba(job.X)
        hits = model.classes_[p.argmax(axis=1)] == job.y
        log_p, log_q = (np.log(np.maximum(q, 1e-12)) for q in (p, self._mean))
        distance = (self._mean * (log_q - log_p)).sum(axis=1)
        return {
            "forget": 100 * hits[forget].mean(),
            "retain": 100 * hits[~forget].mean(),
            "test": 100 * model.score(job.X_test, job.y_test),
            "distance, forgotten": distance[forget].mean(),
            "distance, retained": distance[~forget].mean(),
        }

    def measure_all(self, models):
        """Return arrays of the measures, one entry per model."""
        rows = [self.measure(model) for model in models]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def interval(differences, level=0.95):
    """Return mean and half width of the t interval of paired differences."""
    n = len(differences)
    half = stats.t.ppf((1 + level) / 2, n - 1) * np.std(differences, ddof=1) / n**0.5
    return float(np.mean(differences)), float(half)
