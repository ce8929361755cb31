"""Models to compare with, audits of a single model, and the score for searches."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_unlearn.audit import (
    ReferenceEnsemble,
    audit_predictions,
    gap_to_retrain_scorer,
)
from sklearn_unlearn.model_selection import ForgetAwareSplit
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NPO

X, Y = load_iris(return_X_y=True)
FORGET = np.arange(150) % 10 == 0
TREE = DecisionTreeClassifier(max_features=1, max_depth=3)
NETWORK = DropoutClassifier(
    (16,), max_iter=40, n_iter_no_change=40, learning_rate_init=0.02, mc_samples=10
)


@pytest.mark.parametrize("estimator", [TREE, NETWORK], ids=repr)
def test_models_are_fitted_on_what_they_should(estimator):
    persons = np.arange(150) // 3
    ensemble = ReferenceEnsemble(
        estimator, 4, n_originals=2, n_shadows=6, random_state=0
    ).fit(X, Y, forget=FORGET, groups=persons)
    assert [len(ensemble.retrained_), len(ensemble.originals_)] == [4, 2]
    member = ensemble.shadow_membership_
    assert member.shape == (6, 150) and (member.sum(axis=0) == 3).all()
    for person in range(50):  # all rows of a person or none
        assert (member[:, persons == person].sum(axis=1) % 3 == 0).all()
    margins = ensemble.signals(X[:7], Y[:7])
    assert margins.shape == (4, 7) and len(np.unique(margins[:, 0])) > 1
    again = clone(ensemble).fit(X, Y, forget=FORGET, groups=persons)
    assert np.array_equal(margins, again.signals(X[:7], Y[:7]))


def test_references_know_nothing_of_the_rows():
    """A tree of all rows gives each its label; those without them cannot."""
    wrong = np.where(FORGET, (Y + 1) % 3, Y)
    deep = DecisionTreeClassifier(max_features=2)
    ensemble = ReferenceEnsemble(deep, 5, n_originals=5, random_state=0)
    ensemble.fit(X, wrong, forget=FORGET)
    rows, labels = X[FORGET], wrong[FORGET]
    assert np.mean([m.score(rows, labels) for m in ensemble.originals_]) > 0.9
    assert np.mean([m.score(rows, labels) for m in ensemble.retrained_]) < 0.2


def test_files_are_written_only_where_asked(tmp_path):
    ensemble = ReferenceEnsemble(TREE, 2, memory=str(tmp_path), random_state=0)
    first = ensemble.fit(X, Y, forget=FORGET).signals(X, Y)
    assert any(tmp_path.rglob("*.pkl"))
    assert np.array_equal(ensemble.fit(X, Y, forget=FORGET).signals(X, Y), first)


def test_wrong_calls_of_an_ensemble():
    ensemble = ReferenceEnsemble(TREE, 2).fit(X, Y, forget=FORGET)
    with pytest.raises(ValueError, match="set n_shadows before fit"):
        ensemble.signals(X, Y, "shadows")
    with pytest.raises(ValueError, match="which must be one of"):
        ensemble.signals(X, Y, "all")
    with pytest.raises(ValueError, match="FrozenEstimator"):
        ReferenceEnsemble(NPO(FrozenEstimator(NETWORK))).fit(X, Y, forget=FORGET)


# ------------------------------------------------------------- a single model


def laws(seed, n_rows=60, n_models=19):
    """Probabilities of retrained models, of one like them, and of an original."""
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n_rows)
    logits = rng.normal(size=(n_models + 1, n_rows, 3))

    def softmax(values):
        odds = np.exp(values)
        return odds / odds.sum(axis=-1, keepdims=True)

    original = logits[0] + 3 * np.eye(3)[y]
    found = softmax(logits)
    return y, found[1:], found[0], softmax(original)


def test_the_rank_of_a_single_model_decides():
    verdicts = []
    for seed in range(40):
        y, retrained, fresh, original = laws(seed)
        found = audit_predictions(y, original, retrained, original=original)
        assert found.verdict == "DETECTABLE" and "No placebos" in found.reasons[1]
        verdicts.append(
            audit_predictions(y, fresh, retrained, original=original).verdict
        )
    assert set(verdicts) <= {"DETECTABLE", "NOT DETECTED"}
    assert verdicts.count("DETECTABLE") <= 7  # of 40 at .05: 2 are expected


def test_placebos_and_missing_power():
    y, retrained, fresh, original = laws(0)
    like_it = np.stack([original] * 19) + 0.0
    like_it[::2] = like_it[::2][..., ::-1]  # they vary, and are as far away
    found = audit_predictions(
        y, original, retrained, original=original, placebo=like_it
    )
    assert found.verdict == "DIFFERENT, NOT SHOWN TO REMEMBER"
    found = audit_predictions(y, fresh, retrained, original=retrained[0])
    assert found.verdict == "INCONCLUSIVE"
    found = audit_predictions(y, original, retrained[:18], original=original)
    assert found.verdict == "INCONCLUSIVE" and "19" in found.reasons[0]


def test_predictions_of_numbers_and_wrong_shapes():
    rng = np.random.default_rng(3)
    y = rng.normal(size=30)
    retrained = 0.1 * rng.normal(size=(20, 30))
    assert audit_predictions(y, y, retrained, original=y).verdict == "DETECTABLE"
    with pytest.raises(ValueError, match=r"unlearned must have shape \(30\)"):
        audit_predictions(y, y[:7], retrained, original=y)
    with pytest.raises(ValueError, match="NaN"):
        audit_predictions(y, np.full(30, np.nan), retrained, original=y)


# ------------------------------------------------------------------- a score


def test_the_score_prefers_what_is_close_to_retraining():
    wrong = np.where(FORGET, (Y + 1) % 3, Y)
    network = clone(NETWORK).set_params(random_state=0).fit(X, wrong).export()
    scorer = gap_to_retrain_scorer(X, wrong, FORGET)
    search = GridSearchCV(
        NPO(FrozenEstimator(network), random_state=0),
        {"learning_rate_init": [1e-6, 0.01]},
        scoring=scorer,
        cv=ForgetAwareSplit(FORGET, cv=2),
        refit=False,
    )
    search.fit(X, wrong, forget=FORGET)
    scores = search.cv_results_["mean_test_score"]
    assert (scores < 0).all() and scores[1] > scores[0]
    usual = search.set_params(scoring="accuracy").fit(X, wrong, forget=FORGET)
    assert np.isfinite(usual.cv_results_["mean_test_score"]).all()


def test_the_score_works_behind_steps_and_for_other_searches():
    pipeline = make_pipeline(
        StandardScaler(), clone(NETWORK).set_params(random_state=0)
    )
    fitted = pipeline.fit(X, Y)
    frozen = FrozenEstimator(fitted[-1].export())
    model = make_pipeline(StandardScaler(), NPO(frozen, random_state=0))
    search = RandomizedSearchCV(
        model,
        {"npo__n_epochs": [1, 2]},
        n_iter=2,
        scoring=gap_to_retrain_scorer(X, Y, FORGET, groups=np.arange(150) // 5),
        cv=ForgetAwareSplit(FORGET, cv=2),
        refit=False,
        random_state=0,
    )
    search.fit(X, Y, forget=FORGET)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    ("model", "cv", "message"),
    [
        (NPO(NETWORK), ForgetAwareSplit(FORGET, cv=2), "FrozenEstimator"),
        (NPO(NETWORK), 3, "ForgetAwareSplit"),
    ],
)
def test_the_score_refuses_what_it_cannot_judge(model, cv, message):
    search = GridSearchCV(
        model,
        {"n_epochs": [1]},
        scoring=gap_to_retrain_scorer(X, Y, FORGET, estimator=TREE),
        cv=cv,
        error_score="raise",
    )
    with pytest.raises(ValueError, match=message):
        search.fit(X, Y, forget=FORGET)


def test_numbers_and_estimators_without_a_batch():
    y = X[:, 0]
    ensemble = ReferenceEnsemble(DecisionTreeRegressor(max_features=1), 3)
    assert ensemble.fit(X, y, forget=FORGET).signals(X, y).shape == (3, 150)
    logistic = ReferenceEnsemble(LogisticRegression(max_iter=1000), 2).fit(
        X, Y, forget=FORGET
    )
    assert np.ptp(logistic.signals(X, Y), axis=0).max() == 0
