"""Fits of a search that hand the ids of the rows to its splitter and its estimator."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Iterator

from sklearn.base import clone
from sklearn.model_selection import PredefinedSplit
from sklearn.utils import get_tags

from sklearn_unlearn.utils._sklearn_compat import _routing_enabled

__all__ = ["check_search", "fit_search"]


def check_search(search, *, repeats):
    """Raise unless `search` can be fitted, and again on fewer rows if it `repeats`."""
    name = type(search).__name__
    if not all(hasattr(search, part) for part in ("estimator", "cv", "refit")):
        raise TypeError(
            "search must be a search over parameters, such as a GridSearchCV; got "
            f"{name}."
        )
    if search.refit is False:
        raise ValueError(
            f"{name}(refit=False) fits no model that could predict. Set refit=True, or "
            "to the name of the score that chooses."
        )
    if isinstance(search.cv, Iterator):
        raise ValueError(
            f"cv of {name} is an iterator, which is read only once. Pass a splitter."
        )
    is_list = search.cv is not None and not isinstance(search.cv, int)
    is_list = is_list and not hasattr(search.cv, "split")
    if repeats and (is_list or isinstance(search.cv, PredefinedSplit)):
        raise ValueError(
            f"cv of {name} lists the rows of each split, which does not fit the rows "
            'that are left after a request. Pass a splitter, or set on_forget="best".'
        )


def fit_search(search, X, y, groups, params):
    """Fit a search, and return it.

    Parameters
    ----------
    search : estimator instance
    X, y : training rows and targets
    groups : ndarray of shape (n_rows,) or None
        Ids of the rows, for the splitter and for an estimator that assigns rows by
        them.
    params : dict
        Further arguments of ``fit``.
    """
    if groups is None:
        return search.fit(X, y, **params)
    if _routing_enabled():
        wanted = search.get_metadata_routing().consumes("fit", ["groups"])
        return search.fit(X, y, **params, **dict.fromkeys(wanted, groups))
    inner = search.estimator
    if not getattr(inner, "_fits_by_groups", False):
        return search.fit(X, y, groups=groups, **params)
    # without routing, a search gives what is called groups to its splitter alone
    search.estimator = FitWithIds(inner)
    search.fit(X, y, groups=groups, ids=groups, **params)
    search.estimator = inner
    search.best_estimator_ = search.best_estimator_.estimator
    return search


class FitWithIds:
    """An estimator whose ``fit`` takes the ids of the rows by another name.

    Parameters
    ----------
    estimator : estimator instance
        In all else it is like this one.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y=None, *, ids, **params):
        self.estimator.fit(X, y, groups=ids, **params)
        return self

    def get_params(self, deep=True):
        return self.estimator.get_params(deep)

    def set_params(self, **params):
        self.estimator.set_params(**params)
        return self

    def __sklearn_clone__(self):
        return type(self)(clone(self.estimator))

    def __sklearn_tags__(self):
        return get_tags(self.estimator)

    def __getattr__(self, name):
        if name == "estimator" or name.startswith("__"):  # not there while unpickled
            raise AttributeError(name)
        return getattr(self.estimator, name)
