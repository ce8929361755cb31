"""Forgotten rows under each dropout mask: does one of them bring them back?"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral
from typing import NamedTuple

import numpy as np

from sklearn_unlearn.audit.stress._networks import list_of_models, task_of
from sklearn_unlearn.base._response import pad_columns
from sklearn_unlearn.utils._sklearn_compat import (
    Interval,
    StrOptions,
    validate_params,
)

__all__ = [
    "MaskRevival",
    "mask_revival",
    "mask_revival_gap_error",
    "signals_over_masks",
]

CONSTRAINTS = {
    "n_masks": [Interval(Integral, 2, None, closed="left")],
    "random_state": ["random_state"],
}


class MaskRevival(NamedTuple):
    """What the functions of a dropout network say of rows.

    The signal is the mean margin of the labels; of numbers, minus the squared error.

    Parameters
    ----------
    mean : float
        Mean of the signal over the functions.
    std : float
        Its standard deviation.
    max : float
        Its largest value: of the function that knows the rows best.

    See Also
    --------
    mask_revival : Measures it.

    Examples
    --------
    >>> from sklearn_unlearn.audit.stress import MaskRevival
    >>> MaskRevival(-1.0, 0.5, 0.2).max
    0.2
    """

    mean: float
    std: float
    max: float


def signals_over_masks(model, task, X, y, n_masks, random_state):
    """Return the mean signal of rows under each mask; None without random functions."""
    if task.is_classifier and hasattr(model, "sample_proba"):
        drawn = np.asarray(model.sample_proba(X, n_masks, random_state))
        if task.classes is not None:
            known = getattr(model, "classes_", task.classes)
            drawn = pad_columns(drawn, "sample_proba", known, task.classes)
        return task.signals(drawn, y).mean(axis=1)
    if not task.is_classifier and hasattr(model, "sample_y"):
        drawn = np.asarray(model.sample_y(X, n_masks, random_state))
        drawn = drawn.reshape(len(drawn), -1, n_masks).transpose(2, 0, 1)
        return task.successes(drawn, y).mean(axis=1)
    return None


@validate_params(CONSTRAINTS, prefer_skip_nested_validation=True)
def mask_revival(model, X, y, *, n_masks=50, random_state=0):
    """Look at rows through the single functions of a dropout network.

    The average over masks may hide what a few units hold back: masks that drop them
    show it. The idea has not been studied yet; it never decides a verdict.

    Parameters
    ----------
    model : estimator instance
        Fitted, with ``sample_proba`` or ``sample_y``.
    X : array-like of shape (n_rows, n_features)
        Forgotten rows.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Their targets, as they had been learnt.
    n_masks : int, default=50
        Number of functions.
    random_state : int, RandomState instance or None, default=0
        Source of the functions.

    Returns
    -------
    MaskRevival
        Mean, standard deviation and maximum of the signal. A perfect unlearner gets
        what retrained models get.

    Raises
    ------
    TypeError
        If the model draws no functions.

    See Also
    --------
    mask_revival_gap_error : Difference to retrained models.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_unlearn.audit.stress import mask_revival
    >>> from sklearn_unlearn.neural_network import DropoutClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = DropoutClassifier((16,), max_iter=20, random_state=0).fit(X, y)
    >>> found = mask_revival(network, X[:10], y[:10])
    >>> found.max > found.mean
    True
    """
    return _revival(model, task_of([model], y), X, y, n_masks, random_state)


def _revival(model, task, X, y, n_masks, random_state):
    signals = signals_over_masks(model, task, X, np.asarray(y), n_masks, random_state)
    if signals is None:
        raise TypeError(
            f"{type(model).__name__} draws no functions: pass a dropout network, or "
            "what has sample_proba or sample_y."
        )
    return MaskRevival(*map(float, (signals.mean(), signals.std(), signals.max())))


@validate_params(
    CONSTRAINTS | {"statistic": [StrOptions({"mean", "std", "max"})]},
    prefer_skip_nested_validation=True,
)
def mask_revival_gap_error(
    unlearned, retrained, X, y, *, statistic="max", n_masks=50, random_state=0
):
    """Compare what single functions say of forgotten rows with retrained models.

    Parameters
    ----------
    unlearned : estimator instance or list of these
        Dropout networks that have forgotten the rows.
    retrained : estimator instance or list of these
        Those fitted on the retained rows alone.
    X : array-like of shape (n_rows, n_features)
        Forgotten rows.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Their targets, as they had been learnt.
    statistic : {"max", "mean", "std"}, default="max"
        What of the signal over the functions is compared.
    n_masks : int, default=50
        Number of functions of each model.
    random_state : int, RandomState instance or None, default=0
        Source of the functions.

    Returns
    -------
    float
        Difference of the means over models. A perfect unlearner gets 0 on average;
        above it, some functions remember.

    See Also
    --------
    mask_revival : The statistics of one model.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_unlearn.audit.stress import mask_revival_gap_error
    >>> from sklearn_unlearn.neural_network import DropoutClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = DropoutClassifier((16,), max_iter=20, random_state=0).fit(X, y)
    >>> mask_revival_gap_error(network, [network], X[:10], y[:10])
    0.0
    """
    unlearned = list_of_models(unlearned, "unlearned")
    retrained = list_of_models(retrained, "retrained")
    task = task_of([*unlearned, *retrained], y)

    def mean(models):
        found = [_revival(m, task, X, y, n_masks, random_state) for m in models]
        return np.mean([getattr(one, statistic) for one in found])

    return float(mean(unlearned) - mean(retrained))
