"""How many rows are taken, in which order, and by whole groups."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from sklearn_unlearn.utils._sklearn_compat import Interval, RealNotInt

__all__ = [
    "N_FORGET",
    "check_groups",
    "check_n_forget",
    "descending",
    "take_first",
]

# a number of rows, or a share of all rows
N_FORGET = [
    Interval(Integral, 1, None, closed="left"),
    Interval(RealNotInt, 0, 1, closed="neither"),
]


def check_n_forget(n_forget, n_rows, n_eligible=None, of="rows of X"):
    """Return a number of rows, and raise if there are not as many to take.

    Parameters
    ----------
    n_forget : int or float
        A number of rows, or a share of `n_rows`.
    n_rows : int
        Number of all rows.
    n_eligible : int, default=None
        Number of rows that may be taken. None stands for all but one.
    of : str
        What may be taken, for the message.
    """
    n_most = n_rows - 1 if n_eligible is None else n_eligible
    number = n_forget
    if not isinstance(n_forget, Integral):
        number = max(1, round(n_forget * n_rows))
    if number > n_most:
        raise ValueError(
            f"n_forget={n_forget} asks for {number} rows, but at most {n_most} {of} "
            "can be forgotten. Ask for fewer."
        )
    return int(number)


def check_groups(groups, n_rows):
    """Return ids of rows as an array."""
    groups = check_array(groups, ensure_2d=False, dtype=None, input_name="groups")
    check_consistent_length(groups, np.empty(n_rows))
    return groups


def descending(scores, rng):
    """Return the order of the rows from the highest score; equal ones by lot."""
    shuffled = rng.permutation(len(scores))
    return shuffled[np.argsort(-np.asarray(scores)[shuffled], kind="stable")]


def take_first(scores, n_forget, rng, groups=None):
    """Mark the rows of the highest scores.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
    n_forget : int
        How many rows are marked.
    rng : RandomState
        Decides between equal scores.
    groups : ndarray of shape (n_rows,), default=None
        If given, whole groups are marked, from that of the highest mean score, until
        there are at least `n_forget` rows.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
    """
    if groups is None:
        mask = np.zeros(len(scores), dtype=bool)
        mask[descending(scores, rng)[:n_forget]] = True
        return mask
    _, code, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = descending(np.bincount(code, weights=scores) / sizes, rng)
    n_taken = np.searchsorted(np.cumsum(sizes[order]), n_forget) + 1
    if n_taken == len(sizes):
        raise ValueError(
            f"n_forget={n_forget} would take all groups: whole groups are forgotten "
            "until there are as many rows. Ask for fewer."
        )
    return np.isin(code, order[:n_taken])
