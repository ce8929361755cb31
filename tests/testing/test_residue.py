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
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from sklearn_unlearn.testing._canaries import canaries, canary_rows
from sklearn_unlearn.testing._residue import (
    assert_no_residue,
    find_in_objects,
    find_in_pickle,
)
from sklearn_unlearn.utils.estimator_checks import assert_same_state, find_residue
from tests.testing._estimators import HONEST, Keeper

N_FORGET = 30


def arrays(seed=0, n_retain=120, n_features=5):
    """Rows to forget, which hold every extreme, and rows to retain."""
    retain = np.random.default_rng(seed).normal(size=(n_retain, n_features))
    return canary_rows(retain, n_rows=N_FORGET, random_state=seed), retain


def differ(a, b):
    """Whether `assert_same_state` raises."""
    try:
        assert_same_state(a, b)
    except AssertionError as error:
        return "states of two" in str(error)
    return False


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
    assert (bool(found), differ(offender, honest)) == expected
    assert not find_residue(honest, forget, retain)
    assert_same_state(honest, Keeper(keep).fit(retain.copy()))
    if found:
        with pytest.raises(AssertionError, match="Keeper still holds values of"):
            assert_no_residue(offender, forget, retain)


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
    assert differ(never, honest)


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
    with pytest.raises(AssertionError, match="categories"):
        assert_same_state(offender, honest)


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
        assert_same_state(honest, offender)
        honest.kept_[0, 0] = 9
        assert differ(honest, offender)


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


def test_what_a_pickle_leaves_out_is_still_in_memory():
    class Hides(Keeper):
        def __getstate__(self):
            return {k: v for k, v in super().__getstate__().items() if k != "kept_"}

    forget, retain = arrays()
    found = find_residue(Hides(np.copy).fit(forget), forget, retain)
    assert found and not any("the pickle" in find for find in found)


def test_words_of_the_code_are_no_data():
    """Names of classes and modules, and words among the parameters, are in a pickle."""
    words = ["GaussianNB", "sklearn.naive_bayes", "var_smoothing", "most_frequent"]
    forget = np.array(words, dtype=object)[:, None]
    retain = np.array([["somebody else"]], dtype=object)
    numbers = np.arange(6.0)[:, None]
    inner = SimpleImputer(strategy="most_frequent").fit(numbers)
    for model in (GaussianNB().fit(numbers, [0, 1] * 3), inner):
        assert not find_residue(model, forget, retain)
        model.kept_ = "most_frequent, and more"
    assert find_residue(Keeper(np.copy).fit(forget), forget, retain)
