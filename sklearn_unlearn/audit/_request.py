"""What an audit is asked: which rows are to be forgotten, and whose they are."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.utils._validation import check_forget_mask

__all__ = [
    "FEWEST_PERSONS",
    "check_forget",
    "check_persons",
    "check_whole_persons",
    "positions_of",
]

FEWEST_PERSONS = 8


def check_forget(forget, n_rows):
    """Return which rows are to be forgotten, as an array of truth values."""
    mask = np.zeros(n_rows, dtype=bool)
    mask[check_forget_mask(forget, n_rows)] = True
    if not mask.any():
        raise ValueError("forget must mark some rows of X, to be forgotten.")
    return mask


def positions_of(mask, name, n_rows):
    """Return where a mask is true that leaves some rows out, and marks some."""
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != (n_rows,) or mask.all() or not mask.any():
        raise ValueError(
            f"{name} must be a boolean mask with one entry per row of X, shape "
            f"({n_rows},), that marks some rows and not all; got dtype {mask.dtype}, "
            f"shape {mask.shape} and {np.count_nonzero(mask)} marked."
        )
    return np.flatnonzero(mask)


def check_persons(groups, n_rows):
    """Return the number of each row's person, 0, 1, ...; None without persons."""
    if groups is None:
        return None
    groups = np.asarray(groups)
    if groups.shape != (n_rows,):
        raise ValueError(
            f"groups must hold one id per row of X, shape ({n_rows},); got shape "
            f"{groups.shape}."
        )
    return np.unique(groups, return_inverse=True)[1]


def check_whole_persons(persons, forget):
    """Raise unless all rows of enough persons are to be forgotten, or none of one."""
    forgotten = np.unique(persons[forget])
    if np.isin(persons[~forget], forgotten).any():
        raise ValueError(
            "forget must mark all rows of a person or none: with groups, persons are "
            "forgotten. Pass forget=np.isin(groups, persons)."
        )
    if len(forgotten) < FEWEST_PERSONS:
        raise ValueError(
            f"{len(forgotten)} persons are too few to compare: the audit needs "
            f"{FEWEST_PERSONS}. Audit the same unlearner on requests of more persons, "
            "or leave groups out to compare rows."
        )
