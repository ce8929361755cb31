"""scikit-learn's checks and the checks of the contract, over all public estimators."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import inspect
import pickle

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_global_output_transform_pandas,
    check_param_validation,
    check_set_output_transform,
    parametrize_with_checks,
)

from sklearn_unlearn.exact import Retrain
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.utils.discovery import all_estimators
from sklearn_unlearn.utils.estimator_checks import parametrize_with_unlearner_checks
from tests._instances import (
    CHOSEN,
    INSTANCES,
    RULES,
    all_instances,
    expected_failures,
    rows_for,
    seeded,
)

# what a method says of the success of a request is no matter of the contract
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unlearning stopped", "ignore:The certificate is not valid"
)


def test_every_unlearner_has_instances():
    assert set(INSTANCES) == {name for name, _ in all_estimators("unlearner")}
    assert all(INSTANCES.values())
    assert set(CHOSEN) <= set(INSTANCES), "a class in the table is not public"


# an expected failure that passes fails the run, since scikit-learn 1.8
KNOWN = inspect.signature(parametrize_with_checks).parameters
STRICT = {"xfail_strict": True} if "xfail_strict" in KNOWN else {}


@parametrize_with_checks(
    all_instances(), expected_failed_checks=expected_failures, **STRICT
)
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", all_instances(), ids=repr)
@pytest.mark.parametrize(
    "check",
    [
        check_param_validation,
        check_dataframe_column_names_consistency,
        check_set_output_transform,
        check_global_output_transform_pandas,
    ],
)
def test_sklearn_checks_outside_the_generator(estimator, check):
    is_transformer = hasattr(clone(estimator), "transform")
    if "output" in check.__name__ and not is_transformer:
        pytest.skip("only transformers have an output container")
    check(type(estimator).__name__, clone(estimator))


@pytest.mark.filterwarnings(  # a check means it: a pipeline that keeps no rows
    "ignore::sklearn_unlearn.exceptions.PipelineMemoryWarning"
)
@parametrize_with_unlearner_checks([*all_instances(), *RULES])
def test_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", all_instances(), ids=repr)
def test_same_bytes_in_every_backend(estimator):
    if not hasattr(clone(estimator), "predict"):
        pytest.skip("only predictors are cross-validated")
    X, y = rows_for(estimator)
    forget = np.random.default_rng(1).permutation(len(X)) < 9
    results = []
    for backend, n_jobs in (("loky", 1), ("threading", 2), ("loky", 2)):
        with parallel_config(backend, n_jobs=n_jobs):
            results.append(
                cross_val_predict(
                    seeded(estimator), X, y, cv=2, params={"forget": forget}
                )
            )
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


@pytest.mark.parametrize("estimator", all_instances(), ids=repr)
def test_export_is_clean(estimator):
    X, y = rows_for(estimator)
    model = seeded(estimator).fit(X, y)
    rows = model.retained_rows()
    np.testing.assert_array_equal(rows.X, X)
    assert np.array_equal(rows.y, y) if y is not None else rows.y is None
    exported = model.export()
    with pytest.raises(ValueError, match="exported copy"):
        exported.retained_rows()
    names = exported.get_params(deep=True)
    seeds = [v for k, v in names.items() if k.split("__")[-1] == "random_state"]
    assert all(seed is None for seed in seeds)
    pickle.loads(pickle.dumps(exported))


def test_export_reaches_estimators_in_any_container():
    X, y = rows_for(DropoutClassifier())
    network = DropoutClassifier((8,), max_iter=3, n_iter_no_change=3, random_state=0)
    calibrated = Retrain(CalibratedClassifierCV(network, cv=3))
    boosted = Retrain(GradientBoostingClassifier(n_estimators=2, random_state=3))
    for model in (calibrated, boosted):
        model.fit(X, y).unlearn(X[:9])
        exported = model.export()
        written = pickle.dumps(exported)
        assert not any(row.tobytes() in written for row in X)
        assert np.array_equal(exported.predict(X), model.predict(X))
    trees = exported.estimator_.estimators_.ravel()
    assert all(tree.random_state is None for tree in trees)
    bare = Retrain(calibrated.estimator, store_training_data=False)
    written = pickle.dumps(bare.fit(X, y))
    assert not any(row.tobytes() in written for row in X)
