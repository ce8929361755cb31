"""A score for searches over the settings of an unlearner: closeness to retraining."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_unlearn.audit._answers import Task
from sklearn_unlearn.audit._measures import distances_to_mean
from sklearn_unlearn.audit._reference_ensemble import ReferenceEnsemble
from sklearn_unlearn.audit._request import check_forget, check_persons
from sklearn_unlearn.audit._training import last_step, take
from sklearn_unlearn.utils._sklearn_compat import _num_samples

__all__ = ["gap_to_retrain_scorer"]


def gap_to_retrain_scorer(
    X, y, forget, groups=None, *, estimator=None, n_references=5, random_state=0
):
    """Make a scorer that is the greater, the closer a model is to retrained ones.

    Searches with the usual scorers prefer an unlearner that knows the forgotten labels.
    This one compares answers for the forgotten rows, and for the test part of a split,
    with those of models retrained without the forgotten rows.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        All rows that the search is given.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Their targets.
    forget : array-like of bool of shape (n_rows,)
        Which rows are forgotten. Best those of a surrogate request: see
        :class:`~sklearn_unlearn.model_selection.SurrogateRequests`.
    groups : array-like of shape (n_rows,), default=None
        Person of each row: each counts once.
    estimator : estimator instance, default=None
        Unfitted network, or pipeline, that is retrained. By default it is taken from
        the first model that is scored; a search with ``n_jobs`` should be given it,
        or else each process retrains on its own.
    n_references : int, default=5
        Number of retrained models.
    random_state : int, RandomState instance or None, default=0
        Of their seeds.

    Returns
    -------
    callable (estimator, X, y) -> float
        Minus the sum of two means: over the forgotten rows, and over the test part, of
        the Kullback-Leibler divergence from the mean of the retrained models in nats,
        or of the squared difference to it in variances of the target. A perfect
        unlearner gets what one more retrained model gets, a little below 0.

    Raises
    ------
    ValueError
        When it scores: if the split leaves forgotten rows out of the training part, or
        the search fits the network again.

    See Also
    --------
    sklearn_unlearn.model_selection.ForgetAwareSplit : The splits that it needs.

    Notes
    -----
    The network is fitted once, and frozen: were it part of the search, one that learns
    nothing would have the smallest gap.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_unlearn.audit import gap_to_retrain_scorer
    >>> from sklearn_unlearn.model_selection import ForgetAwareSplit
    >>> from sklearn_unlearn.neural_network import DropoutClassifier
    >>> from sklearn_unlearn.unlearning import NPO
    >>> X, y = load_iris(return_X_y=True)
    >>> forget = np.arange(150) % 10 == 0
    >>> network = DropoutClassifier(
    ...     (8,), max_iter=20, n_iter_no_change=20, random_state=0
    ... )
    >>> search = GridSearchCV(
    ...     NPO(FrozenEstimator(network.fit(X, y).export()), random_state=0),
    ...     {"n_epochs": [1, 4]},
    ...     scoring=gap_to_retrain_scorer(X, y, forget),
    ...     cv=ForgetAwareSplit(forget, cv=2),
    ... )
    >>> search.fit(X, y, forget=forget).best_params_["n_epochs"] in (1, 4)
    True
    """
    return _GapToRetrain(X, y, forget, groups, estimator, n_references, random_state)


class _GapToRetrain:
    """The scorer; it keeps rows and retrained models."""

    def __init__(self, X, y, forget, groups, estimator, n_references, random_state):
        n_rows = _num_samples(X)
        self._X, self._y = X, np.asarray(y)
        self._forget = check_forget(forget, n_rows)
        self._persons = check_persons(groups, n_rows)
        self._n_references, self._random_state = n_references, random_state
        self._retrained = None
        if estimator is not None:
            self._retrain(estimator)

    def __call__(self, estimator, X, y=None):
        self._check(estimator)
        if self._retrained is None:
            self._retrain(_unfitted(estimator))
        forgotten = np.flatnonzero(self._forget)
        gap = self._gap(estimator, take(self._X, forgotten))
        if self._persons is not None:
            _, person, sizes = np.unique(
                self._persons[forgotten], return_inverse=True, return_counts=True
            )
            gap = gap / sizes[person] * len(forgotten) / len(sizes)
        return -float(gap.mean() + self._gap(estimator, X).mean())

    def _retrain(self, estimator):
        ensemble = ReferenceEnsemble(
            estimator, self._n_references, random_state=self._random_state
        )
        ensemble.fit(self._X, self._y, forget=self._forget)
        self._task = Task(estimator, self._y)
        self._retrained = ensemble.retrained_

    def _check(self, estimator):
        """Raise unless a model has forgotten all rows, and was not fitted again."""
        n_forget = int(self._forget.sum())
        if getattr(estimator, "n_forgotten_", None) != n_forget:
            raise ValueError(
                f"The model has forgotten {getattr(estimator, 'n_forgotten_', 0)} of "
                f"the {n_forget} rows: the split, or the call of fit, lacks some. Pass "
                "cv=ForgetAwareSplit(forget), and forget=forget to fit of the search."
            )
        if not isinstance(
            getattr(last_step(estimator), "estimator", None), FrozenEstimator
        ):
            raise ValueError(
                "The unlearner must hold a fitted network in a FrozenEstimator: tune "
                "the network first, without the rows to forget, and fit it once."
            )

    def _gap(self, estimator, X):
        """Return the distance of a model to the retrained ones, per row."""
        answers = np.stack([self._task.answers(m, X) for m in self._retrained])
        own = self._task.answers(estimator, X)[np.newaxis]
        if self._task.is_classifier:
            return distances_to_mean(self._task, own, answers)[0]
        spread = np.maximum(self._y.reshape(len(self._y), -1).var(axis=0), 1e-300)
        return ((own[0] - answers.mean(axis=0)) ** 2 / spread).mean(axis=1)


def _unfitted(estimator):
    """Return the unfitted network, behind the steps before it."""
    frozen = last_step(estimator).estimator
    network = clone(frozen.estimator)
    if last_step(estimator) is estimator:
        return network
    new = clone(estimator)
    new.steps[-1] = (new.steps[-1][0], network)
    return new
