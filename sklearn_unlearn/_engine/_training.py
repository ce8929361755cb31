"""Shared by all trainers: rows as tensors, the loop over epochs, when it ends."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from sklearn_unlearn._engine._sparse_rows import rows_on_device

__all__ = ["History", "Progress", "Schedule", "TensorRows", "diverged", "train"]


@dataclass
class TensorRows:
    """Training rows as tensors.

    Attributes
    ----------
    X : Tensor or SparseRows of shape (n_rows, n_inputs), dtype=float32
    target : Tensor of shape (n_rows, n_targets) or None
        None for rows to forget whose target is not known.
    weight : Tensor of shape (n_rows, 1) or None
        Of mean one over the rows that a network is trained on.
    """

    X: Any
    target: Any = None
    weight: torch.Tensor | None = None

    @classmethod
    def from_arrays(
        cls,
        X: Any,
        target: torch.Tensor | None,
        weight: np.ndarray | None,
        device: torch.device,
    ) -> "TensorRows":
        """Put rows, and weights of shape (n_rows,), on a device in float32."""
        rows = rows_on_device(X, device)
        if target is not None:
            target = target.to(device)
        if weight is None:
            return cls(rows, target)
        weight = np.ascontiguousarray(weight, dtype=np.float32)
        return cls(rows, target, torch.from_numpy(weight).to(device)[:, None])

    def __len__(self) -> int:
        return len(self.X)

    def take(self, index: torch.Tensor) -> tuple[torch.Tensor, Any, Any]:
        """Return X, target and weight of these rows."""
        X, target = self.X.index_select(0, index), self.target.index_select(0, index)
        weight = None if self.weight is None else self.weight.index_select(0, index)
        return X, target, weight


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
    patience : int or inf
        Epochs without such an improvement after which training stops, or its learning
        rate falls.
    smoothing : float
        Decay of the mean over epochs in the place of each value, from 0 to below 1.
    """

    max_epochs: int
    shuffle: bool = True
    tol: float = 1e-4
    patience: float = 10
    smoothing: float = 0.0


@dataclass
class Progress:
    """How far training is, and whether it still gets on.

    Attributes
    ----------
    n_seen : int
        Rows seen: a row counts in each epoch.
    best : float
        Smallest value so far of the loss, or of minus the score, smoothed.
    stale : int
        Epochs since one was better by `tol`.
    total, weight : float
        Sums of values and of their weights, which decay: their mean is smoothed.
    """

    n_seen: int = 0
    best: float = np.inf
    stale: int = 0
    total: float = 0.0
    weight: float = 0.0

    def end_epoch(
        self, value: float, n_rows: int, schedule: Schedule, optimizer: Any
    ) -> bool:
        """Return whether training is over; the learning rate may fall before that."""
        self.n_seen += n_rows
        optimizer.end_epoch(self.n_seen)
        decay = schedule.smoothing
        self.total = decay * self.total + (1 - decay) * value
        self.weight = decay * self.weight + (1 - decay)
        value = self.total / self.weight
        self.stale = 0 if value < self.best - schedule.tol else self.stale + 1
        self.best = min(self.best, value)
        if self.stale <= schedule.patience:
            return False
        if optimizer.lower_rate():
            self.stale = 0
            return False
        return True


@dataclass
class History:
    """Losses and scores of the epochs, and how training ended.

    Attributes
    ----------
    progress : Progress
    losses, scores : list of float
    best_loss, best_score : float
    converged : bool
        Whether training stopped by itself.
    rate : float
        Learning rate at the end.
    diverged : bool
        Whether it went back to its best because the loss was no longer finite.
    """

    progress: Progress = field(default_factory=Progress)
    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    best_loss: float = np.inf
    best_score: float = -np.inf
    converged: bool = False
    diverged: bool = False
    rate: float = np.nan


def train(
    trainer: Any,
    schedule: Schedule,
    rng: np.random.Generator,
    *,
    score: Callable[[], float] | None = None,
    reporter: Any = None,
    progress: Progress | None = None,
) -> History:
    """Train until the loss, or the score, stops improving.

    Parameters
    ----------
    trainer : object
        With `n_rows`, `optimizer`, ``epoch(order) -> mean loss``, ``snapshot()`` and
        ``restore(snapshot)``.
    schedule : Schedule
    rng : numpy.random.Generator
        Of the order of the rows.
    score : callable () -> float, default=None
        Score on held-out rows, greater is better, or NaN: it decides when to stop, and
        the network ends at its best, even if the loss becomes infinite.
    reporter : object, default=None
        With ``begin_epoch()`` and ``end_epoch(history) -> whether to stop``.
    progress : Progress, default=None
        That of former epochs, which goes on.

    Returns
    -------
    History
    """
    history = History(progress or Progress())
    order, best = np.arange(trainer.n_rows), None
    for _ in range(schedule.max_epochs):
        if reporter is not None:
            reporter.begin_epoch()
        if schedule.shuffle:
            order = rng.permutation(trainer.n_rows)
        loss = trainer.epoch(order)
        history.losses.append(loss)
        history.best_loss = min(history.best_loss, loss)
        if score is not None:
            history.scores.append(score() if np.isfinite(loss) else np.nan)
            if history.scores[-1] > history.best_score:
                history.best_score, best = history.scores[-1], trainer.snapshot()
        history.diverged = not np.isfinite(loss)
        if history.diverged:
            break
        value = -history.scores[-1] if score else loss
        state = trainer.n_rows, schedule, trainer.optimizer
        history.converged = history.progress.end_epoch(value, *state)
        stopped = reporter is not None and reporter.end_epoch(history)
        if stopped or history.converged:
            break
    history.rate = float(trainer.optimizer.param_groups[0]["lr"])
    if best is not None:
        trainer.restore(best)
    elif history.diverged:
        raise diverged()
    return history


def diverged() -> ValueError:
    """The error for a training that leads to no finite numbers."""
    return ValueError(
        "Solver produced non-finite parameter weights. The input data may contain "
        "large values and need to be preprocessed. Scale the features, or lower "
        "learning_rate_init."
    )
