"""Forget sets by plan: they are what they are called, and closed forms agree."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_unlearn.model_selection import (
    SubsetPredictions,
    forget_set_difficulty,
    forget_set_spectrum,
    make_corruption,
    make_forget_set,
    subset_predictions,
    worst_case_forget_set,
)
from sklearn_unlearn.model_selection.forget_sets.projection import project_to_sum

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
Y = np.where(X[:, 0] > 0, "yes", "no")
T = X @ [1.0, -2.0, 0.5] + 3 + rng.normal(size=60)
IDS = np.repeat(np.arange(20), 3)

LINEAR = [
    LinearRegression(),
    LinearRegression(fit_intercept=False),
    Ridge(alpha=3.0),
    Ridge(alpha=3.0, fit_intercept=False),
]


def left_out(estimator, X, y):
    """Predictions for each row, and for all rows, by a fit without the row."""
    fits = [
        clone(estimator).fit(np.delete(X, i, 0), np.delete(y, i)) for i in range(len(y))
    ]
    own = [fit.predict(X[[i]])[0] for i, fit in enumerate(fits)]
    return np.array(own), np.array([fit.predict(X) for fit in fits])


# ------------------------------------------------------------------ leaving out


@pytest.mark.parametrize("model", LINEAR, ids=repr)
def test_linear_models_left_out(model):
    fitted = clone(model).fit(X, T)
    own, others = left_out(model, X, T)
    memorized = forget_set_difficulty(model, X, T, n_fits="leave_one_out")
    expected = ((own - T) ** 2 - (fitted.predict(X) - T) ** 2) / T.var()
    np.testing.assert_allclose(memorized, expected, rtol=1e-9)
    influence = forget_set_difficulty(
        model, X, T, method="influence", n_fits="leave_one_out"
    )
    expected = ((others - fitted.predict(X)) ** 2).mean(axis=1) / T.var()
    np.testing.assert_allclose(influence, expected, rtol=1e-9)
    # leverage: what the row's own target weighs, and what leaving it out changes
    leverage = forget_set_difficulty(model, X, T, method="leverage")
    moved = clone(model).fit(X, T + np.eye(60)[7])
    slope = moved.predict(X)[7] - fitted.predict(X)[7]
    np.testing.assert_allclose(leverage[7], slope, rtol=1e-9)
    residual = T - fitted.predict(X)
    np.testing.assert_allclose(
        fitted.predict(X) - own, residual * leverage / (1 - leverage), rtol=1e-7
    )


def test_row_that_alone_determines_a_coefficient():
    Z = np.column_stack([X[:, 0], np.arange(60) == 4])
    scores = forget_set_difficulty(LinearRegression(), Z, T, n_fits="leave_one_out")
    own, _ = left_out(LinearRegression(), Z, T)
    np.testing.assert_allclose(scores[4], (own[4] - T[4]) ** 2 / T.var())


@pytest.mark.parametrize("model", [KNeighborsClassifier(1), KNeighborsClassifier(4)])
def test_neighbours_left_out(model):
    y = rng.permutation(Y)
    scores = forget_set_difficulty(model, X, y, n_fits="leave_one_out")
    labels = list(np.unique(y))
    inside = clone(model).fit(X, y).predict_proba(X)
    for i in range(60):
        rest = clone(model).fit(np.delete(X, i, 0), np.delete(y, i))
        column = labels.index(y[i])
        gain = inside[i, column] - rest.predict_proba(X[[i]])[0, column]
        assert scores[i] == pytest.approx(gain, abs=1e-12)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (KNeighborsRegressor(1), T),
        (KNeighborsRegressor(3, weights="distance"), T),
        (GaussianNB(), Y),
        (DecisionTreeRegressor(max_depth=3), T),
        (LinearRegression(positive=True), T),
    ],
    ids=repr,
)
def test_any_model_left_out(model, y):
    """Against its own refits, by another route: a pipeline has no closed form."""
    settings = {"n_fits": "leave_one_out", "random_state": 0}
    scores = forget_set_difficulty(model, X, y, **settings)
    piped = make_pipeline(StandardScaler(with_mean=False, with_std=False), model)
    again = forget_set_difficulty(piped, X, y, **settings)
    np.testing.assert_allclose(scores, again, atol=1e-12)


def test_parts_agree_with_leaving_out():
    """Influence and memorization by random parts are estimates of the same thing."""
    Z, t = X[:30], T[:30].copy()
    t[4] += 15
    models = subset_predictions(
        Ridge(), Z, t, n_fits=400, train_size=0.9, random_state=0
    )
    for method in ("memorization", "influence"):
        settings = {"method": method}
        parts = forget_set_difficulty(Ridge(), Z, t, predictions=models, **settings)
        exact = forget_set_difficulty(Ridge(), Z, t, n_fits="leave_one_out", **settings)
        assert parts.argmax() == exact.argmax() == 4
        assert 0.5 < parts[4] / exact[4] < 2


def test_influence_by_products_is_that_of_the_means():
    models = subset_predictions(
        DecisionTreeClassifier(), X, Y, n_fits=20, train_size=0.5, random_state=0
    )
    seen, p = models.membership, models.predictions
    scores = forget_set_difficulty(
        DecisionTreeClassifier(), X, Y, method="influence", predictions=models
    )
    for i in (0, 17):
        inside, outside = p[seen[:, i]], p[~seen[:, i]]
        apart = ((inside.mean(axis=0) - outside.mean(axis=0)) ** 2).sum()
        spread = sum(((s - s.mean(axis=0)) ** 2).sum() for s in (inside, outside)) / 18
        expected = apart - spread * (1 / len(inside) + 1 / len(outside))
        assert scores[i] == pytest.approx(expected / 60, rel=1e-9)


def test_influence_of_rows_without_any_is_zero_on_average():
    """Predictions that have nothing to do with membership: the spread is taken off."""
    seen = np.array([rng.permutation(60) < 42 for _ in range(30)])
    models = SubsetPredictions(seen, rng.normal(size=(30, 60)))
    scores = forget_set_difficulty(
        Ridge(), X, T, method="influence", predictions=models
    )
    # not taken off, the mean would be 1 / 21 + 1 / 9 = 0.16 before the unit
    assert abs(scores.mean() * T.var()) < 0.02


# ------------------------------------------------------------------- difficulty


def noisy_labels():
    """Two classes far apart; a tenth of the labels are wrong."""
    Z, y = make_classification(
        200, 4, n_informative=4, n_redundant=0, class_sep=4, random_state=0
    )
    return make_corruption(Z, y, 20, random_state=1)


@pytest.mark.parametrize(
    "model", [DecisionTreeClassifier(), KNeighborsClassifier(1)], ids=repr
)
def test_memorized_rows_are_those_with_wrong_labels(model):
    dirty = noisy_labels()
    found = make_forget_set(
        dirty.X, dirty.y, 20, kind="memorized", estimator=model, random_state=0
    )
    assert (found & dirty.forget).sum() >= 15  # by chance, two of them


def test_memorized_numbers_are_those_that_were_shifted():
    dirty = make_corruption(X, T, 5, kind="target_shift", strength=6, random_state=0)
    found = make_forget_set(
        dirty.X,
        dirty.y,
        5,
        kind="memorized",
        estimator=DecisionTreeRegressor(),
        random_state=0,
    )
    assert (found & dirty.forget).sum() >= 4


def test_redundant_rows_are_predicted_alike_without_them():
    dirty = noisy_labels()
    model = RandomForestClassifier(10, bootstrap=False)
    redundant, memorized = (
        make_forget_set(
            dirty.X, dirty.y, 20, kind=kind, estimator=model, random_state=0
        )
        for kind in ("redundant", "memorized")
    )

    def predicted(rows, seed):
        fitted = clone(model).set_params(random_state=seed)
        fitted.fit(dirty.X[rows], dirty.y[rows])
        return fitted.predict_proba(dirty.X)[:, 1]

    def moved(forget, other):
        return np.abs(predicted(~other, 1) - predicted(np.full(200, True), 0))[
            forget
        ].mean()

    chance = moved(redundant, np.zeros(200, dtype=bool))  # another seed, the same rows
    assert moved(redundant, redundant) <= chance + 0.02
    assert moved(memorized, memorized) > 0.8


def test_influential_rows_move_the_predictions():
    t = T.copy()
    t[[3, 8]] += 20
    found = make_forget_set(
        X, t, 2, kind="influential", estimator=Ridge(), n_fits="leave_one_out"
    )
    assert set(np.flatnonzero(found)) == {3, 8}


def test_loss_and_error_norm():
    fitted = GaussianNB().fit(X, Y)
    own = fitted.predict_proba(X)[np.arange(60), (Y == "yes").astype(int)]
    loss = forget_set_difficulty(GaussianNB(), X, Y, method="loss")
    np.testing.assert_allclose(loss, -np.log(own), rtol=1e-10)
    norm = forget_set_difficulty(GaussianNB(), X, Y, method="el2n", n_fits=2)
    np.testing.assert_allclose(norm, np.sqrt(2) * (1 - own), atol=1e-12)
    squared = forget_set_difficulty(Ridge(), X, T, method="loss")
    residual = T - Ridge().fit(X, T).predict(X)
    np.testing.assert_allclose(squared, residual**2 / T.var())
    absolute = forget_set_difficulty(Ridge(), X, T, method="el2n")
    np.testing.assert_allclose(absolute, np.abs(residual) / T.std())


def test_frozen_models_stay_as_they_are():
    frozen = FrozenEstimator(GaussianNB().fit(X[:40], Y[:40]))
    own = frozen.predict_proba(X)[np.arange(60), (Y == "yes").astype(int)]
    loss = forget_set_difficulty(frozen, X, Y, method="loss")
    np.testing.assert_allclose(loss, -np.log(own), rtol=1e-10)
    # it does not depend on what it is fitted on, so it has memorized nothing
    memorized = forget_set_difficulty(frozen, X, Y, random_state=0)
    np.testing.assert_allclose(memorized, 0, atol=1e-12)


def test_certain_and_wrong_has_a_finite_loss():
    y = np.where(np.arange(60) == 5, "yes", np.where(X[:, 0] > 0, "yes", "no"))
    model = LinearSVC()  # without probabilities: the label has all of it
    loss = forget_set_difficulty(model, X, y, method="loss", random_state=0)
    assert np.isfinite(loss).all()
    assert set(np.round(loss, 3)) <= {0.0, np.round(-np.log(np.finfo(float).eps), 3)}


def test_el2n_averages_over_seeds():
    model = RandomForestClassifier(1, random_state=0)
    one, many = (
        forget_set_difficulty(model, X, Y, method="el2n", n_fits=n, random_state=0)
        for n in (1, 40)
    )
    assert len(np.unique(np.round(one, 9))) < len(np.unique(np.round(many, 9)))


def test_models_that_do_not_know_every_class():
    y = np.where(np.arange(60) < 2, "rare", Y)
    models = subset_predictions(GaussianNB(), X, y, n_fits=30, random_state=0)
    assert list(models.classes) == ["no", "rare", "yes"]
    np.testing.assert_allclose(models.predictions.sum(axis=2), 1)
    without = ~models.membership[:, :2].any(axis=1)
    assert without.any() and (models.predictions[without][:, :, 1] == 0).all()


def test_parts_are_of_whole_groups():
    models = subset_predictions(
        Ridge(), X, T, n_fits=8, train_size=0.5, groups=IDS, random_state=0
    )
    by_person = models.membership.reshape(8, 20, 3)
    assert (by_person == by_person[:, :, :1]).all()
    assert (models.membership.sum(axis=1) == 30).all()


@pytest.mark.parametrize("method", ["memorization", "influence", "el2n", "loss"])
def test_same_seed_same_result_serial_or_parallel(method):
    model = DecisionTreeClassifier(max_features=1, random_state=3)
    settings = {"method": method, "random_state": 0}
    if method in ("memorization", "influence"):
        settings["n_fits"] = 20
    state = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    first = forget_set_difficulty(model, X, Y, **settings)
    again = forget_set_difficulty(model, X, Y, n_jobs=2, **settings)
    np.testing.assert_array_equal(first, again)
    after = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    assert after["pos"] == state["pos"] and (after["key"] == state["key"]).all()


# -------------------------------------------------------------------- worst case


@pytest.mark.parametrize("total", [1, 3.5, 59])
def test_projection(total):
    weights = rng.normal(size=60)
    nearest = project_to_sum(weights, total)
    assert nearest.sum() == pytest.approx(total, abs=1e-9)
    assert nearest.min() >= 0 and nearest.max() <= 1
    # no other admissible weights are nearer: the angle to each of them is obtuse
    others = rng.random((200, 60))
    others = np.array([project_to_sum(w, total) for w in 3 * others - 1])
    assert ((others - nearest) @ (weights - nearest) <= 1e-9).all()


@pytest.mark.parametrize("model", LINEAR, ids=repr)
@pytest.mark.parametrize("direction", ["hard", "easy"])
def test_worst_single_row_of_a_linear_model(model, direction):
    own, _ = left_out(model, X, T)
    residual = np.abs(own - T)
    expected = residual.argmin() if direction == "hard" else residual.argmax()
    found = worst_case_forget_set(model, X, T, 1, direction=direction, random_state=0)
    assert np.flatnonzero(found).tolist() == [expected]


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (Ridge(), T),
        (GaussianNB(), rng.permutation(Y)),
        (DecisionTreeRegressor(random_state=0), T),
    ],
    ids=["linear", "classes", "numbers"],
)
def test_worst_rows_are_predicted_well_without_them(model, y):
    def loss(forget):
        fitted = clone(model).fit(X[~forget], y[~forget])
        if y is T:
            return ((fitted.predict(X[forget]) - y[forget]) ** 2).mean()
        proba = fitted.predict_proba(X[forget])
        return -np.log(proba[np.arange(9), (y[forget] == "yes").astype(int)]).mean()

    hard, easy = (
        worst_case_forget_set(model, X, y, 0.15, direction=direction, random_state=0)
        for direction in ("hard", "easy")
    )
    assert hard.sum() == easy.sum() == 9
    at_random = [loss(make_forget_set(X, y, 9, random_state=s)) for s in range(30)]
    assert loss(hard) < min(at_random)
    assert loss(easy) > max(at_random)
    again = worst_case_forget_set(model, X, y, 9, random_state=0, n_jobs=2)
    np.testing.assert_array_equal(hard, again)


def test_search_sees_that_twins_need_one_another():
    """Each of two equal rows is easily predicted, until both are forgotten."""
    x = np.sort(np.random.default_rng(0).random(40))
    far = np.repeat(np.arange(1.0, 6) * 10, 2)
    Z = np.concatenate([x, far])[:, None]
    t = np.concatenate([np.sin(6 * x), np.repeat([3.0, -2, 4, -5, 1], 2)])
    losses = []
    for n_outer in (1, 2, 4, 7, 12):
        forget = worst_case_forget_set(
            KNeighborsRegressor(1), Z, t, 10, n_outer=n_outer, step=2.0, random_state=0
        )
        fitted = KNeighborsRegressor(1).fit(Z[~forget], t[~forget])
        losses.append(((fitted.predict(Z[forget]) - t[forget]) ** 2).mean())
    assert losses[-1] < losses[0] / 100
    assert (np.diff(losses) <= 1e-12).all()  # the best of all steps is returned


# --------------------------------------------------------------------- the kinds


def test_size_class_range_and_group():
    assert make_forget_set(X, None, 7).sum() == 7
    assert make_forget_set(X, Y, 0.25).sum() == 15
    of_class = make_forget_set(X, Y, kind="class", which="yes")
    np.testing.assert_array_equal(of_class, Y == "yes")
    some = make_forget_set(X, Y, 4, kind="class", random_state=0)
    assert some.sum() == 4 and len(set(Y[some])) == 1
    one = make_forget_set(X, None, kind="group", groups=IDS, random_state=0)
    assert one.sum() == 3 and len(set(IDS[one])) == 1
    given = make_forget_set(X, None, kind="group", groups=IDS, which=8)
    np.testing.assert_array_equal(given, IDS == 8)
    highest = make_forget_set(X, T, 6, kind="range", which="highest")
    assert T[highest].min() > T[~highest].max() and highest.sum() == 6
    lowest = make_forget_set(X, T, 6, kind="range", which="lowest")
    assert T[lowest].max() < T[~lowest].min()
    within = make_forget_set(X, T, 6, kind="range", random_state=1)
    between = (T >= T[within].min()) & (T <= T[within].max())
    np.testing.assert_array_equal(within, between)


@pytest.mark.parametrize("kind", ["random", "group", "memorized", "influential"])
def test_groups_stay_whole(kind):
    needed = {"estimator": Ridge()} if kind in ("memorized", "influential") else {}
    forget = make_forget_set(X, T, 10, kind=kind, groups=IDS, random_state=0, **needed)
    assert forget.sum() == 12  # four of three rows: three would not be enough
    assert not np.isin(IDS[~forget], IDS[forget]).any()


def test_memorized_person():
    """Models that know other rows of a person know her; they are left out together."""
    Z, t = X.copy(), T.copy()
    Z[IDS == 6], t[IDS == 6] = [9.0, 9.0, 9.0], 40.0
    model = KNeighborsRegressor(1)
    found = make_forget_set(
        Z, t, 3, kind="memorized", estimator=model, groups=IDS, random_state=0
    )
    np.testing.assert_array_equal(found, IDS == 6)


@pytest.mark.parametrize(
    "kind", ["random", "class", "range", "memorized", "worst_case", "influential"]
)
def test_repeatable_by_seed(kind):
    by_model = kind in ("memorized", "worst_case", "influential")
    needed = {"estimator": DecisionTreeClassifier()} if by_model else {}
    if kind == "worst_case":
        needed["n_outer"] = 3
    y = (Y == "yes").astype(int)

    def draw(seed):
        return make_forget_set(X, y, 5, kind=kind, random_state=seed, **needed)

    first, *others = (draw(seed) for seed in (0, 0, *range(1, 6)))
    assert first.dtype == bool and first.shape == (60,) and first.sum() == 5
    np.testing.assert_array_equal(first, others[0])
    assert any((first != other).any() for other in others[1:])


def test_frames_and_lists():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abc"), index=np.arange(60) + 100)
    kwargs = {"kind": "memorized", "estimator": DecisionTreeClassifier()}
    kwargs["random_state"] = 0
    expected = make_forget_set(X, Y, 5, **kwargs)
    found = make_forget_set(frame, pd.Series(Y, index=frame.index), 5, **kwargs)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(make_forget_set(X, list(Y), 5, **kwargs), expected)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"n_forget": 60}, "at most 59 rows of X"),
        ({"n_forget": 1.5}, "n_forget"),
        ({"n_forget": 0}, "n_forget"),
        ({}, "needs n_forget"),
        ({"kind": "best"}, "kind"),
        ({"n_forget": 5, "kind": "memorized"}, "needs estimator"),
        ({"n_forget": 5, "kind": "group"}, "needs groups"),
        ({"n_forget": 5, "which": "yes"}, "no use for which"),
        ({"n_forget": 5, "estimator": Ridge()}, "no use for estimator"),
        ({"n_forget": 5, "n_jobs": 2}, "no use for n_jobs"),
        ({"kind": "class", "which": "maybe"}, "one of several labels"),
        ({"kind": "class", "groups": IDS}, "no use for groups"),
        ({"kind": "class", "which": "no", "n_forget": 50}, "rows of the class"),
        ({"kind": "group", "groups": IDS, "which": 99}, "one of several ids"),
        ({"kind": "group", "groups": IDS, "which": 1, "n_forget": 3}, "leave n_forget"),
        ({"kind": "group", "groups": IDS, "n_forget": 58}, "all groups"),
        ({"kind": "group", "groups": IDS[1:]}, "inconsistent"),
        ({"kind": "range", "n_forget": 3, "which": "middle"}, '"lowest"'),
    ],
)
def test_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        make_forget_set(X, Y, **kwargs)


def test_refused_of_targets_and_models():
    with pytest.raises(ValueError, match='use kind="range"'):
        make_forget_set(X, T, kind="class")
    with pytest.raises(ValueError, match="needs y"):
        make_forget_set(X, None, 3, kind="range")
    with pytest.raises(TypeError, match="classifier or a regressor"):
        forget_set_difficulty(KMeans(), X, Y)
    with pytest.raises(ValueError, match="LinearRegression and Ridge"):
        forget_set_difficulty(LogisticRegression(), X, Y, method="leverage")
    with pytest.raises(ValueError, match="the other methods fit on all rows"):
        forget_set_difficulty(Ridge(), X, T, method="loss", n_fits="leave_one_out")
    with pytest.raises(ValueError, match="Raise n_fits"):
        forget_set_difficulty(Ridge(), X, T, n_fits=3, random_state=0)
    models = subset_predictions(Ridge(), X, T, n_fits=30, random_state=0)
    with pytest.raises(ValueError, match="for 60 rows, but X has 59"):
        forget_set_difficulty(Ridge(), X[1:], T[1:], predictions=models)
    with pytest.raises(ValueError, match="two different ids"):
        subset_predictions(Ridge(), X, T, groups=np.zeros(60))


# --------------------------------------------------------------------- spectrum


def test_spectrum():
    difficulty = rng.permutation(60)
    own = np.arange(60) < 4
    sets = forget_set_spectrum(difficulty, 8, forget=own, random_state=0)
    assert list(sets) == ["low", "mid", "high", "random", "given"]
    assert all(sets[name].sum() == 8 for name in ("low", "mid", "high", "random"))
    assert difficulty[sets.low].max() < 20 <= difficulty[sets.mid].min()
    assert difficulty[sets.mid].max() < 40 <= difficulty[sets.high].min()
    np.testing.assert_array_equal(sets.given, own)
    thirds = forget_set_spectrum(difficulty, random_state=0)
    np.testing.assert_array_equal(thirds.low, difficulty < 20)
    np.testing.assert_array_equal(thirds.high, difficulty >= 40)
    again = forget_set_spectrum(difficulty, 8, random_state=0)
    assert all((again[name] == sets[name]).all() for name in again)


def test_spectrum_of_equal_scores_is_drawn_by_lot():
    firsts = {
        forget_set_spectrum(np.zeros(9), 1, random_state=seed).high.argmax()
        for seed in range(40)
    }
    assert len(firsts) > 5


def test_spectrum_refused():
    with pytest.raises(ValueError, match="at most 20 rows"):
        forget_set_spectrum(np.arange(60), 21)
    with pytest.raises(ValueError, match="finite"):
        forget_set_spectrum([1.0, np.nan, 2.0])
    with pytest.raises(ValueError, match="boolean mask"):
        forget_set_spectrum(np.arange(60), forget=np.arange(60))
