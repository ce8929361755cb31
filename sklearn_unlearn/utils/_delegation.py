"""Methods that a meta-estimator hands to the estimator within."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn.utils._response import pad_response
from sklearn_unlearn.utils._sklearn_compat import _routing_enabled

__all__ = ["delegate", "inner_has"]


def inner_has(method):
    """Whether the fitted, or else the given, inner estimator has `method`."""

    def check(self):
        # raises the inner AttributeError, which names what is missing
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


def delegate(method, summary, returns):
    """Write the method that hands `X` to the method of this name of ``estimator_``."""

    def delegated(self, X, **params):
        check_is_fitted(self)
        if _routing_enabled():
            params = process_routing(self, method, **params).estimator[method]
        values = getattr(self.estimator_, method)(X, **params)
        if hasattr(self, "classes_"):
            return pad_response(values, method, self.estimator_.classes_, self.classes_)
        return values

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
