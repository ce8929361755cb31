"""Bounds of epsilon: valid for laws whose epsilon is known, and closed forms."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from sklearn_unlearn.metrics import (
    advantage_bound,
    certificate_holds,
    epsilon_lower_bound,
    gaussian_auc_bound,
    gaussian_delta_bound,
    gaussian_tpr_bound,
    one_run_epsilon_bound,
    swap_advantage_bound,
    tpr_bound,
)


def bound(n, shift, seed, **options):
    rng = np.random.default_rng(seed)
    signals = rng.normal(size=(2, n))
    return epsilon_lower_bound(
        signals[0] + shift, signals[1], random_state=seed, **options
    )


@pytest.mark.parametrize("n", [16, 64, 512])
def test_equal_laws_show_nothing(n):
    found = np.array([bound(n, 0.0, seed) for seed in range(200)])
    assert (found == 0).mean() >= 0.95


@pytest.mark.parametrize(("shift", "expected"), [(1, 0.67), (2, 2.37), (3, 3.17)])
def test_bound_is_what_held_out_models_can_show(shift, expected):
    found = [bound(512, shift, seed) for seed in range(40)]
    assert np.mean(found) == pytest.approx(expected, abs=0.35)
    turned = [bound(512, -shift, seed) for seed in range(40)]
    assert np.mean(turned) == pytest.approx(expected, abs=0.35)


def test_bound_is_never_above_the_epsilon_of_normal_laws():
    for mu in (0.5, 1.0, 2.0):
        epsilon = brentq(lambda e, m=mu: gaussian_delta_bound(m, e) - 1e-5, 0, 60)
        found = [bound(200, mu, s, confidence_level=0.9999) for s in range(100)]
        assert max(found) <= epsilon


def test_randomised_response_is_bounded():
    # a signal of two values has exactly this epsilon, so the bound is put to the test
    epsilon, exceeded = 1.0, 0
    chance = 1 / (1 + math.exp(-epsilon))
    for seed in range(400):
        rng = np.random.default_rng(seed)
        a = (rng.random(300) < chance).astype(float)
        b = (rng.random(300) >= chance).astype(float)
        exceeded += epsilon_lower_bound(a, b, delta=0.0, random_state=seed) > epsilon
    assert stats.binomtest(exceeded, 400, 0.05, alternative="greater").pvalue > 1e-3


def test_one_run():
    coins = np.repeat([0, 1], 50)
    found = one_run_epsilon_bound(coins, coins, n_guesses=100)
    assert found == pytest.approx(3.49, abs=0.01)
    half = np.tile([0, 1], 50)  # fifty guesses are right
    assert one_run_epsilon_bound(coins, half, n_guesses=100) == 0
    assert one_run_epsilon_bound(-coins, coins, n_guesses=100) == 0
    # more canaries are not guessed about, and delta makes the bound weaker
    weaker = one_run_epsilon_bound(coins, coins, n_guesses=100, delta=1e-3)
    assert 0 < weaker < found
    assert one_run_epsilon_bound(coins, coins, n_guesses=50) == pytest.approx(
        -math.log(0.05 ** (-1 / 50) - 1), abs=1e-6
    )


def test_one_run_keeps_its_level():
    rng = np.random.default_rng(0)
    found = [
        one_run_epsilon_bound(
            rng.normal(size=60), rng.integers(2, size=60), n_guesses=40
        )
        for _ in range(400)
    ]
    assert np.mean(np.array(found) > 0) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def test_delta_of_one_run_is_that_of_the_definition():
    coins = np.repeat([0, 1], 10)
    signal = coins.astype(float)
    signal[[0, 1, 12]] = [1.5, 1.5, -0.5]
    delta, r, m = 0.002, 20, 20
    order = np.argsort(signal, kind="stable")
    n_right = int(coins[order[10:]].sum() + (1 - coins[order[:10]]).sum())

    def pvalue(epsilon):
        q, alpha, total = 1 / (1 + math.exp(-epsilon)), 0.0, 0.0
        for i in range(1, n_right + 1):
            total += stats.binom.pmf(n_right - i, r, q)
            alpha = max(alpha, total / i)
        return stats.binom.sf(n_right - 1, r, q) + alpha * delta * 2 * m

    found = one_run_epsilon_bound(signal, coins, n_guesses=r, delta=delta)
    assert 0 < found and pvalue(found) == pytest.approx(0.05)


def test_normal_curves():
    assert gaussian_delta_bound(1.0, 1.0) == pytest.approx(0.1269, abs=1e-4)
    assert gaussian_auc_bound(1.0) == pytest.approx(0.7602, abs=1e-4)
    assert gaussian_tpr_bound(1.0, 0.01) == pytest.approx(0.0924, abs=1e-4)
    assert gaussian_delta_bound(0, 1.0) == 0 and gaussian_auc_bound(0) == 0.5
    assert gaussian_tpr_bound(0, 0.3) == pytest.approx(0.3)
    assert gaussian_delta_bound(2.0, 0.0) == pytest.approx(2 * stats.norm.cdf(1) - 1)
    assert gaussian_delta_bound(0.1, 500.0) == 0  # nothing overflows
    # the curve of the noise lies under that of each of its guarantees
    for epsilon in (0.5, 1.0, 3.0):
        delta = gaussian_delta_bound(1.5, epsilon)
        for rate in (0.01, 0.1, 0.5, 0.9):
            highest = tpr_bound(epsilon, rate, delta=delta)
            assert gaussian_tpr_bound(1.5, rate) <= highest + 1e-12


def test_limits_of_attacks():
    epsilon, delta = 0.5, 0.01
    e = math.exp(epsilon)
    expected = (e - 1 + 2 * delta) / (e + 1)
    assert advantage_bound(epsilon, delta=delta) == pytest.approx(expected)
    swap = 2 * (1 - (2 - 2 * delta) / (e + 1))
    assert swap_advantage_bound(epsilon, delta=delta) == pytest.approx(swap)
    assert swap_advantage_bound(9.0) == 1.0
    assert advantage_bound(0.0) == 0.0 and advantage_bound(1e4) == 1.0
    assert tpr_bound(0.0, 0.2) == pytest.approx(0.2)
    assert tpr_bound(2.0, 0.9) <= 1
    # the largest advantage is where both forms of the bound meet
    rates = np.linspace(0.001, 0.999, 999)
    best = max(tpr_bound(epsilon, r, delta=delta) - r for r in rates)
    assert best == pytest.approx(expected, abs=1e-3)


def test_certificate():
    assert certificate_holds(2.0, epsilon_lower=2.0)
    assert not certificate_holds(1.0, epsilon_lower=1.5)


def test_what_is_refused():
    with pytest.raises(ValueError, match="Input signals_retrained contains NaN"):
        epsilon_lower_bound([1.0] * 4, [np.nan] * 4)
    with pytest.raises(ValueError, match="signals_unlearned must come from at least"):
        epsilon_lower_bound([1.0] * 3, [1.0] * 4)
    with pytest.raises(ValueError, match="n_guesses must be even"):
        one_run_epsilon_bound([1.0, 2.0, 3.0], [0, 1, 1], n_guesses=3)
    with pytest.raises(ValueError, match="at most the number of canaries, 2"):
        one_run_epsilon_bound([1.0, 2.0], [0, 1], n_guesses=4)
    with pytest.raises(ValueError, match="Input signal contains NaN"):
        one_run_epsilon_bound([np.nan, 2.0], [0, 1], n_guesses=2)
    with pytest.raises(ValueError, match="included must be True or 1"):
        one_run_epsilon_bound([1.0, 2.0], [0, 5], n_guesses=2)
    with pytest.raises(ValueError, match="epsilon"):
        advantage_bound(-1.0)
