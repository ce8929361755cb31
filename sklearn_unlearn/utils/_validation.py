"""Checks of the arguments that only this package has."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.utils._sklearn_compat import _is_arraylike, _num_samples

__all__ = [
    "as_ids",
    "check_forget_mask",
    "check_groups",
    "check_on_unknown",
    "refuse_masks_of_steps",
    "split_fit_params",
]


def check_forget_mask(forget, n_rows):
    """Return the positions where the boolean mask `forget` of ``fit`` is true."""
    mask = np.asarray(forget)
    if mask.dtype != bool or mask.shape != (n_rows,):
        raise ValueError(
            f"forget must be a boolean mask with one entry per row of X, shape "
            f"({n_rows},); got dtype {mask.dtype} and shape {mask.shape}."
        )
    if mask.all():
        raise ValueError(
            "forget marks every row: nothing would be left to predict with. "
            "Leave at least one row unmarked."
        )
    return np.flatnonzero(mask)


def check_groups(groups, n_rows):
    """Return `groups` as an array with one id per row."""
    groups = np.asarray(groups)
    if groups.shape != (n_rows,):
        raise ValueError(
            f"groups must hold one id per row of X, shape ({n_rows},); got shape "
            f"{groups.shape}."
        )
    return groups


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


def check_on_unknown(on_unknown):
    """Raise unless `on_unknown` is one of its two values."""
    if on_unknown not in ("raise", "ignore"):
        raise ValueError(f'on_unknown must be "raise" or "ignore"; got {on_unknown!r}.')


def refuse_masks_of_steps(params):
    """Raise if a step of a pipeline is told to forget rows that the pipeline keeps."""
    for name in params:
        if name.endswith("__forget"):
            raise ValueError(
                f"{name} would be forgotten by one step alone, and come back with the "
                "next request. Pass forget=mask to fit of the pipeline."
            )


def split_fit_params(params, n_rows):
    """Split arguments of ``fit`` into those with one entry per row and the others.

    It is the rule by which scikit-learn slices them in cross-validation.
    """
    per_row, whole = {}, {}
    for name, value in params.items():
        sliced = _is_arraylike(value) and _num_samples(value) == n_rows
        (per_row if sliced else whole)[name] = value
    return per_row, whole


def refuse_changed_settings(estimator, settings):
    """Raise if parameters on which the fitted state rests are others by now.

    Parameters
    ----------
    estimator : estimator instance
    settings : dict
        Parameters by name, as they were in ``fit``.

    Raises
    ------
    ValueError
        Which names them.
    """
    changed = [n for n, v in settings.items() if getattr(estimator, n) != v]
    if changed:
        raise ValueError(
            f"{', '.join(changed)} changed since fit, which nothing that was fitted "
            "knows of: set the parameters back, or call fit again."
        )
