"""How many requests an ensemble of sequences of slices stands, by formula."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from sklearn_unlearn.neural_network.s3t._sequence import choose_sequences
from sklearn_unlearn.utils._sklearn_compat import Interval, validate_params

__all__ = ["S3TCost", "s3t_cost", "simulate_requests"]


@dataclass(frozen=True)
class S3TCost:
    """Expected cost of requests to an ensemble of sequences of slices.

    Requests are single rows, each drawn from all rows. How many rows there are
    does not matter.

    Parameters
    ----------
    first_retraining : float
        Number of requests, the last one included, until a shard has to be trained
        again for the first time.
    failure : float
        Number of requests until no shard is left, if none is trained again.
    fit_per_request : float
        Share of a complete fit that a request costs in the long run, if shards are
        trained again as soon as they have to be.
    slices_in_use : float
        Number of slices of a shard in the sequence that predicts after `n_requests`
        requests, if no shard is trained again.

    See Also
    --------
    s3t_cost : Computes it.

    Examples
    --------
    >>> from sklearn_unlearn.neural_network import s3t_cost
    >>> round(s3t_cost(n_shards=5, n_slices=6, n_sequences=1).first_retraining, 6)
    6.0
    """

    first_retraining: float
    failure: float
    fit_per_request: float
    slices_in_use: float


@validate_params(
    {
        "n_shards": [Interval(Integral, 1, None, closed="left")],
        "n_slices": [Interval(Integral, 1, 20, closed="both")],
        "n_sequences": [Interval(Integral, 1, 1000, closed="both")],
        "n_requests": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def s3t_cost(n_shards=5, n_slices=4, n_sequences=2, *, n_requests=0):
    """Compute what requests will cost, before anything is fitted.

    Parameters
    ----------
    n_shards : int, default=5
        Number of shards.
    n_slices : int, default=4
        Number of slices of a shard, at most 20.
    n_sequences : int, default=2
        Number of sequences of a shard, at most 1000.
    n_requests : int, default=0
        Requests after which ``slices_in_use`` is asked for.

    Returns
    -------
    S3TCost
        Expected values.

    See Also
    --------
    S3TClassifier : The ensemble that is meant.

    Notes
    -----
    A request hits each of the ``S L`` slices of all shards equally often. A shard
    is lost when the first slices of its ``b = min(B, L)`` different beginnings
    are hit. So all are lost after ``S L H(S b)`` requests on average, where
    ``H(k) = 1 + 1/2 + ... + 1/k``, and one of them after

    ``S L`` times the integral of ``(1 - (1 - exp(-u)) ** b) ** S`` over ``u > 0``.

    A shard that is trained again each time lasts for ``L H(b)`` of its own
    requests. After ``t`` requests, ``k`` slices are all untouched with probability
    ``(1 - k / (S L)) ** t``; inclusion and exclusion over the sequences gives the
    longest prefix.

    Examples
    --------
    >>> from sklearn_unlearn.neural_network import s3t_cost
    >>> cost = s3t_cost(n_shards=5, n_slices=6, n_sequences=3, n_requests=20)
    >>> round(cost.first_retraining), round(cost.failure)
    (23, 100)
    >>> round(cost.fit_per_request, 3), round(cost.slices_in_use, 1)
    (0.018, 2.0)
    """
    n_starts, n_cells = min(n_sequences, n_slices), n_shards * n_slices
    first = n_cells * _time_until_first_loss(n_shards, n_starts)
    orders = choose_sequences(range(n_slices), n_sequences)
    in_use = sum(
        _probability_of_prefix(orders, length, n_cells, n_requests)
        for length in range(1, n_slices + 1)
    )
    return S3TCost(
        first_retraining=first,
        failure=n_cells * _harmonic(n_shards * n_starts),
        fit_per_request=1 / (n_cells * _harmonic(n_starts)),
        slices_in_use=in_use,
    )


def _harmonic(n):
    """Return 1 + 1/2 + ... + 1/n."""
    return float((1 / np.arange(1, n + 1)).sum())


def _time_until_first_loss(n_shards, n_starts):
    """Integrate the probability that every shard has an untouched first slice.

    Time is counted in requests for each slice.
    """
    # with v = 1 - exp(-u), the powers of v integrate to sums of 1 / j; a rule of
    # Gauss is exact for the polynomial (1 - v ** b) ** S / (1 - v)
    nodes, weights = np.polynomial.legendre.leggauss(n_shards * n_starts // 2 + 1)
    v = (nodes + 1) / 2
    geometric = (v[:, None] ** np.arange(n_starts)).sum(axis=1)
    alive = (1 - v**n_starts) ** (n_shards - 1) * geometric
    return float((weights * alive).sum() / 2)


def _probability_of_prefix(orders, length, n_cells, n_requests):
    """Return the probability that the first `length` slices of an order are untouched.

    Of any of the orders; inclusion and exclusion runs over the sets of their slices,
    which are bits of an integer.
    """
    masks, signs = np.zeros(1, dtype=np.int64), -np.ones(1)
    for order in orders:
        mask = sum(1 << number for number in order[:length])
        joined = np.concatenate([masks, masks | mask])
        masks, place = np.unique(joined, return_inverse=True)
        signs = np.bincount(place, weights=np.concatenate([signs, -signs]))
    size = np.array([mask.bit_count() for mask in masks.tolist()])
    untouched = (1 - size / n_cells) ** n_requests
    return float((signs * untouched)[size > 0].sum())


def simulate_requests(n_shards, n_slices, n_sequences, rng):
    """Delete rows one by one until no shard is left.

    Parameters
    ----------
    n_shards, n_slices, n_sequences : int
        Numbers of shards, of slices of a shard, and of its sequences.
    rng : numpy.random.Generator
        Source of the requests.

    Returns
    -------
    first : int
        The request by which the first shard is lost.
    lengths : ndarray of int, shape (n_requests + 1, n_shards)
        Longest prefixes after each request; the first entry is before any.
    """
    orders = choose_sequences(range(n_slices), n_sequences)
    longest = np.full(n_shards, n_slices)
    left = np.full((n_shards, len(orders)), n_slices)
    lengths = [longest]
    position = np.array([np.argsort(order) for order in orders])
    while longest.any():
        shard, hit = rng.integers(n_shards), rng.integers(n_slices)
        left[shard] = np.minimum(left[shard], position[:, hit])
        longest = left.max(axis=1)
        lengths.append(longest)
    lengths = np.array(lengths)
    return int((lengths == 0).any(axis=1).argmax()), lengths
