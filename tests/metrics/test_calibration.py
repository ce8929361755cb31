"""Calibration beside that of retrained models, and what calibrated models get."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from sklearn_unlearn.metrics import (
    calibration_shift,
    expected_calibration_error,
    noise_precision_gap,
)


def draw(n_rows=50, n_models=6, seed=0):
    rng = np.random.default_rng(seed)
    proba = softmax(2 * rng.normal(size=(n_models, n_rows, 3)), axis=-1)
    return proba, rng.integers(3, size=n_rows)


def test_losses():
    proba, y = draw()
    found = calibration_shift(y, proba[0], proba[1:])
    assert found["log_loss"].value == pytest.approx(log_loss(y, proba[0]))
    losses = [log_loss(y, p) for p in proba[1:]]
    assert found["log_loss"].retrained == pytest.approx(np.mean(losses))
    squares = ((proba[0] - np.eye(3)[y]) ** 2).sum(axis=1).mean()
    assert found["brier_score_loss"].value == pytest.approx(squares)
    assert {gap.gap for gap in calibration_shift(y, proba[0], proba[0]).values()} == {0}
    two = softmax(proba[:, :, :2], axis=-1)
    found = calibration_shift(y > 0, two[0], two[1:], labels=[False, True])
    squares = 2 * ((two[0][:, 1] - (y > 0)) ** 2).mean()
    assert found["brier_score_loss"].value == pytest.approx(squares)


def test_classes_that_do_not_occur_and_other_names():
    proba, y = draw()
    y[:] = 1
    expected = calibration_shift(y, proba[0], proba[1:])
    order, names = [2, 0, 1], np.array(["c", "x", "a"])
    rows = np.random.default_rng(0).permutation(50)
    found = calibration_shift(
        names[y][rows],
        proba[0][rows][:, order],
        proba[1:, rows][..., order],
        labels=names[order],
    )
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name])


@pytest.mark.parametrize(("n", "expected"), [(50, 0.120), (200, 0.058), (1000, 0.027)])
def test_null_of_calibrated_models(n, expected):
    pytest.importorskip("mapie")
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1, size=n)
    y = (rng.random(n) < p).astype(int)
    value, null = expected_calibration_error(
        y, np.column_stack([1 - p, p]), return_null=True, random_state=0
    )
    assert null.shape == (199,)
    # half as many bins are in use as in the published trial, so it is smaller
    assert 0.4 * expected < null.mean() < 1.3 * expected
    assert null.min() * 0.5 < value < null.max() * 1.5
    sharp = np.column_stack([1 - p**0.2, p**0.2])
    value, null = expected_calibration_error(y, sharp, return_null=True, random_state=0)
    assert value > np.quantile(null, 0.95)


def test_error_is_that_of_bins():
    pytest.importorskip("mapie")
    proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    found = expected_calibration_error([0, 1, 1, 1], proba, n_bins=5)
    assert found == pytest.approx(0.5 * (0.9 - 0.5) + 0.5 * (1 - 0.6))
    names = expected_calibration_error(
        ["a", "b", "b", "b"], proba, n_bins=5, labels=["a", "b"]
    )
    assert names == found


def test_noise_precision():
    rng = np.random.default_rng(0)
    y = rng.normal(scale=0.5, size=4000)
    assert noise_precision_gap(y, 0 * y, precision=4.0) == pytest.approx(0, abs=0.1)
    assert noise_precision_gap(y, 0 * y, precision=8.0) == pytest.approx(
        np.log(2), abs=0.1
    )
    assert noise_precision_gap([1.0], [1.0], precision=1.0) == -np.inf


def test_what_is_refused():
    proba, y = draw()
    bad = proba.copy()
    bad[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="Input proba_unlearned contains NaN"):
        calibration_shift(y, bad[0], proba[1:])
    with pytest.raises(ValueError, match="Input proba_retrained contains NaN"):
        calibration_shift(y, proba[0], bad)
    with pytest.raises(ValueError, match="proba_retrained must have shape"):
        calibration_shift(y, proba[0], proba[1:, :, :2])
    with pytest.raises(ValueError, match="Input y_pred contains NaN"):
        noise_precision_gap([1.0], [np.nan], precision=1.0)
    with pytest.raises(ValueError, match="precision"):
        noise_precision_gap([1.0], [1.0], precision=0.0)
