"""Layout of frames of polars and tables of pyarrow, which are read by narwhals."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import io

import numpy as np
from scipy import sparse

from sklearn_unlearn.rows._layouts._base import Layout
from sklearn_unlearn.rows._layouts._casting import as_objects, cast_cells, cast_columns
from sklearn_unlearn.rows._layouts._columns import align_columns, column_names
from sklearn_unlearn.rows._layouts._frozen import frozen, thawed
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["NativeLayout"]

NO_TIME = np.iinfo(np.int64).min  # numpy's NaT, seen as a whole number


@saved_as("native frame")
class NativeLayout(Layout):
    """Rows in a frame of polars or a table of pyarrow.

    As for frames of pandas, columns that numpy has a type for form a part by type, and
    all others are kept as objects. A filtered column of words may keep the words of all
    rows it ever had, so that no column itself is kept.
    """

    def __init__(self, X):
        self.kind, self.names = _library(X), column_names(X)
        self.dtypes = list(X.schema.types if self.kind == "pyarrow" else X.dtypes)
        groups = {}
        for j, series in enumerate(_columns(X)):
            groups.setdefault(_stored_type(series), []).append(j)
        self.groups = list(groups.items())
        self._drop_unused_categories(lambda i: self.split(X)[i])

    def __getstate__(self):
        return {**self.__dict__, "dtypes": _plain_types(self.kind, self.dtypes)}

    def __setstate__(self, state):
        dtypes = _types_of_plain(state["kind"], state["dtypes"])
        self.__dict__.update(state, dtypes=dtypes)

    def split(self, X):
        series = _columns(X)
        return [
            np.column_stack([_values(series[j], dtype) for j in columns])
            for dtype, columns in self.groups
        ]

    def join(self, parts, labels=None):
        made = {
            j: (part[:, k], self.dtypes[j])
            for (_, columns), part in zip(self.groups, parts, strict=True)
            for k, j in enumerate(columns)
        }
        return _BUILD[self.kind](self.names, [made[j] for j in range(len(made))])

    def cast(self, X):
        X = align_columns(X, self.names)
        columns = self._columns_of_query(X)
        if len(columns) != len(self.names):
            raise ValueError(
                f"X_forget has {len(columns)} columns; fit was given "
                f"{len(self.names)}. Pass the rows as they were given to fit."
            )
        fits, parts, rounded = np.ones(len(columns[0]), dtype=bool), [], []
        for dtype, places in self.groups:
            values, good, inexact = cast_columns([columns[j] for j in places], dtype)
            parts.append(values)
            rounded.append(inexact)
            fits &= good
        return parts, fits, rounded

    def _columns_of_query(self, X):
        """Return the columns of a query in any container, as arrays."""
        if _library(X) is not None:
            return [_values(series, _stored_type(series)) for series in _columns(X)]
        if hasattr(X, "iloc"):
            return [X.iloc[:, j].to_numpy() for j in range(X.shape[1])]
        if sparse.issparse(X):
            X = X.toarray()
        keep_types = isinstance(X, (list, tuple))
        return list(np.asarray(X, dtype=object if keep_types else None).T)

    def without_unused_categories(self, column):
        if not any(_has_categories(dtype) for dtype in self.dtypes):
            return self
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        return new._drop_unused_categories(lambda i: column(f"X{i}"))

    def _drop_unused_categories(self, part):
        """Leave out of the own types the categories that no row has."""
        self.dtypes = list(self.dtypes)
        for i, (_, columns) in enumerate(self.groups):
            declared = [
                c for c in enumerate(columns) if _has_categories(self.dtypes[c[1]])
            ]
            values = part(i) if declared else None
            for k, j in declared:
                used, dtype = set(values[:, k].tolist()), self.dtypes[j]
                self.dtypes[j] = type(dtype)([c for c in dtype.categories if c in used])
        return self


def _library(X):
    """Return whether a frame is of polars or pyarrow; None for anything else."""
    library = type(X).__module__.partition(".")[0]
    return library if library in _BUILD and column_names(X) is not None else None


def _columns(X):
    """Return the columns of a frame as series of narwhals."""
    import narwhals.stable.v2 as nw

    frame = nw.from_native(X, eager_only=True)
    return [frame[name] for name in frame.columns]


def _stored_type(series):
    """Return the numpy type in which a column is stored."""
    dtype = series.dtype
    if hasattr(dtype, "time_unit"):  # a moment or a duration, in any time zone
        kind = "timedelta64" if type(dtype).__name__ == "Duration" else "datetime64"
        return np.dtype(f"{kind}[{dtype.time_unit}]")
    name = type(dtype).__name__
    is_plain = name == "Boolean" or name.startswith(("Int", "UInt", "Float"))
    if not is_plain or name.endswith("128") or series.null_count():
        return np.dtype(object)
    return series[:0].to_numpy().dtype


def _values(series, dtype):
    """Return a column as an array of a type that it is stored in."""
    import narwhals.stable.v2 as nw

    if dtype.kind == "O":
        return as_objects([frozen(cell) for cell in series.to_list()])
    if dtype.kind in "mM":
        ticks = series.cast(nw.Int64).fill_null(NO_TIME).to_numpy()
        return ticks.astype(np.int64).view(dtype)
    values = series.to_numpy()
    return (
        values if values.dtype == dtype else cast_cells(values[:, None], dtype)[0][:, 0]
    )


def _plain_types(library, dtypes):
    """Return types of columns as files hold them: an empty frame in Arrow's format."""
    names = [str(j) for j in range(len(dtypes))]
    if library == "pyarrow":
        import pyarrow as pa

        schema = pa.schema(list(zip(names, dtypes, strict=True)))
        return schema.serialize().to_pybytes()
    import polars as pl

    if pl.Object in dtypes:  # which Arrow has no type for
        return dtypes
    file = io.BytesIO()
    pl.DataFrame(schema=dict(zip(names, dtypes, strict=True))).write_ipc(file)
    return file.getvalue()


def _types_of_plain(library, plain):
    """Return what `_plain_types` was given."""
    if library == "pyarrow":
        import pyarrow as pa

        return pa.ipc.read_schema(pa.py_buffer(plain)).types
    import polars as pl

    if isinstance(plain, list):
        return plain
    return list(pl.read_ipc(io.BytesIO(plain)).schema.values())


def _has_categories(dtype):
    """Tell whether a type of a column lists the words that may occur in it."""
    return hasattr(dtype, "categories") and type(dtype).__name__ == "Enum"


def _as_given(values):
    """Return the cells of a column as its library makes them."""
    return (
        [thawed(cell) for cell in values.tolist()] if values.dtype == object else values
    )


def _polars_frame(names, columns):
    """Return a frame of polars of columns, each an array with its type."""
    import polars as pl

    series = []
    for name, (values, dtype) in zip(names, columns, strict=True):
        if values.dtype.kind in "mM":
            ticks = pl.Series(name, values.view(np.int64), dtype=pl.Int64)
            ticks = ticks.set(pl.Series(np.isnat(values)), None)
            series.append(ticks.cast(dtype))
        else:
            cells = _as_given(values)
            series.append(pl.Series(name, cells, dtype=dtype))
    return pl.DataFrame(series)


def _arrow_table(names, columns):
    """Return a table of pyarrow of columns, each an array with its type."""
    import pyarrow as pa

    arrays = []
    for values, dtype in columns:
        if values.dtype.kind in "mM":
            ticks = pa.array(values.view(np.int64), mask=np.isnat(values))
            arrays.append(ticks.cast(dtype))
        else:
            cells = _as_given(values)
            arrays.append(pa.array(cells, type=dtype))
    return pa.table(arrays, names=names)


_BUILD = {"polars": _polars_frame, "pyarrow": _arrow_table}
