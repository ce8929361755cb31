"""Rules of composites: pipelines, unions of transformers, transformers of columns."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import abstractmethod

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from sklearn_unlearn.base._steps import fresh_step, is_estimator, shallow_copy
from sklearn_unlearn.base._tags import GUARANTEES, is_unlearner
from sklearn_unlearn.exact._rule import Outcome, Rule, find_rule, register_rule
from sklearn_unlearn.exact._steps import (
    ForgettingStep,
    StepProxy,
    StepState,
    forget_in_sequence,
    is_robust_to_rounding,
    last_step_by_rule,
)
from sklearn_unlearn.utils._sklearn_compat import (
    _is_empty_column_selection,
    _safe_indexing,
)

__all__ = ["PipelineRule"]


class CompositeRule(Rule):
    """Let each part forget by its own rule, and put the updated parts together."""

    path = "parts"
    fit_transform_differs = False

    @abstractmethod
    def parts(self, estimator):
        """Return names and estimators of the parts, fitted or not."""

    @abstractmethod
    def views(self, fitted):
        """Return a function from the rows of the whole to those of a part, by name."""

    @abstractmethod
    def forget_parts(self, fitted, states, request):
        """Return the outcome of letting the parts forget.

        Parameters
        ----------
        fitted : estimator instance
            The composite; it is not changed.
        states : dict of str to StepState
        request : Request
        """

    def guarantee(self, estimator):
        if self.is_frozen(estimator):
            return "approximate"
        return max(
            (
                get_tags(part).unlearner_tags.guarantee
                if is_unlearner(part)
                else find_rule(part).guarantee(part)
                for _, part in self.parts(estimator)
                if is_estimator(part)
            ),
            key=GUARANTEES.index,
            default="exact",
        )

    def covers(self, estimator, X, y=None, **params):
        return not params

    def is_robust_to_rounding(self, estimator):
        return all(is_robust_to_rounding(part) for _, part in self.parts(estimator))

    def is_bitwise(self, estimator):
        return all(
            find_rule(part).is_bitwise(part)
            for _, part in self.parts(estimator)
            if is_estimator(part)
        )

    def remember(self, fitted, store):
        views = self.views(fitted)
        return {
            name: StepState.of(part, store.through(views[name]))
            for name, part in self.parts(fitted)
            if name in views
        }

    def forget(self, fitted, state, store, request):
        rows = request.retain
        if rows.params or not self.chooses_same_columns(fitted, rows.X):
            return super().forget(fitted, None, store, request)
        return self.forget_parts(fitted, state or {}, request)

    def chooses_same_columns(self, fitted, X):
        """Tell whether a fit on these rows would give each part the same columns."""
        return True

    def same_output(self, before, after):
        pairs = zip(self.parts(before), self.parts(after), strict=True)
        return all(
            find_rule(old).same_output(old, new)
            for (_, old), (_, new) in pairs
            if is_estimator(old)
        )


@register_rule(Pipeline)
class PipelineRule(CompositeRule):
    """Steps one after another."""

    def parts(self, estimator):
        return estimator.steps

    def views(self, fitted):
        views, before = {}, []
        for name, step in fitted.steps:
            if is_estimator(step):
                views[name] = _transform_by(tuple(before))
                before.append(step)
        return views

    def fit(self, estimator, X, y=None, **params):
        with last_step_by_rule(estimator):
            return estimator.fit(X, y, **params)

    def forget_parts(self, fitted, states, request):
        steps, output = forget_in_sequence(fitted, states, request)
        new = shallow_copy(fitted)
        new.steps = [
            (name, steps[name].result() if name in steps else step)
            for name, step in fitted.steps
        ]
        return Outcome(new, {n: step.state for n, step in steps.items()}, output)


@register_rule(FeatureUnion)
class FeatureUnionRule(CompositeRule):
    """Transformers of the same rows side by side."""

    def parts(self, estimator):
        return estimator.transformer_list

    def views(self, fitted):
        parts = fitted.transformer_list
        return {name: _transform_by(()) for name, part in parts if is_estimator(part)}

    def forget_parts(self, fitted, states, request):
        parts = {
            name: ForgettingStep(name, part, states.get(name), request)
            for name, part in fitted.transformer_list
            if is_estimator(part)
        }
        whole, new = shallow_copy(fitted), shallow_copy(fitted)
        whole.n_jobs = None  # proxies do not travel to other processes
        whole.transformer_list = [
            (name, StepProxy(parts[name]) if name in parts else part)
            for name, part in fitted.transformer_list
        ]
        output = whole.fit_transform(request.retain.X, request.retain.y)
        new.transformer_list = [
            (name, parts[name].result() if name in parts else part)
            for name, part in whole.transformer_list
        ]
        return Outcome(new, {n: part.state for n, part in parts.items()}, output)


@register_rule(ColumnTransformer)
class ColumnTransformerRule(CompositeRule):
    """Transformers of some columns each, side by side."""

    def parts(self, estimator):
        parts = getattr(estimator, "transformers_", estimator.transformers)
        return [(name, part) for name, part, _ in parts]

    def views(self, fitted):
        return {
            name: _select(columns)
            for name, part, columns in fitted.transformers_
            # scikit-learn does not fit what has no columns
            if is_estimator(part) and not _is_empty_column_selection(columns)
        }

    def chooses_same_columns(self, fitted, X):
        chosen = {name: columns for name, _, columns in fitted.transformers_}
        return all(
            np.array_equal(columns(_with_columns(X)), chosen[name])
            for name, _, columns in fitted.transformers
            if callable(columns)  # which may look at what is in them
        )

    def same_output(self, before, after):
        chosen = ([c for _, _, c in e.transformers_] for e in (before, after))
        same_columns = map(np.array_equal, *chosen)
        return all(same_columns) and super().same_output(before, after)

    def forget_parts(self, fitted, states, request):
        views = self.views(fitted)
        parts = {
            name: ForgettingStep(
                name, part, states.get(name), request.through(views[name])
            )
            for name, part in self.parts(fitted)
            if name in views
        }
        whole = fresh_step(fitted)
        whole.n_jobs = None  # proxies do not travel to other processes
        whole.transformers = [
            (name, StepProxy(parts[name]) if name in parts else part, columns)
            for name, part, columns in whole.transformers
        ]
        if "remainder" in parts:
            whole.remainder = StepProxy(parts["remainder"])
        output = whole.fit_transform(request.retain.X, request.retain.y)
        new = shallow_copy(whole)
        for name, value in vars(fitted).items():
            # parameters are the caller's, and what else holds proxies is not fitted
            if name in fitted.get_params(deep=False) or _holds_proxy(
                vars(whole).get(name)
            ):
                setattr(new, name, value)
        new.transformers_ = [
            (name, parts[name].result() if name in parts else part, columns)
            for name, part, columns in whole.transformers_
        ]
        return Outcome(new, {n: part.state for n, part in parts.items()}, output)


def _holds_proxy(value):
    return isinstance(value, tuple) and any(isinstance(v, StepProxy) for v in value)


def _transform_by(steps):
    """Return the function that transforms by one step after another."""

    def view(X):
        for step in steps:
            X = step.transform(X)
        return X

    return view


def _select(columns):
    """Return the function that selects columns."""
    return lambda X: _safe_indexing(_with_columns(X), columns, axis=1)


def _with_columns(X):
    """Return rows as a fit of a `ColumnTransformer` selects columns of them."""
    return np.array(X, dtype=object) if isinstance(X, (list, tuple)) else X
