"""Attacks with a law for each row: closed forms, limits, and few models."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from sklearn_unlearn.audit.attacks import (
    BaVarIAAttack,
    LiRAAttack,
    RMIAAttack,
    ULiRAAttack,
)
from sklearn_unlearn.metrics import membership_auc
from tests.audit.attacks._models import draw, log_probability

LIMIT = norm.cdf(1 / np.sqrt(2))  # area of two normal laws at distance 1


@pytest.mark.parametrize(
    "attack",
    [
        LiRAAttack(),
        LiRAAttack(variance="row", location="mean"),
        LiRAAttack(variant="offline"),
        BaVarIAAttack(),
        BaVarIAAttack(variant="offline"),
        BaVarIAAttack(predictive="normal"),
    ],
    ids=repr,
)
def test_limit_of_many_models(attack):
    margins, membership = draw(0, 200, 1000)
    fitted = attack.fit(margins[:180], membership[:180])
    area = fitted.score(margins[180:], membership[180:])
    assert abs(area - LIMIT) < 0.02


def test_lira_is_the_ratio_of_two_normal_laws():
    margins, membership = draw(0, 10, 40)
    found = LiRAAttack(variance="row", location="mean").fit(margins, membership)
    expected = np.empty_like(margins)
    for row in range(40):
        own, is_in = margins[:, row], membership[:, row]
        inside, out = (norm(s.mean(), s.std(ddof=1)) for s in (own[is_in], own[~is_in]))
        expected[:, row] = inside.logpdf(own) - out.logpdf(own)
    np.testing.assert_allclose(found.decision_function(margins), expected)


def test_pooled_variance_is_within_rows():
    # rows far from one another: the variance between them must not be mixed in
    margins, membership = draw(0, 40, 300)
    margins += 1000 * np.arange(300)
    fitted = LiRAAttack(variant="offline", location="mean").fit(margins, membership)
    out = np.where(membership, np.nan, margins)
    scale = np.sqrt(np.nanvar(out, axis=0, ddof=1).mean())
    z = (margins - np.nanmean(out, axis=0)) / scale
    decision = fitted.decision_function(margins)
    np.testing.assert_allclose(decision, -norm.logsf(z), rtol=0.05, atol=1e-3)


@pytest.mark.parametrize(
    "attack", [LiRAAttack(variant="offline"), BaVarIAAttack(variant="offline")]
)
def test_offline_is_one_sided(attack):
    margins, membership = draw(0, 20, 5)
    fitted = attack.fit(margins, membership)
    moves = np.array([-9, 0, 9, 500, 5000])
    decision = fitted.decision_function(margins.mean(axis=0) + moves[:, None])
    assert (np.diff(decision, axis=0) > 0).all()
    assert np.isfinite(decision).all()


def test_medians_stand_outliers():
    margins, membership = draw(0, 60, 400)
    margins[0] += 1e4
    areas = [
        LiRAAttack(location=location)
        .fit(margins[:40], membership[:40])
        .score(margins[40:], membership[40:])
        for location in ("mean", "median")
    ]
    assert areas[1] > areas[0] + 0.02


def test_rows_need_models_of_both_kinds():
    margins, membership = draw(0, 8, 20)
    membership[:, :3] = False
    with pytest.raises(ValueError, match=r"3 of 20 rows .* trained with"):
        LiRAAttack().fit(margins, membership)
    membership[:, :3] = True
    for attack in (LiRAAttack(variant="offline"), BaVarIAAttack()):
        with pytest.raises(ValueError, match=r"3 of 20 rows .* trained without"):
            attack.fit(margins, membership)


def mean_areas(n_models, spread, attacks):
    """Return mean areas over four draws, of attacks with so many reference models."""
    areas = []
    for seed in range(4):
        margins, membership = draw(seed, n_models + 8, 800, spread=spread)
        few, others = slice(n_models), slice(n_models, None)
        fitted = [attack.fit(margins[few], membership[few]) for attack in attacks]
        areas.append([a.score(margins[others], membership[others]) for a in fitted])
    return np.mean(areas, axis=0)


@pytest.mark.parametrize("n_models", [4, 6, 8])
@pytest.mark.parametrize("spread", [0.5, 1.0])
def test_bavaria_is_better_with_few_models(n_models, spread):
    attacks = [
        BaVarIAAttack(),
        LiRAAttack(),
        LiRAAttack(location="mean"),
        LiRAAttack(variance="row"),
        LiRAAttack(variance="row", location="mean"),
    ]
    bavaria, *others = mean_areas(n_models, spread, attacks)
    assert bavaria > max(others) + 0.005
    attacks = [
        BaVarIAAttack(variant="offline"),
        LiRAAttack(variant="offline"),
        LiRAAttack(variant="offline", variance="row"),
    ]
    bavaria, *others = mean_areas(n_models, spread, attacks)
    assert bavaria > max(others)


def test_bavaria_estimates_how_much_variances_differ():
    strengths = []
    for spread in (0.0, 0.5, 1.0):
        margins, membership = draw(0, 16, 2000, spread=spread)
        strengths.append(BaVarIAAttack().fit(margins, membership).prior_strength_)
    equal, some, much = np.array(strengths)
    assert (equal > 50).all()
    # logs of variances have deviations of 1 and 2: trigamma(strength / 2) = 1 and 4
    np.testing.assert_allclose(some, 2.85, rtol=0.3)
    np.testing.assert_allclose(much, 1.14, rtol=0.3)


def test_bavaria_needs_no_model_with_the_row():
    margins, membership = draw(0, 60, 300)
    membership[:40, :50] = False
    margins[:, :50] = membership[:, :50] + draw(1, 60, 50, shift=0)[0]
    fitted = BaVarIAAttack().fit(margins[:40], membership[:40])
    decision = fitted.decision_function(margins[40:])[:, :50]
    area = roc_auc_score(membership[40:, :50].ravel(), decision.ravel())
    assert abs(area - LIMIT) < 0.06
    with pytest.raises(ValueError, match="offline"):
        BaVarIAAttack().fit(margins, np.zeros_like(membership))


def population_signals(seed=0, n_models=6, n_rows=400):
    """Log-probabilities, and membership in which the second half is a population."""
    margins, membership = draw(seed, n_models, n_rows, shift=2.0)
    half = n_rows // 2
    membership[:, half:] = False
    margins[:, half:] = draw(seed + 99, n_models, half, shift=0)[0]
    membership[0] = ~membership[1] & (np.arange(n_rows) < half)
    return log_probability(margins), membership


def test_rmia_ties_are_one_half():
    signals, membership = population_signals()
    rows = ~membership[0]
    # the attacked model is the only reference: all ratios are 1
    fitted = RMIAAttack(offline_a=1.0).fit(
        signals[:1, rows], membership[:1, rows], population=np.arange(400)[rows] >= 200
    )
    assert (fitted.decision_function(signals[:1, rows]) == 0.5).all()


@pytest.mark.parametrize("gamma", [1.0, 2.0])
def test_rmia_counts_ratios(gamma):
    signals, membership = population_signals(n_models=4)
    attack = RMIAAttack(gamma=gamma, offline_a=0.4)
    attack.fit(signals[:3], membership[:3], np.arange(400) >= 200)
    out = np.where(membership[:3], np.nan, np.exp(signals[:3]))
    ratio = np.exp(signals[3]) / (0.7 * np.nanmean(out, axis=0) + 0.3)
    expected = (ratio[:, None] >= gamma * ratio[200:]).mean(axis=1)
    found = attack.decision_function(signals[3:])[0]
    np.testing.assert_allclose(found[:200], expected[:200])


def test_one_reference_model_is_enough_for_rmia():
    margins, membership = draw(0, 10, 1000, shift=2.0)
    membership[:, 500:] = False
    margins[:, 500:] = draw(1, 10, 500, shift=0)[0]
    margins[0] -= 2.0 * membership[0]  # a model without any of the rows
    membership[0] = False
    signals = log_probability(margins)
    population = np.arange(1000) >= 500
    attack = RMIAAttack().fit(signals[:1], membership[:1], population=population)
    assert attack.score(signals[1:], membership[1:]) > 0.75
    with pytest.raises(ValueError, match="minimum of 2"):
        LiRAAttack(variant="offline").fit(signals[:1], membership[:1])


def test_rmia_works_in_logs_and_for_numbers():
    rng = np.random.default_rng(0)
    population = np.arange(600) >= 300
    membership = np.arange(600) % 2 == np.arange(6)[:, None] % 2
    membership[:, population] = False
    residuals = rng.normal(size=(6, 600)) * np.where(membership, 0.5, 1.0)
    # the second ones are log-likelihoods far below those of which exponentials are > 0
    for signals in (-(residuals**2) / 2, -((residuals + 60) ** 2) / 2):
        for variant in ("offline", "online"):
            fitted = RMIAAttack(variant=variant).fit(
                signals[:4], membership[:4], population
            )
            assert np.isfinite(fitted.decision_function(signals[4:])).all()
    attack = RMIAAttack().fit(-(residuals[:4] ** 2) / 2, membership[:4], population)
    assert attack.score(-(residuals[4:] ** 2) / 2, membership[4:]) > 0.6
    assert 0 <= attack.offline_a_ <= 1


def test_rmia_refuses_what_is_no_population():
    signals, membership = population_signals()
    population = np.arange(400) >= 200
    with pytest.raises(ValueError, match="at most 0"):
        RMIAAttack().fit(-signals, membership, population)
    for none_or_all in (False, True):
        with pytest.raises(ValueError, match="mark some rows and leave others"):
            RMIAAttack().fit(
                signals, np.zeros_like(membership), np.full(400, none_or_all)
            )
    with pytest.raises(ValueError, match="a reference model was trained"):
        RMIAAttack().fit(signals, membership, np.arange(400) < 10)
    with pytest.raises(ValueError, match="population must be a boolean mask"):
        RMIAAttack().fit(signals, membership, np.arange(400))
    membership[:, 0] = True
    with pytest.raises(ValueError, match="trained without each row"):
        RMIAAttack(offline_a=0.3).fit(signals, membership, population)


def test_ulira_holds_out_and_is_not_flattered():
    in_sample, held_out, covered = [], [], []
    has_unlearned = np.arange(16) < 8
    for seed in range(50):
        signals = np.random.default_rng(seed).normal(size=(16, 60))
        attack = ULiRAAttack(confidence_level=0.9).fit(signals, has_unlearned)
        in_sample.append(attack.score(signals, has_unlearned))
        held_out.append(attack.auc_.value)
        covered.append(attack.auc_.low <= 0.5 <= attack.auc_.high)
    assert abs(np.mean(held_out) - 0.5) < 0.02
    assert np.mean(in_sample) > 0.6, "laws fitted to the models that they score"
    assert np.mean(covered) > 0.8


def test_ulira_is_the_metric_with_an_estimator():
    rng = np.random.default_rng(0)
    has_unlearned = np.arange(14) < 6
    signals = rng.normal(size=(14, 50)) + has_unlearned[:, None]
    persons = np.arange(50) // 5
    attack = ULiRAAttack().fit(signals, has_unlearned, groups=persons)
    assert attack.auc_ == membership_auc(
        signals[:6], signals[6:], groups=persons, return_interval=True
    )
    everywhere = np.repeat(has_unlearned[:, None], 50, axis=1)
    assert ULiRAAttack().fit(signals, everywhere).auc_.low > 0.5
    everywhere[0, 0] = False
    with pytest.raises(ValueError, match="LiRAAttack"):
        ULiRAAttack().fit(signals, everywhere)
    with pytest.raises(ValueError, match="three models of each kind"):
        ULiRAAttack().fit(signals, np.arange(14) < 2)
