"""Scores of published tables: their formulas, and why they decide nothing."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest

from sklearn_unlearn.metrics import (
    adaptive_unlearning_score,
    average_gap_error,
    forgetting_quality_score,
    nomus_score,
    retention_deviation_error,
    svc_efficacy_score,
    tug_of_war_score,
    zero_retrain_forgetting_score,
)

PUBLISHED = [average_gap_error, tug_of_war_score, retention_deviation_error]


def test_same_model():
    scores = [0.7, 1.0, 0.9]
    assert average_gap_error(scores, scores) == 0
    assert tug_of_war_score(scores, scores) == 1
    assert retention_deviation_error(scores, scores) == 0
    assert adaptive_unlearning_score(0.9, 0.9, 0.9) == 1


def test_formulas():
    scores, retrained = [0.9, 1.0], [[0.8, 0.9], [0.6, 1.0]]
    assert average_gap_error(scores, retrained) == pytest.approx((0.2 + 0.05) / 2)
    spread = np.std(retrained, axis=0, ddof=1)
    found = average_gap_error(scores, retrained, standardize=True)
    assert found == pytest.approx((0.2 / spread[0] + 0.05 / spread[1]) / 2)
    assert tug_of_war_score(scores, retrained) == pytest.approx(0.8 * 0.95)
    found = retention_deviation_error(scores, retrained)
    assert found == pytest.approx(0.2 / 0.7 + 0.05 / 0.95)
    # a published row of a table
    assert nomus_score(0.488, 0.5 + 0.0445) == pytest.approx(0.6995)
    assert nomus_score(0.488, 0.5 - 0.0445) == pytest.approx(0.6995)
    assert adaptive_unlearning_score(0.8, 0.9, 0.6) == pytest.approx(0.9 / 1.2)
    with pytest.raises(ValueError, match="models that differ"):
        average_gap_error(scores, [scores, scores], standardize=True)


def test_zero_retrain_forgetting():
    proba = np.array([[0.2, 0.8], [1.0, 0.0]])
    assert zero_retrain_forgetting_score(proba, proba) == pytest.approx(1)
    assert zero_retrain_forgetting_score([[1.0, 0.0]], [[0.0, 1.0]]) == 0
    sure, uniform = [[1.0] + [0.0] * 9], [[0.1] * 10]
    # in bits, not in nats and not averaged over classes
    expected = 1 - (
        0.5 * np.log2(1 / 0.55)
        + 0.5 * (0.1 * np.log2(0.1 / 0.55) + 0.9 * np.log2(0.1 / 0.05))
    )
    assert zero_retrain_forgetting_score(sure, uniform) == pytest.approx(expected)


def test_an_attack_that_says_no_has_the_largest_efficacy():
    rng = np.random.default_rng(0)
    retain, test = rng.normal(1, 0.1, size=40), rng.normal(0, 0.1, size=40)
    assert svc_efficacy_score(np.full(10, 1.0), retain, test) == 0
    assert svc_efficacy_score(np.full(10, 0.0), retain, test) == 1
    # far from all rows the machine is a constant
    assert svc_efficacy_score(np.full(10, 99.0), retain, test) in (0, 1)


def test_forgetting_quality_of_retrained_models_is_not_one():
    rng = np.random.default_rng(0)
    margins = rng.normal(size=(256, 30))
    value, null = forgetting_quality_score(
        margins[:128], margins[128:], return_null=True, random_state=0
    )
    assert 0.05 < value < 0.5 and 0.05 < null < 0.5
    assert forgetting_quality_score(margins[:128] + 8, margins[128:]) == 0
    shifted = forgetting_quality_score(margins[:128] + 2, margins[128:])
    assert shifted < value / 2
    # spreads that differ by more than a hundred times
    assert forgetting_quality_score(margins[:128] / 1e3, margins[128:]) == 0


@pytest.mark.parametrize("score", PUBLISHED)
def test_order_of_scores_does_not_matter(score):
    one, other = np.array([0.9, 1.0, 0.7]), np.array([0.8, 0.9, 0.75])
    assert score(one[::-1], other[::-1]) == pytest.approx(score(one, other))


def test_what_is_refused():
    for score in PUBLISHED:
        with pytest.raises(ValueError, match="Input scores contains NaN"):
            score([np.nan], [0.5])
        with pytest.raises(ValueError, match="scores_retrained must have shape"):
            score([0.5], [0.5, 0.6])
    with pytest.raises(ValueError, match="scores_retrained must not be 0"):
        retention_deviation_error([0.5], [0.0])
    with pytest.raises(ValueError, match="Input signal_test contains NaN"):
        svc_efficacy_score([1.0], [1.0], [np.nan])
    with pytest.raises(ValueError, match="margins_unlearned contains NaN"):
        forgetting_quality_score(np.full((4, 2), np.nan), np.zeros((4, 2)))
    with pytest.raises(ValueError, match="attack_accuracy"):
        nomus_score(0.5, 1.5)
