"""Columns of a frame by name."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["align_columns", "column_names"]


def column_names(X):
    """Return the names of the columns of a frame of any kind; None for anything else.

    Returns
    -------
    list or None
    """
    if hasattr(X, "column_names"):  # a table of pyarrow, whose columns are arrays
        return list(X.column_names)
    named = hasattr(X, "iloc") or hasattr(X, "to_pandas")
    return list(X.columns) if named and hasattr(X, "columns") else None


def align_columns(X, names, argument="X_forget"):
    """Return the columns of a query that a fit was given, in the order of the fit.

    Parameters
    ----------
    X : frame of any kind, or any other container
        What has no names is returned as it is.
    names : list or None
        Names of the columns in the fit; None if it was given no frame.
    argument : str, default="X_forget"
        Which argument of ``unlearn`` `X` is.

    Raises
    ------
    ValueError
        If a column is missing.

    Warns
    -----
    UnlearningWarning
        If there are other columns, which are ignored.
    """
    given = column_names(X)
    if given is None or names is None or given == names:
        return X
    missing = [name for name in names if name not in given]
    other = [name for name in given if name not in names]
    unnamed = not all(isinstance(name, str) for name in names)
    if missing and unnamed and len(given) == len(names):
        return X  # numbered columns, which scikit-learn tells by their places
    if missing:
        raise ValueError(
            f"{argument} lacks columns that fit was given: {_listed(missing)}. "
            "Pass the rows as they were given to fit."
        )
    if len({*given}) < len(given):
        raise ValueError(
            f"{argument} has several columns of one name: pass those that fit was "
            "given, in their order."
        )
    if other:
        warn_user(
            f"{argument} has columns that fit was not given: {_listed(other)}. They "
            "are ignored.",
            UnlearningWarning,
        )
    return X.select(names) if hasattr(X, "select") else X[names]


def _listed(names):
    """Write the names of columns."""
    return ", ".join(map(repr, names))
