"""Parameters that change between a fit and a request."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)

from sklearn_unlearn.exact import (
    CertifiedRidge,
    ExactUnlearner,
    RemovalForestClassifier,
    Retrain,
    SISAClassifier,
)
from sklearn_unlearn.model_selection import SearchUnlearner
from sklearn_unlearn.neural_network import DropoutClassifier, S3TClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import FineTune
from sklearn_unlearn.utils.estimator_checks import assert_same_state

X = np.abs(np.random.default_rng(0).normal(size=(60, 3)))
Y = np.arange(60) % 2


def network():
    return DropoutClassifier((4,), max_iter=3, n_iter_no_change=3, random_state=0)


CHANGES = [
    (
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__fit_intercept": False},
    ),
    (
        make_pipeline(SimpleImputer(), LogisticRegression()),
        {"simpleimputer__strategy": "median"},
    ),
    (
        make_pipeline(StandardScaler(), GaussianNB()),
        {"standardscaler": MinMaxScaler()},
    ),
    (make_pipeline(StandardScaler(), GaussianNB()), {"standardscaler": "passthrough"}),
    (
        make_pipeline(
            make_column_transformer((StandardScaler(), [0]), remainder="passthrough"),
            GaussianNB(),
        ),
        {"columntransformer__standardscaler__with_mean": False},
    ),
    (
        make_pipeline(FunctionTransformer(np.log1p), GaussianNB()),
        {"functiontransformer__func": np.sqrt},
    ),
    (ExactUnlearner(KernelRidge(kernel="rbf")), {"estimator__gamma": 2.0}),
    (ExactUnlearner(BernoulliNB()), {"estimator__binarize": 0.5}),
    (ExactUnlearner(TargetEncoder(target_type="binary")), {"estimator__smooth": 3.0}),
    (ExactUnlearner(SimpleImputer()), {"estimator__missing_values": -1}),
    (Retrain(GaussianNB()), {"estimator": BernoulliNB()}),
    (
        ExactUnlearner(GaussianNB(priors=np.array([0.5, 0.5]))),
        {"estimator__priors": np.array([0.1, 0.9])},
    ),
    (
        make_pipeline(FunctionTransformer(partial(np.add, 1)), GaussianNB()),
        {"functiontransformer__func": partial(np.add, 2)},
    ),
    (
        make_pipeline(FunctionTransformer(np.nan_to_num), GaussianNB()),
        {"functiontransformer__func": np.round},
    ),
    (
        make_pipeline(OrdinalEncoder(categories=[np.unique(X)] * 3), GaussianNB()),
        {"ordinalencoder__categories": [np.append(np.unique(X), 9.0)] * 3},
    ),
    (
        SearchUnlearner(GridSearchCV(GaussianNB(), {"var_smoothing": [0.1]}, cv=2)),
        {"search__param_grid": {"var_smoothing": [0.2]}},
    ),
    (
        SearchUnlearner(
            GridSearchCV(GaussianNB(), {"var_smoothing": [0.1]}, cv=KFold(2))
        ),
        {"search__cv": KFold(3)},
    ),
    (
        Retrain(VotingClassifier([("model", GaussianNB())])),
        {"estimator__model__var_smoothing": 0.1},
    ),
    (SISAClassifier(LogisticRegression(), n_shards=2), {"estimator__C": 0.1}),
    (SISAClassifier(LogisticRegression(), n_shards=2), {"n_shards": 3}),
    (CertifiedRidge(), {"clip_norm": 2.0}),
    (RemovalForestClassifier(2, random_state=0), {"max_depth": 2}),
    (
        S3TClassifier(n_shards=1, n_components=4, n_epochs=1, random_state=0),
        {"alpha": 1.0},
    ),
    (network(), {"hidden_layer_sizes": (5,)}),
    (FineTune(network()), {"estimator__alpha": 0.1}),
]


def test_the_former_estimator_is_called_by_its_public_name():
    model = make_pipeline(StandardScaler(), GaussianNB()).fit(X, Y)
    model.set_params(standardscaler=MinMaxScaler())
    with pytest.raises(ValueError, match=r"standardscaler=StandardScaler\. Set"):
        model.unlearn(X[:1])


@pytest.mark.parametrize(
    ("estimator", "change"),
    CHANGES,
    ids=[f"{i}-{type(e).__name__}-{next(iter(c))}" for i, (e, c) in enumerate(CHANGES)],
)
def test_a_changed_parameter_is_refused_until_it_is_set_back(estimator, change):
    model = pickle.loads(pickle.dumps(clone(estimator).fit(X, Y)))
    (name, value), params = next(iter(change.items())), model.get_params()
    before = params[name]
    model.set_params(**{name: value})
    with pytest.raises(ValueError, match=rf"{name} changed since fit.* fit again"):
        model.unlearn(X[:2], Y[:2])
    assert model.n_forgotten_ == 0
    model.set_params(**{name: before})
    assert model.unlearn(X[:2], Y[:2]).n_forgotten_ == 2
    model.set_params(**{name: value}).fit(X, Y).unlearn(X[:2], Y[:2])


@pytest.mark.parametrize(
    ("columns", "others"),
    [
        (slice(0, 2), slice(1, 3)),
        (pd.Index([0, 1]), pd.Index([1, 2])),
        (np.array([True, True, False]), np.array([False, True, True])),
    ],
)
def test_columns_that_are_chosen_anew_are_refused(columns, others):
    columns, others = (
        [("scaled", StandardScaler(), chosen)] for chosen in (columns, others)
    )
    model = make_pipeline(ColumnTransformer(columns), GaussianNB()).fit(X, Y)
    model.set_params(columntransformer__transformers=others)
    with pytest.raises(ValueError, match="scaled__columns changed since fit"):
        model.unlearn(X[:2])


def test_steps_in_another_order_are_refused():
    model = make_pipeline(StandardScaler(), MinMaxScaler()).fit(X)
    model.steps = model.steps[::-1]
    with pytest.raises(ValueError, match=r"steps changed since fit"):
        model.unlearn(X[:2])


def test_functions_without_names_are_told_apart():
    add, multiply = (lambda X: X + 1), (lambda X: X * 2)
    model = make_pipeline(FunctionTransformer(add), GaussianNB()).fit(X, Y)
    model.set_params(functiontransformer__func=multiply)
    with pytest.raises(ValueError, match="functiontransformer__func changed"):
        model.unlearn(X[:2])


@pytest.mark.parametrize(
    "func", [np.vectorize(lambda x: x + 1), partial(lambda X: X), np.abs, np.array]
)
def test_functions_of_any_kind_are_parameters(func):
    model = make_pipeline(FunctionTransformer(func), GaussianNB()).fit(X, Y)
    assert model.unlearn(X[:2]).n_forgotten_ == 2


@pytest.mark.parametrize("fill", [np.nan, [np.nan, 1.0], np.array([np.nan, 1.0])])
def test_missing_values_in_parameters_are_no_change(fill):
    scaler = FunctionTransformer(kw_args={"fill": fill}, func=keep)
    model = make_pipeline(scaler, GaussianNB()).fit(X, Y)
    assert pickle.loads(pickle.dumps(model)).unlearn(X[:2]).n_forgotten_ == 2


def keep(X, fill):
    return X


@pytest.mark.parametrize(
    ("estimator", "change"),
    [
        (
            make_pipeline(StandardScaler(), LogisticRegression()),
            {"verbose": True, "logisticregression__verbose": 1},
        ),
        (Retrain(RemovalForestClassifier(2)), {"estimator__n_jobs": 2, "reseed": True}),
        (SISAClassifier(GaussianNB(), n_shards=2), {"vote": "soft"}),
        (CertifiedRidge(), {"on_budget": "raise"}),
        (FineTune(network()), {"n_epochs": 1}),
        (network(), {"mc_samples": 3}),
    ],
    ids=str,
)
def test_parameters_of_no_fit_may_change(estimator, change):
    model = clone(estimator).fit(X, Y).set_params(**change)
    assert model.unlearn(X[:2], Y[:2]).n_forgotten_ == 2


def test_assigned_attributes_count():
    template = LogisticRegression()
    model = Retrain(template).fit(X, Y)
    template.C = 0.01  # the one that the caller still has
    with pytest.raises(ValueError, match=r"estimator__C=1\.0"):
        model.unlearn(X[:2])


def test_rows_are_dropped_at_once():
    for estimator in (
        ExactUnlearner(GaussianNB()),
        make_pipeline(StandardScaler(), GaussianNB()),
        network(),
    ):
        model = estimator.fit(X, Y)
        assert X[5].tobytes() in pickle.dumps(model)
        model.set_params(store_training_data=False)
        assert X[5].tobytes() not in pickle.dumps(model)
        with pytest.raises(ValueError, match="pass X_retain"):
            model.unlearn(X[:2])
        model.unlearn(X[:2], Y[:2], X_retain=X[2:], y_retain=Y[2:])
        model = clone(estimator).set_params(store_training_data=True).fit(X, Y)
        model.store_training_data = False
        model.unlearn(X[:2])  # an assignment is seen by the next request
        assert X[5].tobytes() not in pickle.dumps(model)


def test_given_rows_are_compared_with_those_that_are_kept():
    model = ExactUnlearner(GaussianNB()).fit(X, Y)
    with pytest.raises(ValueError, match=r"y_retain must have one .* 58 rows"):
        model.unlearn(X[:2], X_retain=X[2:], y_retain=Y[3:])
    other = X[2:].copy()
    other[7] = X[0]
    with pytest.raises(ValueError, match=r"1 rows of X_retain .* positions 7"):
        model.unlearn(X[:2], X_retain=other, y_retain=Y[2:])
    with pytest.raises(ValueError, match=r"1 rows of X_retain .* positions 3"):
        model.unlearn(X[:2], X_retain=X[[2, 3, 4, 4, *range(6, 60)]], y_retain=Y[2:])
    assert model.n_forgotten_ == 0
    shuffled = np.random.default_rng(1).permutation(np.arange(2, 60))
    model.unlearn(X[:2], X_retain=X[shuffled], y_retain=Y[shuffled])
    assert_same_state(model, clone(model).fit(X[2:], Y[2:]))


@pytest.mark.filterwarnings("ignore::sklearn_unlearn.exceptions.PipelineMemoryWarning")
@pytest.mark.parametrize(
    "estimator",
    [ExactUnlearner(GaussianNB()), make_pipeline(StandardScaler(), GaussianNB())],
    ids=str,
)
def test_given_rows_are_counted_where_none_are_kept(estimator):
    model = clone(estimator).set_params(store_training_data=False).fit(X, Y)
    with pytest.raises(ValueError, match=r"training set of 60 rows; got 2 \+ 59 rows"):
        model.unlearn(X[:2], Y[:2], X_retain=X[1:], y_retain=Y[1:])
    model.unlearn(X[:2], Y[:2], X_retain=X[2:], y_retain=Y[2:])
    with pytest.raises(ValueError, match="training set of 58 rows"):
        model.unlearn(X[:2], Y[:2], X_retain=X[2:], y_retain=Y[2:])
    twins = np.r_[3:59, 2]
    with pytest.warns(
        UserWarning, match="X_retain has rows at positions 56 that equal"
    ):
        model.unlearn(X[2:3], Y[2:3], X_retain=X[twins], y_retain=Y[twins])


def test_a_certificate_states_nothing_of_rows_that_only_the_caller_knows():
    given = {"X_retain": X[2:], "y_retain": Y[2:]}
    kept = CertifiedRidge().fit(X, Y).unlearn(X[:2], Y[:2], **given)
    assert kept.certificate_["valid"]
    bare = CertifiedRidge(store_training_data=False).fit(X, Y)
    assert bare.certificate_["valid"]
    bare.unlearn(X[:2], Y[:2], **given)
    assert not bare.certificate_["valid"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_seed_reaches_a_network_that_has_none():
    inner = network().set_params(random_state=None)
    results = [
        FineTune(inner, random_state=seed).fit(X, Y).unlearn(X[:3]).predict_proba(X)
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])
    assert inner.random_state is None
    own = FineTune(network(), random_state=1).fit(X, Y)
    assert own.estimator_.random_state == 0


class TakesOthers(GaussianNB):
    """Takes parameters by ``**kwargs``, as estimators of other packages do."""

    def __init__(self, **others):
        self.__dict__.update(others)
        super().__init__()

    def get_params(self, deep=True):
        return {**super().get_params(deep), "shift": self.shift}

    def set_params(self, **params):
        self.__dict__.update(params)
        return self

    def fit(self, X, y):
        return super().fit(np.asarray(X) + self.shift, y)


def test_parameters_that_no_signature_names():
    model = Retrain(TakesOthers(shift=1.0)).fit(X, Y)
    model.set_params(estimator__shift=2.0)
    with pytest.raises(ValueError, match="estimator__shift changed since fit"):
        model.unlearn(X[:1])
