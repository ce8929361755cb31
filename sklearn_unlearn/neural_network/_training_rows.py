"""The rows that a network trains on: in a fit, and when it is made to forget."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_unlearn._engine._handle import CannotUnlearnError, NetworkHandle
from sklearn_unlearn._engine._training import Schedule, TensorRows, train
from sklearn_unlearn._engine.module._fitted import FittedModule
from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.neural_network._building import new_network
from sklearn_unlearn.utils._sklearn_compat import _check_sample_weight

__all__ = ["ROW_CHECKS", "TrainingRowsMixin", "TrainingSplit"]

# What `validate_data` makes of rows; those of other types become float64.
ROW_CHECKS: dict = {"dtype": [np.float64, np.float32], "accept_sparse": "csr"}

# Attributes that describe the fit on all rows; a network that has unlearned lacks them.
CURVES = (
    "_last_rate",
    "_no_improvement_count",
    "best_loss_",
    "best_validation_score_",
    "loss_",
    "loss_curve_",
    "validation_scores_",
)


@dataclass
class TrainingSplit:
    """Rows of a fit, split into those to train on and those held out.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
    y : ndarray of shape (n_fit,) or (n_fit, n_outputs)
    weight : ndarray of shape (n_fit,) or None
    training, held_out : ndarray of int
        Positions among the rows of the fit.
    subset : ndarray of shape (n_fit,), default=None
        Positions in `X` of the rows of the fit; None stands for all rows.
    """

    X: Any
    y: np.ndarray
    weight: np.ndarray | None
    training: np.ndarray
    held_out: np.ndarray
    subset: np.ndarray | None = None

    def take(self, positions):
        """Return X, y and weight of some rows of the fit."""
        weight = None if self.weight is None else self.weight[positions]
        in_X = positions if self.subset is None else self.subset[positions]
        return self.X[in_X], self.y[positions], weight

    def training_rows(self):
        """Return X, y and weight of the rows to train on; no copies of all rows."""
        if self.subset is None and not len(self.held_out):
            return self.X, self.y, self.weight
        return self.take(self.training)

    def held_out_rows(self):
        """Return X, y and weight of the held-out rows, or of all if there are none."""
        positions = self.held_out if len(self.held_out) else self.training
        if self.weight is not None:
            positions = positions[self.weight[positions] > 0]
        return self.take(positions)

    def held_out_mask(self):
        """Return which rows of the fit are held out, or None if none is."""
        if not len(self.held_out):
            return None
        mask = np.zeros(len(self.y), dtype=bool)
        mask[self.held_out] = True
        return mask


class TrainingRowsMixin:
    """Part of the base of the two networks; see `BaseDropoutNetwork`."""

    def _check_weight(self, y, sample_weight, normalise=True):
        """Return weights of rows, or None if all are equal.

        Weights of classes are among them. Their mean is one, unless `normalise` is
        false.
        """
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, y, dtype=np.float64, ensure_non_negative=True
            )
        weight = self._with_class_weight(y, sample_weight)
        if weight is None:
            return None
        if not normalise:
            return weight
        if not weight.any():
            raise ValueError(
                "sample_weight is 0 for every row: nothing is to be learnt."
            )
        weight = weight / weight.max()  # so that no sum overflows
        return None if np.ptp(weight) == 0 else weight / weight.mean()

    def _split_rows(self, y, weight, rng):
        """Return the positions of training rows and of held-out rows."""
        n_rows = len(y)
        everything, nothing = np.arange(n_rows), np.arange(0)
        labels = y if hasattr(self, "classes_") and y.ndim == 1 else None
        if self.early_stopping:
            n_held_out: float | int = self.validation_fraction
        else:
            n_held_out, labels = self._n_held_out(n_rows), None
            if n_held_out == 0:
                return everything, nothing
        # a row of weight 0 neither needs validation nor adds to it
        weighty = everything if weight is None else np.flatnonzero(weight)
        try:
            _, held_out = train_test_split(
                weighty,
                test_size=n_held_out,
                stratify=None if labels is None else labels[weighty],
                random_state=int(rng.integers(2**31)),
            )
        except ValueError as error:
            if not self.early_stopping:
                return everything, nothing
            raise ValueError(
                f"early_stopping cannot hold out validation_fraction="
                f"{self.validation_fraction} of {len(weighty)} rows: {error}"
            ) from error
        if self.early_stopping and labels is None and len(held_out) < 2:
            raise ValueError(
                "The validation set is too small for early_stopping: it would have "
                "one row. Raise validation_fraction, or set early_stopping=False."
            )
        return np.sort(np.setdiff1d(everything, held_out)), held_out

    def _as_tensors(self, X, y, weight):
        """Return rows as tensors on the device."""
        target = None if y is None else self._encode_target(y)
        return TensorRows.from_arrays(X, target, weight, self._check_device())

    # ----------------------------------------------------------------- unlearn

    def _begin_unlearning(self, request, fit_params):
        """Return a `NetworkHandle` of this network and the rows of a request.

        Raises
        ------
        CannotUnlearnError
            If the network cannot be brought to the units of the retained targets.
        """
        rows, new = request.retain, shallow_copy(self)
        X, y = new._check_rows(rows.X, rows.y, reset=True)
        self._check_target(y)
        given = rows.params.get("sample_weight", fit_params.get("sample_weight"))
        weight = new._check_weight(y, given)
        network = new._rescale_outputs(self._network, y, weight)
        if network is None:
            raise CannotUnlearnError(
                "module has no last linear layer that could take in the new units of "
                "the target"
            )
        for name in CURVES:
            new.__dict__.pop(name, None)
        new._reset_partial_fit()
        held_out = self._held_out_among_retained(request, len(y))
        new._held_out = held_out if held_out.any() else None
        positions = np.flatnonzero(held_out)
        split = TrainingSplit(X, y, weight, np.flatnonzero(~held_out), positions)
        retain = new._as_tensors(*split.training_rows())
        # too few of the held-out rows may be left to say anything
        if 2 * len(positions) < np.count_nonzero(vars(self).get("_held_out")):
            split.held_out = positions[:0]

        batch_size = self._batch_size(len(retain))
        # the optimizer of a module has one weight decay for batches of any size
        fixed_size = batch_size if isinstance(network, FittedModule) else None
        return NetworkHandle(
            network=network,
            loss=self._loss,
            retain=retain,
            forget=new._tensors_to_forget(request.forget, y, given),
            weight_decay=lambda n_rows: self.alpha / (fixed_size or n_rows),
            adam=self._solver().adam(),
            batch_size=batch_size,
            n_epochs=self.n_iter_,
            train_fresh=partial(new._train_fresh, retain),
            finish=partial(new._finish_unlearning, split),
        )

    def _train_fresh(self, rows, n_epochs, rng):
        """Return a new network, trained on these rows for some epochs."""
        weights, order, masks = rng.spawn(3)
        n_features, n_outputs = rows.X.shape[1], self._network.n_outputs
        network = new_network(self, n_features, n_outputs, weights)
        trainer = self._trainer(network, rows, masks)
        train(trainer, Schedule(n_epochs, patience=n_epochs), order)
        return trainer.network()

    def _finish_unlearning(self, split, network):
        """Take over a network that has unlearned, and return the estimator."""
        self._network = self._settled(network)
        self._after_training(split)
        return self

    def _rescale_outputs(self, network, y, weight):
        """Return a network for targets with the moments of `y`, or None."""
        return network

    def _held_out_among_retained(self, request, n_retain):
        """Return which retained rows the fit has held out, as far as that is known."""
        held_out = vars(self).get("_held_out")
        if (
            held_out is None
            or not request.ordered
            or len(held_out) != len(request.mask)
        ):
            return np.zeros(n_retain, dtype=bool)
        held_out = held_out[~request.mask]
        return held_out & ~held_out.all()  # something must be left to train on

    def _tensors_to_forget(self, forget, y_retain, given):
        """Return rows to forget, weighted as the fit on all rows weighted them."""
        if forget.y is None:
            X = validate_data(self, forget.X, **ROW_CHECKS, reset=False)
            return self._as_tensors(X, None, None)
        X, y = self._check_rows(forget.X, forget.y, reset=False)
        self._check_target(y)
        weight = None
        if given is not None:
            own = forget.params.get("sample_weight", np.ones(len(y)))
            weight = np.concatenate([given, own])
        weight = self._check_weight(np.concatenate([y_retain, y]), weight)
        if weight is not None:  # in units of the retained ones, whose mean is one
            retained, weight = np.split(weight, [len(y_retain)])
            weight = weight / retained.mean()
        return self._as_tensors(X, y, weight)

    def _check_fitted_rows(self, X, y):
        """Raise unless the network is fitted, on rows such as these."""
        check_is_fitted(self)
        X, y = self._check_rows(X, y, reset=False)
        self._check_target(y)
