"""How far the predictions of a model are from those of retrained models."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

from sklearn_unlearn.metrics._intervals import row_mean
from sklearn_unlearn.metrics._validation import (
    as_floats,
    check_models,
    check_names,
    check_proba,
    check_rows,
    checked,
)
from sklearn_unlearn.utils._sklearn_compat import StrOptions

__all__ = [
    "js_divergence_error",
    "kl_divergence_error",
    "prediction_agreement_score",
    "prediction_distance_error",
    "prediction_wasserstein_error",
    "total_variation_error",
]

# what a model calls impossible has this probability, as in scikit-learn's log_loss
SMALLEST = np.finfo(float).eps


@checked("average", "return_null", reverse=["boolean"])
def kl_divergence_error(
    proba_unlearned,
    proba_retrained,
    *,
    reverse=False,
    average="mean",
    sample_weight=None,
    return_null=False,
):
    """Kullback-Leibler divergence KL(retrained || unlearned), in nats.

    Parameters
    ----------
    proba_unlearned : array-like of shape (n_rows, n_classes)
        Probabilities of the unlearned model.
    proba_retrained : array-like of shape (n_rows, n_classes) or \
            (n_models, n_rows, n_classes)
        Those of retrained models; the mean over them is returned.
    reverse : bool, default=False
        Whether to compute KL(unlearned || retrained).
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.
    return_null : bool, default=False
        Whether to return, too, the values between retrained models.

    Returns
    -------
    value : float or ndarray of shape (n_rows,)
        At least 0. A perfect unlearner gets `null`, not 0.
    null : ndarray of shape (n_models,) or (n_models, n_rows)
        Each retrained model in the place of the unlearned one, against the others.
        Only if ``return_null=True``.

    See Also
    --------
    mean_interval : Interval of the mean of values per row.

    Notes
    -----
    A value below the 2.5 % quantile of `null` is no success but *too central*: the
    model was made from the mean of retrained ones, and is like none of them.
    Probabilities are at least 2.2e-16 where something is divided by them.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import kl_divergence_error
    >>> round(kl_divergence_error([[0.5, 0.5]], [[0.9, 0.1]]), 3)
    0.368
    """

    def divergence(unlearned, retrained):
        p, q = (unlearned, retrained) if reverse else (retrained, unlearned)
        return rel_entr(p, np.maximum(q, SMALLEST)).sum(axis=-1)

    pair = _checked_pair(proba_unlearned, proba_retrained)
    return _against(divergence, *pair, average, sample_weight, return_null)


@checked("average", "return_null")
def js_divergence_error(
    proba_unlearned,
    proba_retrained,
    *,
    average="mean",
    sample_weight=None,
    return_null=False,
):
    """Jensen-Shannon divergence to retrained models, from 0 to 1 bit.

    Parameters
    ----------
    proba_unlearned : array-like of shape (n_rows, n_classes)
        Probabilities of the unlearned model.
    proba_retrained : array-like of shape (n_rows, n_classes) or \
            (n_models, n_rows, n_classes)
        Those of retrained models; the mean over them is returned.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.
    return_null : bool, default=False
        Whether to return, too, the values between retrained models.

    Returns
    -------
    value : float or ndarray of shape (n_rows,)
        From 0 to 1. A perfect unlearner gets `null`, not 0; one that gets less than
        its 2.5 % quantile is too central to be a retrained model.
    null : ndarray of shape (n_models,) or (n_models, n_rows)
        Each retrained model in the place of the unlearned one, against the others.
        Only if ``return_null=True``.

    See Also
    --------
    kl_divergence_error : Is not bounded.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import js_divergence_error
    >>> js_divergence_error([[1.0, 0.0]], [[[0.0, 1.0]], [[1.0, 0.0]]])
    0.5
    """

    def divergence(unlearned, retrained):
        with np.errstate(invalid="ignore"):
            root = jensenshannon(unlearned, retrained, base=2, axis=-1)
        # of equal laws it may be the root of a rounding error below 0
        return np.nan_to_num(root) ** 2

    pair = _checked_pair(proba_unlearned, proba_retrained)
    return _against(divergence, *pair, average, sample_weight, return_null)


@checked("average", "return_null")
def total_variation_error(
    proba_unlearned,
    proba_retrained,
    *,
    average="mean",
    sample_weight=None,
    return_null=False,
):
    """Total variation distance to retrained models, from 0 to 1.

    Parameters
    ----------
    proba_unlearned : array-like of shape (n_rows, n_classes)
        Probabilities of the unlearned model.
    proba_retrained : array-like of shape (n_rows, n_classes) or \
            (n_models, n_rows, n_classes)
        Those of retrained models; the mean over them is returned.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.
    return_null : bool, default=False
        Whether to return, too, the values between retrained models.

    Returns
    -------
    value : float or ndarray of shape (n_rows,)
        From 0 to 1. A perfect unlearner gets `null`, not 0; one that gets less than
        its 2.5 % quantile is too central to be a retrained model.
    null : ndarray of shape (n_models,) or (n_models, n_rows)
        Each retrained model in the place of the unlearned one, against the others.
        Only if ``return_null=True``.

    See Also
    --------
    kl_divergence_error : Weighs small probabilities more.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import total_variation_error
    >>> round(total_variation_error([[0.9, 0.1]], [[0.6, 0.4]]), 3)
    0.3
    """

    def distance(unlearned, retrained):
        return np.abs(unlearned - retrained).sum(axis=-1) / 2

    pair = _checked_pair(proba_unlearned, proba_retrained)
    return _against(distance, *pair, average, sample_weight, return_null)


@checked("average", "return_null")
def prediction_agreement_score(
    pred_unlearned,
    pred_retrained,
    *,
    average="mean",
    sample_weight=None,
    return_null=False,
):
    """Share of rows on which a model predicts the label that retrained models do.

    Parameters
    ----------
    pred_unlearned : array-like of shape (n_rows,)
        Labels that the unlearned model predicts.
    pred_retrained : array-like of shape (n_rows,) or (n_models, n_rows)
        Those of retrained models; the mean over them is returned.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.
    return_null : bool, default=False
        Whether to return, too, the values between retrained models.

    Returns
    -------
    value : float or ndarray of shape (n_rows,)
        From 0 to 1. A perfect unlearner gets `null`, not 1; one that gets more than
        its 97.5 % quantile is too central to be a retrained model.
    null : ndarray of shape (n_models,) or (n_models, n_rows)
        Each retrained model in the place of the unlearned one, against the others.
        Only if ``return_null=True``.

    See Also
    --------
    total_variation_error : Looks at probabilities.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import prediction_agreement_score
    >>> prediction_agreement_score(["a", "b"], [["a", "a"], ["a", "b"]])
    0.75
    """
    unlearned = check_names(pred_unlearned, "pred_unlearned")
    n_rows = len(unlearned)
    stack = pred_retrained if np.ndim(pred_retrained) == 2 else [pred_retrained]
    retrained = np.array([check_names(p, "pred_retrained", n_rows) for p in stack])

    def agreement(one, others):
        return (one == others).astype(float)

    return _against(
        agreement, unlearned, retrained, average, sample_weight, return_null
    )


@checked("average", "return_null", kind=[StrOptions({"absolute", "rms"})])
def prediction_distance_error(
    pred_unlearned,
    pred_retrained,
    *,
    kind="rms",
    scale=1.0,
    average="mean",
    sample_weight=None,
    return_null=False,
):
    """Distance of predicted numbers to those of retrained models, row by row.

    Parameters
    ----------
    pred_unlearned : array-like of shape (n_rows,)
        Predictions, or margins, of the unlearned model.
    pred_retrained : array-like of shape (n_rows,) or (n_models, n_rows)
        Those of retrained models.
    kind : {"rms", "absolute"}, default="rms"
        Root of the mean square, or mean absolute distance.
    scale : float or array-like of shape (n_rows,), default=1.0
        Unit of distances, such as the standard deviation over retrained models.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.
    return_null : bool, default=False
        Whether to return, too, the values between retrained models.

    Returns
    -------
    value : float or ndarray of shape (n_rows,)
        At least 0. A perfect unlearner gets `null`, not 0; one that gets less than its
        2.5 % quantile is too central to be a retrained model.
    null : ndarray of shape (n_models,) or (n_models, n_rows)
        Each retrained model in the place of the unlearned one, against the others.
        Only if ``return_null=True``.

    See Also
    --------
    prediction_wasserstein_error : Compares what is predicted, whatever the row.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import prediction_distance_error
    >>> prediction_distance_error([1.0, 2.0], [[1.0, 2.0], [3.0, 2.0]])
    1.0
    """
    power = 2 if kind == "rms" else 1
    *pair, scale = _checked_numbers(pred_unlearned, pred_retrained, scale)

    def distance(one, others):
        return np.abs((one - others) / scale) ** power

    found = _against(distance, *pair, average, sample_weight, return_null)
    if return_null:
        return tuple(part ** (1 / power) for part in found)
    return found ** (1 / power)


@checked("return_null")
def prediction_wasserstein_error(pred_unlearned, pred_retrained, *, return_null=False):
    """Wasserstein distance between the numbers predicted for all rows together.

    Parameters
    ----------
    pred_unlearned : array-like of shape (n_rows,)
        Predictions of the unlearned model.
    pred_retrained : array-like of shape (n_rows,) or (n_models, n_rows)
        Those of retrained models; the mean over them is returned.
    return_null : bool, default=False
        Whether to return, too, the values between retrained models.

    Returns
    -------
    value : float
        In the units of the predictions, at least 0. A perfect unlearner gets `null`,
        not 0.
    null : ndarray of shape (n_models,)
        Each retrained model in the place of the unlearned one, against the others.
        Only if ``return_null=True``.

    See Also
    --------
    prediction_distance_error : Compares row by row.

    Notes
    -----
    The order of the rows does not matter: a model may be wrong about each of them and
    still get 0. So it is never enough alone.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import prediction_wasserstein_error
    >>> prediction_wasserstein_error([1.0, 2.0, 3.0], [3.5, 2.5, 1.5])
    0.5
    """
    unlearned, retrained, _ = _checked_numbers(pred_unlearned, pred_retrained, 1.0)

    def distance(one, others):
        values = [[stats.wasserstein_distance(one, other)] for other in others]
        return np.array(values)

    return _against(distance, unlearned, retrained, "mean", None, return_null)


def _checked_pair(proba_unlearned, proba_retrained):
    unlearned = check_proba(proba_unlearned, "proba_unlearned")
    return unlearned, check_proba(
        proba_retrained, "proba_retrained", several=True, shape=unlearned.shape
    )


def _checked_numbers(pred_unlearned, pred_retrained, scale):
    unlearned = check_rows(pred_unlearned, "pred_unlearned")
    retrained = check_models(pred_retrained, "pred_retrained", n_rows=len(unlearned))
    scale = as_floats(scale, "scale")
    if scale.shape not in ((), unlearned.shape) or not (scale > 0).all():
        raise ValueError("scale must be a positive number, or one for each row.")
    return unlearned, retrained, scale


def _against(distance, unlearned, retrained, average, sample_weight, return_null):
    """Return a distance to retrained models, and those between retrained models.

    Parameters
    ----------
    distance : callable (one, others) -> ndarray of shape (n_models, n_rows)
    unlearned : ndarray of shape (n_rows, ...)
    retrained : ndarray of shape (n_models, n_rows, ...)
    average, sample_weight, return_null
        As for the metrics.
    """

    def mean(one, others):
        rows = distance(one, others).mean(axis=0)
        return row_mean(rows, average=average, sample_weight=sample_weight)

    value = mean(unlearned, retrained)
    if not return_null:
        return value
    if len(retrained) < 2:
        raise ValueError("return_null=True needs at least two retrained models; got 1.")
    null = [
        mean(one, np.delete(retrained, i, axis=0)) for i, one in enumerate(retrained)
    ]
    return value, np.array(null)
