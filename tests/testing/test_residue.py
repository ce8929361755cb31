"""Copies of forgotten rows are found, and nothing is found where there is none."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import functools
import hashlib
import io
import pickle
import time
import zlib

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_unlearn.testing._canaries import canaries, canary_rows
from sklearn_unlearn.testing._residue import (
    assert_no_residue,
    find_in_objects,
    find_in_pickle,
    find_residue,
)
from sklearn_unlearn.utils._state import assert_same_state, state_differences

N_FORGET = 30


class Keeper(TransformerMixin, BaseEstimator):
    """Keep what a function makes of the rows, and claim to have forgotten some."""

    def __init__(self, keep, scale=None):
        self.keep = keep
        self.scale = scale

    def fit(self, X, y=None):
        self.kept_ = self.keep(X)
        return self

    def transform(self, X):
        return X if self.scale is None else X * self.scale


def arrays(seed=0, n_retain=120, n_features=5):
    """Rows to forget, which hold every extreme, and rows to retain."""
    retain = np.random.default_rng(seed).normal(size=(n_retain, n_features))
    return canary_rows(retain, n_rows=N_FORGET, random_state=seed), retain


def standardised(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


def as_frame(X):
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(X, columns=[f"column {j}" for j in range(X.shape[1])])


def dumped_by_joblib(X):
    file = io.BytesIO()
    joblib.dump(X, file, compress=3)
    return file.getvalue()


def hashes(X):
    return [hashlib.sha256(row.tobytes()).digest() for row in X]


def view_of_all(X):
    # the retained rows of a fit on everything, the last 120
    return X[-120:]


# which of the two catches them: a search for values, or equality of states
BOTH, SEARCH, STATE = (True, True), (True, False), (False, True)
OFFENDERS = {
    "Fortran order": (np.asfortranarray, BOTH),
    "transposed": (lambda X: X.T.copy(), BOTH),
    "data frame": (as_frame, BOTH),
    "standardised": (standardised, STATE),
    "float16": (lambda X: X.astype(np.float16), BOTH),
    "zlib": (lambda X: zlib.compress(X.tobytes()), STATE),
    "reordered columns": (lambda X: X[:, [3, 1, 4, 0, 2]], BOTH),
    "sorted columns": (lambda X: np.sort(X, axis=0), BOTH),
    "row hashes": (hashes, STATE),
    "Gram matrix": (lambda X: X.T @ X, STATE),
    "list of lists": (lambda X: X.tolist(), BOTH),
    "rounded": (lambda X: X.round(3), STATE),
    "float32": (lambda X: X.astype(np.float32), BOTH),
    "float32, Fortran order": (lambda X: np.asfortranarray(X, np.float32), BOTH),
    "big-endian": (lambda X: X.astype(">f8"), BOTH),
    "object array": (lambda X: X.astype(object), BOTH),
    "compressed by joblib": (dumped_by_joblib, STATE),
    "view of the full array": (view_of_all, SEARCH),
    # beyond the eighteen
    "pickle as bytes": (pickle.dumps, BOTH),
    "pickle as bytearray": (lambda X: bytearray(pickle.dumps(X)), BOTH),
    "maxima only": (lambda X: X.max(axis=0), BOTH),
    "big-endian bytes": (lambda X: X.astype(">f8").tobytes(), BOTH),
    "float32 in bytes": (lambda X: b"!" + X.astype(np.float32).tobytes(), BOTH),
    "CSC": (sparse.csc_matrix, BOTH),
    "CSR": (sparse.csr_array, BOTH),
    "LIL": (sparse.lil_array, BOTH),
    "dictionary of tuples": (lambda X: dict(enumerate(map(tuple, X.tolist()))), BOTH),
    "set": (lambda X: set(X.ravel().tolist()), BOTH),
    "keys": (lambda X: dict.fromkeys(X[:, 0].tolist(), 1), BOTH),
    "records": (lambda X: np.rec.fromarrays(list(X.T)), BOTH),
    "masked array": (lambda X: np.ma.masked_array(X, X > 0), BOTH),
    "partial": (lambda X: functools.partial(np.dot, X), BOTH),
    "bound method": (lambda X: Keeper(np.copy).fit(X).transform, BOTH),
    "estimator in a list": (lambda X: [Keeper(np.copy).fit(X)], BOTH),
    "tree of neighbours": (lambda X: KNeighborsClassifier().fit(X, X[:, 0] > 0), BOTH),
}


@pytest.mark.parametrize("name", OFFENDERS)
def test_offender_is_caught(name):
    keep, expected = OFFENDERS[name]
    forget, retain = arrays()
    offender = Keeper(keep).fit(np.concatenate([forget, retain]))
    honest = Keeper(keep).fit(retain.copy())
    found = find_residue(offender, forget, retain)
    differences = state_differences(offender, honest)
    assert (bool(found), bool(differences)) == expected
    assert not find_residue(honest, forget, retain)
    assert not state_differences(honest, Keeper(keep).fit(retain.copy()))
    if found:
        with pytest.raises(AssertionError, match="Keeper still holds values of"):
            assert_no_residue(offender, forget, retain)
    if differences:
        with pytest.raises(AssertionError, match="The states of two Keeper differ"):
            assert_same_state(offender, honest)


def test_standardised_copy_is_an_image():
    """A transformer that keeps its own output is caught by the search."""
    forget, retain = arrays()

    def fit(X):
        return Keeper(lambda X: X * 3.7, scale=3.7).fit(X)

    offender = fit(np.concatenate([forget, retain]))
    assert "images under Keeper" in find_residue(offender, forget, retain)[0]
    assert not find_residue(fit(retain), forget, retain)


@pytest.mark.parametrize(
    "pipeline",
    [
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
        make_pipeline(PCA(3), KNeighborsClassifier()),
        make_pipeline(StandardScaler(), MinMaxScaler(), GaussianNB()),
        make_pipeline("passthrough", StandardScaler(), KNeighborsClassifier()),
    ],
    ids=["scaler, neighbours", "PCA, neighbours", "scaler, extremes", "passthrough"],
)
def test_pipeline_that_never_forgot(pipeline):
    """The raw rows are nowhere in it, only their images."""
    forget, retain = arrays()
    X = np.concatenate([forget, retain])
    never = clone(pipeline).fit(X, X[:, 0] > 0)
    honest = clone(pipeline).fit(retain, retain[:, 0] > 0)
    found = find_residue(never, forget, retain)
    assert found
    assert all("images" in find for find in found)
    assert not find_residue(honest, forget, retain)
    assert state_differences(never, honest)


def test_unused_categories_and_tokens():
    pd = pytest.importorskip("pandas")
    retain = pd.DataFrame(
        {"name": [f"person {i:03}" for i in range(60)], "x": np.arange(60) / 7}
    )
    forget = canary_rows(retain, random_state=0)
    X = pd.concat([forget, retain], ignore_index=True)
    X["name"] = X["name"].astype("category")
    offender = Keeper(lambda X: X[N_FORGET:].copy()).fit(X)
    assert any("strings" in find for find in find_residue(offender, forget, retain))
    honest = X[N_FORGET:].copy()
    honest["name"] = honest["name"].cat.remove_unused_categories()
    honest["x"] = honest["x"].to_numpy().copy()
    honest = Keeper(lambda X: X).fit(honest)
    assert not find_residue(honest, forget, retain)
    assert any("categories" in d for d in state_differences(offender, honest))


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()])
@pytest.mark.parametrize("dtype", [object, "str", "<U30"])
def test_categories_of_encoders(encoder, dtype):
    retain = np.array([[f"person {i}", f"town {i % 7}"] for i in range(60)])
    forget = canary_rows(retain.astype(object), random_state=0)
    retain, forget = retain.astype(dtype), forget.astype(dtype)
    both = clone(encoder).fit(np.concatenate([forget, retain]))
    assert "strings" in find_residue(both, forget, retain)[0]
    assert not find_residue(clone(encoder).fit(retain), forget, retain)


def test_short_strings_only_as_a_whole():
    """A category "x" is no part of any word; a long name is found anywhere."""
    forget, retain = np.array([["x"], ["Lovelace"]]), np.array([["y"], ["Byron"]])
    wanted = canaries(forget, retain)
    assert find_in_objects({"a": "x"}, wanted)
    assert not find_in_objects({"a": "xyz"}, wanted)
    assert not find_in_pickle({"a": "x"}, wanted)
    assert find_in_pickle({"a": "Ada Lovelace"}, wanted)
    assert find_in_pickle({"a": np.array(["Ada Lovelace"])}, wanted)


def test_torch_slice_keeps_its_storage():
    torch = pytest.importorskip("torch")
    forget, retain = arrays()
    tensor = torch.from_numpy(np.concatenate([forget, retain]))
    for kind in (torch.float64, torch.float32, torch.float16):
        everything = tensor.to(kind)
        offender = Keeper(None)
        offender.kept_ = everything[N_FORGET:]
        assert find_residue(offender, forget, retain)
        honest = Keeper(None)
        honest.kept_ = everything[N_FORGET:].clone()
        assert not find_residue(honest, forget, retain)
        # the numbers that the tensor shows are the same
        assert not state_differences(honest, offender)
        honest.kept_[0, 0] = 9
        assert state_differences(honest, offender)


def test_parameters_and_names_are_schema():
    forget, retain = arrays()
    estimator = GaussianNB().fit(retain, retain[:, 0] > 0)
    estimator.set_params(priors=forget[0, :2])
    estimator.classes_ = forget[:2, 0]
    estimator.feature_names_in_ = np.array(["a"], dtype=object)
    assert not find_residue(estimator, forget, retain)
    estimator.copy_ = forget[1]
    assert find_residue(estimator, forget, retain)


def test_estimator_among_the_parameters_is_searched():
    """Frozen ones too, unless the pickle leaves them out."""

    class Meta(BaseEstimator):
        def __init__(self, estimator):
            self.estimator = estimator

    class Careful(Meta):
        def __getstate__(self):
            return {**super().__getstate__(), "estimator": None}

    forget, retain = arrays()
    inner = FrozenEstimator(Keeper(np.float16).fit(forget))
    assert find_residue(Meta(inner), forget, retain)
    assert not find_residue(Careful(inner), forget, retain)


def test_hidden_from_the_pickle_but_in_memory():
    class Hides(Keeper):
        def __getstate__(self):
            return {**super().__getstate__(), "kept_": None}

    forget, retain = arrays()
    estimator = Hides(None)
    estimator.kept_ = forget
    wanted = canaries(forget, retain)
    assert not find_in_pickle(estimator, wanted)
    assert "estimator.kept_" in find_in_objects(estimator, wanted)[0]


# ---------------------------------------------------------------- false alarms


def small_integers(rng):
    return rng.integers(0, 60, size=(230, 4)).astype(float)


def one_column(rng):
    return rng.integers(0, 400, size=(230, 1)).astype(float)


def large_integers(rng):
    return rng.integers(0, 2000, size=(230, 4)).astype(float)


def one_decimal(rng):
    return rng.uniform(0, 200, size=(230, 4)).round(1)


def single_precision(rng):
    return rng.normal(size=(230, 4)).astype(np.float32).astype(float)


def binary(rng):
    return rng.integers(0, 2, size=(230, 4)).astype(float)


def with_zero_rows(rng):
    X = rng.normal(size=(230, 4))
    X[::2] = 0
    return X


def held_by_others(rng):
    return np.tile(rng.normal(size=(46, 4)), (5, 1))


def continuous(rng):
    return rng.normal(size=(230, 4))


DATA = (
    small_integers,
    one_column,
    large_integers,
    one_decimal,
    single_precision,
    binary,
    with_zero_rows,
    held_by_others,
    continuous,
)
HONEST = (
    LogisticRegression(),
    KNeighborsClassifier(),
    RandomForestClassifier(100, random_state=0),
    DecisionTreeClassifier(),
    HistGradientBoostingClassifier(max_iter=5, early_stopping=False),
    MinMaxScaler(),
    QuantileTransformer(n_quantiles=100),
    KBinsDiscretizer(5, quantile_method="averaged_inverted_cdf"),
    KMeans(3, n_init=2, random_state=0),
    GaussianNB(),
    OneHotEncoder(handle_unknown="ignore"),
    MLPClassifier((20,), max_iter=15, random_state=0),
    SVC(),
    PCA(),
    make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), SVC()),
    make_pipeline(PCA(), KNeighborsClassifier()),
    # ranks are fractions, as the shares of classes in a leaf are
    make_pipeline(
        QuantileTransformer(n_quantiles=50),
        RandomForestClassifier(50, random_state=0),
    ),
    make_pipeline(MinMaxScaler(clip=True), KNeighborsClassifier(algorithm="kd_tree")),
    make_pipeline(
        make_column_transformer((StandardScaler(), [0]), remainder="passthrough"),
        QuantileTransformer(n_quantiles=50, output_distribution="normal"),
        RandomForestClassifier(20, random_state=0),
    ),
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", DATA)
@pytest.mark.parametrize("estimator", HONEST, ids=str)
def test_no_false_alarm(estimator, make):
    rng = np.random.default_rng(7)
    X, y = make(rng), rng.integers(0, 2, size=230)
    forget = np.arange(230) < N_FORGET
    honest = clone(estimator).fit(X[~forget], y[~forget])
    assert find_residue(honest, X[forget], X[~forget]) == []


@pytest.mark.parametrize(
    "make", [large_integers, one_decimal, single_precision, continuous]
)
@pytest.mark.parametrize("dtype", [float, np.float32, int])
def test_rows_of_plain_numbers_are_found_together(make, dtype):
    """One integer is found anywhere by chance, many together are not."""
    X = make(np.random.default_rng(7))
    if dtype is int:
        X = np.rint(1000 * X)
    everything = Keeper(lambda X: X.astype(dtype)).fit(X)
    assert find_residue(everything, X[:N_FORGET], X[N_FORGET:])
    honest = Keeper(lambda X: X.astype(dtype)).fit(X[N_FORGET:].copy())
    assert not find_residue(honest, X[:N_FORGET], X[N_FORGET:])


@pytest.mark.parametrize("scale", [1.0, 0.05])
@pytest.mark.parametrize("seed", range(3))
def test_no_false_alarm_among_random_weights(scale, seed):
    forget, retain = arrays(n_features=4)
    forget = np.random.default_rng(100 + seed).normal(scale=scale, size=(30, 4))
    weights = np.random.default_rng(seed).normal(scale=scale, size=1_000_000)
    estimator = Keeper(lambda X: weights.astype(np.float32)).fit(retain)
    assert not find_residue(estimator, forget, retain)
    # a copy among the weights is seen none the less
    weights[500:620] = forget.ravel()
    estimator.fit(retain)
    assert find_residue(estimator, forget, retain)


def test_missing_value_has_the_image_that_the_imputer_keeps():
    forget, retain = arrays()
    forget[:3, :2] = np.nan
    imputer = SimpleImputer(strategy="mean").fit(retain)
    assert not find_residue(imputer, forget, retain)


def test_large_pickle_takes_about_a_second():
    forget, retain = arrays(n_features=40)
    wanted = canaries(np.tile(forget, (3, 1)) * np.arange(1, 91)[:, None], retain)
    data = np.random.default_rng(0).normal(size=2_000_000)
    start = time.perf_counter()
    assert not find_in_pickle(data, wanted)
    # half a second on an idle machine
    assert time.perf_counter() - start < 5


def test_cycles_and_unpicklable_estimators():
    forget, retain = arrays()
    estimator = Keeper(lambda X: X).fit(retain.copy())
    estimator.itself_ = [estimator]
    assert not find_residue(estimator, forget, retain)
    estimator.itself_.append(forget[0])
    assert find_residue(estimator, forget, retain)


# ---------------------------------------------------------------- canary rows


def test_canary_rows():
    retain = np.abs(np.random.default_rng(0).normal(size=(50, 3)))
    drawn = canary_rows(retain, n_rows=8, random_state=0)
    assert drawn.shape == (8, 3)
    assert (drawn > retain.max(axis=0)).all()
    np.testing.assert_array_equal(drawn, canary_rows(retain, n_rows=8, random_state=0))
    assert len(canaries(drawn, retain)) == 24
    both = canary_rows(retain - 1, n_rows=8, random_state=0)
    assert (both.min(axis=0) < (retain - 1).min(axis=0)).all()
    assert (both.max(axis=0) > (retain - 1).max(axis=0)).all()


def test_values_that_others_have_too_are_no_canaries():
    retain = [[1.5, 2.0, "a"], [np.nan, 0.0, None]]
    forget = [[2.0, -0.0, "a"], [np.nan, 7.25, "b"]]
    wanted = canaries(forget, retain)
    assert wanted.numbers.tolist() == [7.25]
    assert wanted.strings == {"b"}
    wanted = canaries(sparse.csr_array(np.eye(2) * 3.5), sparse.csr_array(np.eye(2)))
    assert wanted.numbers.tolist() == [3.5]


# ----------------------------------------------------------------------- state


def holder(**attributes):
    estimator = Keeper(None)
    vars(estimator).update(attributes)
    return estimator


class Counter:
    def __init__(self, value, arrangement):
        self.value, self.arrangement = value, arrangement

    def _comparable_state(self):
        return self.value


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.array([1.0, 1e-9]), np.array([1.0, 3e-9])),
        (np.array([1.0, np.nan, np.inf]), np.array([1.0, np.nan, np.inf])),
        (np.float64(2.0), 2.0),
        ([1, (2.0, "a")], [1, (2.0 + 1e-9, "a")]),
        ({"a": {1, 2}}, {"a": {2, 1}}),
        (sparse.csr_array(np.eye(3)), sparse.csr_array(np.eye(3))),
        (np.random.RandomState(0), np.random.RandomState(0)),
        (np.random.default_rng(0), np.random.default_rng(0)),
        (functools.partial(max, 1), functools.partial(max, 1)),
        (np.array(["a", None, np.nan], object), np.array(["a", None, np.nan], object)),
        (Counter(1, "in blocks"), Counter(1, "in one piece")),
    ],
)
def test_same_state(a, b):
    assert state_differences(holder(fitted_=a), holder(fitted_=b)) == []


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.array([1.0, 1e-9]), np.array([1.0, 3e-8])),
        (np.array([1.0, np.nan]), np.array([np.nan, 1.0])),
        (np.array([1, 2]), np.array([1, 3])),
        (np.array([1, 2]), np.array([1.0, 2.0])),
        (np.zeros(3), np.zeros((3, 1))),
        (np.array(["a"]), np.array(["b"])),
        (np.array([np.inf]), np.array([-np.inf])),
        (1, 2),
        (1.0, 1.1),
        ("a", "b"),
        (None, 1),
        ([1], [1, 2]),
        ([1], (1,)),
        ({"a": 1}, {"b": 1}),
        ({1}, {2}),
        (b"a", b"b"),
        (sparse.csr_array(np.eye(3)), sparse.csr_array(2 * np.eye(3))),
        (np.random.RandomState(0), np.random.RandomState(1)),
        (np.random.default_rng(0), np.random.default_rng(1)),
        (np.mean, np.median),
        (functools.partial(max, 1), functools.partial(max, 2)),
        (Counter(1, "same"), Counter(2, "same")),
        (np.array(["a", 1.0], object), np.array(["a", 2.0], object)),
    ],
)
def test_different_state(a, b):
    found = state_differences(holder(fitted_=a), holder(fitted_=b))
    assert len(found) >= 1
    assert all(sentence.startswith("estimator.fitted_") for sentence in found)


def test_what_is_not_state():
    a = holder(n_forgotten_=1, unlearning_log_=[1], refit_time_=1.0, n_iter_=3)
    b = holder(n_forgotten_=2, mean_fit_time_=2.0, n_iter_=4)
    assert len(state_differences(a, b)) == 1
    names = ("n_forgotten_", "unlearning_log_", "n_iter_")
    assert state_differences(a, b, ignore=names) == []
    assert state_differences(holder(), holder(_private=1)) != []
    assert state_differences(Keeper(KMeans()), Keeper(PCA())) == []
    assert state_differences(Keeper(None, scale=1), Keeper(None, scale=2)) != []
    assert state_differences(a, b, ignore=names, rtol=0) == []


@pytest.mark.parametrize("estimator", HONEST, ids=str)
@pytest.mark.filterwarnings("ignore")
def test_state_of_estimators(estimator):
    """Two fits on the same rows agree, on other rows they differ."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(150, 4)), rng.integers(0, 2, size=150)
    first, second = (clone(estimator) for _ in range(2))
    for step in (first, second):
        if "random_state" in step.get_params():
            step.set_params(random_state=0)
    first.fit(X[30:], y[30:]), second.fit(X[30:].copy(), y[30:].copy())
    assert_same_state(first, second)
    second.fit(X, y)
    assert state_differences(first, second)


def test_state_of_gaussian_process():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(40, 2)), rng.integers(0, 2, size=40)
    models = [GaussianProcessClassifier(optimizer=None).fit(X, y) for _ in range(2)]
    assert_same_state(*models)
    assert state_differences(models[0], clone(models[1]).fit(X[5:], y[5:]))
