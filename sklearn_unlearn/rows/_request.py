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
    blocks : callable () -> ndarray of shape (n_forget,) or None, default=None
        Number of the block of the row store that held each forgotten row. It gives
        None if the rows lie in other coordinates since they were fitted:
        nothing computed from them is valid any more.
    ordered : bool, default=True
        Whether `mask` speaks of the rows in the order of the fit.
    """

    def __init__(self, mask, forget, retain, blocks=None, ordered=True):
        self.mask = mask
        self._blocks = blocks
        self.ordered = ordered
        self._forget = forget
        self._retain = retain

    @property
    def blocks(self):
        """Number of the block of each forgotten row, or None."""
        return None if self._blocks is None else self._blocks()

    @property
    def coordinates_changed(self):
        """Whether the rows lie in other coordinates than when they were fitted."""
        return self.blocks is None

    @cached_property
    def forget(self):
        """Rows to forget (``X``, ``y``, ``params``)."""
        return self._forget()

    @cached_property
    def retain(self):
        """Retained rows (``X``, ``y``, ``params``), freshly allocated."""
        return self._retain()

    def received(self, retain):
        """Return the request with these retained rows (a function gives them)."""
        return Request(self.mask, self._forget, retain, self._blocks, self.ordered)

    def through(self, transform, changed=lambda: False):
        """Return the request as the step behind a transformation sees it.

        Parameters
        ----------
        transform : callable (X) -> X
            Leads to the coordinates in which that step was fitted.
        changed : callable () -> bool
            Whether the transformation is no longer what it was then.
        """

        def forget():
            # arguments of fit per row are for whom they are routed to
            return self.forget._replace(X=transform(self.forget.X), params={})

        return Request(
            self.mask,
            forget,
            self._retain,
            lambda: None if changed() else self.blocks,
            self.ordered,
        )
