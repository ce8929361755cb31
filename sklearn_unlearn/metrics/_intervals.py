"""Values with intervals: of proportions, and of means over rows or persons."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.utils import check_random_state

from sklearn_unlearn.metrics._validation import (
    check_groups,
    check_rows,
    check_weights,
    checked,
)
from sklearn_unlearn.utils._sklearn_compat import Interval as Range
from sklearn_unlearn.utils._sklearn_compat import StrOptions

__all__ = [
    "Interval",
    "bootstrap_interval",
    "mean_interval",
    "proportion_interval",
    "row_mean",
    "units_of_rows",
]

N_RESAMPLES = 999


class Interval(NamedTuple):
    """A value with the ends of its confidence interval.

    Functions return it if ``return_interval=True``.

    Parameters
    ----------
    value : float
        The value itself.
    low, high : float
        Ends of the interval.

    See Also
    --------
    membership_auc : Returns one, for example.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import Interval
    >>> value, low, high = Interval(0.53, 0.46, 0.60)
    >>> low
    0.46
    """

    value: float
    low: float
    high: float


@checked(
    "confidence_level",
    n_true=[Range(Integral, 0, None, closed="left")],
    n=[Range(Integral, 1, None, closed="left")],
    method=[StrOptions({"exact", "wilson"})],
)
def proportion_interval(n_true, n, *, confidence_level=0.95, method="wilson"):
    """Proportion with its interval, such as an accuracy or a rate of hits.

    Parameters
    ----------
    n_true, n : int
        So many of so many independent rows.
    confidence_level : float, default=0.95
        Of the interval.
    method : {"exact", "wilson"}, default="wilson"
        "exact" is Clopper and Pearson's, which is never too short.

    Returns
    -------
    Interval
        As ``scipy.stats.binomtest`` computes it.

    See Also
    --------
    mean_interval : For rows of persons, or with weights.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import proportion_interval
    >>> print("{:.2f} [{:.2f}, {:.2f}]".format(*proportion_interval(45, 50)))
    0.90 [0.79, 0.96]
    """
    if n_true > n:
        raise ValueError(f"n_true must be at most n; got {n_true} of {n}.")
    found = stats.binomtest(int(n_true), int(n))
    ends = found.proportion_ci(confidence_level, method)
    return Interval(float(n_true / n), float(ends.low), float(ends.high))


def units_of_rows(values, weights, groups):
    """Sum values with their weights, and the weights, over rows or persons.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
    weights : ndarray of shape (n_rows,)
    groups : ndarray of int of shape (n_rows,) or None

    Returns
    -------
    sums, totals : ndarray of shape (n_units,)
    """
    if groups is None:
        return values * weights, weights
    return np.bincount(groups, values * weights), np.bincount(groups, weights)


def bootstrap_interval(samples, statistic, confidence_level, random_state):
    """Return a statistic of paired samples with its percentile bootstrap interval.

    Parameters
    ----------
    samples : tuple of ndarray of shape (n_units,)
        They are resampled together.
    statistic : callable (*samples, axis) -> ndarray
        Computed over the given axis.
    confidence_level : float
    random_state : int, RandomState instance or None

    Returns
    -------
    Interval
    """
    value = float(statistic(*samples, axis=-1))
    if len(samples[0]) < 2:
        raise ValueError(
            "An interval needs at least two rows, or two persons if groups are given."
        )
    found = stats.bootstrap(
        samples,
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=N_RESAMPLES,
        batch=max(1, 2**22 // len(samples[0])),
        confidence_level=confidence_level,
        method="percentile",
        random_state=check_random_state(random_state),
    ).confidence_interval
    return Interval(value, float(found.low), float(found.high))


def _ratio(sums, totals, axis):
    return sums.sum(axis=axis) / totals.sum(axis=axis)


def row_mean(values, *, average="mean", sample_weight=None):
    """Return the mean of values over rows, or the values if `average` is None."""
    if average is None:
        return values
    return float(np.average(values, weights=check_weights(sample_weight, len(values))))


@checked("confidence_level", "random_state")
def mean_interval(
    values,
    *,
    sample_weight=None,
    groups=None,
    confidence_level=0.95,
    random_state=None,
):
    """Mean of the values of rows, with its bootstrap interval.

    It goes with every metric that returns one value per row for ``average=None``.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        Values of rows.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of rows.
    groups : array-like of shape (n_rows,), default=None
        Person of each row; persons are resampled as a whole.
    confidence_level : float, default=0.95
        Of the interval.
    random_state : int, RandomState instance or None, default=None
        Source of the 999 resamples.

    Returns
    -------
    Interval
        The percentile interval of ``scipy.stats.bootstrap``. It says how the mean
        varies with the rows, for these models; how it varies with models is told by
        other retrained ones.

    See Also
    --------
    kl_divergence_error : Has one value per row.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import mean_interval
    >>> value, low, high = mean_interval([0.0, 1.0, 1.0, 0.0], random_state=0)
    >>> value, low, high
    (0.5, 0.0, 1.0)
    """
    values = check_rows(values, "values")
    weights = check_weights(sample_weight, len(values))
    units = units_of_rows(values, weights, check_groups(groups, len(values)))
    return bootstrap_interval(units, _ratio, confidence_level, random_state)
