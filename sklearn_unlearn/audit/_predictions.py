"""Audit of a single model that cannot be fitted again, from predictions alone."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.utils import check_array

from sklearn_unlearn.audit._results import AuditNumber, UnlearningAudit
from sklearn_unlearn.audit._rule import (
    DETECTABLE,
    DIFFERENT,
    INCONCLUSIVE,
    LEVEL,
    NOT_DETECTED,
)
from sklearn_unlearn.metrics import margin_of_label, rank_test_of_model

__all__ = ["audit_predictions"]


def audit_predictions(
    y, unlearned, retrained, *, original, placebo=None, labels=None, groups=None
):
    """Audit one model by its predictions for the forgotten rows.

    For models that cannot be fitted again. The rank of the model's distance to
    retrained models decides; its level is exact, but it finds less than
    :func:`audit_unlearning`, which compares several models.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Targets of the forgotten rows, as they were learnt.
    unlearned : array-like of shape (n_rows, n_classes) or (n_rows,)
        Probabilities, or predicted numbers, of the model that has forgotten.
    retrained : array-like of shape (n_models, n_rows, n_classes) or (n_models, n_rows)
        Those of models that were fitted without these rows; at least 19.
    original : array-like of shape (n_rows, n_classes) or (n_rows,)
        Those of the model before. If it is not told from retrained models, there is
        nothing to detect.
    placebo : array-like of the shape of `retrained`, default=None
        Those of retrained models that went through the same procedure. Without them a
        trace of the procedure itself looks like a memory of the rows.
    labels : array-like of shape (n_classes,), default=None
        Labels of the columns, as in ``classes_``; 0, 1, ... by default.
    groups : array-like of shape (n_rows,), default=None
        Person of each row: each person counts once.

    Returns
    -------
    UnlearningAudit
        ``"DETECTABLE"``, ``"DIFFERENT, NOT SHOWN TO REMEMBER"``, ``"NOT DETECTED"`` or
        ``"INCONCLUSIVE"``, with reasons.

    Raises
    ------
    ValueError
        If shapes do not fit together.

    See Also
    --------
    audit_unlearning : Fits, unlearns and retrains models by itself.
    sklearn_unlearn.metrics.rank_test_of_model : The test.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.audit import audit_predictions
    >>> rng = np.random.default_rng(1)
    >>> y = rng.normal(size=50)
    >>> retrained = 0.2 * rng.normal(size=(19, 50))
    >>> original = y + 0.1 * rng.normal(size=50)
    >>> audit_predictions(y, original, retrained, original=original).verdict
    'DETECTABLE'
    >>> fresh = 0.2 * rng.normal(size=50)
    >>> audit_predictions(y, fresh, retrained, original=original).verdict
    'NOT DETECTED'
    """
    y = np.asarray(y)
    retrained = _signals(y, retrained, "retrained", labels, several=True)
    tests = {
        name: rank_test_of_model(
            _signals(y, values, name, labels)[0],
            retrained,
            alternative="greater",
            groups=groups,
        )
        for name, values in (("unlearned", unlearned), ("original", original))
    }
    if placebo is not None:
        tests["placebo"] = rank_test_of_model(
            _signals(y, unlearned, "unlearned", labels)[0],
            _signals(y, placebo, "placebo", labels, several=True),
            alternative="greater",
            groups=groups,
        )
    verdict, reasons = _decide(tests)
    return UnlearningAudit(
        verdict,
        reasons=tuple(reasons),
        limits=(
            "It judges one model by its predictions for these rows.",
            "That nothing was detected does not prove that nothing is left.",
        ),
        numbers=tuple(_numbers(tests)),
        setup={
            "n_references": len(retrained),
            "n_repeats": 1,
            "n_forget": len(y),
            "has_placebo": placebo is not None,
        },
    )


def _signals(y, values, name, labels, several=False):
    """Return margins, or predicted numbers, of shape (n_models, n_rows)."""
    values = check_array(
        values, ensure_2d=False, allow_nd=True, dtype=float, input_name=name
    )
    values = values if several else values[np.newaxis]
    if values.ndim not in (2, 3) or values.shape[1] != len(y):
        shape = ("n_models, " if several else "") + str(len(y))
        raise ValueError(
            f"{name} must have shape ({shape}) of numbers, or ({shape}, n_classes) of "
            f"probabilities; got {values.shape if several else values.shape[1:]}."
        )
    if values.ndim == 2:
        return values
    return np.stack([margin_of_label(proba, y, labels=labels) for proba in values])


def _decide(tests):
    unlearned, original, placebo = (
        tests.get(name) for name in ("unlearned", "original", "placebo")
    )
    for test in (unlearned, placebo):
        if test is not None and np.isnan(test.pvalue):
            return INCONCLUSIVE, [f"Not computable: {test.reason}."]
    if not original.pvalue <= LEVEL:
        return INCONCLUSIVE, [
            "There is nothing to detect: the original model is not told from retrained "
            f"ones either (p = {original.pvalue:.3f})."
        ]
    found = (
        f"The model is further from retrained models than they are from one another "
        f"(p = {unlearned.pvalue:.3f})."
    )
    if unlearned.pvalue > LEVEL:
        return NOT_DETECTED, [
            "The model is no further from retrained models than they are from one "
            f"another (p = {unlearned.pvalue:.3f}), where the original is (p = "
            f"{original.pvalue:.3f})."
        ]
    if placebo is None:
        return DETECTABLE, [
            found,
            "No placebos were given: a trace of the procedure itself would look the "
            "same.",
        ]
    if placebo.pvalue > LEVEL:
        return DIFFERENT, [
            found,
            "So are retrained models that went through the same procedure: it explains "
            f"the difference (p = {placebo.pvalue:.3f}).",
        ]
    return DETECTABLE, [
        found,
        f"It is also far from placebos (p = {placebo.pvalue:.3f}).",
    ]


def _numbers(tests):
    """Return the distances, in units of those among retrained models."""
    for name, other in (("unlearned", "original"), ("placebo", None)):
        if name not in tests:
            continue
        against = "placebos" if name == "placebo" else "retrained models"
        test = tests[name]
        yield AuditNumber(
            f"distance to {against}",
            "forget",
            test.effect,
            None if other is None else tests[other].effect,
            1.0,
            pvalue=None if np.isnan(test.pvalue) else test.pvalue,
            note="in units of the mean distance of a retrained model to the others",
        )
