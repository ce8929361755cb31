"""Rules: how a fitted estimator of one type forgets rows exactly."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import Any, NamedTuple

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags

from sklearn_unlearn.base._steps import fresh_step
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["Outcome", "Rule", "find_rule", "register_rule"]


class Outcome(NamedTuple):
    """The result of a rule: the estimator that has forgotten, and the next state.

    `ExactUnlearner` has no use for the output, as a pipeline has.

    Parameters
    ----------
    estimator : estimator instance
        Fitted as on the retained rows.
    state : object, default=None
        What the rule keeps for the next request; None if it starts anew.
    output : array-like or None, default=None
        What ``fit_transform`` gives on the retained rows, where the rule has it.

    See Also
    --------
    Rule.forget : Returns it.

    Examples
    --------
    >>> from sklearn_unlearn.exact import Outcome
    >>> Outcome("a fitted estimator").state is None
    True
    """

    estimator: Any
    state: Any = None
    output: Any = None


@saved_as("state of a rule")
class RuleState:
    """The state of a rule, which may differ where what was fitted is the same."""

    def __init__(self, value=None):
        self.value = value

    def _comparable_state(self):
        return None


class Rule:
    """How to forget exactly: fit again on the retained rows.

    This base class is the rule of every type that has none of its own. A
    subclass overrides `refit` if it can start from the fitted estimator, `forget`
    and `remember` if it keeps more than that from one request to the next, or
    derives from `SummaryRule` if it need not read most rows at all.

    See Also
    --------
    SummaryRule : Rule for models that are functions of sums.
    register_rule : Makes a rule known.
    sklearn_unlearn.utils.estimator_checks.check_rule : Checks a rule.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_unlearn.exact import Rule
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]
    >>> rule = Rule()
    >>> model = rule.fit(Ridge(alpha=1e-6), X, y)
    >>> rule.refit(model, X[:2], y[:2]).predict([[4.0]]).round(3)
    array([4.])
    """

    #: How requests are served, as `UnlearningCost` names it.
    path = "refit"

    #: Whether ``fit_transform`` gives something else than ``fit`` and ``transform``,
    #: as far as the rule knows. In a pipeline such a step is fitted again.
    fit_transform_differs = True

    #: Whether each column of the output keeps its meaning as long as their number is
    #: the same. Components that may turn or be swapped do not.
    keeps_columns = False

    #: Whether a pipeline keeps what the step gives on the retained rows, since it
    #: takes long to get it again.
    keeps_output = False

    @staticmethod
    def is_frozen(estimator):
        """Tell whether a fitted ``FrozenEstimator`` is in `estimator`, or is it.

        Parameters
        ----------
        estimator : estimator instance or str
            Fitted or not.

        Returns
        -------
        bool
            True means that a fit leaves something as it was.
        """
        get_params = getattr(estimator, "get_params", dict)  # a word has none
        parts = (estimator, *get_params().values())
        frozen = (part for part in parts if isinstance(part, FrozenEstimator))
        return any(get_tags(part.estimator).requires_fit for part in frozen)

    def guarantee(self, estimator):
        """Return what forgetting by this rule guarantees.

        Parameters
        ----------
        estimator : estimator instance
            Fitted or not.

        Returns
        -------
        {"exact", "exact_law", "approximate"}
            ``"exact_law"`` if a second fit on the same rows may differ;
            ``"approximate"`` if a part is frozen, and so is not fitted again.
        """
        if self.is_frozen(estimator):
            return "approximate"
        fixed = all(
            isinstance(seed, (int, np.integer))
            for name, value in estimator.get_params(deep=True).items()
            for seed in _seeds(name, value)
        )
        return "exact" if fixed else "exact_law"

    def covers(self, estimator, X, y=None, **params):
        """Tell whether the rule has a faster way than `fit` for this case.

        Parameters
        ----------
        estimator : estimator instance
            Fitted estimator.
        X, y : array-like
            Some rows (at least one), to tell their type by.
        **params : dict
            Arguments of ``fit``.

        Returns
        -------
        bool
            False means that the estimator is fitted again.
        """
        return False

    def fit(self, estimator, X, y=None, **params):
        """Fit `estimator` in place so that the rule applies to it.

        Parameters
        ----------
        estimator : estimator instance
            What to fit.
        X, y : array-like
            Training rows.
        **params : dict
            Arguments of ``fit``.

        Returns
        -------
        estimator instance
            The fitted estimator.
        """
        estimator.fit(X, y, **params)
        return estimator  # which not every fit returns

    def change_coordinates(self, fitted, A, b):
        """Return `fitted` in other coordinates, as a better start for `refit`.

        Parameters
        ----------
        fitted : estimator instance
            Fitted on rows in the old coordinates; it is not changed.
        A, b : ndarray of shape (n_new, n_old), (n_old,)
            The map ``x @ A + b`` from new to old coordinates.

        Returns
        -------
        estimator instance
            `fitted` itself, unless overridden.
        """
        return fitted

    def refit(self, fitted, X, y=None, **params):
        """Return what `fit` gives on these rows, perhaps starting from `fitted`.

        Parameters
        ----------
        fitted : estimator instance
            Fitted on more rows; it is not changed.
        X, y : array-like
            Retained rows.
        **params : dict
            Arguments of ``fit``, cut to the retained rows.

        Returns
        -------
        estimator instance
            A new fitted estimator.
        """
        return self.fit(fresh_step(fitted), X, y, **params)

    def remember(self, fitted, store):
        """Return what later requests need besides the rows.

        Parameters
        ----------
        fitted : estimator instance
            Fitted on the rows of `store`.
        store : RowStore or RowView
            The rows kept now, in blocks.

        Returns
        -------
        object
            Made of kept rows alone; None, unless overridden.
        """
        return None

    def forget(self, fitted, state, store, request):
        """Forget the rows of a request.

        Parameters
        ----------
        fitted : estimator instance
            Fitted before; it is not changed.
        state : object
            What `remember`, or the last request, has left; None if nothing.
        store : RowStore or RowView
            The retained rows, in blocks.
        request : Request
            The rows to forget (``forget``), those that stay (``retain``, with all
            arguments of ``fit``), and whether they lie in other
            coordinates since `fitted` was.

        Returns
        -------
        Outcome
            The new estimator and the new state. Neither `fitted` nor `state` is
            changed in place.
        """
        rows = request.retain
        return Outcome(self.refit(fitted, rows.X, rows.y, **rows.params))

    def is_robust_to_rounding(self, estimator):
        """Tell whether rounding of its rows changes the estimator by rounding only.

        Sums give the steps of a pipeline up to rounding. Where a later step is not
        robust to that (a tree, an encoder, nearest neighbours with ties), they are
        fitted again, so that it is given the very same rows.

        Parameters
        ----------
        estimator : estimator instance
            Fitted or not.

        Returns
        -------
        bool
            Whether it learns nothing, unless overridden.
        """
        return not get_tags(estimator).requires_fit

    def is_bitwise(self, estimator):
        """Tell whether the rule gives what a fit gives, to the last bit.

        Parameters
        ----------
        estimator : estimator instance
            Fitted or not.

        Returns
        -------
        bool
            Whether the rule fits again, unless overridden.
        """
        rule = type(self)
        return rule.forget is Rule.forget and rule.refit is Rule.refit

    def same_output(self, before, after):
        """Tell whether two fitted transformers surely give the same on all rows.

        Parameters
        ----------
        before, after : estimator instance
            Fitted before and after forgetting.

        Returns
        -------
        bool
            Whether they are one object, or learn nothing; unless overridden.
        """
        return before is after or not get_tags(before).requires_fit


def _seeds(name, value):
    """Return the seeds that a parameter is, or holds."""
    if name.split("__")[-1] == "random_state":
        return [value]
    if hasattr(value, "get_params") or not hasattr(value, "random_state"):
        return []
    # a splitter, which draws only if it shuffles
    return [value.random_state] if getattr(value, "shuffle", True) else []


# Attributes of rules that had other names before version 0.1.
FORMER_NAMES = {
    "is_stable": "is_robust_to_rounding",
    "keeps_shape": "summaries_compatible",
    "moved": "change_coordinates",
    "same_bits": "is_bitwise",
    "trains_apart": "fit_transform_differs",
}
_RULES: dict[type, Rule] = {}
_REFIT = Rule()


def register_rule(*estimator_types):
    """Class decorator that registers a rule for these types of estimator.

    A rule holds for exactly these types: a subclass may fit in another way, and
    is fitted again unless it has a rule of its own.

    Parameters
    ----------
    *estimator_types : type
        Types of estimator.

    Returns
    -------
    callable
        Decorator of a `Rule` subclass without constructor arguments.

    See Also
    --------
    Rule : What to derive from.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from sklearn_unlearn.exact import Rule, find_rule, register_rule
    >>> class MyModel(BaseEstimator):
    ...     pass
    >>> @register_rule(MyModel)
    ... class MyRule(Rule):
    ...     path = "warm start"
    >>> find_rule(MyModel()).path
    'warm start'
    """

    def decorate(rule):
        for former, name in FORMER_NAMES.items():
            if hasattr(rule, former):
                raise TypeError(f"{former} of a rule is called {name} now: rename it.")
        for estimator_type in estimator_types:
            _RULES[estimator_type] = rule()
        return rule

    return decorate


def find_rule(estimator):
    """Return the rule for an estimator.

    Parameters
    ----------
    estimator : estimator instance
        Fitted or not.

    Returns
    -------
    Rule
        The registered rule of its type, or the one that fits again.

    See Also
    --------
    register_rule : Makes a rule known.

    Examples
    --------
    >>> from sklearn.linear_model import Lasso, Ridge
    >>> from sklearn_unlearn.exact import find_rule
    >>> find_rule(Ridge()).path, find_rule(Lasso()).path
    ('summaries', 'refit')
    """
    return _RULES.get(type(estimator), _REFIT)
