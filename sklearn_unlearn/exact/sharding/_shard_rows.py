"""Rows of a shard, and digests that tell whether those of a slice have changed."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import hashlib
import math

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sklearn_unlearn.rows._cells import cell_codes, row_hash
from sklearn_unlearn.rows._ids import id_codes
from sklearn_unlearn.rows._layouts import as_column, layout_of
from sklearn_unlearn.rows._store import Rows
from sklearn_unlearn.utils._sklearn_compat import _safe_indexing

__all__ = [
    "assignment_units",
    "canonical_rows",
    "nonzero_weights",
    "row_codes",
    "slice_digests",
    "take_rows",
]

DIGEST_BYTES = 16


def to_canonical(X):
    """Return rows in a container whose form depends on their values alone.

    Arrays are C-ordered, sparse matrices CSR, and frames have no categories that no row
    uses; lists of numbers become arrays.
    """
    layout = layout_of(X)
    X = layout.join(layout.split(X), layout.labels(X))
    if sparse.issparse(X):
        return X.tocsr()
    return np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X


def canonical_rows(rows):
    """Return rows whose ``X`` and params have a form that depends on values alone."""
    params = {name: as_column(values) for name, values in rows.params.items()}
    params = {n: v.tocsr() if sparse.issparse(v) else v for n, v in params.items()}
    return rows._replace(X=to_canonical(rows.X), params=params)


def take_rows(rows, positions):
    """Return the rows at these positions, with nothing of the others.

    Parameters
    ----------
    rows : Rows
        From `canonical_rows`.
    positions : ndarray of int

    Returns
    -------
    Rows
    """
    X = to_canonical(_safe_indexing(rows.X, positions))
    params = {name: _safe_indexing(v, positions) for name, v in rows.params.items()}
    return Rows(X, rows.y[positions], params)


def nonzero_weights(params, n_rows):
    """Return the positions of the rows whose ``sample_weight``, if any, is not 0."""
    weight = params.get("sample_weight")
    if weight is None or sparse.issparse(weight):  # which estimators refuse
        return np.arange(n_rows)
    return np.flatnonzero(weight)


def assignment_units(hashes, groups):
    """Return the code by which each row is assigned: of its id, or else of itself."""
    if groups is None:
        return hashes
    ids, missing = id_codes(groups)
    ids[missing] = hashes[missing]  # nobody's rows, each by itself
    return row_hash([ids[:, None]])


def row_codes(rows):
    """Return 64-bit codes of each row: of its features, its target and its params.

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
        # raises scikit-learn's message for cells that are not numbers, if it has one
        check_array(rows.X, accept_sparse=True, ensure_all_finite=False)
        raise
    n_rows, columns = len(hashes), [hashes[:, None]]
    for values in (rows.y, *(rows.params[name] for name in sorted(rows.params))):
        if sparse.issparse(values):
            columns.append(row_hash(layout_of(values).split(values))[:, None])
            continue
        values = np.asarray(values)
        columns.append(cell_codes(values).reshape(n_rows, math.prod(values.shape[1:])))
    return np.hstack(columns)


def slice_digests(rows, codes, slices, n_slices):
    """Return a digest of the rows that each slice of a shard is trained on.

    These are the rows of the slice and of those before it, in their order. A slice
    whose digest has not changed need not be trained again.

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
    arrays += [rows.params[name] for name in names]
    dtypes = [_dtype_name(values) for values in arrays]
    header = repr((type(rows.X).__name__, dtypes, names)).encode()
    digests = []
    for j in range(n_slices):
        digest = hashlib.blake2b(header, digest_size=DIGEST_BYTES)
        digest.update(codes[slices <= j].tobytes())
        digests.append(digest.digest())
    return tuple(digests)


def _dtype_name(values):
    """Name the type of an array's cells, without the length of strings."""
    dtype = values.dtype if hasattr(values, "dtype") else np.asarray(values).dtype
    return dtype.str if dtype.kind in "fiubmM" else dtype.kind
