"""Requests in turn: exact methods keep their promise, and collapse is noticed."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_regression
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB

from sklearn_unlearn.audit.stress import (
    batch_gap_error,
    collapse_alarm,
    sequential_unlearning,
)
from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.model_selection import RequestStream
from sklearn_unlearn.unlearning import FineTune
from tests.audit.stress._models import NETWORK, Nothing, WearsOut, digits


@pytest.mark.parametrize("kind", ["random", "bursts", "adaptive", "person"])
def test_exact_methods_do_not_care_about_the_order(kind):
    X, y = make_regression(120, 6, noise=2.0, random_state=0)
    groups = {"groups": np.arange(120) // 6} if kind == "person" else {}
    found = sequential_unlearning(
        ExactUnlearner(Ridge()),
        X,
        y,
        RequestStream(kind, 6, 5, 0),
        random_state=0,
        **groups,
    )
    assert found.batch_gap < 1e-8 and found.batch_gap_retrained == 0
    assert found.first_alarm is None
    rows = np.concatenate(found.requests)
    assert len(found.requests) == 6 and len(np.unique(rows)) == len(rows)
    for name, values in found.retrained.items():
        assert found.values[name][1:] == pytest.approx(values[0, 1:], abs=1e-8)
    assert found.values["weight step"][1:].min() > 0
    assert found.to_frame().shape[0] == 7


def test_adaptive_requests_look_at_the_model():
    X, y, *_ = digits()
    found = sequential_unlearning(
        ExactUnlearner(GaussianNB()),
        X,
        y,
        RequestStream("adaptive", 2, 10, 0),
        askable=np.arange(len(y)) < 100,
        random_state=0,
    )
    model = GaussianNB().fit(X, y)
    own = model.predict_proba(X[:100])[np.arange(100), y[:100]]
    assert own[found.requests[0]].min() >= np.sort(own)[-10]
    rest = np.delete(np.arange(len(y)), found.requests[0])
    after = GaussianNB().fit(X[rest], y[rest]).predict_proba(X[:100])
    after = after[np.arange(100), y[:100]]
    after[found.requests[0]] = -1
    assert after[found.requests[1]].min() >= np.sort(after)[-10] - 1e-9


def test_batch_gap_sees_what_depends_on_the_order():
    X, y, *_ = digits()
    requests = [np.arange(len(y)) // 10 == k for k in range(3)]
    model = WearsOut(GaussianNB(var_smoothing=0.1)).fit(X, y)
    before = model.predict_proba(X)
    assert batch_gap_error(model, X, y, requests) > 0.01
    assert (model.predict_proba(X) == before).all() and model.n_forgotten_ == 0
    assert batch_gap_error(model, X, y, requests[:1]) == 0
    with pytest.raises(ValueError, match="no row twice"):
        batch_gap_error(model, X, y, [requests[0], requests[0]])
    with pytest.raises(ValueError, match="at least one mask"):
        batch_gap_error(model, X, y, [])


def test_a_model_that_wears_out_raises_the_alarm_and_others_do_not():
    X, y, X_test, y_test = digits()
    small = clone(NETWORK).set_params(hidden_layer_sizes=(16,), mc_samples=3)

    def run(unlearner, n_requests=3):
        return sequential_unlearning(
            unlearner,
            X,
            y,
            RequestStream("random", n_requests, 8, 0),
            X_test=X_test,
            y_test=y_test,
            n_references=3,
            random_state=0,
        )

    worn = run(WearsOut(small))
    assert worn.alarms["largest logit"].request in (2, 3)
    assert worn.alarms["loss"].request in (2, 3)
    quiet = run(Retrain(small))
    assert quiet.first_alarm is None and quiet.alarms["rate sensitivity"] is None
    assert quiet.values["score"][-1] > 0.7
    gentle = run(FineTune(small, n_epochs=1))
    assert gentle.first_alarm is None
    assert np.isfinite(gentle.values["rate sensitivity"]).all()
    # far beyond the edge, the learning rate is what matters
    steep = FineTune(
        small, n_epochs=4, learning_rate_init=0.4, max_retain_increase=np.inf
    )
    assert run(steep, n_requests=1).first_alarm == 1


def test_sums_of_the_alarm_by_hand():
    """Changes of retrained models of variance 1/2 among themselves at each request."""
    retrained = np.array([[1.0, 1.5, 1.5], [1.0, 1.0, 1.0], [1.0, 0.5, 0.5]])
    spread = 0.5 * np.sqrt(4 / 3)
    found = collapse_alarm([1.0, 3.0, 5.0], retrained)
    first = 2.0 / spread - 0.5
    assert found.sums == pytest.approx([0, first, first + 4.0 / spread - 0.5])
    # the first of them, beside the other two, has changes of 3/4
    assert found.limit == pytest.approx(5 + 2 * (0.75 / (0.5 * np.sqrt(1.5)) - 0.5))
    assert found.request == 2
    better = collapse_alarm([1.0, -3.0, -5.0], retrained)
    assert (better.sums == 0).all() and better.request is None
    assert collapse_alarm([1.0, 3.0, 5.0], retrained, threshold=20.0).request is None
    # one retrained sequence that drifts raises the limit for all
    drifting = np.vstack([np.ones((9, 40)), 1 + 0.2 * np.arange(40)])
    assert collapse_alarm(drifting[-1], drifting).sums[-1] > 5
    assert collapse_alarm(drifting[-1], drifting).request is None


def test_false_alarms_are_rare():
    rng = np.random.RandomState(0)
    noise = 1 + 0.1 * rng.randn(400, 6, 8)
    raised = [collapse_alarm(own[0], own[1:]).request is not None for own in noise]
    assert np.mean(raised) < 0.06  # about .02
    worse = noise + np.r_[0, np.linspace(0.2, 1, 7)] * (np.arange(6) == 0)[:, None]
    found = [collapse_alarm(own[0], own[1:]).request is not None for own in worse]
    assert np.mean(found) > 0.9


def test_bad_input_gets_one_sentence():
    X, y, *_ = digits()
    model = ExactUnlearner(GaussianNB())
    with pytest.raises(ValueError, match="askable must be a boolean mask"):
        sequential_unlearning(model, X, y, askable=np.ones(3, bool))
    with pytest.raises(ValueError, match="y_test"):
        sequential_unlearning(model, X, y, X_test=X)
    with pytest.raises(ValueError, match="n_references"):
        sequential_unlearning(model, X, y, n_references=1)
    with pytest.raises(ValueError, match="values must have shape"):
        collapse_alarm([0.0, 1.0], np.zeros((3, 3)))
    doing_nothing = sequential_unlearning(
        Nothing(GaussianNB()), X, y, RequestStream("random", 2, 30, 0), random_state=0
    )
    assert doing_nothing.values["weight step"][1] == pytest.approx(0, abs=1e-12) or (
        np.isnan(doing_nothing.values["weight step"][1])
    )
