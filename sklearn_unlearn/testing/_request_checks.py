"""Checks of requests: what is found, counted, logged, refused and interrupted."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from sklearn_unlearn.exceptions import AmbiguousRowsError, UnknownRowsError
from sklearn_unlearn.testing._assertions import (
    assert_raises,
    assert_same_outputs,
    is_exact,
    outputs,
)
from sklearn_unlearn.testing._check_data import fit_case, fresh, make_case
from sklearn_unlearn.testing._interruptions import interruptions

__all__ = [
    "check_unlearn_bad_input",
    "check_unlearn_copies",
    "check_unlearn_groups",
    "check_unlearn_is_transactional",
    "check_unlearn_retain_given",
    "check_unlearn_returns_self",
    "check_unlearn_targets",
    "check_unlearn_unknown_rows",
]

LOG_KEYS = {"n_rows", "method", "guarantee", "seconds", "version", "time"}


def check_unlearn_returns_self(name, estimator):
    """``unlearn`` returns the estimator, counts the rows and writes one record."""
    case = make_case(estimator)
    fitted = fit_case(estimator, case)
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
    """Unknown rows are refused, or passed over on demand; no record tells which."""
    case = make_case(estimator)
    fitted = fit_case(estimator, case)
    X_forget, X_keep = case.forgotten[0], case.retained[0]
    stranger = X_forget[:1] + 0.25
    before = outputs(fitted, X_keep)
    mixed = np.vstack([X_forget, stranger])
    assert_raises(
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
    assert_raises(
        UnknownRowsError,
        lambda: fitted.unlearn(X_forget[:1]),
        "a row that is forgotten already",
    )


def check_unlearn_bad_input(name, estimator):
    """Malformed requests raise an error that names the argument; nothing changes."""
    case = make_case(estimator)
    X_forget = case.forgotten[0]
    assert_raises(
        NotFittedError, lambda: fresh(estimator).unlearn(X_forget), "before fit"
    )
    fitted = fit_case(estimator, case)
    before = outputs(fitted, case.retained[0])
    assert_raises(ValueError, lambda: fitted.unlearn(case.X), "forgetting every row")
    assert_raises(ValueError, fitted.unlearn, "an empty call", contains=["X_forget"])
    assert_raises(
        ValueError,
        lambda: fitted.unlearn(X_forget, groups=[1]),
        "X_forget and groups at once",
        contains=["X_forget", "groups"],
    )
    assert_raises(
        ValueError, lambda: fitted.unlearn(X_forget[:, :-1]), "a missing column"
    )
    assert_raises(
        ValueError,
        lambda: fitted.unlearn(X_forget, on_unknown="maybe"),
        "a wrong on_unknown",
        contains=["on_unknown"],
    )
    if case.y is not None:
        assert_raises(
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
    if is_exact(fitted):
        reference = fit_case(estimator, case)
        rows = case.retained[0]
        assert_same_outputs(
            outputs(fitted, rows), outputs(reference, rows), "of three copies", 1e-8
        )
    assert_raises(
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
    assert_raises(
        AmbiguousRowsError,
        lambda: fitted.unlearn(one + 0.5),
        "one of two rows with different targets",
        contains=["y_forget"],
    )
    fitted.unlearn(one + 0.5, y_other)
    if fitted.n_forgotten_ != 1:
        raise AssertionError("y_forget must choose between equal rows.")
    if is_exact(fitted):
        reference = fresh(estimator).fit(X[:-1], y[:-1])
        assert_same_outputs(
            outputs(fitted, other), outputs(reference, other), "by target", 1e-8
        )
    assert_raises(
        UnknownRowsError,
        lambda: fitted.unlearn(one + 0.5, y_other),
        "a target that is forgotten",
    )


def check_unlearn_groups(name, estimator):
    """All rows of an id are forgotten by that id."""
    case = make_case(estimator)
    ids = np.where(case.forget, "person-to-forget", "somebody")
    fitted = fresh(estimator).fit(case.X, case.y, groups=ids)
    assert_raises(
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
    assert_raises(
        ValueError,
        lambda: fit_case(estimator, case).unlearn(groups=["somebody"]),
        "groups that fit was never given",
        contains=["groups"],
    )


def check_unlearn_retain_given(name, estimator):
    """``X_forget`` and ``X_retain`` may be passed as the whole training set."""
    case = make_case(estimator)
    (X_forget, y_forget), (X_keep, y_keep) = case.forgotten, case.retained
    given = {"X_retain": X_keep, "y_retain": y_keep}
    asked = fit_case(estimator, case).unlearn(X_forget)
    for store in (True, False):
        fitted = fit_case(estimator, case, store_training_data=store)
        if not store:
            for values, form in ((case.X, "<f8"), (X_keep, "<f8")):
                if values[0].astype(form).tobytes() in pickle.dumps(fitted) and (
                    "transform" in outputs(fitted, X_keep)
                ):
                    raise AssertionError("store_training_data=False keeps rows.")
            if get_tags(fitted).unlearner_tags.requires_retain:
                assert_raises(
                    ValueError,
                    lambda fitted=fitted: fitted.unlearn(X_forget),
                    "no rows kept and none given",
                    contains=["X_retain"],
                )
        fitted.unlearn(X_forget, y_forget, **given)
        if fitted.n_forgotten_ != len(X_forget):
            raise AssertionError("rows given with X_retain must be counted.")
        if is_exact(fitted):
            assert_same_outputs(
                outputs(fitted, X_keep), outputs(asked, X_keep), "given rows", 1e-8
            )
    fitted = fit_case(estimator, case)
    assert_raises(
        ValueError,
        lambda: fitted.unlearn(X_forget[1:], None, **given),
        "X_forget and X_retain that are not the training set",
        contains=["X_retain"],
    )


def check_unlearn_is_transactional(name, estimator):
    """An interruption at any moment leaves every prediction as it was."""
    case = make_case(estimator, n_rows=45)
    fitted = fit_case(estimator, case)
    X_forget, X_keep = case.forgotten[0], case.retained[0]
    before = outputs(fitted, X_keep)
    for broken in interruptions(fitted, lambda est: est.unlearn(X_forget)):
        after = outputs(broken, X_keep)
        assert_same_outputs(after, before, "interrupted in unlearn")
        if broken.n_forgotten_:
            raise AssertionError("an interrupted request must not be counted.")
    # and the last of them can still be asked again
    broken.unlearn(X_forget)
