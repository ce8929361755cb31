"""Checks of arguments that only unlearners have."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from sklearn_unlearn.utils._sklearn_compat import _is_arraylike, _num_samples

__all__ = [
    "check_forget_mask",
    "refuse_masks_of_steps",
    "refuse_words",
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
    """Raise if arguments of a pipeline's ``fit`` give a ``forget`` mask to a step."""
    for name in params:
        if name.endswith("__forget"):
            raise ValueError(
                f"{name} would make a single step forget the rows, which the pipeline "
                "would keep. Pass forget=mask to fit of the pipeline instead."
            )


def split_fit_params(params, n_rows):
    """Split arguments of ``fit`` into those with one entry per row and the others.

    scikit-learn's cross-validation splits them by the same rule.

    Parameters
    ----------
    params : dict
        Arguments by name.
    n_rows : int
        Number of rows.

    Returns
    -------
    per_row, others : dict
    """
    per_row, others = {}, {}
    for name, value in params.items():
        # a word or a dict may happen to have as many letters or keys as there are rows
        is_array = sparse.issparse(value) or (
            _is_arraylike(value) and not isinstance(value, (str, bytes, Mapping))
        )
        is_per_row = is_array and _num_samples(value) == n_rows
        (per_row if is_per_row else others)[name] = value
    return per_row, others


def refuse_words(values, name, advice):
    """Raise if what should be numbers holds words, which are no numbers either.

    Parameters
    ----------
    values : array-like
    name : str
        For the message.
    advice : str
        A sentence on what to do.
    """
    values = np.asarray(values)
    if values.dtype.kind not in "USO":
        return
    for value in values.ravel()[:1].tolist():
        if isinstance(value, str | bytes):
            raise ValueError(
                f"{name} must hold numbers; it holds words such as {value!r}. {advice}"
            )
