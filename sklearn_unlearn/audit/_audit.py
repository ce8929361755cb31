"""Did an unlearner really forget? Its models beside models that never saw the rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import platform
import time

import numpy as np
import sklearn

import sklearn_unlearn
from sklearn_unlearn.audit._answers import Task
from sklearn_unlearn.audit._equality import compare_exactly, has_no_noise
from sklearn_unlearn.audit._measures import distances_to_mean, flags_of, measure
from sklearn_unlearn.audit._models import Recorder, Seeds, collect_models, perturbed
from sklearn_unlearn.audit._procedure import Procedure
from sklearn_unlearn.audit._request import (
    check_forget,
    check_persons,
    check_whole_persons,
)
from sklearn_unlearn.audit._results import AuditNumber, UnlearningAudit
from sklearn_unlearn.audit._rule import (
    INCONCLUSIVE,
    LEVEL,
    collect_evidence,
    decide,
    smallest_shift_found,
)
from sklearn_unlearn.audit._training import refuse_frozen, take
from sklearn_unlearn.audit.stress._model_checks import (
    curves_of,
    model_measures,
    numbers_of,
)
from sklearn_unlearn.audit.stress._procedure_checks import (
    MODEL_CHECKS,
    Case,
    check_names,
    procedure_checks,
)
from sklearn_unlearn.base import is_unlearner
from sklearn_unlearn.utils._sklearn_compat import _num_samples

__all__ = ["audit_unlearning"]

# rows that are looked at, of each kind; more would only take longer
N_LOOKED_AT = 1000


def audit_unlearning(
    unlearner,
    X,
    y,
    *,
    forget,
    groups=None,
    X_test=None,
    y_test=None,
    groups_test=None,
    checks="minimal",
    n_references=19,
    n_repeats=8,
    references=None,
    n_permutations=9999,
    n_jobs=None,
    random_state=None,
):
    """Compare an unlearner with models that never saw the forgotten rows.

    The unlearner is fitted several times, forgets each time, and is compared with
    models retrained on the other rows; it is the *procedure* that is judged. Two
    permutation tests with the model as unit decide: against retrained models, and
    against *placebos*, retrained models that went through the same procedure, which
    have all that it leaves but no memory of the rows.

    Parameters
    ----------
    unlearner : estimator instance
        An unlearner, or a pipeline that ends in one; it is cloned. Estimators of
        scikit-learn are wrapped, by
        :class:`~sklearn_unlearn.exact.ExactUnlearner` for instance.
    X : array-like of shape (n_rows, n_features)
        Training rows, those to forget included.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Targets.
    forget : array-like of bool of shape (n_rows,)
        Which rows are to be forgotten.
    groups : array-like of shape (n_rows,), default=None
        Person of each row. Then persons are compared instead of rows: `forget` must
        hold all rows of at least eight persons.
    X_test : array-like of shape (n_test, n_features), default=None
        Rows that no model is fitted on.
    y_test : array-like of shape (n_test,) or (n_test, n_outputs), default=None
        Their targets.
    groups_test : array-like of shape (n_test,), default=None
        Their persons: each counts once.
    checks : {"minimal", "extended"} or list of str, default="minimal"
        Stress tests beside the verdict: none, all, or some of ``"relearning"``,
        ``"probe"`` and ``"masks"``, which look into the models that there are, and
        ``"sequential"``, ``"adaptive"``, ``"recovery"`` and ``"spectrum"``, which fit
        more of them; see :mod:`sklearn_unlearn.audit.stress`.
    n_references : int, default=19
        Number of retrained models to compare with.
    n_repeats : int, default=8
        Number of models that are fitted and forget.
    references : sequence of estimator, default=None
        Retrained models that are there already, such as those of a
        :class:`ReferenceEnsemble`; the others are fitted.
    n_permutations : int, default=9999
        Permutations of each test.
    n_jobs : int, default=None
        Processes, where models cannot be trained as one batch.
    random_state : int or None, default=None
        Source of the seeds of training, of unlearning, and of the audit itself, which
        are independent of one another.

    Returns
    -------
    UnlearningAudit
        Verdict, reasons, and all numbers.

    Raises
    ------
    TypeError
        If `unlearner` is none.
    ValueError
        If it holds a fitted model, there are too few persons, or `forget` is no mask.

    See Also
    --------
    audit_predictions : For a model that cannot be fitted again.
    compare : Several audits in one table.

    Notes
    -----
    ======================================  =========================================
    verdict                                 when
    ======================================  =========================================
    ``DETECTABLE``                          both tests have p <= .05
    ``DIFFERENT, NOT SHOWN TO REMEMBER``    only the first has
    ``NOT DETECTED``                        p > .05, and the interval of the per-row
                                            attack ends below .65
    ``INCONCLUSIVE``                        all else; also where an attack hardly
                                            finds the rows in the *original* models
    ``EQUAL``, ``NOT EQUAL``                of learners without randomness: whether
                                            predictions agree to 1e-8
    ======================================  =========================================

    An exact unlearner has no placebo; the first test decides.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_unlearn.audit import audit_unlearning
    >>> from sklearn_unlearn.neural_network import DropoutClassifier
    >>> from sklearn_unlearn.unlearning import FineTune
    >>> X, y = load_digits(return_X_y=True)
    >>> X = X / 16
    >>> y[:40] = (y[:40] + 1) % 10  # wrong labels, to be forgotten
    >>> forget = [True] * 40 + [False] * 360
    >>> network = DropoutClassifier(
    ...     (32,), max_iter=60, n_iter_no_change=60, learning_rate_init=0.01
    ... )
    >>> audit = audit_unlearning(
    ...     FineTune(network, n_epochs=1),
    ...     X[:400],
    ...     y[:400],
    ...     forget=forget,
    ...     X_test=X[400:600],
    ...     y_test=y[400:600],
    ...     random_state=0,
    ... )
    >>> audit.verdict
    'DETECTABLE'
    """
    started = time.perf_counter()
    _check_unlearner(unlearner)
    names = check_names(checks)
    _check_sizes(n_references, n_repeats)
    forget = check_forget(forget, _num_samples(X))
    persons = check_persons(groups, len(forget))
    if persons is not None:
        check_whole_persons(persons, forget)
    y = np.asarray(y)
    task, seeds = Task(unlearner, y), Seeds(random_state)
    procedure = Procedure(unlearner, X, y, forget, groups, n_jobs)
    setup = _setup(unlearner, task, procedure, forget, persons)
    rows, targets, weights, places = _looked_at(
        X, y, forget, persons, X_test, y_test, groups_test, seeds.evaluation
    )
    if has_no_noise(procedure, task, rows, seeds):
        audit = compare_exactly(procedure, task, rows, targets, seeds)
    else:
        sizes = {"n_repeats": n_repeats, "n_references": n_references}
        audit = _compare_models(
            procedure,
            task,
            (rows, targets, weights, places),
            seeds,
            persons,
            sizes | {"n_permutations": n_permutations},
            references,
            names,
        )
        setup |= sizes
    numbers = n_repeats, n_references, n_jobs, seeds.evaluation.randint(2**31 - 1)
    case = Case(unlearner, X, y, forget, X_test, y_test, *numbers)
    audit = _with_stress_tests(audit, names, case, persons is not None)
    seconds = {**audit.pop("seconds"), "all": time.perf_counter() - started}
    setup |= {"checks": list(names), "random_state": random_state}
    return UnlearningAudit(
        **audit, setup=setup, seconds=seconds, environment=_environment()
    )


def _compare_models(
    procedure, task, looked_at, seeds, persons, sizes, references, names
):
    """Return the parts of an audit of a learner whose models vary."""
    rows, targets, weights, places = looked_at
    measures = model_measures(names, task, rows, targets, seeds.evaluation)
    recorder = Recorder(task, rows, measures)
    views, seconds = collect_models(
        procedure,
        recorder,
        seeds,
        sizes["n_repeats"],
        sizes["n_references"],
        references,
    )
    started = time.perf_counter()
    signals = {
        name: task.signals(view.stacked("forget"), targets["forget"])
        for name, view in views.items()
        if view.answers
    }
    n_signals = task.n_signals(views["original"].stacked("forget"))
    groups = None if persons is None else np.repeat(persons[places], n_signals)
    evidence = collect_evidence(
        signals["unlearned"],
        signals["retrained"],
        signals["original"],
        signals.get("placebo"),
        signals["held out"],
        groups=groups,
        n_permutations=sizes["n_permutations"],
        random_state=seeds.evaluation,
    )
    verdict, reasons = decide(evidence)
    numbers = [
        *_numbers_of(evidence),
        *measure(task, views, targets, weights, seeds.evaluation),
        *numbers_of(views, seeds.evaluation),
    ]
    # where all models answer the same there is no p-value
    matches = not evidence.pvalue <= LEVEL
    found = flags_of(numbers, matches) if verdict != INCONCLUSIVE else []
    smallest = smallest_shift_found(
        signals["held out"],
        signals["retrained"],
        signals["original"],
        groups=groups,
        random_state=seeds.evaluation,
    )
    return {
        "verdict": verdict,
        "flags": tuple(flag for flag, _ in found),
        "reasons": tuple(reasons + [reason for _, reason in found]),
        "limits": _limits(procedure, smallest, _not_measured(measures, views)),
        "area": evidence.area,
        "numbers": tuple(numbers),
        "rows": _row_table(task, views, places),
        "curves": curves_of(views),
        "seconds": {**seconds, "compare": time.perf_counter() - started},
    }


# ------------------------------------------------------------------ what is asked


def _check_unlearner(unlearner):
    refuse_frozen(unlearner)
    if not is_unlearner(unlearner):
        raise TypeError(
            f"{type(unlearner).__name__} cannot forget rows. Wrap it: "
            "ExactUnlearner(estimator), Retrain(estimator), or a pipeline of "
            "sklearn_unlearn.pipeline."
        )


def _check_sizes(n_references, n_repeats):
    for name, value, least in (
        ("n_references", n_references, 3),
        ("n_repeats", n_repeats, 3),
    ):
        if int(value) != value or value < least:
            raise ValueError(f"{name} must be a whole number >= {least}; got {value}.")


def _looked_at(X, y, forget, persons, X_test, y_test, groups_test, rng):
    """Return rows, targets and weights by kind, and positions of forgotten rows."""
    forgotten, retained = np.flatnonzero(forget), np.flatnonzero(~forget)
    places = _some(forgotten, rng)
    kept = _some(retained, rng)
    rows = {"forget": take(X, places), "retain": take(X, kept)}
    targets = {"forget": y[places], "retain": y[kept]}
    ids = {"forget": persons, "retain": persons}
    chosen = {"forget": places, "retain": kept}
    if X_test is not None:
        if y_test is None:
            raise ValueError("y_test must be given with X_test.")
        y_test = np.asarray(y_test)
        tested = _some(np.arange(len(y_test)), rng)
        rows["test"], targets["test"] = take(X_test, tested), y_test[tested]
        ids["test"] = None if groups_test is None else np.asarray(groups_test)
        chosen["test"] = tested
    weights = {
        name: _weights(None if ids[name] is None else ids[name][chosen[name]], len(t))
        for name, t in targets.items()
    }
    moved = perturbed(X, places, rng)
    if moved is not None:
        rows["perturbed"] = moved
    return rows, targets, weights, places


def _some(positions, rng):
    """Return at most so many positions as are looked at."""
    if len(positions) <= N_LOOKED_AT:
        return positions
    return np.sort(rng.choice(positions, N_LOOKED_AT, replace=False))


def _weights(groups, n_rows):
    """Return weights with sum 1: the same for each row, or for each person."""
    if groups is None:
        return np.full(n_rows, 1 / n_rows)
    _, person, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return 1 / (len(sizes) * sizes[person])


# ------------------------------------------------------------------ what is returned


def _numbers_of(evidence):
    """Return the numbers of the verdict."""
    area, low, high = evidence.area
    note = f"90 % interval {low:.3f} to {high:.3f}"
    original = evidence.area_original[0]
    yield AuditNumber(
        "AUC", "pair", area, original, 0.5, pvalue=evidence.pvalue, note=note
    )
    if evidence.area_placebo is not None:
        yield AuditNumber(
            "AUC against placebos",
            "pair",
            evidence.area_placebo[0],
            pvalue=evidence.pvalue_placebo,
        )


def _row_table(task, views, places):
    """Return distances to the retrained models, for each forgotten row."""
    references = views["retrained"].stacked("forget")
    found = {
        name: distances_to_mean(task, views[name].stacked("forget"), references)
        for name in ("original", "unlearned")
    }
    found["retrained"] = distances_to_mean(task, references, references, own=True)
    return {
        "position": places.tolist(),
        **{name: values.mean(axis=0).tolist() for name, values in found.items()},
    }


def _with_stress_tests(audit, names, case, by_persons):
    """Add what stress tests of the unlearner itself find to the parts of an audit."""
    started = time.perf_counter()
    found = procedure_checks(names, case)
    limits = list(found.limits)
    if audit.get("area") is None and set(names) & set(MODEL_CHECKS):
        limits.append(
            "Single models are put to the test only where models vary by their seeds."
        )
    if by_persons and set(names) - set(MODEL_CHECKS):
        limits.append("Requests of the stress tests are for rows, not for persons.")
    new = [(f, why) for f, why in found.flags if f not in audit.get("flags", ())]
    return audit | {
        "numbers": (*audit["numbers"], *found.numbers),
        "curves": audit.get("curves", {}) | found.curves,
        "flags": (*audit.get("flags", ()), *dict.fromkeys(f for f, _ in new)),
        "reasons": (*audit["reasons"], *(why for _, why in found.flags)),
        "limits": (*audit["limits"], *limits),
        "seconds": audit["seconds"] | {"stress": time.perf_counter() - started},
    }


def _not_measured(measures, views):
    """Return the stress tests that unlearned or retrained models did not allow."""
    groups = views["unlearned"].measured, views["retrained"].measured
    return [name for name in measures if not all(name in found for found in groups)]


def _limits(procedure, smallest, left_out):
    """Return sentences on what the audit cannot show."""
    limits = [
        "It judges the procedure on these rows, not a single model, and no other "
        "request.",
        "That nothing was detected does not prove that nothing is left.",
    ]
    if np.isfinite(smallest):
        limits.append(
            "The smallest memory that would have been found: retrained models moved "
            f"{100 * smallest:.0f} % of the way back to the originals."
        )
    else:
        limits.append("Even the originals would not have been found.")
    if not procedure.has_placebo and procedure.guarantee != "exact":
        limits.append(
            "No placebo could be made, so that traces of the procedure itself look "
            "like a memory of the rows."
        )
    if left_out:
        limits.append(
            "Left out, for want of rows, a network, or an output for their class: "
            f"{', '.join(left_out)}."
        )
    return tuple(limits)


def _setup(unlearner, task, procedure, forget, persons):
    return {
        "unlearner": " ".join(repr(unlearner).split()),
        "guarantee": procedure.guarantee,
        "task": "classification" if task.is_classifier else "regression",
        "n_rows": len(forget),
        "n_forget": int(forget.sum()),
        "n_persons": None if persons is None else len(np.unique(persons[forget])),
        "has_placebo": procedure.has_placebo,
    }


def _environment():
    return {
        "sklearn_unlearn": sklearn_unlearn.__version__,
        "sklearn": sklearn.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
