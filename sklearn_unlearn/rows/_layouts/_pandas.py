"""Layout of data frames and series of pandas, and of frames made like these."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse

from sklearn_unlearn.rows._layouts._base import Layout
from sklearn_unlearn.rows._layouts._casting import (
    PLAIN_KINDS,
    as_objects,
    cast_cells,
    cast_columns,
)
from sklearn_unlearn.rows._layouts._columns import align_columns
from sklearn_unlearn.rows._layouts._frozen import (
    from_cells,
    frozen_column,
    thawed_column,
    to_cells,
)
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["FrameLayout", "SeriesLayout"]


@saved_as("pandas frame")
class FrameLayout(Layout):
    """Rows in a data frame.

    Columns of one numpy type form a part; all others (words, categories, nullable
    numbers, time zones) are kept as objects and cast back when put together. The
    index is kept beside the parts.
    """

    def __init__(self, X):
        import pandas as pd

        self.frame_type = None if type(X) is pd.DataFrame else type(X)
        self.columns, self.dtypes = _without_unused(X.columns), list(X.dtypes)
        groups = {}
        for j, dtype in enumerate(self.dtypes):
            groups.setdefault(_stored_type(dtype), []).append(j)
        self.groups = list(groups.items())
        self.index = IndexLayout(X.index)
        self._drop_unused_categories(
            lambda i: self._values(X, *reversed(self.groups[i]))
        )

    def __getstate__(self):
        return {
            **self.__dict__,
            "columns": plain_index(self.columns),
            "dtypes": list(map(plain_type, self.dtypes)),
        }

    def __setstate__(self, state):
        self.__dict__.update(
            state,
            columns=index_of_plain(state["columns"]),
            dtypes=list(map(type_of_plain, state["dtypes"])),
        )

    @property
    def names(self):
        """Names of the columns."""
        return list(self.columns)

    @property
    def has_own_labels(self):
        """Whether the index is no mere count of the rows."""
        return self.index.has_own_labels

    def split(self, X):
        return [self._values(X, columns, dtype) for dtype, columns in self.groups]

    def _values(self, X, columns, dtype):
        """Return columns of a frame as an array of one type."""
        if dtype.kind in PLAIN_KINDS:
            chosen = X if len(columns) == X.shape[1] else X.iloc[:, columns]
            return np.ascontiguousarray(chosen.to_numpy(dtype=dtype))
        values = np.empty((len(X), len(columns)), dtype=dtype)
        for k, j in enumerate(columns):  # of types that have none in common
            values[:, k] = frozen_column(X.iloc[:, j].to_numpy(dtype=dtype))
        return values

    def join(self, parts, labels=None):
        import pandas as pd

        index = None if labels is None else self.index.join(labels)
        if [dtype.kind in PLAIN_KINDS for dtype, _ in self.groups] == [True]:
            # by column, as pandas itself arranges selected rows
            values = np.array(parts[0], order="F")
            frame = pd.DataFrame(values, index=index, columns=self.columns)
        else:
            series = {}
            for (_, columns), part in zip(self.groups, parts, strict=True):
                for k, j in enumerate(columns):
                    cells = thawed_column(part[:, k])
                    series[j] = pd.Series(cells, dtype=self.dtypes[j])
            frame = pd.DataFrame({j: series[j] for j in range(len(series))})
            frame.columns = self.columns
            if index is not None:
                frame.index = index
        return frame if self.frame_type is None else self.frame_type(frame)

    def labels(self, X):
        return self.index.split(X.index)

    def cast_labels(self, X):
        return self.index.cast(X.index) if hasattr(X, "iloc") else None

    def cast(self, X):
        X = align_columns(X, self.names)
        X = X if hasattr(X, "iloc") else _as_frame(X)
        if X.shape[1] != len(self.dtypes):
            raise ValueError(
                f"X_forget has {X.shape[1]} columns; fit was given "
                f"{len(self.dtypes)}. Pass the rows as they were given to fit."
            )
        fits, parts, rounded = np.ones(len(X), dtype=bool), [], []
        given = list(X.dtypes)
        for dtype, columns in self.groups:
            if dtype.kind == "O" or all(given[j] == dtype for j in columns):
                parts.append(self._values(X, columns, dtype))
                rounded.append(None)
                continue
            cells = [X.iloc[:, j].to_numpy() for j in columns]
            values, good, inexact = cast_columns(cells, dtype)
            parts.append(values)
            rounded.append(inexact)
            fits &= good
        return parts, fits, rounded

    def without_unused_categories(self, column):
        index = self.index.without_unused_categories(column)
        categorical = any(hasattr(dtype, "categories") for dtype in self.dtypes)
        if index is self.index and not categorical:
            return self
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__, index=index)
        return new._drop_unused_categories(lambda i: column(f"X{i}"))

    def _drop_unused_categories(self, part):
        """Leave out of the own dtypes the categories that no row has."""
        self.dtypes = list(self.dtypes)
        for i, (_, columns) in enumerate(self.groups):
            categorical = [
                (k, j)
                for k, j in enumerate(columns)
                if hasattr(self.dtypes[j], "categories")
            ]
            values = part(i) if categorical else None
            for k, j in categorical:
                self.dtypes[j] = _used_categories(self.dtypes[j], values[:, k])
        return self


@saved_as("pandas series")
class SeriesLayout(Layout):
    """Rows in a series, such as documents: those of a frame with this column alone."""

    shape = ()

    def __init__(self, X):
        self.name, self.frame = X.name, FrameLayout(X.to_frame(name=0))

    @property
    def has_own_labels(self):
        """Whether the index is no mere count of the rows."""
        return self.frame.has_own_labels

    def split(self, X):
        return self.frame.split(X.to_frame(name=0))

    def join(self, parts, labels=None):
        return self.frame.join(parts, labels)[0].rename(self.name)

    def labels(self, X):
        return self.frame.labels(X)

    def cast_labels(self, X):
        return self.frame.cast_labels(X)

    def cast(self, X):
        if hasattr(X, "to_frame"):
            return self.frame.cast(X.to_frame(name=0))
        cells = as_objects(list(X))
        return self.frame.cast(cells[:, None])

    def without_unused_categories(self, column):
        frame = self.frame.without_unused_categories(column)
        if frame is self.frame:
            return self
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__, frame=frame)
        return new


@saved_as("pandas index")
class IndexLayout:
    """The index of a frame: types and names of its levels, without its labels."""

    def __init__(self, index):
        import pandas as pd

        self.is_multi = isinstance(index, pd.MultiIndex)
        self.is_count = isinstance(index, pd.RangeIndex)
        self.names = list(index.names)
        levels = self._levels(index)
        self.dtypes = [
            _used_categories(level.dtype, level)
            if _is_categorical(level)
            else level.dtype
            for level in levels
        ]
        only = _stored_type(self.dtypes[0])
        self.dtype = np.dtype(object) if self.is_multi else only

    def __getstate__(self):
        return {**self.__dict__, "dtypes": list(map(plain_type, self.dtypes))}

    def __setstate__(self, state):
        dtypes = list(map(type_of_plain, state["dtypes"]))
        self.__dict__.update(state, dtypes=dtypes)

    @property
    def has_own_labels(self):
        """Whether the index is no mere count of the rows."""
        return not self.is_count

    def _levels(self, index):
        """Return the labels of each level, one for each row."""
        if not self.is_multi:
            return [index]
        return [index.get_level_values(k) for k in range(index.nlevels)]

    def split(self, index):
        """Return the labels as an array of shape (n_rows, n_levels)."""
        levels = self._levels(index)
        labels = np.empty((len(index), len(levels)), dtype=self.dtype)
        for k, level in enumerate(levels):
            labels[:, k] = level.to_numpy(dtype=self.dtype)
        return labels

    def cast(self, index):
        """Return the labels of another index so; None if it has no such labels."""
        import pandas as pd

        if isinstance(index, pd.RangeIndex) or index.nlevels != len(self.dtypes):
            return None  # a mere count of the rows of a request says nothing
        if self.dtype.kind == "O":
            return self.split(index)
        labels, fits = cast_cells(index.to_numpy()[:, None], self.dtype)
        return labels if fits.all() else None

    def join(self, labels):
        """Return the index that has these labels."""
        import pandas as pd

        levels = [
            pd.Index(labels[:, k].copy(), dtype=dtype, name=name)
            for k, (dtype, name) in enumerate(zip(self.dtypes, self.names, strict=True))
        ]
        if not self.is_multi:
            return levels[0]
        return pd.MultiIndex.from_arrays(levels, names=self.names)

    def without_unused_categories(self, column):
        """Return the layout without categories that no label has any more."""
        if not any(hasattr(dtype, "categories") for dtype in self.dtypes):
            return self
        new, labels = object.__new__(type(self)), column("index")
        dtypes = [
            _used_categories(dtype, labels[:, k])
            if hasattr(dtype, "categories")
            else dtype
            for k, dtype in enumerate(self.dtypes)
        ]
        new.__dict__.update(self.__dict__, dtypes=dtypes)
        return new


def plain_index(index):
    """Return an index as files hold it, without objects of pandas."""
    import pandas as pd

    if isinstance(index, pd.RangeIndex):
        return {"range": [index.start, index.stop, index.step], "name": index.name}
    layout = IndexLayout(index)
    return {"layout": layout, "labels": to_cells(layout.split(index))}


def index_of_plain(plain):
    """Return what `plain_index` was given."""
    import pandas as pd

    if "range" in plain:
        return pd.RangeIndex(*plain["range"], name=plain["name"])
    return plain["layout"].join(from_cells(plain["labels"]))


def plain_type(dtype):
    """Return a type of a column as files hold it: its name, if that says all."""
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        categories = plain_index(dtype.categories)
        return {"categories": categories, "ordered": dtype.ordered}
    if isinstance(dtype, np.dtype):
        return dtype
    try:
        says_all = pd.api.types.pandas_dtype(str(dtype)) == dtype
    except TypeError:  # of another library
        return dtype
    return str(dtype) if says_all else dtype


def type_of_plain(plain):
    """Return what `plain_type` was given."""
    import pandas as pd

    if isinstance(plain, dict):
        return pd.CategoricalDtype(
            index_of_plain(plain["categories"]), plain["ordered"]
        )
    return pd.api.types.pandas_dtype(plain)


def _stored_type(dtype):
    """Return the numpy type in which cells of a type of pandas are stored."""
    plain = isinstance(dtype, np.dtype) and dtype.kind in PLAIN_KINDS
    return dtype if plain else np.dtype(object)


def _is_categorical(values):
    """Tell whether values have a type with categories."""
    return hasattr(values.dtype, "categories")


def _used_categories(dtype, values):
    """Return a type with those categories alone that are among the values."""
    import pandas as pd

    used = set(values.tolist())
    kept = [level for level in dtype.categories if level in used]
    levels = pd.Index(kept, dtype=dtype.categories.dtype)
    return pd.CategoricalDtype(levels, dtype.ordered)


def _without_unused(columns):
    """Return the names of columns without levels or categories that none has."""
    if hasattr(columns, "remove_unused_levels"):
        return columns.remove_unused_levels()
    if hasattr(columns, "remove_unused_categories"):
        return columns.remove_unused_categories()
    return columns


def _as_frame(X):
    """Return a query in another container as a frame."""
    import pandas as pd

    if hasattr(X, "to_pandas"):
        return X.to_pandas()
    return pd.DataFrame(X.toarray() if sparse.issparse(X) else _as_cells(X))


def _as_cells(X):
    """Return a list as an array whose cells have their own types."""
    return np.asarray(X, dtype=object if isinstance(X, (list, tuple)) else None)
