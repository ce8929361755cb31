"""Rules of transformers equal refitting, on arrays, frames, words and documents."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    MaxAbsScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils import _safe_indexing as take

from sklearn_unlearn.exact import ExactUnlearner, Outcome, find_rule
from sklearn_unlearn.utils.estimator_checks import assert_same_state, find_residue
from tests.exact._refit import count_refits, forget_and_compare, forget_rows
from tests.exact.rules._transformer_cases import (
    CASES,
    EXACT,
    FULL,
    KIND,
    LABEL,
    N_ROWS,
    RNG,
    TARGET,
    WORDS,
    sparse_counts,
)


def check_case(name, requests, **options):
    """Forget request by request, and compare the whole state with a refit."""
    estimator, X, *rest = CASES[name]
    y, rtol = rest[0] if rest else None, 0.0 if name in EXACT else 1e-8
    return forget_and_compare(estimator, X, y, requests, rtol=rtol, **options)[0]


def few_requests(kind):
    rng = np.random.default_rng(3)
    return {
        "random": [rng.choice(N_ROWS, 30, replace=False)],
        "fifty": np.random.default_rng(4).permutation(N_ROWS)[:50, None],
        "block": [np.arange(128, 256)],
        "own values": [[17], [5]],
        "copies": [np.arange(52, 60), [40, 50]],
        "half": [np.arange(0, N_ROWS, 2)],
        "all but two": [np.arange(2, N_ROWS - 7), np.arange(N_ROWS - 7, N_ROWS)],
    }[kind]


@pytest.mark.filterwarnings("ignore:n_quantiles")
@pytest.mark.filterwarnings("ignore:All-NaN", "ignore:Degrees of freedom")
@pytest.mark.filterwarnings("ignore:Currently, when `keep_empty:FutureWarning")
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "kind", ["random", "fifty", "block", "own values", "copies", "half", "all but two"]
)
def test_equals_refit(name, kind):
    if kind == "all but two" and name == "count, bounds":
        pytest.skip("with two documents no term is within the bounds")
    requests = few_requests(kind)
    # frames take longer to look rows up in, which is tested elsewhere
    check_case(name, requests[:15] if hasattr(CASES[name][1], "iloc") else requests)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_fitted_again(name):
    # what is compared above did not come from a refit
    estimator, X, *rest = CASES[name]
    model, _ = forget_rows(estimator, X, rest[0] if rest else None, ())
    with count_refits(estimator, N_ROWS // 2) as refits:
        for request in ([3], [5, 17], np.arange(30, 45)):
            model.unlearn(groups=request)
    assert not refits


@pytest.mark.parametrize(
    "name", ["median", "robust", "quantiles", "max-abs", "variance"]
)
def test_extremes_and_middles_go(name):
    estimator, X = CASES[name]
    middle = np.nanmedian(X, axis=0)
    nearest = np.nanargmin(np.abs(X - middle), axis=0)
    requests = [
        np.unique(nearest),
        np.unique(np.r_[np.nanargmax(X, 0), np.nanargmin(X, 0)]),
    ]
    requests[1] = np.setdiff1d(requests[1], requests[0])
    forget_and_compare(estimator, X, None, requests)


def test_the_most_frequent_value_goes_one_by_one():
    X = np.array([[3.0]] * 4 + [[1.0]] * 3 + [[2.0]] * 3 + [[np.nan]])
    for strategy in ("most_frequent", "median", "constant"):
        estimator = SimpleImputer(strategy=strategy, add_indicator=True)
        forget_and_compare(estimator, X, None, [[3], [2], [10], [4]])


def test_a_column_loses_all_its_values():
    X = np.array([[1.0, 1.0], [np.nan, 2.0], [np.nan, 3.0], [np.nan, 3.0]])
    for strategy in ("mean", "median", "most_frequent"):
        for kept in (False, True):
            estimator = SimpleImputer(strategy=strategy, keep_empty_features=kept)
            forget_and_compare(estimator, X, None, [[0]])


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("outlier", [1e13, 1e150, 1e200])
def test_a_forgotten_outlier_leaves_no_rounding_in_encodings(outlier):
    y = TARGET.copy()
    y[9], y[11] = outlier, -1e-200
    with np.errstate(over="ignore"):
        forget_and_compare(TargetEncoder(), WORDS, y, [[11], [9]])


def test_targets_in_single_precision_are_those_of_the_fit():
    y = RNG.normal(size=N_ROWS).astype(np.float32)
    forget_and_compare(TargetEncoder(), WORDS, y, [[9, 11]], rtol=0.0)


@pytest.mark.parametrize(
    ("estimator", "y", "request_"),
    [
        (TargetEncoder(), KIND, np.flatnonzero(KIND == "x")),  # three classes to two
        (TargetEncoder(), LABEL, np.flatnonzero(LABEL == "no")[1:]),
        # without fractions numbers are classes
        (TargetEncoder(), np.r_[0.5, 2.5, 2.0, KIND[3:] == "x"], [0, 1]),
    ],
)
def test_the_type_of_the_target_is_found_anew(estimator, y, request_):
    forget_and_compare(estimator, WORDS, y, [request_[:-1], request_[-1:]])
    after = np.setdiff1d(np.arange(N_ROWS), request_)[:3]
    forget_and_compare(estimator, WORDS, y, [request_, after[:1], after[1:]])


def test_a_subsample_is_drawn_anew():
    estimator = QuantileTransformer(n_quantiles=20, subsample=50, random_state=0)
    model, _ = forget_and_compare(estimator, FULL, None, [[3], [8, 9]])
    cost = model.unlearning_cost(FULL[:1])
    assert cost.path == "refit" and "does not cover these parameters" in cost.reason


def test_rounding_does_not_choose_columns():
    # the variance is the threshold, but for rounding
    X = np.column_stack([np.arange(11) % 5 == 0, np.arange(11)]).astype(float)
    forget_and_compare(VarianceThreshold(0.2 * (1 - 0.2)), X, None, [[10]], 0.0)


@pytest.mark.parametrize(
    ("estimator", "X", "request_", "message"),
    [
        (VarianceThreshold(), np.eye(5)[:, :1], [0], "variance threshold"),
        (
            CountVectorizer(min_df=2),
            ["one two", "two", "three"],
            [1],
            "no terms remain",
        ),
        (CountVectorizer(), ["one", "a", "b"], [0], "empty vocabulary"),
    ],
)
def test_what_cannot_be_fitted_is_not_forgotten(estimator, X, request_, message):
    model = ExactUnlearner(estimator).fit(X).prepare()
    before = model.estimator_
    with pytest.raises(ValueError, match=message):
        model.unlearn(take(X, request_))
    assert model.estimator_ is before
    assert model.n_forgotten_ == 0


UNCHANGED = [
    *("mode", "mode of words", "constant", "constant, frame"),
    *("one-hot", "one-hot, frame", "one-hot, all rare", "ordinal", "ordinal, frame"),
    *("count", "count, most", "tf-idf, no idf"),
]


@pytest.mark.parametrize("name", UNCHANGED)
def test_a_fit_that_stays_is_the_same_object(name):
    # a copy of each row stays: nothing goes but counts
    estimator, X = CASES[name]
    X = take(X, np.repeat(np.arange(N_ROWS), 2))
    model = ExactUnlearner(estimator).fit(X).prepare()
    before = model.estimator_
    for i in (6, 300, 500):
        assert model.unlearn(take(X, [i])).estimator_ is before
        assert find_rule(estimator).same_output(before, model.estimator_)
    # and what was counted is still there for the next one
    assert "prepare" not in model.unlearning_cost(take(X, [7])).reason


@pytest.mark.parametrize(
    "estimator",
    [
        SimpleImputer(strategy="median"),
        RobustScaler(),
        QuantileTransformer(n_quantiles=5),
    ],
)
def test_order_statistics_that_stay(estimator):
    X = np.repeat([[0.0], [1.0], [2.0], [3.0], [4.0]], 9, axis=0)
    model = ExactUnlearner(estimator).fit(X).prepare()
    before = model.estimator_
    assert model.unlearn([[0.0], [1.0], [3.0], [4.0]]).estimator_ is before
    assert model.unlearn(np.repeat([[3.0], [4.0]], 8, axis=0)).estimator_ is not before


@pytest.mark.parametrize("name", ["min-max", "max-abs", "max-abs, sparse", "variance"])
def test_outputs_that_stay_are_told(name):
    estimator, X = CASES[name]
    rule = find_rule(estimator)
    model = ExactUnlearner(estimator).fit(X).prepare()
    before = model.estimator_
    model.unlearn(take(X, [6]))
    assert rule.same_output(before, model.estimator_)
    if name == "variance":
        request = np.flatnonzero(X[:, 2] == 9.0)
    else:
        column = np.abs(X[:, [0]].toarray() if sparse.issparse(X) else X[:, [0]])
        request = np.flatnonzero(column == np.nanmax(column))
    model.unlearn(take(X, request))
    assert not rule.same_output(before, model.estimator_)


def test_fixed_parts_are_not_counted():
    given = [["a", "b", "c"]]
    X = np.array([["a"], ["b"], ["a"]], dtype=object)
    for estimator in (
        OneHotEncoder(categories=given),
        OrdinalEncoder(categories=given),
    ):
        model = ExactUnlearner(estimator).fit(X)
        before = model.estimator_
        assert model.unlearn(X[:1]).estimator_ is before


ON_NUMBERS = ["median", "robust", "quantiles", "max-abs", "min-max", "variance"]


@pytest.mark.parametrize("name", [*ON_NUMBERS, "one-hot, numbers"])
def test_no_forgotten_value_is_left(name):
    estimator = CASES[name][0]
    X = np.random.default_rng(5).normal(size=(N_ROWS, 3))
    model = ExactUnlearner(estimator).fit(X).prepare()
    goes = np.unique(
        np.r_[X.argmax(axis=0), X.argmin(axis=0), np.argsort(X[:, 0])[199:202]]
    )
    model.unlearn(X[goes])
    stays = np.setdiff1d(np.arange(N_ROWS), goes)
    assert find_residue(model, X[goes], X[stays]) == []


def test_no_forgotten_word_is_left():
    for name in (
        "one-hot",
        "ordinal, frame",
        "mode, frame",
        "target",
        "count",
        "tf-idf",
    ):
        estimator, X, *rest = CASES[name]
        y = rest[0] if rest else None
        model = ExactUnlearner(estimator).fit(X, y).prepare()
        model.unlearn(take(X, [5, 17]), None if y is None else y[[5, 17]])
        written = pickle.dumps(model)
        for word in ("secret", "only the forgotten"):
            assert word.encode() not in written
            assert word.encode("utf-32-le") not in written  # as numpy writes them
        if not isinstance(X, list):
            gone = np.isin(np.arange(N_ROWS), [5, 17])
            assert find_residue(model, take(X, gone), take(X, ~gone)) == []


@pytest.mark.parametrize("planted", ["old median", "old categories", "old counts"])
def test_a_wrong_rule_is_noticed(planted, monkeypatch):
    name = {"old median": "median", "old categories": "one-hot", "old counts": "robust"}
    estimator = CASES[name[planted]][0]
    rule = find_rule(estimator)
    if planted == "old counts":
        forget = rule.forget

        def forgets_to_forget(fitted, state, store, request):
            new, _, output = forget(fitted, state, store, request)
            return Outcome(new, state, output)

        monkeypatch.setattr(rule, "forget", forgets_to_forget)
    else:
        monkeypatch.setattr(rule, "assemble", lambda fitted, counts: fitted)
    with pytest.raises(AssertionError):
        check_case(name[planted], [[17], [5], np.arange(100, 300)])


def test_other_rows_that_are_given_are_fitted():
    model = ExactUnlearner(RobustScaler(), store_training_data=False).fit(FULL)
    model.unlearn(FULL[:5], X_retain=2 * FULL[5:])
    reference = RobustScaler().fit(2 * FULL[5:])
    assert_same_state(model.estimator_, reference, rtol=0.0)


def test_truncated_svd_is_fitted_again():
    X = sparse_counts()
    estimator = TruncatedSVD(3, random_state=0)
    assert find_rule(estimator).path == "refit"
    forget_and_compare(estimator, X, None, [[3, 5]], rtol=0.0, prepared=False)


CELLS = st.sampled_from(["a", "b", "c", "d", None, np.nan])
NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 2.5, 1e6, np.nan])


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    name=st.sampled_from(
        [
            *(*ON_NUMBERS, "mode", "mean", "constant", "target, three by variance"),
            *("one-hot", "ordinal", "one-hot, rare"),
        ]
    ),
    n_rows=st.integers(8, 40),
    n_requests=st.integers(1, 4),
)
@pytest.mark.filterwarnings("ignore")
def test_any_requests_equal_refit(data, name, n_rows, n_requests):
    estimator, _, *rest = CASES[name]
    estimator = clone(estimator)
    objects = name in ("one-hot", "ordinal", "one-hot, rare")
    cells = data.draw(
        st.lists(
            CELLS if objects else NUMBERS, min_size=2 * n_rows, max_size=2 * n_rows
        )
    )
    X = np.array(cells, dtype=object if objects else None).reshape(n_rows, 2)
    if not objects:
        X[:2] = [[0.0, 1.0], [3.0, 2.0]]  # not all constant
    y = rest[0][:n_rows] if rest else None
    order = data.draw(st.permutations(range(2, n_rows)))
    chosen = np.array(order[: data.draw(st.integers(1, n_rows - 2))])
    requests = [r for r in np.array_split(chosen, n_requests) if len(r)]
    forget_and_compare(estimator, X, y, requests, prepared=data.draw(st.booleans()))


@pytest.mark.parametrize(
    ("load", "n_rows"), [("adult", 4000), ("diabetes130", 3000)], ids=str
)
def test_real_columns(load, n_rows, loaders):
    data = getattr(loaders, load)()
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(data["X"]), n_rows, replace=False)
    X, y = data["X"].iloc[chosen].reset_index(drop=True), data["y"][chosen]
    whole = X.select_dtypes("number")
    named = X.select_dtypes(exclude="number").iloc[:, :12]
    requests = rng.choice(n_rows, (20, 10), replace=False)
    for estimator, table in [
        (RobustScaler(), whole),
        (QuantileTransformer(n_quantiles=100), whole),
        (MaxAbsScaler(), whole),
        (VarianceThreshold(), whole),
        (SimpleImputer(strategy="median", add_indicator=True), whole),
        (SimpleImputer(strategy="most_frequent", add_indicator=True), named),
        (SimpleImputer(strategy="most_frequent"), X.iloc[:, :8]),
        (SimpleImputer(strategy="constant"), named),
        (OneHotEncoder(min_frequency=5), named),
        (OrdinalEncoder(), X.iloc[:, :8]),
        (TargetEncoder(), named),
    ]:
        forget_and_compare(estimator, table, y, requests)


@pytest.mark.slow
def test_ten_thousand_requests_do_not_drift():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 4)) * [1.0, 1e-3, 1e3, 1.0] + [0.0, 1.0, 1e6, -5.0]
    X[::500] *= 1e3
    model = ExactUnlearner(StandardScaler()).fit(X).prepare()
    encoder = ExactUnlearner(OrdinalEncoder()).fit(np.floor(X)).prepare()
    order = rng.permutation(20_000)
    for i in order[:10_000]:
        model.unlearn(X[[i]])
        encoder.unlearn(np.floor(X[[i]]))
    rest = X[np.sort(order[10_000:])]
    reference = StandardScaler().fit(rest)
    assert_same_state(model.estimator_, reference, rtol=1e-6)
    # a value is gone once all its rows are, however many requests that took
    assert_same_state(encoder.estimator_, OrdinalEncoder().fit(np.floor(rest)), rtol=0)
