"""Distances to retrained models, with the distances between retrained models."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from scipy import stats
from scipy.special import softmax

from sklearn_unlearn.metrics import (
    Interval,
    js_divergence_error,
    kl_divergence_error,
    mean_interval,
    prediction_agreement_score,
    prediction_distance_error,
    prediction_wasserstein_error,
    proportion_interval,
    total_variation_error,
)

OF_PROBA = [kl_divergence_error, js_divergence_error, total_variation_error]
OF_NUMBERS = [prediction_distance_error, prediction_wasserstein_error]


def draw(n_models=6, n_rows=25, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n_rows, 3)) + 0.3 * rng.normal(size=(n_models, n_rows, 3))
    return softmax(logits, axis=-1)


def numbers(seed=0):
    return draw(seed=seed)[..., 0]


@pytest.mark.parametrize("metric", OF_PROBA)
def test_same_model_has_no_distance(metric):
    proba = draw()[0]
    np.testing.assert_allclose(metric(proba, proba), 0, atol=1e-12)
    assert metric(proba, draw()[1]) > 0


def test_known_divergences():
    one, other = [[1.0, 0.0]], [[0.0, 1.0]]
    assert js_divergence_error(one, other) == 1.0  # a bit
    assert total_variation_error(one, other) == 1.0
    p, q = np.array([[0.9, 0.1]]), np.array([[0.5, 0.5]])
    forward = (0.9 * np.log(0.9 / 0.5)) + (0.1 * np.log(0.1 / 0.5))
    backward = (0.5 * np.log(0.5 / 0.9)) + (0.5 * np.log(0.5 / 0.1))
    # the second argument is the retrained model, which comes first in the divergence
    np.testing.assert_allclose(kl_divergence_error(q, p), forward)
    np.testing.assert_allclose(kl_divergence_error(q, p, reverse=True), backward)
    # what is called impossible does not make it infinite
    assert 30 < kl_divergence_error(one, other) < 40


@pytest.mark.parametrize("metric", OF_PROBA)
def test_mean_over_models_rows_and_null(metric):
    proba = draw()
    own, retrained = proba[0], proba[1:]
    value, null = metric(own, retrained, return_null=True)
    np.testing.assert_allclose(value, np.mean([metric(own, r) for r in retrained]))
    first = np.mean([metric(retrained[0], r) for r in retrained[1:]])
    assert null.shape == (5,)
    np.testing.assert_allclose(null[0], first)
    rows = metric(own, retrained, average=None)
    assert rows.shape == (25,)
    weight = np.arange(25)
    np.testing.assert_allclose(
        metric(own, retrained, sample_weight=weight), np.average(rows, weights=weight)
    )
    with pytest.raises(ValueError, match="at least two retrained models"):
        metric(own, retrained[0], return_null=True)


def test_the_mean_of_retrained_models_is_too_central():
    proba = draw(n_models=20)
    value, null = kl_divergence_error(proba.mean(axis=0), proba, return_null=True)
    assert value < np.quantile(null, 0.025)


def test_agreement():
    names = np.array([["a", "b", "b"], ["a", "b", "a"], ["b", "b", "a"]])
    assert prediction_agreement_score(names[0], names[0]) == 1.0
    value, null = prediction_agreement_score(names[0], names[1:], return_null=True)
    np.testing.assert_allclose(value, (2 / 3 + 1 / 3) / 2)
    np.testing.assert_allclose(null, [2 / 3, 2 / 3])


def test_numbers():
    one = np.array([1.0, 2.0, 4.0])
    assert prediction_wasserstein_error(one, one + 0.5) == 0.5
    assert prediction_wasserstein_error(one, one[::-1]) == 0.0
    assert prediction_distance_error(one, one[::-1]) > 1.0
    np.testing.assert_allclose(
        prediction_distance_error(one, [one + 3, one - 4]), np.sqrt((9 + 16) / 2)
    )
    np.testing.assert_allclose(
        prediction_distance_error(one, [one + 3, one - 4], kind="absolute", scale=2.0),
        7 / 4,
    )
    value, null = prediction_distance_error(one, [one, one + 2], return_null=True)
    np.testing.assert_allclose([value, *null], [np.sqrt(2), 2, 2])
    value, null = prediction_wasserstein_error(one, [one, one + 2], return_null=True)
    np.testing.assert_allclose([value, *null], [1, 2, 2])
    law = stats.norm.ppf((np.arange(400) + 0.5) / 400)
    np.testing.assert_allclose(prediction_wasserstein_error(law, law + 0.7), 0.7)


@pytest.mark.parametrize("metric", [*OF_PROBA, *OF_NUMBERS])
def test_order_of_rows_does_not_matter(metric):
    values = draw() if metric in OF_PROBA else numbers()
    order = np.random.default_rng(0).permutation(25)
    np.testing.assert_allclose(
        metric(values[0][order], values[1:, order]), metric(values[0], values[1:])
    )
    if metric in OF_PROBA:  # nor does that of the classes
        columns = [2, 0, 1]
        np.testing.assert_allclose(
            metric(values[0][:, columns], values[1:][..., columns]),
            metric(values[0], values[1:]),
        )


@pytest.mark.parametrize("metric", [*OF_PROBA, *OF_NUMBERS])
def test_what_is_refused(metric):
    values = draw() if metric in OF_PROBA else numbers()
    for place in (0, 1):
        pair = [values[0].copy(), values[1:].copy()]
        pair[place].flat[0] = np.nan
        name = ("unlearned", "retrained")[place]
        with pytest.raises(ValueError, match=f"Input pr.*_{name} contains NaN"):
            metric(*pair)
    with pytest.raises(ValueError, match="retrained must have shape"):
        metric(values[0], values[1:, :-1])


def test_interval_of_a_mean():
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(30), 10)
    values = rng.normal(size=30)[person]  # the rows of a person are all the same
    rows = mean_interval(values, random_state=0)
    persons = mean_interval(values, groups=person, random_state=0)
    assert isinstance(rows, Interval)
    np.testing.assert_allclose([rows.value, persons.value], values.mean())
    width = (persons.high - persons.low) / (rows.high - rows.low)
    assert 2.5 < width < 4  # the root of ten
    expected = 2 * 1.96 * values[::10].std() / np.sqrt(30)
    assert 0.8 < (persons.high - persons.low) / expected < 1.25
    names = np.array([f"p{i}" for i in person])
    # other names of the same people
    renamed = mean_interval(values, groups=names, random_state=0)
    np.testing.assert_allclose(renamed.value, persons.value)
    narrow = mean_interval(values, random_state=0, confidence_level=0.5)
    assert narrow.high - narrow.low < rows.high - rows.low
    weighted = mean_interval(values, sample_weight=person == 3, random_state=0)
    np.testing.assert_allclose(weighted.value, values[30])
    with pytest.raises(ValueError, match="at least two rows"):
        mean_interval([1.0])
    with pytest.raises(ValueError, match="Input values contains NaN"):
        mean_interval([1.0, np.nan])


def test_interval_of_a_proportion():
    # standard errors of an accuracy of 0.9 that are known
    for n, error in ((50, 0.042), (200, 0.021), (1000, 0.009)):
        _, low, high = proportion_interval(9 * n // 10, n)
        assert (high - low) / (2 * 1.96) == pytest.approx(error, abs=0.0015)
    exact = proportion_interval(1, 100, method="exact")
    np.testing.assert_allclose(exact, [0.01, 0.0003, 0.054], atol=6e-4)
    with pytest.raises(ValueError, match="n_true must be at most n; got 3 of 2"):
        proportion_interval(3, 2)
