"""Saved models: what files hold of them, and what comes back."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import functools
import io
import os
import pickle
import subprocess
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

from sklearn_unlearn import __version__
from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.exceptions import UnlearnerVersionWarning
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.unlearning import NPO
from sklearn_unlearn.utils.discovery import public_objects
from tests._instances import (
    INSTANCES,
    NETWORKS,
    RULES,
    SmallModule,
    all_instances,
    rows_for,
    seeded,
)
from tests._saved import FOLDER, outputs

SKORCH = NeuralNetClassifier(
    SmallModule,
    criterion=nn.CrossEntropyLoss,
    module__n_features=4,
    module__n_outputs=3,
    max_epochs=2,
    verbose=0,
)
STATE = {"sklearn_unlearn": "numpy type", "schema": 1, "state": {"str": "<f8"}}
MODELS = [*all_instances(), *RULES, NPO(SKORCH)]
PUBLIC = {thing for _, _, thing in public_objects()}


class _Reader(pickle.Unpickler):
    """Unpickler that lists the classes and functions in a file, by library."""

    def __init__(self, written):
        super().__init__(io.BytesIO(written))
        self.found = {}

    def find_class(self, module, name):
        thing = super().find_class(module, name)
        self.found.setdefault(module.partition(".")[0], set()).add(thing)
        return thing


def read(written):
    """Load a pickle; return the model, and what it names of each library."""
    reader = _Reader(written)
    return reader.load(), reader.found


@pytest.fixture(scope="module")
def fitted():
    """Fit each model once; whoever wants to change it takes a copy."""

    @functools.cache
    def fit(number):
        model, (X, y) = seeded(MODELS[number]), rows_for(MODELS[number])
        return model.fit(X, y)

    return fit


N_INSTANCES, LAST = len(all_instances()), len(MODELS) - 1
each_model = pytest.mark.parametrize(
    "number",
    # models by further rules once a week
    [
        pytest.param(i, marks=[pytest.mark.slow] if N_INSTANCES <= i < LAST else [])
        for i in range(len(MODELS))
    ],
    ids=[*map(repr, MODELS[:-1]), "NPO of a skorch net"],
)


@each_model
def test_files_name_public_classes_alone(fitted, number):
    X, _ = rows_for(MODELS[number])
    model = copy.deepcopy(fitted(number))
    for state in (model, model.unlearn(X[:3]), model.export()):
        loaded, found = read(pickle.dumps(state))
        assert found["sklearn_unlearn"] <= PUBLIC
        assert np.array_equal(outputs(loaded, X[3:]), outputs(state, X[3:]))


@each_model
def test_skops_writes_and_reads_every_model(fitted, number):
    skops_io = pytest.importorskip("skops.io")
    X, _ = rows_for(MODELS[number])
    model = copy.deepcopy(fitted(number))
    for state in (model, model.unlearn(X[:3]), model.export()):
        written = skops_io.dumps(state)
        # what scikit-learn's own estimators have within, and modules of the user
        others = [
            name
            for name in skops_io.get_untrusted_types(data=written)
            if not name.startswith("sklearn_unlearn.")
        ]
        loaded = skops_io.loads(written, trusted=[*PUBLIC, *others])
        assert np.array_equal(outputs(loaded, X[3:]), outputs(state, X[3:]))


# what comes back in a process that has fitted nothing, and forgets there
ELSEWHERE = """
import pickle, sys, warnings
import numpy as np
from tests.test_saved import answers
warnings.simplefilter("error")
with open(sys.argv[1], "rb") as file:
    models = pickle.load(file)
warnings.simplefilter("ignore")
with open(sys.argv[2], "wb") as file:
    pickle.dump([answers(*model) for model in models], file)
"""


def answers(model, X):
    """What a model makes of rows, and of those that stay when it forgets the first."""
    before = outputs(model, X)
    return before, outputs(model.unlearn(X[:1]), X[1:])


def test_models_go_on_in_a_fresh_process(fitted, tmp_path):
    models, expected = [], []
    for number, estimator in enumerate(MODELS):
        model, X = copy.deepcopy(fitted(number)), rows_for(estimator)[0]
        models.append((model.unlearn(X[:3]), X[3:]))
    (tmp_path / "models").write_bytes(pickle.dumps(models))
    root = Path(__file__).resolve().parents[1]
    subprocess.run(
        [sys.executable, "-c", ELSEWHERE, tmp_path / "models", tmp_path / "answers"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=True,
    )
    found = pickle.loads((tmp_path / "answers").read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = [answers(*model) for model in models]
    for estimator, (before, after), there in zip(MODELS, expected, found, strict=True):
        assert np.array_equal(there[0], before), estimator
        assert np.array_equal(there[1], after), estimator


def table(library):
    """Words, categories, numbers and times, in a table of some library."""
    pd, n = pytest.importorskip("pandas"), 30
    words = np.array(["x", "y", "z"])[np.arange(n) % 3]
    columns = {"word": words, "number": np.arange(n) / 7, "count": np.arange(n)}
    if library == "pandas":
        columns["category"] = pd.Categorical(words, categories=["z", "y", "x", "none"])
        columns["time"] = pd.date_range("2020", periods=n)
        columns["nullable"] = pd.array([3, 1, 2] * 10, dtype="Int64")
        frame = pd.DataFrame(columns, index=[f"row {i}" for i in range(n)])
        return frame.rename_axis(columns="columns")
    if library == "polars":
        pl = pytest.importorskip("polars")
        columns["enum"] = pl.Series(list(words), dtype=pl.Enum(["z", "y", "x", "none"]))
        return pl.DataFrame(columns)
    return pytest.importorskip("pyarrow").table(columns)


CONTAINERS = {
    "pandas": lambda: table("pandas"),
    "polars": lambda: table("polars"),
    "pyarrow": lambda: table("pyarrow"),
    "list of dictionaries": lambda: [{"a": i, "b": f"w{i % 3}"} for i in range(30)],
    "list of documents": lambda: [f"w{i} v{i % 3}" for i in range(30)],
    "array of documents": lambda: np.array([f"w{i}" for i in range(30)], dtype=object),
    "list of mixed rows": lambda: [[i, f"w{i % 3}"] for i in range(30)],
    "array of objects": lambda: np.array([[i, "w"] for i in range(30)], dtype=object),
    "sparse": lambda: sparse.csc_array(np.arange(90.0).reshape(30, 3)),
}


class TakesAll(ClassifierMixin, BaseEstimator):
    """Takes rows in any container."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X))


@pytest.mark.parametrize("container", CONTAINERS)
def test_kept_rows_are_saved_without_the_library_of_their_container(container):
    X = CONTAINERS[container]()
    model = Retrain(TakesAll()).fit(X, np.arange(30) % 2)
    kept = model.retained_rows().X
    loaded, found = read(pickle.dumps(model))
    assert found["sklearn_unlearn"] <= PUBLIC
    assert not found.keys() & {"pandas", "polars", "pyarrow"}
    assert_same_rows(loaded.retained_rows().X, kept)
    skops_io = pytest.importorskip("skops.io")
    written = skops_io.dumps(model)
    trusted = skops_io.get_untrusted_types(data=written)
    loaded = skops_io.loads(written, trusted=trusted)
    assert_same_rows(loaded.retained_rows().X, kept)


def assert_same_rows(found, expected):
    """Check that two containers of rows are equal in everything."""
    assert type(found) is type(expected)
    if hasattr(found, "iloc"):
        pytest.importorskip("pandas").testing.assert_frame_equal(found, expected)
    elif hasattr(found, "equals"):
        assert found.schema == expected.schema
        assert found.equals(expected)
    elif sparse.issparse(found):
        assert (found != expected).nnz == 0
    else:
        assert np.array_equal(np.asarray(found, object), np.asarray(expected, object))


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


def test_words_of_files_are_words_like_others():
    for weight in ({"sklearn_unlearn": 2, "schema": 1}, STATE):
        model = DropoutClassifier((4,), class_weight=weight)
        loaded = pickle.loads(pickle.dumps(model))
        assert loaded.get_params() == model.get_params()


SAVED = sorted(FOLDER.glob("*/*.pickle"))


def test_every_estimator_is_saved():
    present = {path.stem for path in SAVED if path.parent.name == __version__}
    assert set(INSTANCES) <= present, "run build_tools/save_models.py"


@pytest.mark.parametrize("path", SAVED, ids=lambda p: f"{p.parent.name} {p.stem}")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_models_of_past_versions_load(path):
    saved = pickle.loads(path.read_bytes())
    X = saved["X"]
    if isinstance(X, dict):
        X = pytest.importorskip("pandas").DataFrame(X)
    try:
        model = pickle.loads(saved["model"])
        found = outputs(model, X)
    except Exception as error:
        *_, last = traceback.walk_tb(error.__traceback__)
        is_theirs = os.sep + "sklearn" + os.sep in last[0].f_code.co_filename
        if is_theirs and saved["versions"]["sklearn"] != sklearn.__version__:
            pytest.skip(f"scikit-learn cannot load its own estimator: {error}")
        raise
    np.testing.assert_allclose(found, saved["outputs"], rtol=1e-5, atol=1e-7)
    # it goes on as one that was never saved
    assert model.unlearn(X[:1]).n_forgotten_ == 3
    assert len(model.retained_rows().X) == len(X) - 1
