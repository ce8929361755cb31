"""Models of one shard, and their training with a checkpoint after each slice."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator

from sklearn_unlearn.base._single_class import (
    constant_model,
    fit_or_constant,
    is_constant,
)
from sklearn_unlearn.base._steps import deep_copy, drop_inner_rows, unfitted_copy
from sklearn_unlearn.base._tags import takes_matrix
from sklearn_unlearn.exact._rule import Rule
from sklearn_unlearn.exact.sharding._shard_rows import take_rows
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["Shard", "SliceTrainer", "slice_training_method"]


def slice_training_method(estimator, n_slices):
    """Return how an estimator is trained on one slice after the other.

    Returns
    -------
    {"fit", "partial_fit", "warm_start"}
        ``"fit"`` if there is only one slice.

    Raises
    ------
    ValueError
        If there are several slices and the estimator has neither ``partial_fit`` nor
        ``warm_start``, or if it takes a matrix between all rows.
    """
    if takes_matrix(estimator):
        raise ValueError(
            f"{type(estimator).__name__} takes a kernel or distance matrix between all "
            "rows, which has no shards. Pass an estimator that computes its own, or "
            "use ExactUnlearner."
        )
    if n_slices == 1:
        return "fit"
    if hasattr(estimator, "partial_fit"):
        return "partial_fit"
    if "warm_start" in estimator.get_params(deep=False):
        return "warm_start"
    raise ValueError(
        f"n_slices={n_slices} needs an estimator that can go on from a checkpoint, by "
        f"partial_fit or warm_start; {type(estimator).__name__} has neither. Use "
        "n_slices=1."
    )


def epochs_per_slice(n_epochs, n_slices):
    """Return for each slice the number of epochs that it is trained for.

    An epoch of a slice is a pass over its rows and those of the slices before it. All
    epochs together read as many rows as `n_epochs` passes over the whole shard, but
    for rounding; each slice gets at least one epoch.
    """
    ends = np.rint(np.arange(n_slices + 1) * (2 * n_epochs / (n_slices + 1)))
    return np.maximum(1, np.diff(ends)).astype(int)


@saved_as("shard")
class Shard:
    """The checkpoints of one shard, and digests of the rows they were trained on.

    Parameters
    ----------
    models : list of estimator instances or None, length n_slices
        Entry ``j`` was trained on the slices up to ``j``; None if these have no rows.
        The last one predicts.
    digests : tuple of bytes
        Digest of the rows that each model was trained on; see `slice_digests`.
    classes : ndarray or None
        Labels that every model was given before its training; None if models find
        them in their rows.

    Notes
    -----
    Attributes are in slots, because an estimator around this one drops parts of the
    objects whose ``__dict__`` it can read, and a checkpoint must stay complete: without
    the moments of its optimizer, training cannot go on from it.
    """

    __slots__ = ("classes", "digests", "models")

    def __init__(self, models, digests, classes):
        self.models, self.digests, self.classes = models, digests, classes

    def first_changed(self, digests, classes):
        """Return the first slice that must be trained again, or None.

        Parameters
        ----------
        digests : tuple of bytes
            Of the rows that each slice would be trained on now.
        classes : ndarray or None
            Labels that models would be given now.
        """
        if not np.array_equal(self.classes, classes):
            return 0
        for j, digest in enumerate(digests):
            if digest != self.digests[j]:
                return j
        return None

    def without_checkpoints(self):
        """Return a shard that predicts the same and cannot forget."""
        return Shard(self.models[-1:], (), None)


@dataclass(frozen=True)
class SliceTrainer:
    """Trainer of the model of a shard, slice by slice.

    Parameters
    ----------
    template : estimator instance
        Unfitted.
    method : {"fit", "partial_fit", "warm_start"}
        How it is trained on one slice after the other; see `slice_training_method`.
    n_slices : int
        Number of slices of a shard.
    n_epochs : int
        Passes over a shard that all slices together amount to, with ``partial_fit``.
    seed : int
        Each slice of each shard draws from a seed made of this one, its number and
        that of the shard alone.
    params : dict
        Arguments of ``fit`` that are the same for all rows.
    """

    template: BaseEstimator
    method: str
    n_slices: int
    n_epochs: int
    seed: int
    params: dict[str, Any]

    def classes_in_advance(self, y):
        """Return the labels that models of a shard are given before their training.

        ``partial_fit`` of a classifier needs all labels in its first call. For other
        ways of training, None.

        Parameters
        ----------
        y : ndarray
            Targets of the shard.
        """
        if self.method == "partial_fit" and is_classifier(self.template):
            return np.unique(y)
        return None

    def train(self, number, rows, slices, first, model):
        """Train the slices of a shard from the `first` on.

        Parameters
        ----------
        number : int
            Number of the shard.
        rows : Rows
            All rows of the shard.
        slices : ndarray of int, shape (n_rows,)
            Slice of each row.
        first : int
            First slice to train.
        model : estimator instance or None
            Checkpoint of the slice before it, which is not changed; None if there is
            none.

        Returns
        -------
        list of estimator instances
            A checkpoint for each slice from `first` on.
        """
        train_slice = getattr(self, f"_{self.method}")
        classes, models = self.classes_in_advance(rows.y), []
        for j in range(first, self.n_slices):
            seen = np.flatnonzero(slices <= j)
            if len(seen):
                rows_seen = rows if len(seen) == len(slices) else take_rows(rows, seen)
                rng = np.random.default_rng(
                    np.random.SeedSequence(self.seed, spawn_key=(number, j))
                )
                model = train_slice(model, rows_seen, j, rng, classes)
            models.append(model)
        # partial_fit keeps no rows, and goes on from all that it does keep
        if self.method != "partial_fit":
            drop_inner_rows(models)
        return models

    # The three ways to train slice `j`. They take the checkpoint of the slice before
    # as `model`, and as `rows` those of all slices up to `j`; they return a new model.

    def _fit(self, model, rows, j, rng, classes):
        """Fit a new model."""
        return self._fit_rows(
            _set_random_states(unfitted_copy(self.template), rng), rows
        )

    def _partial_fit(self, model, rows, j, rng, classes):
        """Go on from a copy of the checkpoint for the epochs of this slice."""
        if classes is not None and len(classes) == 1:
            return constant_model(rows)
        params, first_call = {**rows.params, **self.params}, {}
        if model is None:
            model = unfitted_copy(self.template)
            first_call = {} if classes is None else {"classes": classes}
        else:
            model = deep_copy(model)
        for _ in range(epochs_per_slice(self.n_epochs, self.n_slices)[j]):
            _set_random_states(model, rng)
            model.partial_fit(rows.X, rows.y, **first_call, **params)
            first_call = {}
        return model

    def _warm_start(self, model, rows, j, rng, classes):
        """Fit a copy of the checkpoint further, or a new model if labels differ."""
        if model is None or not _can_continue(model, rows.y):
            model = unfitted_copy(self.template).set_params(warm_start=True)
        else:
            model = deep_copy(model)
        size = self.template.get_params(deep=False).get("n_estimators")
        if size is not None:  # an ensemble: each slice adds its share of the members
            ends = np.rint(np.linspace(0, size, self.n_slices + 1))
            added = np.maximum(1, np.diff(ends)).astype(int)
            model.set_params(n_estimators=int(added[: j + 1].sum()))
        model = self._fit_rows(_set_random_states(model, rng), rows)
        if is_constant(model, self.template):
            return model
        if size is None and not hasattr(model, "coef_"):
            raise ValueError(
                f"warm_start of {type(model).__name__} is for the same rows, so it "
                "cannot go on from slice to slice. Use n_slices=1."
            )
        return model

    def _fit_rows(self, model, rows):
        """Return the model fitted to rows, or a constant one of a single class."""
        return fit_or_constant(
            lambda: Rule().fit(model, rows.X, rows.y, **rows.params, **self.params),
            model,
            rows,
        )


def _can_continue(model, y):
    """Tell whether a model can be fitted further: a classifier needs equal labels."""
    if isinstance(model, DummyClassifier):
        return False
    return not is_classifier(model) or np.array_equal(model.classes_, np.unique(y))


def _set_random_states(estimator, rng):
    """Set every ``random_state`` within an estimator to a seed drawn from `rng`."""
    params = estimator.get_params(deep=True)
    frozen = tuple(
        f"{n}__" for n, v in params.items() if isinstance(v, FrozenEstimator)
    )
    names = [
        name
        for name in sorted(params)
        if name.split("__")[-1] == "random_state" and not name.startswith(frozen)
    ]
    return estimator.set_params(**{name: int(rng.integers(2**31)) for name in names})
