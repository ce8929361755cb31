"""Requests one after another: does the model wear out, and does the order matter?"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
from numbers import Integral

import numpy as np

from sklearn_unlearn.audit._answers import Task
from sklearn_unlearn.audit._models import Seeds
from sklearn_unlearn.audit._procedure import Procedure, seed_unlearning
from sklearn_unlearn.audit._request import positions_of
from sklearn_unlearn.audit._training import refuse_frozen, take
from sklearn_unlearn.audit.stress._batch_gap import largest_difference
from sklearn_unlearn.audit.stress._collapse import collapse_alarm, spread_of_changes
from sklearn_unlearn.audit.stress._learning_rate import alarm_of_rate, at_twice_the_rate
from sklearn_unlearn.audit.stress._probe_batch import ProbeBatch, weights_of
from sklearn_unlearn.audit.stress._sequence import SequentialUnlearning
from sklearn_unlearn.model_selection import RequestStream
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    _num_samples,
    validate_params,
)

__all__ = ["sequential_unlearning"]

WATCHED = ("loss", "largest logit")


@validate_params(
    {
        "unlearner": [HasMethods(["fit", "unlearn"])],
        "stream": [RequestStream, None],
        "askable": ["array-like", None],
        "n_references": [Interval(Integral, 3, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": [Integral, None],
    },
    prefer_skip_nested_validation=False,
)
def sequential_unlearning(
    unlearner,
    X,
    y,
    stream=None,
    *,
    askable=None,
    X_test=None,
    y_test=None,
    groups=None,
    difficulty=None,
    n_references=5,
    n_jobs=None,
    random_state=None,
):
    """Let an unlearner answer requests one after another, and watch the model.

    A method that answers one request well may collapse after a few [1]_. Models that
    are retrained after each request say what is to be expected.

    Parameters
    ----------
    unlearner : estimator instance
        An unlearner, or a pipeline that ends in one; it is cloned.
    X : array-like of shape (n_rows, n_features)
        Training rows.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Targets.
    stream : RequestStream, default=None
        The requests, which may be chosen by looking at the model; by default five
        random ones of a fiftieth of the rows.
    askable : array-like of bool of shape (n_rows,), default=None
        Rows that may be asked for; three quarters at random by default. The others are
        the batch on which the model is watched.
    X_test : array-like of shape (n_test, n_features), default=None
        Rows that no model is fitted on.
    y_test : array-like of shape (n_test,) or (n_test, n_outputs), default=None
        Their targets.
    groups : array-like of shape (n_rows,), default=None
        Ids, for a stream of ``kind="person"``.
    difficulty : array-like of shape (n_rows,), default=None
        Scores, for a stream of ``kind="difficulty"``.
    n_references : int, default=5
        Number of models that are retrained after each request.
    n_jobs : int, default=None
        Processes, where models cannot be trained as one batch.
    random_state : int or None, default=None
        Source of the seeds.

    Returns
    -------
    SequentialUnlearning
        Values, alarms and the gap to one request for all. A perfect unlearner has the
        values of retrained models, and no alarm but by chance.

    See Also
    --------
    collapse_alarm : The alarm.
    batch_gap_error : Whether the order matters.

    References
    ----------
    .. [1] W. Yang, F. Sun, X. Ma, X. Liu, D. Yin and X. Cheng, "The Butterfly Effect of
       Model Editing: Few Edits Can Trigger Large Language Models Collapse", Findings
       of ACL, 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_unlearn.audit.stress import sequential_unlearning
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> X, y = load_diabetes(return_X_y=True)
    >>> found = sequential_unlearning(ExactUnlearner(Ridge()), X, y, random_state=0)
    >>> found.first_alarm is None, found.batch_gap < 1e-8
    (True, True)
    """
    refuse_frozen(unlearner)
    n_rows, y, seeds = _num_samples(X), np.asarray(y), Seeds(random_state)
    rng = seeds.evaluation
    if askable is None:
        asked = np.sort(rng.permutation(n_rows)[: 3 * n_rows // 4])
    else:
        asked = positions_of(askable, "askable", n_rows)
    if stream is None:
        stream = RequestStream(
            n_requests=5, n_rows=max(1, n_rows // 50), random_state=rng
        )
    kept = np.setdiff1d(np.arange(n_rows), asked)
    batch = ProbeBatch(Task(unlearner, y), X, y, kept, X_test, y_test, rng)
    run = _Run(Procedure(unlearner, X, y, np.zeros(n_rows, bool), None, n_jobs), seeds)
    extra = {"person": groups, "difficulty": difficulty}.get(stream.kind)
    run.answer(stream, asked, batch, extra)
    return run.compared(batch, n_references)


class _Run:
    """One model on its way through the requests."""

    def __init__(self, procedure, seeds):
        self.procedure, self.seeds = procedure, seeds
        (self.model,) = procedure.originals(seeds.training(1))
        self.original = copy.deepcopy(self.model)
        self.requests, self.rate_effects, self.weight_steps = [], [0.0], [0.0]

    def answer(self, stream, asked, batch, extra):
        """Let the model forget, request by request, and look at it each time."""
        X, y = self.procedure.X, self.procedure.y
        given = {"person": {"groups": extra}, "difficulty": {"difficulty": extra}}
        given = {
            name: None if value is None else np.asarray(value)[asked]
            for name, value in given.get(stream.kind, {}).items()
        }
        if stream.kind == "adaptive":
            given["estimator"] = self.model
        self.found = [batch.look(self.model, ())]
        for mask in stream.masks(take(X, asked), take(y, asked), **given):
            self._forget(asked[mask], batch)
        self.found = batch.with_flips(self.found)

    def _forget(self, rows, batch):
        self.requests.append(rows)
        (seed,) = self.seeds.unlearning(1)
        seed_unlearning(self.model, seed)
        twin = at_twice_the_rate(self.model)
        before = weights_of(self.model)
        self._unlearn(self.model, rows)
        self.found.append(batch.look(self.model, np.concatenate(self.requests)))
        effect = step = np.nan
        if twin is not None:
            loss = batch.loss(self._unlearn(twin, rows))
            effect = loss - self.found[-1]["loss"]
        after = weights_of(self.model)
        if before is not None and after is not None and len(before) == len(after):
            step = np.linalg.norm(after - before) / np.linalg.norm(before)
        self.rate_effects.append(effect)
        self.weight_steps.append(step)

    def _unlearn(self, model, rows):
        return model.unlearn(take(self.procedure.X, rows), take(self.procedure.y, rows))

    def compared(self, batch, n_references):
        """Retrain models after each request, and return all."""
        procedure, seeds = self.procedure, self.seeds.training(n_references)
        sequences, models = [[] for _ in seeds], ()
        for k in range(len(self.requests) + 1):
            gone = np.concatenate([np.empty(0, int), *self.requests[:k]])
            forget = np.isin(np.arange(len(procedure.y)), gone)
            left = Procedure(
                procedure.estimator,
                procedure.X,
                procedure.y,
                forget,
                None,
                procedure.n_jobs,
            )
            models = left.retrained(seeds)
            for sequence, model in zip(sequences, models, strict=True):
                sequence.append(batch.look(model, gone))
        retrained = [_columns(batch.with_flips(sequence)) for sequence in sequences]
        retrained = {n: np.stack([r[n] for r in retrained]) for n in retrained[0]}
        values = _columns(self.found) | {"weight step": np.array(self.weight_steps)}
        alarms = {n: collapse_alarm(values[n], retrained[n]) for n in WATCHED}
        effects = np.array(self.rate_effects) / spread_of_changes(retrained["loss"])
        values["rate sensitivity"] = effects
        alarms["rate sensitivity"] = alarm_of_rate(effects)
        (seed,) = self.seeds.unlearning(1)
        seed_unlearning(self.original, seed)
        at_once = self._unlearn(self.original, gone)
        task, X = batch.task, batch.X
        return SequentialUnlearning(
            tuple(self.requests),
            values,
            retrained,
            alarms,
            largest_difference(task, self.model, at_once, X),
            largest_difference(task, *models[:2], X),
        )


def _columns(records):
    return {name: np.array([r[name] for r in records]) for name in records[0]}
