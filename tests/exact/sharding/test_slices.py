"""Which slice a row is in, and what a checkpoint of the slices before it needs."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier

from sklearn_unlearn.exact import SISAClassifier
from sklearn_unlearn.utils.estimator_checks import assert_same_state

X, y = load_digits(n_class=4, return_X_y=True)
X, y = X[:300] / 16, y[:300]
MLP = MLPClassifier((12,))


def test_a_checkpoint_needs_the_state_of_the_optimizer():
    model = SISAClassifier(MLP, n_shards=1, n_slices=3, n_epochs=4, random_state=0)
    model.fit(X, y)
    bare = pickle.loads(pickle.dumps(model))
    for checkpoint in bare._shards[0].models:
        del checkpoint._optimizer
    row = np.flatnonzero(model._slice_numbers == 2)[0]  # in the last slice
    full = clone(model).fit(np.delete(X, row, 0), np.delete(y, row))
    assert_same_state(model.unlearn(X[[row]]), full, rtol=0)
    proba = [m.estimators_[0].predict_proba(X) for m in (bare.unlearn(X[[row]]), full)]
    assert np.abs(proba[0] - proba[1]).max() > 1e-3


@pytest.mark.parametrize(("n_epochs", "n_slices"), [(4, 3), (6, 2), (1, 4)])
def test_all_slices_together_read_the_rows_as_often_as_asked(n_epochs, n_slices):
    model = SISAClassifier(
        SGDClassifier(),
        n_shards=1,
        n_slices=n_slices,
        n_epochs=n_epochs,
        random_state=0,
    ).fit(X, y)
    # of one of the two-class problems: one more than the steps it has taken
    n_read = (model._shards[0].models[-1].t_ - 1) / len(X)
    fewest = (n_slices + 1) / 2  # each slice is trained for one epoch at least
    assert n_read == pytest.approx(max(n_epochs, fewest), rel=0.05)


@pytest.mark.parametrize(("n_members", "sizes"), [(9, [3, 6, 9]), (2, [1, 2, 3])])
def test_each_slice_adds_its_share_of_the_members(n_members, sizes):
    forest = RandomForestClassifier(n_members, max_depth=3)
    model = SISAClassifier(forest, n_shards=1, n_slices=3, random_state=0).fit(X, y)
    found = [len(checkpoint) for checkpoint in model._shards[0].models]
    assert found == sizes


def test_only_slices_from_the_first_touched_on():
    model = SISAClassifier(MLP, n_shards=3, n_slices=4, n_epochs=4, random_state=0)
    whole = pickle.dumps(model.fit(X, y))
    for row in (3, 9):
        model = pickle.loads(whole)
        n_read = model.unlearning_cost(X[[row]]).n_read
        slice_numbers = model._slice_numbers
        number, first = divmod(slice_numbers[row], 4)
        sizes = np.bincount(slice_numbers, minlength=12)
        sizes[slice_numbers[row]] -= 1
        seen = sizes[4 * number : 4 * number + 4].cumsum()
        assert n_read == round(2 / 5 * seen[first:].sum())
        before = list(model._shards[number].models)
        model.unlearn(X[[row]])
        after = model._shards[number].models
        assert [a is b for a, b in zip(before, after, strict=True)] == [
            j < first for j in range(4)
        ]


def test_rows_that_are_given_interleaved_differently():
    model = SISAClassifier(SGDClassifier(), n_slices=3, n_epochs=4, random_state=0)
    order = np.delete(np.arange(300), 2)
    slice_numbers = model.fit(X, y)._slice_numbers[order]
    model = clone(model).set_params(store_training_data=False).fit(X, y)
    order = order[np.argsort(slice_numbers, kind="stable")]  # slice by slice
    model.unlearn(X[[2]], X_retain=X[order], y_retain=y[order])
    assert_same_state(model, clone(model).fit(X[order], y[order]), rtol=0)
