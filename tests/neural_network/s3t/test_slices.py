"""Slices of shards: who is in them, in which order they are learnt, what is left."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn._engine._losses import SquaredError
from sklearn_unlearn._engine.mlp._mlp import Layout
from sklearn_unlearn.neural_network import S3TClassifier, S3TRegressor, s3t_cost
from sklearn_unlearn.neural_network.s3t._block import BlockSettings, BlockTrainer
from sklearn_unlearn.neural_network.s3t._cost import simulate_requests
from sklearn_unlearn.neural_network.s3t._heads import ClassHeads, NumberHeads
from sklearn_unlearn.neural_network.s3t._random_features import RandomFeatures
from sklearn_unlearn.neural_network.s3t._sequence import choose_sequences
from sklearn_unlearn.neural_network.s3t._shard import ShardTrainer
from sklearn_unlearn.neural_network.s3t._slice_assignment import SliceAssignment
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.rows._assignment import assign_rows
from tests.neural_network.s3t._ensembles import SETTINGS, output, rows_of


def parameters(model):
    """The numbers of all blocks, by shard, sequence and stage."""
    return [
        [[block.parameters for block in seq.blocks] for seq in shard.sequences]
        for shard in model._shards
    ]


def same(a, b):
    return len(a) == len(b) and all(
        same(x, y) if isinstance(x, list) else np.array_equal(x, y)
        for x, y in zip(a, b, strict=True)
    )


def test_gradient_of_a_block_equals_autograd():
    generator = torch.Generator().manual_seed(0)
    layout = Layout((5, 3, 5, 2))
    flat = torch.randn(layout.n_parameters, generator=generator)
    H, target = (torch.randn(20, n, generator=generator) for n in (5, 2))
    settings = BlockSettings(3, 1, 0.0, 20, 0.5)
    trainer = BlockTrainer(H, target, SquaredError(), layout, flat.clone(), settings)
    trainer.step(torch.arange(20))
    flat.requires_grad_()
    (V, U, W), (c, d, b) = layout.views(flat)
    outputs = (H + (H @ V + c).relu() @ U + d) @ W + b
    penalty = 0.25 * flat[: layout.n_weights].square().sum()
    value = (SquaredError().rows(outputs, target).sum() + penalty) / 20
    (expected,) = torch.autograd.grad(value, flat)
    assert torch.allclose(trainer.gradient, expected, rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------- what is left


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_what_is_left_is_the_stored_prefix(kind):
    model, X, y = rows_of(kind)
    model.fit(X, y)
    before, assignment = copy.copy(model._shards), model._assignment
    model.unlearn(X[:1])
    shard, hit = int(assignment.shard[0]), int(assignment.slice[0])
    for number, (old, new) in enumerate(zip(before, model._shards, strict=True)):
        if number != shard:
            assert new is old
            continue
        for was, now in zip(old.sequences, new.sequences, strict=True):
            length = was.order.index(hit)
            assert len(now) == length
            # the very objects: nothing before the slice is trained, or copied
            assert all(a is b for a, b in zip(was.blocks, now.blocks, strict=False))
    best = [max(s.sequences, key=len) for s in model._shards]
    assert model.prefix_lengths_.tolist() == [len(s) for s in best]
    mean = 0
    for sequence, stored in zip(best, before, strict=True):
        h = stored.random_features.transform(X, sequence.centre, sequence.scale)
        for block in sequence.blocks:
            h = block.adapt(h)
        outputs = sequence.blocks[-1].outputs(h).numpy()
        if kind == "classes":
            outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
            outputs /= outputs.sum(axis=1, keepdims=True)
        # shards count for as much as the slices that they are left with
        mean = mean + outputs * len(sequence) / sum(map(len, best))
    np.testing.assert_allclose(output(model, X), mean.squeeze(), rtol=1e-12)


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_a_prefix_is_what_its_slices_alone_give(kind):
    _, X, y = rows_of(kind)
    target = torch.from_numpy(y.reshape(len(y), -1))
    heads = ClassHeads(3) if kind == "classes" else NumberHeads(1)
    features = RandomFeatures.draw(np.random.default_rng(0), X.shape[1], 24)
    settings = BlockSettings(4, 3, 0.01, 16, 1e-4)
    slices = np.arange(len(X)) % 4

    def trainer(rows):
        parts = X[rows], target[rows], slices[rows]
        return ShardTrainer(*parts, heads, features, settings, seed=7, number=1)

    for sequence in trainer(slices < 4).train(4).sequences:
        for length in (1, 2, 3):
            prefix = sequence.order[:length]
            # of one order only, which begins like this
            short = trainer(np.isin(slices, prefix)).train_sequence(prefix, {})
            assert np.array_equal(short.centre, sequence.centre)
            for a, b in zip(short.blocks, sequence.blocks, strict=False):
                assert np.array_equal(a.parameters, b.parameters)
                assert np.array_equal(a.mean, b.mean)


def assert_knows_nothing(model, X, y):
    """Two fits that differ in the rows of one slice agree once it is hit."""
    first = clone(model).fit(X, y)
    hit = (first._assignment.shard == first._assignment.shard[0]) & (
        first._assignment.slice == first._assignment.slice[0]
    )
    other = y.copy()
    other[hit] = y[np.random.default_rng(0).permutation(len(y))][hit]
    assert (other != y).any()
    second = clone(model).fit(X, other)
    assert not np.array_equal(output(first, X), output(second, X))
    for fitted in (first, second):
        fitted.unlearn(X[:1])
    assert np.array_equal(output(first, X), output(second, X)), "it is still known"
    assert same(parameters(first), parameters(second))


class SharedHead:
    """What not to do: one head for all stages, which is not switched off."""

    def _without_slices_of(self, positions):
        before, shards = self._shards, super()._without_slices_of(positions)
        for number, shard in enumerate(shards):
            sequences = []
            for was, now in zip(before[number].sequences, shard.sequences, strict=True):
                if len(now) < len(was) and len(now):
                    now = replace(now, blocks=(*now.blocks[:-1], joined(now, was)))
                sequences.append(now)
            shards[number] = replace(shard, sequences=tuple(sequences))
        return shards


def joined(now, was):
    """The adapter of the last block that is left, with the head of the very last."""
    new = replace(now.blocks[-1], parameters=now.blocks[-1].parameters.copy())
    mine, theirs = (
        Layout(new.sizes).views(t)
        for t in map(torch.from_numpy, (new.parameters, was.blocks[-1].parameters))
    )
    for ours, last in zip(mine, theirs, strict=True):
        ours[-1].copy_(last[-1])
    return new


class LeakyClassifier(SharedHead, S3TClassifier):
    pass


class LeakyRegressor(SharedHead, S3TRegressor):
    pass


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_nothing_of_a_slice_is_left(kind):
    model, X, y = rows_of(kind)
    assert_knows_nothing(model, X, y)
    leaky = LeakyClassifier if kind == "classes" else LeakyRegressor
    with pytest.raises(AssertionError, match="still known"):
        assert_knows_nothing(leaky(**SETTINGS), X, y)


def test_values_of_a_slice_are_not_left_either():
    # neither the units of inputs, nor anything else that is made of X
    _, X, y = rows_of("numbers")
    person = np.arange(len(X)) % 40
    model = S3TRegressor(**SETTINGS).fit(X, y, groups=person)
    assignment = model._assignment
    hit = (assignment.shard == assignment.shard[0]) & (
        assignment.slice == assignment.slice[0]
    )
    X_other = np.where(hit[:, None], 1000 + 50 * X[::-1], X)
    other = S3TRegressor(**SETTINGS).fit(X_other, y, groups=person)
    assert not np.array_equal(model.predict(X), other.predict(X))
    for fitted in (model, other):
        fitted.unlearn(groups=[person[0]])
    assert np.array_equal(model.predict(X), other.predict(X))


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_a_lost_shard_is_trained_again(kind):
    model, X, y = rows_of(kind)
    model.set_params(n_sequences=1).fit(X, y)
    assignment = model._assignment
    first = model._shards[1].sequences[0].order[0]
    row = np.flatnonzero((assignment.shard == 1) & (assignment.slice == first))[:1]
    model.unlearn(X[row])
    reference = clone(model).fit(np.delete(X, row, axis=0), np.delete(y, row, axis=0))
    assert same(parameters(model)[1], parameters(reference)[1])
    assert model.prefix_lengths_.tolist() == [3, 3]
    # all rows of a shard may go; the others predict
    gone = np.flatnonzero(np.delete(assignment.shard, row) == 0)
    X, y = np.delete(X, row, axis=0), np.delete(y, row, axis=0)
    model.unlearn(X[gone], y[gone])
    assert model.prefix_lengths_.tolist() == [0, 3]
    assert np.isfinite(output(model, X)).all()


def test_an_assignment_finds_rows_as_a_multiset():
    X = np.array([[1.0], [2.0], [1.0], [3.0], [1.0]])
    assignment = SliceAssignment.assign(X, None, 3, 2, seed=0)
    positions, unknown = assignment.find(np.array([[1.0], [9.0], [1.0], [3.0]]))
    assert positions.tolist() == [2, 3, 4] and unknown.tolist() == [1]
    rest = assignment.without(positions)
    positions, unknown = rest.find(np.array([[3.0], [1.0], [1.0]]))
    assert positions.tolist() == [0] and unknown.tolist() == [0, 2]
    ids = SliceAssignment.assign(X, [1, 2, 1, 3, 2], 3, 2, seed=0)
    assert ids.find_groups([2.0, 7])[0].tolist() == [1, 4]
    assert ids.shard[0] == ids.shard[2] and ids.shard[1] == ids.shard[4]


def test_slices_are_even_and_do_not_depend_on_other_rows():
    X = np.arange(60_000.0)[:, None]
    shard, slices = assign_rows([X], 5, 6, seed=1)
    counts = np.bincount(shard * 6 + slices, minlength=30)
    assert counts.min() > 1800 and counts.max() < 2200
    some = np.arange(0, 60_000, 7)
    again = assign_rows([X[some]], 5, 6, seed=1)
    assert np.array_equal(again[0], shard[some])
    assert np.array_equal(again[1], slices[some])
    assert not np.array_equal(assign_rows([X], 5, 6, seed=2)[0], shard)


@pytest.mark.filterwarnings("ignore::sklearn_unlearn.exceptions.PipelineMemoryWarning")
def test_behind_a_scaler_the_blocks_are_kept():
    model, X, y = rows_of("classes")
    pipe = make_pipeline(StandardScaler(), model).fit(X, y)
    before = parameters(pipe[-1])
    # blocks in the old coordinates of the scaler, which has forgotten
    before_p = pipe.predict_proba(X)
    untouched = pipe[-1]._assignment.shard[0] ^ 1
    pipe.unlearn(X[:1])
    assert same(parameters(pipe[-1])[untouched], before[untouched])
    after = pipe[-1]._shards[untouched].outputs(pipe[0].transform(X))
    plain = make_pipeline(StandardScaler(), clone(model)).fit(X, y)
    before = plain[-1]._shards[untouched].outputs(plain[0].transform(X))
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-9)
    assert before_p.shape == pipe.predict_proba(X).shape
    # until a shard is lost: that is trained in the new ones
    pipe.unlearn(X[1:60])
    assert pipe[-1].prefix_lengths_.min() > 0
    assert any(shard.coordinates is None for shard in pipe[-1]._shards)
    # rows given without their order cannot be told apart by value behind a scaler
    given = make_pipeline(StandardScaler(), clone(model), store_training_data=False)
    given.fit(X, y).unlearn(X[:9], X_retain=X[9:], y_retain=y[9:])
    fresh = make_pipeline(StandardScaler(), clone(model)).fit(X[9:], y[9:])
    np.testing.assert_array_equal(given.predict_proba(X), fresh.predict_proba(X))


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
