"""What is audited: a way to fit, to forget, and to forget what was never seen."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from sklearn_unlearn.audit._training import fit_copies, last_step, take
from sklearn_unlearn.base import BaseUnlearner, is_unlearner

__all__ = ["Procedure", "seed_unlearning"]


class Procedure:
    """An unlearner, the rows that it is fitted on, and the rows that it shall forget.

    Parameters
    ----------
    estimator : estimator instance
        An unlearner, or a pipeline that ends in one; unfitted.
    X, y : rows and targets
    forget : ndarray of bool of shape (n_rows,)
    groups : ndarray of shape (n_rows,), default=None
        Ids.
    n_jobs : int, default=None
    """

    def __init__(self, estimator, X, y, forget, groups=None, n_jobs=None):
        self.estimator, self.X, self.y = estimator, X, y
        self.forgotten, self.retained = np.flatnonzero(forget), np.flatnonzero(~forget)
        self.groups, self.n_jobs = groups, n_jobs
        self.guarantee = get_tags(estimator).unlearner_tags.guarantee

    def originals(self, seeds):
        """Return models fitted on all rows."""
        return fit_copies(
            self.estimator,
            self.X,
            self.y,
            seeds=seeds,
            groups=self.groups,
            n_jobs=self.n_jobs,
            keep_rows=True,
        )

    def retrained(self, seeds):
        """Return models fitted on the retained rows alone."""
        return fit_copies(
            self.estimator,
            self.X,
            self.y,
            seeds=seeds,
            rows=[self.retained] * len(seeds),
            groups=self.groups,
            n_jobs=self.n_jobs,
        )

    def unlearned(self, original, seed):
        """Return a model after it has forgotten the rows."""
        model = copy.copy(original)
        seed_unlearning(model, seed)
        if self.groups is not None:
            return model.unlearn(groups=np.unique(self.groups[self.forgotten]))
        return model.unlearn(take(self.X, self.forgotten), take(self.y, self.forgotten))

    @property
    def has_placebo(self):
        """Whether what forgets can be started from a model that never saw the rows."""
        step = last_step(self.estimator)
        nested = isinstance(self.estimator, Pipeline) and self.estimator[-1] is not step
        edits = isinstance(step, BaseUnlearner) and is_unlearner(step) and not nested
        return self.guarantee == "approximate" and edits and self._keeps_classes()

    def _keeps_classes(self):
        """Tell whether the retained rows have all classes."""
        if not is_classifier(self.estimator) or np.ndim(self.y) > 1:
            return True
        forgotten = np.unique(take(self.y, self.forgotten))
        return bool(np.isin(forgotten, take(self.y, self.retained)).all())

    def placebo(self, retrained, seed):
        """Let a retrained model go through what an original does when it forgets.

        Exact steps before the last one have nothing to forget, and stay.
        """
        X, before = self.X, None
        step = last_step(retrained)
        if isinstance(retrained, Pipeline):
            before = retrained[:-1]
            X = before.transform(X) if len(before) else X
        model = clone(last_step(self.estimator))
        # references may come without the unlearner around them
        network = getattr(step, "estimator_", step)
        # a model that tells of no rows: it takes these for its own
        model.set_params(estimator=FrozenEstimator(network.export()))
        seed_unlearning(model, seed)
        model.fit(X, self.y)
        model.unlearn(take(X, self.forgotten), take(self.y, self.forgotten))
        return model if before is None else _Behind(before, model)


class _Behind:
    """A model behind fitted steps that transform its rows."""

    def __init__(self, before, model):
        self.before, self.model = before, model

    def __getattr__(self, name):
        if name.startswith("predict") or name == "decision_function":
            method = getattr(self.model, name)
            return lambda X: method(self._transformed(X))
        return getattr(self.model, name)

    def _transformed(self, X):
        return self.before.transform(X) if len(self.before) else X


def seed_unlearning(model, seed):
    """Give what forgets a seed of its own, unless its fit depends on it."""
    step = last_step(model)
    of_fit = getattr(step, "_parameters_of_fit", None)
    if of_fit is None or not isinstance(step, BaseUnlearner):
        return
    if "random_state" in step.get_params(deep=False):
        names = of_fit()
        if names is not None and "random_state" not in names:
            step.set_params(random_state=int(seed))
