"""Everything that can be reached from an estimator."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import collections
import functools
import numbers
import sys
import types

import numpy as np

__all__ = ["attributes", "leaves"]

SCHEMA = ("classes_", "feature_names_in_")
CONTAINERS = (list, tuple, set, frozenset, collections.deque)
BUFFERS = (bytes, bytearray, memoryview)
OPAQUE = (
    bool,
    np.bool_,
    type,
    type(None),
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    np.dtype,
    np.random.RandomState,
    np.random.Generator,
)
LARGEST = 1 << 64


def leaves(root):
    """Walk through all objects that can be reached from an object.

    Lists, dictionaries, attributes, arrays and what they are views of, data
    frames, categories, sparse matrices and the whole storage of torch tensors are
    entered; classes, functions and modules are not.

    Parameters
    ----------
    root : object

    Yields
    ------
    path : str
        How to get there.
    leaf : ndarray, str, number, bytes, bytearray or memoryview
    is_schema : bool
        Whether it is a name, one of ``classes_`` and ``feature_names_in_``, or a
        constructor parameter. Estimators among the parameters are entered like
        any other, in the form that a pickle has of them.
    """
    stack = [("estimator", root, False)]
    seen = {}  # holds on to the objects, so that no id is used twice
    while stack:
        path, thing, is_schema = stack.pop()
        if isinstance(thing, OPAQUE):
            continue
        if isinstance(thing, numbers.Real):
            if abs(thing) < LARGEST or isinstance(thing, float):
                yield path, thing, is_schema
        elif isinstance(thing, (str, *BUFFERS)):
            yield path, thing, is_schema
        elif (id(thing), is_schema) not in seen:
            seen[id(thing), is_schema] = thing
            if isinstance(thing, np.ndarray) and thing.dtype.kind not in "OV":
                yield path, thing, is_schema
            children = _children(thing, is_schema)
            stack += [(path + name, child, schema) for name, child, schema in children]


def attributes(thing):
    """Return attributes in the dictionary and in slots, by name."""
    found = {}
    for cls in type(thing).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(thing, name):
                found[name] = getattr(thing, name)
    found.update(getattr(thing, "__dict__", {}))
    return found


def _children(thing, is_schema):
    """Return name, object and whether it is schema, for what an object holds."""
    pandas, torch = sys.modules.get("pandas"), sys.modules.get("torch")
    if hasattr(thing, "get_params"):
        return _of_estimator(thing)
    if isinstance(thing, dict):
        held = _of_dict(thing)
    elif isinstance(thing, CONTAINERS):
        held = _of_sequence(thing)
    elif isinstance(thing, np.ndarray):
        held = _of_array(thing, is_schema)
    elif pandas and type(thing).__module__.split(".")[0] == "pandas":
        held = _of_pandas(thing, pandas)
    elif torch and isinstance(thing, torch.Tensor):
        held = [(".storage", _storage(thing, torch)), (".grad", thing.grad)]
    elif isinstance(thing, functools.partial):
        held = [(".args", thing.args), (".keywords", thing.keywords)]
    elif isinstance(thing, types.MethodType):
        held = [(".__self__", thing.__self__)]
    elif is_schema:
        held = []
    else:
        return _of_object(thing)
    return [(name, child, is_schema) for name, child in held]


def _of_estimator(estimator):
    """List attributes; parameters as a pickle has them, as they are the caller's."""
    parameters = estimator.get_params(deep=False)
    pickled = estimator.__getstate__()
    pickled = pickled if isinstance(pickled, dict) else {}
    held = [("", name, True) for name in (*_names(estimator), *parameters)]
    for name, value in attributes(estimator).items():
        if name in parameters:
            held.append((f".{name}", pickled.get(name, value), True))
        else:
            held += [("", name, True), (f".{name}", value, name in SCHEMA)]
    return held


def _of_object(thing):
    """List attributes, or the state that a compiled object gives to a pickle."""
    held = attributes(thing)
    if not held and type(thing).__getstate__ is not object.__getstate__:
        try:
            return [(".__getstate__()", thing.__getstate__(), False)]
        except Exception:  # then it cannot be pickled either
            return []
    names = [("", name, True) for name in (*_names(thing), *held)]
    return names + [(f".{name}", value, False) for name, value in held.items()]


def _names(thing):
    """Return the names of a class and its module, which a pickle holds."""
    return type(thing).__module__, type(thing).__qualname__


def _of_dict(thing):
    """List keys and values of a dictionary."""
    keys = [(f".keys()[{i}]", key) for i, key in enumerate(thing)]
    return keys + [
        (f"[{key!r}]" if isinstance(key, str) else f".values()[{i}]", value)
        for i, (key, value) in enumerate(thing.items())
    ]


def _of_sequence(thing):
    """List the elements of a list, tuple or set; many floats as one array."""
    if thing and all(type(value) is float for value in thing):
        return [("", np.array(list(thing)))]
    return [(f"[{i}]", value) for i, value in enumerate(thing)]


def _of_array(array, is_schema):
    """List elements of objects, fields of records, and the array it is a view of."""
    # a parameter says nothing of the rest of the array that it was cut from
    held = [] if is_schema else [(".base", array.base)]
    if array.dtype.names:
        held += [(f"[{name!r}]", array[name]) for name in array.dtype.names]
    elif array.dtype.kind == "O":
        held += [(f".flat[{i}]", value) for i, value in enumerate(array.flat)]
    elif array.dtype.kind == "V":
        held.append((".tobytes()", array.tobytes()))
    return held


def _of_pandas(thing, pandas):
    """List columns, index, categories and arrays within an object of pandas."""
    if isinstance(thing, pandas.DataFrame):
        columns = [(f".iloc[:, {j}]", thing.iloc[:, j]) for j in range(thing.shape[1])]
        return [(".index", thing.index), *columns]
    if isinstance(thing, pandas.Series):
        return [(".index", thing.index), (".array", thing.array)]
    if isinstance(thing, pandas.MultiIndex):
        return [(f".levels[{i}]", level) for i, level in enumerate(thing.levels)]
    if isinstance(thing, pandas.Index):
        return [(".array", thing.array)]
    if isinstance(thing, pandas.Categorical):
        return [(".categories", thing.categories)]
    if isinstance(thing, pandas.api.extensions.ExtensionArray):
        # a masked array keeps a number under a missing value
        parts = [(f".{name}", part) for name, part in attributes(thing).items()]
        return [("", np.asarray(thing)), *parts]
    return [(f".{name}", value) for name, value in attributes(thing).items()]


def _storage(tensor, torch):
    """Return all numbers behind a tensor, which may be a view of a part of them."""
    if tensor.layout is not torch.strided:
        tensor = tensor.detach().coalesce().values()
    whole = torch.empty(0, dtype=tensor.dtype, device=tensor.device)
    whole = whole.set_(tensor.detach().untyped_storage()).cpu()
    whole = whole.float() if whole.dtype is torch.bfloat16 else whole
    return whole.numpy().copy()  # a view would have a new tensor as its base
