"""Ids of groups: one for each row, by which all rows of a person are forgotten."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.rows._cells import cell_codes
from sklearn_unlearn.rows._layouts import cast_cells

__all__ = ["as_ids", "check_groups", "match_ids"]


def as_ids(groups):
    """Return ids as an array of one dimension, each as it was given.

    ``np.asarray`` would turn a list of numbers and words into words.
    """
    if isinstance(groups, str) or not hasattr(groups, "__len__"):
        groups = [groups]
    if isinstance(groups, np.ndarray):
        return np.atleast_1d(groups)
    ids = np.empty(len(groups), dtype=object)
    ids[:] = list(groups)
    return ids


def check_groups(groups, n_rows):
    """Return `groups` as an array with one id per row."""
    groups = np.asarray(groups)
    if groups.shape != (n_rows,):
        raise ValueError(
            f"groups must hold one id per row of X, shape ({n_rows},); got shape "
            f"{groups.shape}."
        )
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
    asked, fits = cast_cells(asked[:, None], kept.dtype)
    codes, asked = cell_codes(kept), cell_codes(asked[:, 0])
    known = fits & np.isin(asked, codes)
    return np.flatnonzero(np.isin(codes, asked[known])), np.flatnonzero(~known)
