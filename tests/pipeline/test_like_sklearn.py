"""Our pipeline is scikit-learn's in all that is not forgetting, and hides nothing."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn import pipeline as sklearn_pipeline
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.manifold import TSNE
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.utils import get_tags

from sklearn_unlearn.exact import Retrain, Rule, register_rule
from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.pipeline import Pipeline, make_pipeline
from sklearn_unlearn.unlearning import NPO

rng = np.random.default_rng(0)
X = rng.normal(3, 2, size=(60, 4))
FAST = {"max_iter": 5, "n_iter_no_change": 5, "random_state": 0}
CLASSIFIER = DropoutClassifier((8,), **FAST)
REGRESSOR = DropoutRegressor((8,), **FAST)


class TakesAnything(BaseEstimator):
    """An estimator that looks at nothing it is given."""

    def fit(self, X, y=None, **params):
        self.fitted_ = True
        return self

    def predict(self, X):
        return ["anything"]


@pytest.mark.parametrize(
    ("rows", "target", "params"),
    [
        (None, None, {}),
        (X, "word", {}),
        (X, [0, 1], {}),
        ({"a": [1, 2], "b": [3, 4]}, None, {}),
        ((X, X[:3], "word"), None, {}),
        (iter([1, 2]), None, {}),
        (object(), None, {}),
        (X[:2], X[:2, 0], {"last__sets": (X, X[:3])}),
    ],
    ids=["nothing", "word", "length", "dict", "tuple", "iterator", "object", "param"],
)
@pytest.mark.parametrize("holder", ["Pipeline", "Retrain"])
def test_rows_that_cannot_be_kept_can_be_fitted(holder, rows, target, params):
    last = TakesAnything()
    model = Pipeline([("last", last)]) if holder == "Pipeline" else Retrain(last)
    with pytest.warns(UnlearningWarning, match="cannot be kept") as caught:
        model.fit(rows, target, **params)
    assert len(caught) == 1
    assert model.predict(X) == ["anything"]
    for retained in ({}, {"X_retain": X, "y_retain": X[:, 0]}):
        with pytest.raises(ValueError, match="could not be kept"):
            model.unlearn(X[:1], **retained)
    with pytest.raises((TypeError, ValueError)):  # what was asked for cannot be done
        model.fit(rows, target, groups=np.arange(60))
    assert model.fit(X, X[:, 0]).unlearn(X[:1]).n_forgotten_ == 1


def test_a_word_is_no_argument_per_row():
    model = make_pipeline(TakesAnything()).fit(X[:4], takesanything__how="well")
    assert model.retained_rows().fit_params == {}
    assert model.unlearn(X[:1]).n_forgotten_ == 1


def test_empty_pipeline():
    empty = Pipeline([])
    assert "predict" not in dir(empty)
    assert not hasattr(empty, "classes_")
    assert get_tags(empty) == get_tags(BaseEstimator())


@pytest.mark.parametrize(
    "wrap", [lambda e: e, NPO, Retrain], ids=["", "NPO", "Retrain"]
)
@pytest.mark.parametrize(
    ("network", "method", "params"),
    [
        (REGRESSOR, "predict_interval", {"confidence_level": 0.5}),
        (REGRESSOR, "predict_uncertainty", {"kind": "epistemic"}),
        (REGRESSOR, "sample_y", {"n_samples": 3, "random_state": 1}),
        (CLASSIFIER, "predict_uncertainty", {}),
        (CLASSIFIER, "sample_proba", {"n_samples": 3, "random_state": 1}),
    ],
    ids=["interval", "epistemic", "sample_y", "total", "sample_proba"],
)
def test_uncertainty_passes_through(network, method, params, wrap):
    y = X[:, 0] if network is REGRESSOR else X[:, 0] > 3
    steps = [("scale", StandardScaler()), ("nothing", "passthrough")]
    model = Pipeline([*steps, ("last", wrap(clone(network)))]).fit(X, y)
    inner = clone(model[-1]).fit(model[:-1].transform(X), y)
    expected = getattr(inner, method)(model[:-1].transform(X), **params)
    np.testing.assert_array_equal(getattr(model, method)(X, **params), expected)
    held = Retrain(model).fit(X, y)
    np.testing.assert_array_equal(getattr(held, method)(X, **params), expected)


def test_uncertainty_of_others():
    process = make_pipeline(MinMaxScaler(), GaussianProcessRegressor()).fit(X, X[:, 0])
    assert process.sample_y(X[:2], 5).shape == (2, 5)
    assert not hasattr(process, "predict_interval")
    assert not hasattr(make_pipeline(MinMaxScaler()), "sample_y")
    assert not hasattr(make_pipeline(CLASSIFIER), "predict_interval")
    assert not hasattr(make_pipeline(REGRESSOR), "sample_proba")


def test_lost_classes_have_no_samples():
    y = np.arange(60) % 3
    model = make_pipeline(StandardScaler(), CLASSIFIER).fit(X, y)
    samples = model.unlearn(X[y == 1]).sample_proba(X, 2)
    assert samples.shape == (2, 60, 3)
    assert (samples[..., 1] == 0).all()


def test_fit_predict_keeps_the_rows():
    steps = [("scale", StandardScaler()), ("last", KMeans(3, n_init=1, random_state=0))]
    model = Pipeline(steps)
    expected = sklearn_pipeline.Pipeline(clone(steps, safe=False)).fit_predict(X)
    np.testing.assert_array_equal(model.fit_predict(X), expected)
    reference = clone(model).fit(X[5:])
    np.testing.assert_array_equal(model.unlearn(X[:5]).predict(X), reference.predict(X))
    assert not hasattr(make_pipeline(GaussianNB()), "fit_predict")


@pytest.mark.parametrize("method", ["fit_transform", "fit_predict"])
def test_every_way_to_fit_takes_ids(method):
    model = make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0))
    getattr(model, method)(X, groups=np.arange(len(X)) // 2)
    expected = clone(model).fit(X[2:]).predict(X)
    np.testing.assert_array_equal(model.unlearn(groups=[0]).predict(X), expected)


def test_last_step_that_only_transforms_what_it_is_fitted_to():
    embedding = TSNE(init="random", perplexity=5, max_iter=250, random_state=0)
    model = make_pipeline(StandardScaler(), embedding)
    assert hasattr(model, "fit_transform") and not hasattr(model, "transform")
    model.fit_transform(X)
    reference = clone(model).fit(X[5:])
    np.testing.assert_array_equal(
        model.unlearn(X[:5])[-1].embedding_, reference[-1].embedding_
    )


def test_names_of_features_before_a_fit():
    model = make_pipeline(StandardScaler(), MinMaxScaler())
    with pytest.raises(NotFittedError):
        model.get_feature_names_out()
    names = model.fit(X).get_feature_names_out()
    np.testing.assert_array_equal(names, ["x0", "x1", "x2", "x3"])
    assert not hasattr(make_pipeline(GaussianNB()), "feature_names_in_")


def test_steps_from_a_cache_forget(tmp_path):
    model = make_pipeline(StandardScaler(), GaussianNB(), memory=str(tmp_path))
    y = X[:, 0] > 3
    reference = clone(model).fit(X[5:], y[5:])
    clone(model).fit(X, y)  # a second fit reads the cache
    with pytest.warns(UnlearningWarning, match="The cache at"):
        model.fit(X, y).unlearn(X[:5])
    np.testing.assert_allclose(
        model.predict_proba(X), reference.predict_proba(X), rtol=1e-8
    )


def test_frozen_steps_are_named_once():
    frozen = FrozenEstimator(StandardScaler().fit(X))
    y = X[:, 0] > 3
    model = make_pipeline(frozen, GaussianNB()).fit(X, y)
    with pytest.warns(UnlearningWarning, match="frozenestimator"):
        model.unlearn(X[:1])
    model.unlearn(X[1:2])  # its warnings are errors here
    with pytest.warns(UnlearningWarning, match="frozenestimator"):
        model.fit(X, y).unlearn(X[:1])


def test_a_frozen_step_without_a_fit_knows_nothing():
    frozen = FrozenEstimator(FunctionTransformer(np.abs))
    model = make_pipeline(frozen, GaussianNB()).fit(X, X[:, 0] > 3)
    assert get_tags(model).unlearner_tags.guarantee == "exact"
    assert model.unlearn(X[:1]).n_forgotten_ == 1


class CountedScaler(StandardScaler):
    """A scaler whose rule counts what it is asked for."""


class CountedNB(GaussianNB):
    """A last step whose rule counts what it is asked for."""


@register_rule(CountedScaler)
@register_rule(CountedNB)
class CountingRule(Rule):
    """Fit again, and count how often a state was made."""

    path = "warm start"
    fit_transform_differs = False
    asked = []

    def remember(self, fitted, store):
        self.asked.append(type(fitted))

    def is_robust_to_rounding(self, estimator):
        return True

    def is_bitwise(self, estimator):
        return False


@pytest.mark.parametrize(
    ("steps", "params", "prepared"),
    [
        ([CountedScaler(), CountedNB()], {}, [CountedScaler, CountedNB]),
        ([CountedScaler(), "passthrough", CountedNB()], {}, [CountedScaler, CountedNB]),
        # fitted again whatever is kept: behind it is one that rounding upsets
        ([CountedScaler(), KNeighborsClassifier()], {}, []),
        ([CountedScaler(), Retrain(CountedNB())], {}, []),
        ([CountedScaler(), CountedNB()], {"countednb__sample_weight": X[:, 0] + 9}, []),
    ],
    ids=["all", "passthrough", "rounding", "unlearner", "weights"],
)
def test_prepare_makes_what_requests_use(steps, params, prepared):
    CountingRule.asked.clear()
    model = make_pipeline(*steps).fit(X, X[:, 0] > 3, **params)
    assert CountingRule.asked == []
    assert model.prepare() is model
    assert CountingRule.asked == prepared
    assert model.unlearn(X[:3]).n_forgotten_ == 3
