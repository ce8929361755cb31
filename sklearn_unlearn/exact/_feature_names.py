"""Names and number of the features that an estimator saw in its fit."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.utils._sklearn_compat import (
    _check_feature_names,
    _check_n_features,
)

__all__ = ["copy_feature_names", "with_features_of"]


def copy_feature_names(new, fitted):
    """Give `new`, fitted on an array, the names of the features of `fitted`."""
    if hasattr(fitted, "feature_names_in_"):
        new.feature_names_in_ = fitted.feature_names_in_
    return new


def with_features_of(X, new, fitted):
    """Return an updated estimator with the names and number of the features of `X`.

    A step before it may name its columns after what is in the rows: names of the
    fit before the request may hold a word of a forgotten row.

    Parameters
    ----------
    X : array-like
        Retained rows, as the estimator sees them now.
    new : estimator instance
        The estimator after the request; it is not changed.
    fitted : estimator instance
        The estimator before the request, which tells whether a fit of it keeps names
        and number. It may be `new` itself.

    Returns
    -------
    estimator instance
        A shallow copy, or `new` if it has nothing to tell of features.
    """
    named, counted = (
        name in vars(fitted) or name in vars(new)
        for name in ("feature_names_in_", "n_features_in_")
    )
    if not (named or counted):
        return new
    new = shallow_copy(new)
    if counted:
        _check_n_features(new, X, reset=True)
    if named:
        _check_feature_names(new, X, reset=True)
    inner = vars(new).get("estimator_")
    if hasattr(new, "unlearn") and hasattr(inner, "__dict__"):  # given the same rows
        before = vars(fitted).get("estimator_")
        new.estimator_ = with_features_of(X, inner, inner if before is None else before)
    return new
