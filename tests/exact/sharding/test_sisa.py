"""Ensembles of shards and slices: exactness, what is trained again, costs, clusters."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn import config_context, pipeline
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LogisticRegression,
    Ridge,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import get_tags

from sklearn_unlearn.exact import Retrain, SISAClassifier, SISARegressor, sisa_cost
from sklearn_unlearn.exceptions import PipelineRetrainWarning
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import assert_same_state

X, y = load_digits(n_class=4, return_X_y=True)
X, y = X[:300] / 16, np.array(["zero", "one", "two", "three"])[y[:300]]
MLP = MLPClassifier((12,))


def without(*rows, n_rows=300):
    return np.delete(np.arange(n_rows), rows)


def same(first, second):
    """Whether two ensembles agree in every bit of every attribute."""
    try:
        assert_same_state(first, second, rtol=0)
    except AssertionError:
        return False
    return True


def changed(before, model):
    """Numbers of the shards whose models are other objects than before."""
    pairs = zip(before, model.estimators_, strict=True)
    return [s for s, (old, new) in enumerate(pairs) if old is not new]


@pytest.mark.parametrize(
    ("estimator", "n_slices"),
    [
        (DecisionTreeClassifier(max_features=3), 1),
        (SVC(kernel="linear"), 1),
        (MLP, 4),  # moments of Adam
        (MLPClassifier((12,), solver="sgd", learning_rate="adaptive"), 3),
        (SGDClassifier(average=True), 4),  # counters of steps
        (DropoutClassifier((12,)), 3),
        (LogisticRegression(C=0.1, tol=0.01), 3),  # by warm_start
        (RandomForestClassifier(8), 3),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else value,
)
def test_bit_for_bit_a_fit_without_the_rows(estimator, n_slices):
    model = SISAClassifier(estimator, n_shards=3, n_slices=n_slices, n_epochs=4)
    model.set_params(random_state=5)
    whole = clone(model).fit(X, y)
    before = whole.estimators_
    cost = whole.unlearning_cost(X[[7]])
    whole.unlearn(X[[7]])
    assert len(changed(before, whole)) == 1
    assert cost.path == "shards" and f"1 of {3} shards" in cost.reason
    assert same(whole, clone(model).fit(X[without(7)], y[without(7)]))
    whole.unlearn(X[[250, 30]]).unlearn(X[[8]])
    gone = without(7, 8, 30, 250)
    assert same(whole, clone(model).fit(X[gone], y[gone]))
    # pickled in between, and in another order
    other = clone(model).fit(X, y).unlearn(X[[8, 250]])
    other = pickle.loads(pickle.dumps(other)).unlearn(X[[30, 7]])
    assert same(whole, other)


def test_regressors_and_weights_per_row():
    rows, target = load_diabetes(return_X_y=True)
    rows, target = rows / rows.std(), target / 100
    weight = np.linspace(0.5, 2, len(rows))
    weight[:40] = 0
    for estimator, n_slices in ((SGDRegressor(), 3), (DecisionTreeRegressor(), 1)):
        model = SISARegressor(estimator, n_slices=n_slices, random_state=0)
        kept = without(*range(100, 110), n_rows=len(rows))
        ours = clone(model).fit(rows, target, sample_weight=weight)
        ours.unlearn(rows[100:110])
        fitted = clone(model).fit(rows[kept], target[kept], sample_weight=weight[kept])
        assert same(ours, fitted)
        plain = clone(model).fit(rows, target).unlearn(rows[100:110])
        assert (plain.predict(rows) != ours.predict(rows)).any()
        # a row of weight 0 is not there
        some = np.flatnonzero(weight)
        less = clone(model).fit(rows[some], target[some], sample_weight=weight[some])
        less.unlearn(rows[100:110])
        assert np.array_equal(less.predict(rows), ours.predict(rows))


def test_several_outputs_are_averaged():
    model = SISARegressor(Ridge(), n_shards=3, random_state=0).fit(X, X[:, :2])
    models = [m for m in model.estimators_ if m is not None]
    mean = np.mean([m.predict(X) for m in models], axis=0)
    np.testing.assert_array_equal(model.predict(X), mean)


def test_all_rows_of_a_person_are_in_one_cell():
    person = np.arange(300) // 10
    model = SISAClassifier(SGDClassifier(), n_slices=2, n_epochs=4, random_state=0)
    ours = clone(model).fit(X, y, groups=person)
    for who in (4, 11):
        before = ours.estimators_
        ours.unlearn(groups=[who])
        assert len(changed(before, ours)) == 1
    stay = ~np.isin(person, [4, 11])
    assert same(ours, clone(model).fit(X[stay], y[stay], groups=person[stay]))
    by_row = clone(model).fit(X, y)
    before = by_row.estimators_
    by_row.unlearn(X[:10])
    assert len(changed(before, by_row)) > 1


@pytest.mark.parametrize("n_slices", [1, 3])
@pytest.mark.parametrize("vote", ["hard", "soft"])
def test_classes_may_leave_shards_and_all_of_them(n_slices, vote):
    base = SGDClassifier(loss="log_loss")
    model = SISAClassifier(base, n_slices=n_slices, vote=vote, random_state=1)
    model.set_params(n_epochs=4)
    rows, labels = X[:60], y[:60]
    ours = clone(model).fit(rows, labels)
    left = labels != "two"
    for i in np.flatnonzero(~left):  # one by one, from shard after shard
        ours.unlearn(rows[[i]])
    assert same(ours, _with_label(clone(model).fit(rows[left], labels[left])))
    assert list(ours.classes_) == ["one", "three", "two", "zero"]
    assert not ours.predict_proba(rows)[:, 2].any()
    np.testing.assert_allclose(ours.predict_proba(rows).sum(axis=1), 1)
    ours.unlearn(rows[np.isin(labels, ["one", "three"])])
    assert (ours.predict(rows) == "zero").all()


def _with_label(fitted):
    """The labels are those seen in ``fit``, forgotten ones included."""
    fitted.classes_ = np.unique(y)
    return fitted


@pytest.mark.parametrize("n_rows", [2, 5, 12])
@pytest.mark.parametrize(
    ("estimator", "n_slices"), [(LogisticRegression(), 1), (SGDClassifier(), 4)]
)
def test_few_rows(n_rows, estimator, n_slices):
    model = SISAClassifier(estimator, n_shards=6, n_slices=n_slices, random_state=0)
    rows, labels = X[:n_rows], y[:n_rows]
    ours = clone(model).fit(rows, labels).unlearn(rows[:1])
    fitted = clone(model).fit(rows[1:], labels[1:])
    fitted.classes_ = ours.classes_
    assert same(ours, fitted)
    assert ours.predict(X).shape == (300,)
    if n_rows < 6:
        assert None in ours.estimators_


def test_rows_that_are_not_kept_but_given():
    model = SISAClassifier(SGDClassifier(), n_slices=3, n_epochs=4, random_state=0)
    ours = clone(model).set_params(store_training_data=False).fit(X, y)
    before = ours.estimators_
    stay = without(2)
    ours.unlearn(X[[2]], X_retain=X[stay], y_retain=y[stay])
    assert len(changed(before, ours)) == 1
    fitted = clone(model).fit(X[stay], y[stay])
    assert np.array_equal(ours.predict(X), fitted.predict(X))
    # in another order or precision, nothing is as it was
    before = ours.estimators_
    ours.unlearn(
        X[[9]], X_retain=X[without(2, 9)][::-1], y_retain=y[without(2, 9)][::-1]
    )
    assert len(changed(before, ours)) == 5
    grouped = clone(ours).fit(X, y, groups=np.arange(300))
    with pytest.raises(ValueError, match="groups"):
        grouped.unlearn(X[[2]], X_retain=X[stay], y_retain=y[stay])


def test_in_a_pipeline():
    last = SISAClassifier(SGDClassifier(), n_slices=2, n_epochs=4, random_state=0)
    stay, person = without(2, 3), np.arange(300) // 3
    for step, n_changed in ((StandardScaler(), 5), (FunctionTransformer(), 2)):
        model = make_pipeline(step, last).fit(X, y)
        before = model[-1].estimators_
        model.unlearn(X[[2, 3]])
        assert len(changed(before, model[-1])) == n_changed
        fitted = make_pipeline(step, last).fit(X[stay], y[stay])
        assert same(model[-1], fitted[-1])
        assert get_tags(model).unlearner_tags.guarantee == "exact"
    # checkpoints keep what they need to go on
    last = SISAClassifier(DropoutClassifier((8,)), n_slices=3, n_epochs=4)
    last.set_params(n_shards=2, random_state=0)
    model = make_pipeline(FunctionTransformer(), last).fit(X, y)
    for i in (2, 3):
        model.unlearn(X[[i]])
    assert np.array_equal(
        model.predict_proba(X), last.fit(X[stay], y[stay]).predict_proba(X)
    )
    last = SISAClassifier(SGDClassifier(), n_slices=2, n_epochs=4, random_state=0)
    model = make_pipeline(FunctionTransformer(), last)
    model.fit(X, y, groups=person, sisaclassifier__groups=person)
    before = model[-1].estimators_
    model.unlearn(groups=[5])
    assert len(changed(before, model[-1])) == 1


def test_frames_with_words():
    pd = pytest.importorskip("pandas")
    from sklearn.preprocessing import OneHotEncoder

    rng = np.random.default_rng(0)
    words = rng.choice(["a", "b", "c"], size=80)
    table = pd.DataFrame({"word": pd.Categorical(words), "number": rng.normal(size=80)})
    table.loc[7, "word"] = np.nan
    inner = make_pipeline(
        OneHotEncoder(handle_unknown="ignore"), DecisionTreeClassifier()
    )
    model = SISAClassifier(inner, n_shards=3, random_state=0)
    labels = (words == "a").astype(int)
    ours = clone(model).fit(table, labels)
    before = ours.estimators_
    ours.unlearn(table.iloc[[7, 20]])
    fitted = clone(model).fit(table.drop(index=[7, 20]), np.delete(labels, [7, 20]))
    assert same(ours, fitted)
    assert 1 <= len(changed(before, ours)) <= 2
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(table[["number", "word"]])


def test_votes():
    model = SISAClassifier(DecisionTreeClassifier(), random_state=0).fit(X, y)
    labels = np.array([m.predict(X) for m in model.estimators_])
    shares = (labels[:, :, None] == model.classes_).mean(axis=0)
    np.testing.assert_allclose(model.predict_proba(X), shares)
    assert np.array_equal(model.predict(X), model.classes_[shares.argmax(axis=1)])
    soft = SISAClassifier(LogisticRegression(), vote="soft", random_state=0).fit(X, y)
    mean = np.mean([m.predict_proba(X) for m in soft.estimators_], axis=0)
    np.testing.assert_allclose(soft.predict_proba(X), mean)


def test_tags():
    def guarantee(model):
        return get_tags(model).unlearner_tags.guarantee

    assert guarantee(SISAClassifier(MLP, random_state=0)) == "exact"
    assert guarantee(SISAClassifier(MLP)) == "exact_law"
    frozen = FrozenEstimator(StandardScaler().fit(X))
    inner = pipeline.make_pipeline(frozen, LogisticRegression())
    model = SISAClassifier(inner, random_state=0).fit(X, y)
    assert guarantee(model) == "approximate"
    # and it can end a pipeline all the same
    whole = make_pipeline(StandardScaler(), clone(model)).fit(X, y)
    with pytest.warns(PipelineRetrainWarning):
        assert whole.unlearn(X[:2]).n_forgotten_ == 2


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (SISAClassifier(SVC(), n_slices=2), "n_slices=2.*partial_fit or warm_start"),
        (SISAClassifier(Ridge()), "must be a classifier; got Ridge"),
        (SISARegressor(SVC()), "must be a regressor; got SVC"),
        (SISAClassifier(SGDClassifier(), vote="soft"), "predict_proba"),
        (
            SISAClassifier(HistGradientBoostingClassifier(max_iter=1), n_slices=2),
            "same rows",
        ),
        (SISAClassifier(FrozenEstimator(SVC().fit(X, y))), "FrozenEstimator"),
        (SISAClassifier(SVC(), n_shards=0), "n_shards"),
    ],
    ids=str,
)
def test_what_cannot_be_fitted_is_refused(model, words):
    with pytest.raises(ValueError, match=words):
        model.fit(X[:40], y[:40])


def run(backend=None, **params):
    """Fit and forget in a backend of joblib."""
    model = SISAClassifier(MLP, n_slices=2, n_epochs=3, random_state=0)
    target = X[:, 20] + X[:, 40]
    numbers = SISARegressor(
        MLPRegressor(hidden_layer_sizes=(8,)), n_shards=3, random_state=0
    )
    numbers.set_params(n_slices=2, n_epochs=2)
    with parallel_config(backend or "sequential", **params):
        fitted = model.fit(X, y)
        proba = fitted.predict_proba(X)
        fitted = pickle.loads(pickle.dumps(fitted)).unlearn(X[[5, 6, 7]])
        numbers.fit(X, target).unlearn(X[[5]])
    return proba, fitted.predict_proba(X), numbers.predict(X), fitted, numbers


def assert_same_runs(first, second):
    for a, b in zip(first[:3], second[:3], strict=True):
        assert a.tobytes() == b.tobytes()
    assert same(first[3], second[3]) and same(first[4], second[4])


def test_same_bytes_in_threads_and_processes():
    serial = run()
    for backend in ("threading", "loky"):
        assert_same_runs(run(backend, n_jobs=2), serial)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_same_bytes_on_a_dask_cluster():
    distributed = pytest.importorskip("distributed")
    workers = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with (
        distributed.LocalCluster(**workers, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        on_cluster = run("dask")
        done = client.run(_n_modules)
    assert len(done) == 2 and all(done.values()), "both processes have trained"
    assert_same_runs(on_cluster, run())


def _n_modules():
    """Whether this process has loaded what trains a shard."""
    import sys

    return "sklearn_unlearn.exact.sharding._slices" in sys.modules


def simulated_cost(rng, n_rows, n_shards, n_slices, n_requests):
    """Draw cells and requests, and count what is trained again."""
    cells = rng.integers(0, n_shards * n_slices, size=n_rows)
    shards, slices = np.divmod(cells, n_slices)
    stays = np.ones(n_rows, dtype=bool)
    stays[rng.choice(n_rows, n_requests, replace=False)] = False
    total = 0.0
    for shard in np.unique(shards[~stays]):
        first = slices[(shards == shard) & ~stays].min()
        kept = np.bincount(slices[(shards == shard) & stays], minlength=n_slices)
        total += kept.cumsum()[first:].sum() * 2 / (n_slices + 1)
    return total


@pytest.mark.parametrize(
    "case", [(200, 5, 1, 1), (200, 5, 4, 1), (120, 1, 6, 3), (300, 8, 3, 20)]
)
def test_cost_is_that_of_a_simulation(case):
    rng = np.random.default_rng(0)
    costs = [simulated_cost(rng, *case) for _ in range(3000)]
    error = np.std(costs) / np.sqrt(len(costs))
    assert abs(np.mean(costs) - sisa_cost(*case)) < 4 * error
    assert error < 0.02 * sisa_cost(*case)


def test_cost_is_that_of_an_ensemble():
    costs = []
    for seed in range(8):
        model = SISAClassifier(SGDClassifier(), n_slices=4, random_state=seed)
        model.set_params(n_epochs=1).fit(X, y)
        costs += [model.unlearning_cost(X[[i]]).n_read for i in range(0, 300, 3)]
    assert np.mean(costs) == pytest.approx(sisa_cost(300, 5, 4), rel=0.05)


def test_cost_on_paper():
    n = 10**9
    assert sisa_cost(n, 1) == n - 1
    assert sisa_cost(n, 5, 4) == pytest.approx((n - 1) * 0.75 / 5)
    # many slices save a third, many requests leave nothing to save
    assert sisa_cost(n, 20, 10_000) == pytest.approx(n * 2 / 3 / 20, rel=1e-3)
    assert sisa_cost(n, 100, 10, 100_000) == pytest.approx(n - 100_000, rel=1e-6)
    assert sisa_cost(n, 10**6, 1, 1) == pytest.approx(n / 10**6)
    with pytest.raises(ValueError, match="n_shards must be a whole number"):
        sisa_cost(n, 2.5)
    with pytest.raises(ValueError, match="n_requests=10 would forget all"):
        sisa_cost(10, 2, 1, 10)


def test_speakers_of_vowels(loaders):
    """A speaker costs one shard if groups are given; fewer shards know more."""
    data = loaders.ALL["vowel"]()
    rows, labels, person = data["X"], data["y"], data["person"]
    speakers = np.unique(person)
    train = np.arange(len(rows)) % 4 > 0
    scores = []
    for n_shards in (1, 5, 25):
        model = SISAClassifier(DecisionTreeClassifier(), n_shards=n_shards)
        model.set_params(random_state=0).fit(rows[train], labels[train])
        scores.append(model.score(rows[~train], labels[~train]))
    assert scores[0] > scores[1] > scores[2]
    model = SISAClassifier(SGDClassifier(), random_state=0)
    model.fit(rows, labels, groups=person)
    before = model.estimators_
    theirs = person == speakers[0]
    grouped = model.unlearning_cost(rows[theirs]).n_read
    assert len(changed(before, model.unlearn(groups=speakers[:1]))) == 1
    scattered = model.fit(rows, labels).unlearning_cost(rows[theirs]).n_read
    assert scattered > 2 * grouped


def test_a_shard_of_one_class_predicts_it():
    # a perceptron can be fitted on one class, and makes two columns of it
    label = np.where(np.arange(60) == 7, 0, 1)
    model = SISAClassifier(
        MLPClassifier((4,), max_iter=20), n_shards=2, vote="soft", random_state=0
    )
    model.fit(X[:60], label).unlearn(X[[7]])
    assert np.array_equal(model.predict_proba(X[:60]), np.tile([0.0, 1.0], (60, 1)))
    retrain = Retrain(MLPClassifier((4,), max_iter=20, random_state=0))
    retrain.fit(X[:60], label).unlearn(X[[7]])
    assert (retrain.predict_proba(X[:60])[:, 0] == 0).all()


def test_parameters_that_changed_since_fit():
    model = SISAClassifier(SGDClassifier(), n_slices=2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="n_slices changed since fit"):
        model.set_params(n_slices=4).unlearn(X[[2]])
    assert model.set_params(n_slices=2).unlearn(X[[2]]).n_forgotten_ == 1


def test_an_interrupt_that_scikit_learn_swallows(monkeypatch):
    model = SISAClassifier(MLP, n_shards=1, random_state=0).fit(X, y)
    retrain = Retrain(MLPClassifier((4,), max_iter=9, random_state=0)).fit(X, y)

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(MLPClassifier, "_backprop", interrupted)
    for unlearner in (model, retrain):
        before = unlearner.predict_proba(X)
        with pytest.raises(KeyboardInterrupt):
            unlearner.unlearn(X[[2]])
        assert unlearner.n_forgotten_ == 0
        assert np.array_equal(unlearner.predict_proba(X), before)


def test_score_behind_steps_with_routing():
    with config_context(enable_metadata_routing=True):
        model = make_pipeline(StandardScaler(), SISAClassifier(LogisticRegression()))
        assert 0.5 < model.fit(X, y).score(X, y) <= 1


class WithSide(ClassifierMixin, BaseEstimator):
    """Learns from what is given beside the rows."""

    def fit(self, X, y, side=None):
        assert sparse.issparse(side) and side.shape[0] == len(X)
        self.classes_, self.side_ = np.unique(y), side.sum(axis=0)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def predict_proba(self, X):
        return np.tile(self.side_[: len(self.classes_)], (len(X), 1))


@pytest.mark.parametrize("form", ["csr", "coo", "lil"])
def test_sparse_arguments_go_with_their_rows(form):
    rng = np.random.default_rng(0)
    side = sparse.random_array((300, 6), density=0.4, rng=rng).tocsr()
    model = SISAClassifier(WithSide(), n_shards=3, random_state=0)
    model.fit(X, y, side=side.asformat(form)).unlearn(X[[3, 7]])
    rest = without(3, 7)
    reference = clone(model).fit(X[rest], y[rest], side=side[rest].asformat(form))
    np.testing.assert_array_equal(model.predict_proba(X), reference.predict_proba(X))
    with pytest.raises(TypeError, match="dense data is required"):
        SISAClassifier(SGDClassifier()).fit(X, y, sample_weight=side[:, [0]])
