"""Ids of groups: one for each row, by which all rows of a person are forgotten.

Ids keep their types: 7 and 7.0 are one id; 7, "7" and True are three. A missing id
(None, NaN, NA, NaT) is nobody's.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import contextlib
import datetime
import numbers
from collections import deque

import numpy as np

from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.rows._cells import cell_codes, is_missing
from sklearn_unlearn.rows._layouts import column_names
from sklearn_unlearn.utils._warnings import warn_user

__all__ = [
    "as_ids",
    "check_groups",
    "describe_other_kind",
    "id_codes",
    "match_ids",
    "warn_of_other_kind",
]

# Lists of one of these become arrays; all others stay objects.
PLAIN_TYPES = (bool, int, float)

# The kinds of ids besides numbers and truth values, as messages name them.
OTHER_KINDS = {
    "text": str,
    "bytes": bytes,
    "dates": (datetime.date, np.datetime64),  # and times
    "durations": (datetime.timedelta, np.timedelta64),
}
# The kind of the ids in an array, by that of its dtype.
KINDS = {
    **dict.fromkeys("iuf", "numbers"),
    "b": "truth values",
    "U": "text",
    "S": "bytes",
    "M": "dates",
    "m": "durations",
}


def as_ids(groups):
    """Return ids as an array of one dimension, each as it was given.

    Parameters
    ----------
    groups : array-like of shape (n_ids,) or (n_ids, 1), or a single id

    Raises
    ------
    ValueError
        If there are several columns.
    """
    names = column_names(groups)
    if names is not None and len(names) == 1:
        groups = groups.iloc[:, 0] if hasattr(groups, "iloc") else groups[names[0]]
    if hasattr(groups, "to_numpy"):  # a column or an index of a frame
        groups = _values_of_column(groups)
    if isinstance(groups, np.ma.MaskedArray):
        groups = groups.astype(object).filled(None)
    if isinstance(groups, np.ndarray):
        if groups.dtype.kind not in KINDS:
            groups = groups.astype(object)
        groups = np.atleast_1d(groups)
        if groups.ndim > 1 and groups.size != len(groups):
            raise ValueError(
                f"groups must be one column of ids; got shape {groups.shape}. Pass the "
                "column that holds them."
            )
        return groups.ravel()
    if isinstance(groups, str | bytes) or not hasattr(groups, "__len__"):
        groups = [groups]
    cells = list(groups)
    if all(isinstance(cell, list | tuple) and len(cell) == 1 for cell in cells):
        cells = [cell[0] for cell in cells]  # a column, row by row
    types = set(map(type, cells))
    if len(types) == 1 and types.issubset(PLAIN_TYPES):
        ids = np.array(cells)
        if ids.dtype.kind in "biuf" and (types != {int} or ids.dtype.kind != "f"):
            return ids
    # np.asarray would turn numbers beside words into words
    return np.fromiter(cells, dtype=object, count=len(cells))


def _values_of_column(column):
    """Return the ids in a column or frame of any library as an array or a list."""
    is_arrow = hasattr(column, "to_pylist")
    ids = column.to_numpy(**({"zero_copy_only": False} if is_arrow else {}))
    plain = isinstance(getattr(column, "dtype", None), np.dtype)
    if plain or ids.ndim > 1 or ids.dtype.kind != "f":
        return ids
    # beside missing ones, whole numbers have become floating-point: several, if
    # large, the same
    return column.to_pylist() if is_arrow else list(column)


def check_groups(groups, n_rows):
    """Return `groups` as an array with one id per row."""
    given, groups = groups, as_ids(groups)
    if groups.shape != (n_rows,):
        hint = ""
        if isinstance(given, str):
            hint = (
                f" If {given!r} is a column of X, pass X[{given!r}], or set "
                f"group_column={given!r}."
            )
        raise ValueError(
            f"groups must hold one id per row of X, shape ({n_rows},); got shape "
            f"{groups.shape}.{hint}"
        )
    if groups.dtype.kind == "O":
        _check_hashable(groups)
    return groups


def match_ids(kept, asked):
    """Find all rows that have one of the ids asked for.

    Parameters
    ----------
    kept : ndarray of shape (n_rows,)
        Id of each row.
    asked : ndarray of shape (n_ids,)
        From `as_ids`.

    Returns
    -------
    positions : ndarray of int64
        Of the rows, ascending.
    unknown : ndarray of int64
        Positions in `asked` of ids that no row has.
    """
    if kept.dtype.kind != "O":
        return _match_typed(kept, asked)
    if asked.dtype.kind == "O":
        _check_hashable(asked)
    asked = asked if asked.dtype.kind in "mM" else asked.tolist()
    keys = [_key(value) for value in asked]
    wanted = {key for key in keys if key is not None}
    # a truth value equals a number: told apart where one was found
    alike = {value for value in asked if not is_missing(value)}
    near = np.fromiter(map(alike.__contains__, kept.tolist()), bool, len(kept))
    positions = np.flatnonzero(near)
    found = [_key(value) for value in kept[positions]]
    positions = positions[np.fromiter((k in wanted for k in found), bool, len(found))]
    found = set(found)  # None for nobody
    unknown = [i for i, key in enumerate(keys) if key is None or key not in found]
    return positions, np.array(unknown, dtype=np.int64)


def _match_typed(kept, asked):
    """Find ids among those of an array of one type; as `match_ids`."""
    if asked.dtype == kept.dtype:
        cast, fits = asked, asked == asked  # NaN and NaT are nobody's
    else:
        cast = np.zeros(len(asked), dtype=kept.dtype)
        fits = np.zeros(len(asked), dtype=bool)
        for i, value in enumerate(asked):
            if not is_missing(value) and _kind(value) == KINDS[kept.dtype.kind]:
                with contextlib.suppress(ValueError, OverflowError):
                    if kept.dtype.kind == "M":
                        value = np.datetime64(value)
                    cast[i] = value
                    fits[i] = _key(cast[i]) == _key(value)
    positions = np.flatnonzero(np.isin(kept, cast[fits]))
    known = fits & np.isin(cast, kept[positions])
    return positions, np.flatnonzero(~known)


def id_codes(ids):
    """Return one unsigned 64-bit number per id, and which ids are missing.

    Parameters
    ----------
    ids : ndarray of shape (n_ids,)
        From `as_ids`.
    """
    missing = np.fromiter(map(is_missing, ids), bool, len(ids))
    truth = np.fromiter((isinstance(i, bool | np.bool_) for i in ids), bool, len(ids))
    codes = cell_codes(ids.astype(object))
    codes[truth] ^= np.uint64(1)  # not those of the numbers 0 and 1
    return codes, missing


def describe_other_kind(kept, unknown):
    """Say that unknown ids are of another kind than those of the fit, if they are."""
    given, asked = (
        sorted({_kind(value) for value in ids if not is_missing(value)})
        for ids in (kept, unknown)
    )
    if not asked or set(given) & set(asked):
        return ""
    return (
        f" Ids given to fit are {' and '.join(given) or 'missing'}, yours are "
        f"{' and '.join(asked)}."
    )


def warn_of_other_kind(kept, asked):
    """Warn if no id can match, which says nothing of any one of them."""
    other_kind = describe_other_kind(kept, asked)
    if other_kind:
        warn_user(f"No id in groups can match.{other_kind}", UnlearningWarning)


def _key(value):
    """Return what two ids share exactly if they are one; None if it is missing."""
    if is_missing(value):
        return None
    if isinstance(value, bool | np.bool_):
        return bool, bool(value)
    return (float, float(value)) if _is_rounded(value) else value


def _is_rounded(value):
    """Tell whether a number is a floating-point one that stands for several whole."""
    if not isinstance(value, float | np.floating):
        return False
    return abs(value) >= 2.0 ** (np.finfo(type(value)).nmant + 1)


def _kind(value):
    """Name the kind of an id."""
    if isinstance(value, bool | np.bool_):
        return "truth values"
    if isinstance(value, numbers.Number):
        return "numbers"
    for kind, types in OTHER_KINDS.items():
        if isinstance(value, types):
            return kind
    return "other objects"


def _check_hashable(ids):
    """Raise if an id is a list or an array."""
    try:
        deque(map(hash, ids), maxlen=0)
    except TypeError:
        raise TypeError(
            "groups must hold one number or word per row; some are lists or arrays."
        ) from None
