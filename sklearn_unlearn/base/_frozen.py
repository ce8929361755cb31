"""Whether a model that is given frozen was fitted on the rows that are given with it.

If it was not, requests would name rows that it has never seen as forgotten.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exceptions import UnknownRowsError, UnlearningWarning
from sklearn_unlearn.rows._cells import equal_rows
from sklearn_unlearn.utils._sklearn_compat import _num_samples
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["check_rows_of_frozen"]

N_NAMED = 5  # positions that an error lists
NUMBERS = "bfiu"
ADVICE = "Pass the rows that it was fitted on, in their order."


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
    if store is not None and not _are_in_order(store, X, y):
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


def _are_in_order(store, X, y):
    """Tell whether rows and targets are those of a store but for rounding."""
    parts, fits, _ = store.cast(X)
    if len(fits) != store.n_rows or not fits.all():
        return False
    everything = np.arange(store.n_rows)
    if y is not None and store.has_target:
        kept = store.columns_at(everything, ["y"])[0]
        if not _are_close(kept, np.asarray(y).reshape(kept.shape)):
            return False
    kept_parts = store.columns_at(everything)
    return all(_are_close(*pair) for pair in zip(kept_parts, parts, strict=True))


def _are_close(a, b):
    """Tell whether two arrays of rows are equal but for rounding."""
    are_numbers = a.dtype.kind in NUMBERS and b.dtype.kind in NUMBERS
    if are_numbers and not sparse.issparse(a):
        return np.allclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=True)
    if a.ndim == 1:
        a, b = a[:, None], b[:, None]
    return bool(equal_rows([a], [b]).all())


def _check_all_known(store, X, y):
    """Raise if there are rows that are not among those of a store."""
    try:
        # an index would be made for the caller's model
        shallow_copy(store).find(X, y if store.has_target else None)
    except UnknownRowsError as error:
        names = ", ".join(str(p) for p in error.positions[:N_NAMED])
        more = ", ..." if len(error.positions) > N_NAMED else ""
        raise ValueError(
            "The model in the FrozenEstimator was fitted on other rows: of those given "
            f"to fit, {len(error.positions)} were not among them with that target; "
            f"positions {names}{more}. {ADVICE}"
        ) from error
