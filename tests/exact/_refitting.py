"""Comparison of a model that has forgotten with one that never saw the rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import re

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.utils._state import state_differences

IGNORED = ("n_iter_", "n_forgotten_", "unlearning_log_")
LADDER = (1e-9, 1e-8, 1e-7, 1e-6, 1e-5)


def assert_equals_refit(model, X, y, **params):
    """Every fitted attribute equals that of a fit on these rows.

    Within 1e-8 of the largest entry, or ten times the largest difference between
    fits on five orders of the rows.
    """
    reference = ExactUnlearner(model.estimator).fit(X, y, **params).estimator_
    found = state_differences(model.estimator_, reference, ignore=IGNORED)
    if found:
        rtol = 10 * spread_of_refits(model.estimator, reference, X, y, params)
        found = state_differences(
            model.estimator_, reference, rtol=rtol, ignore=IGNORED
        )
    assert not found, found


def spread_of_refits(estimator, reference, X, y, params):
    """Largest relative difference between fits on orders of the rows, if small."""
    largest = 0.0
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(X.shape[0])
        cut = {name: value[order] for name, value in params.items()}
        fit = ExactUnlearner(estimator).fit(X[order], y[order], **cut).estimator_
        for rtol in LADDER:
            if not state_differences(fit, reference, rtol=rtol, ignore=IGNORED):
                largest = max(largest, rtol)
                break
    return largest


def forget_and_compare(estimator, X, y, requests, **params):
    """Forget rows, request by request, and compare with a fit without them.

    A request is refused if that fit is, in the same words.
    """
    ids = np.arange(X.shape[0])  # rows may be equal
    model = ExactUnlearner(estimator).fit(X, y, groups=ids, **params).prepare()
    for request in requests:
        request = np.intersect1d(request, ids)
        ids = np.setdiff1d(ids, request)
        try:
            model.unlearn(groups=request)
        except ValueError as ours:
            refused = ours
            break
    else:
        refused = None
    rest = X[ids], y[ids]
    cut = {name: value[ids] for name, value in params.items()}
    if refused is not None:
        with pytest.raises(type(refused), match=re.escape(str(refused))):
            clone(estimator).fit(*rest, **cut)
    elif type(model.estimator_) is not type(estimator):  # the constant model
        assert len(np.unique(rest[1])) == 1
        assert (model.predict(X) == rest[1][0]).all()
        with pytest.raises(ValueError):
            clone(estimator).fit(*rest, **cut)
    else:
        assert_equals_refit(model, *rest, **cut)
    return model
