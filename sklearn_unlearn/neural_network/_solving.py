"""How both networks are trained: by which solver, for how long, with what record."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_unlearn._engine._solvers import (
    AdamSettings,
    SGDSettings,
    continue_from,
    state_of,
)
from sklearn_unlearn._engine._training import Progress, Schedule, train
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["SolvingMixin"]

# Decay of the mean over epochs that stands for a loss under dropout: the noise of
# single epochs is larger than `tol`, and would end training early.
LOSS_DECAY = 0.9


class SolvingMixin:
    """Part of the base of the two networks; see `BaseDropoutNetwork`."""

    def _trainer(self, network, rows, rng):
        """Return a trainer of a network, with the parameters of this estimator."""
        return network.trainer(
            rows,
            self._loss,
            alpha=self.alpha,
            solver=self._solver(),
            rng=rng,
            batch_size=self._batch_size(len(rows)),
        )

    def _solver(self):
        """Return the settings of the solver, or raise if there is none of this name."""
        if self.solver == "adam":
            return AdamSettings(
                self.learning_rate_init, self.beta_1, self.beta_2, self.epsilon
            )
        if self.solver == "sgd":
            return SGDSettings(
                self.learning_rate_init,
                self.learning_rate,
                self.power_t,
                self.momentum,
                self.nesterovs_momentum,
            )
        if self.solver == "lbfgs":
            raise ValueError(
                'solver="lbfgs" cannot train a network with dropout: its line search '
                'compares losses, and these are noisy. Use "adam" or "sgd".'
            )
        raise ValueError(f'solver must be "adam" or "sgd"; got {self.solver!r}.')

    def _batch_size(self, n_rows):
        return min(200 if self.batch_size == "auto" else self.batch_size, n_rows)

    def _schedule(self, trainer):
        """Return for how long to train; what has no noise is judged as it is."""
        is_noisy = trainer.is_noisy and not self.early_stopping
        return Schedule(
            max_epochs=self.max_iter,
            shuffle=self.shuffle,
            tol=self.tol,
            patience=self.n_iter_no_change,
            smoothing=LOSS_DECAY if is_noisy else 0.0,
        )

    def _record(self, history):
        """Set the attributes that describe the epochs, and warn if they were few."""
        self.n_iter_, self.t_ = len(history.losses), history.progress.n_seen
        self.loss_curve_, self.loss_ = history.losses, history.losses[-1]
        self.best_loss_ = None if self.early_stopping else history.best_loss
        self.validation_scores_ = history.scores if self.early_stopping else None
        self.best_validation_score_ = (
            history.best_score if self.early_stopping else None
        )
        self._no_improvement_count = history.progress.stale
        self._last_rate = history.rate
        # a patience of just max_iter asks for a fixed time; without end is no wish
        stops = not self.max_iter <= self.n_iter_no_change < np.inf
        if history.diverged:
            warn_user(
                f"After {self.n_iter_} epochs the loss is no longer finite: the "
                "network is that of its best validation score. Scale the features, "
                "or lower learning_rate_init.",
                ConvergenceWarning,
            )
        elif self.n_iter_ == self.max_iter and stops and not history.converged:
            warn_user(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached "
                "and the optimization hasn't converged yet. Raise max_iter, or set "
                "n_iter_no_change=max_iter to train for a fixed time.",
                ConvergenceWarning,
            )

    @property
    def _optimizer(self):
        """The last learning rate, where scikit-learn's perceptrons have it."""
        return SimpleNamespace(learning_rate=self._last_rate)

    def _train_one_epoch(self, trainer, order):
        """Let the solver take up its last state, and keep that after this epoch."""
        progress, state = Progress(self.t_), self._solver_state
        if state is not None and state["solver"] == self.solver:
            continue_from(trainer.optimizer, state["optimizer"])
            progress = Progress(**state["progress"])
        schedule = replace(self._schedule(trainer), max_epochs=1)
        history = train(trainer, schedule, order, progress=progress)
        self._solver_state = {
            "solver": self.solver,
            "optimizer": state_of(trainer.optimizer),
            "progress": asdict(progress),
            "order": order.bit_generator.state,
        }
        self._last_rate = history.rate
        return history
