"""Ensembles of sequences of slices: what they keep, drop and train again."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_digits, make_friedman1
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from threadpoolctl import threadpool_limits

from sklearn_unlearn._engine.mlp._mlp import Layout
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.neural_network import S3TClassifier, S3TRegressor
from sklearn_unlearn.neural_network.s3t._block import BlockSettings
from sklearn_unlearn.neural_network.s3t._heads import ClassHeads, NumberHeads
from sklearn_unlearn.neural_network.s3t._random_features import RandomFeatures
from sklearn_unlearn.neural_network.s3t._shard import ShardTrainer
from sklearn_unlearn.neural_network.s3t._slice_assignment import SliceAssignment
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.rows._assignment import assign_rows
from sklearn_unlearn.utils._state import state_differences

SETTINGS = {"n_shards": 2, "n_slices": 3, "n_components": 24, "rank": 4}
SETTINGS |= {"n_epochs": 4, "learning_rate_init": 0.01, "random_state": 3}


def rows_of(kind, n_rows=180):
    """Return a small ensemble, unfitted, and rows for it."""
    X, y = make_friedman1(n_rows, n_features=6, noise=0.1, random_state=0)
    X = X * [1.0, 1e4, 1e-3, 1.0, 1.0, 1.0]  # units must not matter
    if kind == "numbers":
        return S3TRegressor(**SETTINGS), X, y
    return S3TClassifier(**SETTINGS), X, np.digitize(y, [11.0, 17.0])


def output(model, X):
    return getattr(model, "predict_proba", model.predict)(X)


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
def test_refresh_is_a_fit_on_the_retained_rows(kind):
    model, X, y = rows_of(kind)
    model.fit(X, y).unlearn(X[:4]).unlearn(X[60:62])
    keep = np.delete(np.arange(len(X)), [0, 1, 2, 3, 60, 61])
    reference = clone(model).fit(X[keep], y[keep])
    assert state_differences(model, reference), "there is something to refresh"
    assert state_differences(model.refresh(), reference, rtol=0) == []
    assert model.n_forgotten_ == 6


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


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_same_bytes_serial_in_threads_and_in_processes(kind):
    model, X, y = rows_of(kind)
    written = []
    for backend, n_jobs in (("sequential", 1), ("threading", 2), ("loky", 2)):
        with parallel_config(backend, n_jobs=n_jobs):
            fitted = clone(model).fit(X, y, forget=np.arange(len(X)) < 2)
        fitted.unlearning_log_ = []
        written.append(parameters(fitted))
    assert same(written[0], written[1])
    assert same(written[0], written[2])


# ------------------------------------------------------------- without rows, groups


def test_without_rows():
    model, X, y = rows_of("classes")
    X = X.astype(np.float32)
    bare = clone(model).set_params(store_training_data=False).fit(X, y)
    model.fit(X, y)
    assert not get_tags(bare).unlearner_tags.requires_retain
    assert X[5].tobytes() not in pickle.dumps(bare)
    for some in ([0, 1], [90]):
        model.unlearn(X[some]), bare.unlearn(X[some].astype(np.float64))
        if model.prefix_lengths_.tolist() == bare.prefix_lengths_.tolist():
            assert np.array_equal(model.predict_proba(X), bare.predict_proba(X))
    assert bare.n_forgotten_ == 3
    with pytest.raises(UnknownRowsError, match=r"1 of 2 rows .* positions \[1\]"):
        bare.unlearn(X[[7, 0]])
    with pytest.raises(UnknownRowsError, match="1 of 2 rows"):
        bare.unlearn(X[[7, 7]])
    assert bare.n_forgotten_ == 3
    bare.unlearn(X[[7, 0]], on_unknown="ignore")
    assert bare.n_forgotten_ == 4
    rest = np.setdiff1d(np.arange(len(X)), [0, 1, 7, 90])
    with pytest.raises(ValueError, match=r"leave no shard.*X_retain"):
        bare.unlearn(X[rest])
    some, rest = rest[:80], rest[80:]
    bare.unlearn(X[some], X_retain=X[rest], y_retain=y[rest])
    assert np.isfinite(bare.predict_proba(X)).all()
    with pytest.raises(ValueError, match="keeps no rows"):
        bare.refresh()
    with pytest.raises(ValueError, match="only be forgotten if fit was given"):
        bare.unlearn(groups=[1])


def test_groups_share_a_slice_and_go_without_rows():
    _, X, y = rows_of("numbers")
    person = np.array([f"person {i}" for i in np.arange(len(X)) % 30])
    kept = S3TRegressor(**SETTINGS).fit(X, y, groups=person)
    bare = S3TRegressor(**SETTINGS, store_training_data=False)
    bare.fit(X, y, groups=person)
    cells = kept._assignment.shard * 3 + kept._assignment.slice
    assert all(len(set(cells[person == who])) == 1 for who in np.unique(person))
    assert len(set(cells)) == 6
    for model in (kept, bare):
        model.unlearn(groups=["person 3"])
        assert model.n_forgotten_ == 6
    assert np.array_equal(kept.predict(X), bare.predict(X))
    with pytest.raises(UnknownRowsError, match="1 of 1 ids"):
        bare.unlearn(groups=["person 3"])
    with pytest.raises(ValueError, match="Leave X_retain and y_retain out"):
        bare.unlearn(X[:1], X_retain=X[1:174], y_retain=y[1:174])


def test_given_rows_are_the_training_set():
    model, X, y = rows_of("numbers")
    order = np.random.default_rng(0).permutation(np.arange(1, len(X)))
    asked = clone(model).fit(X, y).unlearn(X[:1])
    given = clone(model).fit(X, y)
    given.unlearn(X[:1], X_retain=X[order], y_retain=y[order])
    assert same(parameters(asked), parameters(given))
    # and the next request finds them in their new order
    assert same(
        parameters(asked.unlearn(X[100:101])), parameters(given.unlearn(X[100:101]))
    )
    # rows that were never fitted: the model of the retained ones
    new = np.vstack([X[1:90] + 0.5, X[90:]])
    given = clone(model).fit(X, y).unlearn(X[:1], X_retain=new, y_retain=y[1:])
    assert same(parameters(given), parameters(clone(model).fit(new, y[1:])))


def test_labels_that_fit_has_not_seen():
    model, X, y = rows_of("classes")
    bare = model.set_params(store_training_data=False).fit(X, y)
    labels = y.copy()
    labels[50] = 9
    everything = np.arange(len(X)) < 120
    with pytest.raises(ValueError, match=r"labels that fit has not seen: \[9\]"):
        bare.unlearn(
            X[~everything], X_retain=X[everything], y_retain=labels[everything]
        )


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


# -------------------------------------------------------------------- in a pipeline


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
    given = make_pipeline(StandardScaler(), clone(model)).fit(X, y)
    given.unlearn(X[:9], X_retain=X[9:], y_retain=y[9:])
    fresh = make_pipeline(StandardScaler(), clone(model)).fit(X[9:], y[9:])
    np.testing.assert_array_equal(given.predict_proba(X), fresh.predict_proba(X))


def test_export_forgets_how_to_forget():
    model, X, y = rows_of("numbers")
    exported = model.fit(X, y).unlearn(X[:1]).export()
    assert np.array_equal(exported.predict(X), model.predict(X))
    assert len(pickle.dumps(exported)) < len(pickle.dumps(model)) / 1.5
    for request in ({"X_forget": X[1:2]}, {"groups": [1]}):
        with pytest.raises(ValueError, match="exported copy"):
            exported.unlearn(**request)


def test_a_fit_that_fails_changes_nothing():
    model, X, y = rows_of("numbers")
    model.fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="groups"):
        model.fit(X[:50], y[:50], groups=[1, 2])
    assert np.array_equal(model.predict(X), before)
    assert model.unlearn(X[:1]).n_forgotten_ == 1


# ------------------------------------------------------------------------- quality


def test_a_class_that_a_sequence_has_not_seen_has_probability_zero():
    model, X, y = rows_of("classes")
    model.fit(X, y)
    model.unlearn(X[y == 2], y[y == 2])
    assert model.classes_.tolist() == [0, 1, 2]
    # all slices were hit, so all shards were trained again
    assert not model.predict_proba(X)[:, 2].any()


@pytest.mark.parametrize("n_rows", [1, 2, 7])
def test_fewer_rows_than_slices(n_rows):
    _, X, y = rows_of("numbers")
    model = S3TRegressor(**SETTINGS).fit(X[:n_rows], y[:n_rows])
    assert np.isfinite(model.predict(X)).all()
    one = S3TRegressor(n_shards=1, n_slices=1, random_state=0).fit(X[:1], [4e5])
    np.testing.assert_allclose(one.predict(X[:1]), 4e5, rtol=0.05)


def test_units_of_the_target_do_not_matter():
    model, X, y = rows_of("numbers")
    plain = clone(model).fit(X, y).predict(X)
    scaled = clone(model).fit(X, 1e6 + 1e3 * y).predict(X)
    np.testing.assert_allclose((scaled - 1e6) / 1e3, plain, rtol=1e-3)
    two = clone(model).fit(X, np.column_stack([y, -y])).predict(X)
    assert two.shape == (len(X), 2)


def test_inputs_may_be_features_already():
    model, X, y = rows_of("numbers")
    bare = clone(model).set_params(n_components=0, n_epochs=20).fit(X, y)
    assert bare.score(X, y) > 0.5


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_digits_before_and_after_requests():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    with threadpool_limits(1):
        mlp = MLPClassifier(random_state=0, max_iter=60).fit(X / 16, y)
        models = [
            S3TClassifier(n_sequences=b, n_epochs=5, random_state=0).fit(X, y)
            for b in (1, 4)
        ]
    for model in models:
        assert model.score(X_test, y_test) > mlp.score(X_test / 16, y_test) - 0.03
    for row in X[:6]:
        for model in models:
            model.unlearn(row[None])
    one, four = models
    assert four.prefix_lengths_.sum() > one.prefix_lengths_.sum()
    assert four.score(X_test, y_test) > 0.9
