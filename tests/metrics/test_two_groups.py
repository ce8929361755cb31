"""Tests of models against models: exact levels, and versions that would be wrong."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
import time
from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from sklearn_unlearn.metrics import (
    margin_z_scores,
    membership_auc,
    permutation_test_of_models,
    rank_test_of_model,
)


def draw(n_models, n_rows=30, shift=0.0, seed=0):
    """Margins of models: rows differ, and so do the models on all rows together."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(scale=3.0, size=n_rows)
    own = rng.normal(scale=0.2, size=(n_models, 1))
    return rows + own + shift + rng.normal(size=(n_models, n_rows))


def statistic(a, b):
    """The statistic of the permutation test as it is defined."""
    n, m = len(a), len(b)
    within = (n - 1) * a.var(axis=0, ddof=1) + (m - 1) * b.var(axis=0, ddof=1)
    squared = (a.mean(axis=0) - b.mean(axis=0)) ** 2
    return squared.mean() / (within / (n + m - 2)).mean()


def test_permutations_are_enumerated():
    models = draw(7)
    a, b = models[:3], models[3:]
    expected = statistic(a, b)
    values = []
    for chosen in combinations(range(7), 3):
        others = [i for i in range(7) if i not in chosen]
        values.append(statistic(models[list(chosen)], models[others]))
    result = permutation_test_of_models(a, b)
    np.testing.assert_allclose(result.statistic, expected)
    np.testing.assert_allclose(result.effect, expected / np.mean(values))
    assert result.pvalue == np.mean(np.array(values) >= expected * (1 - 1e-9))
    # fewer permutations than there are: an estimate of the same
    sampled = permutation_test_of_models(a, b, n_permutations=34, random_state=0)
    assert abs(sampled.pvalue - result.pvalue) < 0.35


def test_one_unlearned_model_is_enough():
    models = draw(20)
    models[0] += 5.0
    assert permutation_test_of_models(models[:1], models[1:]).pvalue == 1 / 20


def test_level_and_power_of_permutations():
    def pvalue(shift, seed):
        models = draw(15, seed=seed)
        models[:6] += shift
        return permutation_test_of_models(
            models[:6], models[6:], n_permutations=199, random_state=seed
        ).pvalue

    null = np.array([pvalue(0.0, seed) for seed in range(300)])
    assert stats.binomtest(int((null <= 0.05).sum()), 300, 0.05).pvalue > 1e-3
    assert stats.kstest(null, "uniform").pvalue > 1e-3
    assert np.mean([pvalue(0.8, seed) <= 0.05 for seed in range(50)]) > 0.9


def test_permutations_are_fast():
    models = draw(27, n_rows=100)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        permutation_test_of_models(models[:8], models[8:], random_state=0)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1


def test_persons_weigh_the_same():
    models = draw(12, n_rows=3)
    # the rows of a person, repeated, say nothing more
    repeated = np.hstack([models, models[:, :1], models[:, :1]])
    persons = ["a", "b", "c", "a", "a"]
    for test in (
        lambda m, **kw: permutation_test_of_models(m[:5], m[5:], **kw),
        lambda m, **kw: rank_test_of_model(m[0], m[1:], significance_level=0.5, **kw),
        lambda m, **kw: membership_auc(m[:5], m[5:], return_interval=True, **kw),
    ):
        np.testing.assert_allclose(
            test(repeated, groups=persons)[:3], test(models)[:3], rtol=1e-9
        )
        assert not np.allclose(test(repeated)[:3], test(models)[:3], rtol=1e-3)


def pair_out(a, b):
    """The area as it is defined, pair by pair."""
    areas = []
    for i in range(len(a)):
        for k in range(len(b)):
            x, z = np.delete(a, i, axis=0), np.delete(b, k, axis=0)
            variance = np.concatenate([x - x.mean(0), z - z.mean(0)]).var()
            law_a = stats.norm(x.mean(0), variance**0.5)
            law_b = stats.norm(z.mean(0), variance**0.5)
            score = [law_a.logpdf(m) - law_b.logpdf(m) for m in (a[i], b[k])]
            member = np.repeat([1, 0], a.shape[1])
            areas.append(roc_auc_score(member, np.concatenate(score)))
    return np.mean(areas)


def test_area_and_jackknife_are_those_of_the_definition():
    models = draw(9, n_rows=20)
    a, b = models[:4] + 0.7, models[4:]
    value, low, high = membership_auc(a, b, return_interval=True, confidence_level=0.9)
    np.testing.assert_allclose(value, pair_out(a, b))
    assert membership_auc(a, b) == value
    from_a = [pair_out(np.delete(a, i, axis=0), b) for i in range(4)]
    from_b = [pair_out(a, np.delete(b, i, axis=0)) for i in range(5)]
    variance = 3 * np.var(from_a) + 4 * np.var(from_b)
    half = stats.t.ppf(0.95, 3) * math.sqrt(variance)
    np.testing.assert_allclose([low, high], [value - half, min(1, value + half)])


def in_sample(a, b):
    """A wrong attack: the laws were fitted to the models that it is tried on."""
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    score = (mean_a - mean_b) * (np.vstack([a, b]) - (mean_a + mean_b) / 2)
    member = np.repeat([1, 0], [a.size, b.size])
    return roc_auc_score(member, score.ravel())


def test_rows_that_say_nothing_count_by_half():
    models = draw(9, n_rows=10)
    a, b = models[:4] + 3.0, models[4:]
    constant = [np.hstack([m, np.full((len(m), 10), 3.3)]) for m in (a, b)]
    np.testing.assert_allclose(membership_auc(*constant), pair_out(*constant))
    same = np.zeros((5, 10))
    assert membership_auc(same, same, return_interval=True) == (0.5, 0.5, 0.5)


def test_retrained_models_are_not_told_apart():
    halves = [(draw(16, seed=s)[:8], draw(16, seed=s)[8:]) for s in range(50)]
    assert abs(np.mean([membership_auc(*pair) for pair in halves]) - 0.5) < 0.02
    assert np.mean([in_sample(*pair) for pair in halves]) > 0.6


def test_area_of_a_large_shift_is_known():
    models = draw(40, n_rows=400, seed=1)
    rng = np.random.default_rng(1)
    models[:] = rng.normal(size=models.shape)
    models[:20] += 1.0
    # the attack knows both laws well: the area of a shift of one deviation
    expected = stats.norm.cdf(1 / math.sqrt(2))
    assert abs(membership_auc(models[:20], models[20:]) - expected) < 0.02


def test_jackknife_keeps_its_level_and_a_bootstrap_does_not():
    false_jackknife, false_bootstrap, n_audits = 0, 0, 60
    for seed in range(n_audits):
        models = draw(17, n_rows=20, seed=seed)
        a, b = models[:8], models[8:]
        found = membership_auc(a, b, return_interval=True, confidence_level=0.9)
        false_jackknife += found.low > 0.5
        rng = np.random.default_rng(seed)
        resampled = [
            membership_auc(a[rng.integers(8, size=8)], b[rng.integers(9, size=9)])
            for _ in range(40)
        ]
        false_bootstrap += np.quantile(resampled, 0.05) > 0.5
    assert false_bootstrap > 0.2 * n_audits
    assert false_jackknife < 0.1 * n_audits


@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
def test_rank_test_is_exact(alternative):
    pvalues = []
    for seed in range(400):
        models = draw(20, n_rows=8, seed=seed)
        pvalues.append(
            rank_test_of_model(
                models[0], models[1:], alternative=alternative, significance_level=0.1
            ).pvalue
        )
    grid = np.arange(1, 21) / 20 if alternative == "greater" else np.arange(1, 11) / 10
    counts = (np.round(pvalues, 6)[:, None] == np.round(grid, 6)).sum(axis=0)
    assert counts.sum() == 400
    assert stats.chisquare(counts).pvalue > 1e-3


def test_rank_test_finds_both_ends():
    models = draw(40)
    far = rank_test_of_model(models[0] + 3.0, models[1:])
    assert far.pvalue == 0.05 and far.effect > 3
    central = rank_test_of_model(models[1:].mean(axis=0), models[1:])
    assert central.pvalue == 0.05 and central.effect < 0.2
    alone = rank_test_of_model(
        models[1:].mean(axis=0), models[1:], alternative="greater"
    )
    assert alone.pvalue == 1.0
    # nine retrained models suffice for 0.1, one-sided
    few = rank_test_of_model(
        models[0] + 3.0, models[1:10], alternative="greater", significance_level=0.1
    )
    assert few.pvalue == 0.1


def test_rank_statistic_is_that_of_the_definition():
    models = draw(6)
    own = (models[0] - models[1:].mean(axis=0)) ** 2
    others = [
        (models[i] - np.delete(models, i, axis=0).mean(axis=0)) ** 2
        for i in range(1, 6)
    ]
    result = rank_test_of_model(models[0], models[1:], significance_level=0.9)
    variance = models[1:].var(axis=0, ddof=1).mean()
    np.testing.assert_allclose(result.statistic, own.mean() / variance)
    np.testing.assert_allclose(result.effect, own.mean() / np.mean(others))


@pytest.mark.parametrize(("alternative", "n"), [("greater", 19), ("two-sided", 39)])
def test_rank_test_says_how_many_models_it_needs(alternative, n):
    models = draw(n + 1)
    enough = rank_test_of_model(models[0], models[1:], alternative=alternative)
    assert enough.pvalue > 0 and enough.reason == ""
    few = rank_test_of_model(models[0], models[2:], alternative=alternative)
    assert math.isnan(few.pvalue) and few.effect > 0
    assert f"needs {n} retrained models, not {n - 1}" in few.reason


def test_without_noise_there_is_no_pvalue():
    same = np.tile(draw(1), (20, 1))
    for result in (
        permutation_test_of_models(same[:8] + 1, same[8:]),
        rank_test_of_model(same[0], same[1:], alternative="greater"),
    ):
        assert math.isnan(result.pvalue) and "without noise" in result.reason


def test_nothing_depends_on_order_or_origin():
    models = draw(14, shift=0.3)
    models[:6] += 0.5
    rng = np.random.default_rng(0)

    def all_of(m):
        return np.concatenate(
            [
                permutation_test_of_models(m[:6], m[6:], random_state=0)[:3],
                membership_auc(m[:6], m[6:], return_interval=True),
                rank_test_of_model(m[0], m[1:], significance_level=0.2)[:3],
            ]
        )

    expected = all_of(models)
    np.testing.assert_allclose(all_of(models[:, rng.permutation(30)]), expected)
    np.testing.assert_allclose(all_of(models + 7.0), expected)
    constant = np.hstack([models, np.full((14, 5), 3.0)])  # rows that say nothing
    np.testing.assert_allclose(
        permutation_test_of_models(constant[:6], constant[6:], random_state=0)[:3],
        permutation_test_of_models(models[:6], models[6:], random_state=0)[:3],
    )


@pytest.mark.parametrize("test", [permutation_test_of_models, membership_auc])
def test_what_is_refused(test):
    a, b = draw(5), draw(6)
    bad = b.copy()
    bad[0, 0] = np.nan
    with pytest.raises(ValueError, match="Input margins_b contains NaN"):
        test(a, bad)
    with pytest.raises(ValueError, match=r"same rows.*got 30 and 29 rows"):
        test(a, b[:, :-1])
    with pytest.raises(ValueError, match=r"margins_a must have shape \(n_models"):
        test(a[None], b)
    for ragged in ([[1.0, 2.0], [1.0]], [["a", "b"]] * 4, [{}]):
        with pytest.raises(ValueError, match="margins_a must be an array of numbers"):
            test(ragged, b)
    with pytest.raises(ValueError, match="groups must have shape"):
        test(a, b, groups=[1, 2])
    with pytest.raises(ValueError, match="groups must not have missing"):
        test(a, b, groups=np.array(["a", None] * 15, dtype=object))


def test_what_else_is_refused():
    models = draw(5)
    with pytest.raises(ValueError, match="at least 3 models; got 2"):
        membership_auc(models[:2], models, return_interval=True)
    with pytest.raises(ValueError, match="at least three models"):
        permutation_test_of_models(models[:1], models[1:2])
    with pytest.raises(ValueError, match="Input margins contains NaN"):
        rank_test_of_model(models[0] * np.nan, models)
    with pytest.raises(ValueError, match="alternative"):
        rank_test_of_model(models[0], models, alternative="less")


def test_z_scores_are_those_of_students_test():
    models = draw(12)
    found = margin_z_scores(models[:5], models[5:])
    expected = stats.ttest_ind(models[:5], models[5:]).statistic
    np.testing.assert_allclose(found, expected)
    alone = margin_z_scores(models[0], models[1:])
    error = models[1:].std(axis=0, ddof=1) * np.sqrt(1 + 1 / 11)
    np.testing.assert_allclose(alone, (models[0] - models[1:].mean(axis=0)) / error)
    models[:, 0] = 1.0
    models[:5, 1], models[5:, 1] = 2.0, 1.0
    found = margin_z_scores(models[:5], models[5:])
    assert found[0] == 0 and found[1] == np.inf
    with pytest.raises(ValueError, match="margins_retrained must come from at least"):
        margin_z_scores(models[0], models[1])
