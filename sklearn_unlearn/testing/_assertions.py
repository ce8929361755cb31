"""Outputs of estimators, and assertions about them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.utils import get_tags

__all__ = ["assert_raises", "assert_same_outputs", "is_exact", "outputs"]

METHODS = ("predict", "predict_proba", "decision_function", "transform")


def is_exact(estimator):
    """Tell whether an estimator promises the state of a fit on the retained rows."""
    return get_tags(estimator).unlearner_tags.guarantee == "exact"


def outputs(estimator, X):
    """Return what every prediction method gives for `X`, by name."""
    results = {}
    for method in METHODS:
        if hasattr(estimator, method):
            result = getattr(estimator, method)(X)
            if hasattr(result, "toarray"):
                result = result.toarray()
            results[method] = np.asarray(result)
    return results


def assert_same_outputs(first, second, message, rtol=0.0):
    """Raise AssertionError unless two results of `outputs` agree.

    With ``rtol=0`` they must agree bit for bit.
    """
    if first.keys() != second.keys():
        raise AssertionError(f"{message}: {sorted(first)} against {sorted(second)}")
    for method, a in first.items():
        b = second[method]
        if a.shape != b.shape:
            raise AssertionError(f"{message}: {method} has shape {a.shape}, {b.shape}")
        if a.dtype.kind != "f" or rtol == 0:
            same = np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
            gap = "" if same else " (not bit for bit)"
        else:
            finite = np.isfinite(a) & np.isfinite(b)
            same = np.array_equal(a[~finite], b[~finite], equal_nan=True)
            scale = np.abs(b[finite]).max(initial=0.0)
            largest = np.abs(a[finite] - b[finite]).max(initial=0.0)
            same = same and largest <= rtol * max(scale, 1e-300)
            gap = f" by up to {largest:.2g}"
        if not same:
            raise AssertionError(f"{message}: {method} differs{gap}.")


def assert_raises(error, act, what, contains=()):
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
