"""Signals of rows: closed forms, and no digits lost where a model is sure."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from scipy.special import expit, logit, softmax

from sklearn_unlearn.metrics import (
    margin_of_label,
    membership_signals,
    modified_entropy,
    residual_signal,
)


def draw(n_rows=20, n_classes=4, seed=0):
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n_rows, n_classes))
    return logits, rng.integers(n_classes, size=n_rows)


def test_margin_is_the_logit_of_two_classes():
    p = np.linspace(0.01, 0.99, 30)
    margins = margin_of_label(np.column_stack([1 - p, p]), np.ones(30, dtype=int))
    np.testing.assert_allclose(margins, logit(p))
    np.testing.assert_allclose(expit(margins), p)


def test_probabilities_and_logits_say_the_same():
    logits, y = draw()
    proba = softmax(logits, axis=1)
    own = proba[np.arange(20), y]
    expected = np.log(own) - np.log(1 - own)
    for values, is_log in ((proba, False), (np.log(proba), True), (logits + 7, True)):
        found = margin_of_label(values, y, log_proba=is_log)
        np.testing.assert_allclose(found, expected)
        np.testing.assert_allclose(
            modified_entropy(values, y, log_proba=is_log),
            -(1 - own) * np.log(own)
            - (proba * np.log1p(-proba)).sum(axis=1)
            + own * np.log1p(-own),
        )


def saturating(log_proba, y):
    """A wrong margin: it takes the others from 1 - p."""
    own = np.exp(log_proba[np.arange(len(y)), y])
    with np.errstate(divide="ignore"):
        return np.clip(np.log(own) - np.log(1 - own), -100, 100)


def test_margins_do_not_saturate():
    logits = np.column_stack([np.arange(36.0, 90.0), np.zeros(54), np.zeros(54)])
    y = np.zeros(54, dtype=int)
    logs = np.log(softmax(logits, axis=1))
    # the logarithm of the largest is 0 in all of these; the others tell
    assert len(np.unique(margin_of_label(logits, y, log_proba=True))) == 54
    assert len(np.unique(margin_of_label(logs, y, log_proba=True).round(6))) == 54
    assert len(np.unique(saturating(logs, y))) < 10


def test_sure_rows_are_finite():
    proba = [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
    np.testing.assert_array_equal(margin_of_label(proba, [0, 0, 0]), [100, -100, 0])
    with np.errstate(divide="ignore"):
        logs = np.log(proba)
    for signal in (
        modified_entropy(proba, [0, 0, 0]),
        *membership_signals(proba, [0, 0, 0]).values(),
        *membership_signals(logs, [0, 0, 0], log_proba=True).values(),
    ):
        assert np.isfinite(signal).all()
    np.testing.assert_allclose(modified_entropy(proba, [0, 0, 0])[:2], [0, 200])


def test_modified_entropy_of_known_rows():
    found = modified_entropy([[0.98, 0.01, 0.01]] * 2, [0, 1])
    np.testing.assert_allclose(found, [0.0006, 8.39], atol=0.005)
    assert found[0] < 0.001


def test_signals():
    logits, y = draw()
    proba = softmax(logits, axis=1)
    found = membership_signals(proba, y)
    own = proba[np.arange(20), y]
    np.testing.assert_allclose(found["neg_loss"], np.log(own))
    np.testing.assert_allclose(found["confidence"], proba.max(axis=1))
    np.testing.assert_allclose(
        found["neg_entropy"], (proba * np.log(proba)).sum(axis=1)
    )
    np.testing.assert_array_equal(found["correctness"], proba.argmax(axis=1) == y)
    np.testing.assert_allclose(found["margin"], margin_of_label(proba, y))
    np.testing.assert_allclose(
        found["neg_modified_entropy"], -modified_entropy(proba, y)
    )


@pytest.mark.parametrize("function", [margin_of_label, modified_entropy])
def test_several_models_and_named_labels(function):
    logits, y = draw()
    stack = softmax(np.stack([logits, logits[:, ::-1]]), axis=-1)
    found = function(stack, y)
    assert found.shape == (2, 20)
    np.testing.assert_allclose(found[1], function(stack[1], y))
    # other names, and other columns, are the same models
    names, order = np.array(["d", "a", "c", "b"]), [2, 0, 3, 1]
    renamed = function(stack[..., order], names[y], labels=names[order])
    np.testing.assert_allclose(renamed, found)


def test_residual_signal():
    found = residual_signal([1.0, 2.0], [[1.0, 2.0], [3.0, 1.0]], scale=[2.0, 0.5])
    np.testing.assert_allclose(found, [[0, 0], [-0.5, -2]])
    assert residual_signal([1.0], [1.0], 1.0).shape == (1,)
    with pytest.raises(ValueError, match="scale must be a positive number"):
        residual_signal([1.0], [1.0], 0.0)


@pytest.mark.parametrize(
    ("proba", "y", "options", "message"),
    [
        ([[np.nan, 1.0]], [0], {}, "Input proba contains NaN"),
        ([[np.nan, 1.0]], [0], {"log_proba": True}, "must not have NaN"),
        ([[-np.inf, -np.inf]], [0], {"log_proba": True}, "rows of -inf alone"),
        ([[2.0, -1.0]], [0], {}, "proba must hold probabilities"),
        ([[0.5, 0.4]], [0], {}, "proba must hold probabilities"),
        ([0.5, 0.5], [0, 1], {}, "proba must have shape"),
        ([[1.0]], [0], {}, "at least two classes"),
        ([[0.5, 0.5]], [2], {}, "y has labels that no column is for"),
        ([[0.5, 0.5]], ["a"], {}, "pass labels=model.classes_"),
        ([[0.5, 0.5]], [0, 1], {}, r"y must have shape \(1,\)"),
        ([[0.5, 0.5]], [0], {"labels": [0, 1, 2]}, r"labels must have shape \(2,\)"),
    ],
)
def test_what_is_refused(proba, y, options, message):
    for function in (margin_of_label, modified_entropy, membership_signals):
        with pytest.raises(ValueError, match=message):
            function(proba, y, **options)
