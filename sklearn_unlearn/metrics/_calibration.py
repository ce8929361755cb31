"""Whether a model still knows how sure it may be, beside retrained models."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
from numbers import Real

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.utils import check_random_state

from sklearn_unlearn.metrics._outcomes import score_gap
from sklearn_unlearn.metrics._validation import (
    check_label_columns,
    check_proba,
    check_rows,
    checked,
)
from sklearn_unlearn.utils._sklearn_compat import Interval, StrOptions

__all__ = ["calibration_shift", "expected_calibration_error", "noise_precision_gap"]

# simulated sets of labels of the null
N_SIMULATED = 199


@checked("confidence_level", "n_bins")
def calibration_shift(
    y_true,
    proba_unlearned,
    proba_retrained,
    *,
    labels=None,
    n_bins=15,
    confidence_level=0.95,
):
    """Log loss, Brier score and calibration error beside those of retrained models.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels.
    proba_unlearned : array-like of shape (n_rows, n_classes)
        Probabilities of the unlearned model.
    proba_retrained : array-like of shape (n_rows, n_classes) or \
            (n_models, n_rows, n_classes)
        Those of retrained models.
    labels : array-like of shape (n_classes,), default=None
        Labels of the columns, ``model.classes_``; 0, 1, ... by default.
    n_bins : int, default=15
        Of the calibration error.
    confidence_level : float, default=0.95
        Of the interval for one more retrained model.

    Returns
    -------
    dict of str to ScoreGap
        ``"log_loss"`` in nats; ``"brier_score_loss"``, the sum of squares over classes,
        from 0 to 2; ``"expected_calibration_error"``, if MAPIE is installed. A perfect
        unlearner is within the intervals.

    See Also
    --------
    expected_calibration_error : With its null.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import calibration_shift
    >>> retrained = [[[0.8, 0.2]], [[0.7, 0.3]]]
    >>> shift = calibration_shift([0], [[0.99, 0.01]], retrained)
    >>> round(shift["log_loss"].gap, 2)
    -0.28
    """
    own = check_proba(proba_unlearned, "proba_unlearned")
    others = check_proba(
        proba_retrained, "proba_retrained", several=True, shape=own.shape
    )
    columns = check_label_columns(y_true, *own.shape, labels)
    found = [_losses(columns, proba, n_bins) for proba in (own, *others)]
    options = {"confidence_level": confidence_level}
    return {
        name: score_gap(loss, [losses[name] for losses in found[1:]], **options)
        for name, loss in found[0].items()
    }


@checked(
    "n_bins",
    "random_state",
    "return_null",
    strategy=[StrOptions({"uniform", "quantile"})],
)
def expected_calibration_error(
    y_true,
    proba,
    *,
    labels=None,
    n_bins=15,
    strategy="uniform",
    return_null=False,
    random_state=None,
):
    """Mean difference of confidence and accuracy over bins, with its null.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels.
    proba : array-like of shape (n_rows, n_classes)
        Probabilities.
    labels : array-like of shape (n_classes,), default=None
        Labels of the columns, ``model.classes_``; 0, 1, ... by default.
    n_bins : int, default=15
        Bins of the largest probability.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or with equally many rows.
    return_null : bool, default=False
        Whether to return, too, the errors for labels drawn from `proba`.
    random_state : int, RandomState instance or None, default=None
        Source of these labels.

    Returns
    -------
    value : float
        From 0 to 1, as MAPIE (``sklearn-unlearn[metrics]``) computes it. A perfect
        unlearner gets what retrained models get.
    null : ndarray of shape (199,)
        What a calibrated model gets for so many rows: about 0.12 for 50, never 0. Only
        if ``return_null=True``.

    See Also
    --------
    calibration_shift : Compares with retrained models.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import expected_calibration_error
    >>> round(expected_calibration_error([0, 0], [[0.8, 0.2], [0.9, 0.1]]), 2)
    0.15
    """
    proba = check_proba(proba, "proba")
    columns = check_label_columns(y_true, *proba.shape, labels)
    top = proba.max(axis=1)
    value = _ece(proba.argmax(axis=1) == columns, top, n_bins, strategy)
    if not return_null:
        return value
    draws = check_random_state(random_state).random_sample((N_SIMULATED, len(top)))
    return value, np.array([_ece(draw < top, top, n_bins, strategy) for draw in draws])


@checked(precision=[Interval(Real, 0, None, closed="neither")])
def noise_precision_gap(y_true, y_pred, precision):
    """Logarithm of the stated precision of the noise over the one that is found.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        Targets and predicted means.
    precision : float
        What a regressor states: one over the variance of the noise, such as
        ``noise_precision_`` of a dropout network.

    Returns
    -------
    float
        Above 0 for a model that is too sure, below 0 for one that is not sure enough.
        A perfect unlearner gets what retrained models get on the same rows, which
        `score_gap` compares: on test rows about 0, on retained rows less.

    See Also
    --------
    calibration_shift : For classes.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import noise_precision_gap
    >>> round(noise_precision_gap([1.0, 2.0], [1.5, 1.5], precision=4.0), 3)
    0.0
    """
    y_true = check_rows(y_true, "y_true")
    y_pred = check_rows(y_pred, "y_pred", len(y_true))
    squared = float(np.mean((y_true - y_pred) ** 2))
    return math.log(precision * squared) if squared > 0 else -math.inf


def _losses(columns, proba, n_bins):
    """Return losses by their names."""
    labels = np.arange(proba.shape[1])
    losses = {
        "log_loss": log_loss(columns, proba, labels=labels),
        "brier_score_loss": brier_score_loss(
            columns, proba, labels=labels, scale_by_half=False
        ),
    }
    if _mapie() is not None:
        is_correct = proba.argmax(axis=1) == columns
        error = _ece(is_correct, proba.max(axis=1), n_bins, "uniform")
        losses["expected_calibration_error"] = error
    return losses


def _mapie():
    """Return MAPIE's metrics of calibration; None if it is not installed."""
    try:
        from mapie.metrics import calibration
    except ImportError:
        return None
    return calibration


def _ece(is_correct, confidence, n_bins, strategy):
    if _mapie() is None:
        raise ImportError(
            "expected_calibration_error needs MAPIE: pip install "
            '"sklearn-unlearn[metrics]".'
        )
    return _mapie().expected_calibration_error(
        is_correct.astype(int), confidence, num_bins=n_bins, split_strategy=strategy
    )
