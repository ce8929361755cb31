"""Copies, counts and kept rows of the estimators within others."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from types import FunctionType, MethodType, ModuleType

import numpy as np
from sklearn.base import clone

from sklearn_unlearn.base._tags import is_unlearner
from sklearn_unlearn.rows._store import RowStore
from sklearn_unlearn.utils._sklearn_compat import (
    copy_callbacks,
    rebind_metadata_request,
    without_callbacks,
)

__all__ = [
    "carry_over",
    "drop_inner_rows",
    "fresh_step",
    "is_estimator",
    "objects_within",
    "shallow_copy",
]

# Code and kept rows.
NO_ESTIMATOR_WITHIN = (type, ModuleType, FunctionType, MethodType, RowStore)


def is_estimator(step):
    """Tell whether a step is an estimator, not None or "passthrough"."""
    return step is not None and not isinstance(step, str)


def fresh_step(step):
    """Return an unfitted copy of a step, which no callback of the user hears."""
    fresh = clone(step)
    without_callbacks(fresh)
    return fresh


def shallow_copy(estimator):
    """Return a copy that shares all attributes, to replace some of them.

    ``copy.copy`` would do the same by way of ``__getstate__``.
    """
    new = object.__new__(type(estimator))
    new.__dict__.update(estimator.__dict__)
    return new


def carry_over(old, new, n_forget):
    """Give the updated step the callbacks and the count of the old one."""
    copy_callbacks(old, new)
    if is_unlearner(old):
        new.n_forgotten_ = old.n_forgotten_ + n_forget
        new.unlearning_log_ = list(old.unlearning_log_)


def drop_inner_rows(estimator):
    """Make all estimators within let go of their rows: the outermost keeps them.

    Nor do their metadata requests hold on to estimators fitted before.

    Parameters of which there is a fitted copy belong to the caller: they are left
    alone.
    """
    for inner in objects_within(estimator):
        rebind_metadata_request(inner)
        if hasattr(inner, "_unlearn_rows") and "_rows" in vars(inner):
            inner._drop_rows()


def objects_within(estimator, parameters=False):
    """Yield all objects with attributes that an estimator holds, at any depth.

    Other estimators are among them, and what scikit-learn keeps them in. Parameters
    of which there is a fitted copy are left out, unless `parameters` is true.
    """
    seen, waiting = set(), [estimator]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, dict):
            waiting.extend(thing.values())
        elif isinstance(thing, (list, tuple, set)):
            waiting.extend(thing)
        elif isinstance(thing, np.ndarray):
            waiting.extend(thing.ravel().tolist() if thing.dtype == object else ())
        elif hasattr(thing, "__dict__") and not (
            isinstance(thing, NO_ESTIMATOR_WITHIN)
            or type(thing).__module__.partition(".")[0] in ("torch", "pandas", "scipy")
        ):
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if thing is not estimator:
                yield thing
            own = vars(thing)
            waiting.extend(
                v for n, v in own.items() if parameters or f"{n}_" not in own
            )
