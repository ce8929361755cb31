"""Shared by all trainers: rows as tensors, settings of Adam, the loop over epochs."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from sklearn_unlearn._engine._sparse_rows import rows_on_device

__all__ = ["AdamSettings", "History", "Schedule", "TensorRows", "train"]


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


@dataclass(frozen=True)
class AdamSettings:
    """Settings of Adam, under scikit-learn's names.

    With a decoupled weight decay above 0 it is AdamW.
    """

    learning_rate_init: float = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    decoupled_weight_decay: float = 0.0

    def optimizer(self, parameters: Iterable[torch.Tensor]) -> torch.optim.Optimizer:
        """Return torch's optimizer of these parameters, in its fused form."""
        settings: dict[str, Any] = {
            "lr": self.learning_rate_init,
            "betas": (self.beta_1, self.beta_2),
            "eps": self.epsilon,
            "fused": True,
        }
        if self.decoupled_weight_decay:
            settings["weight_decay"] = self.decoupled_weight_decay
            return torch.optim.AdamW(parameters, **settings)
        return torch.optim.Adam(parameters, **settings)


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
    """Losses and scores of the epochs, and whether training stopped by itself."""

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    best_loss: float = np.inf
    best_score: float = -np.inf
    converged: bool = False


def train(
    trainer: Any,
    schedule: Schedule,
    rng: np.random.Generator,
    *,
    score: Callable[[], float] | None = None,
    reporter: Any = None,
) -> History:
    """Train until the loss, or the score, stops improving.

    Parameters
    ----------
    trainer : object
        With `n_rows`, ``epoch(order) -> mean loss``, ``snapshot()`` and
        ``restore(snapshot)``.
    schedule : Schedule
    rng : numpy.random.Generator
        Of the order of the rows.
    score : callable () -> float, default=None
        Score on held-out rows, greater is better. If given, it decides when to
        stop, and the network ends as it was at its best.
    reporter : object, default=None
        With ``begin_epoch()`` and ``end_epoch(history)``; training stops where the
        latter returns True.

    Returns
    -------
    History
    """
    history = History()
    order = np.arange(trainer.n_rows)
    best, stale = None, 0
    for _ in range(schedule.max_epochs):
        if reporter is not None:
            reporter.begin_epoch()
        if schedule.shuffle:
            order = rng.permutation(trainer.n_rows)
        loss = trainer.epoch(order)
        _check_finite(loss)
        history.losses.append(loss)
        if score is None:
            improved = loss < history.best_loss - schedule.tol
        else:
            history.scores.append(score())
            improved = history.scores[-1] > history.best_score + schedule.tol
            if history.scores[-1] > history.best_score:
                history.best_score, best = history.scores[-1], trainer.snapshot()
        history.best_loss = min(history.best_loss, loss)
        stale = 0 if improved else stale + 1
        if reporter is not None and reporter.end_epoch(history):
            break
        if stale > schedule.patience:
            history.converged = True
            break
    if best is not None:
        trainer.restore(best)
    return history


def _check_finite(loss: float) -> None:
    """Raise if the mean loss of an epoch says that training has diverged."""
    if not np.isfinite(loss):
        raise ValueError(
            "Training diverged: the loss is no longer finite. Scale the features, "
            "or lower learning_rate_init."
        )
