"""Report on the fitted attributes of a pipeline that depend on rows to forget."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import astuple, dataclass, fields

import numpy as np
from sklearn.base import clone

from sklearn_unlearn.base import is_unlearner
from sklearn_unlearn.base._steps import deep_copy, is_estimator
from sklearn_unlearn.exact import find_rule
from sklearn_unlearn.pipeline._pipeline import Pipeline
from sklearn_unlearn.utils._state import state_differences

__all__ = ["AttributeTrace", "TraceReport", "trace_rows"]

# Largest relative difference that is rounding.
ROUNDING = 1e-8
# They count requests, or the steps of a solver that has started somewhere else.
COUNTERS = ("n_forgotten_", "unlearning_log_", "n_iter_")


@dataclass(frozen=True)
class AttributeTrace:
    """Dependence of one fitted attribute on rows to forget.

    Distances are the largest difference from the value that a fit without the rows
    gives, relative to its largest entry; NaN where the two cannot be subtracted.

    Parameters
    ----------
    step : str
        Name of the step, with ``__`` before that of a step within.
    attribute : str
        Name of the attribute.
    changes : bool
        Whether a fit without the rows gives another value.
    updated : bool
        Whether ``unlearn`` gives the value of a fit without the rows.
    before, after : float
        Distance from that value before and after ``unlearn``.

    See Also
    --------
    trace_rows : Makes them.

    Examples
    --------
    >>> from sklearn_unlearn.pipeline import AttributeTrace
    >>> AttributeTrace("scale", "mean_", True, True, 0.1, 0.0).updated
    True
    """

    step: str
    attribute: str
    changes: bool
    updated: bool
    before: float
    after: float


class TraceReport(tuple):
    """Fitted attributes that change when rows are removed; prints as a table.

    It is a tuple of `AttributeTrace`.

    Parameters
    ----------
    iterable : iterable of AttributeTrace
        The records.

    See Also
    --------
    trace_rows : Makes it.

    Examples
    --------
    >>> from sklearn_unlearn.pipeline import AttributeTrace, TraceReport
    >>> record = AttributeTrace("scale", "mean_", True, True, 0.1, 0.0)
    >>> print(TraceReport([record]))
    step   attribute  changes  updated  before  after
    scale  mean_      yes      yes      0.1     0
    """

    __slots__ = ()

    def to_frame(self):
        """Return the records as a data frame of pandas.

        Returns
        -------
        pandas.DataFrame
            One line per attribute.
        """
        import pandas as pd

        names = [field.name for field in fields(AttributeTrace)]
        return pd.DataFrame([astuple(record) for record in self], columns=names)

    def __str__(self):
        head = [field.name for field in fields(AttributeTrace)]
        lines = [head, *([_written(v) for v in astuple(record)] for record in self)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        return "\n".join(
            "  ".join(
                cell.ljust(w) for cell, w in zip(line, widths, strict=True)
            ).strip()
            for line in lines
        )


def trace_rows(pipeline, X_forget=None, y_forget=None, *, groups=None):
    """List the fitted attributes that depend on rows, and whether they forget them.

    The pipeline is left as it is: a copy that forgets the rows and one that is fitted
    without them are compared with it, attribute by attribute, but for ``n_iter_``.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, with its rows kept.
    X_forget : array-like of shape (n_forget, n_features), default=None
        Rows to forget, as they were given to ``fit``.
    y_forget : array-like, default=None
        Their targets.
    groups : array-like of shape (n_groups,), default=None
        Ids, all of whose rows are to be forgotten, instead of `X_forget`.

    Returns
    -------
    TraceReport
        A record of each fitted attribute for which the rows make a difference.

    Raises
    ------
    TypeError
        If `pipeline` is another kind of estimator.
    UnknownRowsError
        If a row was never fitted, or is forgotten already.
    ValueError
        If a fit on the retained rows fails, as on a single class it may.

    See Also
    --------
    Pipeline.unlearning_cost : What forgetting costs, step by step.

    Notes
    -----
    A fit without the rows is part of the work. The distances of an approximate last
    step are those of its weights, which say little about what it has forgotten.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from sklearn_unlearn.pipeline import make_pipeline, trace_rows
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(MinMaxScaler(), GaussianNB()).fit(X, y)
    >>> report = trace_rows(model, X[[131]])  # a flower with long sepals
    >>> [r.attribute for r in report if r.step == "minmaxscaler"]
    ['data_max_', 'data_range_', 'min_', 'n_samples_seen_', 'scale_']
    >>> all(record.updated for record in report)
    True
    """
    if not isinstance(pipeline, Pipeline):
        kind = type(pipeline).__name__
        raise TypeError(f"pipeline must be a sklearn_unlearn Pipeline; got a {kind}.")
    unlearned = deep_copy(pipeline).unlearn(X_forget, y_forget, groups=groups)
    retrained = _retrained(pipeline, unlearned.retained_rows())
    return TraceReport(_records(pipeline, unlearned, retrained))


def _records(*pipelines):
    """Compare three pipelines attribute by attribute; yield those that tell of rows."""
    steps = map(_steps_without_parts, pipelines)
    for (name, original), (_, unlearned), (_, retrained) in zip(*steps, strict=True):
        for attribute in _fitted(original, retrained):
            values = [vars(e).get(attribute) for e in (original, unlearned, retrained)]
            record = AttributeTrace(name, attribute, *_compared(*values))
            if record.changes or not record.updated:
                yield record


def _retrained(pipeline, rows):
    """Fit a clone on the retained rows."""
    params = {**rows.fit_params, **pipeline._fit_params, "groups": rows.groups}
    unfitted = clone(pipeline).set_params(group_column=None)  # it is in no kept row
    try:
        return unfitted.fit(rows.X, rows.y, **params)
    except ValueError as error:
        raise ValueError(
            "The retained rows cannot be fitted, so that there is nothing to compare "
            f"with: {error}"
        ) from error


def _steps_without_parts(estimator, prefix=""):
    """Return name and estimator of each step that holds no other estimators."""
    leaves = []
    for name, step in find_rule(estimator).parts(estimator):
        if not is_estimator(step):
            continue
        rule = find_rule(step)
        if hasattr(rule, "parts"):
            leaves += _steps_without_parts(step, f"{prefix}{name}__")
        else:
            inner = vars(step).get("estimator_") if is_unlearner(step) else None
            leaves.append((prefix + name, step if inner is None else inner))
    return leaves


def _fitted(*estimators):
    """Return the names of public fitted attributes."""
    names = {name for estimator in estimators for name in vars(estimator)}
    return sorted(
        name
        for name in names - set(COUNTERS)
        if name.endswith("_") and not name.startswith("_")
    )


def _compared(original, forgot, reference):
    """Tell whether a value changes and whether it is updated; return both distances."""
    before, after = (_distance(value, reference) for value in (original, forgot))
    changes, is_old = (
        bool(state_differences([value], [reference], rtol=ROUNDING))
        for value in (original, forgot)
    )
    return changes, not is_old, before, after


def _distance(value, reference):
    """Return the largest difference, relative to the largest entry of the reference."""
    try:
        value, reference = (np.asarray(v, dtype=float) for v in (value, reference))
    except (TypeError, ValueError):
        return np.nan
    if value.shape != reference.shape:
        return np.nan
    known = np.isfinite(value) & np.isfinite(reference)
    scale = np.abs(reference[known]).max(initial=0.0) or 1.0
    return float(np.abs((value - reference)[known]).max(initial=0.0) / scale)


def _written(value):
    """Return a value of a record as it is printed."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2g}" if isinstance(value, float) else value
