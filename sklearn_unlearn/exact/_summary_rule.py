"""Rules for estimators that are functions of summaries of blocks of rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import inspect
from abc import abstractmethod
from typing import NamedTuple

import numpy as np
from sklearn.utils import get_tags

from sklearn_unlearn.exact._rule import Outcome, Rule
from sklearn_unlearn.exact.statistics._moments import is_double
from sklearn_unlearn.utils._saved import saved_as
from sklearn_unlearn.utils._sklearn_compat import _num_samples

__all__ = ["BlockSummaries", "SummaryRule"]

# Blocks that are summarised at a time, so that temporaries stay in cache.
CHUNK_BLOCKS = 64
# Requests after which a summary is made anew instead of being subtracted from.
MAX_SUBTRACTIONS = 256


@saved_as("summaries of blocks")
class BlockSummaries(NamedTuple):
    """Summaries of all rows of a store, each of a few consecutive blocks.

    Parameters
    ----------
    values : dict of str to ndarray of shape (n_summaries, ...)
        What `SummaryRule.summarise` returns; empty until the first call.
    n_rows : ndarray of shape (n_summaries,)
        Number of rows in each summary.
    n_subtracted : ndarray of shape (n_summaries,)
        Number of requests subtracted from each since it was made from its rows.
    """

    values: dict
    n_rows: np.ndarray
    n_subtracted: np.ndarray

    @classmethod
    def of(cls, rule, fitted, store):
        """Summarise all blocks of a store by a rule."""
        n_summaries = -(-store.n_blocks // rule.blocks_per_summary)
        counts = np.zeros((2, n_summaries), dtype=np.int64)
        new = cls({}, counts[0].copy(), counts[1].copy())
        new.summarise(rule, fitted, store, np.arange(n_summaries))
        return new

    def summarise(self, rule, fitted, store, numbers):
        """Make the summaries with these numbers from their rows, in place."""
        per = rule.blocks_per_summary
        n_chunk = max(1, CHUNK_BLOCKS // per)
        for chunk in np.split(numbers, range(n_chunk, len(numbers), n_chunk)):
            blocks = (chunk[:, None] * per + np.arange(per)).ravel()
            blocks = blocks[blocks < store.n_blocks]
            rows, starts = store.block_rows(blocks)
            starts = starts[::per]
            n_rows = np.diff(np.append(starts, _num_samples(rows.X)))
            self.n_rows[chunk], self.n_subtracted[chunk] = n_rows, 0
            filled = n_rows > 0
            for value in self.values.values():
                value[chunk[~filled]] = 0  # nothing is left of forgotten rows
            if not filled.any():
                continue
            made = rule.summarise(fitted, rows.X, rows.y, starts[filled], **rows.params)
            for name, value in made.items():
                if name not in self.values:
                    shape = (len(self.n_rows), *value.shape[1:])
                    self.values[name] = np.zeros(shape, value.dtype)
                self.values[name][chunk[filled]] = value

    def without(self, rule, numbers, n_forgotten, part):
        """Subtract rows from the summaries with these numbers.

        Parameters
        ----------
        rule : SummaryRule
        numbers, n_forgotten : ndarray of shape (n_touched,)
            Summaries that hold rows to forget, and how many of these.
        part : dict of str to ndarray of shape (n_touched, ...)
            Summaries of the rows to forget.

        Returns
        -------
        BlockSummaries
            A copy.
        ndarray
            Numbers of the summaries in it that must be made from their rows,
            since a subtraction would not be accurate.
        """
        values = {name: value.copy() for name, value in self.values.items()}
        new = BlockSummaries(values, self.n_rows.copy(), self.n_subtracted.copy())
        whole = {name: value[numbers] for name, value in self.values.items()}
        rest, accurate = rule.subtract(whole, part)
        accurate &= self.n_subtracted[numbers] < MAX_SUBTRACTIONS
        done = numbers[accurate]
        for name, value in values.items():
            value[done] = rest[name][accurate]
        new.n_rows[done] -= n_forgotten[accurate]
        new.n_subtracted[done] += 1
        return new, numbers[~accurate]

    def filled(self):
        """Return the values of the summaries that have rows."""
        filled = self.n_rows > 0
        if filled.all():
            return self.values
        return {name: value[filled] for name, value in self.values.items()}


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
    sklearn_unlearn.utils.estimator_checks.check_rule : Checks a rule.

    Examples
    --------
    The largest value of each column, as a scaler that is not in scikit-learn:

    >>> import numpy as np
    >>> from sklearn.base import clone
    >>> from sklearn.preprocessing import MaxAbsScaler
    >>> from sklearn_unlearn.exact import SummaryRule
    >>> class LargestValue(SummaryRule):
    ...     def summarise(self, fitted, X, y, starts):
    ...         return {"max": np.fmax.reduceat(np.abs(X), starts)}
    ...
    ...     def assemble(self, fitted, summaries):
    ...         return clone(fitted).fit(np.fmax.reduce(summaries["max"])[None])
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
        return BlockSummaries.of(self, fitted, store)

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
        if request.coordinates_changed:
            # the summaries are of the old coordinates
            return super().forget(fitted, None, store, request)
        if state is None:
            state = self.remember(fitted, store)
        else:
            numbers, starts, n_forgotten = np.unique(
                request.blocks // self.blocks_per_summary,
                return_index=True,
                return_counts=True,
            )
            rows = request.forget
            part = self.summarise(fitted, rows.X, rows.y, starts, **rows.params)
            state, again = state.without(self, numbers, n_forgotten, part)
            if len(again):
                state.summarise(self, fitted, store, again)
        new = None if state is None else self.assemble(fitted, state.filled())
        if new is None:
            new = super().forget(fitted, None, store, request).estimator
        compatible = self.summaries_compatible(fitted, new)
        return Outcome(new, state if compatible else None)

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
            Unless overridden, whether `X` is dense and numeric, in double precision
            or whole numbers, a data frame of such columns included; without
            missing values, unless the estimator's tags allow them; and whether
            `summarise` takes all `params`.
        """
        takes = inspect.signature(self.summarise).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in takes.values())
        if not (is_double(X) and (takes_any or params.keys() <= takes.keys())):
            return False
        allow_nan = get_tags(estimator).input_tags.allow_nan
        return allow_nan or not np.isnan(np.asarray(X)).any()

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
            Rows of the blocks, one block after the other, in the container that
            ``fit`` was given.
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
