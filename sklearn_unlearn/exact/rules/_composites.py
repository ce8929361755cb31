"""Rules of estimators that hold others: pipelines, unions, columns."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import abstractmethod

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from sklearn_unlearn.base._steps import fresh_step, is_estimator, shallow_copy
from sklearn_unlearn.base._tags import GUARANTEES, is_unlearner
from sklearn_unlearn.exact._rule import (
    Outcome,
    Rule,
    find_rule,
    register_rule,
)
from sklearn_unlearn.exact._steps import (
    Kept,
    Later,
    Part,
    is_bitwise,
    is_robust_to_rounding,
    last_step_by_rule,
    parts_in_line,
    settled,
)
from sklearn_unlearn.utils._sklearn_compat import (
    _is_empty_column_selection,
    _safe_indexing,
)

__all__ = ["PipelineRule"]


class CompositeRule(Rule):
    """Descend to the parts, and put together what they are then."""

    path = "parts"
    fit_transform_differs = False

    @abstractmethod
    def parts(self, estimator):
        """Return names and estimators of the parts, fitted or not."""

    @abstractmethod
    def views(self, fitted):
        """Return a function from the rows of the whole to those of a part, by name."""

    @abstractmethod
    def descend(self, fitted, state, store, request):
        """Return the outcome of letting the parts forget."""

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
        return all(is_bitwise(part) for _, part in self.parts(estimator))

    def remember(self, fitted, store):
        views = self.views(fitted)
        return {
            name: Kept.of(part, store.through(views[name]))
            for name, part in self.parts(fitted)
            if name in views
        }

    def forget(self, fitted, state, store, request):
        rows = request.retain
        if rows.params or not self.is_known(fitted, rows.X):
            return super().forget(fitted, None, store, request)
        return self.descend(fitted, state or {}, store, request)

    def is_known(self, fitted, X):
        """Whether the parts will see what they would see in a fit."""
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
        views, through = {}, []
        for name, step in fitted.steps:
            if is_estimator(step):
                views[name] = _chain(tuple(through))
                through.append(step)
        return views

    def fit(self, estimator, X, y=None, **params):
        with last_step_by_rule(estimator):
            return estimator.fit(X, y, **params)

    def descend(self, fitted, state, store, request):
        rows = request.retain
        parts, *_ = parts_in_line(fitted.steps, state, store, request)
        whole, output = Pipeline(parts), None
        if hasattr(fitted, "transform"):
            output = Later.read(whole.fit_transform(rows.X, rows.y))
        else:
            whole.fit(rows.X, rows.y)
        new = shallow_copy(fitted)
        new.steps, state = settled(whole.steps, int(request.mask.sum()))
        return Outcome(new, state, output)


@register_rule(FeatureUnion)
class FeatureUnionRule(CompositeRule):
    """Transformers of the same rows side by side."""

    def parts(self, estimator):
        return estimator.transformer_list

    def views(self, fitted):
        parts = fitted.transformer_list
        return {name: _chain(()) for name, step in parts if is_estimator(step)}

    def descend(self, fitted, state, store, request):
        rows, n_forget = request.retain, int(request.mask.sum())
        parts = [
            (name, Part(step, state.get(name), store, lambda: request))
            if is_estimator(step)
            else (name, step)
            for name, step in fitted.transformer_list
        ]
        whole, new = shallow_copy(fitted), shallow_copy(fitted)
        whole.transformer_list, whole.n_jobs = parts, None
        output = whole.fit_transform(rows.X, rows.y)
        new.transformer_list, state = settled(whole.transformer_list, n_forget)
        return Outcome(new, state, output)


@register_rule(ColumnTransformer)
class ColumnTransformerRule(CompositeRule):
    """Transformers of some columns each, side by side."""

    def parts(self, estimator):
        parts = getattr(estimator, "transformers_", estimator.transformers)
        return [(name, part) for name, part, _ in parts]

    def views(self, fitted):
        return {
            name: _columns(columns)
            for name, step, columns in fitted.transformers_
            # scikit-learn does not fit what has no columns
            if is_estimator(step) and not _is_empty_column_selection(columns)
        }

    def is_known(self, fitted, X):
        # columns may be chosen by what is in them
        chosen = {name: columns for name, _, columns in fitted.transformers_}
        return all(
            np.array_equal(columns(X), chosen[name])
            for name, _, columns in fitted.transformers
            if callable(columns)
        )

    def descend(self, fitted, state, store, request):
        rows, n_forget = request.retain, int(request.mask.sum())
        views, parts = self.views(fitted), {}
        for name, step in self.parts(fitted):
            if name in views:
                view = views[name]
                seen = None if store is None else store.through(view)
                parts[name] = Part(
                    step,
                    state.get(name),
                    seen,
                    lambda view=view: request.through(view),
                )
        whole = fresh_step(fitted)
        whole.n_jobs = None
        whole.transformers = [
            (name, parts.get(name, step) if is_estimator(step) else step, columns)
            for name, step, columns in whole.transformers
        ]
        if is_estimator(whole.remainder):
            whole.remainder = parts.get("remainder", whole.remainder)
        output = whole.fit_transform(rows.X, rows.y)
        new = shallow_copy(whole)
        for name, value in vars(fitted).items():
            # parameters are the caller's; what else holds parts is not fitted
            if name in fitted.get_params(deep=False) or _has_part(
                vars(whole).get(name)
            ):
                setattr(new, name, value)
        new.transformers_ = [
            (name, part.result(n_forget) if isinstance(part, Part) else part, columns)
            for name, part, columns in whole.transformers_
        ]
        state = {name: part._kept for name, part in parts.items()}
        return Outcome(new, state, output)


def _has_part(value):
    return isinstance(value, tuple) and any(isinstance(v, Part) for v in value)


def _chain(steps):
    """Return the function that transforms by one step after another."""

    def view(X):
        for step in steps:
            X = step.transform(X)
        return X

    return view


def _columns(columns):
    """Return the function that selects columns."""
    return lambda X: _safe_indexing(X, columns, axis=1)
