"""Stress tests that an audit does with the unlearner itself, and the list of all."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass, field

import numpy as np
from sklearn.base import is_classifier

from sklearn_unlearn.audit._measures import number_of
from sklearn_unlearn.audit._results import AuditNumber
from sklearn_unlearn.audit._training import take
from sklearn_unlearn.audit.stress._recovery import corruption_recovery
from sklearn_unlearn.audit.stress._sequential import sequential_unlearning
from sklearn_unlearn.audit.stress._spectrum import difficulty_spectrum
from sklearn_unlearn.model_selection import RequestStream, make_corruption

__all__ = ["CHECKS", "MODEL_CHECKS", "Case", "check_names", "procedure_checks"]

MODEL_CHECKS = ("relearning", "probe", "masks")
N_REQUESTS = 5
# of the rows of two classes that are swapped: more than half, so that it is learnt
SHARE_SWAPPED = 0.7


@dataclass(frozen=True)
class Case:
    """What an audit was given, and the size of its stress tests."""

    unlearner: object
    X: object
    y: np.ndarray
    forget: np.ndarray
    X_test: object
    y_test: object
    n_repeats: int
    n_references: int
    n_jobs: int | None
    seed: int


@dataclass
class Findings:
    """What stress tests have found; flags come with a sentence each."""

    numbers: list = field(default_factory=list)
    curves: dict = field(default_factory=dict)
    flags: list = field(default_factory=list)
    limits: list = field(default_factory=list)


def check_names(checks):
    """Return the names of the chosen checks."""
    known = {"minimal": (), "extended": CHECKS}
    if isinstance(checks, str) and checks in known:
        return known[checks]
    names = () if isinstance(checks, str) else tuple(checks)
    if isinstance(checks, str) or not set(names) <= set(CHECKS):
        raise ValueError(
            f'checks must be "minimal", "extended", or a list of {", ".join(CHECKS)}; '
            f"got {checks!r}."
        )
    return names


def procedure_checks(names, case):
    """Run those of the checks that fit models of their own.

    Parameters
    ----------
    names : tuple of str
    case : Case

    Returns
    -------
    Findings
    """
    found = Findings()
    for name, check in _PROCEDURE_CHECKS.items():
        if name in names:
            check(case, found)
    return found


def _sequential(case, found):
    """Ask for the rows of the request in parts."""
    n_forget = int(case.forget.sum())
    if n_forget <= N_REQUESTS:
        found.limits.append("There are too few rows to ask for them in turn.")
        return
    stream = RequestStream(
        "random", N_REQUESTS, (n_forget - 1) // N_REQUESTS, case.seed
    )
    _watch(case, found, stream, case.forget, "requests in turn")


def _adaptive(case, found):
    """Ask for rows that the model knows best, each time it has forgotten some."""
    if case.y.ndim > 1:
        found.limits.append("Adaptive requests need one target per row.")
        return
    n_all = min(int(case.forget.sum()), len(case.y) // 10)
    stream = RequestStream(
        "adaptive", N_REQUESTS, max(1, n_all // N_REQUESTS), case.seed
    )
    _watch(case, found, stream, None, "adaptive requests")


def _watch(case, found, stream, askable, label):
    run = sequential_unlearning(
        case.unlearner,
        case.X,
        case.y,
        stream,
        askable=askable,
        X_test=case.X_test,
        y_test=case.y_test,
        n_references=min(case.n_references, 5),
        n_jobs=case.n_jobs,
        random_state=case.seed,
    )
    rng = np.random.RandomState(case.seed)
    tested = "retain" if case.X_test is None else "test"
    for name, split in (
        ("loss", "retain"),
        ("largest logit", "retain"),
        ("score", tested),
        ("negative flips", tested),
        ("forget signal", "forget"),
    ):
        values, others = run.values[name], run.retrained[name]
        groups = {"unlearned": values[-1:], "retrained": others[:, -1]}
        if np.isfinite(values[0]):
            groups["original"] = values[:1]
        found.numbers.append(number_of(f"{name} after {label}", split, groups, rng))
    found.numbers.append(
        AuditNumber(
            f"batch gap of {label}",
            "retain",
            run.batch_gap,
            None,
            run.batch_gap_retrained,
            note="largest difference to one request for all; retrained: to each other",
        )
    )
    found.curves[f"loss over {label}"] = {
        "unlearned": run.values["loss"].tolist(),
        "retrained": run.retrained["loss"].mean(axis=0).tolist(),
    }
    raised = [n for n, a in run.alarms.items() if a is not None and a.request]
    if raised:
        found.flags.append(
            (
                "COLLATERAL",
                f"The model wears out over {label}: {' and '.join(raised)} gave the "
                f"alarm at request {run.first_alarm} of {len(run.requests)}.",
            )
        )


def _recovery(case, found):
    """Plant a corruption that has an unambiguous answer."""
    if case.X_test is None or case.y.ndim > 1:
        found.limits.append(
            "A planted corruption needs test rows, and one target per row."
        )
        return
    # the rows of the request would blur what is right
    kept = np.flatnonzero(~case.forget)
    X, y = take(case.X, kept), case.y[kept]
    kind, number, options = "target_shift", max(1, len(y) // 10), {}
    if is_classifier(case.unlearner):
        labels, counts = np.unique(y, return_counts=True)
        if len(labels) < 2:
            found.limits.append("There are no two classes to be swapped.")
            return
        largest = np.argsort(counts)[-2:]
        kind, number = "swapped_classes", int(SHARE_SWAPPED * counts[largest].sum())
        options = {"classes": labels[largest]}
    planted = make_corruption(
        X, y, number, kind=kind, random_state=case.seed, **options
    )
    result = corruption_recovery(
        case.unlearner,
        planted,
        case.X_test,
        case.y_test,
        n_repeats=min(case.n_repeats, 4),
        n_references=min(case.n_references, 4),
        n_jobs=case.n_jobs,
        random_state=case.seed,
    )
    if not np.isfinite(result.recovery):
        found.limits.append(
            "The planted corruption did no harm that could be seen, so that there was "
            "nothing to recover from."
        )
        return
    note = f"share of the harm of {number} planted rows that was undone"
    found.numbers.append(
        AuditNumber("recovery", "test", result.recovery, 0.0, 1.0, note=note)
    )
    if result.planted:
        rng = np.random.RandomState(case.seed)
        found.numbers.append(number_of("planted answers", "test", result.planted, rng))


def _spectrum(case, found):
    """Audit easy and hard rows, too."""
    if case.y.ndim > 1:
        found.limits.append("Scores of difficulty need one target per row.")
        return
    table = difficulty_spectrum(
        case.unlearner,
        case.X,
        case.y,
        n_forget=int(case.forget.sum()),
        X_test=case.X_test,
        y_test=case.y_test,
        n_repeats=max(3, min(case.n_repeats, 4)),
        n_references=max(3, min(case.n_references, 9)),
        n_jobs=case.n_jobs,
        random_state=case.seed,
    )
    for name, row in table.iterrows():
        if np.isfinite(row["AUC"]):
            which = "random rows" if name == "random" else f"{name} difficulty"
            pvalue = row["p"] if np.isfinite(row["p"]) else None
            areas = row["AUC"], row["AUC original"], 0.5
            found.numbers.append(
                AuditNumber(
                    f"AUC, {which}", "pair", *areas, pvalue=pvalue, note=row["verdict"]
                )
            )
    found.curves["difficulty"] = {
        "set": table.index.tolist(),
        "difficulty": table["difficulty"].tolist(),
        "verdict": table["verdict"].tolist(),
    }


_PROCEDURE_CHECKS = {
    "sequential": _sequential,
    "adaptive": _adaptive,
    "recovery": _recovery,
    "spectrum": _spectrum,
}
CHECKS = (*MODEL_CHECKS, *_PROCEDURE_CHECKS)
