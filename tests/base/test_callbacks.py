"""Callbacks of scikit-learn on unlearners."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler, scale

from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NPO

callback = pytest.importorskip("sklearn.callback", reason="new in scikit-learn 1.9")

X, Y = load_iris(return_X_y=True)


class Heard:
    """Notes which tasks begin and end, and what the models of that moment predict."""

    max_propagation_depth = None

    def __init__(self):
        self.tasks = []

    def setup(self, estimator, context):
        self.tasks.append("setup")

    def teardown(self, estimator, context):
        self.tasks.append("teardown")

    def on_fit_task_begin(self, estimator, context, **kwargs):
        self.tasks.append(f"begin {context.task_name} {type(estimator).__name__}")

    def on_fit_task_end(self, estimator, context, **kwargs):
        self.tasks.append(f"end {context.task_name} {type(estimator).__name__}")


def network():
    return DropoutClassifier((8,), max_iter=2, n_iter_no_change=2, random_state=0)


@pytest.mark.parametrize(
    "model", [NPO(network()), Retrain(network()), ExactUnlearner(network())]
)
def test_they_hear_the_fit_and_the_epochs_within(model):
    heard = Heard()
    model = clone(model).set_callbacks(heard).fit(X, Y)
    name = type(model).__name__
    epochs = ["begin epoch DropoutClassifier", "end epoch DropoutClassifier"] * 2
    assert heard.tasks[:2] == ["setup", f"begin fit {name}"]
    assert heard.tasks[-2:] == [f"end fit {name}", "teardown"]
    assert [task for task in heard.tasks if "epoch" in task] == epochs
    # nor do they hear what a request fits again
    n_heard = len(heard.tasks)
    model.unlearn(X[:5])
    model.fit(X, Y, forget=np.arange(150) < 5)
    assert len(heard.tasks) == 2 * n_heard


def test_callbacks_of_the_model_within_hear_one_fit():
    for method in (NPO, Retrain, ExactUnlearner):
        heard = Heard()
        heard.max_propagation_depth = 0
        model = method(network().set_callbacks(Monitor(heard))).fit(X, Y)
        n_heard = len(heard.tasks)
        assert n_heard
        model.unlearn(X[:5])
        assert len(heard.tasks) == n_heard


class Monitor:
    """A callback that is not handed on by itself."""

    def __init__(self, heard):
        self.heard = heard

    def setup(self, estimator, context):
        self.heard.tasks.append("setup")

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **kwargs):
        pass

    def on_fit_task_end(self, estimator, context, **kwargs):
        pass


def test_those_of_scikit_learn():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = Retrain(network()).set_callbacks(monitor).fit(X, Y)
    last = next(row for row in monitor.get_logs().data if row["task_name"] == "fit")
    assert np.isclose(last["accuracy"], model.score(X, Y))
    for inner in (LogisticRegression(), GaussianNB()):
        model = ExactUnlearner(inner).set_callbacks(monitor).fit(scale(X), Y)
        assert model.unlearn(scale(X)[:5]).n_forgotten_ == 5


def test_progress_through_a_search_and_a_pipeline(capsys):
    pytest.importorskip("rich", reason="draws the bars")
    model = make_pipeline(StandardScaler(), NPO(network()))
    search = GridSearchCV(model, {"npo__n_epochs": [1, 2]}, cv=2)
    search.set_callbacks(callback.ProgressBar()).fit(X, Y)
    assert search.best_estimator_.unlearn(X[:5]).n_forgotten_ == 5
