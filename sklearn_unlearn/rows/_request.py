"""A request to forget, and kept rows, as a step behind a transformation sees them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.utils._cached import cached_property

__all__ = ["Request", "RowView"]


class Request:
    """The rows to forget and the rows that stay, read only if somebody asks.

    Estimators of the package hand it to one another.

    Parameters
    ----------
    mask : ndarray of shape (n_rows,), dtype=bool
        Which of the rows kept until now are to be forgotten, in their order.
    forget, retain : callable () -> Rows
        Give the rows to forget and the retained ones, in the coordinates in
        which the receiver sees them now.
    blocks : ndarray of int, shape (n_forget,), default=None
        Number of the block of the row store that held each forgotten row. None if
        nothing is known of the rows of the fit: nothing computed from them can be
        used any more.
    ordered : bool, default=True
        Whether `mask` speaks of the rows in the order of the fit.
    coordinates_changed : bool, default=False
        Whether the rows lie in other coordinates than when they were fitted, since
        a step before has changed.
    store : RowStore or RowView, default=None
        The retained rows in blocks, as the receiver saw them when it was fitted.

    Attributes
    ----------
    forget, retain : Rows
        The rows to forget and the retained ones.
    coordinates_changed : bool
        Also true if there are no `blocks`.
    """

    def __init__(
        self,
        mask,
        forget,
        retain,
        *,
        blocks=None,
        ordered=True,
        coordinates_changed=False,
        store=None,
    ):
        self.mask, self.blocks, self.ordered = mask, blocks, ordered
        self.coordinates_changed = coordinates_changed or blocks is None
        self.store = store
        self._forget, self._retain = forget, retain

    @cached_property
    def forget(self):
        """Rows to forget (``X``, ``y``, ``params``)."""
        return self._forget()

    @cached_property
    def retain(self):
        """Retained rows (``X``, ``y``, ``params``), freshly allocated."""
        return self._retain()

    def with_retained(self, retain):
        """Return the request with the retained rows that ``retain()`` gives."""
        return Request(
            self.mask,
            self._forget,
            retain,
            blocks=self.blocks,
            ordered=self.ordered,
            coordinates_changed=self.coordinates_changed,
            store=self.store,
        )

    def through(self, transform, coordinates_changed=False):
        """Return the request as the step behind a transformation sees it.

        Parameters
        ----------
        transform : callable (X) -> X, or None
            Leads to the coordinates in which that step was fitted. None leaves the
            rows as they are, without their per-row params.
        coordinates_changed : bool, default=False
            Whether the transformation is no longer what it was then.
        """
        return Request(
            self.mask,
            lambda: _transformed(self.forget, transform),
            lambda: _transformed(self.retain, transform),
            blocks=self.blocks,
            ordered=self.ordered,
            coordinates_changed=coordinates_changed or self.coordinates_changed,
            store=None if self.store is None else self.store.through(transform),
        )

    def without_params(self):
        """Return the same request, whose rows carry no per-row params."""
        return self.through(None)


class RowView:
    """Blocks of kept rows, transformed when they are read.

    Parameters
    ----------
    store : RowStore or RowView
        Holds the rows.
    transform : callable (X) -> X, or None
        Leads to the coordinates of the reader. None leaves the rows as they are,
        without their per-row params.
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
        return _transformed(rows, self._transform), starts

    def rows(self):
        """Return all kept rows in their order."""
        return _transformed(self._store.rows(), self._transform)

    def take(self, positions):
        """Return the rows at these positions, in ascending order."""
        return _transformed(self._store.take(positions), self._transform)

    def through(self, transform):
        """Return the rows as the step behind one more transformation sees them."""
        return RowView(self, transform)

    def without_params(self):
        """Return the same rows without their per-row params."""
        return RowView(self, None)


def _transformed(rows, transform):
    """Transform rows; drop their params, which are routed by whoever fits."""
    return rows._replace(
        X=rows.X if transform is None else transform(rows.X), params={}
    )
