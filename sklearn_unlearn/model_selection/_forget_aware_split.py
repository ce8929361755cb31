"""Cross-validation in which the forget set is always trained on."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral

import numpy as np
from sklearn.model_selection import (
    BaseCrossValidator,
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.utils import column_or_1d, indexable
from sklearn.utils.multiclass import type_of_target

from sklearn_unlearn.utils._sklearn_compat import _num_samples, _safe_indexing
from sklearn_unlearn.utils._validation import check_forget_mask

__all__ = ["ForgetAwareSplit"]


class ForgetAwareSplit(BaseCrossValidator):
    """Splitter that has every row of the forget set in every training part.

    Any other splitter leaves some of these rows out of the training part, where they
    cannot be forgotten, and scores them as if they were new. Here only other rows are
    in the test parts.

    Parameters
    ----------
    forget : array-like of shape (n_rows,), dtype=bool
        The forget set, for the rows that will be split.
    cv : int or splitter, default=5
        How the other rows are split. A number of folds stands for folds that keep the
        shares of the classes where every class has as many rows, and for consecutive
        ones otherwise; with ``groups``, for folds of whole groups. A splitter is asked
        for splits of these rows alone.

    See Also
    --------
    make_forget_set : Chooses a forget set.
    sklearn.model_selection.StratifiedKFold : Folds without a forget set.

    Notes
    -----
    With ``groups``, persons stay together: the other rows of a person who has a row in
    the forget set are in every training part as well, so that no test row is of a
    person who is to be forgotten.

    Metadata routing hands ``groups`` to the splitter without being asked.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import cross_validate
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> from sklearn_unlearn.model_selection import ForgetAwareSplit
    >>> X, y = load_iris(return_X_y=True)
    >>> forget = np.arange(150) < 5
    >>> result = cross_validate(
    ...     ExactUnlearner(GaussianNB()),
    ...     X,
    ...     y,
    ...     params={"forget": forget},
    ...     cv=ForgetAwareSplit(forget, cv=3),
    ...     return_estimator=True,
    ... )
    >>> [model.n_forgotten_ for model in result["estimator"]]
    [5, 5, 5]
    """

    # of scikit-learn: groups are requested unless the user says otherwise
    __metadata_request__split = {"groups": True}

    def __init__(self, forget, cv=5):
        if not (cv >= 2 if isinstance(cv, Integral) else hasattr(cv, "get_n_splits")):
            raise ValueError(
                f"cv must be a number of folds, at least 2, or a splitter; got {cv!r}."
            )
        self.forget = forget
        self.cv = cv

    def split(self, X, y=None, groups=None):
        """Generate the positions of training and test rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,), default=None
            Targets.
        groups : array-like of shape (n_rows,), default=None
            Ids of persons, say, which stay together.

        Yields
        ------
        train : ndarray of int
            Positions of the training rows: all rows of the forget set are among them.
        test : ndarray of int
            Positions of the test rows.

        Raises
        ------
        ValueError
            If the forget set is for another number of rows, or too little is left to
            split.
        """
        X, y, groups = indexable(X, y, groups)
        always = np.zeros(_num_samples(X), dtype=bool)
        always[check_forget_mask(self.forget, len(always))] = True
        if groups is not None:
            groups = np.asarray(groups)
            always = np.isin(groups, groups[always])
        pinned, rest = np.flatnonzero(always), np.flatnonzero(~always)
        n_units = len(rest) if groups is None else len(np.unique(groups[rest]))
        if n_units < 2:
            what = "rows" if groups is None else "groups"
            raise ValueError(
                f"forget leaves {n_units} {what} to test on; at least 2 are needed."
            )
        X, y, groups = (
            None if part is None else _safe_indexing(part, rest)
            for part in (X, y, groups)
        )
        splitter = self._splitter(y, groups, n_units)
        for train, test in splitter.split(X, y, groups):
            yield np.sort(np.concatenate([pinned, rest[train]])), rest[test]

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : object, default=None
            As for ``split``; only some splitters given as `cv` need them.

        Returns
        -------
        int
            Number of splits.
        """
        if isinstance(self.cv, Integral):
            return int(self.cv)
        if X is None and y is None and groups is None:
            return self.cv.get_n_splits()
        return sum(1 for _ in self.split(X, y, groups))

    def _splitter(self, y, groups, n_units):
        """Return what splits the rows outside of the forget set."""
        if not isinstance(self.cv, Integral):
            return self.cv
        if n_units < self.cv:
            what = "rows" if groups is None else "groups"
            raise ValueError(
                f"cv={self.cv} folds need as many {what} outside of the forget set; "
                f"there are {n_units}."
            )
        keeps_shares = _has_large_classes(y, self.cv)
        if groups is None:
            return (StratifiedKFold if keeps_shares else KFold)(self.cv)
        return (StratifiedGroupKFold if keeps_shares else GroupKFold)(self.cv)


def _has_large_classes(y, n_rows):
    """Tell whether targets are classes, each of at least so many rows."""
    if y is None or type_of_target(y) not in ("binary", "multiclass"):
        return False
    return np.unique(column_or_1d(y), return_counts=True)[1].min() >= n_rows
