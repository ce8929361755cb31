"""Signals of rows under a fitted estimator, by the functions of `metrics`."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy.special import log_softmax
from sklearn.base import is_classifier
from sklearn.utils import column_or_1d

from sklearn_unlearn.metrics import membership_signals, residual_signal

FOR_CLASSES = (
    "margin",
    "neg_loss",
    "confidence",
    "neg_entropy",
    "neg_modified_entropy",
    "correctness",
)
FOR_NUMBERS = ("residual", "prediction")


def check_kinds(estimator, kinds):
    """Return the signals to use: those given, or the usual ones of the task."""
    possible = FOR_CLASSES if is_classifier(estimator) else FOR_NUMBERS
    if kinds is None:
        return ["margin", "neg_entropy"] if is_classifier(estimator) else ["residual"]
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    wrong = [kind for kind in kinds if kind not in possible]
    if wrong or not kinds:
        raise ValueError(
            f"The signals of {type(estimator).__name__} are {', '.join(possible)}; got "
            f"{wrong or kinds}."
        )
    return kinds


def usual_kind(estimator):
    """Return the signal that single attacks use: margins or squared residuals."""
    return "margin" if is_classifier(estimator) else "residual"


def log_probabilities(model, X):
    """Return logarithms of the probabilities of all classes; -inf for zeros."""
    with np.errstate(divide="ignore"):
        if hasattr(model, "predict_log_proba"):
            return model.predict_log_proba(X)
        if hasattr(model, "predict_proba"):
            return np.log(model.predict_proba(X))
    if not hasattr(model, "decision_function"):
        raise ValueError(
            f"{type(model).__name__} has neither probabilities nor a decision "
            "function, which attacks on classes need."
        )
    scores = model.decision_function(X)
    if scores.ndim == 1:
        scores = np.column_stack([-scores / 2, scores / 2])
    return log_softmax(scores, axis=1)


def row_signals(model, X, y, kind):
    """Return one signal per row, larger for rows that were trained on.

    Parameters
    ----------
    model : estimator instance
        A fitted classifier or regressor.
    X, y : array-like
        The rows.
    kind : str
        One of those of `check_kinds`. Residuals come in units of the target.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    if kind in FOR_NUMBERS:
        predicted = column_or_1d(model.predict(X)).astype(np.float64)
        return residual_signal(y, predicted, 1.0) if kind == "residual" else predicted
    log_proba = log_probabilities(model, X)
    return membership_signals(log_proba, y, log_proba=True, labels=model.classes_)[kind]
