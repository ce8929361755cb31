"""Requests like the real one, to tune with."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.utils import check_random_state, column_or_1d, indexable
from sklearn.utils.multiclass import type_of_target

from sklearn_unlearn.utils._sklearn_compat import (
    Interval,
    StrOptions,
    _num_samples,
    validate_parameter_constraints,
)
from sklearn_unlearn.utils._validation import check_forget_mask

__all__ = ["SurrogateRequests"]

N_BINS = 5  # of targets that are numbers
N_TRIES = 50  # draws of persons, of which the most alike is taken


@dataclass(frozen=True, eq=False)
class SurrogateRequests:
    """Requests that are like a real one, drawn from the retained rows.

    Settings of an unlearner that are chosen by looking at the real request have
    learnt from the rows that are to go, and the retrained model that they are compared
    with is what one wants to do without. So they are chosen on surrogates: requests of
    the same kind for rows that stay.

    Parameters
    ----------
    forget : array-like of shape (n_rows,), dtype=bool
        The real request. Its rows are in none of the surrogates.
    kind : {"like", "random"}, default="like"
        ``"like"``: as many rows, of the same classes, and of as many persons; see the
        notes. ``"random"``: as many rows, drawn with equal probability.
    n_requests : int, default=5
        Number of surrogates.
    random_state : int, RandomState instance or None, default=None
        Source of what is drawn.

    See Also
    --------
    make_forget_set : Forget sets by other plans.
    RequestStream : Requests that follow one another.

    Notes
    -----
    What the real request is decides how ``"like"`` draws:

    * with ``groups``, persons are drawn: for each person of the request another one,
      with all rows if all of hers are asked for, and else with as many. Of fifty such
      draws, the one whose numbers of rows and of rows per class are nearest to the
      real ones is taken;
    * if the request is for whole classes, as many other classes, all of their rows.
      Their size is what it is;
    * otherwise as many rows of each class. Where a class has too few rows that stay,
      others take their place.

    Numbers are classed by the fifths of their distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_unlearn.model_selection import SurrogateRequests
    >>> X, y = load_iris(return_X_y=True)
    >>> forget = np.arange(150) % 15 == 0
    >>> for surrogate in SurrogateRequests(forget, n_requests=2).masks(X, y):
    ...     print(np.bincount(y[surrogate]), (surrogate & forget).any())
    [4 3 3] False
    [4 3 3] False
    """

    forget: object
    kind: str = "like"
    n_requests: int = 5
    random_state: object = None

    _parameter_constraints: ClassVar[dict] = {
        "forget": ["array-like"],
        "kind": [StrOptions({"like", "random"})],
        "n_requests": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __post_init__(self):
        validate_parameter_constraints(
            self._parameter_constraints, vars(self), type(self).__name__
        )

    def masks(self, X, y=None, *, groups=None):
        """Generate the surrogate requests.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            All rows, those of the real request among them.
        y : array-like of shape (n_rows,), default=None
            Targets.
        groups : array-like of shape (n_rows,), default=None
            Ids of persons, say.

        Yields
        ------
        ndarray of bool, shape (n_rows,)
            The rows of a surrogate. Fit on the rows outside of the real request, and
            forget these.

        Raises
        ------
        ValueError
            If not enough rows, classes or persons stay to draw from.
        """
        X, y, groups = indexable(X, y, groups)
        forget = np.zeros(_num_samples(X), dtype=bool)
        forget[check_forget_mask(self.forget, len(forget))] = True
        if not forget.any():
            raise ValueError("forget marks no row: there is no request to be like.")
        strata = _strata(y, len(forget))
        rng = check_random_state(self.random_state)
        draw = self._drawer(forget, strata, y, groups, rng)
        for _ in range(self.n_requests):
            yield draw()

    def _drawer(self, forget, strata, y, groups, rng):
        """Return the function that draws one surrogate."""
        if self.kind == "random":
            return _Rows(forget, np.zeros(len(forget), dtype=int), rng)
        if groups is not None:
            return _Persons(forget, strata, np.asarray(groups), rng)
        if _asks_for_classes(forget, y):
            return _Classes(forget, strata, rng)
        return _Rows(forget, strata, rng)


def _strata(y, n_rows):
    """Return a class number for each row."""
    if y is None:
        return np.zeros(n_rows, dtype=int)
    y = column_or_1d(y)
    if type_of_target(y).startswith("continuous"):
        edges = np.quantile(y, np.arange(1, N_BINS) / N_BINS)
        y = np.searchsorted(edges, y)
    return np.unique(y, return_inverse=True)[1]


def _asks_for_classes(forget, y):
    """Tell whether the request is for all rows of some classes and no others."""
    if y is None or type_of_target(y) not in ("binary", "multiclass"):
        return False
    return not np.isin(np.asarray(y)[~forget], np.asarray(y)[forget]).any()


class _Rows:
    """Draws as many rows of each stratum as the request has."""

    def __init__(self, forget, strata, rng):
        self.n_rows, self.strata, self.rng = int(forget.sum()), strata, rng
        self.stay = np.flatnonzero(~forget)
        self.wanted = np.bincount(strata[forget], minlength=strata.max() + 1)
        if len(self.stay) <= self.n_rows:
            raise ValueError(
                f"forget marks {self.n_rows} of {len(forget)} rows, so that a request "
                "of the same size would leave none. Ask for fewer rows."
            )

    def __call__(self):
        rows = self.rng.permutation(self.stay)
        # the rank of each row within its stratum, in this order
        order = np.argsort(self.strata[rows], kind="stable")
        counts = np.bincount(self.strata[rows], minlength=len(self.wanted))
        starts = np.cumsum(counts) - counts
        rank = np.empty(len(rows), dtype=int)
        rank[order] = np.arange(len(rows)) - np.repeat(starts, counts)
        late = rank >= self.wanted[self.strata[rows]]  # only where others are missing
        mask = np.zeros(len(self.strata), dtype=bool)
        mask[rows[np.argsort(late, kind="stable")[: self.n_rows]]] = True
        return mask


class _Classes:
    """Draws as many whole classes, each as often as the others."""

    def __init__(self, forget, strata, rng):
        self.strata, self.rng = strata, rng
        self.n_classes = len(np.unique(strata[forget]))
        self.stay, self.queue = np.unique(strata[~forget]), []
        if len(self.stay) <= self.n_classes:
            raise ValueError(
                f"forget takes {self.n_classes} whole classes of "
                f"{self.n_classes + len(self.stay)}: a surrogate for as many other "
                'ones would leave none. Set kind="random".'
            )

    def __call__(self):
        if len(self.queue) < self.n_classes:
            self.queue = list(self.rng.permutation(self.stay))
        chosen = [self.queue.pop() for _ in range(self.n_classes)]
        return np.isin(self.strata, chosen)


class _Persons:
    """Draws for each person of the request another one, with as many rows."""

    def __init__(self, forget, strata, groups, rng):
        self.strata, self.rng = strata, rng
        _, self.person = np.unique(groups, return_inverse=True)
        asked = np.bincount(self.person, weights=forget).astype(int)
        sizes = np.bincount(self.person)
        concerned = np.flatnonzero(asked)
        whole = asked[concerned] == sizes[concerned]
        self.n_whole = int(whole.sum())
        # the largest first, since they have the smallest choice
        self.parts = np.sort(asked[concerned[~whole]])[::-1]
        self.stay, self.sizes = np.flatnonzero(asked == 0), sizes
        self.wanted = np.bincount(strata[forget], minlength=strata.max() + 1)
        if len(self.stay) <= len(concerned):
            raise ValueError(
                f"forget concerns {len(concerned)} of {len(sizes)} groups: as many "
                "other ones are needed, and one more that stays."
            )

    def __call__(self):
        tries = [self._draw() for _ in range(N_TRIES)]
        distances = [
            np.abs(self._per_class(mask) - self.wanted).sum() for mask in tries
        ]
        return tries[int(np.argmin(distances))]

    def _per_class(self, mask):
        return np.bincount(self.strata[mask], minlength=len(self.wanted))

    def _draw(self):
        free, mask = self.rng.permutation(self.stay), np.zeros(len(self.person), bool)
        for part in self.parts:
            able = np.flatnonzero(self.sizes[free] >= part)
            if not len(able):
                raise ValueError(
                    f"forget has {part} rows of one group, and no other group has as "
                    "many rows for a surrogate. Leave groups out."
                )
            rows = np.flatnonzero(self.person == free[able[0]])
            mask[self.rng.permutation(rows)[:part]] = True
            free = np.delete(free, able[0])
        is_whole = np.zeros(len(self.sizes), dtype=bool)
        is_whole[free[: self.n_whole]] = True
        return mask | is_whole[self.person]
