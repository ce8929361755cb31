"""How the steps of a pipeline forget, one after another."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn import pipeline

from sklearn_unlearn.base._single_class import single_class
from sklearn_unlearn.base._steps import (
    FitThrough,
    carry_over,
    fresh_step,
    is_estimator,
    shallow_copy,
)
from sklearn_unlearn.base._tags import is_unlearner
from sklearn_unlearn.exact import Rule, find_rule
from sklearn_unlearn.exact._steps import (
    Kept,
    Later,
    keeps_columns,
    parts_in_line,
    plain_steps,
    settled,
)
from sklearn_unlearn.pipeline._coordinates import affine_map
from sklearn_unlearn.pipeline._moving import move_last, take_along
from sklearn_unlearn.rows._request import Request
from sklearn_unlearn.rows._store import Rows
from sklearn_unlearn.utils._sklearn_compat import _num_samples, _safe_indexing

__all__ = ["StepsForget"]

# Rows by which the last step is moved to new coordinates before it is fitted again.
N_SAMPLE = 500


class StepsForget:
    """Fit the steps of a pipeline on the retained rows, from what they are now.

    Parameters
    ----------
    steps : list of (str, estimator)
        Fitted.
    memory : dict of str to Kept
        What each step has kept for this request.
    store : RowStore or None
        The retained rows as the pipeline was given them.
    request : Request
        The request, its rows likewise.
    transform_input : list of str or None
        As for the pipeline.

    Attributes
    ----------
    steps : list of (str, estimator)
        Without the forgotten rows, once `run` has returned.
    memory : dict of str to Kept
        What each step keeps for the next request.
    single_class : object
        Label of the last step, if it cannot be fitted since no other is left.
    """

    def __init__(self, steps, memory, store, request, transform_input=None):
        self.before = steps
        self.request = request
        self.single_class = None
        self._old_memory, self._store = memory, store
        self._transform_input = transform_input

    def run(self, params):
        """Forget; `params` are the arguments of ``fit`` of the pipeline."""
        *earlier, (name, last) = self.before
        # arguments per row are routed by scikit-learn: steps see rows without them
        bare = None if self._store is None else self._store.without_params()
        bare_request = self.request.without_params()
        parts, self._store, at_last = parts_in_line(
            earlier, self._old_memory, bare, bare_request, plain_steps(self.before)[:-1]
        )
        fresh = fresh_step(last)
        stand_in = fresh
        kept = [Kept()]
        if is_estimator(last):

            def fit_last(X, y=None, **params):
                X = Later.read(X)
                if is_unlearner(last):
                    return self._unlearn_last(fresh, X, y, params)
                received = at_last().with_retained(lambda: Rows(X, y, params))
                new, kept[0] = self._forget_last(fresh, received)
                return new

            stand_in = FitThrough(fresh, fit_last)
        inner = pipeline.Pipeline(
            [*parts, (name, stand_in)], transform_input=self._transform_input
        )
        self.after = inner.steps[:-1]
        rows, n_forget = self.request.retain, int(self.request.mask.sum())
        inner.fit(rows.X, rows.y, **params)
        self.steps, self.memory = settled(inner.steps[:-1], n_forget)
        self.memory[name] = kept[0]
        new = stand_in._result if stand_in is not fresh else fresh
        carry_over(last, new, n_forget)
        self.steps.append((name, new))

    def _forget_last(self, fresh, request):
        """Return the last step, which is no unlearner, and what it keeps."""
        name, old = self.before[-1]
        rows, rule = request.retain, find_rule(old)
        memory = self._old_memory.get(name, Kept()).state
        if rows.params:  # what is kept knows nothing of these
            memory = None
        own_map = type(rule).change_coordinates is not Rule.change_coordinates
        if request.coordinates_changed and own_map:
            old = self._moved(old, rule, rows.X)
        try:
            if rows.params and rule.path == "summaries":
                return rule.refit(old, rows.X, rows.y, **rows.params), Kept()
            outcome = rule.forget(old, memory, self._store, request)
        except ValueError:
            # A classifier that cannot be fitted on one class: predict that class.
            self.single_class = single_class(old, rows.y)
            if self.single_class is None:
                raise
            return fresh, Kept()
        return outcome.estimator, Kept(outcome.state)

    def _moved(self, old, rule, X):
        """Return the last step as it is in the coordinates of the updated steps."""
        earlier = [step for _, step in self.before[:-1]]
        same_width = X.shape[1] == getattr(old, "n_features_in_", None)
        if not rule.covers(old, X) or (same_width and all(map(keeps_columns, earlier))):
            return old  # a start as good as any other
        sample = np.arange(0, n_rows := _num_samples(X), max(1, n_rows // N_SAMPLE))
        new = _safe_indexing(X, sample)
        before = _safe_indexing(self.request.retain.X, sample)
        for step in earlier:
            before = step.transform(before) if is_estimator(step) else before
        return rule.change_coordinates(old, *affine_map(new, before))

    def _unlearn_last(self, fresh, X, y, params):
        """Return the last step, an unlearner, which forgets in its own way."""
        request, (name, old) = self.request, self.before[-1]
        new, asked, params = shallow_copy(old), params, old._inner_params(params)
        kept = old._unlearner_tags().guarantee in ("approximate", "certified")
        if kept and not move_last(new, self.before[:-1], self.after, request.retain.X):
            new._fit_again(X, y, params)
            return new

        def forget():
            given, prefix = request.forget.params, f"{name}__"
            own = {n.removeprefix(prefix): v for n, v in given.items()}
            own = {n: v for n, v in own.items() if n in asked}
            Xt = take_along(request, self.before[:-1], self.after)
            own = old._inner_params(own)
            return request.forget._replace(X=Xt, params=own)

        retain = request.retain._replace(X=X, y=y, params={})
        new._fit_params = params
        new._unlearn_rows(
            Request(request.mask, forget, lambda: retain, ordered=request.ordered)
        )
        new._fit_params = old._fit_params  # only the outermost keeps those per row
        return new
