"""How the steps of a composite forget: of pipelines, unions and column transformers.

scikit-learn's own code fits the composite on the retained rows, so that metadata,
columns and callbacks go where a fit takes them. In place of its steps it is given
proxies, whose ``fit`` lets the fitted step forget from what it is now.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from sklearn import pipeline
from sklearn.utils import get_tags

from sklearn_unlearn.base._steps import carry_over, fresh_step, is_estimator
from sklearn_unlearn.base._tags import is_unlearner
from sklearn_unlearn.exact._coordinates import affine_map
from sklearn_unlearn.exact._feature_names import with_features_of
from sklearn_unlearn.exact._rule import Outcome, Rule, find_rule
from sklearn_unlearn.rows._layouts import select_rows
from sklearn_unlearn.rows._store import Rows
from sklearn_unlearn.utils._saved import saved_as

__all__ = [
    "ForgettingStep",
    "LazyRows",
    "StepState",
    "forget_in_sequence",
    "is_robust_to_rounding",
    "last_step_by_rule",
    "steps_to_refit",
]

# Rows from which the coordinates of a step are mapped to those before.
N_SAMPLE = 500


@saved_as("state of a step")
class StepState(NamedTuple):
    """State of a step, kept from one request to the next.

    Attributes
    ----------
    rule_state : object
        State of its rule.
    output : array-like or None
        Output of the step on the retained rows, where it takes long to compute.
    """

    rule_state: Any = None
    output: Any = None

    @classmethod
    def of(cls, fitted, store):
        """Make it from the rows as the step sees them."""
        rule = find_rule(fitted)
        output = fitted.transform(store.rows().X) if rule.keeps_output else None
        return cls(rule.remember(fitted, store), output)


class LazyRows:
    """Rows that are computed when they are first read.

    Parameters
    ----------
    compute : callable () -> array-like
    """

    def __init__(self, compute):
        self._compute, self._rows = compute, None

    @staticmethod
    def read(X):
        """Return `X`, computed if it is lazy."""
        if not isinstance(X, LazyRows):
            return X
        if X._compute is not None:
            X._rows, X._compute = X._compute(), None
        return X._rows


class StepProxy:
    """Stand in for a step while scikit-learn fits the composite that holds it.

    Before its fit it looks like the unfitted step, afterwards like the fitted one.

    Parameters
    ----------
    step : object
        With ``template``, an unfitted estimator, on which scikit-learn sets callbacks
        and takes them off again, and ``forget(X, y, params, transform)``, which gives
        the fitted step and, if `transform` is true, its training output.
    """

    def __init__(self, step):
        self.__dict__.update(_step=step, _shown=step.template, _is_fitted=False)

    def fit(self, X, y=None, **params):
        fitted, _ = self._step.forget(X, y, params, transform=False)
        self.__dict__.update(_shown=fitted, _is_fitted=True)
        return self

    def fit_transform(self, X, y=None, **params):
        fitted, output = self._step.forget(X, y, params, transform=True)
        self.__dict__.update(_shown=fitted, _is_fitted=True)
        return output

    def __sklearn_clone__(self):
        return self

    def __sklearn_is_fitted__(self):
        return self._is_fitted

    def __getattr__(self, name):
        return getattr(self.__dict__["_shown"], name)

    def __setattr__(self, name, value):
        setattr(self._step.template, name, value)

    def __delattr__(self, name):
        delattr(self._step.template, name)


class RuleFit(NamedTuple):
    """Step of a pipeline that its rule fits; see `StepProxy`."""

    template: Any
    rule: Rule

    def forget(self, X, y, params, transform):
        return self.rule.fit(self.template, X, y, **params), None


class ForgettingStep:
    """A fitted step, its state, and how it forgets the rows of a request.

    Parameters
    ----------
    name : str
        Name of the step.
    fitted : estimator instance
        The step before the request.
    state : StepState or None
        Its state after the last request.
    request : Request
        As the composite sees its rows, or as the step does if it has columns of its
        own.
    previous : ForgettingStep, default=None
        The step whose output this one is given, in a sequence.
    refit : bool, default=False
        Whether to fit again, so that the result is that of a fit to the last bit.
    is_lazy : bool, default=False
        Whether the output may be `LazyRows`, which the next step of a sequence reads.

    Attributes
    ----------
    after : estimator instance
        The step without the forgotten rows, once `forget` has run.
    state : StepState
        Then its state for the next request.
    """

    def __init__(
        self, name, fitted, state, request, previous=None, *, refit=False, is_lazy=False
    ):
        self.name, self.fitted, self.state = name, fitted, state or StepState()
        self.request, self.previous = request, previous
        self.template = self.after = fresh_step(fitted)
        self._refit, self._is_lazy = refit, is_lazy
        self._changed, self._old_output = True, self.state.output

    def forget(self, X, y, params, transform):
        """Forget the rows, given the retained ones as a fit would see them.

        Parameters
        ----------
        X, y : array-like or LazyRows, array-like or None
        params : dict
            Arguments of ``fit``.
        transform : bool
            Whether the training output is asked for.

        Returns
        -------
        estimator instance
            The step without the rows.
        output : array-like, LazyRows or None
            What ``fit_transform`` gives.
        """
        rule, previous = find_rule(self.fitted), self.previous
        if previous is not None:
            # where the step before led when this one was fitted
            transform_before = previous.fitted.transform
            self.request = previous.request.through(transform_before, previous._changed)
        refit = self._refit or (transform and rule.fit_transform_differs)
        if params:  # what is kept between requests knows nothing of them
            refit = refit or transform or rule.path == "summaries"
        if refit:
            outcome = _fit(self.template, LazyRows.read(X), y, params, transform)
        else:
            request = self.request.with_retained(
                lambda: Rows(LazyRows.read(X), y, params)
            )
            state = None if params else self.state.rule_state
            start = self._start(rule, request)
            outcome = rule.forget(start, state, request.store, request)
        self.after, rule_state, output = outcome
        if not refit and request.coordinates_changed:
            X_now = request.retain.X
            self.after = with_features_of(X_now, self.after, self.fitted)
        self.state = StepState(rule_state)
        if transform:
            same = rule.same_output(self.fitted, self.after)
            self._changed = self.request.coordinates_changed or not same
            if output is None:
                output = self._output(rule, X)
        return self.after, output

    def result(self):
        """Return the updated step, with the callbacks and the count of the old one."""
        carry_over(self.fitted, self.after, int(self.request.mask.sum()))
        return self.after

    def _start(self, rule, request):
        """Return the step that its rule starts from, in the coordinates of now."""
        own_map = type(rule).change_coordinates is not Rule.change_coordinates
        if not (own_map and request.coordinates_changed) or request.store is None:
            return self.fitted
        X, n_rows = request.retain.X, request.store.n_rows
        same_width = X.shape[1] == getattr(self.fitted, "n_features_in_", None)
        if not rule.covers(self.fitted, X) or (same_width and self._columns_kept()):
            return self.fitted  # a start as good as any other
        sample = np.arange(0, n_rows, max(1, n_rows // N_SAMPLE))
        before, now = request.store.take(sample).X, select_rows(X, sample)
        return rule.change_coordinates(self.fitted, *affine_map(now, before))

    def _columns_kept(self):
        """Tell whether the steps before keep the meaning of each of their columns."""
        step = self.previous
        return step is None or (keeps_columns(step.fitted) and step._columns_kept())

    def _output(self, rule, X):
        """Return what the updated step gives on the retained rows."""
        if not rule.keeps_output:
            output = LazyRows(lambda: self.after.transform(LazyRows.read(X)))
            return output if self._is_lazy else LazyRows.read(output)
        output = self._old_output
        if self._changed or output is None or not self.request.ordered:
            output = self.after.transform(LazyRows.read(X))
        else:
            output = _rows_where(output, ~self.request.mask)
        self.state = self.state._replace(output=output)
        return output.copy()  # the next step may write into it


def _fit(estimator, X, y, params, transform):
    """Fit an estimator, and transform the rows if that is asked for."""
    if transform and hasattr(estimator, "fit_transform"):
        return Outcome(estimator, output=estimator.fit_transform(X, y, **params))
    estimator.fit(X, y, **params)
    return Outcome(estimator, output=estimator.transform(X) if transform else None)


def _rows_where(X, mask):
    """Return the rows that are marked."""
    return select_rows(X, np.flatnonzero(mask))


def forget_in_sequence(fitted, states, request, params=None, last_step=ForgettingStep):
    """Let the steps of a pipeline forget, each on what the steps before it give.

    Parameters
    ----------
    fitted : Pipeline
        It is not changed.
    states : dict of str to StepState
    request : Request
    params : dict, default=None
        Arguments of ``fit`` of the pipeline, which scikit-learn routes to the steps.
    last_step : callable, default=ForgettingStep
        Makes the step that is last, as `ForgettingStep` makes all others.

    Returns
    -------
    steps : dict of str to ForgettingStep
        The estimators among the steps, which have forgotten.
    output : array-like or None
        What ``fit_transform`` gives, if the last step transforms and `params` is None.
    """
    forgetting, proxies, previous = {}, [], None
    own_request, last_name = request.without_params(), fitted.steps[-1][0]
    given = vars(fitted).get("_given_parameters", {})
    for (name, step), refit in zip(
        fitted.steps, steps_to_refit(fitted.steps), strict=True
    ):
        if not is_estimator(step):
            proxies.append((name, step))
            continue
        kind = last_step if name == last_name else ForgettingStep
        previous = kind(
            name,
            step,
            states.get(name),
            own_request,
            previous,
            refit=refit or name in given,
            is_lazy=True,
        )
        previous.template.set_params(**given.get(name, {}))
        forgetting[name] = previous
        proxies.append((name, StepProxy(previous)))
    # without arguments of fit there is nothing to transform along
    along = None if params is None else fitted.transform_input
    whole = pipeline.Pipeline(proxies, transform_input=along)
    rows, output = request.retain, None
    if params is None and hasattr(fitted, "transform"):
        output = LazyRows.read(whole.fit_transform(rows.X, rows.y))
    else:
        whole.fit(rows.X, rows.y, **(params or {}))
    return forgetting, output


def steps_to_refit(steps):
    """Tell which steps must give what a fit gives, to the last bit.

    Rules give steps up to rounding. Where a step behind might turn rounding into
    another result, the steps before it are fitted again.
    """
    refit, all_robust = [], True
    for _, step in reversed(steps):
        refit.append(not all_robust and not _is_bitwise(step))
        all_robust = all_robust and is_robust_to_rounding(step)
    return refit[::-1]


def is_robust_to_rounding(step):
    """Tell whether rounding of its rows changes a step by rounding only."""
    if not is_estimator(step):
        return True
    rule = find_rule(step)
    if is_unlearner(step) and not hasattr(rule, "parts"):
        # approximate ones do not come to the same place anyway
        exact = get_tags(step).unlearner_tags.guarantee in ("exact", "exact_law")
        by_rule = getattr(step, "_forgets_by_rule", False)
        return not exact or (by_rule and is_robust_to_rounding(step.estimator))
    return rule.is_robust_to_rounding(step)


def _is_bitwise(step):
    return not is_estimator(step) or find_rule(step).is_bitwise(step)


def keeps_columns(step):
    """Tell whether each column of a transformer's output keeps its meaning."""
    if not is_estimator(step) or not get_tags(step).requires_fit:
        return True
    rule = find_rule(step)
    if hasattr(rule, "parts"):
        return all(keeps_columns(part) for _, part in rule.parts(step))
    return rule.keeps_columns


@contextmanager
def last_step_by_rule(fitted):
    """Let the rule of a pipeline's last step fit it meanwhile."""
    name, last = fitted.steps[-1] if fitted.steps else ("", None)
    rule = find_rule(last)
    if type(rule).fit is Rule.fit:
        yield
        return
    fitted.steps = [*fitted.steps[:-1], (name, StepProxy(RuleFit(last, rule)))]
    try:
        yield
    finally:
        fitted.steps = [*fitted.steps[:-1], (name, last)]
