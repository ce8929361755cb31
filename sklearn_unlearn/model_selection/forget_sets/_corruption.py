"""Corruptions that are planted in rows, so that forgetting them has a known answer."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d

from sklearn_unlearn.model_selection.forget_sets._corruption_kinds import KINDS
from sklearn_unlearn.model_selection.forget_sets._taking import (
    N_FORGET,
    check_n_forget,
)
from sklearn_unlearn.utils._sklearn_compat import (
    StrOptions,
    validate_params,
)

__all__ = ["Corruption", "PlantedRows", "make_corruption"]


class PlantedRows(NamedTuple):
    """Rows in which a corruption has been planted.

    They show how often a model gives the planted answer.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        The rows as the corruption leaves them.
    y : ndarray of shape (n_rows,)
        What a model answers that has learnt the corruption.
    affected : ndarray of bool, shape (n_rows,)
        Where that differs from the right answer, or the row from the clean one.

    See Also
    --------
    Corruption : Plants it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.model_selection import make_corruption
    >>> X, y = np.arange(8.0)[:, None], np.array([0, 1, 2, 2] * 2)
    >>> dirty = make_corruption(X, y, 2, kind="swapped_classes", classes=(0, 1))
    >>> dirty.plant(X[:4], y[:4]).affected
    array([ True,  True, False, False])
    """

    X: object
    y: np.ndarray
    affected: np.ndarray


@dataclass(frozen=True, eq=False)
class Corruption:
    """Rows and targets with a corruption, and which rows have it.

    Forgetting the corrupted rows is to undo the harm. A method that only makes the
    model unsure about them does not [1]_.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        Rows, corrupted where `forget` is true.
    y : ndarray of shape (n_rows,)
        Targets, corrupted where `forget` is true.
    forget : ndarray of bool, shape (n_rows,)
        The corrupted rows.
    kind : str
        What was planted.
    rule : object
        How: it shows the classes, the column and the values that were drawn.

    See Also
    --------
    make_corruption : Makes one.

    Notes
    -----
    What is not given as an option is drawn at random.

    ``"wrong_labels"``
        Another label, each with the same probability; of numbers, the target of another
        row.
    ``"swapped_classes"``
        Rows of two classes, option ``classes``, have the other one's label.
    ``"backdoor"``
        One ``column``, given by position, has a value that no clean row has, and the
        target is always the same, ``target`` [2]_; of numbers, it is the largest. Rows
        are drawn from those with another target. The value lies above the largest one
        by ``strength`` ranges of the column, by default 1.
    ``"unit_error"``
        One ``column`` is multiplied by ``strength``, by default 1000, as if grams were
        entered for kilograms.
    ``"target_shift"``
        The same number is added to the targets: ``strength`` of their standard
        deviations, by default 3.

    References
    ----------
    .. [1] S. Goel, A. Prabhu, P. Torr, P. Kumaraguru and A. Sanyal, "Corrective Machine
       Unlearning", Transactions on Machine Learning Research, 2024.
    .. [2] T. Gu, B. Dolan-Gavitt and S. Garg, "BadNets: Identifying Vulnerabilities in
       the Machine Learning Model Supply Chain", arXiv:1708.06733, 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_unlearn.model_selection import make_corruption
    >>> X, y = load_iris(return_X_y=True)
    >>> dirty = make_corruption(X, y, 15, kind="backdoor", target=2, random_state=0)
    >>> bool((dirty.y[dirty.forget] == 2).all())
    True
    """

    X: object
    y: np.ndarray
    forget: np.ndarray
    kind: str
    rule: object

    def plant(self, X, y):
        """Plant the same corruption in other rows.

        Rows that were never trained on show what a model has learnt from the corrupted
        ones: how often its answer for the affected rows is the planted one. After
        forgetting that is to be as often as after retraining, which is seldom 0.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Clean rows.
        y : array-like of shape (n_rows,)
            Their right targets.

        Returns
        -------
        PlantedRows
            ``X``, ``y`` and ``affected``; the rows that are given are not changed.

        Raises
        ------
        ValueError
            Of wrong labels, which follow no rule that a model could learn.
        """
        y = column_or_1d(y)
        check_consistent_length(X, y)
        if not self.rule.has_answer:
            raise ValueError(
                f'kind="{self.kind}" is drawn row by row, so there is no answer that a '
                "model could have learnt from it. Score the clean rows instead."
            )
        affected = self.rule.eligible(X, y)
        return PlantedRows(*self.rule.plant(X, y, affected), affected)


@validate_params(
    {
        "y": ["array-like"],
        "n_forget": N_FORGET,
        "kind": [StrOptions(set(KINDS))],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_corruption(
    X, y, n_forget, *, kind="wrong_labels", random_state=None, **options
):
    """Corrupt some rows, to see whether forgetting them undoes the harm.

    That has an unambiguous aim: a model that is fitted on the clean rows.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        Clean rows: numbers, where a column is changed.
    y : array-like of shape (n_rows,)
        Targets.
    n_forget : int or float
        Number of rows to corrupt, or their share of all rows.
    kind : {"wrong_labels", "swapped_classes", "backdoor", "unit_error", \
            "target_shift"}, default="wrong_labels"
        What is planted; see :class:`Corruption`.
    random_state : int, RandomState instance or None, default=None
        Draws the rows, and what is not given.
    **options : dict
        What the kind need not draw: `classes`, `column`, `target`, `strength`.

    Returns
    -------
    Corruption
        Changed copies of rows and targets, and the mask ``forget``.

    See Also
    --------
    make_forget_set : Chooses rows and leaves them as they are.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.model_selection import make_corruption
    >>> X, y = load_iris(return_X_y=True)
    >>> dirty = make_corruption(
    ...     X, y, 60, kind="swapped_classes", classes=(0, 1), random_state=0
    ... )
    >>> clean = GaussianNB().fit(dirty.X[~dirty.forget], dirty.y[~dirty.forget])
    >>> bool(clean.score(X, y) > GaussianNB().fit(dirty.X, dirty.y).score(X, y) + 0.2)
    True
    """
    y = column_or_1d(y)
    check_consistent_length(X, y)
    rng = check_random_state(random_state)
    for name in sorted(options.keys() - KINDS[kind].options):
        known = ", ".join(sorted(KINDS[kind].options)) or "none"
        raise ValueError(f'kind="{kind}" has no option {name}; it has {known}.')
    rule = KINDS[kind].draw(X, y, rng, **options)
    rows = np.flatnonzero(rule.eligible(X, y))
    n_most = min(len(rows), len(y) - 1)
    number = check_n_forget(n_forget, len(y), n_most, f'rows of kind="{kind}"')
    forget = np.zeros(len(y), dtype=bool)
    forget[rng.permutation(rows)[:number]] = True
    return Corruption(*rule.plant(X, y, forget, rng), forget, kind, rule)
