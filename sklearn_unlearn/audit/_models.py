"""What all models of an audit say of all rows that it looks at."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import time
from dataclasses import dataclass, field

import numpy as np

from sklearn_unlearn.audit._training import take

__all__ = ["Seeds", "Views", "collect_models"]


class Seeds:
    """Streams of seeds: one each for training, for unlearning and for the audit.

    Parameters
    ----------
    random_state : int or None
    """

    def __init__(self, random_state):
        training, unlearning, evaluation = np.random.SeedSequence(random_state).spawn(3)
        self._training, self._unlearning = training, unlearning
        self.evaluation = np.random.RandomState(evaluation.generate_state(1)[0])

    def training(self, n):
        """Return seeds of fits; no two calls give the same."""
        return [int(s.generate_state(1)[0] >> 1) for s in self._training.spawn(n)]

    def unlearning(self, n):
        """Return seeds of requests; no two calls give the same."""
        return [int(s.generate_state(1)[0] >> 1) for s in self._unlearning.spawn(n)]


@dataclass
class Views:
    """Answers of a group of models, by the name of what they were asked.

    Attributes
    ----------
    answers : dict of str to list of ndarray
        By the name of the rows; one array for each model.
    measured : dict of str to list of ndarray
        What stress tests measured, by their names; one array for each model that has
        what they measure.
    """

    answers: dict = field(default_factory=dict)
    measured: dict = field(default_factory=dict)

    def stacked(self, name):
        """Return answers of shape (n_models, n_rows, n_outputs)."""
        return np.stack(self.answers[name])


class Recorder:
    """Asks models for their answers, and puts them to the test.

    Parameters
    ----------
    task : Task
    rows : dict of str to rows
        What is asked.
    measures : dict of str to callable (model) -> ndarray or None
        Stress tests of single models, which leave them as they are.
    """

    def __init__(self, task, rows, measures):
        self.task, self.rows, self.measures = task, rows, measures

    def record(self, views, model, names, stress=False):
        """Add what one model says of the rows of these names."""
        for name in names:
            if name in self.rows:
                answers = self.task.answers(model, self.rows[name])
                views.answers.setdefault(name, []).append(answers)
        if not stress:
            return
        for name, measure in self.measures.items():
            found = measure(model)
            if found is not None:
                views.measured.setdefault(name, []).append(found)


def collect_models(procedure, recorder, seeds, n_repeats, n_references, references):
    """Fit, unlearn and retrain; keep the answers alone.

    Parameters
    ----------
    procedure : Procedure
    recorder : Recorder
    seeds : Seeds
    n_repeats, n_references : int
    references : list of estimator or None
        Retrained models that are there already.

    Returns
    -------
    views : dict of str to Views
        Of "original", "unlearned", "retrained", "held out", "placebo".
    seconds : dict of str to float
    """
    views = {
        name: Views()
        for name in ("original", "unlearned", "retrained", "held out", "placebo")
    }
    clock = _Clock()
    every = tuple(recorder.rows)
    forgotten = ("forget",)
    originals = procedure.originals(seeds.training(n_repeats))
    clock.lap("fit", n_repeats)
    for original in originals:
        recorder.record(views["original"], original, every)
    clock.lap("ask")
    for original, seed in zip(originals, seeds.unlearning(n_repeats), strict=True):
        clock.start()
        model = procedure.unlearned(original, seed)
        clock.lap("unlearn", n_repeats)
        recorder.record(views["unlearned"], model, every, stress=True)
        clock.lap("ask")
    del originals
    given = list(references or ())[: n_references + n_repeats]
    n_missing = n_references + n_repeats - len(given)
    fitted = [*given, *procedure.retrained(seeds.training(n_missing))]
    clock.lap("retrain", n_missing)
    for model in fitted[:n_references]:
        recorder.record(views["retrained"], model, every, stress=True)
    for model in fitted[n_references:]:
        recorder.record(views["held out"], model, forgotten)
    clock.lap("ask")
    if procedure.has_placebo:
        chosen = fitted[:n_references]
        for model, seed in zip(chosen, seeds.unlearning(len(chosen)), strict=True):
            placebo = procedure.placebo(model, seed)
            recorder.record(views["placebo"], placebo, forgotten)
        clock.lap("placebos")
    return views, clock.seconds


class _Clock:
    """Adds up how long each part takes."""

    def __init__(self):
        self.seconds = {}
        self.start()

    def start(self):
        self._since = time.perf_counter()

    def lap(self, name, n_models=None):
        """Add the time since the last lap to a part; and to that of one model of it."""
        passed = time.perf_counter() - self._since
        self.seconds[name] = self.seconds.get(name, 0.0) + passed
        if n_models:
            one = f"{name} one"
            self.seconds[one] = self.seconds[name] / n_models
        self.start()


def perturbed(X, rows, rng, share=0.1):
    """Return rows that are moved a little, or None where that has no meaning.

    Parameters
    ----------
    X : array-like or frame of shape (n_rows, n_features)
    rows : ndarray of int
    rng : numpy.random.RandomState
    share : float, default=0.1
        Size of the steps in standard deviations of each column.

    Returns
    -------
    array-like or None
    """
    chosen = take(X, rows)
    if hasattr(X, "toarray"):
        return None
    if hasattr(chosen, "select_dtypes"):  # of a frame, the columns of numbers
        names = chosen.select_dtypes("floating").columns
        if not len(names):
            return None
        moved = chosen.copy()
        for name in names:
            step = share * float(np.nanstd(X[name].to_numpy(dtype=float)))
            moved[name] = chosen[name] + rng.normal(scale=step, size=len(chosen))
        return moved
    X = np.asarray(X)
    if X.dtype.kind not in "fiu" or X.ndim < 2:
        return None
    scale = share * np.nanstd(X, axis=0)
    moved = np.asarray(chosen, dtype=float) + rng.normal(size=np.shape(chosen)) * scale
    return moved.astype(X.dtype if X.dtype.kind == "f" else float)
