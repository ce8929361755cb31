"""What an unlearner is handed of a fitted network."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_unlearn._engine.mlp._trainer import Adam, Rows

__all__ = ["Editable"]


@dataclass
class Editable:
    """A fitted network with its rows, ready to be edited.

    Attributes
    ----------
    network : Perceptron or FittedModule
        A copy.
    loss : CrossEntropy or SquaredError
    retain : Rows
        Retained rows to train on: without those that are held out.
    forget : Rows
        Rows to forget. Their target is None if the caller did not say it.
    decay : callable (n_rows) -> float
        Penalty on half the squared weights in a step on so many retained rows, as in
        the network's own training.
    adam : Adam
        Optimizer of the network's own training, or what comes next to it.
    batch_size : int
        Of the network's own training.
    n_epochs : int
        Epochs that the network was trained for.
    train_fresh : callable (n_epochs, rng) -> Perceptron or FittedModule
        A new network, trained on the retained rows as this one was on all.
    finish : callable (network) -> estimator
        The estimator with this network, all that is derived from the training rows
        recomputed on the retained ones.
    """

    network: Any
    loss: Any
    retain: Rows
    forget: Rows
    decay: Callable[[int], float]
    adam: Adam
    batch_size: int
    n_epochs: int
    train_fresh: Callable[[int, np.random.Generator], Any]
    finish: Callable[[Any], Any]
