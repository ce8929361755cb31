"""How good the uncertainty of a model is, and of what it is made."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import entr, logsumexp

from sklearn_unlearn.metrics._intervals import row_mean
from sklearn_unlearn.metrics._validation import (
    as_floats,
    check_models,
    check_proba,
    check_rows,
    checked,
)

__all__ = [
    "EntropyParts",
    "area_under_risk_coverage_error",
    "crps_loss",
    "crps_of_samples_loss",
    "entropy_decomposition",
    "interval_coverage_rate",
    "interval_score_loss",
    "interval_width_loss",
    "log_likelihood_of_samples_score",
    "log_likelihood_score",
    "risk_coverage_curve",
]


class EntropyParts(NamedTuple):
    """Parts of the entropy of predictions, in nats.

    The first is the sum of the others.

    Parameters
    ----------
    total : ndarray of shape (n_rows,)
        Entropy of the mean probabilities.
    aleatoric : ndarray of shape (n_rows,)
        Mean entropy of the members.
    epistemic : ndarray of shape (n_rows,)
        Mutual information of the label and the member.

    See Also
    --------
    entropy_decomposition : Computes them.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import entropy_decomposition
    >>> entropy_decomposition([[[1.0, 0.0]], [[0.0, 1.0]]]).epistemic.round(3)
    array([0.693])
    """

    total: np.ndarray
    aleatoric: np.ndarray
    epistemic: np.ndarray


def entropy_decomposition(proba):
    """Split the entropy of averaged predictions into two parts.

    Parameters
    ----------
    proba : array-like of shape (n_members, n_rows, n_classes)
        Probabilities of the members of an ensemble, or of random functions such as
        ``sample_proba`` gives.

    Returns
    -------
    EntropyParts
        A perfect unlearner has parts of the same size as retrained models: for rows
        drawn at random the epistemic one is as large as on rows never seen.

    See Also
    --------
    prediction_distance_error : Compares them with those of retrained models.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import entropy_decomposition
    >>> parts = entropy_decomposition([[[0.5, 0.5]], [[0.5, 0.5]]])
    >>> parts.aleatoric.round(3), parts.epistemic.round(3)
    (array([0.693]), array([0.]))
    """
    members = check_proba(proba, "proba", several=True)
    total = entr(members.mean(axis=0)).sum(axis=-1)
    aleatoric = entr(members).sum(axis=-1).mean(axis=0)
    return EntropyParts(total, aleatoric, np.maximum(total - aleatoric, 0.0))


def risk_coverage_curve(losses, confidence):
    """Mean loss of the rows that a model is most sure of, for each number of them.

    Parameters
    ----------
    losses : array-like of shape (n_rows,)
        Loss of each row, such as 1 for an error.
    confidence : array-like of shape (n_rows,)
        Larger where the model is more sure. Rows of equal confidence share their mean
        loss, so their order does not matter.

    Returns
    -------
    coverage, risk : ndarray of shape (n_rows,)
        Share of the rows, from ``1 / n_rows`` to 1, and their mean loss. A perfect
        unlearner has the curve of retrained models.

    See Also
    --------
    area_under_risk_coverage_error : The area in one number.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import risk_coverage_curve
    >>> risk_coverage_curve([1, 0, 0, 0], [0.1, 0.9, 0.8, 0.7])[1]
    array([0.  , 0.  , 0.  , 0.25])
    """
    losses = check_rows(losses, "losses")
    confidence = check_rows(confidence, "confidence", len(losses))
    _, level = np.unique(-confidence, return_inverse=True)
    mean = np.bincount(level, losses) / np.bincount(level)
    n = np.arange(1, len(losses) + 1)
    return n / len(losses), np.cumsum(mean[np.sort(level)]) / n


@checked(excess=["boolean"])
def area_under_risk_coverage_error(losses, confidence, *, excess=False):
    """Mean risk over all coverages.

    Parameters
    ----------
    losses : array-like of shape (n_rows,)
        Loss of each row.
    confidence : array-like of shape (n_rows,)
        Larger where the model is more sure.
    excess : bool, default=False
        Whether to subtract the area of the best order, by the losses themselves.

    Returns
    -------
    float
        At least 0 if losses are. A perfect unlearner gets what retrained models get.

    See Also
    --------
    risk_coverage_curve : The curve.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import area_under_risk_coverage_error
    >>> area_under_risk_coverage_error([1, 0, 0, 0], [0.1, 0.9, 0.8, 0.7])
    0.0625
    """
    losses = check_rows(losses, "losses")
    area = risk_coverage_curve(losses, confidence)[1].mean()
    if excess:
        area -= risk_coverage_curve(losses, -losses)[1].mean()
    return float(area)


@checked("average")
def interval_coverage_rate(y_true, low, high, *, average="mean", sample_weight=None):
    """Share of the targets that lie in their intervals, ends included.

    Parameters
    ----------
    y_true, low, high : array-like of shape (n_rows,)
        Targets, and ends of the intervals.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        A perfect unlearner gets what retrained models get: on new rows about the
        level of the intervals.

    See Also
    --------
    interval_score_loss : Coverage and width in one number.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import interval_coverage_rate
    >>> interval_coverage_rate([1.0, 2.0], [0.0, 0.0], [1.5, 1.5])
    0.5
    """
    y_true, low, high = _checked_intervals(y_true, low, high)
    inside = ((low <= y_true) & (y_true <= high)).astype(float)
    return row_mean(inside, average=average, sample_weight=sample_weight)


@checked("average")
def interval_width_loss(low, high, *, average="mean", sample_weight=None):
    """Mean width of intervals.

    Parameters
    ----------
    low, high : array-like of shape (n_rows,)
        Ends of the intervals.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        In the units of the targets. A perfect unlearner gets what retrained models get.

    See Also
    --------
    interval_coverage_rate : To be read beside it.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import interval_width_loss
    >>> interval_width_loss([0.0, 1.0], [1.0, 3.0])
    1.5
    """
    low, high = _checked_ends(low, high)
    return row_mean(high - low, average=average, sample_weight=sample_weight)


@checked("average", "confidence_level")
def interval_score_loss(
    y_true, low, high, *, confidence_level=0.95, average="mean", sample_weight=None
):
    """Interval score: width, and a fine for targets outside.

    Parameters
    ----------
    y_true, low, high : array-like of shape (n_rows,)
        Targets, and ends of the intervals.
    confidence_level : float, default=0.95
        Of the intervals. A target outside by d costs ``2 d / (1 - confidence_level)``.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        As scoringrules (``sklearn-unlearn[metrics]``) computes it; smallest for the
        true quantiles. A perfect unlearner gets what retrained models get.

    See Also
    --------
    crps_loss : For whole laws.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import interval_score_loss
    >>> round(interval_score_loss([2.0], [0.0], [1.0], confidence_level=0.9), 6)
    21.0
    """
    y_true, low, high = _checked_intervals(y_true, low, high)
    alpha = 1 - confidence_level
    # which turns one row into a number
    score = np.atleast_1d(_scoringrules().interval_score(y_true, low, high, alpha))
    return row_mean(score, average=average, sample_weight=sample_weight)


@checked("average")
def crps_loss(y_true, mean, std, *, average="mean", sample_weight=None):
    """Measure normal laws, or mixtures of them, by the CRPS.

    That is the continuous ranked probability score, the area between two squared
    distribution functions.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Targets.
    mean, std : array-like of shape (n_rows,) or (n_members, n_rows)
        Means and standard deviations; several members make a mixture of equal parts.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        In the units of the targets, as scoringrules (``sklearn-unlearn[metrics]``)
        computes it. A perfect unlearner gets what retrained models get.

    See Also
    --------
    crps_of_samples_loss : For samples.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import crps_loss
    >>> round(crps_loss([0.0], [0.0], [1.0]), 4)
    0.2337
    """
    y_true, mean, std = _checked_laws(y_true, mean, std)
    if len(mean) == 1:
        score = _scoringrules().crps_normal(y_true, mean[0], std[0])
    else:
        score = _scoringrules().crps_mixnorm(y_true, mean.T, std.T)
    return row_mean(score, average=average, sample_weight=sample_weight)


@checked("average")
def crps_of_samples_loss(y_true, samples, *, average="mean", sample_weight=None):
    """Measure laws that are known by samples by the CRPS.

    That is the continuous ranked probability score.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Targets.
    samples : array-like of shape (n_rows, n_samples)
        At least two for each row, as ``sample_y`` returns them.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        The fair estimate, which few samples do not bias, as scoringrules
        (``sklearn-unlearn[metrics]``) computes it; that of a row may be negative. A
        perfect unlearner gets what retrained models get.

    See Also
    --------
    crps_loss : For normal laws.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import crps_of_samples_loss
    >>> crps_of_samples_loss([0.0], [[-1.0, 1.0]])
    0.0
    """
    y_true, samples = _checked_samples(y_true, samples)
    score = _scoringrules().crps_ensemble(y_true, samples, estimator="fair")
    return row_mean(score, average=average, sample_weight=sample_weight)


@checked("average")
def log_likelihood_score(y_true, mean, std, *, average="mean", sample_weight=None):
    """Logarithm of the density of normal laws, or of mixtures of them.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Targets.
    mean, std : array-like of shape (n_rows,) or (n_members, n_rows)
        Means and standard deviations; several members make a mixture of equal parts,
        as of a network with dropout.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        In nats. A perfect unlearner gets what retrained models get.

    See Also
    --------
    log_likelihood_of_samples_score : For samples.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import log_likelihood_score
    >>> round(log_likelihood_score([0.0], [0.0], [1.0]), 4)
    -0.9189
    """
    y_true, mean, std = _checked_laws(y_true, mean, std)
    logs = stats.norm.logpdf(y_true, mean, std)
    score = logsumexp(logs, axis=0) - np.log(len(logs))
    return row_mean(score, average=average, sample_weight=sample_weight)


@checked("average")
def log_likelihood_of_samples_score(
    y_true, samples, *, average="mean", sample_weight=None
):
    """Logarithm of a smoothed density of samples.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Targets.
    samples : array-like of shape (n_rows, n_samples)
        At least two different ones for each row, as ``sample_y`` returns them.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows in the mean.

    Returns
    -------
    float or ndarray of shape (n_rows,)
        In nats, with normal kernels of Silverman's width, as scoringrules
        (``sklearn-unlearn[metrics]``) computes it. A perfect unlearner gets what
        retrained models get.

    See Also
    --------
    log_likelihood_score : For laws that are known, without smoothing.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import log_likelihood_of_samples_score
    >>> samples = np.random.default_rng(0).normal(size=(1, 1000))
    >>> round(log_likelihood_of_samples_score([0.0], samples), 1)
    -0.9
    """
    y_true, samples = _checked_samples(y_true, samples)
    if (np.ptp(samples, axis=1) == 0).any():
        raise ValueError("samples must not be all equal in a row: it has no density.")
    score = -_scoringrules().logs_ensemble(y_true, samples)
    return row_mean(score, average=average, sample_weight=sample_weight)


def _checked_intervals(y_true, low, high):
    y_true = check_rows(y_true, "y_true")
    return y_true, *_checked_ends(low, high, len(y_true))


def _checked_ends(low, high, n_rows=None):
    low = check_rows(low, "low", n_rows)
    high = check_rows(high, "high", len(low))
    if (low > high).any():
        raise ValueError("low must not be above high, in any row.")
    return low, high


def _checked_laws(y_true, mean, std):
    y_true = check_rows(y_true, "y_true")
    mean = check_models(mean, "mean", n_rows=len(y_true))
    std = check_models(std, "std", n_rows=len(y_true))
    if len(mean) != len(std) or (std <= 0).any():
        raise ValueError("std must be positive, and have the shape of mean.")
    return y_true, mean, std


def _checked_samples(y_true, samples):
    y_true = check_rows(y_true, "y_true")
    array = as_floats(samples, "samples")
    if array.ndim != 2 or array.shape[0] != len(y_true) or array.shape[1] < 2:
        raise ValueError(
            f"samples must have shape ({len(y_true)}, n_samples), with at least two "
            f"samples; got {array.shape}."
        )
    return y_true, check_models(array, "samples")


def _scoringrules():
    """Return scoringrules, or say how to install it."""
    try:
        import scoringrules
    except ImportError as error:
        raise ImportError(
            'This metric needs scoringrules: pip install "sklearn-unlearn[metrics]".'
        ) from error
    return scoringrules
