"""Requests that follow one another, by the habits that people have."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.utils import check_random_state, column_or_1d, indexable

from sklearn_unlearn.model_selection.forget_sets._taking import (
    check_groups,
    descending,
)
from sklearn_unlearn.model_selection.forget_sets._target import Target, predict_rows
from sklearn_unlearn.utils._sklearn_compat import (
    Interval,
    StrOptions,
    _num_samples,
    _safe_indexing,
    validate_parameter_constraints,
)

__all__ = ["RequestStream"]

# sizes of bursts: the smaller, the fewer requests have most of the rows
CONCENTRATION = 0.1


@dataclass(frozen=True)
class RequestStream:
    """Stream of requests to forget, each for rows that were not asked for before.

    Methods that answer one request well may wear out, and a guarantee that holds for
    requests made in advance may not hold for those that are chosen after looking at the
    model [1]_. A stream makes the requests; the model answers them one by one.

    Parameters
    ----------
    kind : {"random", "difficulty", "bursts", "person", "adaptive"}, default="random"
        Which rows come next; see the notes.
    n_requests : int, default=10
        Number of requests.
    n_rows : int, default=1
        Rows of a request; of ``"bursts"``, their mean number.
    random_state : int, RandomState instance or None, default=None
        Source of what is drawn, and of the order of equal rows.

    See Also
    --------
    SurrogateRequests : Requests that are like one that was made.
    sklearn_unlearn.exact.Retrain : ``reseed=True`` holds against adaptive requests.

    Notes
    -----
    ``"random"``
        Rows with equal probability.
    ``"difficulty"``
        The rows of the highest score first; see :func:`forget_set_difficulty`.
    ``"bursts"``
        Rows with equal probability, as many as ``"random"`` in all, but most requests
        are for one row and a few for very many.
    ``"person"``
        One person after the other, each in many requests: a request has rows of one
        person alone, and fewer than `n_rows` if she has no more.
    ``"adaptive"``
        The rows whose targets the present model fits best, among those that are left.
        Ties are decided by lot.

    References
    ----------
    .. [1] V. Gupta, C. Jung, S. Neel, A. Roth, S. Sharifi-Malvajerdi and C. Waites,
       "Adaptive Machine Unlearning", NeurIPS, 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> from sklearn_unlearn.model_selection import RequestStream
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ExactUnlearner(GaussianNB()).fit(X, y)
    >>> stream = RequestStream("adaptive", n_requests=5, n_rows=2, random_state=0)
    >>> for forget in stream.masks(X, y, estimator=model):
    ...     model = model.unlearn(X[forget], y[forget])
    >>> model.n_forgotten_
    10
    """

    kind: str = "random"
    n_requests: int = 10
    n_rows: int = 1
    random_state: object = None

    _parameter_constraints: ClassVar[dict] = {
        "kind": [StrOptions({"random", "difficulty", "bursts", "person", "adaptive"})],
        "n_requests": [Interval(Integral, 1, None, closed="left")],
        "n_rows": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __post_init__(self):
        validate_parameter_constraints(
            self._parameter_constraints, vars(self), type(self).__name__
        )

    def masks(self, X, y=None, *, groups=None, difficulty=None, estimator=None):
        """Generate the requests.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_rows, n_features)
            All training rows.
        y : array-like of shape (n_rows,), default=None
            Their targets, for ``"adaptive"``.
        groups : array-like of shape (n_rows,), default=None
            Ids, for ``"person"``.
        difficulty : array-like of shape (n_rows,), default=None
            Scores, for ``"difficulty"``.
        estimator : estimator instance, default=None
            The fitted model, for ``"adaptive"``. Its predictions are looked at when the
            next request is asked for, so let it ``unlearn`` each before that.

        Yields
        ------
        ndarray of bool, shape (n_rows,)
            The rows of a request. No row is in two of them.

        Raises
        ------
        ValueError
            If what the kind needs is missing, or there are not enough rows.
        """
        X, y, groups, difficulty = indexable(X, y, groups, difficulty)
        self._check(y=y, groups=groups, difficulty=difficulty, estimator=estimator)
        n_all, rng = _num_samples(X), check_random_state(self.random_state)
        if self.n_requests * self.n_rows >= n_all and self.kind != "person":
            raise ValueError(
                f"{self.n_requests} requests of {self.n_rows} rows would leave none of "
                f"the {n_all} rows. Lower n_requests or n_rows."
            )
        if self.kind == "adaptive":
            requests = self._by_model(X, column_or_1d(y), estimator, rng)
        elif self.kind == "person":
            requests = self._by_person(check_groups(groups, n_all), rng)
        else:
            scores = np.zeros(n_all) if difficulty is None else column_or_1d(difficulty)
            cuts = np.cumsum(self._sizes(rng))
            requests = np.split(descending(scores, rng)[: cuts[-1]], cuts[:-1])
        for rows in requests:
            mask = np.zeros(n_all, dtype=bool)
            mask[rows] = True
            yield mask

    def _check(self, **given):
        """Raise unless exactly what the kind looks at is given."""
        needs = {
            "difficulty": {"difficulty"},
            "person": {"groups"},
            "adaptive": {"y", "estimator"},
        }.get(self.kind, set())
        for name in sorted(needs):
            if given[name] is None:
                raise ValueError(f'kind="{self.kind}" needs {name}, which is None.')
        for name in ("difficulty", "groups", "estimator"):
            if given[name] is not None and name not in needs:
                raise ValueError(
                    f'kind="{self.kind}" does not look at {name}: leave it out.'
                )

    def _sizes(self, rng):
        """Return the numbers of rows of the requests."""
        sizes = np.full(self.n_requests, self.n_rows)
        if self.kind == "bursts":
            shares = rng.dirichlet(np.full(self.n_requests, CONCENTRATION))
            more = self.n_requests * (self.n_rows - 1)
            sizes = 1 + rng.multinomial(more, shares)
        return sizes

    def _by_person(self, groups, rng):
        """Return the rows of each request, one person after the other."""
        _, person = np.unique(groups, return_inverse=True)
        order = rng.permutation(len(groups))
        by_lot = rng.permutation(person.max() + 1)[person]
        order = order[np.argsort(by_lot[order], kind="stable")]
        ends = np.flatnonzero(np.diff(by_lot[order])) + 1
        requests = [
            rows[start : start + self.n_rows]
            for rows in np.split(order, ends)
            for start in range(0, len(rows), self.n_rows)
        ]
        if len(requests) <= self.n_requests:
            raise ValueError(
                f"{self.n_requests} requests of {self.n_rows} rows of one group would "
                f"leave none: all rows are gone after {len(requests)}. Lower "
                "n_requests or n_rows."
            )
        return requests[: self.n_requests]

    def _by_model(self, X, y, estimator, rng):
        """Yield the rows that the model fits best when the request is made."""
        target, left = Target.of(estimator, y), np.arange(len(y))
        for _ in range(self.n_requests):
            rows = _safe_indexing(X, left)
            predictions = predict_rows(estimator, rows, target.classes)
            order = descending(-target.take(left).loss(predictions), rng)
            yield left[order[: self.n_rows]]
            left = np.delete(left, order[: self.n_rows])
