"""Requests from several threads, and readers beside them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import gc
import inspect
import multiprocessing
import pickle
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_union
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_unlearn.base import UnlearnerMixin
from sklearn_unlearn.exact import (
    CertifiedLogisticRegression,
    ExactUnlearner,
    RemovalForestClassifier,
    Retrain,
    SISAClassifier,
)
from sklearn_unlearn.exceptions import RequestInProgressError, UnknownRowsError
from sklearn_unlearn.model_selection import SearchUnlearner
from sklearn_unlearn.neural_network import DropoutClassifier, S3TClassifier
from sklearn_unlearn.pipeline import make_pipeline

N_ROWS = 240
X = np.random.default_rng(0).normal(size=(N_ROWS, 4))
Y = np.arange(N_ROWS) % 2
X[:, 0] += Y


@pytest.fixture(autouse=True)
def _switch_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def network():
    return DropoutClassifier(
        (4,), max_iter=3, n_iter_no_change=3, mc_samples=2, random_state=0
    )


KINDS = {
    "exact": lambda: ExactUnlearner(GaussianNB()),
    "pipeline": lambda: make_pipeline(StandardScaler(), GaussianNB()),
    "pipeline with a union": lambda: make_pipeline(
        make_union(StandardScaler(), MinMaxScaler()), ExactUnlearner(GaussianNB())
    ),
    "forest": lambda: RemovalForestClassifier(3, max_depth=3, random_state=0),
    "certified": lambda: CertifiedLogisticRegression(),
    "shards": lambda: SISAClassifier(LogisticRegression(), n_shards=3, random_state=0),
    "adapters": lambda: S3TClassifier(
        n_shards=2, n_slices=4, n_components=8, rank=2, n_epochs=1, random_state=0
    ),
    "network": network,
}


def run_together(tasks):
    """Run functions in as many threads, which start at the same time."""
    start = threading.Barrier(len(tasks))

    def run(task):
        start.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(run, t) for t in tasks]]


GROUPED = {
    "adapters": lambda: make_pipeline(
        StandardScaler(), KINDS["adapters"](), group_column="person"
    ),
    "search": lambda: SearchUnlearner(
        GridSearchCV(KINDS["pipeline"](), {"gaussiannb__var_smoothing": [1e-9]}, cv=2),
        group_column="person",
    ),
    "search, best": lambda: SearchUnlearner(
        GridSearchCV(KINDS["adapters"](), {"rank": [1, 2]}, cv=2),
        on_forget="best",
        group_column="person",
    ),
}


@pytest.mark.parametrize("name", GROUPED)
def test_ids_in_a_column_from_several_threads(name):
    people = [f"person {i // 3}" for i in range(N_ROWS)]
    rows = pd.DataFrame(X, columns=list("abcd")).assign(person=people)
    plain = rows.drop(columns="person")
    model = GROUPED[name]().fit(rows, Y)

    def by_id():
        for i in (0, 1):
            model.unlearn(groups=[f"person {i}"])

    def by_rows():
        for i in (6, 9):
            model.unlearn(rows[i : i + 3])

    def predict():
        for asked in (rows, plain, rows):
            assert np.isfinite(model.predict_proba(asked)).all()

    run_together([by_id, by_rows, predict, predict])
    assert model.n_forgotten_ == 12
    kept = model.retained_rows()
    np.testing.assert_array_equal(kept.X, plain[12:])
    assert list(kept.groups) == people[12:]
    np.testing.assert_array_equal(model.predict(rows), model.predict(plain))
    with pytest.raises(UnknownRowsError):
        model.unlearn(groups=["person 3"])


def soak(make, X, Y, n_requests, n_threads=4, n_readers=8):
    """Forget in some threads while others predict: nothing may be lost or torn."""
    model, asked = make().fit(X, Y), X[:64]
    model.unlearn(X[-1:])
    seen, states, done = set(), [model.predict_proba(asked)], threading.Event()
    lock, unlearn = threading.Lock(), type(model).unlearn

    class Recorded(type(model)):
        """Writes down what it predicts after each request, within the request."""

        def unlearn(self, *args, **kwargs):
            result = unlearn(self, *args, **kwargs)
            with lock:
                states.append(self.predict_proba(asked))
            return result

    model.__class__ = Recorded

    def forget(number):
        for i in range(number, n_requests, n_threads):
            model.unlearn(X[i : i + 1])

    def predict():
        while not done.is_set():
            seen.add(model.predict_proba(asked).tobytes())

    def forget_all():
        try:
            run_together([lambda k=k: forget(k) for k in range(n_threads)])
        finally:
            done.set()

    run_together([forget_all, *[predict] * n_readers])
    assert model.n_forgotten_ == len(model.unlearning_log_) == n_requests + 1
    assert np.array_equal(model.retained_rows().X, X[n_requests:-1])
    assert len(states) == n_requests + 1
    assert seen <= {p.tobytes() for p in states}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_no_request_is_lost_and_no_prediction_torn(make):
    soak(make, X, Y, n_requests=12)


@pytest.mark.slow
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_a_thousand_requests(make):
    rng = np.random.default_rng(1)
    rows, labels = rng.normal(size=(1300, 4)), np.arange(1300) % 2
    rows[:, 0] += labels
    soak(make, rows, labels, n_requests=1000)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_predictions_during_a_second_fit(make):
    order = np.argsort(X[:, 1])
    model, other = make().fit(X, Y), X[order] * 3.0
    before, seen, done = model.predict(X), [], threading.Event()

    def fit():
        try:
            for _ in range(3):
                assert model.fit(other, Y[order]) is model
        finally:
            done.set()

    def read():
        while not done.is_set():
            seen.append(model.predict(X))
            pickle.loads(pickle.dumps(model)).predict(X)
            copy.copy(model).export().predict(X)

    run_together([fit, read])
    if type(model).__name__ == "CertifiedLogisticRegression":
        return  # each of its fits has other noise
    known = {before.tobytes(), model.predict(X).tobytes()}
    assert {p.tobytes() for p in seen} <= known


def test_a_second_fit_that_fails_changes_nothing():
    for make in KINDS.values():
        model = make().fit(X, Y)
        before = model.predict(X)
        bad = X.copy()
        bad[0, 0] = np.inf
        with pytest.raises(ValueError):
            model.fit(bad, Y)
        assert np.array_equal(model.predict(X), before)
        assert model.unlearn(X[:2]).n_forgotten_ == 2


def test_a_pipeline_fits_the_steps_that_it_was_given_once():
    scaler, last = StandardScaler(), GaussianNB()
    model = make_pipeline(scaler, last).fit(X, Y)
    assert model[0] is scaler and model[1] is last
    model.fit(5 * X, Y)  # the steps of before may be in use
    np.testing.assert_allclose(scaler.mean_, X.mean(0))
    np.testing.assert_allclose(model[0].mean_, 5 * X.mean(0))


class Asks(UnlearnerMixin, BaseEstimator):
    """Calls back in the middle of a fit and of a request."""

    ask = None

    def __init__(self, store_training_data=True):
        self.store_training_data = store_training_data

    def fit(self, X, y=None):
        kept = self._keep_rows(X, y)
        self.mean_ = np.mean(X, axis=0)
        if self.ask is not None:
            self.ask(self)
        self._attach_rows(kept)
        return self

    def _unlearn_rows(self, request):
        self.mean_ = np.mean(request.retain.X, axis=0)
        if self.ask is not None:
            self.ask(self)


def test_a_request_within_a_change_is_refused():
    model = Asks().fit(X)
    mean = model.mean_
    for change in (lambda: model.fit(X + 1.0), lambda: model.unlearn(X[:2])):
        for ask in (lambda _: model.unlearn(X[3:4]), lambda _: model.fit(X)):
            model.ask = ask
            with pytest.raises(RequestInProgressError, match="from within its own"):
                change()
            assert model.mean_ is mean
            assert model.n_forgotten_ == 0
    # of the copy that a callback is given, too; others are free
    model.ask = lambda given: given.unlearn(X[3:4])
    with pytest.raises(RequestInProgressError, match="unlearn was called"):
        model.fit(X)
    other = ExactUnlearner(StandardScaler()).fit(X)
    model.ask = lambda _: other.unlearn(X[3:4])
    model.fit(X)
    assert other.n_forgotten_ == 1
    model.ask = None
    assert model.unlearn(X[:1]).n_forgotten_ == 1


def test_nothing_keeps_an_estimator_alive():
    model = Asks().fit(X).unlearn(X[:1])
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None


class HeldFrame(pd.DataFrame):
    """A frame that is made only when it may be, in some threads."""

    hold = staticmethod(lambda: None)

    def __init__(self, *args, **kwargs):
        self.hold()
        super().__init__(*args, **kwargs)


def test_no_request_waits_for_one_of_another_estimator(monkeypatch):
    inside, go_on = threading.Event(), threading.Event()

    def hold():
        if threading.current_thread().name.startswith("held"):
            inside.set()
            go_on.wait(60)

    rows = HeldFrame(X)
    held, other = (Retrain(GaussianNB()).fit(rows, Y) for _ in range(2))
    monkeypatch.setattr(HeldFrame, "hold", staticmethod(hold))
    with ThreadPoolExecutor(1, "held") as pool, ThreadPoolExecutor(1) as free:
        waits = pool.submit(held.unlearn, X[:1])
        assert inside.wait(60)
        try:
            assert free.submit(other.unlearn, X[:1]).result(20).n_forgotten_ == 1
        finally:
            go_on.set()
        assert waits.result(60).n_forgotten_ == 1


def forget_in_child(model, queue):
    queue.put(model.unlearn(X[5:6]).n_forgotten_)


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork"
)
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_is_not_locked_by_a_request_of_its_parent():
    inside, go_on = threading.Event(), threading.Event()

    def ask(_):
        inside.set()
        go_on.wait(60)

    model = Asks().fit(X)
    model.ask = ask
    thread = threading.Thread(target=model.unlearn, args=(X[:1],))
    thread.start()
    inside.wait(60)
    inside.clear()
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    model.ask = None
    child = context.Process(target=forget_in_child, args=(model, queue))
    child.start()
    child.join(30)
    still_runs = child.exitcode is None
    if still_runs:
        child.kill()
    go_on.set()
    thread.join()
    assert not still_runs
    assert queue.get() == 1


class Late(TransformerMixin, Asks):
    """A subclass that overrides some methods and inherits others."""

    def transform(self, X):
        """Return the rows around the mean."""
        return np.asarray(X) - self.mean_

    def fit(self, X, y=None):
        """Fit, and set one more attribute."""
        super().fit(X, y)
        self.more_ = 1
        return self

    def refit(self):
        """Change the estimator by another name."""
        return self.fit(2.0 * X)


class Labels(ClassifierMixin, Late):
    """One more level, with a reader of a mixin."""

    def predict(self, X):
        """Predict the sign of the sum."""
        return (self.transform(X).sum(axis=1) > 0).astype(int)


def test_subclasses_keep_signatures_and_results():
    model = Labels()
    assert model.fit(X) is model
    assert model.more_ == 1
    assert model.refit() is model
    np.testing.assert_allclose(model.mean_, 2.0 * X.mean(0))
    assert model.fit_transform(X).shape == X.shape
    assert 0.0 <= model.score(X, Y) <= 1.0
    assert model.set_params(store_training_data=False) is model
    assert list(inspect.signature(Labels.fit).parameters) == ["self", "X", "y"]
    assert Labels.predict.__doc__ == "Predict the sign of the sum."
    assert pickle.loads(pickle.dumps(model.predict))(X).shape == (N_ROWS,)


def test_methods_that_an_inner_estimator_lacks_stay_hidden():
    assert not hasattr(ExactUnlearner(StandardScaler()), "predict")
    assert not hasattr(Retrain(GaussianNB()), "transform")
    assert hasattr(Retrain(RandomForestClassifier()), "predict_proba")
