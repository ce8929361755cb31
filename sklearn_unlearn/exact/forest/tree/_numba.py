"""Compiles loops over rows and nodes where numba is installed."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from pathlib import Path

__all__ = ["IS_COMPILED", "jit"]

OPTIONS = {"nogil": True, "error_model": "numpy"}


def _stamp():
    """Return what changes with any of the files that hold loops."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return tuple((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files)


def _find_compiler():
    """Return a decorator of functions, and whether it compiles them.

    It takes a second to import numba: so import this module in functions only,
    together with the loops.
    """
    try:
        import numba
    except ImportError:
        return lambda function: function, False
    if numba.config.DISABLE_JIT:
        return lambda function: function, False
    stamp = _stamp()

    def compiled(function):
        try:
            dispatcher = numba.njit(cache=True, **OPTIONS)(function)
        except RuntimeError:  # there is no folder to write to
            return numba.njit(**OPTIONS)(function)
        # What is kept on disk holds the functions that it calls, and numba asks only
        # whether the file of the function itself has changed.
        file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
        if file is None or not hasattr(file, "_source_stamp"):
            return numba.njit(**OPTIONS)(function)
        file._source_stamp = stamp
        return dispatcher

    return compiled, True


jit, IS_COMPILED = _find_compiler()
