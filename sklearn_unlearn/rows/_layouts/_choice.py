"""Which layout takes which container apart."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import sklearn
from scipy import sparse
from sklearn.utils.fixes import parse_version

from sklearn_unlearn.rows._layouts._arrays import ArrayLayout
from sklearn_unlearn.rows._layouts._columns import column_names
from sklearn_unlearn.rows._layouts._lists import ItemsLayout, layout_of_list
from sklearn_unlearn.rows._layouts._native import NativeLayout
from sklearn_unlearn.rows._layouts._pandas import FrameLayout, SeriesLayout
from sklearn_unlearn.rows._layouts._sparse import SparseLayout
from sklearn_unlearn.utils._sklearn_compat import _safe_indexing

__all__ = ["layout_of", "select_rows"]


def layout_of(X):
    """Return the layout that takes `X` apart.

    Raises
    ------
    TypeError
        If rows in such a container cannot be kept.
    """
    if sparse.issparse(X):
        return SparseLayout(X)
    if isinstance(X, (list, tuple)):
        return layout_of_list(X)
    for method in ("compute", "collect"):
        if hasattr(X, method):
            raise TypeError(
                f"Rows in a {_named(X)} are not in memory and cannot be kept: pass "
                f"X.{method}()."
            )
    if hasattr(X, "iloc"):
        return FrameLayout(X) if hasattr(X, "columns") else SeriesLayout(X)
    if column_names(X) is not None:
        return _native_layout(X)
    if isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype.kind == "O":
        return ItemsLayout(X)
    return ArrayLayout(X)


def select_rows(X, positions):
    """Return rows of a container that scikit-learn takes, whatever its kind."""
    if sparse.issparse(X):  # not every format has rows that can be selected
        return X.tocsr()[positions]
    if hasattr(X, "iloc"):  # scikit-learn refuses columns of one name
        return X.iloc[positions]
    return _safe_indexing(X, positions)


def _native_layout(X):
    """Return the layout of a frame that is not pandas'."""
    if _library(X) not in ("polars", "pyarrow"):
        raise TypeError(f"Rows in a {_named(X)} cannot be kept: pass X.to_pandas().")
    if parse_version(sklearn.__version__) < parse_version("1.9"):
        raise TypeError(
            f"Rows in a {_named(X)} can be kept with scikit-learn 1.9 or newer, not "
            f"with {sklearn.__version__}. Update it, or pass X.to_pandas()."
        )
    return NativeLayout(X)


def _library(X):
    """Return the name of the library that a container is of."""
    return type(X).__module__.partition(".")[0]


def _named(X):
    """Return the library and the type of a container, for messages."""
    return f"{_library(X)} {type(X).__name__}"
