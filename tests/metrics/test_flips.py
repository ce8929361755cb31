"""Rows made worse: by how much more than retraining does."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest

from sklearn_unlearn.metrics import negative_flip_error, over_forgetting_error


def draw(seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=60)
    return y, np.where(rng.random((5, 60)) < 0.7, y, rng.integers(3, size=(5, 60)))


def test_flips_of_a_constant_are_known():
    y, (original, *_) = draw()
    right = original == y
    expected = right.mean() - (right & (y == 2)).mean()
    constant = np.full(60, 2)
    np.testing.assert_allclose(negative_flip_error(y, original, constant), expected)


def test_excess_over_retrained_models():
    y, models = draw()
    original, unlearned, retrained = models[0], models[1], models[2:]
    raw = [negative_flip_error(y, original, m) for m in (unlearned, *retrained)]
    excess = negative_flip_error(y, original, unlearned, retrained)
    np.testing.assert_allclose(excess, raw[0] - np.mean(raw[1:]))
    assert negative_flip_error(y, original, unlearned, unlearned) == 0
    assert negative_flip_error(y, original, original) == 0
    rows = negative_flip_error(y, original, unlearned, retrained, average=None)
    weight = np.arange(60)
    np.testing.assert_allclose(
        negative_flip_error(y, original, unlearned, retrained, sample_weight=weight),
        np.average(rows, weights=weight),
    )
    names, order = np.array(["x", "a", "k"]), np.random.default_rng(1).permutation(60)
    renamed = negative_flip_error(
        names[y][order],
        names[original][order],
        names[unlearned][order],
        names[retrained[:, order]],
    )
    np.testing.assert_allclose(renamed, excess)


def test_flips_of_numbers():
    y, original = [0.0, 0.0, 0.0], [0.1, 0.1, 2.0]
    unlearned = [0.15, -0.5, 1.0]
    found = negative_flip_error(y, original, unlearned, tolerance=0.1, average=None)
    np.testing.assert_array_equal(found, [0, 1, 0])
    found = negative_flip_error(
        y, original, unlearned, [original, unlearned], tolerance=0
    )
    np.testing.assert_allclose(found, 2 / 3 - 1 / 3)


def test_over_forgetting_looks_at_the_neighbours_alone():
    X = np.array([[0.0], [1.0], [2.0], [50.0], [51.0], [52.0]])
    y = np.array([0, 1, 0, 1, 0, 1])
    near, far = y.copy(), y.copy()
    near[:2], far[3:5] = 1 - near[:2], 1 - far[3:5]
    arguments = {"X_forget": [[0.4], [0.6]], "n_neighbors": 3}
    assert over_forgetting_error(X, y, near, y, **arguments) == pytest.approx(2 / 3)
    assert over_forgetting_error(X, y, far, y, **arguments) == 0
    assert over_forgetting_error(X, y, near, near, **arguments) == 0
    several = over_forgetting_error(X, y, near, [y, near], **arguments)
    assert several == pytest.approx(1 / 3)
    numbers = over_forgetting_error(
        X, y, y + 0.5, [y + 0.0, y + 0.2], loss="absolute_error", **arguments
    )
    assert numbers == pytest.approx(0.4)


def test_what_is_refused():
    y, models = draw()
    with pytest.raises(ValueError, match="pred_unlearned must have shape"):
        negative_flip_error(y, models[0], models[1][1:])
    with pytest.raises(ValueError, match="Input pred_unlearned contains NaN"):
        negative_flip_error([1.0], [1.0], [np.nan], tolerance=0.0)
    with pytest.raises(ValueError, match="Input pred_original contains NaN"):
        negative_flip_error([1.0], [np.nan], [1.0])
    with pytest.raises(ValueError, match="Input X_forget contains NaN"):
        over_forgetting_error([[1.0]], [0], [0], [0], [[np.nan]])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        over_forgetting_error([[1.0], [2.0]], [0], [0], [0], [[1.0]])
