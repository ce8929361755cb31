"""Kept rows as a step behind some transformation sees them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

__all__ = ["RowView"]


class RowView:
    """Blocks of kept rows, transformed when they are read.

    Parameters
    ----------
    store : RowStore or RowView
        What holds the rows.
    transform : callable (X) -> X
        Leads to the coordinates of the reader.
    """

    def __init__(self, store, transform):
        self._store, self._transform = store, transform

    @property
    def n_blocks(self):
        """Number of blocks, empty ones included."""
        return self._store.n_blocks

    @property
    def n_rows(self):
        """Number of rows kept now."""
        return self._store.n_rows

    def block_rows(self, blocks):
        """Return the rows of these blocks, and where each block starts in them."""
        rows, starts = self._store.block_rows(blocks)
        return self._seen(rows), starts

    def rows(self):
        """Return all kept rows in their order."""
        return self._seen(self._store.rows())

    def take(self, positions):
        """Return the rows at these positions, in ascending order."""
        return self._seen(self._store.take(positions))

    def through(self, transform):
        """Return the rows as the next step sees them."""
        return RowView(self, transform)

    def _seen(self, rows):
        # arguments of fit per row are routed by whoever fits, not kept with a view
        return rows._replace(X=self._transform(rows.X), params={})
