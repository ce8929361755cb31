"""Checks that the rows are gone: from the estimator, its pickle and its export."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import pickle

import numpy as np
from sklearn import config_context

from sklearn_unlearn.testing._assertions import (
    assert_raises,
    assert_same_outputs,
    outputs,
)
from sklearn_unlearn.testing._check_data import (
    containers,
    fit_case,
    fitted_before,
    fresh,
    make_case,
)
from sklearn_unlearn.testing._residue import assert_no_residue
from sklearn_unlearn.utils._sklearn_compat import _safe_indexing
from sklearn_unlearn.utils._state import state_differences

__all__ = [
    "check_no_residue",
    "check_unlearn_export",
    "check_unlearn_whatever_was_fitted",
]


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


def check_unlearn_whatever_was_fitted(name, estimator):
    """An estimator within may come fitted or frozen: its rows go, and it stays.

    So may the estimator itself, and each of them with requests for metadata.
    """
    case = make_case(estimator, n_rows=45)
    case.X[case.forget] *= 7.0
    (X_forget, _), (X_keep, _) = case.forgotten, case.retained
    for routing in (False, True):
        with config_context(enable_metadata_routing=routing):
            for model, given in fitted_before(estimator, case, requests=routing):
                before = copy.deepcopy(given)
                model.fit(case.X, case.y).unlearn(X_forget)
                # the original in memory is the caller's to delete; a pickle leaves
                # it out
                assert_no_residue(model, X_forget, X_keep)
                found = state_differences(given, before, rtol=0.0)
                if found:
                    raise AssertionError(
                        f"what the caller gave has changed: {found[0]}"
                    )
                loaded = pickle.loads(pickle.dumps(model))
                first, second = outputs(loaded, X_keep), outputs(model, X_keep)
                assert_same_outputs(first, second, "after pickling")


def check_unlearn_export(name, estimator):
    """An exported copy predicts the same and cannot be asked to forget."""
    case = make_case(estimator)
    fitted = fit_case(estimator, case)
    fitted.unlearn(case.forgotten[0])
    exported = fitted.export()
    rows = case.retained[0]
    assert_same_outputs(outputs(exported, rows), outputs(fitted, rows), "exported")
    assert_raises(
        ValueError, lambda: exported.unlearn(rows[:1]), "unlearn of an export"
    )
    fitted.unlearn(rows[:1])
    if len(pickle.dumps(exported)) > len(pickle.dumps(fitted)):
        raise AssertionError("an export must not be larger than what it came from.")
