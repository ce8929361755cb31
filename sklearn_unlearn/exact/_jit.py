"""Compiles hot loops where numba is installed."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

__all__ = ["IS_COMPILED", "jit"]


def _find_compiler():
    """Return a decorator for functions, and whether it compiles them.

    To import this module may import numba, which takes a second: import it in
    functions, with the loops that it compiles.
    """
    try:
        import numba
    except ImportError:
        return lambda function: function, False

    def compiled(function):
        options = {"nogil": True, "error_model": "numpy"}
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # there is no folder to write to
            return numba.njit(**options)(function)

    return compiled, not numba.config.DISABLE_JIT


jit, IS_COMPILED = _find_compiler()
