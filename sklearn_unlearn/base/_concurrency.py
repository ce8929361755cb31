"""Methods that may be called from several threads at once.

A method that changes an estimator has it for itself: it works on a copy, and what it
has made of that replaces the state of the estimator in one assignment. A method that
reads works on a view of the state that it finds. So nobody sees half of a change, no
change is lost, and one that fails changes nothing.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import functools
import inspect
import os
import threading
import types
import weakref
from typing import Any, NamedTuple

from sklearn_unlearn.base._steps import FITTED_PARAMETERS, commit, shallow_copy
from sklearn_unlearn.exceptions import RequestInProgressError
from sklearn_unlearn.utils._sklearn_compat import available_function, wrap_available

__all__ = ["make_thread_safe"]

FITS = frozenset({"fit", "fit_predict", "fit_transform", "partial_fit"})
CHANGES = FITS | {"prepare", "refresh", "set_params", "unlearn"}
READS = frozenset(
    {
        "__getstate__",
        "decision_function",
        "export",
        "get_feature_names_out",
        "inverse_transform",
        "retained_rows",
        "score",
        "score_samples",
        "transform",
        "unlearning_cost",
    }
)
READ_PREFIXES = ("predict", "sample_")

_WRAPPED = weakref.WeakSet()  # methods that are thread-safe already
# By id: an attribute would be pickled and copied, and an estimator may define equality.
_LOCKS: dict[int, tuple[weakref.ref, threading.Lock]] = {}


class Change(NamedTuple):
    """A call that changes an estimator, while it runs.

    Attributes
    ----------
    estimator, copy : estimator instance
        The one that is changed, and the copy that the method works on.
    method : str
    outer : Change or None
        The call within which it was made.
    """

    estimator: Any
    copy: Any
    method: str
    outer: "Change | None"


class _Running(threading.local):
    """The innermost change that runs in this thread."""

    change: Change | None = None


_RUNNING = _Running()

if hasattr(os, "register_at_fork"):  # not on Windows
    # the threads that hold locks do not exist in the child
    os.register_at_fork(after_in_child=_LOCKS.clear)


def make_thread_safe(cls):
    """Wrap the methods of a class that change or read the state of its instances.

    They are found by name, inherited ones included.
    """
    for name in dir(cls):
        if name in CHANGES:
            wrap = _in_turn
        elif name in READS or name.startswith(READ_PREFIXES):
            wrap = _on_one_state
        else:
            continue
        method = inspect.getattr_static(cls, name)
        function = available_function(method)
        if not isinstance(function, types.FunctionType) or function in _WRAPPED:
            continue
        wrapped = wrap(function)
        _WRAPPED.add(wrapped)
        setattr(cls, name, wrap_available(method, wrapped))


def _on_one_state(method):
    """Let a method read one state, whatever happens to the estimator meanwhile."""

    @functools.wraps(method)
    def read(self, *args, **kwargs):
        view = object.__new__(type(self))
        view.__dict__ = self.__dict__
        return method(view, *args, **kwargs)

    return read


def _in_turn(method):
    """Let a method change a copy, whose state the estimator then takes over."""
    name = method.__name__

    @functools.wraps(method)
    def change(self, *args, **kwargs):
        outer = _RUNNING.change
        if _is_part_of(outer, self, name):
            return method(self, *args, **kwargs)
        with _lock_of(self):
            new = shallow_copy(self)
            if name in FITS:
                _copy_fitted_steps(new)
            # assigned, not pushed and popped: no interrupt comes between
            _RUNNING.change = Change(self, new, name, outer)
            try:
                result = method(new, *args, **kwargs)
            finally:
                _RUNNING.change = outer
            commit(new, self)
        return self if result is new else result

    return change


def _is_part_of(running, estimator, method):
    """Tell whether a call belongs to a change of this estimator that is running.

    Such are those of ``super()``, and of ``fit`` by ``fit_transform``. A call that
    would have to wait for the one within which it is made is refused.
    """
    while running is not None:
        is_copy = estimator is running.copy
        if is_copy and (method != "unlearn" or running.method == "unlearn"):
            return True
        if is_copy or estimator is running.estimator:
            raise RequestInProgressError(
                f"{method} was called on this {type(estimator).__name__} from within "
                f"its own {running.method}, by a callback for example. Call it after "
                f"{running.method} has returned."
            )
        running = running.outer
    return False


def _lock_of(estimator):
    """Return the lock of an estimator, which lives as long as that does."""
    key = id(estimator)
    entry = _LOCKS.get(key)
    if entry is None:
        reference = weakref.ref(estimator, lambda _: _LOCKS.pop(key, None))
        # of two threads that come here at once, both get the lock of the first
        entry = _LOCKS.setdefault(key, (reference, threading.Lock()))
    return entry[1]


def _copy_fitted_steps(estimator):
    """Let a second fit work on copies of the steps: others may be reading the steps.

    The first one fits the very steps that were given, as scikit-learn does.
    """
    state = vars(estimator)
    if "unlearning_log_" in state:
        for name in FITTED_PARAMETERS.intersection(state):
            state[name] = _copies_of_steps(state[name])


def _copies_of_steps(steps):
    """Return the same steps as shallow copies, composites at any depth included."""
    copies = []
    for name, step, *rest in steps:
        if hasattr(step, "get_params"):
            step = shallow_copy(step)
            for inner in FITTED_PARAMETERS.intersection(vars(step)):
                setattr(step, inner, _copies_of_steps(vars(step)[inner]))
        copies.append((name, step, *rest))
    return copies
