"""How a fitted network is handed to an unlearner, and taken back."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_unlearn._engine._editable import Editable
from sklearn_unlearn._engine._training import Schedule, train
from sklearn_unlearn._engine.module._fitted import FittedModule
from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.neural_network._plan import Plan

__all__ = ["EditableNetwork"]

# What the fit on all rows has left behind.
OF_THE_FIT = (
    "best_loss_",
    "best_validation_score_",
    "loss_",
    "loss_curve_",
    "validation_scores_",
)


class EditableNetwork:
    """Part of the base of the two networks; see `Editable`."""

    def _open(self, request, fit_params):
        """Return an `Editable` of this network and the rows of a request.

        It is None if the network cannot be brought to the units of the retained
        targets, and must be fitted again.
        """
        rows, asked = request.retain, request.forget
        new = shallow_copy(self)
        X, y = new._check_rows(rows.X, rows.y, reset=True)
        self._check_target(y)
        given = rows.params.get("sample_weight", fit_params.get("sample_weight"))
        weight = new._check_weight(y, given)
        network = new._in_new_units(self._network, y, weight)
        if network is None:
            return None
        held = self._held_among(request, len(X))
        plan = Plan(
            network,
            {},
            X,
            np.arange(len(X)),
            y,
            weight,
            np.flatnonzero(~held),
            np.flatnonzero(held),
        )
        # where nothing is held out, there is nothing to copy
        part = plan.part(plan.chosen) if held.any() else (X, y, weight)
        retain = new._as_rows(*part)

        batch_size = self._batch_size(len(plan.chosen))

        def train_fresh(n_epochs, rng):
            weights, order, masks = rng.spawn(3)
            fresh = new._new_network(X.shape[1], network.n_outputs, weights)
            trainer, fitted = new._trainer(fresh, retain, masks)
            train(trainer, Schedule(n_epochs, patience=n_epochs), order)
            return fitted()

        def finish(network):
            new._network = network
            for name in OF_THE_FIT:
                new.__dict__.pop(name, None)
            new._forget_stream()
            new._held_out = plan.held_mask()
            # what is left of the held-out rows may be too few to say anything
            if 2 * held.sum() < np.count_nonzero(vars(self).get("_held_out")):
                plan.held = plan.held[:0]
            new._after_training(plan)
            return new

        return Editable(
            network=network,
            loss=self._loss,
            retain=retain,
            forget=new._rows_to_forget(asked, y, given),
            decay=self._decay(network, batch_size),
            adam=self._adam(),
            batch_size=batch_size,
            n_epochs=self.n_iter_,
            train_fresh=train_fresh,
            finish=finish,
        )

    def _decay(self, network, batch_size):
        if isinstance(network, FittedModule):  # where it is the optimizer's
            return lambda n_rows: self.alpha / batch_size
        return lambda n_rows: self.alpha / n_rows

    def _in_new_units(self, network, y, sample_weight):
        """Return a copy of a network for targets with these moments, or None."""
        return network.copy()

    def _held_among(self, request, n_retain):
        """Return which retained rows the fit has held out, as far as that is known."""
        held = vars(self).get("_held_out")
        if held is None or not request.ordered or len(held) != len(request.mask):
            return np.zeros(n_retain, dtype=bool)
        held = held[~request.mask]
        return held & ~held.all()  # something must be left to train on

    def _rows_to_forget(self, asked, y_retain, given):
        """Return rows to forget, weighted as the fit on all rows weighted them."""
        if asked.y is None:
            X = validate_data(
                self, asked.X, dtype=[np.float64, np.float32], reset=False
            )
            return self._as_rows(X, None, None)
        X, y = self._check_rows(asked.X, asked.y, reset=False)
        self._check_target(y)
        weight = None
        if given is not None:
            own = asked.params.get("sample_weight", np.ones(len(y)))
            weight = np.concatenate([given, own])
        weight = self._check_weight(np.concatenate([y_retain, y]), weight)
        if weight is not None:  # in units of the retained ones, whose mean is one
            retained, weight = np.split(weight, [len(y_retain)])
            weight = weight / retained.mean()
        return self._as_rows(X, y, weight)

    def _check_fitted_rows(self, X, y):
        """Raise unless the network is fitted, on rows such as these."""
        check_is_fitted(self)
        X, y = self._check_rows(X, y, reset=False)
        self._check_target(y)
