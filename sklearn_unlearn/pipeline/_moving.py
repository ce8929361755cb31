"""A kept last step of a pipeline, and rows to forget, taken to new coordinates."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings

import numpy as np

from sklearn_unlearn.base._steps import is_estimator
from sklearn_unlearn.exceptions import PipelineRetrainWarning
from sklearn_unlearn.pipeline._coordinates import affine_map, coordinate_change, dense
from sklearn_unlearn.utils._sklearn_compat import _num_samples, _safe_indexing

__all__ = ["move_last", "take_along"]

# Share of the old coordinates that the new ones may fail to explain.
LARGEST_RESIDUAL = 0.1
# Retained rows that determine the map.
MOST_ROWS = 20_000


def move_last(last, before, after, X):
    """Take an unlearner that keeps its model to the coordinates of updated steps.

    Parameters
    ----------
    last : UnlearnerMixin
        A copy aside, which is changed.
    before, after : list of (str, transformer)
        The earlier steps, before and after they have forgotten.
    X : array-like
        Retained rows as the pipeline was given them.

    Returns
    -------
    bool
        False if `last` must be fitted again; a warning says why.
    """
    pairs = [
        (old, new)
        for old, new in zip(before, after, strict=True)
        if is_estimator(old[1]) and is_estimator(new[1])
    ]
    if not pairs:
        return True
    X = _sample(X)
    old = new = X
    for (_, step), (_, updated) in pairs:
        old, new = step.transform(old), updated.transform(new)
    A, b, residual = coordinate_change(new, old)
    if A is None:
        return True
    if residual > LARGEST_RESIDUAL:
        name = _first(pairs, X, lambda A, residual: residual > LARGEST_RESIDUAL)
        reason = (
            f"after {name} has forgotten, no affine map leads to the old coordinates"
        )
    elif not last._change_coordinates(A, b):
        name = _first(pairs, X, lambda A, residual: A is not None)
        reason = (
            f"{name} has changed, and the model has no first linear layer that could "
            "take the change in"
        )
    else:
        return True
    warnings.warn(
        f"The last step is fitted again on the retained rows: {reason}.",
        PipelineRetrainWarning,
        stacklevel=2,
    )
    return False


def take_along(request, before, after):
    """Return the rows to forget as the updated steps give them to the last one.

    They may hold a category that no retained row has, which an updated encoder
    refuses. Then the map that takes the retained rows from the old to the new
    coordinates takes them along.

    Parameters
    ----------
    request : Request
        With rows as the pipeline was given them.
    before, after : list of (str, transformer)
        The earlier steps, before and after they have forgotten.
    """
    X = request.forget.X
    try:
        return _through(after, X)
    except ValueError:
        kept = _sample(request.retain.X)
        new = _through(after, kept)
        A, b = affine_map(_through(before, kept), new)
        moved = dense(_through(before, X)) @ A + b
        named = hasattr(new, "columns")
        return type(new)(moved, columns=new.columns) if named else moved


def _through(steps, X):
    for _, step in steps:
        if is_estimator(step):
            X = step.transform(X)
    return X


def _sample(X):
    return _safe_indexing(X, np.arange(0, n := _num_samples(X), -(-n // MOST_ROWS)))


def _first(pairs, X, test):
    """Name of the first step behind which the change of coordinates passes a test."""
    old = new = X
    for (name, step), (_, updated) in pairs:
        old, new = step.transform(old), updated.transform(new)
        try:
            A, _, residual = coordinate_change(new, old)
        except ValueError:  # words, which have no coordinates yet
            continue
        if test(A, residual):
            return name
    return pairs[-1][0][0]
