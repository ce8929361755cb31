"""Planted corruptions: does forgetting the corrupted rows undo the harm?"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from sklearn_unlearn.audit._answers import Task
from sklearn_unlearn.audit._models import Seeds
from sklearn_unlearn.audit._procedure import Procedure
from sklearn_unlearn.audit._training import refuse_frozen, take
from sklearn_unlearn.metrics import recovery_score
from sklearn_unlearn.model_selection import Corruption
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    _num_samples,
    validate_params,
)

__all__ = ["CorruptionRecovery", "corruption_recovery"]

# standard errors that the harm must be large, to be divided by
LEAST_HARM = 2.0


@dataclass(frozen=True, eq=False)
class CorruptionRecovery:
    """How far models have recovered from a corruption.

    It is measured on rows that the corruption affects and no model was fitted on.

    Parameters
    ----------
    recovery : float
        See :func:`~sklearn_unlearn.metrics.recovery_score`.
    scores : dict of str to ndarray of shape (n_models,)
        Of ``"original"``, ``"unlearned"`` and ``"retrained"`` models on these
        rows: accuracy, or minus the mean squared error.
    planted : dict of str to ndarray of shape (n_models,)
        How often they give the planted wrong answer there; empty where there is none. A
        perfect unlearner does so as often as retrained models do.
    standard_error : float
        Of the harm, over models and rows.

    See Also
    --------
    corruption_recovery : Makes it.

    Examples
    --------
    >>> from sklearn_unlearn.audit.stress import CorruptionRecovery
    >>> CorruptionRecovery(1.0, {}, {}, 0.1).recovery
    1.0
    """

    recovery: float
    scores: dict
    planted: dict
    standard_error: float


@validate_params(
    {
        "unlearner": [HasMethods(["fit", "unlearn"])],
        "corruption": [Corruption],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "n_references": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": [Integral, None],
    },
    prefer_skip_nested_validation=False,
)
def corruption_recovery(
    unlearner,
    corruption,
    X_test,
    y_test,
    *,
    n_repeats=4,
    n_references=4,
    n_jobs=None,
    random_state=None,
):
    """Fit on corrupted rows, forget these, and see whether the model recovers.

    A method that only makes a model unsure about the corrupted rows does not undo what
    they have done to others.

    Parameters
    ----------
    unlearner : estimator instance
        An unlearner, or a pipeline that ends in one; it is cloned.
    corruption : Corruption
        Rows and targets, and which of them are corrupted, as
        :func:`~sklearn_unlearn.model_selection.make_corruption` returns them.
    X_test : array-like of shape (n_test, n_features)
        Clean rows that no model is fitted on.
    y_test : array-like of shape (n_test,)
        Their right targets.
    n_repeats : int, default=4
        Number of models that are fitted on all rows and forget.
    n_references : int, default=4
        Number of models fitted on the clean rows.
    n_jobs : int, default=None
        Processes, where models cannot be trained as one batch.
    random_state : int or None, default=None
        Source of the seeds.

    Returns
    -------
    CorruptionRecovery
        Recovery, and what it is made of. A perfect unlearner recovers 1 on average.

    See Also
    --------
    sklearn_unlearn.metrics.recovery_score : The formula.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.audit.stress import corruption_recovery
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> from sklearn_unlearn.model_selection import make_corruption
    >>> X, y = load_iris(return_X_y=True)
    >>> dirty = make_corruption(X, y, 60, kind="swapped_classes", random_state=0)
    >>> corruption_recovery(ExactUnlearner(GaussianNB()), dirty, X, y).recovery
    1.0
    """
    refuse_frozen(unlearner)
    seeds, y = Seeds(random_state), np.asarray(corruption.y)
    X_seen, y_right, y_planted = _affected(corruption, X_test, np.asarray(y_test))
    task = Task(unlearner, np.concatenate([y, y_right]))
    procedure = Procedure(unlearner, corruption.X, y, corruption.forget, None, n_jobs)
    answers = {"original": [], "unlearned": []}
    for model in procedure.originals(seeds.training(n_repeats)):
        answers["original"].append(task.answers(model, X_seen))
        (seed,) = seeds.unlearning(1)
        model = procedure.unlearned(model, seed)
        answers["unlearned"].append(task.answers(model, X_seen))
    retrained = procedure.retrained(seeds.training(n_references))
    answers["retrained"] = [task.answers(model, X_seen) for model in retrained]
    answers = {name: np.stack(found) for name, found in answers.items()}
    right = {name: task.successes(found, y_right) for name, found in answers.items()}
    planted = {}
    if y_planted is not None and task.is_classifier:
        planted = {
            name: task.successes(found, y_planted).mean(axis=1)
            for name, found in answers.items()
        }
    scores = {name: found.mean(axis=1) for name, found in right.items()}
    error = _standard_error(right["retrained"], right["original"])
    means = [float(scores[n].mean()) for n in ("unlearned", "original", "retrained")]
    unlearned, original, retrained = means
    if abs(retrained - original) < LEAST_HARM * error:
        recovery = float("nan")
    else:
        recovery = recovery_score(unlearned, original, [retrained])
    return CorruptionRecovery(recovery, scores, planted, error)


def _affected(corruption, X, y):
    """Return rows that a corruption affects, right answers and the planted ones.

    The planted answers are None where no rule says what they are.
    """
    if not corruption.rule.has_answer:
        return X, y, None
    planted = corruption.plant(X, y)
    wrong = np.flatnonzero(planted.y != y)
    if not len(wrong):  # only rows were changed, and a clean model knows clean ones
        rows = np.flatnonzero(planted.affected)
        rows = rows if len(rows) else np.arange(_num_samples(X))
        return take(X, rows), y[rows], None
    return take(planted.X, wrong), y[wrong], planted.y[wrong]


def _standard_error(first, second):
    """Return that of the difference of two means over models and rows.

    Both are sources of it: which models were fitted, and which rows are looked at.
    """
    of_rows = np.var(first.mean(axis=0) - second.mean(axis=0), ddof=1) / first.shape[1]
    of_models = sum(
        np.var(group.mean(axis=1), ddof=1) / len(group) if len(group) > 1 else 0.0
        for group in (first, second)
    )
    return float(np.sqrt(of_rows + of_models))
