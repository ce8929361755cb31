"""Uncertainty: known values of normal laws, and fairness to few samples."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import softmax

from sklearn_unlearn.metrics import (
    area_under_risk_coverage_error,
    crps_loss,
    crps_of_samples_loss,
    entropy_decomposition,
    interval_coverage_rate,
    interval_score_loss,
    interval_width_loss,
    log_likelihood_of_samples_score,
    log_likelihood_score,
    risk_coverage_curve,
)

# the law itself, at equally likely points
LAW = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
ZERO, ONE = np.zeros(2000), np.ones(2000)


def test_entropy_is_split():
    rng = np.random.default_rng(0)
    proba = softmax(rng.normal(size=(7, 20, 3)), axis=-1)
    parts = entropy_decomposition(proba)
    np.testing.assert_allclose(parts.total, parts.aleatoric + parts.epistemic)
    np.testing.assert_allclose(parts.total, stats.entropy(proba.mean(axis=0), axis=1))
    mean = proba.mean(axis=0)
    information = stats.entropy(proba, mean[np.newaxis], axis=-1).mean(axis=0)
    np.testing.assert_allclose(parts.epistemic, information)
    sure = entropy_decomposition([[[1.0, 0.0]], [[0.0, 1.0]]])
    np.testing.assert_allclose(sure, [[math.log(2)], [0], [math.log(2)]])
    same = entropy_decomposition(np.stack([proba[0], proba[0]]))
    np.testing.assert_allclose(same.epistemic, 0, atol=1e-12)


def test_risk_of_a_perfect_order():
    rate, n = 0.1, 20000
    losses = np.arange(n) < rate * n
    area = area_under_risk_coverage_error(losses, ~losses)
    sorted_area = area_under_risk_coverage_error(losses, np.arange(n))
    expected = rate + (1 - rate) * math.log(1 - rate)
    assert sorted_area == pytest.approx(expected, abs=1e-4)
    # within each kind the order does not matter
    assert area == pytest.approx(expected, abs=1e-4)
    assert area_under_risk_coverage_error(
        losses, np.arange(n), excess=True
    ) == pytest.approx(0)
    turned = area_under_risk_coverage_error(losses, -np.arange(n), excess=True)
    assert turned > 0.2


def test_ties_share_their_loss():
    losses, confidence = [1.0, 0.0, 1.0, 0.0], [0.5, 0.5, 0.5, 0.9]
    coverage, risk = risk_coverage_curve(losses, confidence)
    np.testing.assert_allclose(coverage, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(risk, [0, 1 / 3, 4 / 9, 0.5])
    order = [2, 0, 3, 1]
    again = risk_coverage_curve(np.take(losses, order), np.take(confidence, order))
    np.testing.assert_allclose(again[1], risk)


def test_intervals():
    low, high = ZERO - 1.644854, ZERO + 1.644854
    assert interval_coverage_rate(LAW, low, high) == pytest.approx(0.9, abs=1e-3)
    assert interval_coverage_rate([1.0], [1.0], [1.0]) == 1.0  # ends count
    assert interval_width_loss(low, high) == pytest.approx(3.289707)
    weight = np.abs(LAW) > 3
    assert interval_coverage_rate(LAW, low, high, sample_weight=weight) == 0


def test_interval_score_is_smallest_for_the_true_quantiles():
    pytest.importorskip("scoringrules")

    def score(z):
        return interval_score_loss(LAW, ZERO - z, ZERO + z, confidence_level=0.9)

    assert score(1.645) < min(score(1.4), score(1.9))
    found = interval_score_loss(
        [2.0, 0.5], [0.0, 0.0], [1.0, 1.0], confidence_level=0.8, average=None
    )
    np.testing.assert_allclose(found, [11, 1])


def test_normal_laws_at_their_own():
    pytest.importorskip("scoringrules")
    assert crps_loss(LAW, ZERO, ONE) == pytest.approx(1 / math.sqrt(math.pi), abs=1e-3)
    # a mixture of equal parts is one of them
    mixture = crps_loss(LAW, np.stack([ZERO, ZERO]), np.stack([ONE, ONE]))
    assert mixture == pytest.approx(crps_loss(LAW, ZERO, ONE), abs=1e-6)


def test_log_likelihood():
    expected = -0.5 * math.log(2 * math.pi * math.e)
    assert log_likelihood_score(LAW, ZERO, ONE) == pytest.approx(expected, abs=5e-3)
    found = log_likelihood_score([1.0], [[0.0], [3.0]], [[1.0], [2.0]])
    density = (stats.norm.pdf(1) + stats.norm.pdf(1, 3, 2)) / 2
    assert found == pytest.approx(math.log(density))
    # far from all members, where the density itself is 0
    assert log_likelihood_score([100.0], [[0.0], [1.0]], [[1.0], [1.0]]) < -4000


def test_few_samples_are_treated_fairly():
    pytest.importorskip("scoringrules")
    rng = np.random.default_rng(0)
    y, samples = rng.normal(size=8000), rng.normal(size=(8000, 5))
    exact = crps_loss(y, np.zeros(8000), np.ones(8000))
    assert crps_of_samples_loss(y, samples) == pytest.approx(exact, abs=0.02)
    # a wrong version takes the samples for the law, and is too large by a fifth
    biased = np.abs(samples - y[:, None]).mean(axis=1)
    biased -= np.abs(samples[:, :, None] - samples[:, None]).mean(axis=(1, 2)) / 2
    assert biased.mean() > exact + 0.08
    many = rng.normal(size=(300, 2000))
    found = log_likelihood_of_samples_score(y[:300], many)
    expected = log_likelihood_score(y[:300], np.zeros(300), np.ones(300))
    assert found == pytest.approx(expected, abs=0.05)


def test_weights_and_rows():
    pytest.importorskip("scoringrules")
    weight = np.arange(2000)
    for metric in (crps_loss, log_likelihood_score):
        rows = metric(LAW, ZERO, ONE, average=None)
        assert rows.shape == (2000,)
        found = metric(LAW, ZERO, ONE, sample_weight=weight)
        assert found == pytest.approx(np.average(rows, weights=weight))
        # one row is an array of one
        assert metric(LAW[:1], ZERO[:1], ONE[:1], average=None).shape == (1,)


def test_what_is_refused():
    nan = [np.nan]
    with pytest.raises(ValueError, match="Input y_true contains NaN"):
        log_likelihood_score(nan, [0.0], [1.0])
    with pytest.raises(ValueError, match="Input mean contains NaN"):
        crps_loss([0.0], nan, [1.0])
    with pytest.raises(ValueError, match="std must be positive"):
        crps_loss([0.0], [0.0], [0.0])
    with pytest.raises(ValueError, match="Input samples contains NaN"):
        crps_of_samples_loss([0.0], [[0.0, np.nan]])
    with pytest.raises(ValueError, match="at least two samples"):
        crps_of_samples_loss([0.0], [[0.0]])
    with pytest.raises(ValueError, match="samples must not be all equal"):
        log_likelihood_of_samples_score([0.0], [[1.0, 1.0]])
    with pytest.raises(ValueError, match="low must not be above high"):
        interval_coverage_rate([0.0], [1.0], [0.0])
    with pytest.raises(ValueError, match="Input high contains NaN"):
        interval_width_loss([0.0], nan)
    with pytest.raises(ValueError, match="Input confidence contains NaN"):
        risk_coverage_curve([0.0], nan)
    with pytest.raises(ValueError, match="Input proba contains NaN"):
        entropy_decomposition([[[np.nan, 1.0]]])
