"""Training rows that an estimator keeps from ``fit`` on, for later requests."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import time
from typing import Any, NamedTuple

from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from sklearn_unlearn.base._parameters import FREE_PARAMETERS, plain_parameters
from sklearn_unlearn.base._steps import drop_inner_rows, parameter_names
from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.rows._ids import check_groups
from sklearn_unlearn.rows._square_store import SquareStore
from sklearn_unlearn.rows._store import RowStore
from sklearn_unlearn.utils._sklearn_compat import _num_samples
from sklearn_unlearn.utils._validation import check_forget_mask, split_fit_params
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["KeepsTrainingRows", "KeptRows"]


class KeptRows(NamedTuple):
    """Rows and arguments of a ``fit``, kept for later requests.

    Attributes
    ----------
    store : RowStore or None
        The rows, with all that has one entry per row.
    fit_params : dict
        Arguments that are the same for all rows.
    row_params : tuple of str
        Names of those with one entry per row.
    has_target : bool
    forget : ndarray of int
        Positions of the rows to forget at once.
    obstacle : str or None
        Why the rows could not be kept, if they should have been.
    n_rows : int or None
        None if that is not known.
    """

    store: RowStore | None
    fit_params: dict
    row_params: tuple
    has_target: bool
    forget: Any
    obstacle: str | None = None
    n_rows: int | None = None


class KeepsTrainingRows:
    """Part of `UnlearnerMixin`: what an estimator does about its rows in ``fit``."""

    _obstacle = None  # why the rows of the fit could not be kept
    _fit_parameters = None  # what `plain_parameters` were in the fit
    _n_training_rows = None  # number of rows that are not forgotten, kept or not

    def _parameters_of_fit(self):
        """Return the names of the parameters that the fitted state depends on."""
        return parameter_names(self) - FREE_PARAMETERS

    def _keep_rows(self, X, y, groups=None, params=None, forget=None):
        """Copy the rows before a fit, which may change them in place.

        A fit that would do without us does not fail here: where rows cannot be kept,
        `_attach_rows` warns, and requests say why they are refused.

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
        KeptRows
            For `_attach_rows`, once the fit is done.
        """
        try:
            return self._copy_rows(X, y, groups, params or {}, forget)
        except Exception as error:
            if groups is not None or forget is not None:
                raise  # rows that cannot be kept cannot have ids, nor be forgotten
            obstacle = f"{error}".rstrip(".") if self.store_training_data else None
            return KeptRows(None, {}, (), y is not None, (), obstacle)

    def _copy_rows(self, X, y, groups, params, forget):
        """Return copies of the rows; raise if there is no way to keep such rows."""
        n_rows = _num_samples(X)
        forget = [] if forget is None else check_forget_mask(forget, n_rows)
        groups = None if groups is None else check_groups(groups, n_rows)
        per_row, whole = split_fit_params(params, n_rows)
        store = None
        if self.store_training_data or len(forget):
            store = self._store_type().keep(X, y, groups=groups, params=per_row)
        return KeptRows(
            store, whole, tuple(per_row), y is not None, forget, None, n_rows
        )

    def _store_type(self):
        """Return what keeps the rows: a kernel or distance matrix is square."""
        return SquareStore if get_tags(self).input_tags.pairwise else RowStore

    def _attach_rows(self, kept):
        """Attach the rows after a fit, then forget those that its mask marks."""
        self._rows, self._fit_params = kept.store, kept.fit_params
        self._row_params, self._has_target = kept.row_params, kept.has_target
        self.n_forgotten_, self.unlearning_log_ = 0, []
        self._obstacle = kept.obstacle
        self._fit_parameters = plain_parameters(self)
        self._n_training_rows = kept.n_rows
        if kept.obstacle is not None:
            warn_user(
                "The training rows cannot be kept, so that unlearn will refuse every "
                f"request: {kept.obstacle}.",
                UnlearningWarning,
            )
        if len(kept.forget):
            started = time.perf_counter()
            self._forget_positions(kept.forget)
            self._log(len(kept.forget), started)
        drop_inner_rows(self)
        if not self.store_training_data:
            self._drop_rows()

    def set_params(self, **params):
        """Set parameters; ``store_training_data=False`` drops the rows at once.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        self : object
            The estimator.
        """
        super().set_params(**params)
        if vars(self).get("_rows") is not None and not self.store_training_data:
            self._drop_rows()
        return self

    def _drop_rows(self):
        """Let go of the rows and of what is made of them for later requests."""
        self._rows = None

    def _kept_rows(self):
        """Return the store of the rows; raise if none are kept."""
        store = self.__dict__.get("_rows")
        if store is None:
            raise self._no_rows_error()
        return store

    def _no_rows_error(self):
        """The error for a request that needs rows which are not kept."""
        if self._obstacle is not None:
            return ValueError(
                "The rows given to fit could not be kept, so that none can be "
                f"forgotten: {self._obstacle}. Fit again on rows that can be kept, "
                "such as an array, a sparse matrix or a data frame of pandas."
            )
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
