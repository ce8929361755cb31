"""Models that attacks need: fitted, and made to forget."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn.utils._sklearn_compat import _num_samples, _safe_indexing

LARGEST_SEED = 2**31 - 1


def check_fitted_model(model, name):
    """Raise unless `model` is a fitted classifier or regressor.

    One that has only been given its predictions has no ``fit`` to ask about.
    """
    check_task(model, name)
    if hasattr(model, "fit"):
        check_is_fitted(model)


def check_task(estimator, name):
    """Raise unless `estimator` is a classifier or a regressor."""
    if not (is_classifier(estimator) or is_regressor(estimator)):
        raise ValueError(
            f"{name} must be a classifier or a regressor; got "
            f"{type(estimator).__name__}."
        )


def check_mask(mask, name, n_rows):
    """Return the positions that a boolean mask of rows marks."""
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != (n_rows,) or not mask.any():
        raise ValueError(
            f"{name} must be a boolean mask with one entry per row of X, shape "
            f"({n_rows},), that marks at least one; got dtype {mask.dtype}, shape "
            f"{mask.shape} and {np.count_nonzero(mask)} marked."
        )
    return np.flatnonzero(mask)


def with_seed(estimator, rng):
    """Return an unfitted copy whose every ``random_state`` is drawn from `rng`."""
    estimator = clone(estimator)
    names = sorted(estimator.get_params(deep=True))
    seeds = {
        name: int(rng.randint(LARGEST_SEED))
        for name in names
        if name.split("__")[-1] == "random_state"
    }
    return estimator.set_params(**seeds) if seeds else estimator


def fitted_without(unlearner, X, y, trained, forgotten):
    """Fit a copy to the rows `trained`, and have it forget the rows `forgotten`.

    Parameters
    ----------
    unlearner : estimator instance
        One without ``unlearn`` is left as it was fitted: it forgets nothing.
    X, y : array-like
        All rows.
    trained, forgotten : ndarray of int
        Positions of rows.

    Returns
    -------
    estimator instance
    """
    model = clone(unlearner).fit(_safe_indexing(X, trained), _safe_indexing(y, trained))
    if hasattr(model, "unlearn"):
        model.unlearn(_safe_indexing(X, forgotten), _safe_indexing(y, forgotten))
    return model


def units(groups, n_rows):
    """Return the number of the person of each row; each row is one without `groups`."""
    if groups is None:
        return np.arange(n_rows)
    if _num_samples(groups) != n_rows:
        raise ValueError(
            f"groups must have one id per row: got {_num_samples(groups)} for "
            f"{n_rows} rows."
        )
    return np.unique(np.asarray(groups), return_inverse=True)[1]


def means_by_unit(values, unit):
    """Return the mean of `values` of each person."""
    _, place, count = np.unique(unit, return_inverse=True, return_counts=True)
    return np.bincount(place, values) / count
