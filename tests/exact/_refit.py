"""Forget through a rule and compare with a fit on the retained rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from unittest import mock

import numpy as np
from sklearn.base import clone

from sklearn_unlearn.exact import ExactUnlearner, Outcome, find_rule
from sklearn_unlearn.utils._state import assert_same_state

# how a solver got there, and what counts or logs
NOT_STATE = ("n_iter_", "_num_iter", "n_forgotten_", "unlearning_log_")


def forbid_fits(estimator):
    """Let every fit of this type fail, so that only a rule can forget."""
    return mock.patch.object(
        type(estimator), "fit", side_effect=AssertionError("it was fitted again")
    )


def do_nothing(estimator):
    """Let the rule of this type return the old model."""

    def forget(fitted, memory, store, request):
        return Outcome(fitted, memory)

    return mock.patch.object(find_rule(estimator), "forget", forget)


def forgotten(estimator, X, y, requests, fit_params=None, fast=False):
    """Fit, then forget request by request; return the model and the kept rows."""
    model = ExactUnlearner(clone(estimator)).fit(X, y, **(fit_params or {})).prepare()
    keep = np.ones(len(y), dtype=bool)
    with forbid_fits(estimator) if fast else mock.MagicMock():
        for request in requests:
            model.unlearn(X[request], y[request])
            keep[request] = False
    return model, keep


def refitted(estimator, X, y, keep, fit_params=None):
    """Fit on the retained rows."""
    params = {
        name: value[keep] if np.ndim(value) else value
        for name, value in (fit_params or {}).items()
    }
    return clone(estimator).fit(X[keep], y[keep], **params)


def assert_equals_refit(
    estimator, X, y, requests, fit_params=None, fast=False, rtol=1e-8
):
    """Raise AssertionError unless the whole state is that of a refit.

    Coefficients may differ by ten times what refits on rows in other orders do.
    """
    model, keep = forgotten(estimator, X, y, requests, fit_params, fast)
    reference = refitted(estimator, X, y, keep, fit_params)
    if rtol and hasattr(reference, "coef_"):
        kept = np.flatnonzero(keep)

        def fit(order):
            return refitted(estimator, X, y, kept[order], fit_params)

        for name in ("coef_", "intercept_"):
            spread = spread_of_refits(fit, lambda m, n=name: getattr(m, n), len(kept))
            size = np.abs(getattr(reference, name)).max()
            rtol = max(rtol, 10 * spread / size if size else 0.0)
    assert_same_state(model.estimator_, reference, rtol=rtol, ignore=NOT_STATE)
    return model, reference


def spread_of_refits(fit, output, n_rows, n_orders=5):
    """Largest difference of the outputs of fits on rows in other orders.

    `fit` takes the order, `output` a fitted estimator.
    """
    first = output(fit(np.arange(n_rows)))
    others = (
        output(fit(np.random.default_rng(seed).permutation(n_rows)))
        for seed in range(n_orders)
    )
    return max(np.abs(other - first).max() for other in others)
