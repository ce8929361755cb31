"""Forgetting through a whole pipeline of scikit-learn's own steps."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn import pipeline as sklearn_pipeline
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.decomposition import NMF, PCA
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils import get_tags

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.exceptions import (
    PipelineMemoryWarning,
    UnknownRowsError,
    UnlearningWarning,
)
from sklearn_unlearn.pipeline import Pipeline, make_pipeline
from sklearn_unlearn.utils.estimator_checks import find_residue
from tests._checks import unlearner_checks

X, y = load_breast_cancer(return_X_y=True)
X, y = X[:240], y[:240]
FORGET = np.zeros(240, dtype=bool)
FORGET[np.random.default_rng(0).choice(240, 20, replace=False)] = True


def mixed_frame(n_rows=240, seed=0):
    """A table with numbers, words, categories, whole numbers and gaps."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 12, n_rows),
            "income": rng.lognormal(10, 1, n_rows),
            "town": rng.choice(["Oslo", "Rome", "Bern"], n_rows),
            "size": pd.Categorical(rng.choice(["s", "m", "l"], n_rows)),
            "children": rng.integers(0, 4, n_rows),
        }
    )
    frame.loc[rng.choice(n_rows, 15, replace=False), "income"] = np.nan
    frame.loc[rng.choice(n_rows, 10, replace=False), "town"] = None
    return frame


def mixed_steps():
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    words = sklearn_pipeline.make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore"),
    )
    return make_column_transformer(
        (numbers, ["age", "income"]),
        (words, ["town"]),
        (OneHotEncoder(handle_unknown="ignore"), ["size"]),
        remainder="passthrough",
    )


PIPELINES = {
    "scale": make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)),
    "pca": make_pipeline(
        StandardScaler(), PCA(5, svd_solver="full"), LogisticRegression(max_iter=5000)
    ),
    "select": make_pipeline(MinMaxScaler(), SelectKBest(k=8), KNeighborsClassifier()),
    "union": make_pipeline(
        FeatureUnion([("pca", PCA(3, svd_solver="full")), ("all", "passthrough")]),
        GaussianNB(),
    ),
    "nmf": make_pipeline(
        MinMaxScaler(clip=True), NMF(4, random_state=0, max_iter=2000), GaussianNB()
    ),
    "nested": make_pipeline(
        make_pipeline(StandardScaler(), PCA(4, svd_solver="full")), GaussianNB()
    ),
    "unlearner at the end": make_pipeline(
        StandardScaler(), ExactUnlearner(LogisticRegression(max_iter=5000))
    ),
    "unlearner within": make_pipeline(ExactUnlearner(StandardScaler()), GaussianNB()),
    "passthrough": Pipeline([("nothing", "passthrough"), ("model", GaussianNB())]),
    "seeded": make_pipeline(StandardScaler(), SGDClassifier(random_state=0)),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_equals_a_fit_without_the_rows(name):
    model = clone(PIPELINES[name]).fit(X, y)
    before = model.predict(X)
    model.unlearn(X[FORGET][:8]).unlearn(X[FORGET][8:])
    reference = clone(PIPELINES[name]).fit(X[~FORGET], y[~FORGET])
    method = "predict_proba" if hasattr(model, "predict_proba") else "decision_function"
    ours, theirs = getattr(model, method)(X), getattr(reference, method)(X)
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)
    assert model.n_forgotten_ == FORGET.sum()
    assert len(before) == len(model.predict(X))
    assert not find_residue(model, X[FORGET], X[~FORGET])


@pytest.mark.parametrize("last", [LogisticRegression(max_iter=2000), GaussianNB()])
def test_mixed_frame(last):
    frame = mixed_frame()
    frame.loc[np.flatnonzero(FORGET)[:2], "town"] = "where only the forgotten lived"
    labels = (frame["age"] > 40).to_numpy().astype(int)
    steps = make_pipeline(
        mixed_steps(), FunctionTransformer(np.asarray), StandardScaler(), clone(last)
    )
    model = clone(steps).fit(frame, labels)
    model.unlearn(frame[FORGET])
    reference = clone(steps).fit(frame[~FORGET], labels[~FORGET])
    np.testing.assert_allclose(
        model.predict_proba(frame), reference.predict_proba(frame), atol=1e-8
    )
    for written in (pickle.dumps(model), pickle.dumps(model.export())):
        assert b"where only the forgotten lived" not in written
    numbers = frame[["age", "income"]].dropna().to_numpy()
    mask = FORGET[frame[["age", "income"]].notna().all(axis=1)]
    assert not find_residue(model, numbers[mask], numbers[~mask])


@pytest.mark.filterwarnings("ignore:.*TargetEncoder.*:FutureWarning")
def test_training_output_of_target_encoder_is_its_own():
    rng = np.random.default_rng(0)
    towns = rng.integers(0, 6, size=(240, 1)).astype(float)
    data = np.hstack([towns, rng.normal(size=(240, 2))])
    target = towns[:, 0] + rng.normal(size=240)
    encode = ColumnTransformer(
        [("code", TargetEncoder(random_state=0), [0])], remainder="passthrough"
    )
    model = make_pipeline(encode, Ridge()).fit(data, target)
    model.unlearn(data[FORGET])
    reference = make_pipeline(encode, Ridge()).fit(data[~FORGET], target[~FORGET])
    np.testing.assert_allclose(model.predict(data), reference.predict(data), rtol=1e-12)


def test_documents_and_sparse_rows():
    words = ["spam", "ham", "egg", "toast", "beans"]
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, 8)) + f" word{i}x" for i in range(60)]
    labels = np.arange(60) % 2
    model = make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(texts, labels)
    model.unlearn(texts[:5])
    assert b"word3x" not in pickle.dumps(model)
    reference = make_pipeline(TfidfVectorizer(), MultinomialNB())
    reference.fit(texts[5:], labels[5:])
    np.testing.assert_allclose(
        model.predict_proba(texts), reference.predict_proba(texts), rtol=1e-12
    )
    counts = sparse.random(80, 30, 0.2, random_state=0, format="csr")
    model = make_pipeline(MultinomialNB()).fit(counts, np.arange(80) % 2)
    model.unlearn(counts[10:14])
    assert model.n_forgotten_ == 4


def test_sample_weight_is_cut_with_the_rows():
    weight = np.random.default_rng(1).random(240)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    model.fit(X, y, logisticregression__sample_weight=weight)
    model.unlearn(X[FORGET])
    reference = clone(model)
    reference.fit(
        X[~FORGET], y[~FORGET], logisticregression__sample_weight=weight[~FORGET]
    )
    np.testing.assert_allclose(
        model.predict_proba(X), reference.predict_proba(X), atol=1e-8
    )


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_search_with_a_mask(routing, n_jobs):
    model = make_pipeline(StandardScaler(), LogisticRegression())
    grid = {"logisticregression__C": [0.1, 1.0]}
    with sklearn.config_context(enable_metadata_routing=routing):
        search = GridSearchCV(model, grid, cv=3, n_jobs=n_jobs, error_score="raise")
        search.fit(X, y, forget=FORGET)
        assert search.best_estimator_.n_forgotten_ == FORGET.sum()
        scores = cross_validate(
            model, X, y, params={"forget": FORGET}, return_estimator=True
        )
        counts = [fold.n_forgotten_ for fold in scores["estimator"]]
        assert sum(counts) == 4 * FORGET.sum()  # each row is in four training parts


@pytest.mark.skipif(
    sklearn.__version__.startswith("1.7"),
    reason="routing weights to Pipeline.score raises in scikit-learn 1.7 itself",
)
def test_routed_sample_weight_and_groups():
    with sklearn.config_context(enable_metadata_routing=True):
        last = LogisticRegression().set_fit_request(sample_weight=True)
        last.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        model = make_pipeline(scaler, last)
        search = GridSearchCV(model, {}, cv=GroupKFold(3), error_score="raise")
        groups = np.arange(240) // 4
        search.fit(X, y, sample_weight=np.ones(240), groups=groups, forget=FORGET)
        best = search.best_estimator_
        best.unlearn(groups=[50], on_unknown="ignore")
        assert best.n_forgotten_ >= FORGET.sum()


@pytest.mark.parametrize("name", ["pca", "nested", "unlearner at the end"])
def test_interrupted_at_any_moment(name):
    model = clone(PIPELINES[name])
    if name == "pca":
        model.set_params(pca__n_components=3)  # of the four columns of the check
    unlearner_checks(model)["check_unlearn_is_transactional"](model)


def test_a_failing_step_changes_nothing():
    class Fragile(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            if len(X) < 240:
                raise RuntimeError("out of luck")
            return super().fit(X)

    model = make_pipeline(Fragile(), GaussianNB()).fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(RuntimeError, match="out of luck"):
        model.unlearn(X[FORGET])
    np.testing.assert_array_equal(model.predict_proba(X), before)
    assert model.n_forgotten_ == 0 and not model.unlearning_log_


def test_one_class_left_is_what_is_predicted():
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    model.unlearn(X[y == 1])
    assert model.classes_.tolist() == [0, 1]
    assert (model.predict(X) == 0).all()
    np.testing.assert_array_equal(model.predict_proba(X[:2]), [[1.0, 0.0]] * 2)
    assert (model.decision_function(X) == -np.inf).all()
    assert model.score(X, y) == pytest.approx((y == 0).mean())
    # the step is still there to be fitted again
    assert model.fit(X, y).predict(X).max() == 1


def test_a_vanished_class_keeps_its_column():
    flowers, kinds = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(flowers, kinds)
    model.unlearn(flowers[kinds == 1])
    rest = kinds != 1
    reference = make_pipeline(StandardScaler(), LogisticRegression())
    reference.fit(flowers[rest], kinds[rest])
    proba = model.predict_proba(flowers)
    assert (proba[:, 1] == 0).all()
    np.testing.assert_allclose(
        proba[:, [0, 2]], reference.predict_proba(flowers), atol=1e-8
    )
    decision = model.decision_function(flowers)
    assert decision.shape == (150, 3)
    np.testing.assert_array_equal(decision.argmax(axis=1), model.predict(flowers))


def test_slices_keep_no_rows():
    model = make_pipeline(StandardScaler(), PCA(3), GaussianNB()).fit(X, y)
    assert isinstance(model[:-1], Pipeline)
    with pytest.raises(NotFittedError, match="whole"):
        model[:-1].unlearn(X[:2])
    scaler = model[0]
    model.unlearn(X[FORGET])
    assert model[0] is not scaler  # what the caller holds still remembers


def test_cache_is_neither_read_nor_written(tmp_path):
    model = make_pipeline(StandardScaler(), GaussianNB(), memory=str(tmp_path))
    model.fit(X, y)
    files = sorted(p.name for p in tmp_path.rglob("*"))
    with pytest.warns(UnlearningWarning, match="cache"):
        model.unlearn(X[FORGET])
    assert sorted(p.name for p in tmp_path.rglob("*")) == files


def test_without_kept_rows():
    model = make_pipeline(StandardScaler(), GaussianNB(), store_training_data=False)
    with pytest.warns(PipelineMemoryWarning, match="standardscaler, gaussiannb"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="X_retain"):
        model.unlearn(X[FORGET])
    model.unlearn(X[FORGET], y[FORGET], X_retain=X[~FORGET], y_retain=y[~FORGET])
    reference = make_pipeline(StandardScaler(), GaussianNB()).fit(
        X[~FORGET], y[~FORGET]
    )
    np.testing.assert_array_equal(model.predict_proba(X), reference.predict_proba(X))


def test_set_output_survives():
    frame = mixed_frame()[["age", "children"]]
    model = make_pipeline(StandardScaler(), MinMaxScaler()).set_output(
        transform="pandas"
    )
    model.fit(frame).unlearn(frame[FORGET])
    assert model.transform(frame).columns.tolist() == ["age", "children"]


def test_plain_pipeline_ends_in_an_unlearner():
    # rows are found behind rounding: one by one through float32
    rows = X.astype(np.float32)
    plain = sklearn_pipeline.make_pipeline(
        StandardScaler(), PCA(10, svd_solver="full"), ExactUnlearner(GaussianNB())
    )
    plain.fit(rows, y)
    for row in rows[FORGET]:
        plain[-1].unlearn(plain[:-1].transform(row[None]))
    assert plain[-1].n_forgotten_ == FORGET.sum()


def test_cost_is_told_step_by_step():
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    costs = model.unlearning_cost(X[FORGET])
    assert costs["standardscaler"].path == "summaries"
    assert costs["logisticregression"].path == "warm start"
    with pytest.raises(UnknownRowsError):
        model.unlearning_cost(X[:1] + 1)


def test_callbacks_do_not_hear_refits():
    callback = pytest.importorskip("sklearn.callback", reason="new in scikit-learn 1.9")
    last = LogisticRegression()
    monitor = callback.ScoringMonitor(scoring="accuracy")
    last.set_callbacks(monitor)
    model = make_pipeline(StandardScaler(), last).fit(X, y)
    logs = repr(monitor.get_logs())
    model.unlearn(X[FORGET])
    assert repr(monitor.get_logs()) == logs
    # but the step still has its callbacks, and they hear the next fit
    model[-1].fit(X, y)
    assert repr(monitor.get_logs()) != logs


def test_steps_that_work_in_place():
    rows = X + 20
    steps = make_pipeline(StandardScaler(copy=False), GaussianNB())
    model = clone(steps).fit(rows.copy(), y, forget=FORGET)
    reference = make_pipeline(StandardScaler(), GaussianNB())
    reference.fit(rows[~FORGET], y[~FORGET])
    np.testing.assert_allclose(
        model.predict_proba(rows.copy()), reference.predict_proba(rows), atol=1e-12
    )


def test_a_frozen_step_is_named_and_nothing_is_promised():
    frozen = FrozenEstimator(StandardScaler().fit(X))
    model = make_pipeline(frozen, GaussianNB()).fit(X, y)
    assert get_tags(model).unlearner_tags.guarantee == "approximate"
    with pytest.warns(UnlearningWarning, match="frozenestimator"):
        model.unlearn(X[FORGET])


def test_export_reaches_inner_pipelines():
    inner = make_pipeline(StandardScaler(), GaussianNB())
    search = GridSearchCV(inner, {"gaussiannb__var_smoothing": [1e-9]}, cv=2)
    for model in (
        make_pipeline(search),
        ExactUnlearner(make_pipeline(StandardScaler(), GaussianNB())),
        make_pipeline(StackingClassifier([("inner", inner)], GaussianNB(), cv=2)),
    ):
        model.fit(X, y)
        # no row is asked to go: they are found as long as they are kept
        assert find_residue(model, X[FORGET], X[~FORGET])
        assert not find_residue(model.export(), X[FORGET], X[~FORGET])


def test_a_frozen_unlearner_at_the_end_stays_as_it_is():
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = np.arange(60) % 2
    given = ExactUnlearner(GaussianNB()).fit(X, y)
    model = make_pipeline(StandardScaler(), FrozenEstimator(given)).fit(X, y)
    before = given.predict_proba(X)
    with pytest.warns(UnlearningWarning, match="still remembers"):
        model.unlearn(X[:3])
    assert np.array_equal(given.predict_proba(X), before)
    assert get_tags(model).unlearner_tags.guarantee == "approximate"
