"""How fast a model learns forgotten rows again: what is hidden comes back at once."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

import numpy as np
from sklearn.pipeline import Pipeline

from sklearn_unlearn.audit._training import last_step

__all__ = ["relearn_curve"]

N_STEPS = 5


def relearn_curve(model, task, X, y, X_other, y_other, n_steps=N_STEPS):
    """Train a copy on some of the forgotten rows, and look at the others.

    Parameters
    ----------
    model : estimator instance
        Fitted; it stays as it is.
    task : Task
    X, y : rows and targets
        To learn, in passes.
    X_other, y_other : rows and targets
        To look at.
    n_steps : int, default=5
        Number of passes.

    Returns
    -------
    ndarray of shape (n_steps + 1,) or None
        Mean signal of the other rows before, and after each pass: margins of the labels
        as given, or minus the squared error. None of a model that cannot learn on.
    """
    before, learner = _learner(model)
    if learner is None:
        return None
    if before is not None:
        X, X_other = before.transform(X), before.transform(X_other)
    found = [_mean_signal(task, learner, X_other, y_other)]
    for _ in range(n_steps):
        learner.partial_fit(X, y)
        found.append(_mean_signal(task, learner, X_other, y_other))
    return np.array(found)


def _learner(model):
    """Return the steps before, and a copy of what can be trained on; None if nothing.

    Exact models of scikit-learn have no hidden state.
    """
    before = None
    if isinstance(model, Pipeline):
        before = model[:-1] if len(model) > 1 else None
    elif hasattr(model, "before"):  # a placebo
        before, model = model.before, model.model
    step = last_step(model)
    network = getattr(step, "estimator_", step)
    if not hasattr(network, "partial_fit") or not hasattr(network, "_network"):
        return None, None
    network = copy.deepcopy(network.export() if hasattr(network, "export") else network)
    return before, network


def _mean_signal(task, model, X, y):
    answers = task.answers(model, X)[np.newaxis]
    if task.is_classifier:
        return float(task.signals(answers, y).mean())
    return float(task.successes(answers, y).mean())
