"""Everything that a module knows, as plain values by name, and back.

Parameters and buffers are not all: modules keep running means, temperatures, masks or
attention weights as attributes, too. What is no data, such as functions, a module has
from its factory.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import io
import sys
import types
from collections import deque
from enum import Enum
from typing import Any

import numpy as np
import torch
from torch import nn

from sklearn_unlearn._engine._torch_defaults import InterruptibleMode

__all__ = [
    "copy_module",
    "differing",
    "module_state",
    "reset_state",
    "restore_state",
]

# Attributes of every module that are no state: parts, hooks, and the mode.
_OF_EVERY_MODULE = frozenset(vars(nn.Module()))
_SCALARS = (bool, int, float, complex, str, bytes, type(None), np.generic, Enum)
_CODE = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
# Stands for what the factory gives.
_AS_BUILT = {"kind": "as built"}


# ---------------------------------------------------------------------------- copies


class _DetachedCopies(InterruptibleMode):
    """Let tensors be copied that torch refuses to copy.

    Those that a pass has left in attributes come without their graph, and buffers of
    lazy layers without a size.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.Tensor.__deepcopy__:
            tensor, memo = args
            if nn.parameter.is_lazy(tensor):
                kind: Any = type(tensor)
                new = kind(tensor.requires_grad, tensor.device, tensor.dtype)
                return memo.setdefault(id(tensor), new)
            if not tensor.is_leaf:
                # a memo would know what is detached by an id that is soon another's
                return memo.setdefault(id(tensor), func(tensor.detach(), {}))
        return func(*args, **(kwargs or {}))


def copy_module(module):
    """Return a deep copy that shares no memory and drags no graph along.

    Its parameters are contiguous, so that a copy that was saved has the same bytes and
    computes with the same bits.
    """
    with torch.inference_mode(False), _DetachedCopies():
        try:
            new = copy.deepcopy(module)
        except (TypeError, RuntimeError, AttributeError) as error:
            raise TypeError(
                f"module cannot be copied, which every fit needs ({error}). Make what "
                "cannot be copied outside of the module, or in its forward."
            ) from error
    for tensor in (*new.parameters(), *new.buffers()):
        if not nn.parameter.is_lazy(tensor) and not _is_plain(tensor):
            tensor.data = tensor.detach().contiguous()
    return new


def _is_plain(tensor):
    """Tell whether a tensor is contiguous, or of a layout that has no order."""
    return tensor.layout is not torch.strided or tensor.is_contiguous()


# ------------------------------------------------------------------------------ state


def module_state(module):
    """Return the state of a module.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    dict of dict
        Of "parameters", "buffers", "attributes" and "extra" states, each by its dotted
        name: arrays and other plain values. "trained" names the parameters that have
        gradients.
    """
    parameters = dict(module.named_parameters())
    buffers = dict(module.named_buffers())
    attributes, extra = {}, {}
    plain = _Plain(module)
    for path, layer in module.named_modules():
        prefix = f"{path}." if path else ""
        buffers.update(
            {prefix + name: None for name, b in layer._buffers.items() if b is None}
        )
        for name, value in vars(layer).items():
            if name not in _OF_EVERY_MODULE:
                attributes[prefix + name] = plain(value)
        if type(layer).get_extra_state is not nn.Module.get_extra_state:
            extra[path] = plain(layer.get_extra_state())
    return {
        "parameters": {name: _array(p) for name, p in parameters.items()},
        "trained": [name for name, p in parameters.items() if p.requires_grad],
        "buffers": {name: _array(b) for name, b in buffers.items()},
        "attributes": attributes,
        "extra": extra,
    }


class _Plain:
    """Turns a value into plain ones; what it cannot turn is as the factory built it."""

    def __init__(self, module):
        # parts of the module that an attribute names once more, such as tied weights
        parts = (*module.modules(), *module.parameters(), *module.buffers())
        self._within = {id(part) for part in parts}

    def __call__(self, value):
        if isinstance(value, _SCALARS):
            return value
        if id(value) in self._within or isinstance(value, _CODE):
            return _AS_BUILT
        if isinstance(value, torch.Tensor):
            return {"kind": "tensor", "values": _array(value)}
        if isinstance(value, np.ndarray):
            own = value.dtype.kind != "O"
            return {"kind": "array", "values": np.array(value)} if own else _AS_BUILT
        if isinstance(value, (torch.dtype, torch.device)):
            kind = type(value).__name__
            return {"kind": kind, "name": str(value).removeprefix("torch.")}
        if isinstance(value, torch.Generator):
            return {"kind": "Generator", "values": value.get_state().numpy()}
        self._within.add(id(value))  # a value within itself ends here
        try:
            return self._parts(value)
        finally:
            self._within.discard(id(value))

    def _parts(self, value):
        """Turn what has parts into a description of them."""
        if isinstance(value, dict):
            items = [[self(key), self(item)] for key, item in value.items()]
            if any(key is _AS_BUILT for key, _ in items):
                return _AS_BUILT
            return {"kind": "dict", "items": items}
        for kind in (list, tuple, set, deque):
            if isinstance(value, kind):
                return {"kind": kind.__name__, "items": [self(item) for item in value]}
        if isinstance(value, nn.Module):
            return {"kind": "module", "state": module_state(value)}
        held = _held(value)
        if held is None or _is_machinery(value):
            return _AS_BUILT
        parts = {name: self(part) for name, part in held.items()}
        return {"kind": "object", "attributes": parts}


def _held(value):
    """Return what an object holds by name, in slots too; None if nothing can be."""
    kinds = [kind for kind in type(value).__mro__ if "__slots__" in vars(kind)]
    if not kinds and not hasattr(value, "__dict__"):
        return None
    slots = [slot for kind in kinds for slot in np.atleast_1d(vars(kind)["__slots__"])]
    slots = [slot for slot in slots if slot not in ("__dict__", "__weakref__")]
    held = {slot: getattr(value, slot) for slot in slots if hasattr(value, slot)}
    return held | getattr(value, "__dict__", {})


def _is_machinery(value):
    """Tell whether an object is of Python or torch: a logger, say, or a graph."""
    if isinstance(value, types.SimpleNamespace):
        return False
    root = type(value).__module__.partition(".")[0]
    return root in sys.stdlib_module_names or root == "torch"


def _array(tensor):
    """Return a tensor as an array of its own: it could drag a larger storage along.

    One of a kind that numpy lacks becomes the bytes of a file.
    """
    if tensor is None:
        return None
    tensor = tensor.detach().cpu()
    try:
        return np.array(tensor.resolve_conj().resolve_neg().numpy(), order="C")
    except TypeError:
        file = io.BytesIO()
        torch.save(tensor.clone(), file)
        return file.getvalue()


def _tensor(array):
    """Return the tensor that `_array` took."""
    if array is None:
        return None
    if isinstance(array, bytes):
        return torch.load(io.BytesIO(array), weights_only=True)
    return torch.from_numpy(np.array(array))


# ---------------------------------------------------------------------------- restore


@torch.no_grad()
def restore_state(module, state):
    """Give a module that was just built the state of another one, or a part of it.

    Parameters
    ----------
    module : torch.nn.Module
        Changed in place.
    state : dict
        As of `module_state`; kinds of state that it lacks stay as they are.

    Raises
    ------
    ValueError
        If the state has something that the module was not built with.
    """
    parameters = dict(module.named_parameters())
    for path, array in state.get("parameters", {}).items():
        if path not in parameters:  # a first layer may have been given a bias
            layer, name = _owner(module, path)
            parameters[path] = nn.Parameter(_tensor(array))
            layer.register_parameter(name, parameters[path])
        parameters[path].data = _tensor(array).to(parameters[path].device)
    if "trained" in state:
        for path, parameter in parameters.items():
            parameter.requires_grad_(path in state["trained"])
    for path, array in state.get("buffers", {}).items():
        layer, name = _owner(module, path)
        _restore_buffer(layer, name, _tensor(array))
    for path, plain in state.get("attributes", {}).items():
        layer, name = _owner(module, path)
        if plain != _AS_BUILT:
            known = vars(layer).get(name)
            vars(layer)[name] = _restored(known, plain, path)
    for path, plain in state.get("extra", {}).items():
        module.get_submodule(path).set_extra_state(_restored(None, plain, path))


def _owner(module, path):
    """Return the layer that a dotted name belongs to, and the name there."""
    path, _, name = path.rpartition(".")
    try:
        return module.get_submodule(path), name
    except AttributeError as error:
        raise ValueError(f"its layer {path!r} was made in training") from error


def _restore_buffer(layer, name, tensor):
    known = layer._buffers.get(name)
    if None not in (known, tensor) and known.dtype == tensor.dtype:
        known.data = tensor.to(known.device)  # a buffer may have two owners
    elif name in layer._buffers:
        layer._buffers[name] = tensor
    else:
        layer.register_buffer(name, tensor)


def _restored(known, plain, path):
    """Return a value from its plain form, and the value that the factory gave."""
    if isinstance(plain, _SCALARS):
        return plain
    kind = plain["kind"]
    if kind in ("tensor", "array"):
        return _restored_numbers(known, kind, plain["values"])
    if kind == "dtype":
        return getattr(torch, plain["name"])
    if kind == "device":
        return torch.device(plain["name"])
    if kind == "Generator":
        generator = torch.Generator()
        generator.set_state(torch.from_numpy(np.array(plain["values"])))
        return generator
    if kind in ("list", "tuple", "set", "deque", "dict"):
        return _restored_items(known, kind, plain["items"], path)
    if known is None:
        raise ValueError(f"its attribute {path!r} holds an object made in training")
    if kind == "module":
        restore_state(known, plain["state"])
    elif kind == "object":
        held = _held(known)
        for name, part in plain["attributes"].items():
            new = _restored(held.get(name), part, f"{path}.{name}")
            object.__setattr__(known, name, new)  # it may be frozen
    return known


def _restored_numbers(known, kind, values):
    if kind == "array":
        return np.array(values)
    tensor = _tensor(values)
    if isinstance(known, nn.Parameter):
        known.data = tensor
        return known
    return tensor


def _restored_items(known, kind, items, path):
    """Return a container from the plain forms of its items."""
    if kind == "dict":
        return _restored_dict(known if isinstance(known, dict) else {}, items, path)
    before = list(known) if isinstance(known, (list, tuple, deque)) else []
    before += [None] * (len(items) - len(before))
    new = [_restored(old, item, path) for old, item in zip(before, items, strict=False)]
    if kind == "deque":
        return deque(new, getattr(known, "maxlen", None))
    if kind == "tuple" and hasattr(known, "_make"):
        return known._make(new)
    return {"list": list, "tuple": tuple, "set": set}[kind](new)


def _restored_dict(known, items, path):
    pairs = [(_restored(None, key, path), item) for key, item in items]
    new = {key: _restored(known.get(key), item, path) for key, item in pairs}
    if type(known) is dict:
        return new
    known.clear()  # a kind of dict that the user chose
    known.update(new)
    return known


# ----------------------------------------------------------------------- comparison


def differing(state, other):
    """Return what two states differ in, parameters with gradients left out.

    Returns
    -------
    set of (kind, name)
    """
    found = set()
    for kind in ("parameters", "buffers", "attributes", "extra"):
        first, second = state[kind], other[kind]
        for name in {*first, *second}:
            same = name in first and name in second
            if not (same and _equal(first[name], second[name])):
                found.add((kind, name))
    return found - {("parameters", name) for name in state["trained"]}


def reset_state(module, names, state):
    """Give a module the part of another state that is named by (kind, name)."""
    for kind, name in names:
        if name in state[kind]:
            restore_state(module, {kind: {name: state[kind][name]}})
            continue
        layer, own = _owner(module, name)
        delattr(layer, own)  # the other state has nothing of this name


def _equal(first, second):
    """Tell whether two plain values are equal, bit for bit."""
    if type(first) is not type(second):
        return False
    if isinstance(first, np.ndarray):
        same = first.dtype == second.dtype and first.shape == second.shape
        return same and first.tobytes() == second.tobytes()
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(
            _equal(first[key], second[key]) for key in first
        )
    if isinstance(first, list):
        return len(first) == len(second) and all(map(_equal, first, second))
    return first == second or (first != first and second != second)
