"""Rows that a model still predicts well when it has forgotten them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral, Real

import numpy as np
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.utils import check_random_state, column_or_1d, indexable
from sklearn.utils.parallel import Parallel, delayed

from sklearn_unlearn.model_selection.forget_sets._leave_one_out import Hat
from sklearn_unlearn.model_selection.forget_sets._taking import (
    N_FORGET,
    check_n_forget,
    take_first,
)
from sklearn_unlearn.model_selection.forget_sets._target import Target, fit_and_predict
from sklearn_unlearn.model_selection.forget_sets.projection import project_to_sum
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    StrOptions,
    _safe_indexing,
    validate_params,
)

__all__ = ["worst_case_forget_set"]

# that predict the rows which stay, each by a model without it
N_FOLDS = 5


@validate_params(
    {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_forget": N_FORGET,
        "n_outer": [Interval(Integral, 1, None, closed="left")],
        "step": [Interval(Real, 0, None, closed="neither")],
        "gamma": [Interval(Real, 0, None, closed="left")],
        "direction": [StrOptions({"hard", "easy"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=False,
)
def worst_case_forget_set(
    estimator,
    X,
    y,
    n_forget,
    *,
    n_outer=20,
    step=0.1,
    gamma=1e-4,
    direction="hard",
    n_jobs=None,
    random_state=None,
):
    """Search the rows that are hardest to erase.

    A model that never saw them predicts them best; see :ref:`forget_sets`.

    Parameters
    ----------
    estimator : estimator instance
        A classifier or regressor, which is cloned.
    X, y : array-like of shape (n_rows, n_features) and (n_rows,)
        Rows and targets.
    n_forget : int or float
        Number of rows to choose, or their share of all rows.
    n_outer : int, default=20
        Number of steps of the search.
    step, gamma : float
        Length of a step, for a row of mean loss, and weight of the squared norm.
    direction : {"hard", "easy"}, default="hard"
        Whether the loss of the rows, once forgotten, is to be low or high.
    n_jobs : int, default=None
        Number of fits at once, through joblib; it does not change the result.
    random_state : int, RandomState instance or None, default=None
        Source of folds and seeds, and of the choice between equal rows.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        The forget set.

    See Also
    --------
    make_forget_set : Forget sets by other plans.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.model_selection import worst_case_forget_set
    >>> X, y = load_iris(return_X_y=True)
    >>> forget = worst_case_forget_set(GaussianNB(), X, y, 10, random_state=0)
    >>> GaussianNB().fit(X[~forget], y[~forget]).score(X[forget], y[forget])
    1.0
    """
    X, y = indexable(X, y)
    number, rng = check_n_forget(n_forget, len(y)), check_random_state(random_state)
    held_out = _HeldOut(estimator, X, y, n_jobs, rng)
    sign = 1 if direction == "hard" else -1
    return _search(held_out, number, n_outer, step, gamma, sign, rng)


def _search(held_out, number, n_outer, step, gamma, sign, rng):
    """Return the rows with the lowest `sign` times loss, once they are forgotten.

    The choice of rows, 0 or 1, is relaxed to weights between that sum to their number.
    A step goes along the gradient as if the losses did not depend on the weights.
    """
    n_rows = len(held_out.folds)
    weights, forget = np.full(n_rows, number / n_rows), np.zeros(n_rows, dtype=bool)
    losses = held_out.losses(forget)
    unit, best, chosen = losses.mean() or 1.0, np.inf, forget
    for _ in range(n_outer):
        gradient = sign * losses / unit + 2 * gamma * weights
        weights = project_to_sum(weights - step * gradient, number)
        forget = take_first(weights, number, rng)
        losses = held_out.losses(forget)
        value = sign * losses[forget].mean()
        if value < best:
            best, chosen = value, forget
    return chosen


class _HeldOut:
    """Losses of all rows by models that did not see them, nor the forgotten ones."""

    def __init__(self, estimator, X, y, n_jobs, rng):
        self.target, self.n_jobs = Target.of(estimator, y), n_jobs
        seed, y = rng.randint(np.iinfo(np.int32).max), column_or_1d(y)
        self.data = estimator, X, y, seed, self.target.classes
        self.folds = rng.permutation(len(y)) % min(N_FOLDS, len(y))

    def losses(self, forget):
        """Return a loss per row when the rows that `forget` marks are forgotten."""
        linear = self._linear_losses(forget)
        if linear is not None:
            return linear
        parts = [(~forget, forget)] if forget.any() else []
        for fold in range(self.folds.max() + 1):
            here = self.folds == fold
            parts.append((~forget & ~here, ~forget & here))
        parts = [(np.flatnonzero(i), np.flatnonzero(o)) for i, o in parts if o.any()]
        predictions = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_and_predict)(*self.data, *part) for part in parts
        )
        losses = np.empty(len(forget))
        for (_, rows), values in zip(parts, predictions, strict=True):
            losses[rows] = self.target.take(rows).loss(values)
        return losses

    def _linear_losses(self, forget):
        """Return the losses of a linear regression, or None if it is none."""
        estimator, X, y, seed, _ = self.data
        if type(estimator) not in (LinearRegression, Ridge):
            return None
        retain = np.flatnonzero(~forget)
        hat = Hat.of(estimator, _safe_indexing(X, retain))
        if hat is None or not (hat.leverage < 1 - 1e-8).all():
            return None
        every = np.arange(len(forget))
        losses = self.target.loss(
            fit_and_predict(estimator, X, y, seed, None, retain, every)
        )
        losses[retain] /= (1 - hat.leverage) ** 2
        return losses
