"""Forgetting through what holds other estimators: columns, unions and pipelines.

scikit-learn itself fits the whole on the retained rows, so that it selects columns,
routes metadata and joins outputs as ever. Only its parts are replaced: each is a
`Part`, which forgets by its rule where scikit-learn believes to fit it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import get_tags

from sklearn_unlearn.base._steps import (
    FitThrough,
    carry_over,
    fresh_step,
    is_estimator,
)
from sklearn_unlearn.base._tags import is_unlearner
from sklearn_unlearn.exact._rule import Outcome, Rule, find_rule
from sklearn_unlearn.rows._store import Rows

__all__ = [
    "Kept",
    "Later",
    "Part",
    "is_bitwise",
    "is_robust_to_rounding",
    "keeps_columns",
    "last_step_by_rule",
    "parts_in_line",
    "plain_steps",
    "settled",
]


class Kept(NamedTuple):
    """What a part keeps for the next request."""

    state: Any = None
    output: Any = None

    @classmethod
    def of(cls, fitted, store):
        """Make it from rows as the part sees them."""
        rule = find_rule(fitted)
        output = fitted.transform(store.rows().X) if rule.keeps_output else None
        return cls(rule.remember(fitted, store), output)


class Later:
    """Rows that are worked out when somebody reads them, and then once."""

    def __init__(self, work_out):
        self._work_out, self._rows = work_out, None

    @staticmethod
    def read(X):
        """Return rows, worked out if they are not yet."""
        if not isinstance(X, Later):
            return X
        if X._work_out is not None:
            X._rows, X._work_out = X._work_out(), None
        return X._rows


class Part:
    """Stand in for a fitted part while scikit-learn fits what holds it.

    It is an unfitted copy of the part in every respect but ``fit`` and
    ``fit_transform``, in which the part forgets; afterwards it is the result.

    Parameters
    ----------
    fitted : estimator instance
        The part, fitted before.
    kept : Kept
        What it has kept for this request.
    store : RowStore or RowView
        The retained rows as the part saw them when it was fitted.
    request : callable () -> Request
        Gives the request as the part saw its rows; called when it is fitted, as
        only then it is known whether the steps before have changed.
    in_line : bool, default=False
        Whether another part of a pipeline comes next, which can read rows later.
    plainly : bool, default=False
        Whether to fit again, to the last digit as a fit does.
    """

    def __init__(self, fitted, kept, store, request, in_line=False, plainly=False):
        fresh = fresh_step(fitted)
        self.__dict__.update(
            _fitted=fitted,
            _kept=kept or Kept(),
            _store=store,
            _request=request,
            _in_line=in_line,
            _plainly=plainly,
            _fresh=fresh,
            _now=fresh,
            _changed=True,
            _is_done=False,
        )

    def fit(self, X, y=None, **params):
        self._forget(X, y, params, transform=False)
        return self

    def fit_transform(self, X, y=None, **params):
        output = self._forget(X, y, params, transform=True)
        return output if self._in_line else Later.read(output)

    def __sklearn_clone__(self):
        return self

    def __sklearn_is_fitted__(self):
        return self._is_done

    def __getattr__(self, name):
        return getattr(self.__dict__["_now"], name)

    def __setattr__(self, name, value):
        setattr(self._fresh, name, value)  # callbacks, which are taken off again

    def __delattr__(self, name):
        delattr(self._fresh, name)

    def _forget(self, X, y, params, transform):
        """Forget; return what ``fit_transform`` gives on the retained rows."""
        before, kept, mine = self._fitted, self._kept, self.__dict__
        given = self._request()
        rule = find_rule(before)
        if params or self._plainly or (transform and rule.fit_transform_differs):
            output = _fit_plainly(self._fresh, Later.read(X), y, params, transform)
            outcome = Outcome(self._fresh, None, output)
        else:
            request = given.with_retained(lambda: Rows(Later.read(X), y, {}))
            outcome = rule.forget(before, kept.state, self._store, request)
        after, state, output = outcome
        same = rule.same_output(before, after)
        mine["_changed"] = changed = given.coordinates_changed or not same
        mine["_now"], mine["_is_done"] = after, True
        mine["_kept"] = Kept(state)
        if output is not None or not transform:
            return output
        if not rule.keeps_output:
            return Later(lambda: after.transform(Later.read(X)))
        output = kept.output
        if changed or output is None or not given.ordered:
            output = after.transform(Later.read(X))
        else:
            output = _without(output, given.mask)
        mine["_kept"] = Kept(state, output)
        return output.copy()  # the next part may write into it

    def result(self, n_forget):
        """Return the part as it is now."""
        carry_over(self._fitted, self._now, n_forget)
        return self._now


def _fit_plainly(estimator, X, y, params, transform):
    """Fit; return the training output if it is asked for."""
    if transform and hasattr(estimator, "fit_transform"):
        return estimator.fit_transform(X, y, **params)
    estimator.fit(X, y, **params)
    return estimator.transform(X) if transform else None


def _without(output, mask):
    """Return the rows of `output` that are not marked."""
    keep = np.flatnonzero(~mask)
    if sparse.issparse(output) or not hasattr(output, "iloc"):
        return output[keep]
    return output.iloc[keep].reset_index(drop=True)  # as kept rows are numbered


def parts_in_line(steps, state, store, request, plainly=None):
    """Return stand-ins for steps that follow one another.

    Parameters
    ----------
    steps : list of (str, estimator)
        Fitted transformers, None and "passthrough" among them.
    state : dict of str to Kept
        What each has kept.
    store : RowStore, RowView or None
    request : Request
        As the first step sees the rows.
    plainly : list of bool, default=None
        Which steps are fitted again as a fit does it; see `plain_steps`.

    Returns
    -------
    steps : list of (str, Part)
    store : RowStore, RowView or None
    request : callable () -> Request
        As whatever comes next sees the rows.
    """
    parts, seen = [], lambda: request
    plainly = plain_steps(steps) if plainly is None else plainly
    for (name, step), plain in zip(steps, plainly, strict=True):
        if not is_estimator(step):
            parts.append((name, step))
            continue
        part = Part(step, state.get(name), store, seen, True, plain)
        parts.append((name, part))
        if not hasattr(step, "transform"):
            break  # the last step, which predicts
        store = None if store is None else store.through(step.transform)
        seen = _request_behind(part, seen)
    return parts, store, seen


def _request_behind(part, seen):
    """Return a function that gives the request as the step behind a part sees it."""
    return lambda: seen().through(part._fitted.transform, part._changed)


def is_robust_to_rounding(step):
    """Whether rounding of its rows changes a step by rounding only."""
    if not is_estimator(step):
        return True
    rule = find_rule(step)
    if is_unlearner(step) and not hasattr(rule, "parts"):
        # approximate ones do not come to the same place anyway
        exact = get_tags(step).unlearner_tags.guarantee in ("exact", "exact_law")
        by_rule = getattr(step, "_forgets_by_rule", False)
        return not exact or (by_rule and is_robust_to_rounding(step.estimator))
    return rule.is_robust_to_rounding(step)


def is_bitwise(step):
    """Whether a step that has forgotten gives what a fit gives, to the last bit."""
    return not is_estimator(step) or find_rule(step).is_bitwise(step)


def plain_steps(steps):
    """Tell which steps must be fitted again, since what is behind is not stable."""
    plain, all_stable = [], True
    for _, step in reversed(steps):
        plain.append(not all_stable and not is_bitwise(step))
        all_stable = all_stable and is_robust_to_rounding(step)
    return plain[::-1]


def keeps_columns(step):
    """Whether each column of a transformer's output keeps its meaning."""
    if not is_estimator(step) or not get_tags(step).requires_fit:
        return True
    rule = find_rule(step)
    if hasattr(rule, "parts"):
        return all(keeps_columns(part) for _, part in rule.parts(step))
    return rule.keeps_columns


def settled(parts, n_forget):
    """Return named estimators in place of their stand-ins, and what these keep."""
    steps, state = [], {}
    for name, part in parts:
        if isinstance(part, Part):
            state[name] = part._kept
            part = part.result(n_forget)
        steps.append((name, part))
    return steps, state


@contextmanager
def last_step_by_rule(pipeline):
    """Let the last step of a pipeline be fitted by its rule meanwhile."""
    last = pipeline.steps[-1][1] if pipeline.steps else None
    rule = find_rule(last)
    if type(rule).fit is Rule.fit:
        yield
        return
    name = pipeline.steps[-1][0]
    stand_in = FitThrough(
        last, lambda X, y=None, **params: rule.fit(last, X, y, **params)
    )
    pipeline.steps = [*pipeline.steps[:-1], (name, stand_in)]
    try:
        yield
    finally:
        pipeline.steps = [*pipeline.steps[:-1], (name, last)]
