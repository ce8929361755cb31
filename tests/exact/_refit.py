"""How the tests of rules forget rows and compare with a fit without them.

The comparison is the one of ``check_rule``; only this file knows where it lies.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import re
from contextlib import contextmanager, nullcontext
from unittest import mock

import numpy as np
import pytest
from sklearn.utils import _safe_indexing

from sklearn_unlearn.exact import Outcome, find_rule
from sklearn_unlearn.testing._refit import (
    assert_equals_refit,
    count_refits,
    forget_rows,
    refit,
)

__all__ = [
    "SOLVER",
    "assert_model_equals_refit",
    "count_refits",
    "do_nothing",
    "forbid_fits",
    "forget_and_compare",
    "forget_rows",
    "refit",
    "spread_of_refits",
]

# attributes that tell how a solver got to its solution, not which one it is
SOLVER = ("n_iter_", "_num_iter")


@contextmanager
def forbid_fits(estimator):
    """Raise AssertionError if an estimator of this type is fitted meanwhile."""
    with count_refits(estimator, 1) as refits:
        yield
    assert not refits, "it was fitted again"


def do_nothing(estimator):
    """Let the rule of this type return the old model."""

    def forget(fitted, state, store, request):
        return Outcome(fitted, state)

    return mock.patch.object(find_rule(estimator), "forget", forget)


def assert_model_equals_refit(model, X, y, **options):
    """Raise AssertionError unless a model is that of a fit on these rows."""
    return assert_equals_refit(model.estimator_, model.estimator, X, y, **options)


def forget_and_compare(
    estimator, X, y, requests, fit_params=None, *, fast=False, prepared=True, **options
):
    """Forget rows, request by request, and compare with a fit without them.

    With `fast`, no request may be served by a fit. One is refused if the fit is, in
    the same words.

    Returns
    -------
    model : ExactUnlearner
    reference : estimator instance or None
        The fit without the rows; None where there is none.
    """
    params = fit_params or {}
    model, keep = forget_rows(estimator, X, y, (), params, prepared=prepared)
    refused = None
    with forbid_fits(estimator) if fast else nullcontext():
        for request in requests:
            gone = np.intersect1d(request, np.flatnonzero(keep))
            keep[gone] = False
            try:
                model.unlearn(groups=gone)
            except ValueError as ours:
                refused = ours
                break
    rows = np.flatnonzero(keep)
    if refused is None and type(model.estimator_) is type(estimator):
        options = {"rows": rows, "fit_params": params, **options}
        return model, assert_model_equals_refit(model, X, y, **options)
    X, y = _safe_indexing(X, rows), _safe_indexing(y, rows)
    message = None if refused is None else re.escape(str(refused))
    with pytest.raises(ValueError, match=message):
        refit(estimator, X, y, fit_params={n: v[rows] for n, v in params.items()})
    if refused is None:  # the model of a single class
        assert len(np.unique(y)) == 1
        assert (model.predict(X) == y[0]).all()
    return model, None


def spread_of_refits(fit, output, n_rows):
    """Return the largest difference between fits on the rows in other orders.

    Parameters
    ----------
    fit : callable (order) -> estimator instance
    output : callable (estimator) -> ndarray
    n_rows : int
    """
    first = output(fit(np.arange(n_rows)))
    orders = [np.random.default_rng(seed).permutation(n_rows) for seed in range(5)]
    return max(np.abs(output(fit(order)) - first).max() for order in orders)
