"""Checks of the contract of ``unlearn``, for this package and for others.

`check_unlearner` runs them all; `parametrize_with_unlearner_checks` makes pytest
tests of them. `check_rule` is for rules of `ExactUnlearner`. `assert_same_state` and
`find_residue` are for tests of your own.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import functools

from sklearn.base import clone

from sklearn_unlearn.testing._checks import CHECKS
from sklearn_unlearn.testing._removal_checks import check_no_residue
from sklearn_unlearn.testing._residue import find_residue
from sklearn_unlearn.testing._rule_checks import check_rule
from sklearn_unlearn.utils._state import assert_same_state

__all__ = [
    "assert_same_state",
    "check_no_residue",
    "check_rule",
    "check_unlearner",
    "find_residue",
    "parametrize_with_unlearner_checks",
]


def check_unlearner(estimator, *, expected_failed_checks=None):
    """Check that an estimator keeps the contract of ``unlearn``.

    Parameters
    ----------
    estimator : estimator instance
        Unfitted; small settings keep the checks fast.
    expected_failed_checks : dict of str to str, default=None
        Names of checks that may fail, with a reason for each.

    Returns
    -------
    list of dict
        ``check_name``, ``status`` ("passed" or "xfail") and ``exception``.

    Raises
    ------
    AssertionError
        From the first check that fails unexpectedly.

    See Also
    --------
    parametrize_with_unlearner_checks : The same as pytest tests.
    check_rule : Checks a rule of `ExactUnlearner`.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.exact import Retrain
    >>> from sklearn_unlearn.utils.estimator_checks import check_unlearner
    >>> results = check_unlearner(Retrain(GaussianNB()))
    >>> {result["status"] for result in results}
    {'passed'}
    """
    expected = expected_failed_checks or {}
    results = []
    for check in CHECKS:
        result = {"check_name": check.__name__, "status": "passed", "exception": None}
        try:
            check(type(estimator).__name__, clone(estimator))
        except Exception as error:
            if check.__name__ not in expected:
                raise
            result.update(status="xfail", exception=error)
        results.append(result)
    return results


def parametrize_with_unlearner_checks(estimators, *, expected_failed_checks=None):
    """Pytest decorator: one test for each estimator and check.

    Parameters
    ----------
    estimators : list of estimator instances
        Unfitted estimators.
    expected_failed_checks : callable, default=None
        Takes an estimator and returns a dict of names of checks that may fail,
        with a reason for each.

    Returns
    -------
    pytest.MarkDecorator
        Decorates a test with the arguments ``estimator`` and ``check``.

    See Also
    --------
    check_unlearner : Runs the checks without pytest.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.exact import Retrain
    >>> from sklearn_unlearn.utils.estimator_checks import (
    ...     parametrize_with_unlearner_checks,
    ... )
    >>> @parametrize_with_unlearner_checks([Retrain(GaussianNB())])
    ... def test_contract(estimator, check):
    ...     check(estimator)
    """
    import pytest

    params = []
    for estimator in estimators:
        expected = expected_failed_checks(estimator) if expected_failed_checks else {}
        for check in CHECKS:
            reason = expected.get(check.__name__)
            marks = [pytest.mark.xfail(reason=reason)] if reason else []
            bound = functools.partial(_run, check, copy.deepcopy(estimator))
            functools.update_wrapper(bound, check)
            identifier = f"{estimator!r}-{check.__name__}".replace("\n", "")
            params.append(pytest.param(estimator, bound, id=identifier, marks=marks))
    return pytest.mark.parametrize(("estimator", "check"), params)


def _run(check, estimator, *_):
    """Run a check on an unfitted copy; pytest may pass the estimator once more."""
    check(type(estimator).__name__, clone(estimator))
