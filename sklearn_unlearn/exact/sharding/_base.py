"""Base of the SISA estimators: training shards, forgetting rows, and its cost."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
from abc import abstractmethod
from numbers import Integral

import numpy as np
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    is_classifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from sklearn_unlearn.base import UnlearnerMixin, UnlearnerTags
from sklearn_unlearn.base._group_column import GROUP_COLUMN
from sklearn_unlearn.base._steps import unfitted_copy
from sklearn_unlearn.exact._cost import UnlearningCost
from sklearn_unlearn.exact._rule import Rule
from sklearn_unlearn.exact.sharding._shard_rows import (
    assignment_units,
    canonical_rows,
    nonzero_weights,
    row_codes,
    slice_digests,
    take_rows,
)
from sklearn_unlearn.exact.sharding._slices import (
    Shard,
    SliceTrainer,
    slice_training_method,
)
from sklearn_unlearn.rows._assignment import assign_rows
from sklearn_unlearn.rows._ids import check_groups
from sklearn_unlearn.rows._store import Rows
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    _fit_context,
    _num_samples,
    _routing_enabled,
)
from sklearn_unlearn.utils._validation import (
    split_fit_params,
)


class BaseSISA(UnlearnerMixin, MetaEstimatorMixin, BaseEstimator):
    """Base of :class:`SISAClassifier` and :class:`SISARegressor`."""

    __metadata_request__fit = {"forget": True, "groups": True}

    _fits_by_groups = True

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_shards": [Interval(Integral, 1, None, closed="left")],
        "n_slices": [Interval(Integral, 1, None, closed="left")],
        "n_epochs": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "group_column": GROUP_COLUMN,
        "store_training_data": ["boolean"],
    }

    # ---------------------------------------------------------------- subclass

    @abstractmethod
    def _check_estimator(self):
        """Raise unless `estimator` can be fitted to the shards of this ensemble."""

    @abstractmethod
    def _check_target(self, y):
        """Return validated targets."""

    def _check_estimator_type(self, is_type, type_name, other_ensemble):
        """Raise if `estimator` is frozen, or a classifier for a regressor, say."""
        name = type(self.estimator).__name__
        if isinstance(self.estimator, FrozenEstimator):
            raise ValueError(
                "estimator is a FrozenEstimator, which is not fitted, but each shard "
                "needs a model of its own. Pass an estimator that is not frozen."
            )
        if not is_type(self.estimator):
            raise ValueError(
                f"estimator must be a {type_name}; got {name}. Perhaps "
                f"{other_ensemble} is meant."
            )

    # --------------------------------------------------------------------- fit

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, forget=None, groups=None, **fit_params):
        """Fit a model to each shard, then forget the rows that `forget` marks.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_rows, n_features)
            Training rows, as the inner estimator takes them.
        y : array-like of shape (n_rows,)
            Targets.
        forget : array-like of shape (n_rows,), dtype=bool, default=None
            Rows to forget after the fit on all of them. As metadata with one
            entry per row it is cut by every splitter.
        groups : array-like of shape (n_rows,), default=None
            One id per row. All rows of an id go to one slice of one shard, and
            ``unlearn(groups=...)`` forgets by id.
        **fit_params : dict
            Passed to the inner estimator, to each shard its part of those with
            one entry per row.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._check_estimator()
        slice_training_method(self.estimator, self.n_slices)
        X, groups = self._take_group_column(X, groups)
        X, target = self._check_rows(X, y)
        if groups is not None:
            groups = check_groups(groups, _num_samples(X))
        params = self._inner_params(fit_params)
        kept = self._keep_rows(X, target, groups, params, forget)
        self.__dict__.pop("_shards", None)
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._by_groups = groups is not None
        if is_classifier(self):
            self.classes_ = np.unique(target)
        self._fit_shards(X, target, groups, params)
        self._attach_rows(kept)
        return self

    def _check_rows(self, X, y):
        """Return X and validated y; set the number and the names of features.

        The inner estimator validates the cells of X.
        """
        X, _ = validate_data(self, X, y, skip_check_array=True)
        if _num_samples(X) == 0:
            raise ValueError(
                f"Found array with 0 sample(s) (shape={np.shape(X)}) while a minimum "
                f"of 1 is required by {type(self).__name__}."
            )
        check_consistent_length(X, y)
        return X, self._check_target(y)

    def _inner_params(self, params):
        """Return the arguments of ``fit`` that go to the inner estimator."""
        params = dict(params)
        groups = {n: params.pop(n) for n in ("groups",) if n in params}
        if _routing_enabled():
            routed = process_routing(self, "fit", **params).estimator
            params = dict(routed[self._inner_method()])
        return {**params, **groups}

    def _inner_method(self):
        """Return the name of the method that trains the inner estimator."""
        sliced = self.n_slices > 1 and hasattr(self.estimator, "partial_fit")
        return "partial_fit" if sliced else "fit"

    def _slice_trainer(self, params):
        """Return what trains a shard with these arguments for all rows."""
        return SliceTrainer(
            self.estimator,
            slice_training_method(self.estimator, self.n_slices),
            self.n_slices,
            self.n_epochs,
            self._seed,
            params,
        )

    def _fit_shards(self, X, y, groups, params):
        """Assign all rows to slices, and train the slices that have changed."""
        per_row, whole = split_fit_params(params, _num_samples(X))
        rows = canonical_rows(Rows(X, y, per_row))
        codes = row_codes(rows)
        units = assignment_units(codes[:, 0], groups)
        shards, slices = assign_rows(units, self.n_shards, self.n_slices, self._seed)
        self._slice_numbers = shards * self.n_slices + slices
        weighted = nonzero_weights(rows.params, len(codes))

        def rows_of_shard(number):
            positions = weighted[shards[weighted] == number]
            return take_rows(rows, positions), codes[positions], slices[positions]

        self._train(range(self.n_shards), rows_of_shard, whole)

    def _train(self, numbers, rows_of_shard, params):
        """Train the slices of these shards whose rows have changed.

        Parameters
        ----------
        numbers : sequence of int
            Numbers of the shards.
        rows_of_shard : callable (number) -> (Rows, codes, slices)
            Returns the rows of a shard, their `row_codes` and the slice of each.
        params : dict
            Arguments of ``fit`` that are the same for all rows.
        """
        trainer, old = self._slice_trainer(params), self.__dict__.get("_shards")
        shards = [None] * self.n_shards if old is None else list(old)
        started = {}

        def tasks():
            for number in numbers:
                rows, codes, slices = rows_of_shard(number)
                if not len(slices):
                    shards[number] = None
                    continue
                digests = slice_digests(rows, codes, slices, self.n_slices)
                classes, before = trainer.classes_in_advance(rows.y), shards[number]
                first = 0 if before is None else before.first_changed(digests, classes)
                if first is None:
                    continue
                unchanged = [] if before is None else before.models[:first]
                started[number] = unchanged, digests, classes
                checkpoint = unchanged[-1] if unchanged else None
                yield delayed(trainer.train)(number, rows, slices, first, checkpoint)

        # a single task is not worth a pool of processes
        n_jobs = self.n_jobs if len(numbers) > 1 else None
        # without a limit of bytes joblib would write rows to disk, as memory maps
        trained = Parallel(n_jobs=n_jobs, max_nbytes=None)(tasks())
        for (number, (unchanged, digests, classes)), models in zip(
            started.items(), trained, strict=True
        ):
            shards[number] = Shard([*unchanged, *models], digests, classes)
        if not any(shards):
            raise ValueError(
                "sample_weight is 0 for every row, so there is nothing to learn from. "
                "Give at least one row a positive weight."
            )
        self._shards = shards
        self.estimators_ = [s if s is None else s.models[-1] for s in shards]

    # ----------------------------------------------------------------- forget

    def _unlearn_rows(self, request):
        if request.coordinates_changed:
            rows = request.retain
            return self._fit_again(rows.X, rows.y, {**rows.params, **self._fit_params})
        touched = np.unique(self._slice_numbers[request.mask] // self.n_slices)
        self._slice_numbers = self._slice_numbers[~request.mask]
        shards, slices = np.divmod(self._slice_numbers, self.n_slices)

        def rows_of_shard(number):
            positions = np.flatnonzero(shards == number)
            rows = canonical_rows(self._rows.take(positions))
            weighted = nonzero_weights(rows.params, len(positions))
            if len(weighted) < len(positions):
                rows, positions = take_rows(rows, weighted), positions[weighted]
            return rows, row_codes(rows), slices[positions]

        self._train(touched, rows_of_shard, self._fit_params)

    def _fit_again(self, X, y, params):
        """Fit the ensemble to retained rows, perhaps in other coordinates.

        Slices whose rows are the same bit for bit are not trained again.
        """
        params = dict(params)
        groups = params.pop("groups", None)
        if self._by_groups and groups is None:
            raise ValueError(
                "fit was given groups, which cannot be matched with X_retain. Leave "
                "X_retain out, or fit again."
            )
        X, y = self._check_rows(X, y)
        self._fit_shards(X, y, groups, params)

    def unlearning_cost(self, X_forget=None, y_forget=None, *, groups=None):
        """Tell what ``unlearn(X_forget)`` would cost, without doing it.

        Parameters
        ----------
        X_forget : array-like of shape (n_forget, n_features), default=None
            Rows to forget.
        y_forget : array-like of shape (n_forget,), default=None
            Their targets.
        groups : array-like of shape (n_groups,), default=None
            Ids, all of whose rows are to be forgotten, instead of `X_forget`.

        Returns
        -------
        UnlearningCost
            The slices that would be trained again, and the rows read for it, in
            units of a training from scratch (see `sisa_cost`).
        """
        positions = self._rows_of_request(X_forget, y_forget, groups)
        mask = np.zeros(len(self._slice_numbers), dtype=bool)
        mask[positions] = True
        shards, slices = np.divmod(self._slice_numbers, self.n_slices)
        trainer, n_read, n_slices_again = self._slice_trainer({}), 0.0, 0
        touched = np.unique(shards[mask])
        for number in touched:
            retained = (shards == number) & ~mask
            first = slices[mask & (shards == number)].min()
            classes = getattr(self._shards[number], "classes", None)
            if classes is not None and retained.any():
                y = self._rows.take(np.flatnonzero(retained)).y
                if not np.array_equal(trainer.classes_in_advance(y), classes):
                    first = 0  # no row of a class is left in the shard
            n_rows = np.bincount(slices[retained], minlength=self.n_slices).cumsum()
            n_read += 2 / (self.n_slices + 1) * n_rows[first:].sum()
            n_slices_again += self.n_slices - first
        n_all = self.n_shards * self.n_slices
        reason = f"{n_slices_again} of {n_all} slices are trained again, in "
        reason += f"{len(touched)} of {self.n_shards} shards"
        n_forget = len(positions)
        return UnlearningCost(
            "shards", n_forget, round(n_read), len(mask) - n_forget, reason
        )

    def _parameters_of_fit(self):
        return super()._parameters_of_fit() - {"vote"}  # of the predictions

    def _drop_rows(self):
        super()._drop_rows()
        self._slice_numbers = None

    def _drop_for_export(self):
        super()._drop_for_export()
        self._seed = None
        shards = self._shards
        self._shards = [s if s is None else s.without_checkpoints() for s in shards]

    # ---------------------------------------------------------------- predict

    def _responses(self, method, X):
        """Yield each model with the result of its method of that name for `X`."""
        check_is_fitted(self)
        X = self._without_group_column(X)
        if getattr(X, "ndim", 2) == 2:  # the models have a message for other shapes
            validate_data(self, X, reset=False, skip_check_array=True)
        for model in self.estimators_:
            if model is not None:
                yield model, getattr(model, method)(X)

    # -------------------------------------------------------------------- tags

    def get_metadata_routing(self):
        """Return who asks for which metadata.

        Returns
        -------
        MetadataRouter
            Routing of this estimator.
        """
        mapping = MethodMapping().add(caller="fit", callee=self._inner_method())
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def _unlearner_tags(self):
        if Rule.is_frozen(self.estimator):
            return UnlearnerTags("approximate")
        # the seeds of all models follow from an integer
        fixed = isinstance(self.random_state, Integral)
        return UnlearnerTags("exact" if fixed else "exact_law")

    def __getstate__(self):
        """Return the state, with an unfitted `estimator` once rows are forgotten.

        Had the caller fitted it before, it would still hold what was learnt from them.
        """
        state = super().__getstate__()
        if state.get("n_forgotten_"):
            state = {**state, "estimator": unfitted_copy(self.estimator)}
        return state

    def __sklearn_is_fitted__(self):
        return "_shards" in self.__dict__

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = copy.deepcopy(inner.input_tags)
        tags.target_tags = copy.deepcopy(inner.target_tags)
        return tags
