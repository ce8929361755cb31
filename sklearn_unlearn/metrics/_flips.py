"""Rows that unlearning has made worse, beyond what retraining does."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral, Real

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_array, check_consistent_length

from sklearn_unlearn.metrics._intervals import row_mean
from sklearn_unlearn.metrics._validation import check_models, check_names, checked
from sklearn_unlearn.utils._sklearn_compat import Interval, StrOptions

__all__ = ["negative_flip_error", "over_forgetting_error"]


@checked("average", tolerance=[Interval(Real, 0, None, closed="left"), None])
def negative_flip_error(
    y_true,
    pred_original,
    pred_unlearned,
    pred_retrained=None,
    *,
    tolerance=None,
    average="mean",
    sample_weight=None,
):
    """Share of rows that the original got right and the unlearned model gets wrong.

    Pass retained or test rows, never those that were forgotten. Users notice such
    flips [1]_ even where the accuracy stays the same.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Targets.
    pred_original, pred_unlearned : array-like of shape (n_rows,)
        Predictions of both models.
    pred_retrained : array-like of shape (n_rows,) or (n_models, n_rows), default=None
        Those of retrained models, whose mean share is subtracted: retraining flips rows
        too.
    tolerance : float, default=None
        For numbers: by how much the absolute error must grow. For labels None.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        A perfect unlearner gets 0 on average if `pred_retrained` is given, and what
        retrained models get if it is not.

    See Also
    --------
    mean_interval : Interval of the mean of values per row.

    References
    ----------
    .. [1] J. Echterhoff et al., "MUSCLE: A Model Update Strategy for Compatible LLM
       Evolution", Findings of EMNLP, 2024.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import negative_flip_error
    >>> y = [0, 1, 1, 0]
    >>> negative_flip_error(y, y, [0, 1, 0, 1], [[0, 1, 1, 1], [0, 1, 1, 0]])
    0.375
    """
    y, original = _targets(y_true, pred_original, "pred_original", tolerance)
    unlearned = _predictions(pred_unlearned, "pred_unlearned", len(y), tolerance)
    values = _flips(y, original[0], unlearned[0], tolerance).astype(float)
    if pred_retrained is not None:
        others = _predictions(pred_retrained, "pred_retrained", len(y), tolerance)
        values -= _flips(y, original[0], others, tolerance).mean(axis=0)
    return row_mean(values, average=average, sample_weight=sample_weight)


@checked(
    n_neighbors=[Interval(Integral, 1, None, closed="left")],
    loss=[StrOptions({"zero_one", "absolute_error"})],
)
def over_forgetting_error(
    X,
    y_true,
    pred_unlearned,
    pred_retrained,
    X_forget,
    *,
    n_neighbors=10,
    loss="zero_one",
):
    """Excess error on the rows nearest to the forgotten ones.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        Retained or test rows, scaled so that distances mean something.
    y_true : array-like of shape (n_rows,)
        Their targets.
    pred_unlearned : array-like of shape (n_rows,)
        Predictions of the unlearned model for them.
    pred_retrained : array-like of shape (n_rows,) or (n_models, n_rows)
        Those of retrained models.
    X_forget : array-like of shape (n_forget, n_features)
        Forgotten rows.
    n_neighbors : int, default=10
        How many of the nearest rows of each forgotten one are looked at.
    loss : {"zero_one", "absolute_error"}, default="zero_one"
        Error of labels or of numbers.

    Returns
    -------
    float
        Mean error on these rows minus that of retrained models. A perfect unlearner
        gets 0 on average; a method that forgets more than it was asked to, more.

    See Also
    --------
    negative_flip_error : On all rows.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import over_forgetting_error
    >>> X, y = [[0.0], [1.0], [9.0]], [0, 0, 1]
    >>> over_forgetting_error(X, y, [1, 0, 1], [y], [[0.2]], n_neighbors=2)
    0.5
    """
    X = check_array(X, input_name="X")
    X_forget = check_array(X_forget, input_name="X_forget")
    tolerance = None if loss == "zero_one" else 0.0
    y, unlearned = _targets(y_true, pred_unlearned, "pred_unlearned", tolerance)
    check_consistent_length(X, y)
    retrained = _predictions(pred_retrained, "pred_retrained", len(y), tolerance)
    nearest = NearestNeighbors(n_neighbors=min(n_neighbors, len(X))).fit(X)
    rows = np.unique(nearest.kneighbors(X_forget, return_distance=False))

    def error(models):
        near, target = models[:, rows], y[rows]
        return np.mean(near != target if tolerance is None else np.abs(near - target))

    return float(error(unlearned) - error(retrained))


def _flips(y, original, models, tolerance):
    """Tell which rows the original got right and a model gets wrong."""
    if tolerance is None:
        return (original == y) & (models != y)
    return np.abs(models - y) > np.abs(original - y) + tolerance


def _targets(y_true, predictions, name, tolerance):
    """Return targets, and predictions of shape (n_models, n_rows)."""
    if tolerance is None:
        y = check_names(y_true, "y_true")
    else:
        y = check_models(y_true, "y_true")[0]
    return y, _predictions(predictions, name, len(y), tolerance)


def _predictions(predictions, name, n_rows, tolerance):
    if tolerance is not None:
        return check_models(predictions, name, n_rows=n_rows)
    stack = predictions if np.ndim(predictions) == 2 else [predictions]
    return np.array([check_names(labels, name, n_rows) for labels in stack])
