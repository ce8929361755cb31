"""How hard each row is to forget."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state, column_or_1d, indexable
from sklearn.utils.parallel import Parallel, delayed

from sklearn_unlearn.model_selection.forget_sets._leave_one_out import (
    Hat,
    influence_left_out,
    misfits_left_out,
)
from sklearn_unlearn.model_selection.forget_sets._subsets import (
    SubsetPredictions,
    subset_predictions,
)
from sklearn_unlearn.model_selection.forget_sets._target import Target, fit_and_predict
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    StrOptions,
    validate_params,
)

__all__ = ["forget_set_difficulty"]

LEAVE_ONE_OUT = "leave_one_out"
METHODS = {"memorization", "influence", "el2n", "leverage", "loss"}


@validate_params(
    {
        "estimator": [HasMethods(["fit", "predict"])],
        "method": [StrOptions(METHODS)],
        "n_fits": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({LEAVE_ONE_OUT}),
            None,
        ],
        "predictions": [SubsetPredictions, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=False,
)
def forget_set_difficulty(
    estimator,
    X,
    y,
    *,
    method="memorization",
    n_fits=None,
    predictions=None,
    n_jobs=None,
    random_state=None,
):
    """Score how much the fitted model depends on each row.

    What the methods measure is told in the :ref:`user guide <forget_sets>`.

    Parameters
    ----------
    estimator : estimator instance
        A classifier or regressor. It is cloned, with seeds drawn from `random_state`.
    X, y : array-like of shape (n_rows, n_features) and (n_rows,)
        Rows and targets.
    method : {"memorization", "influence", "el2n", "leverage", "loss"}, \
            default="memorization"
        What is measured.
    n_fits : int, "leave_one_out" or None, default=None
        Models, by default 50 on random parts of the rows, or 10 for ``"el2n"``.
        ``"leave_one_out"``: a closed form, or as many as there are rows.
    predictions : SubsetPredictions, default=None
        What :func:`subset_predictions` returned for these rows, instead of new fits.
    n_jobs : int, default=None
        Number of fits at once, through joblib; it does not change the result.
    random_state : int, RandomState instance or None, default=None
        Source of the parts of the rows and of the seeds.

    Returns
    -------
    ndarray of shape (n_rows,)
        Scores; the higher, the more depends on the row.

    See Also
    --------
    make_forget_set : Chooses rows by these scores.
    forget_set_spectrum : Sets of easy, middling and hard rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn_unlearn.model_selection import forget_set_difficulty
    >>> X = np.arange(6.0)[:, None] ** 1.1
    >>> y = np.array([0, 0, 1, 0, 0, 0])  # the third label is wrong
    >>> model = KNeighborsClassifier(n_neighbors=1)
    >>> forget_set_difficulty(model, X, y, n_fits="leave_one_out")
    array([0., 0., 1., 1., 0., 0.])
    """
    X, y = indexable(X, y)
    scores = _Scores(estimator, X, y, n_fits, predictions, n_jobs, random_state)
    return getattr(scores, method)()


class _Scores:
    """The methods, one function each."""

    def __init__(self, estimator, X, y, n_fits, predictions, n_jobs, random_state):
        self.estimator, self.X, self.y = estimator, X, column_or_1d(y)
        self.target = Target.of(estimator, y)
        self.n_fits, self.predictions, self.n_jobs = n_fits, predictions, n_jobs
        self.rng = check_random_state(random_state)

    def memorization(self):
        """Return by how much models that saw a row predict it better."""
        if self._leaves_one_out():
            inside, outside = misfits_left_out(*self._fit_left_out())
            return outside - inside
        models = self._models()
        misfits, seen = self.target.misfit(models.predictions), models.membership
        inside = np.mean(misfits, axis=0, where=seen)
        return np.mean(misfits, axis=0, where=~seen) - inside

    def influence(self):
        """Return how far apart the mean predictions with and without each row are.

        All is said by the products of the models' predictions with one another, a
        matrix of a row per model, whatever the number of rows.
        """
        if self._leaves_one_out():
            return influence_left_out(*self._fit_left_out())
        models = self._models()
        n_models, n_rows = models.membership.shape
        flat = models.predictions.reshape(n_models, -1)
        flat = flat - flat.mean(axis=0)
        products = flat @ flat.T
        sides = [models.membership.astype(float), (~models.membership).astype(float)]
        counts = [side.sum(axis=0) for side in sides]
        means = [side / count for side, count in zip(sides, counts, strict=True)]
        apart = _quadratic(products, means[0] - means[1])
        if n_models > 2:  # else there is no spread to take off
            spread = sum(
                np.diag(products) @ side - count * _quadratic(products, mean)
                for side, count, mean in zip(sides, counts, means, strict=True)
            )
            apart -= spread / (n_models - 2) * (1 / counts[0] + 1 / counts[1])
        return apart / self.target.variance / n_rows

    def el2n(self):
        """Return the mean distance of the predictions to the targets."""
        return self._mean_over_fits(self.target.error_norm, 10)

    def loss(self):
        """Return the loss of a model, or the mean loss of several."""
        return self._mean_over_fits(self.target.loss, 1)

    def leverage(self):
        """Return the diagonal of the hat matrix."""
        hat = Hat.of(self.estimator, self.X)
        if hat is None:
            raise ValueError(
                'method="leverage" is for LinearRegression and Ridge with '
                f'positive=False; got {self.estimator!r}. Use method="influence".'
            )
        return hat.leverage

    def _leaves_one_out(self):
        return self.n_fits == LEAVE_ONE_OUT and self.predictions is None

    def _fit_left_out(self):
        seed = self.rng.randint(np.iinfo(np.int32).max)
        return self.estimator, self.X, self.y, self.target, seed, self.n_jobs

    def _models(self):
        """Return predictions of models that differ in what they saw."""
        models = self.predictions
        if models is None:
            models = subset_predictions(
                self.estimator,
                self.X,
                self.y,
                n_fits=self.n_fits or 50,
                n_jobs=self.n_jobs,
                random_state=self.rng,
            )
        _check_membership(models.membership, len(self.y))
        return models

    def _mean_over_fits(self, measure, default):
        """Return the mean of a measure over models of all rows."""
        if self.n_fits == LEAVE_ONE_OUT:
            raise ValueError(
                f'n_fits="{LEAVE_ONE_OUT}" is for "memorization" and "influence": the '
                "other methods fit on all rows. Give a number, or None."
            )
        seeds = self.rng.randint(np.iinfo(np.int32).max, size=self.n_fits or default)
        every, classes = np.arange(len(self.y)), self.target.classes
        predictions = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_and_predict)(
                self.estimator, self.X, self.y, seed, classes, every, every
            )
            for seed in seeds
        )
        return np.mean([measure(values) for values in predictions], axis=0)


def _check_membership(membership, n_rows):
    if membership.shape[1] != n_rows:
        raise ValueError(
            f"predictions are for {membership.shape[1]} rows, but X has {n_rows}."
        )
    n_in = membership.sum(axis=0)
    n_bad = int(((n_in == 0) | (n_in == len(membership))).sum())
    if n_bad:
        raise ValueError(
            f"{n_bad} rows were seen by all {len(membership)} models or by none, so "
            "that nothing can be said about them. Raise n_fits."
        )


def _quadratic(products, weights):
    """Return the squared length of each weighted sum of predictions."""
    return np.einsum("mi,mi->i", weights, products @ weights)
