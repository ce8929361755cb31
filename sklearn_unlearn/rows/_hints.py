"""What to pass instead of what holds no rows, or cells of other types than the fit."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Iterable, Set

import numpy as np

__all__ = ["describe_other_types", "holds_rows", "refuse_what_is_no_table"]


def refuse_what_is_no_table(X, argument="X_forget", expected=2):
    """Raise if `X` is no table of rows; say what was probably meant.

    Parameters
    ----------
    X : object
        Given to an estimator whose rows have columns.
    argument : str, default="X_forget"
        As which argument of ``unlearn`` it was given.
    expected : int or None, default=2
        Number of dimensions in ``fit``; None if it is not known, but two or more.

    Raises
    ------
    ValueError
        If `X` has another number of dimensions.
    """
    n_dims = len(X.shape) if hasattr(X, "shape") else _array(X).ndim
    expected = max(2, n_dims) if expected is None else expected
    if n_dims == expected:
        return
    shape = f"{n_dims}D array" if n_dims else f"a single {type(X).__name__}"
    raise ValueError(
        f"Expected {expected}D array, got {shape} instead: {argument} holds rows as "
        f"they were given to fit. {_hint(X, n_dims, expected, argument)}"
    )


def holds_rows(X):
    """Tell whether `X` has one entry, or more, for each of some rows."""
    if hasattr(X, "shape"):
        return len(X.shape) > 0
    return hasattr(X, "__getitem__") and not isinstance(X, str | bytes | dict)


def describe_other_types(fits):
    """Say that unknown rows have cells that their columns could not hold, if so.

    Parameters
    ----------
    fits : ndarray of bool, shape (n_rows,)
        Whether each row could be cast to the types of the fit.
    """
    if fits.all():
        return ""
    return (
        f" Of these, {(~fits).sum()} hold values that their columns could not have in "
        "fit, such as text for a number."
    )


def _hint(X, n_dims, expected, argument):
    """Say what to pass in place of `X`."""
    if isinstance(X, dict):
        return (
            f"Of a dict with one list per column, pass pandas.DataFrame({argument}); "
            f"of one with the cells of a row, pandas.DataFrame([{argument}])."
        )
    if isinstance(X, str | bytes):
        return "Of an index label, pass X.loc[[label]]; of an id, groups=[id]."
    if isinstance(X, slice):
        return "Of a slice, pass X[slice]."
    if isinstance(X, Set):
        return (
            "Of a set of positions, pass X[list(positions)]; of ids, groups=list(ids)."
        )
    if isinstance(X, Iterable) and not hasattr(X, "__getitem__"):
        return f"Of an iterator over rows, pass list({argument})."
    if isinstance(X, list | tuple) and _is_X_and_y(X):
        return "Of rows and their targets, pass two arguments, unlearn(X, y)."
    if n_dims == 0:
        return "Of a position, pass X[[position]]; of an id, groups=[id]."
    if n_dims > 1 or expected > 2:
        if n_dims == expected - 1:
            return f"Of a single row, pass {argument}[None]."
        n_own = "one dimension" if expected == 2 else f"{expected - 1} dimensions"
        return f"They have {n_own} each."
    cells = _array(X).tolist()
    if any(isinstance(cell, dict) for cell in cells):
        return f"Of dicts, one per row, pass pandas.DataFrame({argument})."
    kinds = {np.asarray(cell).dtype.kind for cell in cells}
    if kinds == {"b"}:
        return "Of a mask, pass X[mask]."
    if kinds <= {"i", "u"}:
        return (
            "Of positions, pass X[positions], or X.iloc[positions] of a frame; of ids, "
            f"groups=ids; of a single row, {_as_row(X, argument)}."
        )
    if kinds <= {"U", "S", "M"}:
        return "Of index labels, pass X.loc[labels]; of ids, groups=ids."
    if hasattr(X, "iloc"):
        return "Of a row of a frame, pass X.iloc[[position]] or X.loc[[label]]."
    return f"Of a single row, pass {_as_row(X, argument)}."


def _is_X_and_y(X):
    """Tell whether two things are a table of rows, and a target for each."""
    shapes = [np.shape(part) if hasattr(part, "shape") else () for part in X]
    return len(shapes) == 2 and len(shapes[0]) == 2 and shapes[1][:1] == shapes[0][:1]


def _as_row(X, argument):
    """Say how to write a row of one dimension as a table of one row."""
    return f"{argument}.reshape(1, -1)" if hasattr(X, "reshape") else f"[{argument}]"


def _array(X):
    """Return an array of what was given, whatever it is."""
    if isinstance(X, str | bytes | dict | slice | set):
        return np.array(None, dtype=object)
    try:
        return np.asarray(X)
    except ValueError:  # rows of different lengths
        return np.empty(len(X), dtype=object)
