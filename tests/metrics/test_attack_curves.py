"""Curves of attacks: closed forms of normal laws, and intervals that hold."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score, roc_curve

from sklearn_unlearn.metrics import (
    attack_auc_score,
    attack_balanced_accuracy_score,
    attack_roc_curve,
    attack_tpr_rate,
    signed_auc,
)


def draw(n=50, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    member = np.repeat([True, False], n)
    return member, rng.normal(size=2 * n) + shift * member


def test_normal_laws():
    member, signal = draw(40000, shift=1.0)
    area = stats.norm.cdf(1 / math.sqrt(2))
    assert attack_auc_score(member, signal) == pytest.approx(area, abs=0.006)
    assert attack_tpr_rate(member, signal) == pytest.approx(0.0924, abs=0.01)
    best = stats.norm.cdf(0.5)
    found = attack_balanced_accuracy_score(member, signal, random_state=0)
    assert found == pytest.approx(best, abs=0.01)


def test_points_and_bands():
    member, signal = draw()
    curve = attack_roc_curve(member, signal)
    fpr, tpr, thresholds = roc_curve(member, signal, drop_intermediate=False)
    for found, expected in zip(curve, (fpr, tpr, thresholds), strict=False):
        np.testing.assert_array_equal(found, expected)
    for i in (0, 20, len(tpr) - 1):
        exact = stats.binomtest(round(50 * tpr[i]), 50).proportion_ci(0.95, "exact")
        np.testing.assert_allclose([curve.tpr_low[i], curve.tpr_high[i]], exact)
        exact = stats.binomtest(round(50 * fpr[i]), 50).proportion_ci(0.95, "exact")
        np.testing.assert_allclose([curve.fpr_low[i], curve.fpr_high[i]], exact)


@pytest.mark.parametrize(
    ("n_found", "n", "low", "high"), [(1, 100, 0.0003, 0.054), (10, 1000, 0.005, 0.018)]
)
def test_interval_of_hits_is_exact(n_found, n, low, high):
    member = np.arange(n + 100) < n
    signal = np.where(member, 0.0, 0.5)
    signal[:n_found] = 1.0
    found = attack_tpr_rate(
        member, signal, false_positive_rate=0.1, return_interval=True
    )
    assert found.value == n_found / n
    np.testing.assert_allclose(found[1:], [low, high], atol=6e-4)


def test_hits_keep_the_rate_of_false_alarms():
    member, signal = draw(200, shift=1.0)
    signal = signal.round(1)  # with ties
    threshold = np.sort(signal[~member])[::-1][20]
    assert (signal[~member] > threshold).mean() <= 0.1
    expected = (signal[member] > threshold).mean()
    assert attack_tpr_rate(member, signal, false_positive_rate=0.1) == expected


def test_a_rate_from_too_few_rows_is_refused():
    member, signal = draw(99)
    with pytest.warns(UserWarning, match="needs 100 non-members, not 99"):
        found = attack_tpr_rate(member, signal, false_positive_rate=0.1)
    assert math.isnan(found)
    with pytest.warns(UserWarning, match="needs 1000 non-members"):
        found = attack_tpr_rate(member, signal, return_interval=True)
    assert math.isnan(found.value) and found[1:] == (0, 1)


def delong(member, signal):
    """The variance as it is defined."""
    psi = np.sign(signal[member][:, None] - signal[~member][None]) / 2 + 0.5
    n, m = psi.shape
    return psi.mean(axis=1).var(ddof=1) / n + psi.mean(axis=0).var(ddof=1) / m


def test_area_and_interval_are_delongs():
    member, signal = draw(40, shift=0.5)
    signal = signal.round(1)
    found = attack_auc_score(member, signal, return_interval=True)
    assert found.value == pytest.approx(roc_auc_score(member, signal))
    assert attack_auc_score(member, signal) == found.value
    half = 1.959964 * math.sqrt(delong(member, signal))
    np.testing.assert_allclose(found[1:], [found.value - half, found.value + half])
    # equal laws, 50 and 50 rows: the standard error that is known
    widths = [
        np.ptp(attack_auc_score(*draw(50, seed=s), return_interval=True)[1:])
        for s in range(50)
    ]
    assert np.mean(widths) / (2 * 1.96) == pytest.approx(0.058, abs=0.003)


def test_interval_holds_for_rows_of_persons():
    covered, covered_rows = 0, 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        person = np.repeat(np.arange(60), 5)
        signal = rng.normal(size=60)[person] + 0.3 * rng.normal(size=300)
        member = person < 30
        found = attack_auc_score(member, signal, groups=person, return_interval=True)
        covered += found.low <= 0.5 <= found.high
        found = attack_auc_score(member, signal, return_interval=True)
        covered_rows += found.low <= 0.5 <= found.high
    assert covered > 0.89 * 200
    assert covered_rows < 0.8 * 200


def test_sign():
    member, signal = draw(shift=1.0)
    area = attack_auc_score(member, signal)
    assert signed_auc(member, signal) == (area, 1)
    value, sign = signed_auc(member, -signal)
    assert value == pytest.approx(area) and sign == -1
    assert signed_auc([0, 1], [0.0, 0.0]) == (0.5, 0)


def test_threshold_is_chosen_on_other_rows():
    found = [
        attack_balanced_accuracy_score(*draw(25, seed=s), random_state=s)
        for s in range(300)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.02)
    in_sample = []
    for seed in range(300):
        fpr, tpr, _ = roc_curve(*draw(25, seed=seed))
        in_sample.append(0.5 + (tpr - fpr).max() / 2)
    assert np.mean(in_sample) > 0.57  # of a wrong version


def test_nothing_depends_on_order_or_units():
    member, signal = draw(100, shift=0.7)
    order = np.random.default_rng(1).permutation(200)
    for function in (
        lambda m, s: attack_auc_score(m, s, return_interval=True),
        lambda m, s: attack_tpr_rate(m, s, false_positive_rate=0.1),
        lambda m, s: attack_roc_curve(m, s).tpr_low,
    ):
        expected = function(member, signal)
        np.testing.assert_allclose(function(member[order], signal[order]), expected)
        np.testing.assert_allclose(function(member, np.exp(signal) + 3), expected)
        np.testing.assert_allclose(function(member.astype(int), signal), expected)


@pytest.mark.parametrize(
    "function",
    [attack_auc_score, attack_balanced_accuracy_score, attack_roc_curve, signed_auc],
)
def test_what_is_refused(function):
    with pytest.raises(ValueError, match="Input signal contains NaN"):
        function([0, 1], [np.nan, 1.0])
    with pytest.raises(ValueError, match="with at least one of each"):
        function([1, 1], [0.0, 1.0])
    with pytest.raises(ValueError, match="membership must be True or 1"):
        function([1, 2], [0.0, 1.0])
    with pytest.raises(ValueError, match=r"membership must have shape \(2,\)"):
        function([1, 0, 1], [0.0, 1.0])
