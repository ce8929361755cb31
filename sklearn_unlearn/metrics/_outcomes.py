"""Scores of an unlearned model beside those of retrained models."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    r2_score,
    recall_score,
    root_mean_squared_error,
)
from sklearn.utils.multiclass import type_of_target

from sklearn_unlearn.metrics._validation import (
    check_names,
    check_rows,
    checked,
)
from sklearn_unlearn.utils._sklearn_compat import StrOptions

__all__ = [
    "ScoreGap",
    "group_score",
    "recovery_score",
    "score_gap",
    "unlearning_report",
]

ROLES = ("forget", "retain", "test")


class ScoreGap(NamedTuple):
    """A score beside those of retrained models.

    A perfect unlearner has a value between `low` and `high`.

    Parameters
    ----------
    value : float
        Score of the unlearned model.
    retrained : float
        Mean score of retrained models.
    gap : float
        The first minus the second, with its sign.
    low, high : float
        Where the score of one more retrained model would be found with the given
        confidence; ``nan`` if there is only one.

    See Also
    --------
    score_gap : Computes it.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import score_gap
    >>> found = score_gap(0.95, [0.80, 0.82, 0.81, 0.83])
    >>> round(found.gap, 3), found.low < found.value < found.high
    (0.135, False)
    """

    value: float
    retrained: float
    gap: float
    low: float
    high: float


@checked("confidence_level")
def score_gap(score, scores_retrained, *, confidence_level=0.95):
    """Compare the score of a model with those of retrained models.

    Parameters
    ----------
    score : float
        Score, error or loss of the unlearned model.
    scores_retrained : array-like of shape (n_models,)
        Those of retrained models on the same rows.
    confidence_level : float, default=0.95
        Of the interval for one more retrained model, by Student's t.

    Returns
    -------
    ScoreGap
        A perfect unlearner has a gap of 0 on average, and is within the interval as
        often as its level says.

    See Also
    --------
    unlearning_report : For several scores, on several sets of rows.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import score_gap
    >>> round(score_gap(0.95, [0.80, 0.82]).gap, 2)
    0.14
    """
    others = check_rows(scores_retrained, "scores_retrained")
    own = float(check_rows([score], "score")[0])
    mean, n = float(others.mean()), len(others)
    low = high = math.nan
    if n > 1:
        quantile = stats.t.ppf((1 + confidence_level) / 2, n - 1)
        half = float(quantile * others.std(ddof=1) * math.sqrt(1 + 1 / n))
        low, high = mean - half, mean + half
    return ScoreGap(own, mean, own - mean, low, high)


def recovery_score(score, score_corrupted, scores_retrained):
    """Share of the damage of corrupted rows that forgetting them has undone [1]_.

    Parameters
    ----------
    score : float
        Score of the unlearned model on clean rows that the corruption affects.
    score_corrupted : float
        Score of the original, which was fitted on the corrupted rows too.
    scores_retrained : array-like of shape (n_models,)
        Scores of models that never saw them.

    Returns
    -------
    float
        1 on average for a perfect unlearner, 0 if nothing has changed, less than 0 if
        it has become worse. If the damage is less than two standard deviations of
        retrained models, there is nothing to recover, and the result is ``nan``.

    See Also
    --------
    score_gap : The difference to retrained models in units of the score.

    References
    ----------
    .. [1] K. Rezaei, K. Chandu, S. Feizi, Y. Choi, F. Brahman and A. Ravichander,
       "RESTOR: Knowledge Recovery in Machine Unlearning", TMLR, 2025.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import recovery_score
    >>> round(recovery_score(0.85, 0.7, [0.9, 0.9]), 2)
    0.75
    """
    others = check_rows(scores_retrained, "scores_retrained")
    own, corrupted = check_rows([score, score_corrupted], "score and score_corrupted")
    damage = others.mean() - corrupted
    spread = others.std(ddof=1) if len(others) > 1 else 0.0
    if abs(damage) <= 2 * spread or damage == 0:
        return math.nan
    return float((own - corrupted) / damage)


@checked("confidence_level", output_dict=["boolean"], scores=[dict, None], digits=[int])
def unlearning_report(
    y_true,
    y_pred,
    pred_retrained,
    roles,
    *,
    scores=None,
    confidence_level=0.95,
    output_dict=False,
    digits=3,
):
    """Build a table of scores on forget, retained and test rows.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        Targets, and predictions of the unlearned model.
    pred_retrained : array-like of shape (n_rows,) or (n_models, n_rows)
        Predictions of retrained models.
    roles : array-like of shape (n_rows,)
        "forget", "retain" or "test" for each row.
    scores : dict of str to callable (y_true, y_pred) -> float, default=None
        What is computed. By default accuracy and balanced accuracy of the labels that
        occur; for targets with fractions RMSE, mean absolute error and R².
    confidence_level : float, default=0.95
        Of the interval for one more retrained model.
    output_dict : bool, default=False
        Whether to return a dictionary.
    digits : int, default=3
        Digits in the text.

    Returns
    -------
    str or dict of str to dict of str to ScoreGap
        The table; ``result[role][score]`` as dictionary. A perfect unlearner is within
        the intervals.

    See Also
    --------
    sklearn.metrics.classification_report : Scores of one model.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import unlearning_report
    >>> y = [0, 1, 0, 1]
    >>> retrained = [[1, 1, 0, 1], [0, 1, 0, 1], [1, 1, 0, 1]]
    >>> roles = ["forget", "forget", "retain", "test"]
    >>> report = unlearning_report(y, y, retrained, roles, output_dict=True)
    >>> round(report["forget"]["accuracy"].gap, 2)
    0.33
    """
    *arrays, roles = _checked_report(y_true, y_pred, pred_retrained, roles)
    scores = _default_scores(arrays[0]) if scores is None else scores
    table = {
        role: _gaps_on(roles == role, scores, *arrays, confidence_level)
        for role in ROLES
        if (roles == role).any()
    }
    return table if output_dict else _as_text(table, digits)


@checked(
    average=[StrOptions({"worst", "balanced"}), None],
    score_func=[callable],
)
def group_score(
    y_true, y_pred, *, groups=None, score_func=accuracy_score, average="worst"
):
    """Score of the worst class or group, or the mean in which all weigh the same.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        Targets and predictions.
    groups : array-like of shape (n_rows,), default=None
        Group of each row; its class by default.
    score_func : callable (y_true, y_pred) -> float, default=accuracy_score
        Larger is better; negate errors.
    average : {"worst", "balanced"} or None, default="worst"
        The smallest score, the mean of all, or None for a dictionary of them.

    Returns
    -------
    float or dict
        A perfect unlearner gets what retrained models get; pass both to `score_gap`.

    See Also
    --------
    score_gap : Compares the score with that of retrained models.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import group_score
    >>> group_score(["a", "a", "b", "b"], ["a", "a", "a", "b"])
    0.5
    """
    y_true = check_names(y_true, "y_true")
    y_pred = check_names(y_pred, "y_pred", len(y_true))
    groups = y_true if groups is None else check_names(groups, "groups", len(y_true))
    scores = {
        name: float(score_func(y_true[groups == name], y_pred[groups == name]))
        for name in np.unique(groups).tolist()
    }
    if average is None:
        return scores
    return (
        min(scores.values())
        if average == "worst"
        else float(np.mean(list(scores.values())))
    )


def _gaps_on(rows, scores, y, own, others, confidence_level):
    """Return the gap of each score on some rows."""
    return {
        name: score_gap(
            function(y[rows], own[rows]),
            [function(y[rows], other[rows]) for other in others],
            confidence_level=confidence_level,
        )
        for name, function in scores.items()
    }


def _checked_report(y_true, y_pred, pred_retrained, roles):
    y = check_names(y_true, "y_true")
    own = check_names(y_pred, "y_pred", len(y))
    stack = pred_retrained if np.ndim(pred_retrained) == 2 else [pred_retrained]
    others = [check_names(other, "pred_retrained", len(y)) for other in stack]
    roles = check_names(roles, "roles", len(y))
    unknown = sorted(set(roles.tolist()) - set(ROLES), key=str)
    if unknown:
        raise ValueError(
            f"roles must be 'forget', 'retain' or 'test' for each row; got {unknown}."
        )
    return y, own, others, roles


def _default_scores(y):
    if type_of_target(y) == "continuous":
        return {
            "RMSE": root_mean_squared_error,
            "MAE": mean_absolute_error,
            "R2": lambda t, p: r2_score(t, p) if len(t) > 1 else math.nan,
        }
    return {"accuracy": accuracy_score, "balanced accuracy": _balanced_accuracy}


def _balanced_accuracy(y_true, y_pred):
    """Mean recall of the classes that occur; no warning about others that do not."""
    return recall_score(
        y_true, y_pred, labels=np.unique(y_true), average="macro", zero_division=0.0
    )


def _as_text(table, digits):
    """Write a table as scikit-learn writes its classification report."""
    heads = ("", "", "value", "retrained", "gap", "low", "high")
    lines = [heads] + [
        (role, name, *(f"{number:.{digits}f}" for number in found))
        for role, found_of_role in table.items()
        for name, found in found_of_role.items()
    ]
    widths = [max(len(line[j]) for line in lines) for j in range(len(heads))]
    rows = [
        "  ".join(
            cell.ljust(width) if j < 2 else cell.rjust(width)
            for j, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join(row.rstrip() for row in rows) + "\n"
