"""Attributes that are computed when they are first read."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

__all__ = ["cached_property"]


class cached_property:
    """A property that is computed once for each object.

    It is as ``functools.cached_property`` is from Python 3.12 on. Before, that holds
    one lock for all objects of a class while it computes: a forked child may find the
    lock taken by a thread that does not exist there, and would wait for ever.

    Parameters
    ----------
    function : callable (object) -> value
    """

    def __init__(self, function):
        self.function, self.__doc__ = function, function.__doc__

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.function(instance)
        return value
