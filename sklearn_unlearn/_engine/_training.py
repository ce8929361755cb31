"""The loop over epochs, the same for every trainer."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["History", "Schedule", "train"]


@dataclass
class Schedule:
    """How long to train.

    Attributes
    ----------
    max_epochs : int
    shuffle : bool
        Whether each epoch visits the rows in a new order.
    tol : float
        Improvement of the loss, or of the score, that counts.
    patience : int
        Epochs without such an improvement after which training stops.
    """

    max_epochs: int
    shuffle: bool = True
    tol: float = 1e-4
    patience: int = 10


@dataclass
class History:
    """What happened, epoch by epoch."""

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    best_loss: float = np.inf
    best_score: float = -np.inf
    converged: bool = False


def train(
    learner: Any,
    schedule: Schedule,
    rng: np.random.Generator,
    *,
    score: Callable[[], float] | None = None,
    watch: Any = None,
) -> History:
    """Train until the loss, or the score, stops improving.

    Parameters
    ----------
    learner : object
        With `n_rows`, ``epoch(order) -> mean loss``, ``snapshot()`` and
        ``restore(snapshot)``.
    schedule : Schedule
    rng : numpy.random.Generator
        Of the order of the rows.
    score : callable () -> float, default=None
        Score on held-out rows, greater is better. If given, it decides when to
        stop, and the learner ends as it was at its best.
    watch : object, default=None
        With ``begin()``, called before each epoch, and ``end(history)``, called after
        it; training stops where that returns True.

    Returns
    -------
    History
    """
    history = History()
    order = np.arange(learner.n_rows)
    best, stale = None, 0
    for _ in range(schedule.max_epochs):
        if watch is not None:
            watch.begin()
        if schedule.shuffle:
            order = rng.permutation(learner.n_rows)
        loss = learner.epoch(order)
        if not np.isfinite(loss):
            raise ValueError(
                "Training diverged: the loss is no longer finite. Scale the features, "
                "or lower learning_rate_init."
            )
        history.losses.append(loss)
        if score is None:
            improved = loss < history.best_loss - schedule.tol
        else:
            history.scores.append(score())
            improved = history.scores[-1] > history.best_score + schedule.tol
            if history.scores[-1] > history.best_score:
                history.best_score, best = history.scores[-1], learner.snapshot()
        history.best_loss = min(history.best_loss, loss)
        stale = 0 if improved else stale + 1
        if watch is not None and watch.end(history):
            break
        if stale > schedule.patience:
            history.converged = True
            break
    if best is not None:
        learner.restore(best)
    return history
