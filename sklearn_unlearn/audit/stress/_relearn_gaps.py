"""Relearn curves of unlearned models beside those of retrained ones."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Real

import numpy as np
from sklearn.utils import check_array

from sklearn_unlearn.utils._sklearn_compat import Interval, validate_params

__all__ = ["anamnesis_index", "revival_gap_error"]


def revival_gap_error(curves_unlearned, curves_retrained):
    """Area between relearn curves of unlearned and of retrained models.

    Parameters
    ----------
    curves_unlearned : array-like of shape (n_steps + 1,) or (n_models, n_steps + 1)
        What :func:`relearn_curve` returns.
    curves_retrained : array-like of shape (n_steps + 1,) or (n_models, n_steps + 1)
        Those of retrained models, of the same rows and the same learning rate.

    Returns
    -------
    float
        Mean difference over the steps, in the units of the curves. A perfect unlearner
        gets 0 on average; above it, something of the rows was left.

    See Also
    --------
    relearn_curve : Makes the curves.

    Examples
    --------
    >>> from sklearn_unlearn.audit.stress import revival_gap_error
    >>> revival_gap_error([0.0, 2.0, 4.0], [[0.0, 1.0, 2.0], [0.0, 1.0, 4.0]])
    0.6666666666666666
    """
    unlearned, retrained = _curves(curves_unlearned, curves_retrained)
    return float(np.mean(unlearned.mean(axis=0) - retrained.mean(axis=0)))


@validate_params(
    {
        "score_original": [Real],
        "tolerance": [Interval(Real, 0, 1, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def anamnesis_index(
    curves_unlearned, curves_retrained, score_original, *, tolerance=0.05
):
    """Time until forgotten rows are known again, over that of retrained models.

    Parameters
    ----------
    curves_unlearned : array-like of shape (n_steps + 1,) or (n_models, n_steps + 1)
        What ``relearn_curve(..., response="score")`` returns.
    curves_retrained : array-like of shape (n_steps + 1,) or (n_models, n_steps + 1)
        Those of retrained models.
    score_original : float
        The score of the original model on the rows that are looked at.
    tolerance : float, default=0.05
        Rows are known again where the score is at most this share below the original's.

    Returns
    -------
    float
        Ratio of mean numbers of steps [1]_. A perfect unlearner gets 1 on average; less
        says that knowledge was left. ``nan`` if retrained models need no step at all,
        or no model gets there: train for more steps. One that does not get there counts
        with one step more than there are.

    See Also
    --------
    revival_gap_error : Needs no threshold, and is less noisy.

    References
    ----------
    .. [1] V. S. Chundawat, A. K. Tarun, M. Mandal and M. Kankanhalli, "Zero-Shot
       Machine Unlearning", IEEE Transactions on Information Forensics and Security,
       2023.

    Examples
    --------
    >>> from sklearn_unlearn.audit.stress import anamnesis_index
    >>> anamnesis_index([0.5, 0.9, 1.0], [0.2, 0.5, 0.96], score_original=1.0)
    1.0
    >>> anamnesis_index([0.5, 0.96, 1.0], [0.2, 0.5, 0.96], score_original=1.0)
    0.5
    """
    unlearned, retrained = _curves(curves_unlearned, curves_retrained)
    least = score_original - tolerance * abs(score_original)

    def steps(curves):
        there = curves >= least
        return np.where(there.any(axis=1), there.argmax(axis=1), curves.shape[1])

    own, others = steps(unlearned), steps(retrained)
    censored = np.concatenate([own, others]) == unlearned.shape[1]
    if censored.all() or not others.any():
        return float("nan")
    return float(own.mean() / others.mean())


def _curves(unlearned, retrained):
    """Return checked curves of shape (n_models, n_steps + 1)."""
    pair = [
        np.atleast_2d(check_array(c, ensure_2d=False, dtype=float, input_name=name))
        for c, name in (
            (unlearned, "curves_unlearned"),
            (retrained, "curves_retrained"),
        )
    ]
    if pair[0].shape[1] != pair[1].shape[1]:
        raise ValueError(
            "curves_unlearned and curves_retrained must have as many steps; got "
            f"{pair[0].shape[1] - 1} and {pair[1].shape[1] - 1}."
        )
    return pair
