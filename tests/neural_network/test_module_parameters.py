"""Arguments of modules as parameters of the network."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.utils import estimator_html_repr
from skorch import NeuralNetClassifier
from torch import nn

from sklearn_unlearn.exact import Retrain
from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NPO
from sklearn_unlearn.utils.estimator_checks import find_residue

X, Y = load_iris(return_X_y=True)
SETTINGS = {"max_iter": 5, "n_iter_no_change": 5, "mc_samples": 5, "random_state": 0}


class Net(nn.Sequential):
    def __init__(self, n_features, n_outputs, hidden=16, p=0.1):
        layers = [nn.Linear(n_features, hidden), nn.ReLU(), nn.Dropout(p)]
        super().__init__(*layers, nn.Linear(hidden, n_outputs))


def anything(n_features, n_outputs, **others):
    return Net(n_features, n_outputs, **others)


@pytest.mark.parametrize("cls", [DropoutClassifier, DropoutRegressor])
@pytest.mark.parametrize("module", [Net, anything])
def test_they_are_parameters_like_others(cls, module):
    model = cls(module=module, module__hidden=5, **SETTINGS)
    assert model.get_params()["module__hidden"] == 5
    assert "module__hidden=5" in repr(model)
    assert "module__hidden" in estimator_html_repr(model)
    again = clone(model).set_params(module__p=0.3)
    assert "module__p" not in model.get_params()
    again.fit(X, Y)
    assert again.module_[0].out_features == 5
    assert again.module_[2].p == 0.3
    loaded = pickle.loads(pickle.dumps(again))
    assert loaded.get_params() == again.get_params()
    assert np.array_equal(loaded.predict(X), again.predict(X))
    loaded.unlearn(X[:3])
    reference = clone(again).fit(X[3:], Y[3:])
    assert np.array_equal(loaded.predict(X), reference.predict(X))


def test_searches_go_over_them():
    model = make_pipeline(NPO(DropoutClassifier(module=Net, **SETTINGS)))
    grid = {"npo__estimator__module__hidden": [3, 4], "npo__n_epochs": [1]}
    search = GridSearchCV(model, grid, cv=2).fit(X, Y)
    hidden = search.best_params_["npo__estimator__module__hidden"]
    fitted = search.best_estimator_[-1].estimator_
    assert fitted.module_[0].out_features == hidden


def test_rows_are_not_forgotten_with_other_arguments():
    model = DropoutClassifier(module=Net, module__hidden=5, **SETTINGS).fit(X, Y)
    for holder, name in (
        (model, "module__hidden"),
        (NPO(clone(model)).fit(X, Y), "estimator__module__hidden"),
        (Retrain(clone(model)).fit(X, Y), "estimator__module__hidden"),
    ):
        holder.set_params(**{name: 6})
        with pytest.raises(ValueError, match=f"{name} changed since fit"):
            holder.unlearn(X[:1])
        holder.set_params(**{name: 5}).unlearn(X[:1])


def test_arguments_added_since_the_fit_are_noticed():
    model = DropoutClassifier(module=Net, **SETTINGS).fit(X, Y)
    model.set_params(module__hidden=16)
    with pytest.raises(ValueError, match="module__hidden changed"):
        model.unlearn(X[:1])


def test_training_goes_on_with_the_same_arguments_alone():
    model = DropoutClassifier(
        module=Net, module__hidden=5, warm_start=True, **SETTINGS
    ).fit(X, Y)
    model.fit(X, Y).partial_fit(X, Y)
    model.set_params(module__hidden=6)
    for go_on in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="argument of it, has changed"):
            go_on(X, Y)
    model.set_params(warm_start=False).fit(X, Y)
    assert model.module_[0].out_features == 6


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"module": Net, "module__hiden": 5}, "no argument 'hiden'.*of hidden, p"),
        ({"module": Net, "module__n_outputs": 5}, "no argument 'n_outputs'"),
        ({"module": anything, "module__n_features": 5}, "no argument 'n_features'"),
        ({"module": lambda i, o: Net(i, o), "module__p": 0.1}, "of none"),
        ({"module__hidden": 5}, "module__hidden is an argument .* module is None"),
        ({"hidden": 5}, "unexpected keyword argument 'hidden'"),
        ({"module": Net, "module__": 5}, "unexpected keyword argument 'module__'"),
    ],
)
def test_wrong_names_are_named(params, message):
    with pytest.raises(TypeError, match=message):
        DropoutClassifier(**params).fit(X, Y)


class Logs(Net):
    """Writes what it sees into a list that it was given."""

    def __init__(self, n_features=4, n_outputs=3, log=None):
        super().__init__(n_features, n_outputs)
        self.log = log

    def forward(self, x):
        if self.training:
            self.log.append(x.clone())
        return super().forward(x)


@pytest.mark.parametrize("with_skorch", [False, True])
def test_modules_write_into_copies_of_their_arguments(with_skorch):
    log, gone = [], np.unique(X, axis=0)[:3]
    inner = DropoutClassifier(module=Logs, module__log=log, **SETTINGS)
    if with_skorch:
        loss = nn.CrossEntropyLoss
        inner = NeuralNetClassifier(Logs, module__log=log, criterion=loss, verbose=0)
    model = NPO(inner, random_state=0).fit(X.astype("f"), Y)
    model.unlearn(gone.astype("f"), on_unknown="ignore")
    assert log == []
    others = X[~(X[:, None] == gone).all(axis=2).any(axis=1)]
    assert not find_residue(model, gone, others)


class OtherArguments(nn.Linear):
    def __init__(self, hidden):
        super().__init__(hidden, 1)


@pytest.mark.parametrize("module", [OtherArguments, lambda n_features: None])
def test_a_module_of_other_arguments_is_told_which_it_gets(module):
    with pytest.raises(TypeError, match=r"called as module\(n_features, n_outputs\)"):
        DropoutClassifier(module=module).fit(X, Y)


def test_a_softmax_at_the_end_is_noticed():
    def with_softmax(n_features, n_outputs):
        return nn.Sequential(Net(n_features, n_outputs), nn.Softmax(dim=1))

    with pytest.warns(UserWarning, match="ends? in a softmax"):
        DropoutClassifier(module=with_softmax, **SETTINGS).fit(X, Y)


def test_names_of_other_parameters_are_as_before():
    with pytest.raises(ValueError, match="Invalid parameter 'modul'"):
        DropoutClassifier(module=Net).set_params(modul__hidden=5)
