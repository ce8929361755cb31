"""The rules of the contract of ``unlearn``, one check each.

Each takes the name and an unfitted instance of an estimator, as scikit-learn's
own checks do.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
from sklearn.base import MetaEstimatorMixin, clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.utils import get_tags

from sklearn_unlearn.base._tags import GUARANTEES, is_unlearner
from sklearn_unlearn.exceptions import AmbiguousRowsError, UnknownRowsError
from sklearn_unlearn.testing._check_data import (
    assert_same_outputs,
    containers,
    fresh,
    interruptions,
    make_case,
    outputs,
)
from sklearn_unlearn.testing._residue import assert_no_residue
from sklearn_unlearn.utils._sklearn_compat import _safe_indexing
from sklearn_unlearn.utils._state import assert_same_state

# A solver's count of iterations says how it got there, not where it is.
NOT_STATE = ("n_forgotten_", "unlearning_log_", "n_iter_")
LOG_KEYS = {"n_rows", "method", "guarantee", "seconds", "version", "time"}


def _is_exact(estimator):
    return get_tags(estimator).unlearner_tags.guarantee == "exact"


def _expect(error, act, what, contains=()):
    """Raise AssertionError unless `act` raises `error` with these words in it."""
    try:
        act()
    except error as raised:
        missing = [word for word in contains if word not in str(raised)]
        if missing:
            raise AssertionError(
                f"{what}: the message does not name {', '.join(missing)}: {raised}"
            ) from raised
        return
    raise AssertionError(f"{what} must raise {error.__name__}; nothing was raised.")


def _fitted(estimator, case, **params):
    return fresh(estimator, **params).fit(case.X, case.y)


def check_unlearner_tags(name, estimator):
    """The estimator says what it promises."""
    if not is_unlearner(estimator):
        raise AssertionError(f"{name} has no unlearner_tags: use UnlearnerMixin.")
    tags = get_tags(estimator).unlearner_tags
    if tags.guarantee not in GUARANTEES:
        raise AssertionError(f"guarantee of {name} must be one of {GUARANTEES}.")


def check_unlearn_returns_self(name, estimator):
    """``unlearn`` returns the estimator, counts the rows and writes one record."""
    case = make_case(estimator)
    fitted = _fitted(estimator, case)
    if fitted.n_forgotten_ != 0 or fitted.unlearning_log_ != []:
        raise AssertionError("fit must set n_forgotten_ = 0 and unlearning_log_ = [].")
    n_forget = int(case.forget.sum())
    if fitted.unlearn(case.forgotten[0]) is not fitted:
        raise AssertionError("unlearn must return self.")
    if fitted.n_forgotten_ != n_forget:
        raise AssertionError(f"n_forgotten_ is {fitted.n_forgotten_}, not {n_forget}.")
    (record,) = fitted.unlearning_log_
    if record.keys() != LOG_KEYS or record["n_rows"] != n_forget:
        raise AssertionError(f"a record must have {sorted(LOG_KEYS)}; got {record}.")
    if not all(isinstance(v, (int, float, str)) for v in record.values()):
        raise AssertionError("a record holds numbers and strings, never data.")
    fitted.fit(case.X, case.y)
    if fitted.n_forgotten_ != 0 or fitted.unlearning_log_ != []:
        raise AssertionError("a new fit must start over.")


def check_unlearn_unknown_rows(name, estimator):
    """Rows that are not kept are refused, or ignored on demand without a trace."""
    case = make_case(estimator)
    fitted = _fitted(estimator, case)
    X_forget, X_keep = case.forgotten[0], case.retained[0]
    stranger = X_forget[:1] + 0.25
    before = outputs(fitted, X_keep)
    mixed = np.vstack([X_forget, stranger])
    _expect(
        UnknownRowsError,
        lambda: fitted.unlearn(mixed),
        "a row that was never fitted",
        contains=["1"],
    )
    assert_same_outputs(outputs(fitted, X_keep), before, "after a refused request")
    if fitted.n_forgotten_:
        raise AssertionError("a refused request must not be counted.")
    fitted.unlearn(mixed, on_unknown="ignore")
    if fitted.n_forgotten_ != len(X_forget):
        raise AssertionError('on_unknown="ignore" must forget the rows that are known.')
    fitted.unlearn(stranger, on_unknown="ignore")
    if [r["n_rows"] for r in fitted.unlearning_log_] != [len(mixed), 1]:
        raise AssertionError("the log must not tell which rows were known.")
    _expect(
        UnknownRowsError,
        lambda: fitted.unlearn(X_forget[:1]),
        "a row that is forgotten already",
    )


def check_unlearn_bad_input(name, estimator):
    """Malformed requests get one clear sentence and change nothing."""
    case = make_case(estimator)
    X_forget = case.forgotten[0]
    _expect(NotFittedError, lambda: fresh(estimator).unlearn(X_forget), "before fit")
    fitted = _fitted(estimator, case)
    before = outputs(fitted, case.retained[0])
    _expect(ValueError, lambda: fitted.unlearn(case.X), "forgetting every row")
    _expect(ValueError, fitted.unlearn, "an empty call", contains=["X_forget"])
    _expect(
        ValueError,
        lambda: fitted.unlearn(X_forget, groups=[1]),
        "X_forget and groups at once",
        contains=["X_forget", "groups"],
    )
    _expect(ValueError, lambda: fitted.unlearn(X_forget[:, :-1]), "a missing column")
    _expect(
        ValueError,
        lambda: fitted.unlearn(X_forget, on_unknown="maybe"),
        "a wrong on_unknown",
        contains=["on_unknown"],
    )
    if case.y is not None:
        _expect(
            ValueError,
            lambda: fitted.unlearn(X_forget, case.y[:1]),
            "a y_forget of the wrong length",
            contains=["y_forget"],
        )
    if fitted.unlearn(X_forget[:0]) is not fitted or fitted.unlearning_log_:
        raise AssertionError("forgetting no rows must change and log nothing.")
    assert_same_outputs(outputs(fitted, case.retained[0]), before, "after bad input")


def check_unlearn_copies(name, estimator):
    """Rows are a multiset: k copies forget k copies."""
    case = make_case(estimator)
    twin, y_twin = case.part(np.flatnonzero(case.forget)[:1])
    X = np.vstack([case.X, twin, twin])
    y = None if case.y is None else np.concatenate([case.y, y_twin, y_twin])
    fitted = fresh(estimator).fit(X, y)
    fitted.unlearn(np.vstack([twin, twin]))
    if fitted.n_forgotten_ != 2:
        raise AssertionError("two copies in the request must forget two copies.")
    if _is_exact(fitted):
        reference = _fitted(estimator, case)
        rows = case.retained[0]
        assert_same_outputs(
            outputs(fitted, rows), outputs(reference, rows), "of three copies", 1e-8
        )
    _expect(
        UnknownRowsError,
        lambda: fitted.unlearn(np.vstack([twin, twin])),
        "more copies than there are",
    )


def check_unlearn_targets(name, estimator):
    """Equal rows with different targets are told apart by ``y_forget`` only."""
    case = make_case(estimator)
    if case.y is None:
        return
    one, other = case.forgotten[0][:1], case.retained[0][:1]
    y_one, y_other = case.y[:1], case.y[1:2]
    X = np.vstack([case.X, one + 0.5, one + 0.5])
    y = np.concatenate([case.y, y_one, y_other])
    fitted = fresh(estimator).fit(X, y)
    _expect(
        AmbiguousRowsError,
        lambda: fitted.unlearn(one + 0.5),
        "one of two rows with different targets",
        contains=["y_forget"],
    )
    fitted.unlearn(one + 0.5, y_other)
    if fitted.n_forgotten_ != 1:
        raise AssertionError("y_forget must choose between equal rows.")
    if _is_exact(fitted):
        reference = fresh(estimator).fit(X[:-1], y[:-1])
        assert_same_outputs(
            outputs(fitted, other), outputs(reference, other), "by target", 1e-8
        )
    _expect(
        UnknownRowsError,
        lambda: fitted.unlearn(one + 0.5, y_other),
        "a target that is forgotten",
    )


def check_unlearn_is_transactional(name, estimator):
    """An interruption at any moment leaves every prediction as it was."""
    case = make_case(estimator, n_rows=45)
    fitted = _fitted(estimator, case)
    X_forget, X_keep = case.forgotten[0], case.retained[0]
    before = outputs(fitted, X_keep)
    for broken in interruptions(fitted, lambda est: est.unlearn(X_forget)):
        after = outputs(broken, X_keep)
        assert_same_outputs(after, before, "interrupted in unlearn")
        if broken.n_forgotten_:
            raise AssertionError("an interrupted request must not be counted.")
    # and the last of them can still be asked again
    broken.unlearn(X_forget)


def check_unlearn_keeps_schema(name, estimator):
    """Constructor parameters and what ``fit`` saw of the schema stay."""
    case = make_case(estimator)
    fitted = _fitted(estimator, case)

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
    """The same seed gives the same result, and no global generator moves."""
    case = make_case(estimator)
    state = np.random.get_state(legacy=False)
    results = []
    for _ in range(2):
        fitted = _fitted(estimator, case).unlearn(case.forgotten[0])
        results.append(outputs(fitted, case.retained[0]))
        np.random.get_state(legacy=False)
    assert_same_outputs(*results, "two runs with one seed")
    after = np.random.get_state(legacy=False)
    if state["state"]["pos"] != after["state"]["pos"] or not np.array_equal(
        state["state"]["key"], after["state"]["key"]
    ):
        raise AssertionError("unlearn moved numpy's global generator.")


def check_unlearn_in_steps(name, estimator):
    """Two requests in a row are allowed; exact ones equal their union."""
    case = make_case(estimator)
    X_forget, X_keep = case.forgotten[0], case.retained[0]
    in_steps = _fitted(estimator, case)
    in_steps.unlearn(X_forget[:2]).unlearn(X_forget[2:])
    if in_steps.n_forgotten_ != len(X_forget) or len(in_steps.unlearning_log_) != 2:
        raise AssertionError("each of two requests must be counted and logged.")
    if _is_exact(in_steps):
        at_once = _fitted(estimator, case).unlearn(X_forget)
        assert_same_outputs(
            outputs(in_steps, X_keep), outputs(at_once, X_keep), "in two steps", 1e-8
        )


def check_unlearn_equals_refit(name, estimator):
    """An exact method has the state of a fit on the retained rows, all of it."""
    case = make_case(estimator)
    fitted = _fitted(estimator, case)
    if not _is_exact(fitted):
        return
    before = outputs(fitted, case.retained[0])
    fitted.unlearn(case.forgotten[0])
    reference = fresh(estimator).fit(*case.retained)
    after, truth = (outputs(e, case.retained[0]) for e in (fitted, reference))
    assert_same_outputs(after, truth, "after exact unlearning", 1e-8)
    # the rows of the checks have values of about 1
    assert_same_state(fitted, reference, rtol=1e-8, atol=1e-14, ignore=NOT_STATE)
    # a model that barely moves would pass with its old coefficients
    for method, old in before.items():
        if old.dtype.kind != "f" or old.shape != truth[method].shape:
            continue
        moved = np.abs(old - truth[method]).max()
        if moved and np.abs(after[method] - truth[method]).max() > 0.01 * moved:
            raise AssertionError(f"{method} is hardly nearer to a refit than before.")


def check_fit_forget_mask(name, estimator):
    """``fit(forget=mask)`` is a fit, then ``unlearn``; no mark is a plain fit."""
    case = make_case(estimator)
    X_keep = case.retained[0]
    masked = fresh(estimator).fit(case.X, case.y, forget=case.forget)
    asked = _fitted(estimator, case).unlearn(case.forgotten[0])
    assert_same_outputs(
        outputs(masked, X_keep), outputs(asked, X_keep), "by mask", 1e-8
    )
    if masked.n_forgotten_ != case.forget.sum():
        raise AssertionError("fit(forget=mask) must count the rows.")
    none = fresh(estimator).fit(case.X, case.y, forget=np.zeros(len(case.X), bool))
    plain = _fitted(estimator, case)
    assert_same_outputs(outputs(none, case.X), outputs(plain, case.X), "no mark")
    for bad in (case.forget[:-1], case.forget.astype(int), np.ones_like(case.forget)):
        _expect(
            ValueError,
            lambda bad=bad: fresh(estimator).fit(case.X, case.y, forget=bad),
            "a mask of wrong length or type, or of every row",
            contains=["forget"],
        )


def check_unlearn_groups(name, estimator):
    """All rows of an id are forgotten by that id."""
    case = make_case(estimator)
    ids = np.where(case.forget, "person-to-forget", "somebody")
    fitted = fresh(estimator).fit(case.X, case.y, groups=ids)
    _expect(
        UnknownRowsError, lambda: fitted.unlearn(groups=["nobody"]), "an unknown id"
    )
    fitted.unlearn(groups=["person-to-forget"])
    # ids may decide how a model is fitted: the same fit, asked by row
    asked = fresh(estimator).fit(case.X, case.y, groups=ids)
    asked.unlearn(case.forgotten[0])
    rows = case.retained[0]
    assert_same_outputs(outputs(fitted, rows), outputs(asked, rows), "by id", 1e-8)
    written = pickle.dumps(fitted)
    for encoding in ("utf-8", "utf-32-le"):  # numpy keeps words as UTF-32
        if "person-to-forget".encode(encoding) in written:
            raise AssertionError("the id of a forgotten group is still there.")
    _expect(
        ValueError,
        lambda: _fitted(estimator, case).unlearn(groups=["somebody"]),
        "groups that fit was never given",
        contains=["groups"],
    )


def check_unlearn_retain_given(name, estimator):
    """With ``X_retain`` the pair is the training set, kept or not."""
    case = make_case(estimator)
    (X_forget, y_forget), (X_keep, y_keep) = case.forgotten, case.retained
    given = {"X_retain": X_keep, "y_retain": y_keep}
    asked = _fitted(estimator, case).unlearn(X_forget)
    for store in (True, False):
        fitted = _fitted(estimator, case, store_training_data=store)
        if not store:
            for values, form in ((case.X, "<f8"), (X_keep, "<f8")):
                if values[0].astype(form).tobytes() in pickle.dumps(fitted) and (
                    "transform" in outputs(fitted, X_keep)
                ):
                    raise AssertionError("store_training_data=False keeps rows.")
            if get_tags(fitted).unlearner_tags.requires_retain:
                _expect(
                    ValueError,
                    lambda fitted=fitted: fitted.unlearn(X_forget),
                    "no rows kept and none given",
                    contains=["X_retain"],
                )
        fitted.unlearn(X_forget, y_forget, **given)
        if fitted.n_forgotten_ != len(X_forget):
            raise AssertionError("rows given with X_retain must be counted.")
        if _is_exact(fitted):
            assert_same_outputs(
                outputs(fitted, X_keep), outputs(asked, X_keep), "given rows", 1e-8
            )
    fitted = _fitted(estimator, case)
    _expect(
        ValueError,
        lambda: fitted.unlearn(X_forget[1:], None, **given),
        "X_forget and X_retain that are not the training set",
        contains=["X_retain"],
    )


def check_unlearn_class(name, estimator):
    """A class may go; it keeps its label and its column."""
    if not is_classifier(estimator):
        return
    case = make_case(estimator)
    labels = np.unique(case.y)
    fitted = _fitted(estimator, case)
    gone = case.y == labels[0]
    fitted.unlearn(case.X[gone], case.y[gone])
    if not np.array_equal(fitted.classes_, labels):
        raise AssertionError(f"classes_ must stay {labels}; got {fitted.classes_}.")
    X_keep, y_keep = case.part(~gone)
    after = outputs(fitted, X_keep)
    if "predict_proba" in after:
        proba = after["predict_proba"]
        if proba.shape[1] != len(labels):
            raise AssertionError("a forgotten class must keep its column.")
        if _is_exact(fitted):
            if proba[:, 0].any():
                raise AssertionError("its probability must be 0.")
            if len(labels) > 2:
                truth = fresh(estimator).fit(X_keep, y_keep).predict_proba(X_keep)
                gap = np.abs(proba[:, 1:] - truth).max()
                if gap > 1e-8:
                    raise AssertionError(f"other columns differ from refitting: {gap}")
    if _is_exact(fitted) and (after["predict"] == labels[0]).any():
        raise AssertionError("a forgotten class must not be predicted.")
    one_left = (
        fitted.unlearn(*case.part(case.y == labels[1])) if (len(labels) > 2) else fitted
    )
    predicted = one_left.predict(case.X)
    if _is_exact(fitted) and not (predicted == labels[-1]).all():
        raise AssertionError("with one class left, it is what is predicted.")


def check_unlearn_after_pickle(name, estimator):
    """A pickled estimator predicts and forgets as the original does."""
    case = make_case(estimator)
    fitted = _fitted(estimator, case)
    loaded = pickle.loads(pickle.dumps(fitted))
    rows = case.retained[0]
    assert_same_outputs(outputs(loaded, rows), outputs(fitted, rows), "after pickling")
    for est in (loaded, fitted):
        est.unlearn(case.forgotten[0])
    assert_same_outputs(outputs(loaded, rows), outputs(fitted, rows), "pickled, then")
    loaded = pickle.loads(pickle.dumps(fitted))
    assert_same_outputs(outputs(loaded, rows), outputs(fitted, rows), "then pickled")


def check_unlearn_export(name, estimator):
    """An exported copy predicts the same and cannot be asked to forget."""
    case = make_case(estimator)
    fitted = _fitted(estimator, case)
    fitted.unlearn(case.forgotten[0])
    exported = fitted.export()
    rows = case.retained[0]
    assert_same_outputs(outputs(exported, rows), outputs(fitted, rows), "exported")
    _expect(ValueError, lambda: exported.unlearn(rows[:1]), "unlearn of an export")
    fitted.unlearn(rows[:1])
    if len(pickle.dumps(exported)) > len(pickle.dumps(fitted)):
        raise AssertionError("an export must not be larger than what it came from.")


def check_unlearn_in_search(name, estimator):
    """clone, cross-validation and searches take the mask along."""
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


def check_no_residue(name, estimator):
    """After ``unlearn`` no copy of a forgotten row is found in the estimator.

    That no copy is found does not mean that nothing could be inferred: derived
    copies (hashes, compressed or encoded rows) are the reviewer's task, and for
    exact methods that of ``check_unlearn_equals_refit``.

    Parameters
    ----------
    name : str
        Name of the estimator, for messages.
    estimator : estimator instance
        Unfitted.

    Raises
    ------
    AssertionError
        If a value that only forgotten rows had can be read back.

    See Also
    --------
    check_unlearner : Runs this check and all others.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> from sklearn_unlearn.utils.estimator_checks import check_no_residue
    >>> check_no_residue("GaussianNB", ExactUnlearner(GaussianNB()))
    """
    case = make_case(estimator)
    # forgotten rows hold the extremes of every column
    case.X[case.forget] *= 7.0
    (X_forget, _), (X_keep, _) = case.forgotten, case.retained
    for container in containers(estimator):
        rows = container(case.X)
        forgotten = _safe_indexing(rows, np.flatnonzero(case.forget))
        retained = _safe_indexing(rows, np.flatnonzero(~case.forget))
        fitted = fresh(estimator).fit(rows, case.y)
        fitted.unlearn(forgotten)
        assert_no_residue(fitted, forgotten, retained)
    fitted = fresh(estimator).fit(case.X, case.y, forget=case.forget)
    assert_no_residue(fitted, X_forget, X_keep)
    if isinstance(estimator, MetaEstimatorMixin) and hasattr(fitted, "estimator_"):
        inner = fresh(estimator).fit(case.X, case.y).estimator_
        frozen = fresh(estimator).set_params(estimator=FrozenEstimator(inner))
        frozen.fit(case.X, case.y).unlearn(X_forget)
        # the original in memory is the caller's to delete; a pickle leaves it out
        loaded = pickle.loads(pickle.dumps(frozen))
        assert_no_residue(loaded, X_forget, X_keep)


CHECKS = (
    check_unlearner_tags,
    check_unlearn_returns_self,
    check_unlearn_unknown_rows,
    check_unlearn_bad_input,
    check_unlearn_copies,
    check_unlearn_targets,
    check_unlearn_is_transactional,
    check_unlearn_keeps_schema,
    check_unlearn_is_repeatable,
    check_unlearn_in_steps,
    check_unlearn_equals_refit,
    check_fit_forget_mask,
    check_unlearn_groups,
    check_unlearn_retain_given,
    check_unlearn_class,
    check_unlearn_after_pickle,
    check_unlearn_export,
    check_unlearn_in_search,
    check_no_residue,
)
