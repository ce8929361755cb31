"""The plain form in which private objects of a model are written to files.

A file must outlive the classes that a model is built of. So what pickle, joblib and
skops write of an estimator holds, in place of each private object,

``{"sklearn_unlearn": kind, "schema": number, "state": {name: value}}``

where `kind` is the name that the class was registered under with `saved_as`. The class
may move or be renamed as it likes, and one that changes its attributes counts up its
schema and reads the older ones. Types of numpy are written so, too.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from importlib import import_module

import numpy as np

__all__ = ["check_schema", "from_plain", "saved_as", "to_plain"]

KIND, DTYPE, DICT = "sklearn_unlearn", "numpy type", "dictionary"
KEYS = {KIND, "schema", "state"}
# nothing of a class of ours can be within
PLAIN = frozenset(
    {bool, bytes, complex, float, int, str, type(None), np.ndarray, np.float64}
)

# where classes are whose modules no estimator imports before it needs them
LATE = {
    "factory of a skorch net": "sklearn_unlearn.unlearning._skorch_net",
    "skorch classifier": "sklearn_unlearn.unlearning._skorch",
    "skorch regressor": "sklearn_unlearn.unlearning._skorch",
    "state of a tree": "sklearn_unlearn.exact.forest.tree._structure",
    "tree": "sklearn_unlearn.exact.forest.tree._structure",
}

_BY_KIND: dict = {}
_BY_CLASS: dict = {}


def saved_as(kind, schema=1):
    """Register a private class under a name that never changes.

    Parameters
    ----------
    kind : str
        What an object of the class is, such as "kept rows": the name in files.
    schema : int, default=1
        Number of the layout of its state: what ``__getstate__`` returns, or else its
        attributes. Count it up when that changes, and give the class a class method
        ``_read_schema(state, schema)`` that returns the state of an older layout in
        the present one.

    Returns
    -------
    callable
        Decorator of the class.
    """

    def register(cls):
        known = _BY_KIND.get(kind, cls)
        if known.__qualname__ != cls.__qualname__:
            raise ValueError(f"{known.__qualname__} is saved as {kind!r} already.")
        _BY_KIND[kind], _BY_CLASS[cls] = cls, (kind, schema)
        return cls

    return register


def to_plain(value):
    """Return a value with all private objects within in their plain form.

    Dictionaries, lists and tuples are entered; what has no private object within is
    the same object, and what is shared stays shared.
    """
    return _Walk(_is_private, _write).result(value)


def from_plain(value):
    """Return what `to_plain` was given."""
    return _Walk(_is_written, _read).result(value)


def check_schema(what, schema, known):
    """Refuse a file that a later version has written.

    Raises
    ------
    ValueError
        If `schema`, found in a file, is beyond the one that is `known`.
    """
    if schema > known:
        raise ValueError(
            f"The file was written by a newer sklearn-unlearn, which saves {what} by "
            f"schema {schema}; the installed version knows schemas up to {known}. "
            "Upgrade sklearn-unlearn to load it."
        )


class _Walk:
    """Replace some objects within containers, each of them once.

    Parameters
    ----------
    is_meant : callable (object) -> bool
        Which objects are replaced.
    replace : callable (object, _Walk) -> object
        By what. It calls ``walk.known`` as soon as there is a new object, which may
        be part of itself.
    """

    def __init__(self, is_meant, replace):
        self.is_meant, self.replace = is_meant, replace
        self._results = {}  # by id; holds on to the objects, so that ids are not reused

    def result(self, thing):
        """Return an object with all that is meant replaced."""
        if type(thing) in PLAIN:
            return thing
        if id(thing) in self._results:
            return self._results[id(thing)][1]
        if self.is_meant(thing):
            return self.known(thing, self.replace(thing, self))
        if type(thing) is dict:
            parts, make = thing.values(), lambda new: dict(zip(thing, new, strict=True))
        elif type(thing) in (list, tuple):
            parts, make = thing, type(thing)
        else:
            return thing
        if PLAIN.issuperset(map(type, parts)):
            return thing
        self.known(thing, thing)  # for one that is part of itself
        new = [self.result(part) for part in parts]
        if all(a is b for a, b in zip(parts, new, strict=True)):
            return thing
        return self.known(thing, make(new))

    def known(self, thing, result):
        """Return the result for an object, which is used wherever it occurs."""
        self._results[id(thing)] = thing, result
        return result


def _is_private(thing):
    """Tell whether an object is to be written in plain form."""
    if isinstance(thing, np.dtype):  # others have no name that says all
        return thing.fields is None and np.dtype(thing.str) == thing
    # a dictionary of the user must not be taken for what is written here
    return type(thing) in _BY_CLASS or _is_written(thing)


def _is_written(thing):
    """Tell whether an object is the plain form of another."""
    return type(thing) is dict and KEYS == thing.keys()


def _write(thing, walk):
    """Return the plain form of a private object."""
    if isinstance(thing, np.dtype):
        return {KIND: DTYPE, "schema": 1, "state": {"str": thing.str}}
    if type(thing) is dict:
        pairs = [[name, walk.result(value)] for name, value in thing.items()]
        return {KIND: DICT, "schema": 1, "state": {"pairs": pairs}}
    kind, schema = _BY_CLASS[type(thing)]
    plain = walk.known(thing, {KIND: kind, "schema": schema})
    state = {name: walk.result(value) for name, value in _state(thing).items()}
    plain["state"] = state
    return plain


def _state(thing):
    """Return the attributes of an object, or of what it wants to be saved."""
    if hasattr(thing, "_asdict"):  # a named tuple
        return thing._asdict()
    state = thing.__getstate__()
    if isinstance(state, tuple):  # of a class with slots
        return {**(state[0] or {}), **state[1]}
    return state or {}


def _read(plain, walk):
    """Return a private object of its plain form."""
    kind, schema, state = plain[KIND], plain["schema"], plain["state"]
    if kind == DTYPE:
        return np.dtype(state["str"])
    if kind == DICT:
        return {name: walk.result(value) for name, value in state["pairs"]}
    if kind in LATE:
        import_module(LATE[kind])
    if kind not in _BY_KIND:
        raise ValueError(
            f"The file holds {kind!r}, which the installed sklearn-unlearn does not "
            "know. Upgrade sklearn-unlearn to load it."
        )
    cls = _BY_KIND[kind]
    known = _BY_CLASS[cls][1]
    check_schema(kind, schema, known)
    is_tuple = issubclass(cls, tuple)
    new = None if is_tuple else walk.known(plain, cls.__new__(cls))
    state = {name: walk.result(value) for name, value in state.items()}
    if schema < known:
        state = cls._read_schema(state, schema)
    if is_tuple:
        return cls(**state)
    if hasattr(cls, "__setstate__"):
        new.__setstate__(state)
    else:
        for name, value in state.items():
            object.__setattr__(new, name, value)  # the class may be frozen
    return new
