"""Costs of a request to forget, before it is made."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass

from sklearn.utils import get_tags

from sklearn_unlearn.base._steps import is_estimator
from sklearn_unlearn.base._tags import is_unlearner
from sklearn_unlearn.exact._rule import find_rule
from sklearn_unlearn.exact._steps import steps_to_refit

__all__ = ["UnlearningCost", "cost_of_steps", "reason_to_refit"]


@dataclass(frozen=True)
class UnlearningCost:
    """Cost of a request, told before it is made.

    Costs are counted in rows that are read, which hardly depends on the machine.

    Parameters
    ----------
    path : {"summaries", "warm start", "shards", "parts", "unlearner", "refit"}
        ``"summaries"``: at most the blocks that hold a forgotten row are read
        again; ``"warm start"``: all retained rows are read, starting from the
        present solution; ``"shards"``: some shards of an ensemble are trained
        again; ``"parts"``: as its parts do, which are named beside it or forget
        each in its way; ``"unlearner"``: as that unlearner does; ``"refit"``: as
        much as ``fit``.
    n_forget : int
        Rows that the request would forget.
    n_read : int
        Retained rows that would be read.
    n_retain : int
        Retained rows.
    reason : str
        Why this path is taken, in words.

    See Also
    --------
    ExactUnlearner : Estimator that tells its cost.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> X = np.random.default_rng(0).normal(size=(1000, 3))
    >>> model = ExactUnlearner(StandardScaler()).fit(X).prepare()
    >>> cost = model.unlearning_cost(X[:1])
    >>> cost.path, cost.n_read
    ('summaries', 0)
    """

    path: str
    n_forget: int
    n_read: int
    n_retain: int
    reason: str


def cost_of_steps(
    steps, row, n_forget, n_retain, *, prefix="", rows_change=False, refit=False
):
    """Return the costs of fitted steps that follow one another, and of their parts.

    Parameters
    ----------
    steps : list of (str, estimator)
    row : array-like of shape (1, n_features)
        A row, by whose type it is told which path a step takes.
    n_forget, n_retain : int
    prefix : str, default=""
        Of the names.
    rows_change : bool, default=False
        Whether the steps may be given other values of the retained rows than in their
        fit, because a step before them may change.
    refit : bool, default=False
        Whether all of them are fitted again.

    Returns
    -------
    dict of str to UnlearningCost
    """
    costs = {}
    refits = [refit or again for again in steps_to_refit(steps)]
    for (name, step), again in zip(steps, refits, strict=True):
        if not is_estimator(step):
            continue
        rule, name = find_rule(step), prefix + name
        if hasattr(rule, "parts"):
            for parts, part_row in _sequences(step, rule, row):
                costs |= cost_of_steps(
                    parts,
                    part_row,
                    n_forget,
                    n_retain,
                    prefix=f"{name}__",
                    rows_change=rows_change,
                    refit=again,
                )
        else:
            path, n_read, reason = _path(step, rule, row, n_retain, rows_change, again)
            costs[name] = UnlearningCost(path, n_forget, n_read, n_retain, reason)
        rows_change = rows_change or get_tags(step).requires_fit
        row = step.transform(row) if hasattr(step, "transform") else row
    return costs


def reason_to_refit(estimator, rule):
    """Say why an estimator is fitted again, which its rule does not cover."""
    name = type(estimator).__name__
    if rule.path == "refit":
        return f"no faster rule covers {name}"
    return f"the rule of {name} does not cover these parameters or rows"


def _sequences(composite, rule, row):
    """Return the sequences of parts of a composite, with a row as each sees it."""
    if hasattr(composite, "steps"):
        return [(composite.steps, row)]
    views = rule.views(composite)
    parts = [(name, part) for name, part in rule.parts(composite) if name in views]
    return [([(name, part)], views[name](row)) for name, part in parts]


def _path(step, rule, row, n_retain, rows_change, refit):
    """Return the path of a step, the number of rows that it reads, and why."""
    if is_unlearner(step):
        return "unlearner", n_retain, "it forgets in its own way"
    if refit:
        return "refit", n_retain, "a step behind it might be upset by rounding"
    if rule.path == "refit" or not (
        rows_change or rule.fit_transform_differs or rule.covers(step, row)
    ):
        return "refit", n_retain, reason_to_refit(step, rule)
    if rule.path != "summaries":
        return rule.path, n_retain, "from its present solution to the new one"
    if rows_change or rule.fit_transform_differs:
        reason = "fitted again if its rows change; else from summaries"
        return "refit", n_retain, reason
    return rule.path, 0, "from summaries, once they are made"
