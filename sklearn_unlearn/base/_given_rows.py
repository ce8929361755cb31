"""Checks of a training set that the caller gives for a model that is fitted.

It comes with ``unlearn``, or with the ``fit`` of a model that is frozen.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exceptions import (
    AmbiguousRowsError,
    UnknownRowsError,
    UnlearningWarning,
)
from sklearn_unlearn.rows._store import holds_in_order
from sklearn_unlearn.utils._sklearn_compat import _num_samples
from sklearn_unlearn.utils._warnings import warn_user

__all__ = [
    "check_numbers_of_given",
    "check_retained",
    "check_rows_of_frozen",
    "warn_about_twins",
]

ADVICE = "Pass the rows that it was fitted on, in their order."
N_NAMED = 5  # positions that a warning lists


def check_numbers_of_given(estimator, n_forget, n_retain, y_retain):
    """Raise unless so many rows can be the training set of an estimator."""
    store, row_params = vars(estimator).get("_rows"), estimator._row_params
    if n_retain == 0:
        raise ValueError("X_retain is empty: nothing would be left to predict with.")
    supervised = estimator._has_target if store is None else store.has_target
    if supervised and y_retain is None:
        raise ValueError("y_retain must be passed with X_retain.")
    if y_retain is not None and _num_samples(y_retain) != n_retain:
        raise ValueError(
            f"y_retain must have one target for each of the {n_retain} rows of "
            f"X_retain; got {_num_samples(y_retain)}."
        )
    if store is not None and store.has_groups:
        raise ValueError(
            "fit was given groups, which cannot be matched with X_retain. Leave "
            "X_retain out, or fit again."
        )
    n_rows = estimator._n_training_rows if store is None else store.n_rows
    if n_rows is not None and n_forget + n_retain != n_rows:
        raise ValueError(
            f"X_forget and X_retain together must be the training set of "
            f"{n_rows} rows; got {n_forget} + {n_retain} rows."
        )
    if row_params:
        raise ValueError(
            f"fit was given {', '.join(row_params)} per row, which cannot be "
            "matched with X_retain. Leave X_retain out, or fit again."
        )


def check_retained(store, X_retain, y_retain):
    """Raise unless the given rows are those of a store, in whatever order."""
    try:
        store.find(X_retain, y_retain)
    except UnknownRowsError as error:
        raise ValueError(
            f"{len(error.positions)} rows of X_retain are not among the rows that are "
            f"kept besides X_forget; positions {_first(error.positions)}. Leave "
            "X_retain and y_retain out: the rows are kept."
        ) from error


def warn_about_twins(given, X_forget, y_forget):
    """Warn if rows to forget are among the given rows that stay."""
    try:
        twins = given.find(X_forget, y_forget, on_unknown="ignore")
    except AmbiguousRowsError:  # they fit several
        twins = None
    if twins is None or len(twins):
        where = "" if twins is None else f" at positions {_first(twins)}"
        warn_user(
            f"X_retain has rows{where} that equal rows of X_forget. If they are the "
            "same rows, they are not forgotten: leave them out of X_retain.",
            UnlearningWarning,
        )


def check_rows_of_frozen(model, X, y):
    """Raise if a fitted model shows that it was fitted on other rows than these.

    A model of this package that keeps its rows, or their number, shows it; others are
    believed.

    Parameters
    ----------
    model : estimator instance
        In a ``FrozenEstimator``.
    X, y : training rows and targets as given to ``fit``

    Raises
    ------
    ValueError
        If rows were not among those of the model, or in another place.

    Warns
    -----
    UnlearningWarning
        If the model was fitted on more rows.
    """
    store = vars(model).get("_rows")
    n_fitted = vars(model).get("_n_training_rows") if store is None else store.n_rows
    if n_fitted is None:
        return
    if store is not None and not holds_in_order(store, X, y):
        _check_all_known(store, X, y)
        if n_fitted == _num_samples(X):
            raise ValueError(
                "The model in the FrozenEstimator was fitted on the rows given to fit "
                f"in another order. {ADVICE}"
            )
    _check_number(n_fitted, _num_samples(X))


def _check_number(n_fitted, n_given):
    """Raise if more rows are given than a model was fitted on; warn if there are less.

    Parameters
    ----------
    n_fitted, n_given : int
    """
    if n_given > n_fitted:
        raise ValueError(
            f"The model in the FrozenEstimator was fitted on {n_fitted} rows, and fit "
            f"is given {n_given}. {ADVICE}"
        )
    if n_given < n_fitted:
        warn_user(
            f"The model in the FrozenEstimator was fitted on {n_fitted} rows, and fit "
            f"is given {n_given}: the others cannot be forgotten, and nothing holds on "
            "to what was learnt from them.",
            UnlearningWarning,
        )


def _check_all_known(store, X, y):
    """Raise if there are rows that are not among those of a store."""
    try:
        # an index would be made for the caller's model
        shallow_copy(store).find(X, y if store.has_target else None)
    except UnknownRowsError as error:
        raise ValueError(
            "The model in the FrozenEstimator was fitted on other rows: of those given "
            f"to fit, {len(error.positions)} were not among them with that target; "
            f"positions {_first(error.positions)}. {ADVICE}"
        ) from error


def _first(positions):
    """Write the first few positions."""
    names = ", ".join(str(p) for p in positions[:N_NAMED])
    n_more = len(positions) - N_NAMED
    return f"{names} and {n_more} more" if n_more > 0 else names
