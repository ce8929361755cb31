"""Audit of learners without randomness: their models are equal, or they are not."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import time

import numpy as np

from sklearn_unlearn.audit._results import AuditNumber
from sklearn_unlearn.audit._rule import EQUAL, NOT_EQUAL

__all__ = ["compare_exactly", "has_no_noise"]

TOLERANCE = 1e-8


def has_no_noise(procedure, task, rows, seeds):
    """Tell whether models fitted from different seeds are the same."""
    random = any(
        name.rpartition("__")[2] == "random_state"
        for name in procedure.estimator.get_params(deep=True)
    )
    if not random:
        return True
    first, second = (
        task.answers(model, rows["forget"])
        for model in procedure.retrained(seeds.training(2))
    )
    return bool(np.abs(first - second).max() <= TOLERANCE * _size(first))


def compare_exactly(procedure, task, rows, targets, seeds):
    """Return the parts of an audit from one model of each kind."""
    clock = time.perf_counter()
    (original,) = procedure.originals(seeds.training(1))
    fitted = time.perf_counter()
    before = {name: task.answers(original, X) for name, X in rows.items()}
    asked = time.perf_counter()
    unlearned = procedure.unlearned(original, *seeds.unlearning(1))
    done = time.perf_counter()
    (retrained,) = procedure.retrained(seeds.training(1))
    seconds = {
        "fit one": fitted - clock,
        "unlearn one": done - asked,
        "retrain one": time.perf_counter() - done,
    }
    numbers, largest, way = [], 0.0, 0.0
    for name, X in rows.items():
        after, reference = (task.answers(m, X) for m in (unlearned, retrained))
        size = _size(reference)
        difference = float(np.abs(after - reference).max() / size)
        moved = float(np.abs(before[name] - reference).max() / size)
        largest, way = max(largest, difference), max(way, moved)
        if name != "perturbed":
            numbers.append(
                AuditNumber("largest difference", name, difference, moved, 0.0)
            )
    verdict = EQUAL if largest <= TOLERANCE else NOT_EQUAL
    how = f"The largest difference of predictions is {largest:.1e} of their size"
    if verdict == NOT_EQUAL and way > 0:
        how += f", which is {largest / way:.2f} of what the rows had changed"
    return {
        "verdict": verdict,
        "reasons": (
            "The learner has no randomness: models from other seeds are the same.",
            f"{how}; up to {TOLERANCE:.0e} counts as equal.",
        ),
        "limits": (
            "It compares predictions on the rows given, and this request alone.",
        ),
        "numbers": tuple(numbers),
        "seconds": seconds,
    }


def _size(values):
    """Return the size of the largest value, by which differences are measured."""
    return max(float(np.abs(values).max()), np.finfo(float).tiny)
