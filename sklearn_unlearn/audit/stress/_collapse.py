"""An alarm for models that wear out: a sum of what is worse than by chance."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array

from sklearn_unlearn.utils._sklearn_compat import Interval, validate_params

__all__ = ["CollapseAlarm", "collapse_alarm", "spread_of_changes"]

# changes by less than this share of the value at the start are no collapse, also where
# retrained models do not vary at all
SMALLEST_SHARE = 0.01


class CollapseAlarm(NamedTuple):
    """Sums of changes for the worse, and where they become an alarm.

    The sums start at 0, and return to 0 while nothing is worse.

    Parameters
    ----------
    sums : ndarray of shape (n_requests + 1,)
        Before, and after each request.
    limit : float
        What a sum must exceed for an alarm.
    request : int or None
        The first request after which it does, counted from 1; None without an alarm.

    See Also
    --------
    collapse_alarm : Computes them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.audit.stress import CollapseAlarm
    >>> CollapseAlarm(np.array([0.0, 9.0]), 5.0, 1).request
    1
    """

    sums: np.ndarray
    limit: float
    request: int | None


@validate_params(
    {
        "slack": [Interval(Real, 0, None, closed="left")],
        "threshold": [Interval(Real, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def collapse_alarm(values, values_retrained, *, slack=0.5, threshold=5.0):
    """Watch a quantity over requests, and tell when it leaves that of retrained models.

    The one-sided cumulative sum [1]_ of changes since the start, in standard deviations
    of those of models that are retrained after each request.

    Parameters
    ----------
    values : array-like of shape (n_requests + 1,)
        Of the model before, and after each request; lower is better, such as a loss on
        rows that are kept.
    values_retrained : array-like of shape (n_models, n_requests + 1)
        Of three or more models fitted on what was left each time.
    slack : float, default=0.5
        What is taken off each change before it is added.
    threshold : float, default=5.0
        By how much a sum must exceed the largest one of a sequence of retrained models,
        each of which is compared with the others.

    Returns
    -------
    CollapseAlarm
        Sums, limit and the request of the alarm. A perfect unlearner with noise raises
        one by chance in about 1 % of streams of five requests, and 4 % of those of ten,
        with five retrained models.

    See Also
    --------
    sequential_unlearning : Watches an unlearner.

    References
    ----------
    .. [1] E. S. Page, "Continuous Inspection Schemes", Biometrika, 1954.

    Examples
    --------
    >>> from sklearn_unlearn.audit.stress import collapse_alarm
    >>> retrained = [[0.50, 0.51, 0.50], [0.48, 0.48, 0.50], [0.49, 0.50, 0.50]]
    >>> collapse_alarm([0.49, 0.50, 0.90], retrained).request
    2
    """
    own = check_array(values, ensure_2d=False, dtype=float, input_name="values")
    others = check_array(
        values_retrained,
        dtype=float,
        ensure_min_samples=3,
        input_name="values_retrained",
    )
    if own.ndim != 1 or others.shape[1] != len(own):
        raise ValueError(
            "values must have shape (n_requests + 1,) and values_retrained (n_models, "
            f"n_requests + 1); got {own.shape} and {others.shape}."
        )
    spread = spread_of_changes(others)
    own, others = own - own[0], others - others[:, :1]
    n = len(others)
    means_of_others = (others.sum(axis=0) - others) / (n - 1)
    sums = _sums((own - others.mean(axis=0)) / (spread * np.sqrt(1 + 1 / n)), slack)
    of_retrained = [
        _sums(z, slack)
        for z in (others - means_of_others) / (spread * np.sqrt(1 + 1 / (n - 1)))
    ]
    # as much noise as they have is no reason for an alarm
    limit = threshold + float(np.max(of_retrained))
    above = np.flatnonzero(sums > limit)
    return CollapseAlarm(sums, limit, int(above[0]) if len(above) else None)


def spread_of_changes(retrained):
    """Return the standard deviation of changes among retrained models.

    Parameters
    ----------
    retrained : ndarray of shape (n_models, n_requests + 1)

    Returns
    -------
    float
    """
    changes = (retrained - retrained[:, :1])[:, 1:]
    least = SMALLEST_SHARE * float(np.abs(retrained[:, 0]).mean())
    spread = float(np.sqrt(changes.var(axis=0, ddof=1).mean())) if changes.size else 0.0
    return max(spread, least, np.finfo(float).tiny)


def _sums(z, slack):
    """Return cumulative sums that never fall below 0."""
    sums = np.zeros(len(z))
    for k in range(1, len(z)):
        sums[k] = max(0.0, sums[k - 1] + z[k] - slack)
    return sums
