"""Rows as a net of skorch takes them: images and sequences, and whole numbers.

Everything else in the package sees rows of one axis, in floating point.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import NamedTuple

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.validation import validate_data
from torch import nn

from sklearn_unlearn._engine._torch_defaults import usual_torch
from sklearn_unlearn._engine.module._randomness import ExplicitRandomness
from sklearn_unlearn._engine.module._state import copy_module
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["DTYPES", "ChecksRows", "RowFormat", "RowsAsGiven"]

DTYPES = [np.float64, np.float32]


@saved_as("format of rows of a skorch net")
class RowFormat(NamedTuple):
    """What rows are made into before a module sees them.

    Attributes
    ----------
    shape : tuple of int
        Of one row.
    is_whole : bool
        Whether its entries are whole numbers, such as the numbers of words.
    """

    shape: tuple
    is_whole: bool = False

    @property
    def is_plain(self):
        """Whether rows are as they are everywhere in the package."""
        return len(self.shape) == 1 and not self.is_whole

    def for_net(self, X):
        """Return flat rows as the net is fitted on them."""
        dtype = np.int64 if self.is_whole else np.float32
        return np.ascontiguousarray(X, dtype=dtype).reshape(len(X), *self.shape)

    def for_module(self, x):
        """Return flat rows in a tensor as the module takes them."""
        x = x.reshape(len(x), *self.shape)
        return x.round().long() if self.is_whole else x


class RowsAsGiven(nn.Module):
    """A module that takes flat rows, around one that does not."""

    def __init__(self, inner, rows):
        super().__init__()
        self.inner, self.rows = inner, rows

    def forward(self, x):
        return self.inner(self.rows.for_module(x))


class ChecksRows:
    """Part of `SkorchModel`: a fit learns the shape of a row and what it is made into.

    A subclass has ``_check_rows(X, y, reset)``, which passes X through `_flat`.
    """

    def _check_first_rows(self, X, y, net):
        """Return validated flat rows and targets, and learn the format of the rows.

        Rows of whole numbers are left to a module that takes such.
        """
        _check_container(X)
        is_whole = np.asarray(X).dtype.kind in "iu"
        X, y = self._check_rows(X, y, reset=True)
        self._row_format = RowFormat(self._row_shape)
        if is_whole and _module_takes(net, RowFormat(self._row_shape, True)):
            self._row_format = RowFormat(self._row_shape, True)
        return X, y

    def _check_X(self, X, reset=False):
        """Return validated flat rows."""
        X = validate_data(self, X, dtype=DTYPES, allow_nd=True, reset=reset)
        return self._flat(X, reset)

    def _flat(self, X, reset):
        """Return rows as rows of one axis, if they have the shape of the fit."""
        if reset:
            self._row_shape = X.shape[1:]
        elif X.shape[1:] != self._row_shape:
            raise ValueError(
                f"X has rows of shape {X.shape[1:]}, and the net was fitted on rows of "
                f"shape {self._row_shape}."
            )
        return X.reshape(len(X), -1)


def _check_container(X):
    """Raise if rows are in a container that a net takes, and that cannot be kept."""
    is_sparse = sparse.issparse(X)  # of which one kind is a dict
    if isinstance(X, (dict, torch.utils.data.Dataset)) and not is_sparse:
        raise TypeError(
            f"Rows in a {type(X).__name__} cannot be forgotten. Pass one array; a "
            "module of several inputs takes them from its columns in forward."
        )


def _module_takes(net, rows):
    """Tell whether the module of a net takes rows of a format; it is not trained."""
    try:
        with (
            usual_torch(gradients=False),
            ExplicitRandomness(torch.Generator().manual_seed(0)),
        ):
            if not getattr(net, "initialized_", False):
                net = net.initialize()
            module = copy_module(net.module_).cpu().eval()
            module(rows.for_module(torch.zeros(1, int(np.prod(rows.shape)))))
    except (RuntimeError, TypeError, ValueError):
        return False
    return True
