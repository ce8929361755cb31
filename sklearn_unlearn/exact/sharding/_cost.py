"""Average cost of a request to forget rows from an ensemble of shards and slices."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral

import numpy as np

__all__ = ["sisa_cost"]


def sisa_cost(n_rows, n_shards, n_slices=1, n_requests=1):
    """Return how many rows `SISAClassifier` trains on, on average, to forget some.

    Rows are counted so that training the whole ensemble from scratch costs each row
    once, however many slices there are.

    Parameters
    ----------
    n_rows : int
        Rows that the ensemble was fitted to.
    n_shards, n_slices : int
        As in `SISAClassifier`.
    n_requests : int, default=1
        Rows that are forgotten at once, drawn at random from all.

    Returns
    -------
    float
        Expected number of rows, for all requests together.

    Raises
    ------
    ValueError
        If a number is not a positive integer, or `n_requests` is not below `n_rows`.

    See Also
    --------
    SISAClassifier : The ensemble.

    Notes
    -----
    A shard is trained again from the first slice in which a row goes. Of :math:`k`
    random rows none lies in the first :math:`j` of :math:`L` slices of one of :math:`S`
    shards with probability :math:`(1 - j/(SL))^k`. Slice :math:`j` reads the rows of
    the first :math:`j` slices, a share :math:`2j/(L(L+1))` of the work. With the
    :math:`n - k` rows that stay this makes

    .. math:: (n - k) \\sum_{j=1}^{L} \\frac{2j}{L(L+1)}
              \\left(1 - \\left(1 - \\frac{j}{SL}\\right)^k\\right),

    for one request :math:`(n - 1)(2L + 1)/(3LS)`: slices save at most a third. Each
    row goes to a slice by its own hash, so only the rounding of epochs is neglected.

    Examples
    --------
    >>> from sklearn_unlearn.exact import sisa_cost
    >>> round(sisa_cost(1_000_000, n_shards=5))
    200000
    >>> round(sisa_cost(1_000_000, n_shards=5, n_slices=4))
    150000
    """
    _check_counts(
        n_rows=n_rows, n_shards=n_shards, n_slices=n_slices, n_requests=n_requests
    )
    j = np.arange(1, n_slices + 1)
    share = 2 * j / (n_slices * (n_slices + 1))
    with np.errstate(divide="ignore"):  # all slices of a single shard: log of 0
        # not 1 - (1 - p)^k, which loses its digits where p is small
        log_untouched = n_requests * np.log1p(-j / (n_shards * n_slices))
    return float((n_rows - n_requests) * (share * -np.expm1(log_untouched)).sum())


def _check_counts(**counts):
    """Raise unless all are positive integers, and fewer rows go than there are."""
    for name, value in counts.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(
                f"{name} must be a whole number of at least 1; got {value!r}."
            )
    n_rows, n_requests = counts["n_rows"], counts["n_requests"]
    if n_requests >= n_rows:
        raise ValueError(
            f"n_requests={n_requests} would forget all of n_rows={n_rows}: nothing "
            "would be left to train on."
        )
