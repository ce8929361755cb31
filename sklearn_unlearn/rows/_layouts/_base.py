"""What all layouts have in common."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import ABC, abstractmethod

__all__ = ["Layout"]


class Layout(ABC):
    """How one container of rows is taken apart into arrays, and made again.

    A layout holds types and names, but no value of any row.
    """

    #: Whether the labels of the rows say more than their place.
    has_own_labels = False

    @abstractmethod
    def split(self, X):
        """Return the parts of `X`, a container like that of the fit.

        Returns
        -------
        list of ndarray of shape (n_rows, n_columns) or csr_array
        """

    @abstractmethod
    def join(self, parts, labels=None):
        """Return the container made of `parts`, and of the `labels` of its rows."""

    @abstractmethod
    def cast(self, X):
        """Return the parts of a query, and how far its rows could be cast.

        Parameters
        ----------
        X : container of rows
            In this layout or another.

        Returns
        -------
        parts : list of ndarray of shape (n_rows, n_columns) or csr_array
        fits : ndarray of bool, shape (n_rows,)
            False for rows with a cell that no column of its type could hold.
        rounded : list of ndarray of floating-point numbers, or None
            For each part, the numbers that stand for several whole ones, and NaN in
            all other cells. None for parts without such numbers.
        """

    def labels(self, X):
        """Return the labels of the rows (the index of a frame), or None.

        Returns
        -------
        ndarray of shape (n_rows, n_levels) or None
        """
        return None

    def cast_labels(self, X):
        """Return the labels of the rows of a query, as `labels` does; None without."""
        return None

    def without_unused_categories(self, column):
        """Return the layout without categories that no row has any more.

        Parameters
        ----------
        column : callable (str) -> ndarray
            Gives the part of this number of all rows (``"X0"``, ``"X1"``, ...), or
            their labels (``"index"``).
        """
        return self
