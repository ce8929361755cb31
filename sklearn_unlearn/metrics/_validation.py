"""Checks of the arrays that metrics take, and constraints of their other arguments."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array

from sklearn_unlearn.utils._sklearn_compat import (
    Interval,
    StrOptions,
    _check_sample_weight,
    validate_params,
)

__all__ = [
    "COMMON",
    "as_floats",
    "check_groups",
    "check_label_columns",
    "check_models",
    "check_names",
    "check_proba",
    "check_rows",
    "check_same_rows",
    "check_weights",
    "checked",
]

# how far the probabilities of a row may be from summing to 1: single precision
SUM_TOLERANCE = 1e-3

# arguments that mean the same in all metrics
COMMON = {
    "average": [StrOptions({"mean"}), None],
    "confidence_level": [Interval(Real, 0, 1, closed="neither")],
    "delta": [Interval(Real, 0, 1, closed="left")],
    "false_positive_rate": [Interval(Real, 0, 1, closed="neither")],
    "log_proba": ["boolean"],
    "n_bins": [Interval(Integral, 1, None, closed="left")],
    "n_permutations": [Interval(Integral, 1, None, closed="left")],
    "n_resamples": [Interval(Integral, 1, None, closed="left")],
    "random_state": ["random_state"],
    "return_interval": ["boolean"],
    "return_null": ["boolean"],
}


def checked(*names, **constraints):
    """Decorate a function so that these arguments are checked as scikit-learn does.

    Parameters
    ----------
    *names : str
        Arguments whose constraints are in `COMMON`.
    **constraints : list
        Constraints of other arguments, by name.
    """
    chosen = {name: COMMON[name] for name in names} | constraints
    return validate_params(chosen, prefer_skip_nested_validation=True)


def as_floats(values, name):
    """Return `values` as an array of floats, finite or not."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be an array of numbers, as many for each model and row."
        ) from error


def _as_numbers(values, name):
    """Return `values` as an array of finite floats of any number of axes."""
    return check_array(
        as_floats(values, name),
        ensure_2d=False,
        allow_nd=True,
        ensure_min_samples=0,
        input_name=name,
    )


def _refuse_shape(array, name, shapes):
    raise ValueError(f"{name} must have shape {shapes}; got {array.shape}.")


def check_rows(values, name, n_rows=None):
    """Return `values` as finite floats, one per row."""
    array = _as_numbers(values, name)
    if array.ndim != 1 or array.size == 0 or n_rows not in (None, len(array)):
        _refuse_shape(array, name, f"({n_rows or 'n_rows'},)")
    return array


def check_models(values, name, *, n_rows=None, min_models=1):
    """Return `values` as finite floats of shape (n_models, n_rows).

    One value per row is taken for a single model.
    """
    array = _as_numbers(values, name)
    if array.ndim == 1 and array.size:
        array = array[np.newaxis]
    if array.ndim != 2 or array.size == 0 or n_rows not in (None, array.shape[1]):
        _refuse_shape(array, name, f"(n_models, {n_rows or 'n_rows'})")
    if len(array) < min_models:
        raise ValueError(
            f"{name} must come from at least {min_models} models; got {len(array)}."
        )
    return array


def check_same_rows(first, second, names):
    """Raise if two arrays of models do not speak about the same number of rows."""
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(
            f"{names[0]} and {names[1]} must be about the same rows, one column each; "
            f"got {first.shape[1]} and {second.shape[1]} rows."
        )


def check_proba(values, name, *, several=False, shape=None):
    """Return probabilities, of one model or of several, as an array.

    Parameters
    ----------
    values : array-like
    name : str
        For messages.
    several : bool, default=False
        Whether several models are welcome; one model becomes a stack of one.
    shape : tuple of int, default=None
        Rows and classes that it must have.

    Returns
    -------
    ndarray of shape (n_rows, n_classes) or (n_models, n_rows, n_classes)
    """
    array = _as_numbers(values, name)
    if several and array.ndim == 2:
        array = array[np.newaxis]
    wanted = "(n_rows, n_classes)" if shape is None else str(tuple(shape))
    wrong = array.ndim != 2 + several or array.size == 0 or array.shape[-1] < 2
    if wrong or (shape is not None and array.shape[-2:] != tuple(shape)):
        also = " or that of several models" if several else ""
        _refuse_shape(array, name, f"{wanted}{also}, with at least two classes")
    sums = array.sum(axis=-1)
    if array.min() < 0 or array.max() > 1 or np.abs(sums - 1).max() > SUM_TOLERANCE:
        raise ValueError(
            f"{name} must hold probabilities, from 0 to 1, that sum to 1 in each row; "
            "pass what predict_proba returns."
        )
    return array


def check_names(values, name, n_rows=None):
    """Return labels or ids, one per row, none of them missing."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0 or n_rows not in (None, len(array)):
        _refuse_shape(array, name, f"({n_rows or 'n_rows'},)")
    if array.dtype.kind in "fc":
        check_array(array, ensure_2d=False, input_name=name)  # refuses NaN and inf
    elif array.dtype == object and any(v is None or v != v for v in set(array)):
        raise ValueError(f"{name} must not have missing values; drop these rows.")
    return array


def check_label_columns(y, n_rows, n_classes, labels=None):
    """Return the column of each row's label.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
    n_rows, n_classes : int
    labels : array-like of shape (n_classes,), default=None
        Labels of the columns; 0, 1, ... if None.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    y = check_names(y, "y", n_rows)
    if labels is None:
        labels = np.arange(n_classes)
    labels = check_names(labels, "labels", n_classes)
    order = np.argsort(labels)
    places = np.searchsorted(labels[order], y) if _comparable(labels, y) else None
    if places is None or (labels[order].take(places, mode="clip") != y).any():
        raise ValueError(
            "y has labels that no column is for; pass labels=model.classes_, the "
            "labels of the columns in their order."
        )
    return order[places]


def _comparable(labels, y):
    """Tell whether labels are of kinds that can be compared: words or numbers."""
    kinds = ["number" if a.dtype.kind in "biuf" else a.dtype.kind for a in (labels, y)]
    return kinds[0] == kinds[1] or ("O" in kinds and "number" not in kinds)


def check_groups(groups, n_rows):
    """Return the number of each row's person, 0, 1, ..., or None without persons."""
    if groups is None:
        return None
    return np.unique(check_names(groups, "groups", n_rows), return_inverse=True)[1]


def check_weights(sample_weight, n_rows):
    """Return the weights of rows; ones if None."""
    weights = _check_sample_weight(
        sample_weight, np.empty((n_rows, 1)), dtype=np.float64, ensure_non_negative=True
    )
    if weights.sum() == 0:
        raise ValueError("sample_weight must not be 0 for all rows.")
    return weights
