"""Networks on sparse rows: the numbers of dense ones, without their memory."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import MaxAbsScaler
from torch import nn

from sklearn_unlearn.exact import SISAClassifier
from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NPO, Blindspot

X, y = load_digits(return_X_y=True)
X, y = X[:200] / 16, y[:200]
FAST = {"hidden_layer_sizes": (16,), "max_iter": 4, "n_iter_no_change": 4}
FORMATS = [
    kind
    for name in ("csr", "csc", "coo", "bsr", "lil", "dok")
    for kind in (getattr(sparse, f"{name}_matrix"), getattr(sparse, f"{name}_array"))
]


def chain(n_features, n_outputs):
    return nn.Sequential(
        nn.Linear(n_features, 12), nn.BatchNorm1d(12), nn.Dropout(0.1), nn.Linear(12, 1)
    )


def classes(n_features, n_outputs):
    return nn.Sequential(
        nn.Linear(n_features, 12), nn.ReLU(), nn.Dropout(0.1), nn.Linear(12, n_outputs)
    )


def assert_same(model, rows, forget):
    """Check that a model does on sparse rows what it does on dense ones, bit for bit.

    `forget` is how many rows are forgotten after the fit.
    """
    one, other = model(), model()
    one.fit(X, y)
    other.fit(rows, y)
    csr = sparse.csr_array(rows)
    for n_forgotten in (0, forget):
        if n_forgotten:
            one.unlearn(X[:forget])
            other.unlearn(csr[:forget])
        answer = "predict_proba" if hasattr(one, "predict_proba") else "predict"
        for here, there in ((X, rows), (X[:3], csr[:3])):
            np.testing.assert_array_equal(
                getattr(one, answer)(here), getattr(other, answer)(there)
            )
    return other


@pytest.mark.parametrize("kind", FORMATS)
def test_formats(kind):
    model = assert_same(lambda: DropoutRegressor(random_state=0, **FAST), kind(X), 5)
    assert isinstance(model.retained_rows().X, kind)


@pytest.mark.parametrize(
    "params",
    [
        {"module": classes},
        {"mc_samples": 0},
        {"early_stopping": True},
        {"store_training_data": True, "dropout": 0.0, "input_dropout": 0.2},
    ],
)
def test_settings(params):
    assert_same(
        lambda: DropoutClassifier(random_state=0, **FAST, **params),
        sparse.csr_array(X),
        5,
    )


def test_wrappers():
    network = DropoutClassifier(random_state=0, **FAST)
    module = DropoutRegressor(random_state=0, **FAST, module=chain)
    for model in (
        lambda: SISAClassifier(network, n_shards=2, random_state=0),
        lambda: make_pipeline(MaxAbsScaler(), network),
        lambda: make_pipeline(MaxAbsScaler(), NPO(network, random_state=0)),
        lambda: Blindspot(module, random_state=0),
    ):
        assert_same(model, sparse.csr_matrix(X), 5)
    search = GridSearchCV(network, {"dropout": [0.0, 0.2]}, cv=2)
    dense, thin = (search.fit(rows, y).cv_results_ for rows in (X, sparse.csr_array(X)))
    np.testing.assert_array_equal(dense["mean_test_score"], thin["mean_test_score"])


@pytest.mark.parametrize("network", [DropoutClassifier, DropoutRegressor])
def test_stream_and_rows_from_the_caller(network):
    one = network(random_state=0, store_training_data=False, **FAST)
    other = network(random_state=0, store_training_data=False, **FAST)
    for here, model in ((X, one), (sparse.csr_array(X), other)):
        model.partial_fit(here, y).partial_fit(here[:50], y[:50])
    np.testing.assert_array_equal(one.predict(X), other.predict(sparse.csr_array(X)))
    for here, model in ((X, one), (sparse.csr_array(X), other)):
        model.fit(here, y).unlearn(here[:5], X_retain=here[5:], y_retain=y[5:])
    np.testing.assert_array_equal(one.predict(X), other.predict(sparse.csr_array(X)))


def test_entries_given_twice_add_up_in_the_type_of_the_rows():
    # 0.1 + 0.2 in double precision is not, in single precision, the sum of the parts
    whole = np.tile([[0.1 + 0.2, 1.0]], (8, 1)) * np.arange(8)[:, None]
    columns = np.tile([0, 0, 1], 8)
    parts = (np.tile([0.1, 0.2, 1.0], (8, 1)) * np.arange(8)[:, None]).ravel()
    twice = sparse.csr_array((parts, columns, np.arange(0, 25, 3)), shape=whole.shape)
    model = DropoutRegressor(random_state=0, noise_precision=1.0, **FAST)
    expected = model.fit(twice.toarray(), np.arange(8.0)).predict(twice.toarray())
    nnz = twice.nnz
    np.testing.assert_array_equal(
        model.fit(twice, np.arange(8.0)).predict(twice), expected
    )
    assert twice.nnz == nnz  # the caller's matrix stays as it was


def test_rows_are_never_dense_all_at_once():
    rng = np.random.default_rng(0)
    wide = sparse.random_array((2000, 10_000), density=1e-3, format="csr", rng=rng)
    target = rng.normal(size=2000)
    network = DropoutRegressor((4,), mc_samples=2, max_iter=2, n_iter_no_change=2)
    tracemalloc.start()
    try:
        network.fit(wide, target)
        network.predict(wide)
        network.unlearn(wide[:3])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2000 * 10_000 * 4 / 2  # half of the dense rows in float32
