"""Divergence of the laws of margins over models, row by row (KLoM)."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy.special import rel_entr
from sklearn.utils import check_random_state

from sklearn_unlearn.metrics._intervals import row_mean
from sklearn_unlearn.metrics._validation import (
    check_models,
    check_same_rows,
    checked,
)
from sklearn_unlearn.utils._sklearn_compat import StrOptions

__all__ = ["klom_error"]

# with fewer models the variance of a row is mixed with that of all rows
N_RELIABLE = 10
# of the published estimator
FLOOR = 1e-5
# random halves of the retrained models
N_SPLITS = 20
NAMES = ("margins_unlearned", "margins_retrained")


@checked(
    "average",
    "n_bins",
    "random_state",
    "return_null",
    estimator=[StrOptions({"gaussian", "histogram"})],
)
def klom_error(
    margins_unlearned,
    margins_retrained,
    *,
    estimator="gaussian",
    n_bins=20,
    average="mean",
    return_null=False,
    random_state=None,
):
    """KL divergence of margins, KL(retrained || unlearned) over models, in nats.

    Parameters
    ----------
    margins_unlearned, margins_retrained : array-like of shape (n_models, n_rows)
        Margins (or predictions of numbers).
    estimator : {"gaussian", "histogram"}, default="gaussian"
        For normal laws, with variances pulled to their mean if there are less than ten
        models; or as published [1]_, whose null is large below some hundred models.
    n_bins : int, default=20
        Of the histogram, of equal width over the range of a row.
    average : {"mean"} or None, default="mean"
        None returns one value per row.
    return_null : bool, default=False
        Whether to return, too, values between random halves of retrained models.
    random_state : int, RandomState instance or None, default=None
        Source of the halves.

    Returns
    -------
    value : float or ndarray of shape (n_rows,)
        A perfect unlearner gets what `null` would be for as many models, not 0.
    null : ndarray of shape (20,) or (20, n_rows)
        Between as many models as a half has; only if ``return_null=True``.

    See Also
    --------
    membership_auc : Has an interval.

    References
    ----------
    .. [1] Kristian Georgiev et al., "Attribute-to-Delete", arXiv:2410.23232, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import klom_error
    >>> margins = np.random.default_rng(0).normal(size=(200, 50))
    >>> round(klom_error(margins[:100] + 1, margins[100:]), 1)
    0.5
    """
    n_min = 4 if return_null else 2
    unlearned = check_models(margins_unlearned, NAMES[0], min_models=2)
    retrained = check_models(margins_retrained, NAMES[1], min_models=n_min)
    check_same_rows(unlearned, retrained, NAMES)
    options = (estimator, n_bins, average)
    value = _divergence(unlearned, retrained, *options)
    if not return_null:
        return value
    return value, _divergences_of_halves(retrained, random_state, *options)


def _divergences_of_halves(models, random_state, *options):
    """Return the divergences between random halves of models."""
    rng = check_random_state(random_state)
    half, found = len(models) // 2, []
    for _ in range(N_SPLITS):
        order = rng.permutation(len(models))
        one, other = models[order[:half]], models[order[half : 2 * half]]
        found.append(_divergence(one, other, *options))
    return np.array(found)


def _divergence(unlearned, retrained, estimator, n_bins, average):
    if estimator == "gaussian":
        rows = _gaussian(unlearned, retrained)
    else:
        rows = _histogram(unlearned, retrained, n_bins)
    return row_mean(rows, average=average)


def _gaussian(unlearned, retrained):
    """KL divergence of normal laws; finite also where models do not vary."""
    largest = max(np.abs(unlearned).max(), np.abs(retrained).max())
    smallest = (1e-8 * largest) ** 2 or 1.0
    variance_u, variance_r = (
        np.maximum(_shrunk_variance(models), smallest)
        for models in (unlearned, retrained)
    )
    squared = (retrained.mean(axis=0) - unlearned.mean(axis=0)) ** 2
    ratio = variance_r / variance_u
    return (ratio - 1 - np.log(ratio) + squared / variance_u) / 2


def _shrunk_variance(models):
    """Variance of each row over models, mixed with that of all rows if they are few."""
    n, variance = len(models), models.var(axis=0, ddof=1)
    n_prior = max(0, N_RELIABLE - n)
    return ((n - 1) * variance + n_prior * variance.mean()) / (n - 1 + n_prior)


def _histogram(unlearned, retrained, n_bins):
    """KL divergence of shares in bins over the joint range, as published."""
    low = np.minimum(unlearned.min(axis=0), retrained.min(axis=0))
    width = np.maximum(unlearned.max(axis=0), retrained.max(axis=0)) - low
    width[width == 0] = 1.0
    q, p = (_shares(models, low, width, n_bins) for models in (unlearned, retrained))
    return rel_entr(p, np.maximum(q, FLOOR)).sum(axis=1)


def _shares(models, low, width, n_bins):
    """Return the share of each row's values in bins, of shape (n_rows, n_bins)."""
    # the last bin has its right end too, so that the maximum counts
    bins = ((models - low) / width * n_bins).astype(int).clip(max=n_bins - 1)
    n_rows = models.shape[1]
    flat = (bins + np.arange(n_rows) * n_bins).ravel()
    counts = np.bincount(flat, minlength=n_rows * n_bins)
    return counts.reshape(n_rows, n_bins) / len(models)
