"""Models to compare with: retrained ones, originals, and shadow models."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, check_memory

from sklearn_unlearn.audit._answers import Task
from sklearn_unlearn.audit._request import check_forget, check_persons
from sklearn_unlearn.audit._training import fit_copies, refuse_frozen
from sklearn_unlearn.utils._sklearn_compat import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    _fit_context,
    _num_samples,
    begin_callbacks,
    end_callbacks,
    task_within,
)

__all__ = ["ReferenceEnsemble"]


class ReferenceEnsemble(CallbackSupportMixin, BaseEstimator):
    """Models retrained without some rows, and others that attacks need.

    Networks of this package whose training does not end by itself are trained as one
    batch, all other estimators by joblib. Callbacks such as scikit-learn's
    ``ProgressBar`` hear of the three kinds of models.

    Parameters
    ----------
    estimator : estimator instance
        Unfitted: an unlearner, or any estimator of scikit-learn. It is cloned, and each
        clone has a seed of its own.
    n_references : int, default=19
        Number of models fitted on the retained rows. A single model is compared at a
        level of .05 with 19 of them.
    n_originals : int, default=0
        Number of models fitted on all rows.
    n_shadows : int, default=0
        Number of models fitted on random subsets of all rows; each row is in half of
        the models.
    memory : str or joblib.Memory, default=None
        Where fitted models are kept, to be found again by a later fit with the same
        arguments. They know the rows: nothing is written by default.
    n_jobs : int, default=None
        Processes, where models cannot be trained as one batch.
    random_state : int, RandomState instance or None, default=None
        Source of the seeds of the models.

    Attributes
    ----------
    retrained_ : list of estimator
        Fitted on the retained rows.
    originals_ : list of estimator
        Fitted on all rows.
    shadows_ : list of estimator
        Fitted on subsets.
    shadow_membership_ : ndarray of bool of shape (n_shadows, n_rows)
        Which rows each of the shadow models was fitted on.

    See Also
    --------
    audit_unlearning : Takes `retrained_` as ``references``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklearn_unlearn.audit import ReferenceEnsemble
    >>> X, y = load_iris(return_X_y=True)
    >>> forget = np.arange(150) < 10
    >>> tree = DecisionTreeClassifier(max_features=1)
    >>> ensemble = ReferenceEnsemble(tree, n_references=5, n_shadows=4, random_state=0)
    >>> ensemble = ensemble.fit(X, y, forget=forget)
    >>> ensemble.signals(X[forget], y[forget]).shape
    (5, 10)
    >>> ensemble.shadow_membership_.sum(axis=0).tolist() == [2] * 150
    True
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_references": [Interval(Integral, 1, None, closed="left")],
        "n_originals": [Interval(Integral, 0, None, closed="left")],
        "n_shadows": [Interval(Integral, 0, None, closed="left")],
        "memory": [str, HasMethods(["cache"]), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        n_references=19,
        *,
        n_originals=0,
        n_shadows=0,
        memory=None,
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.n_references = n_references
        self.n_originals = n_originals
        self.n_shadows = n_shadows
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, forget, groups=None):
        """Fit all models.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows, those to be forgotten included.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Targets.
        forget : array-like of bool of shape (n_rows,)
            Rows that the retrained models are fitted without.
        groups : array-like of shape (n_rows,), default=None
            Person of each row: shadow models have all rows of a person or none.

        Returns
        -------
        self : object
            The fitted ensemble.
        """
        refuse_frozen(self.estimator)
        n_rows = _num_samples(X)
        forget = check_forget(forget, n_rows)
        persons = check_persons(groups, n_rows)
        rng = check_random_state(self.random_state)
        fit = check_memory(self.memory).cache(fit_copies, ignore=["n_jobs"])
        context = begin_callbacks(self, 3, X, y)

        def models(rows):
            seeds = rng.randint(np.iinfo(np.int32).max, size=len(rows)).tolist()
            if not rows:
                return []
            with task_within(context, self, "models", X, y):
                return fit(
                    self.estimator, X, y, seeds=seeds, rows=rows, n_jobs=self.n_jobs
                )

        self._task = Task(self.estimator, y)
        self.retrained_ = models([np.flatnonzero(~forget)] * self.n_references)
        self.originals_ = models([np.arange(n_rows)] * self.n_originals)
        self.shadow_membership_ = _halves(self.n_shadows, n_rows, persons, rng)
        self.shadows_ = models([np.flatnonzero(own) for own in self.shadow_membership_])
        end_callbacks(context, self, X, y, dict)
        return self

    def signals(self, X, y, which="retrained"):
        """Return what models say of rows, as attacks and audits compare it.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Their targets.
        which : {"retrained", "originals", "shadows"}, default="retrained"
            Which models are asked.

        Returns
        -------
        ndarray of shape (n_models, n_rows)
            Margins of the labels, or predictions of numbers.
        """
        check_is_fitted(self)
        kinds = ("retrained", "originals", "shadows")
        if which not in kinds:
            raise ValueError(f"which must be one of {kinds}; got {which!r}.")
        models = getattr(self, f"{which}_")
        if not models:
            raise ValueError(f"No {which} were fitted: set n_{which} before fit.")
        answers = np.stack([self._task.answers(model, X) for model in models])
        return self._task.signals(answers, np.asarray(y))


def _halves(n_shadows, n_rows, persons, rng):
    """Return who is in which of the subsets: each row, or person, in half of them."""
    person = np.arange(n_rows) if persons is None else persons
    n_persons = int(person.max()) + 1
    order = np.argsort(rng.random_sample((n_shadows, n_persons)), axis=0)
    return (order < n_shadows // 2)[:, person]
