"""How well a signal tells rows that were trained on from others."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
import warnings
from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.metrics import roc_curve
from sklearn.utils import check_random_state

from sklearn_unlearn.metrics._intervals import Interval, proportion_interval
from sklearn_unlearn.metrics._validation import (
    check_groups,
    check_names,
    check_rows,
    checked,
)

__all__ = [
    "AttackCurve",
    "attack_auc_score",
    "attack_balanced_accuracy_score",
    "attack_roc_curve",
    "attack_tpr_rate",
    "signed_auc",
]

# a rate of false positives is found from so many of them at least
N_FALSE = 10


class AttackCurve(NamedTuple):
    """Points of the ROC curve of an attack, with the band of its hits.

    A perfect unlearner has the curve that retrained models have.

    Parameters
    ----------
    fpr, tpr : ndarray of shape (n_thresholds,)
        Shares of the non-members and of the members that are called members.
    thresholds : ndarray of shape (n_thresholds,)
        From which signal on.
    tpr_low, tpr_high : ndarray of shape (n_thresholds,)
        Clopper and Pearson's interval of `tpr`, point by point.
    fpr_low, fpr_high : ndarray of shape (n_thresholds,)
        That of `fpr`.

    See Also
    --------
    attack_roc_curve : Computes it.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import attack_roc_curve
    >>> attack_roc_curve([0, 1, 0, 1], [0.1, 0.9, 0.4, 0.3]).tpr
    array([0. , 0.5, 0.5, 1. , 1. ])
    """

    fpr: np.ndarray
    tpr: np.ndarray
    thresholds: np.ndarray
    tpr_low: np.ndarray
    tpr_high: np.ndarray
    fpr_low: np.ndarray
    fpr_high: np.ndarray


@checked("confidence_level")
def attack_roc_curve(membership, signal, *, confidence_level=0.95):
    """Compute the ROC curve of an attack, with exact intervals of both rates.

    Parameters
    ----------
    membership : array-like of shape (n_rows,)
        True or 1 for rows that were trained on (or forgotten), False or 0 for others.
    signal : array-like of shape (n_rows,)
        Larger for rows that look trained on; see `membership_signals`.
    confidence_level : float, default=0.95
        Of the intervals, each by itself.

    Returns
    -------
    AttackCurve
        A perfect unlearner has the curve that retrained models have, which is not the
        diagonal if members and others are different kinds of rows.

    See Also
    --------
    sklearn.metrics.roc_curve : The points.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import attack_roc_curve
    >>> curve = attack_roc_curve([0, 1, 0, 1], [0.1, 0.9, 0.4, 0.3])
    >>> curve.tpr_high.round(2)
    array([0.84, 0.99, 0.99, 1.  , 1.  ])
    """
    member, signal = _checked_attack(membership, signal)
    fpr, tpr, thresholds = roc_curve(member, signal, drop_intermediate=False)
    n_members = int(member.sum())
    bands = [
        *_exact_band(tpr, n_members, confidence_level),
        *_exact_band(fpr, len(member) - n_members, confidence_level),
    ]
    return AttackCurve(fpr, tpr, thresholds, *bands)


@checked("confidence_level", "false_positive_rate", "return_interval")
def attack_tpr_rate(
    membership,
    signal,
    *,
    false_positive_rate=0.01,
    return_interval=False,
    confidence_level=0.95,
):
    """Share of the members that are found at a small rate of false alarms.

    Parameters
    ----------
    membership : array-like of shape (n_rows,)
        True or 1 for rows that were trained on (or forgotten), False or 0 for others.
    signal : array-like of shape (n_rows,)
        Larger for rows that look trained on.
    false_positive_rate : float, default=0.01
        At most this share of the non-members is called members. With less than
        ``10 / false_positive_rate`` of them the threshold is not known: the result is
        ``nan``, with a warning.
    return_interval : bool, default=False
        Whether to return Clopper and Pearson's interval.
    confidence_level : float, default=0.95
        Of the interval.

    Returns
    -------
    float or Interval
        A perfect unlearner gets what retrained models get.

    See Also
    --------
    attack_roc_curve : For all rates.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import attack_tpr_rate
    >>> signal = np.r_[np.arange(100), np.arange(85, 105)]
    >>> member = np.arange(120) >= 100
    >>> attack_tpr_rate(member, signal, false_positive_rate=0.1)
    0.75
    """
    member, signal = _checked_attack(membership, signal)
    others = np.sort(signal[~member])[::-1]
    if len(others) * false_positive_rate < N_FALSE * (1 - 1e-12):
        n_needed = math.ceil(N_FALSE / false_positive_rate * (1 - 1e-12))
        warnings.warn(
            f"A false positive rate of {false_positive_rate} needs {n_needed} "
            f"non-members, not {len(others)}; nan is returned.",
            UserWarning,
            stacklevel=2,
        )
        return Interval(math.nan, 0.0, 1.0) if return_interval else math.nan
    # so many non-members may lie above the threshold; ties with the next one do not
    n_allowed = math.floor(false_positive_rate * len(others) * (1 + 1e-12))
    n_found = int((signal[member] > others[n_allowed]).sum())
    options = {"confidence_level": confidence_level, "method": "exact"}
    found = proportion_interval(n_found, int(member.sum()), **options)
    return found if return_interval else found.value


@checked("confidence_level", "return_interval")
def attack_auc_score(
    membership, signal, *, groups=None, return_interval=False, confidence_level=0.95
):
    """Area under the ROC curve of an attack, with DeLong's interval.

    Parameters
    ----------
    membership : array-like of shape (n_rows,)
        True or 1 for rows that were trained on (or forgotten), False or 0 for others.
    signal : array-like of shape (n_rows,)
        Larger for rows that look trained on.
    groups : array-like of shape (n_rows,), default=None
        Person of each row; the interval is then that for dependent rows.
    return_interval : bool, default=False
        Whether to return DeLong's interval [1]_.
    confidence_level : float, default=0.95
        Of the interval, which is about rows, for this one model.

    Returns
    -------
    float or Interval
        Chance that a member has the larger signal. A perfect unlearner gets what
        retrained models get: 1/2 only if members and others are alike. Below 1/2 is a
        leak as well, see `signed_auc`.

    See Also
    --------
    membership_auc : The attack that knows the law of each row.

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the Areas
       under Two or More Correlated Receiver Operating Characteristic Curves",
       Biometrics, 1988.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import attack_auc_score
    >>> attack_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9])
    0.75
    """
    member, signal = _checked_attack(membership, signal)
    groups = check_groups(groups, len(signal))
    # share of the other kind that a row beats, ties by half
    places = _placements(member, signal)
    value = float(places[member].mean())
    if not return_interval:
        return value
    variance = _delong_variance(places - value, member, groups)
    quantile = float(stats.norm.ppf((1 + confidence_level) / 2))
    half = quantile * math.sqrt(variance)
    return Interval(value, max(0.0, value - half), min(1.0, value + half))


def signed_auc(membership, signal):
    """Return how far an attack tells rows apart, whichever kind has larger signals.

    Parameters
    ----------
    membership : array-like of shape (n_rows,)
        True or 1 for rows that were trained on (or forgotten), False or 0 for others.
    signal : array-like of shape (n_rows,)
        Larger for rows that look trained on.

    Returns
    -------
    value : float
        ``max(AUC, 1 - AUC)``. A perfect unlearner gets what retrained models get.
    sign : int
        1 if members look trained on; -1 if they look less so than the others, as after
        a method that forgets too much; 0 if the area is 1/2.

    See Also
    --------
    attack_auc_score : With an interval.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import signed_auc
    >>> signed_auc([0, 0, 1, 1], [0.9, 0.3, 0.4, 0.1])
    (0.75, -1)
    """
    area = attack_auc_score(membership, signal)
    return max(area, 1 - area), int(np.sign(area - 0.5))


@checked("random_state")
def attack_balanced_accuracy_score(membership, signal, *, random_state=None):
    """Balanced accuracy of the best threshold, chosen on other rows.

    Parameters
    ----------
    membership : array-like of shape (n_rows,)
        True or 1 for rows that were trained on (or forgotten), False or 0 for others.
    signal : array-like of shape (n_rows,)
        Larger for rows that look trained on.
    random_state : int, RandomState instance or None, default=None
        Splits rows into halves; each has the threshold that is best on the other.

    Returns
    -------
    float
        Mean over both halves. A perfect unlearner gets what retrained models get: 1/2
        only if members and others are alike.

    See Also
    --------
    attack_auc_score : Needs no threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import attack_balanced_accuracy_score
    >>> signal = np.arange(20)
    >>> attack_balanced_accuracy_score(signal >= 10, signal, random_state=0) > 0.8
    True
    """
    member, signal = _checked_attack(membership, signal)
    if min(member.sum(), (~member).sum()) < 2:
        raise ValueError(
            "membership must have at least two rows of each kind, to be split."
        )
    rng = check_random_state(random_state)
    half = np.zeros(len(member), dtype=bool)
    for kind in (member, ~member):
        rows = rng.permutation(np.flatnonzero(kind))
        half[rows[: len(rows) // 2]] = True
    scores = [_accuracy_elsewhere(member, signal, chosen) for chosen in (half, ~half)]
    return float(np.mean(scores))


def _checked_attack(membership, signal):
    signal = check_rows(signal, "signal")
    member = check_names(membership, "membership", len(signal))
    if not np.isin(member, [0, 1]).all() or len(np.unique(member)) != 2:
        raise ValueError(
            "membership must be True or 1 for members and False or 0 for others, with "
            "at least one of each."
        )
    return member.astype(bool), signal


def _exact_band(shares, n, confidence_level):
    """Clopper and Pearson's interval of many shares of `n`."""
    k, tail = np.round(shares * n), (1 - confidence_level) / 2
    low = np.where(k > 0, stats.beta.ppf(tail, np.maximum(k, 1), n - k + 1), 0.0)
    high = np.where(k < n, stats.beta.isf(tail, k + 1, np.maximum(n - k, 1)), 1.0)
    return low, high


def _placements(member, signal):
    """Share of the other kind that each row beats, or is beaten by if no member."""
    ranks, n_members = stats.rankdata(signal), member.sum()
    n_others = len(signal) - n_members
    places = np.empty(len(signal))
    places[member] = (ranks[member] - stats.rankdata(signal[member])) / n_others
    beaten = (ranks[~member] - stats.rankdata(signal[~member])) / n_members
    places[~member] = 1 - beaten
    return places


def _delong_variance(centred, member, groups):
    """DeLong's variance of the area; over persons, sums of theirs in place of rows."""
    groups = np.arange(len(member)) if groups is None else groups
    total = np.zeros(groups.max() + 1)
    for kind in (member, ~member):
        n_units = len(np.unique(groups[kind]))
        if n_units < 2:
            raise ValueError(
                "An interval needs at least two rows of each kind, or two persons."
            )
        correction = math.sqrt(n_units / (n_units - 1)) / kind.sum()
        np.add.at(total, groups[kind], centred[kind] * correction)
    return float((total**2).sum())


def _accuracy_elsewhere(member, signal, chosen):
    """Balanced accuracy outside of the chosen rows, of the threshold best on them."""
    fpr, tpr, thresholds = roc_curve(member[chosen], signal[chosen])
    is_called = signal[~chosen] >= thresholds[np.argmax(tpr - fpr)]
    others = member[~chosen]
    return (is_called[others].mean() + (~is_called[~others]).mean()) / 2
