"""Predictions of models, each fitted on a random part of the rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state, column_or_1d, indexable
from sklearn.utils.parallel import Parallel, delayed

from sklearn_unlearn.model_selection.forget_sets._taking import check_groups
from sklearn_unlearn.model_selection.forget_sets._target import Target, fit_and_predict
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    RealNotInt,
    validate_params,
)

__all__ = ["SubsetPredictions", "subset_predictions"]

MAX = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class SubsetPredictions:
    """Predictions of several models, and which rows each of them was fitted on.

    What memorization, influence and membership attacks by reference models are
    computed from: rows are compared between the models that saw them and the others.

    Parameters
    ----------
    membership : ndarray of bool, shape (n_models, n_rows)
        Whether a model was fitted on a row.
    predictions : ndarray of shape (n_models, n_rows) or \
            (n_models, n_rows, n_classes)
        Predictions of each model for all rows: numbers, in the units of the target,
        or probabilities. A classifier without ``predict_proba`` gives its label the
        probability 1.
    classes : ndarray of shape (n_classes,) or None
        Labels in the order of the columns; None for numbers.

    See Also
    --------
    subset_predictions : Fits the models.
    forget_set_difficulty : Takes them for ``predictions``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.model_selection import subset_predictions
    >>> X, y = load_iris(return_X_y=True)
    >>> models = subset_predictions(GaussianNB(), X, y, n_fits=30, random_state=0)
    >>> models.membership.shape, models.predictions.shape
    ((30, 150), (30, 150, 3))
    """

    membership: np.ndarray
    predictions: np.ndarray
    classes: np.ndarray | None = None


@validate_params(
    {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_fits": [Interval(Integral, 2, None, closed="left")],
        "train_size": [Interval(RealNotInt, 0, 1, closed="neither")],
        "groups": ["array-like", None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=False,
)
def subset_predictions(
    estimator,
    X,
    y,
    *,
    n_fits=50,
    train_size=0.7,
    groups=None,
    n_jobs=None,
    random_state=None,
):
    """Fit models on random parts of the rows, and predict all rows by each.

    Parameters
    ----------
    estimator : estimator instance
        A classifier or regressor. It is cloned, with seeds drawn from `random_state`.
    X, y : array-like of shape (n_rows, n_features) and (n_rows,)
        Rows and targets.
    n_fits : int, default=50
        Number of models.
    train_size : float, default=0.7
        Share of the rows, or of the groups, that each model is fitted on.
    groups : array-like of shape (n_rows,), default=None
        Ids of persons, say. All rows of an id are in or out together.
    n_jobs : int, default=None
        Number of fits at once, through joblib; it does not change the result.
    random_state : int, RandomState instance or None, default=None
        Source of the parts of the rows and of the seeds.

    Returns
    -------
    SubsetPredictions
        Predictions, and which rows each model saw.

    See Also
    --------
    forget_set_difficulty : What the predictions tell about rows.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_unlearn.model_selection import subset_predictions
    >>> X, y = load_diabetes(return_X_y=True)
    >>> subset_predictions(Ridge(), X, y, n_fits=2).membership.sum(axis=1)
    array([309, 309])
    """
    X, y = indexable(X, y)
    target, y = Target.of(estimator, y), column_or_1d(y)
    rng, every = check_random_state(random_state), np.arange(len(y))
    units = every if groups is None else check_groups(groups, len(y))
    membership = _draw_parts(units, n_fits, train_size, rng)
    predictions = Parallel(n_jobs=n_jobs)(
        delayed(fit_and_predict)(
            estimator, X, y, seed, target.classes, np.flatnonzero(rows), every
        )
        for seed, rows in zip(rng.randint(MAX, size=n_fits), membership, strict=True)
    )
    return SubsetPredictions(membership, np.array(predictions), target.classes)


def _draw_parts(units, n_fits, train_size, rng):
    """Return which rows are in each part, by the unit that each row belongs to."""
    labels, units = np.unique(units, return_inverse=True)
    n_units = len(labels)
    if n_units < 2:
        raise ValueError(
            "groups must have at least two different ids: the models are to differ in "
            "what they saw."
        )
    n_in = min(max(1, round(train_size * n_units)), n_units - 1)
    parts = np.array([rng.permutation(n_units) < n_in for _ in range(n_fits)])
    return parts[:, units]
