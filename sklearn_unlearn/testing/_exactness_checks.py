"""Checks of what is left: the state and the answers of a fit on the retained rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings

import numpy as np
from sklearn.base import is_classifier
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import get_tags

from sklearn_unlearn.exceptions import PipelineRetrainWarning
from sklearn_unlearn.testing._assertions import (
    assert_raises,
    assert_same_outputs,
    is_exact,
    outputs,
)
from sklearn_unlearn.testing._check_data import fit_case, fresh, make_case
from sklearn_unlearn.utils._state import assert_same_state

__all__ = [
    "check_fit_forget_mask",
    "check_unlearn_class",
    "check_unlearn_equals_refit",
    "check_unlearn_in_steps",
]

# A solver's count of iterations says how it got there, not where it is.
NOT_STATE = ("n_forgotten_", "unlearning_log_", "n_iter_")


def check_unlearn_equals_refit(name, estimator):
    """An exact method has the state of a fit on the retained rows, all of it."""
    case = make_case(estimator)
    fitted = fit_case(estimator, case)
    if not is_exact(fitted):
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
        gap = np.abs(old - truth[method]).max()
        if gap and np.abs(after[method] - truth[method]).max() > 0.01 * gap:
            raise AssertionError(f"{method} is hardly nearer to a refit than before.")


def check_unlearn_in_steps(name, estimator):
    """Two requests in a row are allowed; exact ones equal their union."""
    case = make_case(estimator)
    X_forget, X_keep = case.forgotten[0], case.retained[0]
    in_steps = fit_case(estimator, case)
    in_steps.unlearn(X_forget[:2]).unlearn(X_forget[2:])
    if in_steps.n_forgotten_ != len(X_forget) or len(in_steps.unlearning_log_) != 2:
        raise AssertionError("each of two requests must be counted and logged.")
    if is_exact(in_steps):
        at_once = fit_case(estimator, case).unlearn(X_forget)
        assert_same_outputs(
            outputs(in_steps, X_keep), outputs(at_once, X_keep), "in two steps", 1e-8
        )


def check_unlearn_behind_a_step(name, estimator):
    """Behind a scaler in a Pipeline the estimator forgets as it does alone."""
    # inside: most estimators can be tested without a pipeline
    from sklearn_unlearn.pipeline import make_pipeline

    case = make_case(estimator)
    X_keep, n_forget = case.retained[0], int(case.forget.sum())
    positive_only = get_tags(estimator).input_tags.positive_only
    scaler = MinMaxScaler() if positive_only else StandardScaler()
    whole = make_pipeline(scaler, fresh(estimator)).fit(case.X, case.y)
    before = outputs(whole, X_keep)
    with warnings.catch_warnings():
        # to fit a model again is as good as to keep it
        warnings.simplefilter("ignore", PipelineRetrainWarning)
        whole.unlearn(case.forgotten[0])
    last = whole.steps[-1][1]
    counts = [whole.n_forgotten_, last.n_forgotten_]
    counts += [record["n_rows"] for record in whole.unlearning_log_]
    if counts != [n_forget] * 3:
        raise AssertionError(
            f"behind a scaler, the pipeline, {name} and the one record of the log must "
            f"count {n_forget} rows; got {counts}."
        )
    after = outputs(whole, X_keep)
    if is_exact(last):
        reference = make_pipeline(scaler, fresh(estimator)).fit(*case.retained)
        truth = outputs(reference, X_keep)
        assert_same_outputs(after, truth, "behind a scaler", 1e-8)
        return
    shapes = [{m: values.shape for m, values in o.items()} for o in (before, after)]
    if shapes[0] != shapes[1]:
        raise AssertionError(f"behind a scaler, outputs changed shape: {shapes}")


def check_fit_forget_mask(name, estimator):
    """``fit(forget=mask)`` is a fit, then ``unlearn``; no mark is a plain fit."""
    case = make_case(estimator)
    X_keep = case.retained[0]
    masked = fresh(estimator).fit(case.X, case.y, forget=case.forget)
    asked = fit_case(estimator, case).unlearn(case.forgotten[0])
    assert_same_outputs(
        outputs(masked, X_keep), outputs(asked, X_keep), "by mask", 1e-8
    )
    if masked.n_forgotten_ != case.forget.sum():
        raise AssertionError("fit(forget=mask) must count the rows.")
    none = fresh(estimator).fit(case.X, case.y, forget=np.zeros(len(case.X), bool))
    plain = fit_case(estimator, case)
    assert_same_outputs(outputs(none, case.X), outputs(plain, case.X), "no mark")
    for bad in (case.forget[:-1], case.forget.astype(int), np.ones_like(case.forget)):
        assert_raises(
            ValueError,
            lambda bad=bad: fresh(estimator).fit(case.X, case.y, forget=bad),
            "a mask of wrong length or type, or of every row",
            contains=["forget"],
        )


def check_unlearn_class(name, estimator):
    """A whole class may be forgotten; it keeps its label and its column."""
    if not is_classifier(estimator):
        return
    case = make_case(estimator)
    labels = np.unique(case.y)
    fitted = fit_case(estimator, case)
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
        if is_exact(fitted):
            if proba[:, 0].any():
                raise AssertionError("its probability must be 0.")
            if len(labels) > 2:
                truth = fresh(estimator).fit(X_keep, y_keep).predict_proba(X_keep)
                gap = np.abs(proba[:, 1:] - truth).max()
                if gap > 1e-8:
                    raise AssertionError(f"other columns differ from refitting: {gap}")
    if is_exact(fitted) and (after["predict"] == labels[0]).any():
        raise AssertionError("a forgotten class must not be predicted.")
    one_left = (
        fitted.unlearn(*case.part(case.y == labels[1])) if (len(labels) > 2) else fitted
    )
    predicted = one_left.predict(case.X)
    if is_exact(fitted) and not (predicted == labels[-1]).all():
        raise AssertionError("with one class left, it is what is predicted.")
