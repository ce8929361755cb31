"""Orders of slices, and how many requests an ensemble stands: formulas, simulations."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from itertools import pairwise

import numpy as np
import pytest

from sklearn_unlearn.neural_network import s3t_cost
from sklearn_unlearn.neural_network.s3t._cost import simulate_requests
from sklearn_unlearn.neural_network.s3t._sequence import choose_sequences


def test_sequences():
    assert choose_sequences([4, 7, 9], 1) == [(4, 7, 9)]
    for n_slices in (1, 2, 3, 6):
        for n_sequences in (1, 2, 3, 6, 7, 20):
            orders = choose_sequences(range(n_slices), n_sequences)
            assert len(set(orders)) == len(orders)
            assert all(sorted(order) == list(range(n_slices)) for order in orders)
            assert len({o[0] for o in orders}) == min(len(orders), n_slices)
    assert len(choose_sequences(range(3), 100)) == 6
    # six orders of six, then twelve: two second slices for each first one
    twelve = choose_sequences(range(6), 12)
    assert len({order[:2] for order in twelve}) == 12


def test_formulas_are_what_simulation_gives():
    rng = np.random.default_rng(0)
    failures = []
    for n_sequences in (1, 2, 3, 6):
        runs = [simulate_requests(5, 6, n_sequences, rng) for _ in range(250)]
        cost = s3t_cost(5, 6, n_sequences, n_requests=20)
        first = np.array([run[0] for run in runs])
        failure = np.array([len(run[1]) - 1 for run in runs])
        in_use = np.array([run[1][min(20, len(run[1]) - 1)].mean() for run in runs])
        for simulated, expected in (
            (first, cost.first_retraining),
            (failure, cost.failure),
            (in_use, cost.slices_in_use),
        ):
            error = simulated.std() / len(runs) ** 0.5
            assert abs(simulated.mean() - expected) < 4 * error
        failures.append(failure.mean())
    assert all(a < b for a, b in pairwise(failures))


def test_more_sequences_last_longer():
    # as simulated with the code of the paper's authors, to about 5 %
    reference = [72, 85, 102, 109, 113, 118]
    costs = [s3t_cost(5, 6, b) for b in range(1, 7)]
    failure = [cost.failure for cost in costs]
    np.testing.assert_allclose(failure, reference, rtol=0.06)
    assert all(a < b for a, b in pairwise(failure))
    assert costs[0].first_retraining == pytest.approx(6)
    assert costs[0].fit_per_request == pytest.approx(1 / 30)
    assert s3t_cost(5, 6, 3).slices_in_use == 6
    # beyond one for each slice, sequences leave longer prefixes, not more of them
    many, some = (s3t_cost(5, 6, b, n_requests=40) for b in (12, 6))
    assert many.failure == some.failure
    assert many.slices_in_use > some.slices_in_use
    with pytest.raises(ValueError, match="n_slices"):
        s3t_cost(5, 0)


def test_lost_shards_are_trained_as_often_as_expected():
    # the process itself: one shard of two is trained again, over and over
    rng, n_shards, n_slices, n_sequences = np.random.default_rng(1), 2, 4, 2
    starts = {o[0] for o in choose_sequences(range(n_slices), n_sequences)}
    hit, n_trained, n_requests = [set(), set()], 0, 40_000
    for shard, number in zip(
        rng.integers(n_shards, size=n_requests),
        rng.integers(n_slices, size=n_requests),
        strict=True,
    ):
        hit[shard].add(number)
        if starts <= hit[shard]:
            hit[shard], n_trained = set(), n_trained + 1
    share = n_trained / n_requests / n_shards
    expected = s3t_cost(n_shards, n_slices, n_sequences).fit_per_request
    assert share == pytest.approx(expected, rel=0.03)
