"""Forget rows through a rule, and compare with a fit that never saw them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import functools
from contextlib import ExitStack, contextmanager
from unittest import mock

import numpy as np
from sklearn.base import clone

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.utils._sklearn_compat import _num_samples, _safe_indexing
from sklearn_unlearn.utils._state import state_differences

__all__ = [
    "NOT_STATE",
    "assert_equals_refit",
    "count_refits",
    "forget_rows",
    "refit",
]

# How a solver got to its solution, and the count and the record of requests.
NOT_STATE = ("n_iter_", "_num_iter", "n_forgotten_", "unlearning_log_")
N_ORDERS = 5


def forget_rows(estimator, X, y, requests, fit_params=None, *, prepared=True):
    """Fit, then forget rows by their positions, request by request.

    Parameters
    ----------
    estimator : estimator instance
    X, y : array-like
        Training rows; `y` may be None.
    requests : iterable of array-like of int
        Positions in `X`. Rows go by their ids, since some may be equal.
    fit_params : dict, default=None
        Arguments of ``fit``.
    prepared : bool, default=True
        Whether to make the rule's state before the first request.

    Returns
    -------
    model : ExactUnlearner
    keep : ndarray of bool, shape (n_rows,)
        Which rows are retained.
    """
    keep = np.ones(_num_samples(X), dtype=bool)
    ids = np.arange(len(keep))
    model = ExactUnlearner(estimator).fit(X, y, groups=ids, **(fit_params or {}))
    if prepared:
        model.prepare()
    for request in requests:
        model.unlearn(groups=ids[request])
        keep[request] = False
    return model, keep


def refit(estimator, X, y, rows=None, fit_params=None):
    """Fit on some rows as `ExactUnlearner` does, and return the fitted estimator.

    Parameters
    ----------
    estimator : estimator instance
    X, y : array-like
    rows : ndarray of int or bool, default=None
        Which rows; None stands for all.
    fit_params : dict, default=None
        Arguments of ``fit``; what has an entry per row is cut.
    """
    rows = np.arange(_num_samples(X)) if rows is None else rows
    params = {
        name: np.asarray(value)[rows] if np.ndim(value) else value
        for name, value in (fit_params or {}).items()
    }
    y = None if y is None else _safe_indexing(y, rows)
    # frames of retained rows are numbered from 0
    X = _safe_indexing(X, rows)
    X = X.reset_index(drop=True) if hasattr(X, "iloc") else X
    model = ExactUnlearner(clone(estimator)).fit(X, y, **params)
    return model.estimator_


def assert_equals_refit(
    fitted, estimator, X, y, rows=None, fit_params=None, *, rtol=1e-8, atol=0.0
):
    """Raise AssertionError unless a whole state is that of a fit on retained rows.

    Parameters
    ----------
    fitted : estimator instance
        It has forgotten.
    estimator : estimator instance
        Unfitted.
    X, y : array-like
    rows : ndarray of int or bool, default=None
        The retained rows; None stands for all.
    fit_params : dict, default=None
    rtol, atol : float
        See `state_differences`. If it is larger, ten times the difference between
        fits on the rows in other orders takes the place of `rtol`, unless that
        is zero.

    Returns
    -------
    estimator instance
        The fit.
    """
    every = np.arange(_num_samples(X))
    rows = every if rows is None else every[rows]
    reference = refit(estimator, X, y, rows, fit_params)
    same = functools.partial(
        state_differences, fitted, reference, atol=atol, ignore=NOT_STATE
    )
    found = same(rtol=rtol)
    if found and rtol:
        fits = (
            refit(estimator, X, y, rows[order], fit_params)
            for order in _orders(len(rows))
        )
        spread = max(_relative_gap(other, reference, len(rows)) for other in fits)
        found = same(rtol=max(rtol, 10 * spread))
    if found:
        raise AssertionError(
            "its state differs from a fit on the retained rows: " + "; ".join(found[:3])
        )
    return reference


def _orders(n_rows):
    """Yield some permutations of the rows."""
    for seed in range(N_ORDERS):
        yield np.random.default_rng(seed).permutation(n_rows)


def _relative_gap(first, second, n_rows):
    """Return the largest difference of two fits, relative to their attributes.

    Attributes with an entry per row are left out: the rows come in another order.
    """
    largest = 0.0
    for name in vars(second):
        pairs = [getattr(e, name, None) for e in (first, second)]
        if not all(isinstance(value, list) for value in pairs):
            pairs = [[value] for value in pairs]
        for a, b in zip(*pairs, strict=False):
            a, b = np.asarray(a), np.asarray(b)
            if a.dtype.kind == b.dtype.kind == "f" and a.shape == b.shape:
                size = np.abs(b).max(initial=0.0)
                if n_rows not in a.shape and np.isfinite(size) and size > 0:
                    largest = max(largest, np.abs(a - b).max() / size)
    return largest


@contextmanager
def count_refits(estimator, n_rows):
    """Count the fits of an estimator, or of those within it, on so many rows.

    Parameters
    ----------
    estimator : estimator instance
    n_rows : int
        Fits on fewer rows, such as on one row per class, do not count.

    Yields
    ------
    list of str
        The type of the estimator, once for each fit.
    """
    found, inner = [], estimator.get_params(deep=True).values()
    kinds = {type(e) for e in inner if hasattr(e, "fit") and not isinstance(e, type)}
    with ExitStack() as stack:
        for kind in kinds or {type(estimator)}:
            for name in {"fit", "fit_transform"}.intersection(dir(kind)):
                counted = _counted(getattr(kind, name), n_rows, found)
                stack.enter_context(mock.patch.object(kind, name, counted))
        yield found


def _counted(method, n_rows, found):
    """Return a method that also notes the type of its estimator in `found`."""

    @functools.wraps(method)
    def counted(self, X, *args, **kwargs):
        if _num_samples(X) >= n_rows:
            found.append(type(self).__name__)
        return method(self, X, *args, **kwargs)

    return counted
