"""How the last step of a pipeline forgets: an unlearner in its own way.

An unlearner that keeps its model is taken to the coordinates of the updated steps
before: an affine map, found on the retained rows, leads from the new ones to the old.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.base._single_class import single_class
from sklearn_unlearn.base._steps import forget_within, shallow_copy
from sklearn_unlearn.base._tags import is_unlearner
from sklearn_unlearn.exact._coordinates import affine_map, coordinate_change, dense
from sklearn_unlearn.exact._feature_names import with_features_of
from sklearn_unlearn.exact._steps import ForgettingStep, LazyRows, StepState
from sklearn_unlearn.exceptions import PipelineRetrainWarning
from sklearn_unlearn.rows._layouts import select_rows
from sklearn_unlearn.rows._request import Request
from sklearn_unlearn.utils._sklearn_compat import _num_samples
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["LastStep"]

# Share of the old coordinates that the new ones may fail to explain.
LARGEST_RESIDUAL = 0.1
# Retained rows that determine the map.
MOST_ROWS = 20_000


class LastStep(ForgettingStep):
    """The last step of a pipeline that was asked to forget.

    Parameters
    ----------
    *args, **params : see `ForgettingStep`
    asked : Request
        As the pipeline was asked, rows with their arguments of ``fit``.
    is_fitted : bool
        False if the step could not be fitted before, because of a single class.

    Attributes
    ----------
    single_class : object
        The label that is left, if the step cannot be fitted for want of another.
    """

    def __init__(self, *args, asked, is_fitted, refit, **params):
        super().__init__(*args, refit=refit or not is_fitted, **params)
        self.asked, self.single_class = asked, None

    def forget(self, X, y, params, transform):
        if is_unlearner(self.fitted):
            X = LazyRows.read(X)
            new = self._unlearn(X, y, params)
            self.after = with_features_of(X, new, self.fitted)
            return self.after, None
        try:
            return super().forget(X, y, params, transform)
        except ValueError:
            # a classifier that cannot be fitted on one class: predict that class
            self.single_class = single_class(self.fitted, y)
            if self.single_class is None:
                raise
            self.state = StepState()  # the old one knows the forgotten rows
            return self.template, None

    def _unlearn(self, X, y, params):
        """Return the unlearner without the rows, given the retained ones."""
        old, asked = self.fitted, self.asked
        new, inner_params = shallow_copy(old), old._inner_params(params)
        steps = self._steps_before()
        keeps_model = old._unlearner_tags().guarantee in ("approximate", "certified")
        if keeps_model and not change_coordinates(new, steps, asked.retain.X):
            new._fit_again(X, y, inner_params)
            return new

        def forget():
            rows, prefix = asked.forget, f"{self.name}__"
            given = {n.removeprefix(prefix): v for n, v in rows.params.items()}
            own = {n: v for n, v in given.items() if n in params}
            Xt = forgotten_rows_behind(steps, asked)
            return rows._replace(X=Xt, params=old._inner_params(own))

        retain = asked.retain._replace(X=X, y=y, params={})
        request = Request(asked.mask, forget, lambda: retain, ordered=asked.ordered)
        forget_within(new, request, inner_params)
        return new

    def _steps_before(self):
        """Return name, estimator before and estimator after of each earlier step."""
        steps, step = [], self.previous
        while step is not None:
            steps.append((step.name, step.fitted, step.after))
            step = step.previous
        return steps[::-1]


def change_coordinates(last, steps, X):
    """Take an unlearner that keeps its model to the coordinates of updated steps.

    Parameters
    ----------
    last : UnlearnerMixin
        A copy, which is changed.
    steps : list of (str, transformer, transformer)
        Name of each earlier step, and what it is before and after the request.
    X : array-like
        Retained rows as the pipeline was given them.

    Returns
    -------
    bool
        False if `last` must be fitted again; a warning says why.
    """
    if not steps:
        return True
    X = _sample(X)
    old = new = X
    for _, before, after in steps:
        old, new = before.transform(old), after.transform(new)
    A, b, residual = coordinate_change(new, old)
    if A is None:
        return True
    if residual > LARGEST_RESIDUAL:
        name = _first_step(steps, X, lambda A, residual: residual > LARGEST_RESIDUAL)
        reason = (
            f"after {name} has forgotten, no affine map leads to the old coordinates"
        )
    elif not last._change_coordinates(A, b):
        name = _first_step(steps, X, lambda A, residual: A is not None)
        reason = (
            f"{name} has changed, and the model has no first linear layer that could "
            "take the change in"
        )
    else:
        return True
    warn_user(
        f"The last step is fitted again on the retained rows: {reason}.",
        PipelineRetrainWarning,
    )
    return False


def forgotten_rows_behind(steps, request):
    """Return the rows to forget as the updated steps give them to the last one.

    They may hold a category that no retained row has, which an updated encoder
    refuses. Then the map that takes the retained rows from the old to the new
    coordinates takes them along.

    Parameters
    ----------
    steps : list of (str, transformer, transformer)
        See `change_coordinates`.
    request : Request
        With rows as the pipeline was given them.
    """

    def transformed(X, updated):
        for _, before, after in steps:
            X = (after if updated else before).transform(X)
        return X

    X = request.forget.X
    try:
        return transformed(X, True)
    except ValueError:
        kept = _sample(request.retain.X)
        new = transformed(kept, True)
        A, b = affine_map(transformed(kept, False), new)
        mapped = dense(transformed(X, False)) @ A + b
        named = hasattr(new, "columns")
        return type(new)(mapped, columns=new.columns) if named else mapped


def _sample(X):
    """Return at most `MOST_ROWS` rows, evenly spread."""
    return select_rows(X, np.arange(0, n := _num_samples(X), -(-n // MOST_ROWS)))


def _first_step(steps, X, test):
    """Return the first step behind which the change of coordinates passes a test."""
    old = new = X
    for name, before, after in steps:
        old, new = before.transform(old), after.transform(new)
        try:
            A, _, residual = coordinate_change(new, old)
        except ValueError:  # words, which have no coordinates yet
            continue
        if test(A, residual):
            return name
    return steps[-1][0]
