"""What rules keep from one request to the next, and what they read of the rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.preprocessing import OrdinalEncoder, RobustScaler
from sklearn.utils import get_tags

from sklearn_unlearn.exact import CertifiedRidge, ExactUnlearner, find_rule
from sklearn_unlearn.exact.statistics._column_counts import Column
from sklearn_unlearn.rows._request import Request
from sklearn_unlearn.rows._store import RowStore
from sklearn_unlearn.utils.estimator_checks import assert_same_state
from tests.exact._data import training_rows
from tests.exact.rules._class_cases import CLASSIFIERS, labelled_rows
from tests.exact.rules._transformer_cases import FULL, N_ROWS, RNG


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_no_row_is_read_again(name, monkeypatch):
    X, y = labelled_rows(name)
    model = ExactUnlearner(CLASSIFIERS[name][0]).fit(X, y).prepare()
    assert model.unlearning_cost(X[:1], y[:1]).path == "summaries"
    assert get_tags(model).unlearner_tags.guarantee == "exact"
    monkeypatch.setattr(type(model._rows), "rows", None)
    gone = np.flatnonzero(y == "c")
    model.unlearn(X[:1], y[:1]).unlearn(X[5:9], y[5:9])
    if "priors" not in name:
        model.unlearn(X[gone[20:]], y[gone[20:]])
    assert model.n_forgotten_ >= 5


def test_arrays_of_the_memory_own_their_data():
    model = ExactUnlearner(RobustScaler()).fit(FULL).prepare()
    model.unlearn(FULL[[3]]).unlearn(FULL[[8]])
    for column in model._rule_state.value.columns:
        assert column.values.base is None
        assert column.counts.base is None


def test_behind_a_transformation_that_rounds():
    # a product of matrices rounds differently for few rows: cells are not found
    X = RNG.normal(size=(N_ROWS, 30))
    turn = np.linalg.qr(RNG.normal(size=(30, 30)))[0]

    def transform(X):
        # as if the rounding depended on how many rows there are
        return X @ turn * (1.0 + 1e-16 * 2 * (len(X) % 7))

    goes = np.arange(3, 9)
    store = RowStore.keep(X)
    for estimator in (
        RobustScaler(),
        SimpleImputer(strategy="median"),
        OrdinalEncoder(),
    ):
        rule, view = find_rule(estimator), store.through(transform)
        fitted = clone(estimator).fit(view.rows().X)
        state = rule.remember(fitted, view)
        left, forgotten = store.split(goes)
        mask = np.isin(np.arange(N_ROWS), goes)
        blocks = store.blocks_of(goes)
        request = Request(mask, forgotten, left.through(transform).rows, blocks=blocks)
        outcome = rule.forget(
            fitted, state, left.through(transform), request.through(transform)
        )
        reference = clone(estimator).fit(transform(np.delete(X, goes, axis=0)))
        assert_same_state(outcome.estimator, reference, rtol=1e-12)
        moved = Request(mask, forgotten, left.through(transform).rows)
        assert rule.forget(fitted, state, left, moved).state is None


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_quantiles_are_those_of_numpy(offset):
    for n_rows in (1, 2, 3, 10, 101):
        cells = np.round(RNG.normal(size=n_rows), 2) + offset
        shares = np.linspace(0, 1, 37)
        ours = Column.of(cells).quantiles(shares)
        np.testing.assert_array_equal(ours, np.nanquantile(cells, shares))


def test_a_drifted_factor_is_computed_anew():
    X, y = training_rows("number", 160)
    estimator = KernelRidge(kernel="rbf", alpha=0.3)
    fitted, store = clone(estimator).fit(X, y), RowStore.keep(X, y)
    rule = find_rule(estimator)
    state = rule.remember(fitted, store)
    factor = state.factors[0.3]
    lower = np.tril_indices(len(X))
    factor._both[lower] *= 1 + 1e-6 * np.random.default_rng(0).normal(
        size=len(lower[0])
    )
    renewed, _ = state.solve(estimator.alpha, y)
    assert renewed.factors[0.3] is not factor
    clean = rule.remember(fitted, store).factors[0.3]
    np.testing.assert_allclose(renewed.factors[0.3]._both, clean._both, atol=1e-14)


def test_what_ridge_keeps_does_not_tell_the_norm_of_a_row():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 1)) / 3, rng.normal(size=80)
    kept = [
        CertifiedRidge().fit(X, y).unlearn(X[[i]])._products._replace(sums=None)
        for i in (np.abs(X[:, 0]).argmin(), np.abs(X[:, 0]).argmax())
    ]
    assert kept[0] == kept[1]
