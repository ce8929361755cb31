"""Predictions that keep the column of a class of which no row is left."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

__all__ = ["ABSENT", "pad_columns", "pad_response"]

# What a class that the fitted model does not know gets from each method.
ABSENT = {
    "predict_proba": 0.0,
    "sample_proba": 0.0,
    "predict_log_proba": -np.inf,
    "decision_function": -np.inf,
}


def pad_response(values, method, fitted, classes):
    """Spread the columns of the classes of `fitted` over those of `classes`.

    Parameters
    ----------
    values : ndarray of shape (n_rows,) or (n_rows, n_fitted_classes)
        What `method` of the fitted model returned.
    method : str
        Name of the method.
    fitted : estimator instance
        The model that returned it. Its classes are a subset of `classes`.
    classes : ndarray of shape (n_classes,)
        Sorted labels.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        `values` itself if nothing is missing.
    """
    if getattr(fitted, "decision_function_shape", None) == "ovo" and (
        method == "decision_function"
    ):
        return values  # one column per pair of classes: there is none to add
    fitted_classes = getattr(fitted, "classes_", classes)
    if isinstance(values, list):  # one array per output
        triples = zip(values, fitted_classes, classes, strict=True)
        return [pad_columns(v, method, f, c) for v, f, c in triples]
    return pad_columns(values, method, fitted_classes, classes)


def pad_columns(values, method, fitted_classes, classes):
    """Spread the last axis of `values`, one entry per fitted class, over `classes`."""
    if method not in ABSENT or len(fitted_classes) == len(classes):
        return values
    if method == "decision_function" and values.ndim == 1:
        # a binary decision, now one of several columns
        values = np.column_stack([-values, values])
    if values.shape[-1] != len(fitted_classes):
        raise ValueError(
            f"{method} of the fitted estimator gives {values.shape[-1]} columns for "
            f"the {len(fitted_classes)} classes in its classes_; it must give one "
            "column per class."
        )
    shape = (*values.shape[:-1], len(classes))
    padded = np.full(shape, ABSENT[method], dtype=values.dtype)
    padded[..., np.searchsorted(classes, fitted_classes)] = values
    return padded
