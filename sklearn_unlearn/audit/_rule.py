"""The verdict, and the numbers that decide it.

Two tests whose unit is the model. Are unlearned models told from retrained ones? And
from placebos, which are retrained models that went through the same procedure? Only a
difference that both show is a memory of the rows: what the procedure itself leaves,
such as longer training, the placebos have as well.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass

import numpy as np

from sklearn_unlearn.metrics import membership_auc, permutation_test_of_models

__all__ = [
    "DETECTABLE",
    "DIFFERENT",
    "EQUAL",
    "INCONCLUSIVE",
    "NOT_DETECTED",
    "NOT_EQUAL",
    "Evidence",
    "collect_evidence",
    "decide",
    "smallest_shift_found",
]

DETECTABLE = "DETECTABLE"
DIFFERENT = "DIFFERENT, NOT SHOWN TO REMEMBER"
NOT_DETECTED = "NOT DETECTED"
INCONCLUSIVE = "INCONCLUSIVE"
EQUAL = "EQUAL"
NOT_EQUAL = "NOT EQUAL"

LEVEL = 0.05
# of the alarm that something is wrong with the audit itself
DEFECT_LEVEL = 0.001
# an attack with less area than this finds nothing worth the name
SMALL_AREA = 0.65
CONFIDENCE = 0.9


@dataclass(frozen=True)
class Evidence:
    """The numbers that a verdict is read from.

    Attributes
    ----------
    pvalue : float
        Unlearned against retrained models.
    pvalue_placebo : float or None
        Unlearned models against placebos; None where there are none.
    area, area_original, area_placebo : (value, low, high) or None
        Areas of the per-row attack against retrained models; the last one of unlearned
        models against placebos.
    pvalue_retrained : float or None
        Retrained models against others of their kind, which should not differ.
    """

    pvalue: float
    pvalue_placebo: float | None
    area: tuple
    area_original: tuple
    area_placebo: tuple | None
    pvalue_retrained: float | None


def collect_evidence(
    unlearned,
    retrained,
    original,
    placebo=None,
    held_out=None,
    *,
    groups=None,
    n_permutations=9999,
    with_placebo_area=True,
    random_state=None,
):
    """Compare signals of models, each of shape (n_models, n_rows), on forgotten rows.

    Parameters
    ----------
    unlearned, retrained, original : ndarray of shape (n_models, n_rows)
    placebo : ndarray of shape (n_models, n_rows), default=None
        Retrained models after the procedure.
    held_out : ndarray of shape (n_models, n_rows), default=None
        More retrained models.
    groups : ndarray of shape (n_rows,), default=None
        Person of each row.
    n_permutations : int, default=9999
    with_placebo_area : bool, default=True
        Whether to measure the attack against placebos, which decides nothing.
    random_state : int or RandomState, default=None

    Returns
    -------
    Evidence
    """

    def pvalue(first, second):
        test = permutation_test_of_models(
            first,
            second,
            n_permutations=n_permutations,
            groups=groups,
            random_state=random_state,
        )
        return test.pvalue

    def area(first, second):
        found = membership_auc(
            first,
            second,
            groups=groups,
            return_interval=True,
            confidence_level=CONFIDENCE,
        )
        return tuple(map(float, found))

    return Evidence(
        pvalue(unlearned, retrained),
        None if placebo is None else pvalue(unlearned, placebo),
        area(unlearned, retrained),
        area(original, retrained),
        area(unlearned, placebo) if placebo is not None and with_placebo_area else None,
        None if held_out is None else pvalue(held_out, retrained),
    )


def decide(evidence):
    """Return the verdict, and its reasons in words.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    verdict : str
    reasons : list of str
    """
    e = evidence
    if e.pvalue_retrained is not None and e.pvalue_retrained < DEFECT_LEVEL:
        return INCONCLUSIVE, [
            f"Models retrained from other seeds differ (p = {e.pvalue_retrained:.4f}): "
            "something is wrong with the references, so that nothing can be said."
        ]
    if not e.area_original[1] > SMALL_AREA:
        return INCONCLUSIVE, [
            "There is nothing to detect: an attack hardly tells the original models "
            f"from retrained ones (area {_area(e.area_original)}; its lower end would "
            f"have to be above {SMALL_AREA}). The rows left few traces, or too few "
            "models were compared."
        ]
    differs = f"Unlearned and retrained models differ (p = {e.pvalue:.4f})."
    if e.pvalue <= LEVEL and e.pvalue_placebo is None:
        return DETECTABLE, [differs]
    if e.pvalue <= LEVEL and e.pvalue_placebo <= LEVEL:
        return DETECTABLE, [
            differs,
            "They also differ from retrained models that went through the same "
            f"procedure (p = {e.pvalue_placebo:.4f}), so the difference is a memory of "
            "the rows.",
        ]
    if e.pvalue <= LEVEL:
        return DIFFERENT, [
            differs,
            "From retrained models that went through the same procedure they do not "
            f"differ (p = {e.pvalue_placebo:.4f}): the procedure itself explains it.",
        ]
    same = f"Unlearned and retrained models were not told apart (p = {e.pvalue:.4f})."
    if np.isnan(e.pvalue):  # as of a class that none of them knows any more
        same = "All unlearned and retrained models give the same answers for the rows."
    if e.area[2] < SMALL_AREA:
        return NOT_DETECTED, [
            same,
            f"An attack that finds the rows has an area of {_area(e.area)}, below "
            f"{SMALL_AREA}.",
        ]
    return INCONCLUSIVE, [
        same,
        f"But an attack may still have an area of up to {e.area[2]:.2f} "
        f"({_area(e.area)}): compare more models.",
    ]


def _area(area):
    return "{:.2f} [{:.2f}, {:.2f}]".format(*area)


def smallest_shift_found(
    held_out, retrained, original, *, groups=None, random_state=None
):
    """Return the smallest memory that the first test would have found.

    Retrained models are moved a part of the way to the originals.

    Parameters
    ----------
    held_out, retrained, original : ndarray of shape (n_models, n_rows)
    groups : ndarray of shape (n_rows,), default=None
    random_state : int or RandomState, default=None

    Returns
    -------
    float
        A share of the way; ``nan`` if even all of it would not have been found.
    """
    way = original.mean(axis=0) - retrained.mean(axis=0)
    # without the difference that there is by chance
    held_out = held_out - held_out.mean(axis=0) + retrained.mean(axis=0)
    for share in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0):
        test = permutation_test_of_models(
            held_out + share * way,
            retrained,
            n_permutations=999,
            groups=groups,
            random_state=random_state,
        )
        # without noise between models, whatever differs is found
        if test.pvalue <= LEVEL or (np.isnan(test.pvalue) and way.any()):
            return share
    return np.nan
