"""Checks of scikit-learn's conventions: tags, parameters, seeds, pickles, searches."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.utils import get_tags

from sklearn_unlearn.base._tags import GUARANTEES, is_unlearner
from sklearn_unlearn.testing._assertions import assert_same_outputs, outputs
from sklearn_unlearn.testing._check_data import fit_case, fresh, make_case

__all__ = [
    "check_unlearn_after_pickle",
    "check_unlearn_in_search",
    "check_unlearn_is_repeatable",
    "check_unlearn_keeps_schema",
    "check_unlearner_tags",
]


def check_unlearner_tags(name, estimator):
    """The tags say what ``unlearn`` guarantees."""
    if not is_unlearner(estimator):
        raise AssertionError(f"{name} has no unlearner_tags: use UnlearnerMixin.")
    tags = get_tags(estimator).unlearner_tags
    if tags.guarantee not in GUARANTEES:
        raise AssertionError(f"guarantee of {name} must be one of {GUARANTEES}.")


def check_unlearn_keeps_schema(name, estimator):
    """``unlearn`` changes no parameter, nor names, number of features or classes."""
    case = make_case(estimator)
    fitted = fit_case(estimator, case)

    def schema():
        names = "n_features_in_", "feature_names_in_", "classes_"
        state = {n: getattr(fitted, n) for n in names if hasattr(fitted, n)}
        params = fitted.get_params(deep=True)
        plain = {k: v for k, v in params.items() if not hasattr(v, "get_params")}
        plain.pop("steps", None)
        return repr({**state, **plain}), sorted(params)

    before = schema()
    fitted.unlearn(case.forgotten[0])
    if schema() != before:
        raise AssertionError(f"unlearn changed the schema: {before} -> {schema()}")


def check_unlearn_is_repeatable(name, estimator):
    """The same seed gives the same result, and no global generator is used."""
    case = make_case(estimator)
    state = np.random.get_state(legacy=False)
    results = []
    for _ in range(2):
        fitted = fit_case(estimator, case).unlearn(case.forgotten[0])
        results.append(outputs(fitted, case.retained[0]))
    assert_same_outputs(*results, "two runs with one seed")
    after = np.random.get_state(legacy=False)
    if state["state"]["pos"] != after["state"]["pos"] or not np.array_equal(
        state["state"]["key"], after["state"]["key"]
    ):
        raise AssertionError("unlearn drew from numpy's global generator.")


def check_unlearn_after_pickle(name, estimator):
    """A pickled estimator predicts and forgets as the original does."""
    case = make_case(estimator)
    fitted = fit_case(estimator, case)
    loaded = pickle.loads(pickle.dumps(fitted))
    rows = case.retained[0]
    assert_same_outputs(outputs(loaded, rows), outputs(fitted, rows), "after pickling")
    for est in (loaded, fitted):
        est.unlearn(case.forgotten[0])
    assert_same_outputs(outputs(loaded, rows), outputs(fitted, rows), "pickled, then")
    loaded = pickle.loads(pickle.dumps(fitted))
    assert_same_outputs(outputs(loaded, rows), outputs(fitted, rows), "then pickled")


def check_unlearn_in_search(name, estimator):
    """``cross_validate`` and searches pass the mask ``forget`` to ``fit``."""
    case = make_case(estimator)
    if case.y is None or not hasattr(fresh(estimator), "predict"):
        return
    params = {"forget": case.forget}
    # the first: a fold that loses all its forget rows would test nothing
    cv = [(np.arange(len(case.X)), np.arange(0, len(case.X), 2))]
    scores = cross_validate(
        fresh(estimator),
        case.X,
        case.y,
        cv=cv,
        params=params,
        return_estimator=True,
        error_score="raise",
    )
    if scores["estimator"][0].n_forgotten_ != case.forget.sum():
        raise AssertionError("cross_validate must hand the mask to fit.")
    search = GridSearchCV(
        fresh(estimator), {"store_training_data": [True, False]}, cv=2
    )
    search.fit(case.X, case.y, forget=case.forget)
    if search.best_estimator_.n_forgotten_ != case.forget.sum():
        raise AssertionError("GridSearchCV must hand the mask to fit.")
    clone(search.best_estimator_)
