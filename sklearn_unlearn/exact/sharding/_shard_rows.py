"""Rows of a shard, and how to tell that a slice of them has changed."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import hashlib
import math

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sklearn_unlearn.rows._cells import cell_codes, row_hash
from sklearn_unlearn.rows._layouts import layout_of
from sklearn_unlearn.rows._store import Rows
from sklearn_unlearn.utils._sklearn_compat import _safe_indexing

__all__ = [
    "canonical",
    "row_codes",
    "rows_with_weight",
    "slice_marks",
    "take_rows",
]

MARK_BYTES = 16


def canonical(X):
    """Return rows in a container that depends on their values alone.

    Arrays are C-ordered, sparse matrices CSR, and frames have neither an index nor
    categories that no row uses; lists of numbers become arrays.
    """
    layout = layout_of(X)
    X = layout.join(layout.split(X))
    if sparse.issparse(X):
        return X.tocsr()
    return np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X


def take_rows(rows, positions):
    """Return the rows at these positions, with nothing of the others.

    Parameters
    ----------
    rows : Rows
        With a canonical ``X``.
    positions : ndarray of int

    Returns
    -------
    Rows
    """
    X = canonical(_safe_indexing(rows.X, positions))
    params = {name: _safe_indexing(v, positions) for name, v in rows.params.items()}
    return Rows(X, rows.y[positions], params)


def rows_with_weight(params, n_rows):
    """Return the positions of the rows that count: a row of weight 0 is not there."""
    return np.flatnonzero(params.get("sample_weight", np.ones(n_rows)))


def row_codes(rows):
    """Return codes of all that belongs to each row: its hash, target and params.

    Parameters
    ----------
    rows : Rows
        With a canonical ``X``.

    Returns
    -------
    ndarray of uint64, shape (n_rows, n_codes)
        The first column is the hash of ``X``.
    """
    try:
        hashes = row_hash(layout_of(rows.X).split(rows.X))
    except TypeError:
        # scikit-learn's own words for cells that are no numbers
        check_array(rows.X, accept_sparse=True, ensure_all_finite=False)
        raise
    n_rows, columns = len(hashes), [hashes[:, None]]
    for values in (rows.y, *(rows.params[name] for name in sorted(rows.params))):
        values = np.asarray(values)
        columns.append(cell_codes(values).reshape(n_rows, math.prod(values.shape[1:])))
    return np.hstack(columns)


def slice_marks(rows, codes, slices, n_slices):
    """Return a digest of what each slice of a shard trains on.

    That is the rows of this slice and of those before it, in their order. Slices
    with the same mark train a model in the same way.

    Parameters
    ----------
    rows : Rows
        Of one shard.
    codes : ndarray of uint64, shape (n_rows, n_codes)
        From `row_codes`.
    slices : ndarray of int, shape (n_rows,)
        Slice of each row.
    n_slices : int

    Returns
    -------
    tuple of bytes
    """
    names = sorted(rows.params)
    arrays = [*layout_of(rows.X).split(rows.X), rows.y]
    kinds = [_kind(values) for values in (*arrays, *map(rows.params.get, names))]
    head = repr((type(rows.X).__name__, kinds, names)).encode()
    marks = []
    for j in range(n_slices):
        digest = hashlib.blake2b(head, digest_size=MARK_BYTES)
        digest.update(codes[slices <= j].tobytes())
        marks.append(digest.digest())
    return tuple(marks)


def _kind(values):
    """Type of an array, but for the length of its longest word."""
    dtype = values.dtype if hasattr(values, "dtype") else np.asarray(values).dtype
    return dtype.str if dtype.kind in "fiubmM" else dtype.kind
