"""Lists of what the package offers, by which tests and tables miss nothing."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib
import inspect
import pkgutil

from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    RegressorMixin,
    TransformerMixin,
)

__all__ = ["all_estimators"]

_FILTERS = {
    "classifier": lambda cls: issubclass(cls, ClassifierMixin),
    "regressor": lambda cls: issubclass(cls, RegressorMixin),
    "transformer": lambda cls: issubclass(cls, TransformerMixin),
    # by its method: utils stands below base and cannot import its mixin
    "unlearner": lambda cls: callable(getattr(cls, "unlearn", None)),
}


def all_estimators(type_filter=None):
    """List the public estimators of the package.

    Parameters
    ----------
    type_filter : {"classifier", "regressor", "transformer", "unlearner"} or \
            list of these, default=None
        Only estimators of one of these types; all of them by default. A
        meta-estimator that takes its type from the estimator within is of type
        "unlearner" only.

    Returns
    -------
    list of (str, type)
        Names and classes, sorted by name. Abstract classes are left out.

    Raises
    ------
    ValueError
        If there is no type of this name.

    See Also
    --------
    sklearn.utils.discovery.all_estimators : The same for scikit-learn.

    Notes
    -----
    All public sub-packages are imported, with what they need.

    Examples
    --------
    >>> from sklearn_unlearn.utils.discovery import all_estimators
    >>> dict(all_estimators("unlearner"))["Retrain"]
    <class 'sklearn_unlearn.exact._retrain.Retrain'>
    """
    types = [type_filter] if isinstance(type_filter, str) else list(type_filter or ())
    for name in types:
        if name not in _FILTERS:
            raise ValueError(
                f"type_filter must be one of {sorted(_FILTERS)}, got {name!r}."
            )
    found = {
        (name, thing)
        for _, name, thing in public_objects()
        if inspect.isclass(thing)
        and issubclass(thing, BaseEstimator)
        and not _is_abstract(thing)
        and (not types or any(_FILTERS[kind](thing) for kind in types))
    }
    return sorted(found, key=lambda pair: (pair[0], pair[1].__module__))


def _is_abstract(cls):
    """Tell whether a class has abstract methods, of whatever metaclass it is."""
    # inspect.isabstract sees only classes of the metaclass ABCMeta, and a base of
    # estimators has abstract methods without it
    return any(
        getattr(inspect.getattr_static(cls, name, None), "__isabstractmethod__", False)
        for name in dir(cls)
    )


def public_modules(package="sklearn_unlearn"):
    """Import and return `package` and all its public modules, by name.

    A module is public if no part of its name begins with an underscore and it says by
    ``__all__`` what it offers. Private packages are not even entered.
    """
    module = importlib.import_module(package)
    if not hasattr(module, "__all__"):
        return {}
    modules = {package: module}
    for info in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not info.name.startswith("_"):
            modules.update(public_modules(f"{package}.{info.name}"))
    return modules


def public_objects():
    """Return the classes and functions in ``__all__`` of the public modules.

    They come as tuples of the module's name, their own name and the object.
    """
    return [
        (module_name, name, getattr(module, name))
        for module_name, module in public_modules().items()
        for name in getattr(module, "__all__", ())
        if inspect.isclass(getattr(module, name))
        or inspect.isroutine(getattr(module, name))
    ]
