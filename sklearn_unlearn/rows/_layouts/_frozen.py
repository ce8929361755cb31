"""Dictionaries and lists as cells, which are looked up and so need a hash."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

__all__ = ["frozen", "thawed"]


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
