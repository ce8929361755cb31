"""The training of one shard, slice by slice, with a checkpoint after each."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator

from sklearn_unlearn.base._single_class import fit_or_constant, is_constant
from sklearn_unlearn.base._steps import drop_inner_rows
from sklearn_unlearn.exact._rule import Rule
from sklearn_unlearn.exact.sharding._shard_rows import take_rows

__all__ = ["Recipe", "Shard", "epochs_per_slice", "slice_training_method"]


def slice_training_method(estimator, n_slices):
    """Return the method by which an estimator takes in one slice after the other.

    Returns
    -------
    {"fit", "partial_fit", "warm_start"}

    Raises
    ------
    ValueError
        If there are several slices and the estimator has neither.
    """
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
    """Return the epochs of each slice, over its rows and those of all before it.

    Together they read as many rows as `n_epochs` passes over the whole shard, but
    for rounding; each slice gets at least one.
    """
    ends = np.rint(np.arange(n_slices + 1) * (2 * n_epochs / (n_slices + 1)))
    return np.maximum(1, np.diff(ends)).astype(int)


class Shard:
    """The models of a shard, one per slice, and the marks of what they have seen.

    Parameters
    ----------
    models : list of estimator instances
        Fitted to slices up to and with each; None as long as there are no rows.
    marks : tuple of bytes
        See `slice_marks`.
    classes : ndarray or None
        Labels that all models were told of in advance.

    Notes
    -----
    Attributes are in slots, where estimators around this one do not look for things
    to drop: a checkpoint without the moments of its optimizer is none.
    """

    __slots__ = ("classes", "marks", "models")

    def __init__(self, models, marks, classes):
        self.models, self.marks, self.classes = models, marks, classes

    def first_changed(self, marks, classes):
        """Return the first slice that must be trained again; None if none must."""
        if not np.array_equal(self.classes, classes):
            return 0
        for j, mark in enumerate(marks):
            if mark != self.marks[j]:
                return j
        return None

    def last_only(self):
        """Return a shard that predicts the same and cannot forget."""
        return Shard(self.models[-1:], (), None)


@dataclass(frozen=True)
class Recipe:
    """How to train a shard: everything but its rows.

    Parameters
    ----------
    template : estimator instance
        Unfitted.
    way : {"fit", "partial_fit", "warm_start"}
        See `slice_training_method`.
    n_slices, n_epochs : int
    seed : int
        Each slice of each shard draws from a seed made of this one, its number and
        that of the shard alone.
    params : dict
        Arguments of ``fit`` that are the same for all rows.
    """

    template: BaseEstimator
    way: str
    n_slices: int
    n_epochs: int
    seed: int
    params: dict[str, Any]

    def classes_of(self, y):
        """Return the labels that models of a shard with these targets are told of."""
        known = self.way == "partial_fit" and is_classifier(self.template)
        return np.unique(y) if known else None

    def train(self, number, rows, slices, first, model):
        """Train the slices of a shard from the `first` on.

        Parameters
        ----------
        number : int
            That of the shard.
        rows : Rows
            All rows of the shard.
        slices : ndarray of int, shape (n_rows,)
            Slice of each row.
        first : int
        model : estimator instance or None
            The checkpoint after the slice before; it is not changed.

        Returns
        -------
        list of estimator instances
            A checkpoint for each slice from `first` on.
        """
        classes, models = self.classes_of(rows.y), []
        for j in range(first, self.n_slices):
            seen = np.flatnonzero(slices <= j)
            if len(seen):
                part = rows if len(seen) == len(slices) else take_rows(rows, seen)
                rng = np.random.default_rng(
                    np.random.SeedSequence(self.seed, spawn_key=(number, j))
                )
                model = getattr(self, f"_{self.way}")(model, part, j, rng, classes)
            models.append(model)
        if self.way != "partial_fit":  # which keeps no rows, but needs what it keeps
            drop_inner_rows(_Holder(models))
        return models

    def _fit(self, model, rows, j, rng, classes):
        template = _seeded(clone(self.template), rng)
        return self._fit_rows(template, rows)

    def _partial_fit(self, model, rows, j, rng, classes):
        if classes is not None and len(classes) == 1:
            return DummyClassifier().fit(rows.X, rows.y)
        params, told = {**rows.params, **self.params}, {}
        if model is None:
            model = clone(self.template)
            told = {} if classes is None else {"classes": classes}
        else:
            model = copy.deepcopy(model)
        for _ in range(epochs_per_slice(self.n_epochs, self.n_slices)[j]):
            _seeded(model, rng).partial_fit(rows.X, rows.y, **told, **params)
            told = {}
        return model

    def _warm_start(self, model, rows, j, rng, classes):
        if model is None or not _has_classes(model, rows.y):
            model = clone(self.template).set_params(warm_start=True)
        else:
            model = copy.deepcopy(model)
        size = self.template.get_params(deep=False).get("n_estimators")
        if size is not None:  # trees are added, fitted to the rows that there are
            ends = np.rint(np.linspace(0, size, self.n_slices + 1))
            added = np.maximum(1, np.diff(ends)).astype(int)
            model.set_params(n_estimators=int(added[: j + 1].sum()))
        model = self._fit_rows(_seeded(model, rng), rows)
        if is_constant(model, self.template):
            return model
        if size is None and not hasattr(model, "coef_"):
            raise ValueError(
                f"warm_start of {type(model).__name__} is for the same rows, so it "
                "cannot go on from slice to slice. Use n_slices=1."
            )
        return model

    def _fit_rows(self, model, rows):
        return fit_or_constant(
            lambda: Rule().fit(model, rows.X, rows.y, **rows.params, **self.params),
            model,
            rows,
        )


class _Holder:
    """Something that holds models."""

    def __init__(self, models):
        self.models = models


def _has_classes(model, y):
    """Whether a model goes on with targets `y`: it must know exactly their labels."""
    if isinstance(model, DummyClassifier):
        return False
    return not is_classifier(model) or np.array_equal(model.classes_, np.unique(y))


def _seeded(estimator, rng):
    """Give every ``random_state`` within an estimator a seed of its own."""
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
