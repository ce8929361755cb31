"""Copies, counts and kept rows of the estimators within others."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import inspect
from functools import cache
from types import FunctionType, MethodType, ModuleType

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import MetadataRequest

from sklearn_unlearn.base._tags import is_unlearner
from sklearn_unlearn.utils._saving import copying
from sklearn_unlearn.utils._sklearn_compat import (
    clear_gaps,
    copy_callbacks,
    rebind_metadata_request,
    without_callbacks,
)

__all__ = [
    "FITTED_PARAMETERS",
    "carry_over",
    "commit",
    "deep_copy",
    "drop_inner_rows",
    "forget_within",
    "fresh_step",
    "has_parameters",
    "is_estimator",
    "objects_within",
    "parameter_names",
    "seed_where_none",
    "shallow_copy",
    "unfitted_copy",
]

# Code, and requests, whose owner is the estimator that holds them.
NO_ESTIMATOR_WITHIN = (
    type,
    ModuleType,
    FunctionType,
    MethodType,
    MetadataRequest,
)
# Parameters that scikit-learn's composites fit in place.
FITTED_PARAMETERS = frozenset({"steps", "transformer_list"})
PLAIN = frozenset({bool, bytes, complex, float, int, str, type(None)})


def is_estimator(step):
    """Tell whether a step is an estimator, not None or "passthrough"."""
    return step is not None and not isinstance(step, str)


def has_parameters(value):
    """Tell whether the value of a parameter is an estimator itself."""
    return hasattr(value, "get_params") and not isinstance(value, type)


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


def deep_copy(estimator):
    """Return a deep copy that has no bytes which nobody wrote.

    ``copy.deepcopy`` leaves in the gaps between the fields of a tree what was in the
    memory before: cells of forgotten rows, it may be.
    """
    with copying():
        new = copy.deepcopy(estimator)
    for thing in (new, *(inner for inner, _ in objects_within(new))):
        clear_gaps(vars(thing).get("tree_"))
    return new


def commit(new, estimator):
    """Replace the state of an estimator by that of `new` in one assignment."""
    rebind_metadata_request(new, estimator)
    estimator.__dict__ = (
        new.__dict__
    )  # the last thing: an interrupt finds all or nothing


def carry_over(old, new, n_forget):
    """Give the updated step the callbacks and the count of the old one."""
    copy_callbacks(old, new)
    if is_unlearner(old):
        new.n_forgotten_ = old.n_forgotten_ + n_forget
        new.unlearning_log_ = old.unlearning_log_


def seed_where_none(estimator, random_state):
    """Give a seed to each ``random_state`` within an estimator that is None.

    scikit-learn's ensembles do so for their members.

    Parameters
    ----------
    estimator : estimator instance
    random_state : int, RandomState instance or None
        Source of the seeds; None gives none.
    """
    if random_state is None:
        return
    rng, params = check_random_state(random_state), estimator.get_params(deep=True)
    names = [n for n, v in params.items() if n.split("__")[-1] == "random_state"]
    seeds = {n: rng.randint(np.iinfo(np.int32).max) for n in sorted(names)}
    estimator.set_params(**{n: s for n, s in seeds.items() if params[n] is None})


def drop_inner_rows(estimator):
    """Make all estimators within let go of their rows: the outermost keeps them.

    Nor do their metadata requests hold on to estimators fitted before. Parameters
    belong to the caller, whose rows are left alone.
    """
    for inner, is_parameter in objects_within(estimator):
        rebind_metadata_request(inner)
        keeps_rows = hasattr(inner, "_unlearn_rows") and "_rows" in vars(inner)
        if keeps_rows and not is_parameter:
            inner._drop_rows()
            inner._n_training_rows = None  # nor do they count


def forget_within(unlearner, request, params):
    """Let an unlearner forget whose rows another one keeps.

    Parameters
    ----------
    unlearner : UnlearnerMixin
        A copy, which is changed.
    request : Request
        Without blocks; its retained rows have no params.
    params : dict
        Arguments of ``fit`` for the retained rows.
    """
    own, unlearner._fit_params = unlearner._fit_params, params
    unlearner._unlearn_rows(request)
    unlearner._fit_params = own  # only the outermost keeps those per row


def unfitted_copy(estimator):
    """Return a clone that holds on to nothing fitted, as its metadata request might."""
    new = clone(estimator)
    for thing in (new, *(inner for inner, _ in objects_within(new))):
        rebind_metadata_request(thing)
    return new


def objects_within(estimator):
    """Yield all objects with attributes that an estimator holds, at any depth.

    Other estimators are among them, and what scikit-learn keeps them in.

    Yields
    ------
    thing : object
    is_parameter : bool
        Whether it is, or lies within, a constructor parameter. Those that a fit
        leaves fitted (steps of a pipeline, parts of a union) are none.
    """
    seen, fitted, parameters = set(), [estimator], []
    while fitted or parameters:
        is_parameter = not fitted
        thing = (fitted or parameters).pop()
        waiting = parameters if is_parameter else fitted
        if isinstance(thing, dict):
            waiting.extend(_not_plain(thing.values()))
        elif isinstance(thing, (list, tuple, set)):
            waiting.extend(_not_plain(thing))
        elif isinstance(thing, np.ndarray):
            if thing.dtype == object:
                waiting.extend(_not_plain(thing.ravel().tolist()))
        elif hasattr(thing, "__dict__") and not (
            isinstance(thing, NO_ESTIMATOR_WITHIN)
            or hasattr(type(thing), "_comparable_state")  # kept rows, or sums of them
            or type(thing).__module__.partition(".")[0] in ("torch", "pandas", "scipy")
        ):
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if thing is not estimator:
                yield thing, is_parameter
            names = parameter_names(thing) - FITTED_PARAMETERS
            for name, value in vars(thing).items():
                if name != "unlearning_log_":  # long, and without data
                    (parameters if name in names else waiting).append(value)


def _not_plain(values):
    """Return `values`, or nothing if none of them can hold an estimator."""
    return () if PLAIN.issuperset(map(type, values)) else values


def parameter_names(estimator):
    """Return the names of the constructor parameters of an estimator.

    If it takes others by ``**kwargs``, they are those that it says it has.
    """
    names, takes_others = _signature(type(estimator))
    return names.union(estimator.get_params(deep=False)) if takes_others else names


@cache
def _signature(cls):
    """Return the names of the parameters of a class, and whether it takes others."""
    if not hasattr(cls, "get_params"):
        return frozenset(), False
    parameters = inspect.signature(cls.__init__).parameters
    return frozenset(parameters), any(
        p.kind is p.VAR_KEYWORD for p in parameters.values()
    )
