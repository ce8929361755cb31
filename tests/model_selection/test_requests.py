"""Splits that know of a forget set, surrogate requests, and streams of requests."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    BaseCrossValidator,
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    ShuffleSplit,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB

from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.model_selection import (
    ForgetAwareSplit,
    RequestStream,
    SurrogateRequests,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 3))
Y = np.repeat([0, 1, 2], 40)
X[:, 0] += 1.5 * Y
T = X @ [1.0, -2.0, 0.5] + rng.normal(size=120)
IDS = np.tile(np.arange(30), 4)
FORGET = np.arange(120) % 11 == 0


# -------------------------------------------------------------- ForgetAwareSplit


@pytest.mark.parametrize(
    "cv",
    [2, 5, KFold(3, shuffle=True, random_state=0), ShuffleSplit(4, train_size=0.3)],
    ids=repr,
)
@pytest.mark.parametrize("y", [None, Y, T], ids=["none", "classes", "numbers"])
def test_forget_set_is_always_trained_on(cv, y):
    splitter = ForgetAwareSplit(FORGET, cv)
    splits = list(splitter.split(X, y))
    assert len(splits) == splitter.get_n_splits() == splitter.get_n_splits(X, y)
    for train, test in splits:
        assert np.isin(np.flatnonzero(FORGET), train).all()
        assert not FORGET[test].any() and len(test)
        assert not np.isin(train, test).any() and len(np.unique(train)) == len(train)
        if not isinstance(cv, ShuffleSplit):
            assert len(train) + len(test) == 120
    if not isinstance(cv, ShuffleSplit):
        tests = np.concatenate([test for _, test in splits])
        np.testing.assert_array_equal(np.sort(tests), np.flatnonzero(~FORGET))


def test_folds_keep_the_shares_of_classes():
    for _, test in ForgetAwareSplit(FORGET, 4).split(X, Y):
        assert np.bincount(Y[test]).min() >= 8  # consecutive folds would have one class
    rare = np.where(np.arange(120) == 1, 3, Y)  # no fold can keep its share
    assert len(list(ForgetAwareSplit(FORGET, 4).split(X, rare))) == 4


@pytest.mark.parametrize("cv", [4, GroupKFold(3), LeaveOneGroupOut()], ids=repr)
@pytest.mark.parametrize("y", [Y, T], ids=["classes", "numbers"])
def test_persons_stay_together(cv, y):
    forget = np.isin(IDS, [3, 17])
    forget[5] = True  # one row of a person whose others are not asked for
    splitter = ForgetAwareSplit(forget, cv)
    splits = list(splitter.split(X, y, IDS))
    assert splitter.get_n_splits(X, y, IDS) == len(splits)
    for train, test in splits:
        assert not np.isin(IDS[test], IDS[train]).any()
        assert not np.isin(IDS[test], [3, 17, 5]).any()
    assert len(np.unique(np.concatenate([IDS[test] for _, test in splits]))) == 27


@pytest.mark.parametrize("routing", [False, True], ids=["", "routing"])
def test_in_cross_validation_and_search(routing):
    forget = np.isin(IDS, [3, 17])
    splitter = ForgetAwareSplit(forget, 3)
    with sklearn.config_context(enable_metadata_routing=routing):
        model = Retrain(GaussianNB())
        if routing:
            model.set_fit_request(forget=True, groups=False)
            extra = {"params": {"forget": forget, "groups": IDS}}
        else:
            extra = {"params": {"forget": forget}, "groups": IDS}
        result = cross_validate(
            model,
            X,
            Y,
            cv=splitter,
            return_estimator=True,
            return_indices=True,
            **extra,
        )
        assert [m.n_forgotten_ for m in result["estimator"]] == [8, 8, 8]
        for test in result["indices"]["test"]:
            assert not forget[test].any()
        # each model is that of the training rows without the forget set
        train = np.setdiff1d(result["indices"]["train"][0], np.flatnonzero(forget))
        expected = GaussianNB().fit(X[train], Y[train]).predict_proba(X)
        np.testing.assert_array_equal(result["estimator"][0].predict_proba(X), expected)
        search = GridSearchCV(
            model, {"estimator__var_smoothing": [1e-9, 1.0]}, cv=splitter
        )
        search.fit(X, Y, forget=forget, groups=IDS)
        assert search.best_estimator_.n_forgotten_ == 8 and search.n_splits_ == 3


def test_splitter_can_be_recognised_and_shown():
    splitter = ForgetAwareSplit([True, False, False], 2)
    assert isinstance(splitter, BaseCrossValidator)
    assert repr(splitter) == "ForgetAwareSplit(cv=2, forget=[True, False, False])"
    np.testing.assert_array_equal(splitter.forget, [True, False, False])


def test_frames_and_lists_are_split():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, index=np.arange(120) + 500)
    expected = list(ForgetAwareSplit(FORGET, 3).split(X, Y, IDS))
    for rows in (frame, X.tolist()):
        found = list(ForgetAwareSplit(list(FORGET), 3).split(rows, list(Y), list(IDS)))
        for (a, b), (c, d) in zip(expected, found, strict=True):
            np.testing.assert_array_equal(a, c)
            np.testing.assert_array_equal(b, d)


@pytest.mark.parametrize("cv", [1, True, "five", None, [([0], [1])]])
def test_cv_refused(cv):
    with pytest.raises(ValueError, match="cv must be a number of folds"):
        ForgetAwareSplit(FORGET, cv)


@pytest.mark.parametrize(
    ("forget", "groups", "message"),
    [
        (FORGET[1:], None, "boolean mask"),
        (FORGET.astype(int), None, "boolean mask"),
        (np.ones(120, dtype=bool), None, "marks every row"),
        (np.arange(120) > 0, None, "leaves 1 rows"),
        (np.arange(120) > 2, None, "as many rows outside"),
        (IDS > 1, IDS, "as many groups outside"),
        (IDS > 0, IDS, "leaves 1 groups"),
    ],
)
def test_split_refused(forget, groups, message):
    with pytest.raises(ValueError, match=message):
        list(ForgetAwareSplit(forget).split(X, Y, groups))


# ------------------------------------------------------------- SurrogateRequests


def drawn(forget, y=None, groups=None, n_requests=20, kind="like", seed=0):
    requests = SurrogateRequests(forget, kind, n_requests, random_state=seed)
    masks = list(requests.masks(X, y, groups=groups))
    assert len(masks) == n_requests
    for mask in masks:
        assert mask.dtype == bool and not (mask & forget).any() and mask.any()
        assert not (mask | forget).all()
    return masks


def test_rows_of_the_same_classes():
    forget = np.isin(np.arange(120), [0, 1, 2, 3, 4, 50, 51, 90])
    for mask in drawn(forget, Y):
        np.testing.assert_array_equal(np.bincount(Y[mask]), [5, 2, 1])
    assert len({mask.tobytes() for mask in drawn(forget, Y)}) == 20
    for first, second in zip(drawn(forget, Y), drawn(forget, Y), strict=True):
        np.testing.assert_array_equal(first, second)
    at_random = drawn(forget, Y, kind="random")
    assert all(mask.sum() == 8 for mask in at_random)
    shares = np.sum([np.bincount(Y[m], minlength=3) for m in at_random], axis=0)
    assert (shares > 30).all()  # 53 of 160 each, with a standard deviation of 6


def test_all_rows_that_stay_are_drawn_alike():
    forget = np.arange(120) < 20  # half of class 0
    often = np.sum(drawn(forget, Y, n_requests=400, seed=3), axis=0)
    assert often[20:40].min() == 400 and often[40:].max() == 0
    forget = np.isin(np.arange(120), [0, 1, 50])
    often = np.sum(drawn(forget, Y, n_requests=600), axis=0)
    stay = ~forget & (Y == 0)
    assert np.abs(often[stay] - 600 * 2 / 38).max() < 5 * np.sqrt(600 * 2 / 38)


def test_rows_that_are_missing_are_made_up_for():
    forget = np.arange(120) < 35  # five rows of class 0 stay
    for mask in drawn(forget, Y):
        assert mask.sum() == 35 and mask[35:40].all()


def test_numbers_are_classed_by_size():
    forget = np.zeros(120, dtype=bool)
    forget[np.argsort(T)[-10:]] = True  # the highest: their kind is the highest fifth
    for mask in drawn(forget, T):
        assert mask.sum() == 10 and T[mask].min() > np.quantile(T, 0.79)


def test_whole_classes():
    forget = Y == 1
    masks = drawn(forget, Y, n_requests=20)
    labels = np.array([Y[m][0] for m in masks]).reshape(10, 2)
    assert (np.sort(labels, axis=1) == [0, 2]).all()  # in turns
    assert len(set(labels[:, 0])) == 2
    assert all((m == (Y == Y[m][0])).all() for m in masks)
    with pytest.raises(ValueError, match="would leave none"):
        list(SurrogateRequests(Y < 2).masks(X, Y))


def test_whole_persons():
    ids = np.repeat(np.arange(30), np.r_[np.full(20, 2), np.full(10, 8)])
    forget = np.isin(ids, [3, 4, 25])
    for mask in drawn(forget, Y, ids):
        persons = np.unique(ids[mask])
        assert len(persons) == 3 and not np.isin(ids[~mask], persons).any()
        assert 10 <= mask.sum() <= 14  # 12 are asked for
        assert np.abs(np.bincount(Y[mask], minlength=3) - [2, 2, 8]).sum() <= 12
    # nearer to the classes of the request than three persons by lot
    lot = np.random.default_rng(1)
    by_lot = [np.isin(ids, lot.choice(30, 3, replace=False)) for _ in range(200)]

    def distance(masks):
        wanted = np.bincount(Y[forget], minlength=3)
        return np.mean(
            [np.abs(np.bincount(Y[m], minlength=3) - wanted).sum() for m in masks]
        )

    assert distance(drawn(forget, Y, ids)) < distance(by_lot) / 2


def test_a_part_of_each_person():
    forget = np.zeros(120, dtype=bool)
    forget[np.flatnonzero(IDS == 3)[:3]] = True
    forget[np.flatnonzero(IDS == 9)[:1]] = True
    for mask in drawn(forget, None, IDS):
        assert sorted(np.bincount(IDS[mask])[np.unique(IDS[mask])]) == [1, 3]
        assert not np.isin([3, 9], IDS[mask]).any()


@pytest.mark.parametrize(
    ("forget", "kwargs", "message"),
    [
        (FORGET[1:], {}, "boolean mask"),
        (np.zeros(120, dtype=bool), {}, "marks no row"),
        (np.arange(120) < 60, {}, "of the same size would leave none"),
        (IDS < 15, {"groups": IDS}, "one more that stays"),
        (
            np.arange(120) < 7,
            {"groups": np.r_[np.full(8, 99), np.repeat(np.arange(28), 4)]},
            "no other group has as many rows",
        ),
    ],
)
def test_surrogates_refused(forget, kwargs, message):
    with pytest.raises(ValueError, match=message):
        list(SurrogateRequests(forget).masks(X, Y, **kwargs))
    for bad in ({"kind": "same"}, {"n_requests": 0}, {"random_state": "seed"}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            SurrogateRequests(forget, **bad)


# ------------------------------------------------------------------ RequestStream

NEEDS = {
    "random": {},
    "bursts": {},
    "difficulty": {"difficulty": rng.normal(size=120)},
    "person": {"groups": IDS},
    "adaptive": {"estimator": GaussianNB().fit(X, Y)},
}


def requests(kind, seed=0, n_requests=12, n_rows=3, **changes):
    stream = RequestStream(
        kind, n_requests=n_requests, n_rows=n_rows, random_state=seed
    )
    return list(stream.masks(X, Y, **{**NEEDS[kind], **changes}))


@pytest.mark.parametrize("kind", NEEDS)
def test_no_row_is_asked_for_twice(kind):
    masks = requests(kind)
    assert len(masks) == 12
    asked = np.sum(masks, axis=0)
    assert asked.max() == 1 and asked.min() == 0
    assert all(mask.any() for mask in masks)
    if kind != "person":
        assert asked.sum() == 36
    if kind not in ("bursts", "person"):
        assert {int(mask.sum()) for mask in masks} == {3}
    for first, second in zip(masks, requests(kind), strict=True):
        np.testing.assert_array_equal(first, second)
    other = requests(kind, seed=1)
    differ = any((a != b).any() for a, b in zip(masks, other, strict=True))
    assert differ == (kind not in ("difficulty", "adaptive"))


def test_hard_rows_come_first():
    difficulty = NEEDS["difficulty"]["difficulty"]
    order = np.concatenate([np.sort(-difficulty[m]) for m in requests("difficulty")])
    assert (np.diff(order) >= 0).all()


def test_bursts_are_of_very_different_sizes():
    sizes = np.array([m.sum() for m in requests("bursts", n_requests=10, n_rows=10)])
    assert sizes.sum() == 100 and sizes.min() >= 1
    assert np.median(sizes) <= 5 and sizes.max() >= 25


def test_one_person_in_many_requests():
    masks = requests("person", n_rows=1)
    persons = np.array([IDS[mask][0] for mask in masks])
    assert (persons.reshape(3, 4) == persons.reshape(3, 4)[:, :1]).all()
    assert len(set(persons)) == 3
    masks = requests("person", n_rows=3)  # of four rows: three, and the last one
    assert [int(mask.sum()) for mask in masks] == [3, 1] * 6
    assert all(len(set(IDS[mask])) == 1 for mask in masks)


@pytest.mark.parametrize(
    ("model", "y"),
    [(LogisticRegression(), Y), (Ridge(), T)],
    ids=["classes", "numbers"],
)
def test_adaptive_requests_look_at_the_present_model(model, y):
    unlearner = ExactUnlearner(model).fit(X, y)
    left = np.ones(120, dtype=bool)
    stream = RequestStream("adaptive", n_requests=6, n_rows=10, random_state=0)
    asked = []
    for forget in stream.masks(X, y, estimator=unlearner):
        if y is T:
            loss = (unlearner.predict(X) - y) ** 2
        else:
            loss = -unlearner.predict_proba(X)[np.arange(120), y]
        assert loss[forget].max() <= loss[left & ~forget].min()
        unlearner.unlearn(X[forget], y[forget])
        left &= ~forget
        asked.append(forget)
    assert unlearner.n_forgotten_ == 60
    frozen = list(stream.masks(X, y, estimator=ExactUnlearner(model).fit(X, y)))
    assert any((a != b).any() for a, b in zip(asked, frozen, strict=True))


@pytest.mark.parametrize(
    ("kind", "kwargs", "message"),
    [
        ("difficulty", {}, "needs difficulty"),
        ("person", {}, "needs groups"),
        ("adaptive", {}, "needs estimator"),
        ("random", {"estimator": NEEDS["adaptive"]["estimator"]}, "leave it out"),
        ("bursts", {"difficulty": T}, "leave it out"),
        ("random", {"groups": IDS}, "leave it out"),
    ],
)
def test_stream_refuses_what_is_missing_or_useless(kind, kwargs, message):
    with pytest.raises(ValueError, match=message):
        next(RequestStream(kind).masks(X, Y, **kwargs))


def test_stream_leaves_rows():
    with pytest.raises(ValueError, match="would leave none of the 120 rows"):
        next(RequestStream(n_requests=12, n_rows=10).masks(X))
    with pytest.raises(ValueError, match="all rows are gone after 30"):
        next(RequestStream("person", n_requests=30, n_rows=4).masks(X, groups=IDS))
    last = list(RequestStream("person", n_requests=29, n_rows=4).masks(X, groups=IDS))
    assert np.sum(last) == 116
    for bad in ({"kind": "dense"}, {"n_requests": 0}, {"n_rows": 0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            RequestStream(**bad)
