"""Checks of arguments that scikit-learn's estimators do not have."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.utils._sklearn_compat import _is_arraylike, _num_samples

__all__ = [
    "check_forget_mask",
    "refuse_changed_settings",
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

    scikit-learn slices them by the same rule in cross-validation.
    """
    per_row, whole = {}, {}
    for name, value in params.items():
        sliced = _is_arraylike(value) and _num_samples(value) == n_rows
        (per_row if sliced else whole)[name] = value
    return per_row, whole


def refuse_changed_settings(estimator, settings):
    """Raise if parameters that the fitted state depends on were changed after ``fit``.

    Parameters
    ----------
    estimator : estimator instance
    settings : dict
        Parameters by name, as they were in ``fit``.

    Raises
    ------
    ValueError
        It names the parameters.
    """
    changed = [n for n, v in settings.items() if getattr(estimator, n) != v]
    if changed:
        raise ValueError(
            f"{', '.join(changed)} changed since fit: the fitted model was made with "
            "other values. Set the parameters back to these, or call fit again."
        )
