"""A fitted network as an unlearner receives it."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_unlearn._engine._solvers import AdamSettings
from sklearn_unlearn._engine._training import TensorRows

__all__ = ["CannotUnlearnError", "NetworkHandle"]


class CannotUnlearnError(Exception):
    """A network cannot be edited, for the reason given, and must be fitted again."""


@dataclass
class NetworkHandle:
    """A fitted network, its rows, and how it was trained.

    An estimator returns it from ``_begin_unlearning(request, fit_params)``, and takes
    the network that has unlearned in `finish`.

    Attributes
    ----------
    network : Perceptron or FittedModule
        Never changed in place: training is on a copy.
    loss : CrossEntropy or SquaredError
    retain : TensorRows
        Retained rows to train on: without those that are held out.
    forget : TensorRows
        Rows to forget. Their target is None if the caller did not give it.
    weight_decay : callable (n_rows) -> float
        Penalty on half the squared weights in a step on so many retained rows, as in
        the network's own training.
    adam : AdamSettings
        Optimizer of the network's own training, or the Adam that is next to it.
    batch_size : int
        Of the network's own training.
    n_epochs : int
        Epochs that the network was trained for.
    train_fresh : callable (n_epochs, rng) -> Perceptron or FittedModule
        Trains a new network on the retained rows as this one was on all.
    finish : callable (network) -> estimator
        Returns the estimator with another network, in which all that is derived from
        the training rows is recomputed on the retained ones.
    """

    network: Any
    loss: Any
    retain: TensorRows
    forget: TensorRows
    weight_decay: Callable[[int], float]
    adam: AdamSettings
    batch_size: int
    n_epochs: int
    train_fresh: Callable[[int, np.random.Generator], Any]
    finish: Callable[[Any], Any]
