"""Arguments of the user's module, as parameters ``module__<name>`` of a network."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import inspect
from functools import partial

import torch

from sklearn_unlearn.base._parameters import comparable

__all__ = [
    "ModuleParametersMixin",
    "check_no_module_params",
    "is_same_factory",
    "module_factory",
]

PREFIX = "module__"


class ModuleParametersMixin:
    """Parameters ``module__<name>``, which the constructor takes as keywords.

    They are attributes under their own names, as all parameters are; which there are
    is known of an instance alone. Whether the module takes them is asked in ``fit``,
    because ``module`` may be set after them.
    """

    def _set_module_params(self, params):
        """Store what the constructor was given beyond its own parameters."""
        for name, value in params.items():
            if not _is_module_param(name):
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword "
                    f"argument {name!r}"
                )
            setattr(self, name, value)

    def get_params(self, deep=True):
        """Get the parameters, those of the module included.

        Parameters
        ----------
        deep : bool, default=True
            Of no account: no parameter is an estimator.

        Returns
        -------
        dict of str to object
            Parameters by their names.
        """
        own = {n: value for n, value in vars(self).items() if _is_module_param(n)}
        return {**super().get_params(deep), **own}

    def set_params(self, **params):
        """Set parameters, those of the module as ``module__<name>``.

        Parameters
        ----------
        **params : dict
            Parameters by their names.

        Returns
        -------
        self : object
            The network.
        """
        of_module = {n: value for n, value in params.items() if _is_module_param(n)}
        super().set_params(**{n: v for n, v in params.items() if n not in of_module})
        self._set_module_params(of_module)
        return self


def module_factory(estimator):
    """Return the function (n_features, n_outputs) that builds the module.

    Raises
    ------
    TypeError
        If `module` is a module, or does not take a parameter ``module__<name>``.
    """
    module, params = estimator.module, _module_params(estimator)
    if isinstance(module, torch.nn.Module):
        raise TypeError(
            "module must be a class or a function (n_features, n_outputs) that "
            "returns a module, not a module: every fit builds its own."
        )
    if not params:
        return module
    _check_names(module, params)
    return partial(module, **params)


def check_no_module_params(estimator):
    """Raise if there are arguments for a module, and no module."""
    for name in _module_params(estimator):
        raise TypeError(
            f"{PREFIX}{name} is an argument for a module, and module is None: give it "
            "the class or function that takes the argument."
        )


def is_same_factory(before, now):
    """Tell whether a module is built by the same function, from equal arguments."""
    functions = (getattr(factory, "func", factory) for factory in (before, now))
    return len({id(f) for f in functions}) == 1 and comparable(before) == comparable(
        now
    )


def _is_module_param(name):
    return name.startswith(PREFIX) and name != PREFIX


def _module_params(estimator):
    """Return the arguments for the module, by their own names."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in vars(estimator).items()
        if _is_module_param(name)
    }


def _check_names(module, params):
    """Raise if a module, as far as it says, does not take these arguments."""
    try:
        signature = inspect.signature(module)
        bound = signature.bind_partial(None, None).arguments
    except (TypeError, ValueError):  # calling it will say what is wrong
        return
    taken = signature.parameters
    if any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        others = params.keys() & bound.keys()
    else:
        others = [n for n in params if n not in taken or n in bound]
    if others:
        known = ", ".join(n for n in taken if n not in bound) or "none"
        named = getattr(module, "__name__", type(module).__name__)
        raise TypeError(
            f"module={named} takes no argument {sorted(others)[0]!r} beside the "
            f"numbers of features and outputs: {PREFIX}<name> may be of {known}."
        )
