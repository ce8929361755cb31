"""The contract of ``unlearn``: finding rows, transactions, counting, the log."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import time
from abc import abstractmethod
from datetime import UTC, datetime

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn import __version__
from sklearn_unlearn.base._steps import objects_within, shallow_copy
from sklearn_unlearn.base._tags import UnlearnerTags, with_unlearner_tags
from sklearn_unlearn.rows._request import Request
from sklearn_unlearn.rows._store import RowStore
from sklearn_unlearn.utils._sklearn_compat import (
    _check_feature_names,
    _check_n_features,
    _num_samples,
    interrupts_raised,
    rebind_metadata_request,
)
from sklearn_unlearn.utils._validation import (
    as_ids,
    check_forget_mask,
    check_groups,
    check_on_unknown,
    split_fit_params,
)

# Where estimators keep the seed that they were given, or a generator made of it.
SEEDS = frozenset({"random_state", "random_state_", "_random_state"})


class UnlearnerMixin:
    """Mixin that gives an estimator ``unlearn`` and ``export``.

    A subclass calls `_keep_rows` at the start of ``fit`` and `_attach_rows`
    at its end, and implements the hook `_unlearn_rows`; row look-up, the
    transaction, counting and the log are written here once.

    See Also
    --------
    BaseUnlearner : Meta-estimator built on this mixin.

    Notes
    -----
    *Transactions.* The hook runs on a shallow copy of the estimator, whose
    attributes then replace those of the estimator in one assignment. A hook
    therefore assigns new objects and never changes one in place.

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
        X_forget : array-like, sparse matrix or data frame of shape \
                (n_forget, n_features), default=None
            The rows to forget, as they were given to ``fit``. They are found by
            value: of k equal rows in the request, k copies are forgotten, those
            that came last first.
        y_forget : array-like of shape (n_forget,) or (n_forget, n_outputs), \
                default=None
            Their targets. Needed only to choose between equal rows with
            different targets, or if no rows are kept.
        groups : array-like of shape (n_groups,), default=None
            Ids given to ``fit(X, y, groups=...)``, instead of `X_forget`: all
            rows of these ids are forgotten.
        X_retain : array-like of shape (n_retain, n_features), default=None
            The rows that stay. If given, `X_forget` and `X_retain` together *are*
            the training set: nothing is looked up.
        y_retain : array-like of shape (n_retain,) or (n_retain, n_outputs), \
                default=None
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
            If a row cannot be told from a different kept row.
        ValueError
            If the request is malformed, or would leave no row.
        """
        if not hasattr(self, "unlearning_log_"):  # cheaper where it is there
            check_is_fitted(self)
        check_on_unknown(on_unknown)
        if (X_forget is None) == (groups is None):
            raise ValueError(
                "Pass exactly one of X_forget, the rows to forget, and groups, the "
                "ids of the rows to forget."
            )
        asked = groups if X_forget is None else X_forget
        if np.ndim(asked) > 0 and _num_samples(asked) == 0:
            return self
        if X_retain is not None and groups is not None:
            raise ValueError("X_retain goes with X_forget; it does not with groups.")
        started = time.perf_counter()
        new = shallow_copy(self)
        with interrupts_raised():
            if X_retain is not None:
                n_rows = new._forget_given(X_forget, y_forget, X_retain, y_retain)
            else:
                n_rows = new._forget_kept(X_forget, y_forget, groups, on_unknown)
        new._log(n_rows, time.perf_counter() - started, silent=on_unknown == "ignore")
        self.__dict__ = new.__dict__
        return self

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
        new = shallow_copy(self)
        new._drop_for_export()  # first: what goes need not be copied
        new = copy.deepcopy(new)
        for thing in (new, *objects_within(new, parameters=True)):
            rebind_metadata_request(thing)
            if hasattr(thing, "_drop_for_export"):
                thing._drop_for_export()
            for name in SEEDS.intersection(vars(thing)):
                setattr(thing, name, None)
        if self._unlearner_tags().guarantee == "certified":
            # the certificate speaks of a model that does not tell of requests
            for name in ("n_forgotten_", "unlearning_log_"):
                new.__dict__.pop(name, None)
        return new

    def _drop_for_export(self):
        """Drop, for an export, all that only later requests need."""
        self._drop_rows()
        self._fit_params = {}

    @abstractmethod
    def _unlearn_rows(self, request):
        """Hook: replace the fitted attributes by those without ``request.forget``.

        Parameters
        ----------
        request : Request
            ``forget`` and ``retain`` rows, and the ``mask`` over the rows kept
            until now. `self` is a copy aside whose `_rows` already holds the
            retained rows only. Assign attributes; change no object in place.
        """

    def _inner_params(self, params):
        """Return arguments of ``fit`` as the model within takes them."""
        return params

    def _change_coordinates(self, A, b):
        """Take the model to rows ``X`` that were ``X A + b`` when it was fitted.

        A pipeline calls it on a copy aside, before `_unlearn_rows`, when earlier
        steps have changed and the guarantee says that the model is kept.

        Returns
        -------
        bool
            False if that is not possible: the model is then fitted again.
        """
        return False

    # ------------------------------------------------------------------ memory

    def _keep_rows(self, X, y, groups=None, params=None, forget=None):
        """Copy the rows before a fit, which may change them in place.

        Parameters
        ----------
        X, y : training rows and targets as given to ``fit``
        groups : array-like of shape (n_rows,) or None
        params : dict
            Arguments of ``fit``; those with one entry per row are cut with the
            rows and passed again.
        forget : array-like or None
            The mask of ``fit``.

        Returns
        -------
        dict
            For `_attach_rows`, once the fit is done.
        """
        n_rows = _num_samples(X)
        forget = [] if forget is None else check_forget_mask(forget, n_rows)
        groups = None if groups is None else check_groups(groups, n_rows)
        self._rows = None  # a fit that fails must not leave those of the last one
        per_row, whole = split_fit_params(params or {}, n_rows)
        memory = {"forget": forget, "rows": None, "whole": whole}
        memory["names"] = tuple(per_row)
        memory["supervised"] = y is not None
        if self.store_training_data or len(forget):
            memory["rows"] = RowStore.keep(X, y, groups=groups, params=per_row)
        return memory

    def _attach_rows(self, memory):
        """Attach the rows after a fit, then forget those that its mask marks."""
        self._rows, self._fit_params = memory["rows"], memory["whole"]
        self._row_params, self._has_target = memory["names"], memory["supervised"]
        self.n_forgotten_, self.unlearning_log_ = 0, []
        if len(memory["forget"]):
            started = time.perf_counter()
            n_rows = self._forget_positions(memory["forget"])
            self._log(n_rows, time.perf_counter() - started)
        if not self.store_training_data:
            self._drop_rows()

    def _drop_rows(self):
        """Let go of the rows and of what is made of them for later requests."""
        self._rows = None

    # ---------------------------------------------------------------- requests

    def _forget_kept(self, X_forget, y_forget, groups, on_unknown):
        """Find the rows among the kept ones and forget them."""
        store = self.__dict__.get("_rows")
        if store is None:
            raise self._no_rows_error()
        if groups is not None:
            if not store.has_groups:
                raise ValueError(
                    "groups can only be forgotten if fit was given the ids of the "
                    "rows: fit(X, y, groups=ids)."
                )
            groups = as_ids(groups)
            positions = store.find_groups(groups, on_unknown=on_unknown)
            n_requested = len(groups)
        else:
            X_forget = self._validate_forget(X_forget)
            positions = store.find(X_forget, y_forget, on_unknown=on_unknown)
            n_requested = _num_samples(X_forget)
        if len(positions):
            self._forget_positions(positions)
        return n_requested if on_unknown == "ignore" else len(positions)

    def _forget_positions(self, positions):
        """Forget the kept rows at these positions."""
        store = self._rows
        if len(positions) == store.n_rows:
            raise self._no_row_left_error()
        mask = np.zeros(store.n_rows, dtype=bool)
        mask[positions] = True
        self._rows, forgotten = store.split(positions)
        blocks = store.blocks_of(positions)
        self._unlearn_rows(Request(mask, forgotten, self._rows.rows, lambda: blocks))
        self.n_forgotten_ += len(positions)
        return len(positions)

    def _forget_given(self, X_forget, y_forget, X_retain, y_retain):
        """Forget rows when the caller gives the whole training set."""
        n_forget, n_retain = _num_samples(X_forget), _num_samples(X_retain)
        if n_retain == 0:
            raise ValueError(
                "X_retain is empty: nothing would be left to predict with."
            )
        store = self.__dict__.get("_rows")
        supervised = self._has_target if store is None else store.has_target
        if supervised and y_retain is None:
            raise ValueError("y_retain must be passed with X_retain.")
        if store is not None and store.has_groups:
            raise ValueError(
                "fit was given groups, which cannot be matched with X_retain. Leave "
                "X_retain out, or fit again."
            )
        if store is not None and n_forget + n_retain != store.n_rows:
            raise ValueError(
                f"X_forget and X_retain together must be the training set of "
                f"{store.n_rows} rows; got {n_forget} + {n_retain} rows."
            )
        if self._row_params:
            raise ValueError(
                f"fit was given {', '.join(self._row_params)} per row, which cannot be "
                "matched with X_retain. Leave X_retain out, or fit again."
            )
        X_forget, X_retain = map(self._validate_forget, (X_forget, X_retain))
        given = RowStore.keep(X_retain, y_retain)
        if self.store_training_data:
            self._rows = given
        mask = np.r_[np.zeros(n_retain, dtype=bool), np.ones(n_forget, dtype=bool)]

        def forget():
            return RowStore.keep(X_forget, y_forget).rows()

        self._unlearn_rows(Request(mask, forget, given.rows, ordered=False))
        self.n_forgotten_ += n_forget
        return n_forget

    def _validate_forget(self, X):
        """Raise scikit-learn's messages for wrong names or number of features."""
        if hasattr(self, "n_features_in_"):
            if not hasattr(X, "shape"):
                X = np.asarray(X)
            if len(X.shape) != 2:
                raise ValueError(
                    f"Expected 2D array, got {len(X.shape)}D array instead: X_forget "
                    "holds rows; use X_forget.reshape(1, -1) for a single row."
                )
            # validate_data would do the same, and build the tags every time
            named = hasattr(X, "columns") or hasattr(self, "feature_names_in_")
            if named or X.shape[1] != self.n_features_in_:
                _check_feature_names(self, X, reset=False)
                _check_n_features(self, X, reset=False)
        return X

    def _no_row_left_error(self):
        """The error for a request for all rows."""
        return ValueError(
            "The request would forget every row: nothing would be left to predict "
            "with. Delete the model instead."
        )

    def _no_rows_error(self):
        """The error for a request that needs rows which are not kept."""
        if not self.store_training_data and hasattr(self, "n_forgotten_"):
            return ValueError(
                f"This {type(self).__name__} keeps no rows (store_training_data="
                "False): pass X_retain, and y_retain if it has a target, with "
                "X_forget."
            )
        return NotFittedError(
            f"This {type(self).__name__} holds no training rows: it is an exported "
            "copy, a slice of a pipeline or a step of one. Call unlearn on the whole "
            "fitted model."
        )

    def _log(self, n_rows, seconds, silent=False):
        """Add a record of a request, without anything of its rows.

        How long a request took tells whether its rows were found; a silent
        record leaves that out.
        """
        record = {
            "n_rows": int(n_rows),
            "method": type(self).__name__,
            "guarantee": self._unlearner_tags().guarantee,
            "seconds": None if silent else seconds,
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
