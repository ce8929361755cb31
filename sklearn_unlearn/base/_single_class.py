"""Classifiers of which a single class is left.

Many classifiers refuse to be fitted on one class, and a few return something that they
cannot be asked about. That is no reason to refuse a request to forget the others: the
constant model takes their place.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier

from sklearn_unlearn.base._response import ABSENT
from sklearn_unlearn.rows._layouts import select_rows

__all__ = [
    "constant_model",
    "constant_response",
    "fit_or_constant",
    "has_unseen_columns",
    "is_constant",
    "single_class",
]

PRESENT = {
    "predict_proba": 1.0,
    "sample_proba": 1.0,
    "predict_log_proba": 0.0,
    "decision_function": 0.0,
}


def single_class(estimator, y):
    """Return the label that all of `y` has, or None if there is more than one."""
    if not is_classifier(estimator) or y is None:
        return None
    labels = np.unique(y) if np.ndim(y) == 1 else []
    return labels[0] if len(labels) == 1 else None


def constant_model(rows):
    """Return the constant classifier of these rows."""
    return DummyClassifier().fit(rows.X, rows.y)


def fit_or_constant(fit, estimator, rows):
    """Return the model that a fit gives, or the constant one of a single class.

    Parameters
    ----------
    fit : callable () -> estimator instance
        Fits a model to the rows.
    estimator : estimator instance
        Of the kind that is fitted.
    rows : Rows

    Returns
    -------
    estimator instance
        The constant model where the rows have a single class and `fit` raises a
        ValueError or gives a model that `has_unseen_columns`.
    """
    try:
        model = fit()
    except ValueError:
        if single_class(estimator, rows.y) is None:
            raise
        return constant_model(rows)
    return constant_model(rows) if has_unseen_columns(model, rows) else model


def has_unseen_columns(model, rows):
    """Tell whether a model of one class gives probabilities of others, too."""
    if np.shape(getattr(model, "classes_", None)) != (1,):
        return False
    if not hasattr(model, "predict_proba"):
        return False
    return np.shape(model.predict_proba(select_rows(rows.X, [0])))[1:] != (1,)


def is_constant(model, template):
    """Tell whether the constant model stands in for one of another kind."""
    return isinstance(model, DummyClassifier) and not isinstance(
        template, DummyClassifier
    )


def constant_response(method, n_rows, label, classes, params):
    """Return what `method` gives when `label` is the only class with rows left.

    Of `params`, its arguments, only the number of samples matters.
    """
    column = int(np.searchsorted(classes, label))
    if method == "predict":
        return np.full(n_rows, label, dtype=classes.dtype)
    if method == "predict_uncertainty":
        return np.zeros(n_rows)
    if method == "decision_function" and len(classes) == 2:
        return np.full(n_rows, np.inf if column == 1 else -np.inf)
    values = np.full((n_rows, len(classes)), ABSENT[method])
    values[:, column] = PRESENT[method]
    if method == "sample_proba":
        return np.stack([values] * params["n_samples"])
    return values
