"""Methods that a meta-estimator hands to the estimator within."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn.base._response import pad_response
from sklearn_unlearn.base._single_class import constant_response, is_constant
from sklearn_unlearn.utils._sklearn_compat import (
    _check_n_features,
    _num_samples,
    _routing_enabled,
)

__all__ = ["ask_inner", "delegate", "inner_has"]


def inner_has(method):
    """Return a test of whether the inner estimator, fitted or not, has `method`."""

    def check(self):
        inner = getattr(self, "estimator_", self.estimator)
        if _has_constant(self):
            inner = self.estimator
        getattr(inner, method)  # raises the AttributeError that names it
        return True

    return check


def _has_constant(meta):
    """Tell whether the constant model stands in for the inner estimator."""
    template = getattr(meta.estimator, "estimator", meta.estimator)
    return is_constant(meta.__dict__.get("estimator_"), template)


def ask_inner(meta, method, X, params):
    """Return what a method of the inner estimator gives, with a column per class."""
    if method != "inverse_transform":
        X = meta._without_group_column(X)
    if _has_constant(meta):
        _check_n_features(meta, X, reset=False)
        label = meta.estimator_.classes_[0]
        n_rows = _num_samples(X)
        return constant_response(method, n_rows, label, meta.classes_, params)
    values = getattr(meta.estimator_, method)(X, **params)
    if hasattr(meta, "classes_"):
        return pad_response(values, method, meta.estimator_, meta.classes_)
    return values


def delegate(method, summary, returns):
    """Write the method that hands `X` to the method of this name of ``estimator_``."""

    def delegated(self, X, **params):
        check_is_fitted(self)
        if _routing_enabled():
            params = process_routing(self, method, **params).estimator[method]
        return ask_inner(self, method, X, params)

    kind, text = returns.split(": ")
    delegated.__name__ = method
    delegated.__qualname__ = f"BaseUnlearner.{method}"
    delegated.__doc__ = f"""{summary}

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows, as the inner estimator takes them.
        **params : dict
            Passed on to the inner estimator.

        Returns
        -------
        {kind}
            {text.capitalize()}
        """
    return available_if(inner_has(method))(delegated)
