"""Parameters that a fit depends on, which must be the same when rows are forgotten."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import functools
import hashlib
import re
from typing import NamedTuple

import numpy as np

from sklearn_unlearn.base._steps import PLAIN, has_parameters, parameter_names
from sklearn_unlearn.rows._cells import cell_codes
from sklearn_unlearn.utils._saved import saved_as

__all__ = [
    "FREE_PARAMETERS",
    "comparable",
    "plain_parameters",
    "refuse_changed_parameters",
]

# Parameters that say how to work, and not what is fitted.
FREE_PARAMETERS = frozenset(
    {"device", "memory", "n_jobs", "store_training_data", "verbose"}
)

WORDS = PLAIN - {float}  # of which a vocabulary may have many; none is NaN
MOST_CELLS = 10_000  # of an array that is compared in each request


def plain_parameters(estimator):
    """Return the parameters that a fit depends on, as far as they can be compared.

    These are numbers and words, and lists and dictionaries of them; of arrays a
    digest; of estimators, functions, classes and all other objects the names.

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
    values = ", ".join(
        f"{name}={_shown(before[name])}" if name in before else f"{name} not given"
        for name in names
    )
    raise ValueError(
        f"{', '.join(names)} changed since fit, where the values were {values}. "
        "Set the parameters back to these, or call fit again."
    )


def _shown(value):
    """Write what `_comparable` made of a value; of an estimator only its class."""
    is_class = isinstance(value, str) and re.fullmatch(r"(\w+\.)+[A-Z]\w*", value)
    return value.rpartition(".")[2] if is_class else repr(value)


def _collect(estimator, prefix, found):
    """Add the parameters of an estimator under their names behind a prefix."""
    if hasattr(estimator, "_parameters_of_fit"):
        names = estimator._parameters_of_fit()
    else:
        names = parameter_names(estimator) - FREE_PARAMETERS
    for name in sorted(names):  # a set has another order in another process
        if name in vars(estimator):
            _add(vars(estimator)[name], prefix, name, found)


def _add(value, prefix, name, found):
    """Add one parameter, and those of the estimators that it holds."""
    is_list = isinstance(value, (list, tuple)) and len(value) > 0
    if has_parameters(value):
        found[prefix + name] = _name(type(value))
        _collect(value, f"{prefix}{name}__", found)
    elif is_list and all(_is_step(v) for v in value):
        found[prefix + name] = [step[0] for step in value]
        for step in value:
            _add(step[1], prefix, step[0], found)
            if len(step) > 2:  # of a column transformer
                _add(step[2], f"{prefix}{step[0]}__", "columns", found)
    else:
        found[prefix + name] = comparable(value)


def comparable(value):
    """Return what equals that of another value only if a fit with both is the same.

    Of objects that are no data, no functions and no estimators it is the type.
    """
    if type(value) in PLAIN or isinstance(value, np.generic):
        # a number that is no number equals not even itself
        return value if value == value else "nan"
    if type(value) is dict:
        if WORDS.issuperset(map(type, value.values())):
            return dict(value)
        return {key: comparable(v) for key, v in value.items()}
    if type(value) in (list, tuple):  # others may hold whatever they like
        if WORDS.issuperset(map(type, value)):
            return list(value)
        return [comparable(v) for v in value]
    if isinstance(value, slice):
        return value
    if isinstance(value, (set, frozenset)):
        return [_name(type(value)), sorted(map(repr, value))]
    if isinstance(value, functools.partial):
        return [comparable(v) for v in (value.func, value.args, value.keywords)]
    if hasattr(value, "to_numpy") and getattr(value, "ndim", 2) == 1:  # of a frame
        value = value.to_numpy()
    if isinstance(value, np.ndarray):
        return ArrayDigest.of(value)
    if has_parameters(value):
        return [_name(type(value)), plain_parameters(value)]
    if hasattr(value, "get_n_splits") and hasattr(value, "__dict__"):
        return [_name(type(value)), comparable(vars(value))]
    named = callable(value) and hasattr(value, "__name__")
    return _name(value) if named else _name(type(value))


@saved_as("digest of an array")
class ArrayDigest(NamedTuple):
    """What is left of an array, for it to be compared with another.

    Attributes
    ----------
    kind : str
        Kind of its type.
    shape : tuple of int
    digest : bytes or None
        Of its cells; None if they cannot be compared, or are too many.
    """

    kind: str
    shape: tuple
    digest: bytes | None

    @classmethod
    def of(cls, array):
        """Return the digest of an array."""
        if array.size > MOST_CELLS:
            return cls(array.dtype.kind, array.shape, None)
        try:
            codes = np.ascontiguousarray(cell_codes(array))
        except TypeError:  # lists, say
            return cls(array.dtype.kind, array.shape, None)
        digest = hashlib.blake2b(codes.tobytes(), digest_size=16).digest()
        return cls(array.dtype.kind, array.shape, digest)

    def __repr__(self):
        return f"<array of shape {self.shape}>"


def _is_step(value):
    """Tell whether a value is a name with an estimator, perhaps with more."""
    return isinstance(value, tuple) and len(value) > 1 and isinstance(value[0], str)


def _name(thing):
    """Return the module and name of a class or function; of a lambda also its code."""
    name = getattr(thing, "__qualname__", thing.__name__)
    name = f"{getattr(thing, '__module__', 'numpy')}.{name}"
    code = getattr(thing, "__code__", None)
    if code is None or not name.endswith("<lambda>"):
        return name
    constants = [c for c in code.co_consts if type(c) in PLAIN]
    return f"{name} {code.co_names} {constants} {code.co_code.hex()}"
