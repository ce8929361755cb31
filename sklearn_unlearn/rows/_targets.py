"""Targets, by which equal rows are told apart."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse

from sklearn_unlearn.exceptions import AmbiguousRowsError
from sklearn_unlearn.rows._cells import row_hash
from sklearn_unlearn.rows._layouts import as_column, cast_cells
from sklearn_unlearn.rows._search import ColumnTolerance

__all__ = ["check_targets", "match_targets", "refuse_unclear_targets"]


def check_targets(y_forget, n_rows, shape):
    """Return the targets of a request, one for each of its rows.

    Parameters
    ----------
    y_forget : array-like
    n_rows : int
        Number of rows in the request.
    shape : tuple of int
        Shape of one kept target.
    """
    y_forget = y_forget.toarray() if sparse.issparse(y_forget) else as_column(y_forget)
    if y_forget.size == n_rows and shape in ((), (1,)):
        y_forget = y_forget.reshape(n_rows, *shape)  # a column is as good
    if y_forget.shape != (n_rows, *shape):
        raise ValueError(
            f"y_forget must have shape {(n_rows, *shape)}, one target per row of "
            f"X_forget; got {y_forget.shape}."
        )
    return y_forget


def refuse_unclear_targets(run, y, asked, names):
    """Raise if some, but not all, of equal rows with different targets are meant.

    Parameters
    ----------
    run : ndarray of int, shape (n_candidates,)
        Which candidates are equal rows: the number of their run.
    y : ndarray of shape (n_candidates, ...)
        Targets of the candidates.
    asked : ndarray of int, shape (n_queries,)
        Number of the run that each query asks for.
    names : ndarray of int, shape (n_queries,)
        Positions in the request, for messages.
    """
    codes, code = np.unique(_target_codes(y), return_inverse=True)
    kinds = np.unique(run * len(codes) + code)
    n_targets, n_kept = np.bincount(kinds // len(codes)), np.bincount(run)
    n_asked = np.bincount(asked, minlength=len(n_kept))
    unclear = (n_targets > 1) & (n_asked < n_kept)
    if unclear.any():
        first = names[unclear[asked]][0]
        raise AmbiguousRowsError(
            f"Row {first} of X_forget was fitted with different targets: pass "
            "y_forget to say which is meant."
        )


def match_targets(run, y, asked, y_asked, names, sample):
    """Split runs of equal rows by target.

    Parameters
    ----------
    run, y, asked, names : ndarray
        As for `refuse_unclear_targets`; `run` is ascending.
    y_asked : ndarray of shape (n_queries, ...)
        Targets of the queries.
    sample : callable () -> ndarray of shape (n_sample, ...)
        Targets of kept rows, for the scale of the tolerance.

    Returns
    -------
    kind : ndarray of int, shape (n_candidates,)
        Number of the run and target of each candidate.
    kind_asked : ndarray of int, shape (n_queries,)
        Number of the run and target that each query asks for, or -1.
    """
    codes, code = np.unique(_target_codes(y), return_inverse=True)
    y_asked, fits = cast_cells(y_asked.reshape(len(y_asked), -1), y.dtype)
    code_asked = row_hash([y_asked])
    place = np.minimum(np.searchsorted(codes, code_asked), len(codes) - 1)
    kinds, kind = np.unique(run * len(codes) + code, return_inverse=True)
    wanted = asked * len(codes) + place
    kind_asked = np.minimum(np.searchsorted(kinds, wanted), len(kinds) - 1)
    lost = (kinds[kind_asked] != wanted) | (codes[place] != code_asked) | ~fits
    kind_asked[lost] = -1
    if y.dtype.kind == "f":
        sample, kept = sample(), y.reshape(len(y), -1)
        tolerance = ColumnTolerance(sample.reshape(len(sample), -1))
        starts = np.searchsorted(run, np.arange(run[-1] + 2))
        for query in np.flatnonzero(lost & fits):
            rows = slice(*starts[asked[query] : asked[query] + 2])
            target = np.broadcast_to(y_asked[query], kept[rows].shape)
            close = np.unique(kind[rows][tolerance.is_close(target, kept[rows])])
            if len(close) > 1:
                raise AmbiguousRowsError(
                    f"Target {names[query]} of y_forget is within rounding distance "
                    "of several different ones: give its exact value."
                )
            kind_asked[query] = close[0] if len(close) else -1
    return kind, kind_asked


def _target_codes(y):
    """Return one code for each target, which may have several outputs."""
    return row_hash([y.reshape(len(y), -1)])
