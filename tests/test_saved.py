"""Saved models: what files hold of them, and what comes back."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import io
import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.exceptions import UnlearnerVersionWarning
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.utils.discovery import public_objects
from tests._instances import NETWORKS, RULES, all_instances, rows_for, seeded

MODELS = [*all_instances(), *RULES]
PUBLIC = {thing for _, _, thing in public_objects()}


class _Reader(pickle.Unpickler):
    """Unpickler that lists the classes and functions of the package in a file."""

    def __init__(self, written):
        super().__init__(io.BytesIO(written))
        self.found = set()

    def find_class(self, module, name):
        thing = super().find_class(module, name)
        if module.partition(".")[0] == "sklearn_unlearn":
            self.found.add(thing)
        return thing


def read(written):
    """Load a pickle; return the model, and what it names of the package."""
    reader = _Reader(written)
    return reader.load(), reader.found


def outputs(model, X):
    """What a model makes of the rows it was fitted on, as an array."""
    names = ("predict_proba", "predict", "transform", "score_samples")
    made = getattr(model, next(name for name in names if hasattr(model, name)))(X)
    return made.toarray() if hasattr(made, "toarray") else np.asarray(made)


@pytest.mark.parametrize("estimator", MODELS, ids=repr)
def test_files_name_public_classes_alone(estimator):
    X, y = rows_for(estimator)
    model = seeded(estimator).fit(X, y)
    for state in (model, model.unlearn(X[:3]), model.export()):
        loaded, found = read(pickle.dumps(state))
        assert found <= PUBLIC
        assert np.array_equal(outputs(loaded, X[3:]), outputs(state, X[3:]))


def test_copies_are_equal():
    X, y = rows_for(NETWORKS[0])
    model = clone(NETWORKS[0]).fit(X, y)
    for new in (copy.copy(model), copy.deepcopy(model)):
        assert type(new) is DropoutClassifier
        assert vars(new).keys() == vars(model).keys()
        assert np.array_equal(new.predict_proba(X), model.predict_proba(X))
    twins = copy.deepcopy([model, model])
    assert twins[0] is twins[1]


def saved_by(model, library, version):
    """The model as another version of a library would have saved it."""
    state = model.__getstate__()
    state["_saved_with"] = {**state["_saved_with"], library: version}
    return state


@pytest.mark.parametrize("library", ["sklearn_unlearn", "sklearn", "torch"])
def test_other_versions_are_warned_about(library):
    X, y = rows_for(NETWORKS[0])
    model = clone(NETWORKS[0]).fit(X, y)
    state = saved_by(model, library, "0.0.1")
    with pytest.warns(UnlearnerVersionWarning, match=f"{library} 0.0.1") as caught:
        clone(model).__setstate__(state)
    assert issubclass(UnlearnerVersionWarning, InconsistentVersionWarning)
    assert caught[0].filename == __file__
    assert caught[0].message.versions[library][0] == "0.0.1"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(model))
        copy.deepcopy(model)


def test_torch_matters_to_networks_alone():
    model = Retrain(Ridge())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(model).__setstate__(saved_by(model, "torch", "0.0.1"))


def test_a_model_of_a_later_schema_is_refused():
    X, _ = rows_for(ExactUnlearner(Ridge()))
    state = ExactUnlearner(StandardScaler()).fit(X).__getstate__()
    of_estimator = {**state, "_saved_with": {**state["_saved_with"], "schema": 99}}
    of_rows = {**state, "_rows": {**state["_rows"], "schema": 99}}
    of_no_kind = {**state, "_rows": {**state["_rows"], "sklearn_unlearn": "new"}}
    for later in (of_estimator, of_rows, of_no_kind):
        with pytest.raises(ValueError, match="Upgrade sklearn-unlearn"):
            ExactUnlearner(StandardScaler()).__setstate__(later)
