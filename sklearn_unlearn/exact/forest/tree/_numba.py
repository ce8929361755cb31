"""Compile functions where numba is installed, and save what has been compiled."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import hashlib
from pathlib import Path

__all__ = ["IS_COMPILED", "jit", "jit_and_save"]

OPTIONS = {"nogil": True, "error_model": "numpy"}


def _digest_of_sources():
    """Return a number that changes with any file of this folder."""
    digest = hashlib.blake2b(digest_size=7)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest(), "big")


def _import_numba():
    """Return the module numba, or None where it is not there or is switched off."""
    try:
        import numba
    except ImportError:
        return None
    return None if numba.config.DISABLE_JIT else numba


numba = _import_numba()
IS_COMPILED = numba is not None
SOURCES = _digest_of_sources()


def jit(function):
    """Compile a function into those that call it."""
    return numba.njit(**OPTIONS)(function) if IS_COMPILED else function


def jit_and_save(function):
    """Compile a function that is called from Python, and save the code on disk.

    numba compiles again if the file of the function has changed, but not if that of a
    function has that it calls. The name under which it saves the code therefore tells
    all files of this folder.
    """
    if not IS_COMPILED:
        return function
    function.__qualname__ += f"_{SOURCES:x}"
    try:
        return numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # there is no folder to write to
        return jit(function)
