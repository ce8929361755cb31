"""Checks of a training set that the caller of ``unlearn`` gives."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.exceptions import (
    AmbiguousRowsError,
    UnknownRowsError,
    UnlearningWarning,
)
from sklearn_unlearn.utils._sklearn_compat import _num_samples
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["check_numbers_of_given", "check_retained", "warn_about_twins"]

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


def _first(positions):
    """Write the first few positions."""
    names = ", ".join(str(p) for p in positions[:N_NAMED])
    n_more = len(positions) - N_NAMED
    return f"{names} and {n_more} more" if n_more > 0 else names
