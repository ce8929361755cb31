"""Metadata requests hold no estimator that still knows forgotten rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_unlearn.exact import ExactUnlearner, Retrain, SISAClassifier
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import FineTune
from sklearn_unlearn.utils.estimator_checks import find_residue

X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.arange(60) % 2


@pytest.fixture(autouse=True)
def _routing():
    sklearn.set_config(enable_metadata_routing=True)


def neighbors():
    return KNeighborsClassifier().set_score_request(sample_weight=True)


def network():
    network = DropoutClassifier((4,), max_iter=3, n_iter_no_change=3, random_state=0)
    return network.set_fit_request(sample_weight=True)


# what makes an unlearner of a template, and the template
HOLDERS = {
    "exact": (ExactUnlearner, neighbors),
    "exact SVC": (
        ExactUnlearner,
        lambda: SVC(gamma=0.5).set_fit_request(sample_weight=True),
    ),
    "exact ridge": (
        ExactUnlearner,
        lambda: KernelRidge(kernel="rbf").set_fit_request(sample_weight=True),
    ),
    "exact process": (
        ExactUnlearner,
        lambda: GaussianProcessRegressor().set_predict_request(return_std=True),
    ),
    "exact density": (
        ExactUnlearner,
        lambda: KernelDensity().set_fit_request(sample_weight=True),
    ),
    "retrain": (Retrain, neighbors),
    "retrain network": (Retrain, network),
    "network method": (FineTune, network),
    "shards": (lambda template: SISAClassifier(template, n_shards=2), neighbors),
    "shards of networks": (
        lambda template: SISAClassifier(template, n_shards=1, n_slices=2, n_epochs=1),
        network,
    ),
    "bagging": (
        lambda template: Retrain(BaggingClassifier(template, n_estimators=2)),
        neighbors,
    ),
    "voting": (
        lambda template: Retrain(VotingClassifier([("model", template)])),
        neighbors,
    ),
    "pipeline": (
        lambda template: make_pipeline(StandardScaler(), template),
        neighbors,
    ),
    "pipeline around exact": (
        lambda template: make_pipeline(StandardScaler(), ExactUnlearner(template)),
        neighbors,
    ),
    "pipeline within": (
        lambda template: ExactUnlearner(make_pipeline(StandardScaler(), template)),
        neighbors,
    ),
}


def assert_clean(model, n_forgotten):
    for thing in (model, model.export()):
        assert find_residue(thing, X[:n_forgotten], X[n_forgotten:]) == []


@pytest.mark.parametrize("kind", ["unfitted", "fitted", "frozen"])
@pytest.mark.parametrize(("hold", "make"), HOLDERS.values(), ids=HOLDERS)
def test_no_request_keeps_an_old_owner(hold, make, kind):
    template = make()
    if kind != "unfitted":
        template.fit(X, Y)
    if kind == "frozen":
        if hold not in (ExactUnlearner, Retrain, FineTune):
            pytest.skip("only these take a frozen estimator")
        template = FrozenEstimator(template)
    before = pickle.dumps(template)
    model = clone(hold(template)).fit(X, Y)
    if "pipeline" in str(type(model)):  # a pipeline fits its steps in place
        before = pickle.dumps(template)
    model.unlearn(X[:5])
    assert_clean(model, 5)
    model.unlearn(X[5:9])
    assert_clean(model, 9)
    assert_clean(pickle.loads(pickle.dumps(model)), 9)
    assert pickle.dumps(template) == before, "the estimator of the caller has changed"


def test_request_of_a_cloned_unlearner():
    original = ExactUnlearner(LogisticRegression())
    original.set_fit_request(forget="mask").fit(X, Y)
    model = clone(original).fit(X, Y).unlearn(X[:5])
    original.unlearn(X[:1])
    assert_clean(model, 5)
    routing = model.get_metadata_routing()
    assert "mask" in str(routing)
