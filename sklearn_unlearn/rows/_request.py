"""A request to forget, as the estimators of the package hand it to one another."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from functools import cached_property

__all__ = ["Request"]


class Request:
    """The rows to forget and the rows that stay, read only if somebody asks.

    Parameters
    ----------
    mask : ndarray of shape (n_kept,), dtype=bool
        Which of the rows kept so far are to be forgotten, in their order.
    forget, retain : callable () -> Rows
        Give the rows to forget and the retained ones, in the coordinates in
        which the receiver sees them *now*.
    blocks : ndarray of shape (n_forget,) or None, default=None
        Number of the block of the row store that held each forgotten row.
    ordered : bool, default=True
        Whether `mask` speaks of the rows in the order of the fit.
    coordinates_changed : bool, default=False
        Whether the rows lie in other coordinates than when they were fitted, so that
        nothing computed from them is valid any more. Without `blocks` it is true.
    store : RowStore, RowView or None, default=None
        The retained rows in blocks, in the coordinates in which they were fitted.
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
        """Return the request with these retained rows (a function gives them)."""
        return self._with(self._forget, retain, self.coordinates_changed, self.store)

    def through(self, transform, coordinates_changed=False):
        """Return the request as the step behind a transformation sees it.

        Parameters
        ----------
        transform : callable (X) -> X
            Leads to the coordinates in which that step was fitted.
        coordinates_changed : bool, default=False
            Whether the transformation is no longer what it was then.
        """

        def forget():
            # arguments of fit per row are for whom they are routed to
            return self.forget._replace(X=transform(self.forget.X), params={})

        changed = self.coordinates_changed or coordinates_changed
        store = None if self.store is None else self.store.through(transform)
        return self._with(forget, self._retain, changed, store)

    def without_params(self):
        """Return the request with rows that carry no arguments of ``fit``."""
        return self.through(lambda X: X)

    def _with(self, forget, retain, coordinates_changed, store):
        return Request(
            self.mask,
            forget,
            retain,
            blocks=self.blocks,
            ordered=self.ordered,
            coordinates_changed=coordinates_changed,
            store=store,
        )
