"""Requests of several threads, each of which may be interrupted at any moment."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import (
    CertifiedLogisticRegression,
    ExactUnlearner,
    RemovalForestClassifier,
)
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.pipeline import make_pipeline

N_THREADS = 4
MODELS = {
    "exact": ExactUnlearner(GaussianNB()),
    "pipeline": make_pipeline(StandardScaler(), GaussianNB()),
    "certified": CertifiedLogisticRegression(random_state=0),
    "forest": RemovalForestClassifier(3, max_depth=3, random_state=0),
}


class Fault(BaseException):
    """Not an error that anything would handle, as an interrupt is none."""


def interrupted_after(n_lines):
    """Make a tracer that raises when so many lines of the package have run.

    Where locks are taken and released it could raise between two steps that no
    interrupt of Python comes between: there, no lines are counted.
    """
    left = n_lines

    def trace(frame, event, argument):
        nonlocal left
        path = frame.f_code.co_filename
        if "sklearn_unlearn" not in path or path.endswith("_concurrency.py"):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise Fault
        return trace

    return trace


def ask(model, X, rows, seed):
    """Forget rows one by one, each with some faults before; count what is answered."""
    rng, n_faults = np.random.default_rng(seed), 0
    for row in rows:
        for n_lines in [*rng.integers(1, 400, size=2), 0]:
            sys.settrace(interrupted_after(n_lines) if n_lines else None)
            try:
                model.unlearn(X[[row]])
            except Fault:
                n_faults += 1
            except UnknownRowsError:
                break  # the fault came when all was done
            else:
                break
            finally:
                sys.settrace(None)
    return n_faults


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("n_requests", [40, pytest.param(2000, marks=pytest.mark.slow)])
def test_faults_lose_and_tear_nothing(name, n_requests):
    n_rows = 2 * n_requests
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 3))
    y = np.arange(n_rows) % 2
    X[:, 0] += y
    model = clone(MODELS[name]).fit(X, y)
    parts = np.array_split(rng.permutation(n_rows)[:n_requests], N_THREADS)
    with ThreadPoolExecutor(N_THREADS) as pool:
        tasks = [pool.submit(ask, model, X, part, i) for i, part in enumerate(parts)]
        n_faults = sum(task.result() for task in tasks)
    assert n_faults > n_requests / 2
    left = np.setdiff1d(np.arange(n_rows), np.concatenate(parts))
    assert np.array_equal(model.retained_rows().X, X[left])
    assert model.n_forgotten_ == len(model.unlearning_log_) == n_requests
    if name != "certified":  # whose steps depend on the order of the requests
        truth = clone(MODELS[name]).fit(X[left], y[left])
        found = model.predict_proba(X)
        np.testing.assert_allclose(found, truth.predict_proba(X), atol=1e-8)
