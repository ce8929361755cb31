"""Searches over the parameters of unlearners and of their networks at once."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NPO

NETWORK = DropoutClassifier(
    (32,), max_iter=20, n_iter_no_change=20, learning_rate_init=0.01, random_state=0
)
GRID = {"npo__beta": [0.5, 2.0], "npo__estimator__dropout": [0.1, 0.3]}


@pytest.fixture(scope="module")
def job():
    X, y = load_digits(return_X_y=True)
    return X[:400], y[:400], np.random.default_rng(0).random(400) < 0.1


@pytest.mark.parametrize("routing", [False, True])
def test_grid_search_in_a_pipeline(job, routing):
    X, y, forget = job
    model = make_pipeline(StandardScaler(), NPO(NETWORK, random_state=0))
    results = []
    with sklearn.config_context(enable_metadata_routing=routing):
        for n_jobs in (1, 2):
            search = GridSearchCV(model, GRID, cv=2, n_jobs=n_jobs)
            search.fit(X, y, forget=forget)
            results.append(search)
    first, second = (search.cv_results_["mean_test_score"] for search in results)
    assert np.array_equal(first, second)
    assert np.unique(first).size > 1 and first.max() > 0.8
    best = results[0].best_estimator_
    assert best.n_forgotten_ == forget.sum()
    assert best[-1].beta == results[0].best_params_["npo__beta"]
    # the rows that are left can still be forgotten
    assert best.unlearn(X[~forget][:5]).n_forgotten_ == forget.sum() + 5


def test_a_scorer_can_ask_for_the_mask(job):
    X, y, forget = job

    def on_the_others(y_true, y_pred, forget):
        return accuracy_score(y_true[~forget], y_pred[~forget])

    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(on_the_others).set_score_request(forget=True)
        scores = cross_validate(
            NPO(NETWORK, random_state=0),
            X / 16,
            y,
            cv=2,
            scoring=scorer,
            params={"forget": forget},
        )
    assert (scores["test_score"] > 0.7).all()
