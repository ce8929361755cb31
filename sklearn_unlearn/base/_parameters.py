"""Parameters that a fit depends on, which must be the same when rows are forgotten."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import types

import numpy as np

from sklearn_unlearn.base._steps import PLAIN, parameter_names

__all__ = ["FREE_PARAMETERS", "plain_parameters", "refuse_changed_parameters"]

# Parameters that say how to work, and not what is fitted.
FREE_PARAMETERS = frozenset(
    {"device", "memory", "n_jobs", "store_training_data", "verbose"}
)
LONGEST = 100  # entries of a list that is compared


def plain_parameters(estimator):
    """Return the parameters that a fit depends on, as far as they can be compared.

    These are numbers, words, and short lists of them; of estimators, functions and
    classes the names. Arrays and random generators are left out.

    Parameters
    ----------
    estimator : estimator instance
        It may say by a method ``_parameters_of_fit()`` which of its own count.

    Returns
    -------
    dict of str to object
        By the names that ``set_params`` takes.
    """
    found: dict = {}
    _collect(estimator, "", found)
    return found


def refuse_changed_parameters(estimator):
    """Raise if parameters have changed since the fit.

    Parameters
    ----------
    estimator : estimator instance
        With what `plain_parameters` were in the fit, or None, in ``_fit_parameters``.

    Raises
    ------
    ValueError
        If one has another value now; the message names it and the former one.
    """
    before, now = estimator._fit_parameters, plain_parameters(estimator)
    if before is None or before == now:
        return
    changed = [n for n in {**before, **now} if before.get(n, n) != now.get(n, n)]
    # a step that was replaced has other parameters, too: it says enough
    names = [n for n in changed if not any(n.startswith(f"{o}__") for o in changed)]
    values = ", ".join(f"{name}={before.get(name)!r}" for name in names)
    raise ValueError(
        f"{', '.join(names)} changed since fit, where the values were {values}. "
        "Set the parameters back to these, or call fit again."
    )


def _collect(estimator, prefix, found):
    """Add the parameters of an estimator under their names behind a prefix."""
    if hasattr(estimator, "_parameters_of_fit"):
        names = estimator._parameters_of_fit()
    else:
        names = parameter_names(type(estimator)) - FREE_PARAMETERS
    for name in names:
        if name in vars(estimator):
            _add(vars(estimator)[name], prefix, name, found)


def _add(value, prefix, name, found):
    """Add one parameter, and those of the estimators that it holds."""
    if type(value) in PLAIN or isinstance(value, np.generic):
        # a number that is no number equals not even itself
        found[prefix + name] = value if value == value else "nan"
    elif isinstance(value, (type, types.FunctionType, np.ufunc)):
        found[prefix + name] = _name(value)
    elif hasattr(value, "get_params"):
        found[prefix + name] = _name(type(value))
        _collect(value, f"{prefix}{name}__", found)
    elif isinstance(value, dict):
        if len(value) <= LONGEST and PLAIN.issuperset(map(type, value.values())):
            found[prefix + name] = dict(value)
    elif isinstance(value, (list, tuple)):
        if all(_is_step(v) for v in value):
            for step in value:
                _add(step[1], prefix, step[0], found)
                if len(step) > 2:  # of a column transformer
                    _add(step[2], f"{prefix}{step[0]}__", "columns", found)
        elif len(value) <= LONGEST and PLAIN.issuperset(map(type, value)):
            found[prefix + name] = list(value)


def _is_step(value):
    """Tell whether a value is a name with an estimator, perhaps with more."""
    return isinstance(value, tuple) and len(value) > 1 and isinstance(value[0], str)


def _name(thing):
    """Return the module and name of a class or function."""
    name = getattr(thing, "__qualname__", thing.__name__)
    return f"{getattr(thing, '__module__', 'numpy')}.{name}"
