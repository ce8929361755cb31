"""Ids of people go wherever rows go."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_unlearn.exact import ExactUnlearner, Retrain, SISAClassifier
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.neural_network import S3TClassifier
from sklearn_unlearn.pipeline import Pipeline, make_pipeline, trace_rows

rng = np.random.default_rng(0)
X = rng.normal(size=(90, 4))
y = (X[:, 0] + X[:, 1] > 0).astype(int)
IDS = np.tile(np.arange(15), 6)

SHARDS = SISAClassifier(
    SGDClassifier(loss="log_loss", random_state=0),
    n_shards=2,
    n_slices=3,
    random_state=0,
)
SLICES = S3TClassifier(
    n_shards=3, n_slices=3, n_components=8, rank=2, n_epochs=1, random_state=0
)


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), GaussianNB()),
        ExactUnlearner(GaussianNB()),
        Retrain(GaussianNB()),
        SHARDS,
    ],
    ids=["Pipeline", "ExactUnlearner", "Retrain", "SISA"],
)
def test_cost_of_forgetting_people(model):
    model = clone(model).fit(X, y, groups=IDS)
    rows = np.isin(IDS, [3, 4])
    cost, expected = (
        model.unlearning_cost(groups=[3, 4]),
        model.unlearning_cost(X[rows]),
    )
    assert cost == expected
    with pytest.raises(UnknownRowsError):
        model.unlearning_cost(groups=[99])
    with pytest.raises(ValueError, match="exactly one"):
        model.unlearning_cost(X[:1], groups=[3])
    with pytest.raises(ValueError, match="exactly one"):
        model.unlearning_cost()


def test_trace_of_people():
    model = make_pipeline(StandardScaler(), GaussianNB()).fit(X, y, groups=IDS)
    by_ids, by_rows = trace_rows(model, groups=[3]), trace_rows(model, X[IDS == 3])
    assert by_ids == by_rows
    assert len(by_ids) > 3
    frame_like = np.insert(X, 0, IDS, axis=1)
    model = make_pipeline(StandardScaler(), GaussianNB(), group_column=0)
    assert trace_rows(model.fit(frame_like, y), groups=[3]) == by_rows


@pytest.mark.parametrize("routing", [False, True], ids=["", "routing"])
@pytest.mark.parametrize("nested", [False, True], ids=["", "nested"])
def test_people_stay_in_one_slice(nested, routing):
    """A request for a person takes no more slices than one for a row."""
    with sklearn.config_context(enable_metadata_routing=routing):
        model = make_pipeline(FunctionTransformer(), clone(SLICES))
        if nested:
            model = make_pipeline(model)
        lengths = []
        for fitted in (model.fit(X, y, groups=IDS), model.unlearn(groups=[7])):
            last = fitted[-1][-1] if nested else fitted[-1]
            lengths.append(last.prefix_lengths_)
        assert (lengths[0] != lengths[1]).sum() <= 1  # its rows were in one shard
        alone = clone(SLICES).fit(X, y, groups=IDS).unlearn(groups=[7])
        np.testing.assert_array_equal(lengths[1], alone.prefix_lengths_)


@pytest.mark.parametrize("routing", [False, True], ids=["", "routing"])
@pytest.mark.parametrize("last", [SHARDS, SLICES], ids=["SISA", "S3T"])
def test_people_stay_in_one_slice_through_refits(last, routing):
    steps = [("pca", PCA(2, svd_solver="full")), ("last", last)]
    with sklearn.config_context(enable_metadata_routing=routing):
        model = Pipeline(steps).fit(X, y, groups=IDS).unlearn(groups=[2, 5])
        stays = ~np.isin(IDS, [2, 5])
        if last is SHARDS:
            reference = clone(Pipeline(steps)).fit(
                X[stays], y[stays], groups=IDS[stays]
            )
            np.testing.assert_array_equal(
                model.predict_proba(X), reference.predict_proba(X)
            )
        else:
            before = model[-1].prefix_lengths_
            after = model.unlearn(groups=[9])[-1].prefix_lengths_
            assert (before != after).sum() <= 1


def test_routed_ids_reach_a_search_within():
    """As in scikit-learn's own pipeline."""
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=GroupKFold(3))
        model = make_pipeline(StandardScaler(), search).fit(X, y, groups=IDS)
        model.unlearn(groups=[4])
        stays = IDS != 4
        reference = clone(model).fit(X[stays], y[stays], groups=IDS[stays])
        np.testing.assert_allclose(
            model.predict_proba(X), reference.predict_proba(X), rtol=1e-8
        )


def test_search_passes_ids_on_where_they_are_routed():
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            make_pipeline(StandardScaler(), LogisticRegression()),
            {"logisticregression__C": [0.1, 1]},
            cv=GroupKFold(3),
        )
        best = search.fit(X, y, groups=IDS).best_estimator_
        assert best.unlearn(groups=[4]).n_forgotten_ == 6
