"""The contract of ``unlearn``: finding rows, transactions, counting, the log."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import time
from abc import abstractmethod
from datetime import UTC, datetime

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn import __version__
from sklearn_unlearn.base._concurrency import make_thread_safe
from sklearn_unlearn.base._export import exported_copy
from sklearn_unlearn.base._given_rows import (
    check_numbers_of_given,
    check_retained,
    warn_about_twins,
)
from sklearn_unlearn.base._group_column import TakesGroupColumn
from sklearn_unlearn.base._parameters import refuse_changed_parameters
from sklearn_unlearn.base._steps import drop_inner_rows
from sklearn_unlearn.base._tags import UnlearnerTags, with_unlearner_tags
from sklearn_unlearn.base._training_rows import KeepsTrainingRows
from sklearn_unlearn.rows._hints import holds_rows, refuse_what_is_no_table
from sklearn_unlearn.rows._ids import as_ids
from sklearn_unlearn.rows._layouts import align_columns
from sklearn_unlearn.rows._request import Request
from sklearn_unlearn.rows._store import RowStore, n_dimensions
from sklearn_unlearn.utils._saving import SavesPlainState
from sklearn_unlearn.utils._sklearn_compat import (
    _check_feature_names,
    _check_n_features,
    _num_samples,
    interrupts_raised,
)


class UnlearnerMixin(SavesPlainState, KeepsTrainingRows, TakesGroupColumn):
    """Mixin that gives an estimator ``unlearn`` and ``export``.

    Row look-up, the transaction, counting and the log are written here once. A
    subclass writes ``fit`` and the hook `_unlearn_rows`::

        class MyModel(UnlearnerMixin, BaseEstimator):
            def __init__(self, *, store_training_data=True):
                self.store_training_data = store_training_data

            def fit(self, X, y=None, *, forget=None, groups=None):
                kept = self._keep_rows(X, y, groups, forget=forget)
                ...  # set the fitted attributes
                self._attach_rows(kept)
                return self

            def _unlearn_rows(self, request):
                rows = request.retain  # rows.X and rows.y are those that stay
                ...  # set the fitted attributes

    See Also
    --------
    BaseUnlearner : Meta-estimator built on this mixin.

    Notes
    -----
    *Transactions.* Methods that change the estimator (``fit``, ``partial_fit``,
    ``fit_transform``, ``fit_predict``, ``prepare``, ``refresh``, ``set_params``,
    ``unlearn``) run on a shallow copy of it, one at a time, whose attributes then
    replace those of the estimator in one assignment. They therefore assign new objects
    and never change one in place.

    *Threads.* Methods that read (``predict`` and all that begin so, ``transform``,
    ``score``, ``export``, ...) read one state each, before or after a change. A method
    is known by its name as one that changes or one that reads, in subclasses as well.

    *Behind other steps.* A :class:`~sklearn_unlearn.pipeline.Pipeline` keeps the rows
    of all its steps, and calls on a copy of its last one

    * `_unlearn_rows`, with rows in the coordinates of now: they differ from those of
      the fit (``request.coordinates_changed``) behind a step that has changed;
    * before it, for a guarantee that keeps the model (approximate or certified),
      `_change_coordinates`; where that returns False, `_fit_again` instead of
      `_unlearn_rows`;
    * `_inner_params`, for the arguments of ``fit`` that were routed to the step;
    * `_drop_rows`, for what the step itself keeps of the rows.

    *What a caller learns.* ``unlearn`` refuses rows that were never fitted, so
    who may call it can test whether a row was in the training data. With
    ``on_unknown="ignore"`` no error and no record of the log tells; the model
    itself, which has changed or has not, and ``n_forgotten_`` do.

    Examples
    --------
    >>> from sklearn_unlearn.base import UnlearnerMixin
    >>> from sklearn_unlearn.exact import Retrain
    >>> issubclass(Retrain, UnlearnerMixin)
    True
    """

    # whether fit assigns rows to parts of the model by the ids of their groups
    _fits_by_groups = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        make_thread_safe(cls)

    def unlearn(
        self,
        X_forget=None,
        y_forget=None,
        *,
        groups=None,
        X_retain=None,
        y_retain=None,
        on_unknown="raise",
    ):
        """Forget training rows.

        Either all of it happens or, whatever goes wrong, nothing.

        Parameters
        ----------
        X_forget : array-like of shape (n_forget, n_features), default=None
            Rows as they were given to ``fit``, in any container; columns of a frame in
            any order, others are ignored with a warning. They are found by value: of k
            equal rows, k copies are forgotten. Copies are told apart by what was kept
            beside them; of those that differ in nothing, the last goes.
        y_forget : array-like of shape (n_forget, ...), default=None
            Their targets, to choose between equal rows or where no rows are kept.
        groups : array-like of shape (n_groups,), default=None
            Ids given to ``fit(X, y, groups=...)``, all of whose rows are forgotten.
        X_retain : array-like of shape (n_retain, n_features), default=None
            The rows that stay, where none are kept. `X_forget` and `X_retain` together
            must be the training set, which is checked as far as it is known.
        y_retain : array-like of shape (n_retain, ...), default=None
            Targets of `X_retain`.
        on_unknown : {"raise", "ignore"}, default="raise"
            What to do about rows or ids that are not among the kept ones.

        Returns
        -------
        self : object
            The estimator, which has forgotten the rows.

        Raises
        ------
        UnknownRowsError
            If a row was never fitted, or is forgotten already.
        AmbiguousRowsError
            If a request does not say which of equal or nearly equal rows it means.
        ValueError
            If the request is malformed, or would leave no row.
        RequestInProgressError
            If it is made from within another change of the same estimator.
        """
        n_asked = _check_request(self, X_forget, groups, X_retain, on_unknown)
        if n_asked == 0:
            return self
        started, n_before = time.perf_counter(), vars(self).get("n_forgotten_", 0)
        with interrupts_raised():
            self._forget(X_forget, y_forget, groups, X_retain, y_retain, on_unknown)
        self._log(self.n_forgotten_ - n_before, started)
        if on_unknown == "ignore":  # neither number nor time may tell what was known
            self.unlearning_log_[-1].update(n_rows=n_asked, seconds=None)
        drop_inner_rows(self)
        return self

    def retained_rows(self):
        """Return the rows that the estimator keeps: fitted, and not forgotten.

        Returns
        -------
        sklearn.utils.Bunch
            ``X`` and ``y`` as they were given to ``fit``, in its order, but for the
            column of ids that `group_column` names; ``y`` is None if there was no
            target. ``groups``: ids of the rows, or None.
            ``fit_params``: dict of arguments of ``fit`` with one entry per row.

        Raises
        ------
        ValueError
            If no rows are kept.
        """
        check_is_fitted(self)
        store = self._kept_rows()
        rows = store.rows()
        return Bunch(X=rows.X, y=rows.y, groups=store.groups, fit_params=rows.params)

    def export(self):
        """Return a copy for deployment, which predicts but keeps no rows.

        Retained rows travel with a pickle of the estimator itself. The copy has
        neither them nor their index, groups, per-row arguments or seeds given as
        ``random_state``.
        Models that *are* their rows (nearest neighbours, kernel machines) hold
        them still.

        Returns
        -------
        object
            A fitted copy, whose ``unlearn`` refuses to run.
        """
        check_is_fitted(self)
        return exported_copy(self)

    def _drop_for_export(self):
        """Drop, for an export, all that only later requests need."""
        self._drop_rows()
        self._fit_params = {}
        self._fit_parameters = self._n_training_rows = None

    @abstractmethod
    def _unlearn_rows(self, request):
        """Hook: replace the fitted attributes by those without ``request.forget``.

        Parameters
        ----------
        request : Request
            ``forget`` and ``retain`` rows, and the ``mask`` over the rows kept
            until now. `self` is a shallow copy whose `_rows` already holds the
            retained rows only. Assign attributes; change no object in place.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define _unlearn_rows(request), which forgets "
            "request.forget."
        )

    def _inner_params(self, params):
        """Return arguments of ``fit`` as the model within takes them."""
        return params

    def _change_coordinates(self, A, b):
        """Take the model to rows ``X`` that were ``X A + b`` when it was fitted.

        Returns
        -------
        bool
            False if that is not possible: the model is then fitted again.
        """
        return False

    def _fit_again(self, X, y, params):
        """Replace the fitted attributes by those of a fit on these rows alone.

        Parameters
        ----------
        X, y : array-like
            Retained rows.
        params : dict
            Arguments of ``fit``.
        """
        fitted = clone(self).fit(X, y, **params)
        fitted._drop_rows()
        count, log = self.n_forgotten_, self.unlearning_log_
        self.__dict__ = {**vars(fitted), "n_forgotten_": count, "unlearning_log_": log}

    # ---------------------------------------------------------------- requests

    def _find_rows(self, X_forget, y_forget=None, groups=None, on_unknown="raise"):
        """Return the positions of the rows that a request means."""
        store = self._kept_rows()
        if groups is None and holds_rows(X_forget) and not _num_samples(X_forget):
            return np.empty(0, dtype=np.int64)
        if groups is None:
            ids, X_forget = self._ids_in(X_forget), self._validate_forget(X_forget)
            positions = store.find(X_forget, y_forget, ids=ids, on_unknown=on_unknown)
        elif store.has_groups:
            positions = store.find_groups(groups, on_unknown=on_unknown)
        else:
            raise self._no_ids_error()
        if len(positions) == store.n_rows:
            raise ValueError(
                "The request would forget every row: nothing would be left to predict "
                "with. Delete the model instead."
            )
        return positions

    def _rows_of_request(self, X_forget=None, y_forget=None, groups=None):
        """Return the positions of the rows that ``unlearn`` would forget."""
        if not _check_request(self, X_forget, groups):
            return np.empty(0, dtype=np.int64)
        return self._find_rows(X_forget, y_forget, groups)

    def _forget(self, X_forget, y_forget, groups, X_retain, y_retain, on_unknown):
        """Forget the rows of a request, as `_check_request` lets it through."""
        _check_targets(y_forget, groups, X_retain, y_retain)
        refuse_changed_parameters(self)
        if X_retain is not None:
            self._forget_given(X_forget, y_forget, X_retain, y_retain)
        else:
            found = self._find_rows(X_forget, y_forget, groups, on_unknown)
            self._forget_positions(found)
        if not self.store_training_data:  # set since the fit
            self._drop_rows()

    def _forget_positions(self, positions):
        """Forget the kept rows at these positions."""
        if not len(positions):
            return
        store = self._rows
        mask = np.zeros(store.n_rows, dtype=bool)
        mask[positions] = True
        self._rows, forgotten = store.split(positions)
        known = {"blocks": store.blocks_of(positions), "store": self._rows}
        if store.is_square:  # every row has lost columns
            known = {}
        self._unlearn_rows(Request(mask, forgotten, self._rows.rows, **known))
        self._count(len(positions), self._rows)

    def _forget_given(self, X_forget, y_forget, X_retain, y_retain):
        """Forget rows when the caller gives the whole training set."""
        if self._obstacle is not None:
            raise self._no_rows_error()
        store, store_type = self.__dict__.get("_rows"), self._store_type()
        n_forget, n_retain = _num_samples(X_forget), _num_samples(X_retain)
        check_numbers_of_given(self, n_forget, n_retain, y_retain)
        if not store_type.is_square:
            X_forget = self._validate_forget(X_forget)
            X_retain = self._validate_forget(X_retain, "X_retain")
        if store is not None:
            positions = self._find_rows(X_forget, y_forget)
            check_retained(store.drop(positions), X_retain, y_retain)
            self._forget_positions(positions)
            return
        given, known = store_type.keep(X_retain, y_retain), {}
        if not given.is_square:
            warn_about_twins(given, X_forget, y_forget)
            known = {"store": given}
        if self.store_training_data:
            self._rows = given
        mask = np.r_[np.zeros(n_retain, dtype=bool), np.ones(n_forget, dtype=bool)]

        def forget():
            return RowStore.keep(X_forget, y_forget).rows()

        self._unlearn_rows(Request(mask, forget, given.rows, ordered=False, **known))
        self._count(n_forget, given)

    def _count(self, n_forget, left):
        """Count rows that are forgotten, and those that are left, if they are kept."""
        if left is not None and left.is_square and "n_features_in_" in vars(self):
            self.n_features_in_ = left.n_rows  # their columns have gone, too
        self.n_forgotten_ += n_forget
        if self._n_training_rows is not None:
            self._n_training_rows -= n_forget

    def _validate_forget(self, X, argument="X_forget"):
        """Return rows without ids, with a frame's columns in the order of the fit.

        Raises scikit-learn's messages for a wrong number of features.
        """
        X = self._without_group_column(X)
        if hasattr(self, "n_features_in_"):
            store = self.__dict__.get("_rows")
            names = getattr(self, "feature_names_in_", None)
            if store is not None:
                names = store.column_names
            X = align_columns(X, None if names is None else list(names), argument)
            n_dims = None if store is None else n_dimensions(store)
            refuse_what_is_no_table(X, argument, n_dims)
            # validate_data would do the same, and build the tags every time
            named = hasattr(X, "columns") or hasattr(self, "feature_names_in_")
            n_columns = X.shape[1] if hasattr(X, "shape") else len(X[0])
            if named or n_columns != self.n_features_in_:
                _check_feature_names(self, X, reset=False)
                _check_n_features(self, X, reset=False)
        return X

    def _log(self, n_rows, started):
        """Add a record of a request, without anything of its rows."""
        record = {
            "n_rows": int(n_rows),
            "method": type(self).__name__,
            "guarantee": self._unlearner_tags().guarantee,
            "seconds": time.perf_counter() - started,
            "version": __version__,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self.unlearning_log_ = [*self.unlearning_log_, record]

    # -------------------------------------------------------------------- tags

    def _unlearner_tags(self):
        """Tags of this class; overridden where they depend on the parameters."""
        return UnlearnerTags(guarantee="approximate")

    def __sklearn_tags__(self):
        return with_unlearner_tags(super().__sklearn_tags__(), self._unlearner_tags())


def _check_request(estimator, X_forget, groups, X_retain=None, on_unknown="raise"):
    """Return how many rows or ids a request speaks of; raise if it is malformed."""
    if not hasattr(estimator, "unlearning_log_"):  # cheaper where it is there
        check_is_fitted(estimator)
    if on_unknown not in ("raise", "ignore"):
        raise ValueError(f'on_unknown must be "raise" or "ignore"; got {on_unknown!r}.')
    if (X_forget is None) == (groups is None):
        raise ValueError(
            "Pass exactly one of X_forget, the rows to forget, and groups, the ids of "
            "the rows to forget."
        )
    asked = as_ids(groups) if X_forget is None else X_forget
    n_asked = _num_samples(asked) if holds_rows(asked) else 1
    if n_asked and X_retain is not None and groups is not None:
        raise ValueError(
            "X_retain cannot be combined with groups, whose rows are looked up: leave "
            "X_retain out, or pass the rows to forget as X_forget."
        )
    return n_asked


def _check_targets(y_forget, groups, X_retain, y_retain):
    """Raise if a request has targets without the rows that they belong to."""
    if y_retain is not None and X_retain is None:
        raise ValueError("y_retain belongs to X_retain: pass both, or neither.")
    if y_forget is not None and groups is not None:
        raise ValueError(
            "y_forget belongs to X_forget; all rows of groups are forgotten, whatever "
            "their targets. Leave y_forget out, or pass the rows as X_forget."
        )
