"""Dictionaries and lists as cells, which are looked up and so need a hash."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.rows._layouts._casting import as_objects

__all__ = [
    "from_cells",
    "frozen",
    "frozen_column",
    "thawed",
    "thawed_column",
    "to_cells",
]


class FrozenDict(dict):
    """A dictionary as a cell, equal to others whatever the order of their items."""

    def __hash__(self):
        return hash(frozenset(self.items()))

    def __repr__(self):
        return f"{{{', '.join(sorted(f'{k!r}: {v!r}' for k, v in self.items()))}}}"


class FrozenList(list):
    """A list as a cell."""

    def __hash__(self):
        return hash(tuple(self))


NESTED = frozenset({dict, list, tuple, FrozenDict, FrozenList})


def frozen(item):
    """Return an item that has a hash: a dictionary or a list as one of the above."""
    if isinstance(item, dict):
        return FrozenDict((key, frozen(value)) for key, value in item.items())
    if isinstance(item, tuple):
        return tuple(map(frozen, item))
    return FrozenList(map(frozen, item)) if isinstance(item, list) else item


def thawed(item):
    """Return the item that `frozen` was given."""
    if isinstance(item, dict):
        return {key: thawed(value) for key, value in item.items()}
    if isinstance(item, tuple):
        return tuple(map(thawed, item))
    return list(map(thawed, item)) if isinstance(item, list) else item


def frozen_column(cells):
    """Return an array of objects with `frozen` cells; itself if there is none."""
    if {dict, list} & set(map(type, cells)):
        return as_objects([frozen(cell) for cell in cells])
    return cells


def thawed_column(cells):
    """Return what `frozen_column` was given, as an array of its own."""
    if {FrozenDict, FrozenList} & set(map(type, cells)):
        return as_objects([thawed(cell) for cell in cells])
    return np.array(cells)


def to_cells(part):
    """Return an array as files hold it: objects in one list, as they were given."""
    if not isinstance(part, np.ndarray) or part.dtype.kind != "O":
        return part
    return {"cells": _each(thawed, part.ravel().tolist()), "shape": part.shape}


def from_cells(part):
    """Return what `to_cells` was given."""
    if not isinstance(part, dict):
        return part
    return as_objects(_each(frozen, part["cells"])).reshape(part["shape"])


def _each(change, cells):
    """Return cells with all changed that may have items."""
    if NESTED.isdisjoint(map(type, cells)):
        return cells
    return list(map(change, cells))
