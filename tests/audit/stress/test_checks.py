"""Stress tests within an audit: which are run, and what they flag."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from sklearn_unlearn.audit import UnlearningAudit, audit_unlearning
from sklearn_unlearn.exact import ExactUnlearner
from tests.audit.stress._models import NETWORK, ClosedMouth, digits

EVERY = (
    "relearning",
    "probe",
    "masks",
    "sequential",
    "adaptive",
    "recovery",
    "spectrum",
)


@pytest.fixture(scope="module")
def of_retraining():
    X, y, X_test, y_test = digits(n_wrong=25)
    return audit_unlearning(
        NETWORK,
        X,
        y,
        forget=np.arange(len(y)) < 25,
        X_test=X_test,
        y_test=y_test,
        checks=["relearning", "probe", "masks", "sequential"],
        n_repeats=6,
        n_references=12,
        random_state=0,
    )


def test_retraining_stands_all_tests(of_retraining):
    assert of_retraining.verdict != "DETECTABLE" and not of_retraining.flags
    for name in (
        "relearning",
        "relearning the same rows",
        "relearning from retained rows",
        "probe of the last hidden layer",
        "largest signal over masks",
    ):
        assert of_retraining[name, "forget"].pvalue > 0.01
        assert of_retraining[name, "forget"].is_like_retrained
    gap = of_retraining["batch gap of requests in turn", "retain"]
    assert gap.retrained > 0
    assert of_retraining["loss after requests in turn", "retain"].is_like_retrained
    assert len(of_retraining.curves["loss over requests in turn"]["unlearned"]) == 6
    assert of_retraining.setup["checks"] == list(EVERY[:4])
    text = of_retraining.to_json()
    assert UnlearningAudit.from_json(text).to_json() == text


def test_a_closed_mouth_is_flagged():
    """All answers are those of retrained models; the probe alone tells them apart."""
    X, y, X_test, y_test = digits()
    found = audit_unlearning(
        ClosedMouth(NETWORK),
        X,
        y,
        forget=y == 8,
        X_test=X_test,
        y_test=y_test,
        checks=["probe"],
        n_repeats=6,
        n_references=12,
        random_state=0,
    )
    assert found["accuracy", "forget"].value == 0
    assert found["accuracy", "forget"].retrained == 0
    assert found.verdict == "NOT DETECTED"
    assert "the same answers" in found.reasons[0]
    probe = found["probe of the last hidden layer", "forget"]
    assert probe.pvalue < 0.01 and probe.value > probe.retrained
    assert "SUPPRESSED" in found.flags
    assert any("probe" in reason for reason in found.reasons)


def test_learners_without_randomness_have_the_tests_of_the_procedure():
    X, y = load_iris(return_X_y=True)
    found = audit_unlearning(
        ExactUnlearner(GaussianNB()),
        X[::2],
        y[::2],
        forget=np.arange(75) % 5 == 0,
        X_test=X[1::2],
        y_test=y[1::2],
        checks="extended",
        random_state=0,
    )
    assert found.verdict == "EQUAL" and not found.flags
    for label in ("requests in turn", "adaptive requests"):
        assert found[f"batch gap of {label}", "retain"].value < 1e-8
    assert found["recovery", "test"].value == pytest.approx(1)
    assert found.curves["difficulty"]["verdict"] == ["EQUAL"] * 4
    assert found.setup["checks"] == list(EVERY)
    assert any("Single models" in limit for limit in found.limits)


def test_what_cannot_be_tested_is_said():
    X, y = load_iris(return_X_y=True)
    found = audit_unlearning(
        ExactUnlearner(GaussianNB()),
        X,
        y,
        forget=np.arange(150) < 4,
        checks=["sequential", "recovery"],
        random_state=0,
    )
    limits = " ".join(found.limits)
    assert "too few rows to ask for" in limits and "needs test rows" in limits


@pytest.mark.parametrize("checks", ["many", ["probe", "prob"], ["minimal"]])
def test_a_wrong_name_is_refused_with_the_list(checks):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"checks must be .*relearning, probe, masks"):
        audit_unlearning(
            ExactUnlearner(GaussianNB()), X, y, forget=y == 0, checks=checks
        )
