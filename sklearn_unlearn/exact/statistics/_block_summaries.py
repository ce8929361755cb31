"""Summaries of the blocks of a row store, kept up to date by a rule."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.rows._hash_index import run_starts
from sklearn_unlearn.utils._sklearn_compat import _num_samples

__all__ = ["BlockSummaries"]

# Blocks that are summarised at a time, so that temporaries stay in cache.
CHUNK_BLOCKS = 64
# Requests after which a summary is made anew instead of being subtracted from.
MAX_SUBTRACTIONS = 256


class BlockSummaries:
    """Summaries of all blocks of a row store, kept up to date by a rule.

    They are empty until `made`.
    """

    def __init__(self):
        self._values = None

    @property
    def is_made(self):
        """Whether there are summaries."""
        return self._values is not None

    def made(self, rule, fitted, store):
        """Return the summaries of all blocks of `store`, by `rule`."""
        new = type(self)()
        n_summaries = -(-store.n_blocks // rule.blocks_per_summary)
        new._n_rows = np.zeros(n_summaries, dtype=np.int64)
        new._n_subtracted = np.zeros(n_summaries, dtype=np.int64)
        new._summarise(rule, fitted, store, np.arange(n_summaries))
        return new

    def updated(self, rule, fitted, store, request):
        """Return summaries of `store`, which no longer has the rows to forget."""
        new = type(self)()
        new._values = {name: value.copy() for name, value in self._values.items()}
        new._n_rows, new._n_subtracted = self._n_rows.copy(), self._n_subtracted.copy()
        numbers = request.blocks // rule.blocks_per_summary
        starts = run_starts(numbers)
        touched, counts = numbers[starts], np.diff(np.append(starts, len(numbers)))
        rows = request.forget
        part = rule.summarise(fitted, rows.X, rows.y, starts, **rows.params)
        whole = {name: value[touched] for name, value in self._values.items()}
        rest, accurate = rule.subtract(whole, part)
        accurate &= self._n_subtracted[touched] < MAX_SUBTRACTIONS
        again, touched = touched[~accurate], touched[accurate]
        for name, value in new._values.items():
            value[touched] = rest[name][accurate]
        new._n_rows[touched] -= counts[accurate]
        new._n_subtracted[touched] += 1
        new._summarise(rule, fitted, store, again)
        return new

    def assemble(self, rule, fitted):
        """Return the estimator that follows from the summaries."""
        filled = self._n_rows > 0
        values = self._values
        if not filled.all():
            values = {name: value[filled] for name, value in values.items()}
        return rule.assemble(fitted, values)

    def _summarise(self, rule, fitted, store, numbers):
        """Make the summaries of these numbers from the rows of their blocks."""
        per = rule.blocks_per_summary
        n_chunk = max(1, CHUNK_BLOCKS // per)
        for chunk in np.split(numbers, range(n_chunk, len(numbers), n_chunk)):
            if not len(chunk):
                continue
            blocks = (chunk[:, None] * per + np.arange(per)).ravel()
            blocks = blocks[blocks < store.n_blocks]
            rows, starts = store.block_rows(blocks)
            starts = starts[::per]
            n_rows = np.diff(np.append(starts, _num_samples(rows.X)))
            self._n_rows[chunk], self._n_subtracted[chunk] = n_rows, 0
            filled = n_rows > 0
            if not filled.any():
                continue
            summaries = rule.summarise(
                fitted, rows.X, rows.y, starts[filled], **rows.params
            )
            if self._values is None:
                self._values = {
                    name: np.zeros((len(self._n_rows), *v.shape[1:]), v.dtype)
                    for name, v in summaries.items()
                }
            for name, value in self._values.items():
                value[chunk[filled]] = summaries[name]
                value[chunk[~filled]] = 0
