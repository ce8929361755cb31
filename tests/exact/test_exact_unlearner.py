"""ExactUnlearner and Retrain: paths, costs, frozen models, tags."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Lasso, LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import MinMaxScaler, StandardScaler, TargetEncoder
from sklearn.svm import SVC
from sklearn.utils import get_tags

from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.utils.estimator_checks import find_residue

X, y = load_iris(return_X_y=True)


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(n_estimators=5, random_state=0),
        MLPClassifier((8,), max_iter=30, random_state=1),
        SGDClassifier(random_state=2),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_retrain_is_bit_for_bit(estimator, order):
    data = np.array(X, order=order)
    keep = np.ones(len(X), dtype=bool)
    keep[[3, 60, 61, 140]] = False
    model = Retrain(estimator).fit(data, y)
    model.unlearn(data[[140, 3]]).unlearn(data[[61, 60]])
    # of equal rows the last goes; these have no copies
    reference = estimator.__class__(**estimator.get_params()).fit(data[keep], y[keep])
    for method in ("predict_proba", "decision_function"):
        if hasattr(reference, method):
            ours, theirs = getattr(model, method), getattr(reference, method)
            np.testing.assert_array_equal(ours(data), theirs(data))


def test_reseed_draws_anew():
    forest = RandomForestClassifier(n_estimators=5, random_state=0)
    kept, drawn = Retrain(forest).fit(X, y), Retrain(forest, reseed=True).fit(X, y)
    assert get_tags(kept).unlearner_tags.guarantee == "exact"
    assert get_tags(drawn).unlearner_tags.guarantee == "exact_law"
    kept.unlearn(X[:1]), drawn.unlearn(X[:1])
    assert (kept.predict_proba(X) != drawn.predict_proba(X)).any()
    assert drawn.estimator.random_state == 0  # parameters never change


@pytest.mark.parametrize(
    ("estimator", "guarantee"),
    [
        (Ridge(), "exact"),
        (LogisticRegression(), "exact"),
        (LogisticRegression(solver="liblinear"), "exact_law"),
        (RandomForestClassifier(), "exact_law"),
        (RandomForestClassifier(random_state=3), "exact"),
        (GaussianNB(), "exact"),
    ],
)
def test_guarantee(estimator, guarantee):
    assert get_tags(ExactUnlearner(estimator)).unlearner_tags.guarantee == guarantee


@pytest.mark.parametrize(
    ("estimator", "path"),
    [
        (Ridge(), "summaries"),
        (Ridge(solver="sag"), "refit"),
        (LogisticRegression(), "warm start"),
        (LogisticRegression(solver="liblinear"), "refit"),
        (Lasso(), "refit"),
        (KNeighborsClassifier(), "refit"),
    ],
)
def test_the_path_is_told_beforehand(estimator, path):
    model = ExactUnlearner(estimator).fit(X[:100], y[:100])
    cost = model.unlearning_cost(X[:2])
    assert cost.path == path
    assert (cost.n_forget, cost.n_retain) == (2, 98)
    assert model.n_forgotten_ == 0


def test_frozen_model_is_not_fitted_again_and_does_not_leak():
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(80, 3)), np.arange(80) % 2
    original = KNeighborsClassifier().fit(rows, labels)
    model = ExactUnlearner(FrozenEstimator(original)).fit(rows, labels)
    assert model.estimator_ is not original
    model.unlearn(rows[:5])
    assert original.n_samples_fit_ == 80  # the caller's object is untouched
    assert model.estimator.estimator is original
    assert not find_residue(pickle.loads(pickle.dumps(model)), rows[:5], rows[5:])


def test_prepare_changes_nothing_but_the_time():
    first = ExactUnlearner(StandardScaler()).fit(X).prepare().unlearn(X[:5])
    second = ExactUnlearner(StandardScaler()).fit(X).unlearn(X[:5])
    np.testing.assert_allclose(
        first.estimator_.mean_, second.estimator_.mean_, rtol=1e-14
    )


def test_set_output_and_names():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcd"))
    scaler = ExactUnlearner(StandardScaler()).set_output(transform="pandas").fit(frame)
    scaler.unlearn(frame.iloc[[4, 9]])
    assert scaler.transform(frame).columns.tolist() == list("abcd")
    assert scaler.get_feature_names_out().tolist() == list("abcd")
    assert scaler.unlearn(frame[["b", "a", "c", "d"]].iloc[:1]).n_forgotten_ == 3


@pytest.mark.parametrize("kept", [np.arange(150), np.arange(150).astype(str)])
def test_ids_of_another_type_are_unknown_not_passed_over(kept):
    model = ExactUnlearner(GaussianNB()).fit(X, y, groups=kept)
    right, wrong = kept[3], int(kept[4]) if kept.dtype.kind == "U" else str(kept[4])
    with pytest.raises(UnknownRowsError, match="1 of 2 ids"):
        model.unlearn(groups=[right, wrong])
    assert model.unlearn(groups=[right]).n_forgotten_ == 1
    assert model.unlearn(groups=[]).n_forgotten_ == 1
    assert len(model.unlearning_log_) == 1


def test_ids_of_several_types():
    ids = np.array([1, "p4", None, 2.5] + ["other"] * 146, dtype=object)
    model = ExactUnlearner(GaussianNB()).fit(X, y, groups=ids)
    assert model.unlearn(groups=[1, "p4"]).n_forgotten_ == 2
    with pytest.raises(UnknownRowsError, match="1 of 1 ids"):
        model.unlearn(groups=[None])  # a missing id is nobody's
    assert model.unlearn(groups=[2.5]).n_forgotten_ == 3


def test_a_fit_that_changes_rows_in_place():
    rows = X * 5 + 20
    mask = np.arange(150) < 5
    model = ExactUnlearner(StandardScaler(copy=False)).fit(rows.copy(), forget=mask)
    reference = StandardScaler().fit(rows[5:])
    np.testing.assert_allclose(model.estimator_.mean_, reference.mean_)
    model.unlearn(rows[5:7])
    assert model.n_forgotten_ == 7


def test_a_failed_fit_changes_nothing():
    model = ExactUnlearner(StandardScaler()).fit(X)
    with pytest.raises(ValueError, match="groups"):
        model.fit(X * 2, groups=[1])
    assert model.unlearn(X[:1]).n_forgotten_ == 1
    with pytest.raises(ValueError, match="infinity"):
        model.fit(np.where(X > 7, np.inf, X))
    reference = StandardScaler().fit(X[2:])
    np.testing.assert_allclose(model.unlearn(X[1:2]).estimator_.mean_, reference.mean_)


@pytest.mark.parametrize("store", [True, False])
def test_weights_cannot_be_matched_with_given_rows(store):
    model = ExactUnlearner(Ridge(), store_training_data=store)
    model.fit(X, y, sample_weight=np.arange(150.0))
    with pytest.raises(ValueError, match="sample_weight"):
        model.unlearn(X[:5], y[:5], X_retain=X[5:], y_retain=y[5:])
    model = ExactUnlearner(Ridge()).fit(X, y, groups=np.arange(150))
    with pytest.raises(ValueError, match="groups"):
        model.unlearn(X[:5], y[:5], X_retain=X[5:], y_retain=y[5:])


def test_nothing_is_kept_when_nothing_is_to_be_kept():
    rng = np.random.default_rng(0)
    rows, mask = rng.normal(size=(900, 3)), np.arange(900) < 5
    model = ExactUnlearner(MinMaxScaler(), store_training_data=False)
    model.fit(rows, forget=mask)
    inner = [rows[5:].min(axis=0), rows[5:].max(axis=0)]
    others = rows[~np.isin(rows, inner).any(axis=1)]
    assert not find_residue(model, others, np.vstack(inner))


def test_one_class_left_answers_every_method():
    model = ExactUnlearner(LogisticRegression()).fit(X[:100], y[:100])
    model.unlearn(X[50:100])
    assert (model.decision_function(X) == -np.inf).all()
    np.testing.assert_array_equal(model.predict_proba(X[:1]), [[1.0, 0.0]])
    with pytest.raises(ValueError, match="features"):
        model.predict(np.zeros((1, 99)))


def test_pairwise_decisions_are_not_padded():
    rows, labels = np.vstack([X, X + 9]), np.r_[y, y + 3] % 4
    svc = SVC(decision_function_shape="ovo")
    model = ExactUnlearner(svc).fit(rows, labels)
    model.unlearn(rows[labels == 3])
    assert model.decision_function(rows).shape == (300, 3)
    assert np.isfinite(model.decision_function(rows)).all()


@pytest.mark.filterwarnings("ignore:.*TargetEncoder.*:FutureWarning")
def test_fit_transform_is_that_of_the_encoder():
    codes, target = y[:, None].astype(float), X[:, 0]
    encoder = TargetEncoder(random_state=0)
    ours = ExactUnlearner(encoder).fit_transform(codes, target)
    np.testing.assert_array_equal(ours, encoder.fit_transform(codes, target))


def test_before_fit():
    for call in (
        ExactUnlearner(Ridge()).prepare,
        lambda: ExactUnlearner(Ridge()).unlearning_cost(X),
        lambda: Retrain(Ridge()).unlearning_cost(X),
    ):
        with pytest.raises(NotFittedError):
            call()


def test_a_column_of_targets_is_as_good():
    model = ExactUnlearner(Ridge()).fit(X, X[:, 0])
    assert model.unlearn(X[:2], X[:2, :1]).n_forgotten_ == 2


def test_whole_numbers_are_not_rounded():
    seconds = np.column_stack([1.7e9 + 100.0 * np.arange(50), np.ones(50)])
    model = ExactUnlearner(StandardScaler()).fit(seconds)
    with pytest.raises(UnknownRowsError):
        model.unlearn(seconds[10:11] + np.array([3.0, 0.0]))


def test_retained_rows_come_with_all_that_belongs_to_them():
    weight, ids = np.arange(1.0, 151.0), np.arange(150) // 2
    model = ExactUnlearner(GaussianNB()).fit(X, y, groups=ids, sample_weight=weight)
    rows = model.unlearn(groups=[3, 70]).retained_rows()
    stays = ~np.isin(ids, [3, 70])
    np.testing.assert_array_equal(rows.X, X[stays])
    np.testing.assert_array_equal(rows.y, y[stays])
    np.testing.assert_array_equal(rows.groups, ids[stays])
    np.testing.assert_array_equal(rows.fit_params["sample_weight"], weight[stays])
    bare = ExactUnlearner(GaussianNB(), store_training_data=False).fit(X, y)
    with pytest.raises(ValueError, match="keeps no rows"):
        bare.retained_rows()
