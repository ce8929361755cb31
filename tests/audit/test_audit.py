"""The verdict of an audit, on unlearners of which it is known what they do."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_digits, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.audit import (
    ReferenceEnsemble,
    UnlearningAudit,
    audit_unlearning,
    compare,
)
from sklearn_unlearn.base import BaseUnlearner, UnlearnerTags
from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NPO

N_TRAIN, N_FORGET = 400, 40


class Nothing(BaseUnlearner):
    """Removes the rows from what it keeps, and leaves the model as it is."""

    def _unlearner_tags(self):
        return UnlearnerTags(guarantee="approximate")

    def _unlearn_rows(self, request):
        pass


class Filter(Nothing):
    """Answers for the forgotten rows as a model without them would, and no others."""

    def _unlearn_rows(self, request):
        rows, self._former = request.retain, self.estimator_
        self._rows_hidden = np.array(request.forget.X)
        self._fit_again(rows.X, rows.y, {**rows.params, **self._fit_params})

    def predict_proba(self, X):
        found = self.estimator_.predict_proba(X)
        if not hasattr(self, "_former"):
            return found
        hidden = (np.asarray(X)[:, None] == self._rows_hidden).all(axis=2).any(axis=1)
        return np.where(hidden[:, None], found, self._former.predict_proba(X))


class Constant(Nothing):
    """Answers the same for all rows once it has forgotten some."""

    def _unlearn_rows(self, request):
        self._forgot = True

    def predict_proba(self, X):
        found = self.estimator_.predict_proba(X)
        return np.full_like(found, 0.1) if hasattr(self, "_forgot") else found


@pytest.fixture(scope="module")
def digits():
    """Digits of which the first labels are wrong, and others."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    y[:N_FORGET] = (y[:N_FORGET] + 1) % 10
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:600], y[N_TRAIN:600]


FORGET = np.arange(N_TRAIN) < N_FORGET
NETWORK = DropoutClassifier(
    (32,), max_iter=60, n_iter_no_change=60, learning_rate_init=0.01, mc_samples=10
)


def audit(unlearner, digits, forget=FORGET, **params):
    X, y, X_test, y_test = digits
    return audit_unlearning(
        unlearner,
        X,
        y,
        forget=forget,
        X_test=X_test,
        y_test=y_test,
        **({"random_state": 0} | params),
    )


@pytest.fixture(scope="module")
def of_nothing(digits):
    return audit(Nothing(NETWORK), digits)


def test_doing_nothing_is_detected(of_nothing):
    assert of_nothing.verdict == "DETECTABLE"
    assert of_nothing.area[1] > 0.9
    assert of_nothing["accuracy", "forget"].value > 0.2
    assert of_nothing["accuracy", "forget"].retrained < 0.1
    assert of_nothing["AUC", "pair"].original == pytest.approx(of_nothing.area[0])


def test_retraining_is_not_detected(digits):
    found = audit(Retrain(NETWORK), digits, n_repeats=16, random_state=1)
    assert found.verdict == "NOT DETECTED" and not found.flags
    assert found.area[0] < 0.6 and found.area[2] < 0.65
    assert "16 unlearned and 19 retrained" in found.headline
    assert found.setup["has_placebo"] is False


class RetrainLonger(Nothing):
    """Fits again on the retained rows, and trains on."""

    def _unlearn_rows(self, request):
        rows = request.retain
        self._fit_again(rows.X, rows.y, {**rows.params, **self._fit_params})
        for _ in range(20):
            self.estimator_.partial_fit(rows.X, rows.y)


def test_what_the_procedure_itself_leaves_is_no_memory(digits):
    found = audit(RetrainLonger(NETWORK), digits)
    assert found.verdict == "DIFFERENT, NOT SHOWN TO REMEMBER"
    assert found["AUC against placebos", "pair"].pvalue > 0.05


def test_redundant_rows_leave_nothing_to_detect(digits):
    X, y, _X_test, _y_test = digits
    sure = Nothing(NETWORK).set_params(estimator__random_state=0).fit(X, y)
    own = sure.predict_proba(X)[np.arange(N_TRAIN), y]
    forget = np.zeros(N_TRAIN, dtype=bool)
    forget[np.argsort(own)[-40:]] = True
    found = audit(Nothing(NETWORK), digits, forget)
    assert found.verdict == "INCONCLUSIVE"
    assert "nothing to detect" in found.reasons[0]


def test_a_filter_of_rows_is_seen_through(digits):
    found = audit(Filter(NETWORK), digits, n_repeats=16, random_state=1)
    assert "SUPPRESSED" in found.flags
    assert found.verdict == "NOT DETECTED"
    assert found["signal of rows moved a little", "forget"].pvalue < 0.01


def test_constant_answers_are_no_success(digits):
    found = audit(Constant(NETWORK), digits)
    assert found.verdict == "DIFFERENT, NOT SHOWN TO REMEMBER"
    assert "COLLATERAL" in found.flags


@pytest.mark.parametrize(
    "estimator", [GaussianNB(), Ridge(), LogisticRegression()], ids=repr
)
def test_learners_without_randomness_are_equal_or_not(estimator, digits):
    _X, _y, _X_test, _y_test = digits
    found = audit(ExactUnlearner(estimator), digits)
    assert found.verdict == "EQUAL" and found.area is None
    found = audit(Nothing(estimator), digits)
    assert found.verdict == "NOT EQUAL"
    number = found["largest difference", "forget"]
    assert number.value == pytest.approx(number.original) and number.value > 1e-6
    assert "1.00 of what the rows had changed" in found.reasons[1]


def test_pipelines_frames_sparse_rows_and_persons(digits):
    X, y, X_test, y_test = digits
    persons = np.arange(N_TRAIN) // 4
    names = [f"pixel {i}" for i in range(64)]
    model = make_pipeline(StandardScaler(), NPO(NETWORK))
    found = audit_unlearning(
        model,
        pd.DataFrame(X, columns=names),
        y,
        forget=FORGET,
        groups=persons,
        X_test=pd.DataFrame(X_test, columns=names),
        y_test=y_test,
        random_state=0,
    )
    assert found.setup["n_persons"] == 10 and found.setup["has_placebo"]
    assert found.verdict in ("DETECTABLE", "NOT DETECTED")
    rows = sparse.csr_array(X)
    found = audit_unlearning(
        ExactUnlearner(LogisticRegression()), rows, y, forget=FORGET, random_state=0
    )
    assert found.verdict == "EQUAL"


def test_numbers_and_several_targets():
    X, y = make_regression(200, 10, n_targets=2, noise=1.0, random_state=0)
    y = y / y.std(axis=0)
    y[:20] += 3.0
    network = DropoutRegressor(
        (16,), max_iter=60, n_iter_no_change=60, learning_rate_init=0.01
    )
    found = audit_unlearning(
        Nothing(network),
        X[:150],
        y[:150],
        forget=np.arange(150) < 20,
        X_test=X[150:],
        y_test=y[150:],
        random_state=0,
    )
    assert found.verdict == "DETECTABLE"
    number = found["root mean squared error", "forget"]
    assert number.original < number.retrained


def test_seeds_repeat_an_audit_and_references_are_shared(digits):
    forest = RandomForestClassifier(5, max_depth=6)
    X, y, *_ = digits
    first = audit(Retrain(forest), digits)
    again = audit(Retrain(forest), digits, n_jobs=2)
    assert first.numbers == again.numbers and first.verdict == again.verdict
    ensemble = ReferenceEnsemble(forest, random_state=0).fit(X, y, forget=FORGET)
    shared = audit(Retrain(forest), digits, references=ensemble.retrained_)
    assert shared.verdict == first.verdict
    assert "retrain" in shared.seconds
    # networks may come without the unlearner around them
    networks = ReferenceEnsemble(NETWORK, 6, random_state=0).fit(X, y, forget=FORGET)
    sizes = {"n_repeats": 3, "n_references": 3}
    shared = audit(NPO(NETWORK), digits, references=networks.retrained_, **sizes)
    assert shared["AUC against placebos", "pair"].value > 0.5


def test_results_are_written_and_read(of_nothing, tmp_path):
    path = tmp_path / "audit.json"
    of_nothing.to_json(path)
    read = UnlearningAudit.from_json(path)
    assert read == of_nothing and read.to_json() == of_nothing.to_json()
    frame = of_nothing.to_frame()
    assert frame.loc[("test", "accuracy"), "value"] > 0.5
    page = getattr(of_nothing, "_repr_html_")()  # noqa: B009, what notebooks call
    assert "DETECTABLE" in page and "<script" not in page
    assert "cannot show" in str(of_nothing)
    with pytest.raises(KeyError, match="was not measured"):
        of_nothing["accuracy", "pair"]
    with pytest.raises(ValueError, match="format 0"):
        UnlearningAudit.from_json('{"schema": 0}')
    table = compare({"nothing": of_nothing, "other": UnlearningAudit("EQUAL")})
    assert table.index.tolist() == ["other", "nothing"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"unlearner": GaussianNB()}, TypeError, "Wrap it"),
        (
            {"unlearner": NPO(FrozenEstimator(NETWORK))},
            ValueError,
            "audit_predictions",
        ),
        ({"forget": np.arange(3)}, ValueError, "boolean mask"),
        ({"forget": np.zeros(N_TRAIN, bool)}, ValueError, "mark some rows"),
        ({"groups": np.arange(3)}, ValueError, "one id per row"),
        ({"groups": np.arange(N_TRAIN) // 30}, ValueError, "all rows of a person"),
        ({"groups": np.arange(N_TRAIN) // 20}, ValueError, "too few"),
        ({"y_test": None}, ValueError, "y_test"),
        ({"checks": "many"}, ValueError, "checks"),
        ({"n_repeats": 2}, ValueError, "n_repeats"),
    ],
)
def test_bad_input_gets_one_sentence(change, error, message, digits):
    X, y, X_test, y_test = digits
    given = {"unlearner": Retrain(NETWORK), "X": X, "y": y, "forget": FORGET}
    given |= {"X_test": X_test, "y_test": y_test} | change
    with pytest.raises(error, match=message):
        audit_unlearning(
            given.pop("unlearner"), given.pop("X"), given.pop("y"), **given
        )


def test_the_audit_changes_nothing_that_it_is_given(digits):
    X, _y, *_ = digits
    unlearner = Nothing(NETWORK)
    before = copy.deepcopy(unlearner.get_params())
    rows = X.copy()
    audit(unlearner, digits, n_repeats=3, n_references=3)
    assert repr(unlearner.get_params()) == repr(before)
    assert (X == rows).all() and not hasattr(unlearner, "estimator_")
