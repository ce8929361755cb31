"""Ensembles that forget a row by dropping what was trained on it and after it."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import abstractmethod
from numbers import Integral, Real

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_unlearn._engine._threads import map_chunks
from sklearn_unlearn.base import UnlearnerMixin, UnlearnerTags
from sklearn_unlearn.dropout._noise import make_generator
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.neural_network.s3t._block import BlockSettings
from sklearn_unlearn.neural_network.s3t._random_features import (
    CHUNK_ROWS,
    RandomFeatures,
)
from sklearn_unlearn.neural_network.s3t._shard import S3TShard, ShardTrainer
from sklearn_unlearn.neural_network.s3t._slice_assignment import SliceAssignment
from sklearn_unlearn.rows._ids import as_ids, check_groups
from sklearn_unlearn.utils._sklearn_compat import Interval, _fit_context, _num_samples

__all__ = ["BaseS3T"]


class BaseS3T(UnlearnerMixin, BaseEstimator):
    """Base of :class:`S3TClassifier` and :class:`S3TRegressor`."""

    __metadata_request__fit = {"forget": True, "groups": True}

    _fits_by_groups = True

    _parameter_constraints: dict = {
        "n_shards": [Interval(Integral, 1, None, closed="left")],
        "n_slices": [Interval(Integral, 1, None, closed="left")],
        "n_sequences": [Interval(Integral, 1, 1000, closed="both")],
        "n_components": [Interval(Integral, 0, None, closed="left")],
        "rank": [Interval(Integral, 1, None, closed="left")],
        "n_epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "store_training_data": ["boolean"],
    }

    def __init__(
        self,
        n_shards=5,
        n_slices=4,
        n_sequences=2,
        *,
        n_components=512,
        rank=16,
        n_epochs=10,
        learning_rate_init=0.001,
        batch_size=64,
        alpha=0.0001,
        n_jobs=None,
        random_state=None,
        store_training_data=True,
    ):
        self.n_shards = n_shards
        self.n_slices = n_slices
        self.n_sequences = n_sequences
        self.n_components = n_components
        self.rank = rank
        self.n_epochs = n_epochs
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.alpha = alpha
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.store_training_data = store_training_data

    # ---------------------------------------------------------------- subclass

    @abstractmethod
    def _check_rows(self, X, y, reset):
        """Return validated X and y; with `reset`, as those of a new fit."""

    @abstractmethod
    def _begin_target(self, y):
        """Set the attributes that depend on the target, `_heads` among them."""

    @abstractmethod
    def _encode(self, y):
        """Return the target as a tensor of shape (n_rows, n_targets)."""

    # --------------------------------------------------------------------- fit

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, forget=None, groups=None):
        """Train all sequences, then forget the rows that `forget` marks.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Training rows. They need not be standardised.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Targets.
        forget : array-like of shape (n_rows,), dtype=bool, default=None
            Rows to forget after the fit on all of them. As metadata with one
            entry per row it is cut by every splitter.
        groups : array-like of shape (n_rows,), default=None
            One id per row, for ``unlearn(groups=...)``. All rows of an id share a
            slice, so that a request costs no more than one for a single row.

        Returns
        -------
        self : object
            The fitted ensemble.
        """
        X_checked, y_checked = self._check_rows(X, y, reset=True)
        kept = self._keep_rows(X, y, groups, {}, forget)
        self._begin_target(y_checked)
        self._fit_rows(X_checked, y_checked, groups)
        self._attach_rows(kept)
        return self

    def _fit_rows(self, X, y, groups=None):
        """Assign rows to slices and train all shards.

        The target of `fit` is described already, by `_begin_target`.
        """
        rng = check_random_state(self.random_state)
        self._seed = int(rng.randint(np.iinfo(np.int32).max))
        if groups is not None:
            groups = check_groups(groups, len(X))
        self._assign_slices(X, groups)
        self._shards = [None] * self.n_shards
        self._train_shards(range(self.n_shards), X, y)

    def _assign_slices(self, X, groups=None):
        """Set the shard and the slice of each row."""
        self._assignment = SliceAssignment.assign(
            X, groups, self.n_shards, self.n_slices, self._seed
        )

    def _train_shards(self, numbers, X, y):
        """Train the shards with these numbers, each on its rows among all rows."""
        seed = np.random.SeedSequence(self._seed, spawn_key=(0,))
        features = RandomFeatures.draw(
            make_generator(seed), X.shape[1], self.n_components
        )
        settings = BlockSettings(
            self.rank,
            self.n_epochs,
            self.learning_rate_init,
            self.batch_size,
            self.alpha,
        )
        target, slices, trainers = self._encode(y), self._assignment.slice, {}
        for number in numbers:
            rows = np.flatnonzero(self._assignment.shard == number)
            if len(rows):
                trainers[number] = ShardTrainer(
                    X[rows].astype(np.float64),
                    target[rows],
                    slices[rows],
                    self._heads,
                    features,
                    settings,
                    self._seed,
                    number,
                )
        trained = Parallel(n_jobs=self.n_jobs)(
            delayed(_train_shard)(trainer, self.n_sequences)
            for trainer in trainers.values()
        )
        # in a new list: copies of the estimator share the one before
        shards = list(self._shards)
        for number in numbers:
            shards[number] = S3TShard(features)
        for number, shard in zip(trainers, trained, strict=True):
            shards[number] = shard
        self._shards = shards

    @property
    def prefix_lengths_(self):
        """Number of slices that each shard predicts with, shape (n_shards,)."""
        check_is_fitted(self)
        return np.array([shard.prefix_length for shard in self._shards])

    def refresh(self):
        """Train the shards that have lost slices again, on the rows that are kept.

        Requests drop slices whole. The rows that were not asked for are still kept;
        this makes use of them again. With an integer `random_state` the ensemble is
        then, bit for bit, the one that ``fit`` gives on the retained rows, as long as
        these have all classes; the column of a class without rows stays in the heads.

        Returns
        -------
        self : object
            The ensemble, whole again.

        Raises
        ------
        ValueError
            If no rows are kept.
        """
        check_is_fitted(self)
        rows = self._kept_rows().rows()
        X, y = self._check_rows(rows.X, rows.y, reset=True)
        incomplete = [i for i, s in enumerate(self._shards) if not s.is_complete]
        self._train_shards(incomplete, X, y)
        return self

    # ----------------------------------------------------------------- predict

    def _average(self, X, convert):
        """Apply `convert` to the outputs of each shard, and average over the shards.

        The weight of a shard is the number of slices that it predicts with.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        shards = [shard for shard in self._shards if shard.prefix_length]

        def mean(rows):
            rows = np.array(rows, dtype=np.float64, order="C")
            total = sum(s.prefix_length * convert(s.outputs(rows)) for s in shards)
            return total / sum(s.prefix_length for s in shards)

        return map_chunks(mean, X, CHUNK_ROWS)

    def __sklearn_is_fitted__(self):
        return "_shards" in vars(self)

    # ------------------------------------------------------------------ forget

    def _unlearn_rows(self, request):
        positions = self._positions_of_forgotten(request)
        if positions is None:
            rows = request.retain
            return self._fit_again(rows.X, rows.y, self._fit_params)
        shards = self._without_slices_of(positions)
        if not request.ordered:
            # from now on rows come in the order in which they were given
            X, _ = self._check_rows(request.retain.X, request.retain.y, reset=False)
            if len(self._assignment.find(X)[1]):
                return self._fit_again(request.retain.X, request.retain.y, {})
            self._assign_slices(X)
        self._shards = shards
        in_use = np.unique(self._assignment.shard).tolist()
        lost = [number for number in in_use if not shards[number].prefix_length]
        if lost:
            X, y = self._check_rows(request.retain.X, request.retain.y, reset=True)
            self._train_shards(lost, X, y)

    def _positions_of_forgotten(self, request):
        """Return the positions of the rows to forget, in the order of the fit.

        None if the fit has not seen all of these rows, so that nothing can be told
        about the slices that have.
        """
        assignment = self._assignment
        if assignment is None or len(request.mask) != len(assignment):
            return None
        if request.ordered:
            return np.flatnonzero(request.mask)
        if assignment.ids is not None:
            raise ValueError(
                "X_retain comes without ids, but fit was given groups, by which rows "
                "are assigned to slices. Leave X_retain and y_retain out, which this "
                "estimator does not need, or fit it again on the retained rows and "
                "their groups."
            )
        X = np.asarray(request.forget.X)
        if X.shape[1:] != (self.n_features_in_,):
            return None
        positions, unknown = assignment.find(X)
        return None if len(unknown) else positions

    def _without_slices_of(self, positions):
        """Remove rows from the assignment; return the shards without their slices."""
        assignment, shards = self._assignment, list(self._shards)
        shard, slices = assignment.shard[positions], assignment.slice[positions]
        for number in np.unique(shard):
            hit = set(slices[shard == number].tolist())
            shards[number] = shards[number].without_slices(hit)
        self._assignment = assignment.without(positions)
        return shards

    def _find_rows(self, X_forget, y_forget=None, groups=None, on_unknown="raise"):
        """Find the rows among the kept ones, or by their hashes if none are kept."""
        by_hash = not self.store_training_data and self._rows is None
        if not by_hash or self._assignment is None:
            return super()._find_rows(X_forget, y_forget, groups, on_unknown)
        if groups is None:
            X = validate_data(
                self, X_forget, dtype=[np.float64, np.float32], reset=False
            )
            positions, unknown = self._assignment.find(X)
            n_requested, name = len(X), "rows in X_forget"
        elif self._assignment.ids is None:
            raise self._no_ids_error()
        else:
            positions, unknown = self._assignment.find_groups(groups)
            n_requested, name = _num_samples(as_ids(groups)), "ids in groups"
        if len(unknown) and on_unknown == "raise":
            raise UnknownRowsError(
                f"{len(unknown)} of {n_requested} {name} were never given to fit, or "
                f"are forgotten already; positions {unknown[:5].tolist()}. Pass "
                'on_unknown="ignore" to forget the others.',
                positions=unknown,
                groups=() if groups is None else as_ids(groups)[unknown].tolist(),
            )
        return positions

    def _forget_positions(self, positions):
        if self._rows is not None or not len(positions):
            super()._forget_positions(positions)
            return
        self._shards = self._without_slices_of(positions)
        if not any(shard.prefix_length for shard in self._shards):
            raise ValueError(
                "The request would leave no shard: the first slices of all sequences "
                "have been hit, and no rows are kept to train them again. Pass "
                "X_retain and y_retain, or fit again."
            )
        self._count(len(positions), None)

    def _fit_again(self, X, y, params):
        """Fit again on the retained rows, in the coordinates in which they come."""
        self._fit_rows(*self._check_rows(X, y, reset=True), params.get("groups"))

    def _change_coordinates(self, A, b):
        self._shards = [shard.change_coordinates(A, b) for shard in self._shards]
        self.n_features_in_ = len(A)
        self.__dict__.pop("feature_names_in_", None)
        return True

    def _drop_for_export(self):
        super()._drop_for_export()
        self._shards = [shard.longest_only() for shard in self._shards]
        self._assignment = self._seed = None

    def _no_rows_error(self):
        if vars(self).get("_assignment", True) is None:
            return NotFittedError(
                f"This {type(self).__name__} is an exported copy, which cannot "
                "forget. Call unlearn on the fitted model."
            )
        return super()._no_rows_error()

    def _unlearner_tags(self):
        # not the state of a fit: the other rows of a slice go with a forgotten one
        return UnlearnerTags(
            "approximate", requires_retain=False, requires_target=False
        )


def _train_shard(trainer, n_sequences):
    # whichever mode of autograd the caller has switched on
    with torch.inference_mode(False), torch.no_grad():
        return trainer.train(n_sequences)
