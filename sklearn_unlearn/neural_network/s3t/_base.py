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

from sklearn_unlearn._engine.mlp._adapters import StageSettings, Trunk, map_rows
from sklearn_unlearn.base import UnlearnerMixin, UnlearnerTags
from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.dropout._noise import make_generator
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.neural_network.s3t._shard import Shard, train_shard
from sklearn_unlearn.neural_network.s3t._slice_assignment import Places
from sklearn_unlearn.rows._ids import as_ids, check_groups
from sklearn_unlearn.utils._sklearn_compat import Interval, _fit_context, _num_samples

__all__ = ["BaseS3T"]


class BaseS3T(UnlearnerMixin, BaseEstimator):
    """Base of :class:`S3TClassifier` and :class:`S3TRegressor`."""

    __metadata_request__fit = {"forget": True, "groups": True}

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
        """Return validated X and y."""

    @abstractmethod
    def _begin_target(self, y):
        """Set what the target defines: `_task` among it."""

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
        new = shallow_copy(self)
        X_checked, y_checked = new._check_rows(X, y, reset=True)
        memory = new._keep_rows(X, y, groups, {}, forget)
        new._begin_target(y_checked)
        new._fit_rows(X_checked, y_checked, groups)
        new._attach_rows(memory)
        self.__dict__ = new.__dict__
        return self

    def _fit_rows(self, X, y, groups=None):
        """Assign rows and train all shards, for the targets that `fit` saw."""
        rng = check_random_state(self.random_state)
        self._seed = int(rng.randint(np.iinfo(np.int32).max))
        if groups is not None:
            groups = check_groups(groups, len(X))
        self._assign(X, groups)
        self._shards = [None] * self.n_shards
        self._train(range(self.n_shards), X, y)

    def _assign(self, X, groups=None):
        self._places = Places.of(X, groups, self.n_shards, self.n_slices, self._seed)

    def _train(self, numbers, X, y):
        """Train the shards of these numbers on their rows."""
        seed = np.random.SeedSequence(self._seed, spawn_key=(0,))
        trunk = Trunk.draw(make_generator(seed), X.shape[1], self.n_components)
        settings = StageSettings(
            self.rank,
            self.n_epochs,
            self.learning_rate_init,
            self.batch_size,
            self.alpha,
        )
        target, jobs, empty = self._encode(y), [], {}
        for number in numbers:
            rows = np.flatnonzero(self._places.shard == number)
            if not len(rows):
                empty[number] = Shard(trunk)
                continue
            part = X[rows].astype(np.float64), target[rows], self._places.piece[rows]
            key = self._seed, number
            jobs.append((*part, self._task, trunk, settings, self.n_sequences, key))
        trained = iter(Parallel(n_jobs=self.n_jobs)(delayed(_train)(j) for j in jobs))
        self._shards = [
            shard
            if number not in numbers
            else empty[number]
            if number in empty
            else next(trained)
            for number, shard in enumerate(self._shards)
        ]

    @property
    def prefix_lengths_(self):
        """Number of slices that each shard predicts with, shape (n_shards,)."""
        check_is_fitted(self)
        return np.array([shard.length for shard in self._shards])

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
        if self._rows is None:
            raise self._no_rows_error()
        new, rows = shallow_copy(self), self._rows.rows()
        X, y = new._check_rows(rows.X, rows.y, reset=True)
        new._train([i for i, s in enumerate(new._shards) if not s.is_whole], X, y)
        self.__dict__ = new.__dict__
        return self

    # ----------------------------------------------------------------- predict

    def _average(self, X, convert):
        """Average over the shards what `convert` makes of their outputs.

        A shard counts for as much as the number of slices that it predicts with.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        shards = [shard for shard in self._shards if shard.length]

        def mean(rows):
            rows = np.array(rows, dtype=np.float64, order="C")
            total = sum(s.length * convert(s.outputs(rows)) for s in shards)
            return total / sum(s.length for s in shards)

        return map_rows(mean, X)

    def __sklearn_is_fitted__(self):
        return "_shards" in vars(self)

    # ------------------------------------------------------------------ forget

    def _unlearn_rows(self, request):
        positions = self._positions(request)
        if positions is None:  # rows that this fit has never seen
            return self._fit_again(request.retain.X, request.retain.y, {})
        shards = self._without(positions)
        if not request.ordered:
            # from now on rows come in the order in which they were given
            X, _ = self._check_rows(request.retain.X, request.retain.y, reset=False)
            if len(self._places.find(X)[1]):
                return self._fit_again(request.retain.X, request.retain.y, {})
            self._assign(X)
        self._shards = shards
        lost = [
            number
            for number in np.unique(self._places.shard).tolist()
            if not shards[number].length
        ]
        if lost:
            self._train(
                lost, *self._check_rows(request.retain.X, request.retain.y, reset=True)
            )

    def _positions(self, request):
        """Return the positions of forgotten rows among the places, None if unknown."""
        places = self._places
        if places is None or len(request.mask) != len(places):
            return None
        if request.ordered:
            return np.flatnonzero(request.mask)
        if places.ids is not None:
            raise ValueError(
                "fit was given groups, which cannot be matched with X_retain. Leave "
                "X_retain out, or fit again."
            )
        X = np.asarray(request.forget.X)
        if X.shape[1:] != (self.n_features_in_,):
            return None
        positions, unknown = places.find(X)
        return None if len(unknown) else positions

    def _without(self, positions):
        """Drop rows from the places, and return shards that know nothing of them."""
        places, shards = self._places, list(self._shards)
        shard, piece = places.shard[positions], places.piece[positions]
        for number in np.unique(shard):
            hit = set(piece[shard == number].tolist())
            shards[number] = shards[number].without(hit)
        self._places = places.without(positions)
        return shards

    def _forget_kept(self, X_forget, y_forget, groups, on_unknown):
        """Find the rows by their hashes where no rows are kept."""
        if self.store_training_data or self._rows is not None or self._places is None:
            return super()._forget_kept(X_forget, y_forget, groups, on_unknown)
        if groups is None:
            X = validate_data(
                self, X_forget, dtype=[np.float64, np.float32], reset=False
            )
            positions, unknown = self._places.find(X)
            n_requested, name = len(X), "rows in X_forget"
        elif self._places.ids is None:
            raise ValueError(
                "groups can only be forgotten if fit was given the ids of the rows: "
                "fit(X, y, groups=ids)."
            )
        else:
            positions, unknown = self._places.find_groups(groups)
            n_requested, name = _num_samples(as_ids(groups)), "ids in groups"
        if len(unknown) and on_unknown == "raise":
            raise UnknownRowsError(
                f"{len(unknown)} of {n_requested} {name} were never given to fit, or "
                f"are forgotten already; positions {unknown[:5].tolist()}. Pass "
                'on_unknown="ignore" to forget the others.'
            )
        self._shards = self._without(positions)
        if not any(shard.length for shard in self._shards):
            raise ValueError(
                "The request would leave no shard: the first slices of all sequences "
                "have been hit, and no rows are kept to train them again. Pass "
                "X_retain and y_retain, or fit again."
            )
        self.n_forgotten_ += len(positions)
        return n_requested if on_unknown == "ignore" else len(positions)

    def _fit_again(self, X, y, params):
        """Fit anew on the retained rows, in whatever coordinates they are."""
        self._fit_rows(*self._check_rows(X, y, reset=True))

    def _change_coordinates(self, A, b):
        self._shards = [shard.change_coordinates(A, b) for shard in self._shards]
        self.n_features_in_ = len(A)
        self.__dict__.pop("feature_names_in_", None)
        return True

    def _drop_for_export(self):
        super()._drop_for_export()
        self._shards = [shard.alone() for shard in self._shards]
        self._places = self._seed = None

    def _no_rows_error(self):
        if vars(self).get("_places", True) is None:
            return NotFittedError(
                f"This {type(self).__name__} is an exported copy, which cannot "
                "forget. Call unlearn on the fitted model."
            )
        return super()._no_rows_error()

    def _unlearner_tags(self):
        # not what fit would give: the other rows of a slice go with a forgotten one
        return UnlearnerTags(
            "approximate", requires_retain=False, requires_target=False
        )


def _train(job):
    with torch.inference_mode(False), torch.no_grad():
        return train_shard(*job)
