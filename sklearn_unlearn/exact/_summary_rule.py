"""Rules for estimators that are functions of summaries of their rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import abstractmethod

import numpy as np

from sklearn_unlearn.exact._rule import Outcome, Rule
from sklearn_unlearn.exact.statistics._block_summaries import BlockSummaries

__all__ = ["SummaryRule"]


class SummaryRule(Rule):
    """Rule for estimators whose fit depends on the rows through summaries.

    The rows lie in blocks. `summarise` maps a block to a summary of fixed shape,
    `assemble` turns the summaries of all blocks into the fitted estimator. To
    forget rows, only the blocks that held them are summarised again, so the new
    state is a function of the retained rows alone.

    A rule may also define `subtract`, which takes the summary of forgotten rows
    off that of their block. It is used where it keeps the digits, and a block is
    summarised again after every 256 subtractions: rounding does not add up.

    See Also
    --------
    Rule : Fits again.
    register_rule : Makes a rule known.

    Examples
    --------
    The largest value of each column, as a scaler that is not in scikit-learn:

    >>> import numpy as np
    >>> from sklearn.preprocessing import MaxAbsScaler
    >>> from sklearn_unlearn.exact import SummaryRule
    >>> class LargestValue(SummaryRule):
    ...     def summarise(self, fitted, X, y, starts, **params):
    ...         return {"max": np.maximum.reduceat(np.abs(X), starts)}
    ...
    ...     def assemble(self, fitted, summaries):
    ...         return MaxAbsScaler().fit(summaries["max"].max(axis=0)[None])
    >>> X = np.array([[1.0], [2.0], [9.0], [4.0]])
    >>> rule, scaler = LargestValue(), MaxAbsScaler().fit(X)
    >>> summaries = rule.summarise(scaler, X, None, [0, 2])
    >>> rule.assemble(scaler, summaries).max_abs_
    array([9.])
    """

    path = "summaries"
    fit_transform_differs = False

    #: Blocks of the row store that share a summary.
    blocks_per_summary = 1

    def remember(self, fitted, store):
        """Return summaries of all blocks; see `Rule.remember`.

        Parameters
        ----------
        fitted : estimator instance
            Fitted on the rows of `store`.
        store : RowStore or RowView
            The rows kept now, in blocks.

        Returns
        -------
        BlockSummaries or None
            None if the rule does not cover the case.
        """
        rows = store.take([0])
        if not self.covers(fitted, rows.X, rows.y, **rows.params):
            return None
        return BlockSummaries().made(self, fitted, store)

    def forget(self, fitted, state, store, request):
        """Forget through summaries; see `Rule.forget`.

        Parameters
        ----------
        fitted : estimator instance
            Fitted before; it is not changed.
        state : BlockSummaries or None
            Summaries of the rows before the request.
        store : RowStore or RowView
            The retained rows, in blocks.
        request : Request
            The rows to forget, and those that stay.

        Returns
        -------
        Outcome
            The new estimator and its summaries.
        """
        if (
            request.coordinates_changed
        ):  # what was summarised before is not valid any more
            return super().forget(fitted, None, store, request)
        if state is None:
            state = self.remember(fitted, store)
        else:
            state = state.updated(self, fitted, store, request)
        new = None if state is None else state.assemble(self, fitted)
        if new is None:
            new = super().forget(fitted, None, store, request).estimator
        shape = self.summaries_compatible(fitted, new)
        return Outcome(new, state if shape else None)

    def subtract(self, whole, part):
        """Take the summaries of forgotten rows off those of their blocks.

        Parameters
        ----------
        whole, part : dict of str to ndarray of shape (n_blocks, ...)
            Summaries of blocks, and of the rows to forget in each.

        Returns
        -------
        rest : dict of str to ndarray of shape (n_blocks, ...)
            Summaries of the rows that stay.
        accurate : ndarray of bool, shape (n_blocks,)
            False where the block must be summarised again, which is what this
            base class says of every block.
        """
        return whole, np.zeros(len(next(iter(whole.values()))), dtype=bool)

    def covers(self, estimator, X, y=None, **params):
        """Tell whether summaries can be used; see `Rule.covers`.

        Parameters
        ----------
        estimator : estimator instance
            Fitted estimator.
        X, y : array-like
            Some rows.
        **params : dict
            Arguments of ``fit``.

        Returns
        -------
        bool
            True unless overridden.
        """
        return True

    def summaries_compatible(self, before, after):
        """Tell whether summaries made for one estimator serve for another.

        Parameters
        ----------
        before, after : estimator instance
            Fitted before and after forgetting.

        Returns
        -------
        bool
            False where `summarise` has an entry per class or category, and one of
            these is gone. Then summaries are made anew at the next request.
        """
        return True

    @abstractmethod
    def summarise(self, fitted, X, y, starts, **params):
        """Summarise consecutive blocks of rows.

        Parameters
        ----------
        fitted : estimator instance
            Fitted estimator, for its parameters and classes.
        X, y : array-like
            Rows of the blocks, one block after the other.
        starts : ndarray of shape (n_blocks,)
            First row of each block; no block is empty.
        **params : dict
            Arguments of ``fit`` with one entry per row, cut to these rows.

        Returns
        -------
        dict of str to ndarray of shape (n_blocks, ...)
            Their sums over blocks, minima, ..., whatever `assemble` needs.
        """

    @abstractmethod
    def assemble(self, fitted, summaries):
        """Return the estimator that `fit` gives on the rows summarised.

        Parameters
        ----------
        fitted : estimator instance
            Fitted before; it is not changed.
        summaries : dict of str to ndarray of shape (n_blocks, ...)
            Summaries of the blocks that have rows.

        Returns
        -------
        estimator instance or None
            A new fitted estimator; None if the summaries do not determine it
            accurately enough, which makes the caller fit again.
        """
