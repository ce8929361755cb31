"""What scikit-learn keeps to itself is touched in one file, and is as we think."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import ast
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import Ridge
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.svm import SVC
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_unlearn.utils import _sklearn_compat as compat

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "sklearn_unlearn").rglob("*.py"))
# documented methods of named tuples
PUBLIC = {"_asdict", "_fields", "_make", "_replace"}
# of numba, until the cache of compiled trees does without
OF_OTHERS = {"_cache", "_cache_file", "_source_stamp"}
# of torch's modules, which show them in no other way
OF_TORCH = {
    "_apply",
    "_buffers",
    "_forward_pre_hooks",
    "_l0",
    "_modules",
    "_orig_mod",
    "_parameters",
    "_qkv_same_embed_dim",
}
PRIVATE = re.compile(r"_[a-zA-Z]\w*")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = np.arange(60) % 3


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def names_defined(tree):
    """Private names that a file gives to something of its own."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if ast.unparse(node.value) in ("self", "cls"):
                yield node.attr
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            if isinstance(node.slice, ast.Constant):
                yield node.slice.value  # self.__dict__["_name"] = ...
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg  # in a call that updates a dictionary of attributes


def modules_imported(tree):
    """Names by which a file knows modules and what it imports from them."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield (alias.asname or alias.name).partition(".")[0]


def private_names_used(tree):
    """Private attributes of objects, also those that are asked for by a word."""
    modules = set(modules_imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and PRIVATE.fullmatch(node.attr):
            root = ast.unparse(node.value).partition(".")[0]
            if root not in modules:  # a function of torch, say
                yield node.attr
        elif isinstance(node, (ast.Call, ast.Compare)):
            for word in node.args if isinstance(node, ast.Call) else [node.left]:
                text = getattr(word, "value", None)
                if isinstance(text, str) and PRIVATE.fullmatch(text):
                    yield text


OWN = {name for path in SOURCES for name in names_defined(parse(path))}


@pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_private_attributes_of_others_have_one_place(path):
    if path.name == "_sklearn_compat.py":
        return
    used = set(private_names_used(parse(path)))
    assert not used & compat.PRIVATE_ATTRIBUTES, (
        "reach it through utils/_sklearn_compat"
    )
    if path.parent.name == "module":
        used -= OF_TORCH
    assert not used - OWN - PUBLIC - OF_OTHERS, "whose is it?"


def test_the_list_of_private_attributes_is_complete():
    path = ROOT / "sklearn_unlearn" / "utils" / "_sklearn_compat.py"
    assert set(private_names_used(parse(path))) == compat.PRIVATE_ATTRIBUTES


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("fitted._gamma", "_gamma"),
        ("new._gamma = 3", "_gamma"),
        ("hasattr(fitted, '_tfidf')", "_tfidf"),
        ("vars(old).get('_skl_callbacks')", "_skl_callbacks"),
    ],
)
def test_what_is_searched_for_is_found(source, name):
    assert name in set(private_names_used(ast.parse(source)))


def test_functions_of_torch_are_no_attributes():
    tree = ast.parse("import torch\ntorch._standard_gamma(x)")
    assert not set(private_names_used(tree))


@pytest.mark.parametrize("kind", [OneHotEncoder, OrdinalEncoder])
def test_infrequent_categories(kind):
    column = np.array(["a"] * 6 + ["b", "c"] + ["d"] * 5, dtype=object)[:, None]
    assert not compat.groups_infrequent(kind().fit(column))
    encoder = kind(min_frequency=3).fit(column)
    assert compat.groups_infrequent(encoder)
    (places,) = compat.infrequent_places(encoder)
    assert places.tolist() == [1, 2]
    counts = [np.array([2, 9, 9, 1])]
    (places,) = compat.find_infrequent(encoder, encoder.categories_, counts, 21)
    assert places.tolist() == [0, 3]
    assert compat.infrequent_places(kind(min_frequency=1).fit(column)) == [None]


def test_infrequent_categories_beside_missing_values():
    column = np.array([1.0, 1.0, 2.0, np.nan])[:, None]
    encoder = OrdinalEncoder(min_frequency=2).fit(column)
    counts = [np.array([2, 1, 1])]
    found = compat.find_infrequent(encoder, encoder.categories_, counts, 4)
    np.testing.assert_array_equal(found, compat.infrequent_places(encoder))


def test_transformer_of_a_vectorizer():
    texts = ["one two", "two three"]
    vectorizer = TfidfVectorizer().fit(texts)
    transformer = compat.get_tfidf_transformer(vectorizer)
    np.testing.assert_array_equal(transformer.idf_, vectorizer.idf_)
    other = TfidfVectorizer().fit(["one two", "one three"])
    compat.set_tfidf_transformer(other, transformer)
    np.testing.assert_array_equal(other.idf_, vectorizer.idf_)
    assert compat.get_tfidf_transformer(CountVectorizer().fit(texts)) is None


def test_scale_of_the_targets_of_a_process():
    process = GaussianProcessRegressor(optimizer=None, normalize_y=True).fit(X, X[:, 0])
    before, mean, std = process.predict(X), X[:, 0].mean(), X[:, 0].std()
    compat.set_target_scale(process, mean + 1.0, 2.0 * std)
    after = process.predict(X)
    np.testing.assert_allclose(after, 2.0 * (before - mean) + mean + 1.0)


def test_support_vector_machines():
    machine, other = SVC(gamma=0.3).fit(X, Y), SVC(gamma=0.1).fit(X, Y)
    expected = machine.decision_function(X)
    compat.set_svc_gamma(machine, 0.1)
    assert np.abs(machine.decision_function(X) - expected).max() > 1e-3
    assert not compat.has_platt_scaling(other)


@pytest.mark.filterwarnings("ignore:The `probability` parameter")
def test_probabilities_of_a_support_vector_machine():
    assert compat.has_platt_scaling(SVC(probability=True).fit(X, Y))


def test_solver_of_principal_components():
    assert compat.get_svd_solver(PCA(svd_solver="full")) == "full"
    chosen = compat.get_svd_solver(PCA(2).fit(X))
    assert chosen in ("full", "covariance_eigh")


def test_components_of_a_discriminant():
    model = LinearDiscriminantAnalysis().fit(X, Y)
    compat.set_n_components_out(model, 1)
    assert model.transform(X).shape == (60, 1)
    assert len(model.get_feature_names_out()) == 1


def test_parameters_are_validated():
    compat.validate_parameters(Ridge())
    with pytest.raises(InvalidParameterError, match="alpha"):
        compat.validate_parameters(Ridge(alpha="much"))


def test_callbacks_are_copied():
    old, new = Ridge(), Ridge()
    compat.copy_callbacks(old, new)
    assert compat.without_callbacks(new) is None
    old._skl_callbacks = callbacks = ["a monitor"]
    compat.copy_callbacks(old, new)
    assert compat.without_callbacks(new) is callbacks
    assert compat.without_callbacks(new) is None


class Listens(compat.CallbackSupportMixin, BaseEstimator):
    """Something that callbacks can be told of."""


def test_no_callback_no_context():
    assert compat.begin_callbacks(Listens(), 3, X, Y) is None


def test_metadata_requests_are_rebound():
    sklearn.set_config(enable_metadata_routing=True)
    fitted = Ridge().set_fit_request(sample_weight=True).fit(X, Y)
    other = Ridge()
    other._metadata_request = fitted._get_metadata_request()
    compat.rebind_metadata_request(other)
    request = other._metadata_request
    assert request is not fitted._get_metadata_request()
    owner = getattr(request, "owner", "Ridge")
    assert owner is other or isinstance(owner, str)
    assert request.fit.requests == {"sample_weight": True}


def test_routed_fit_request():
    sklearn.set_config(enable_metadata_routing=True)
    model = Ridge()
    model.set_fit_request(sample_weight="w")
    request = compat.routed_fit_request(model, ("sample_weight",))
    assert request.fit.requests == {"sample_weight": "w"}
    assert request.score.requests == {}


def test_interrupts_are_raised():
    with pytest.raises(KeyboardInterrupt), compat.interrupts_raised():
        warnings.warn("Training interrupted by user.", UserWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="else"), compat.interrupts_raised():
        warnings.warn("something else", UserWarning, stacklevel=1)
