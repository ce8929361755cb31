"""Comparison of the whole state of two fitted estimators."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import functools
import numbers
import re
import sys
import types
from collections import deque

import numpy as np
from scipy import sparse

from sklearn_unlearn.utils._reachable import attributes

__all__ = ["assert_same_state", "state_differences"]

NOT_STATE = ("n_forgotten_", "unlearning_log_")
# Keys of ``cv_results_``.
SEARCH_TIMES = frozenset(
    f"{of}_{what}_time" for of in ("mean", "std") for what in ("fit", "score")
)
TIMING = re.compile(r"_times?_")
RANDOM = (np.random.RandomState, np.random.Generator)
SETS = (set, frozenset)
SEQUENCES = (list, tuple, deque)
CODE = (
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.ModuleType,
    np.ufunc,
    np.dtype,
)


def assert_same_state(a, b, *, rtol=1e-8, atol=0.0, ignore=NOT_STATE):
    """Check that two fitted estimators have the same state.

    Every attribute is compared, private ones included, at any depth: an exact
    unlearner must leave nothing that a fit on the retained rows would not have made.

    Parameters
    ----------
    a, b : estimator instances
        Fitted. An object with a method ``_comparable_state()`` is compared by what
        that returns.
    rtol : float, default=1e-8
        Largest difference of floating-point numbers, relative to the largest
        absolute entry of their array. Everything else must be equal. Ten times
        the difference between refits on rows in another order is a fair choice
        where it is larger than the default; 0 asks for the same bits.
    atol : float, default=0.0
        Largest difference of floating-point numbers that are nothing but rounding,
        such as the means of standardised columns.
    ignore : sequence of str, default=(``"n_forgotten_"``, ``"unlearning_log_"``)
        Names of attributes, at any depth, that may differ. Attributes whose name
        ends in ``_time_`` or ``_times_`` are ignored in any case, and so are the times
        in ``cv_results_`` and constructor parameters that hold estimators.

    Raises
    ------
    AssertionError
        If there is a difference; the message names the first three.

    See Also
    --------
    find_residue : Searches for what is left of forgotten rows.
    check_unlearner : Checks all of the contract, this comparison included.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> from sklearn_unlearn.utils.estimator_checks import assert_same_state
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ExactUnlearner(GaussianNB()).fit(X, y).unlearn(X[:5])
    >>> assert_same_state(model.estimator_, GaussianNB().fit(X[5:], y[5:]))
    >>> assert_same_state(model.estimator_, GaussianNB().fit(X, y), rtol=0.001)
    Traceback (most recent call last):
    ...
    AssertionError: The states of two GaussianNB differ: ...
    """
    found = state_differences(a, b, rtol=rtol, atol=atol, ignore=ignore)
    if found:
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        raise AssertionError(
            f"The states of two {type(a).__name__} differ: {'; '.join(found[:3])}{more}"
        )


def state_differences(a, b, *, rtol=1e-8, atol=0.0, ignore=NOT_STATE):
    """Compare every attribute of two fitted estimators, public and private.

    Parameters
    ----------
    a, b, rtol, atol, ignore
        See `assert_same_state`.

    Returns
    -------
    list of str
        One sentence for each difference, empty if there is none.
    """
    return list(_Comparison(rtol, atol, ignore).differences("estimator", a, b))


class _Comparison:
    """Walk through two objects side by side, and say where they differ."""

    def __init__(self, rtol, atol, ignore):
        self.rtol, self.atol, self.ignore = rtol, atol, frozenset(ignore)
        self.seen = {}  # holds on to the objects, so that no id is used twice

    def differences(self, path, a, b):
        """Yield a sentence for each difference between two objects."""
        if a is b:
            return
        if isinstance(a, numbers.Number) and isinstance(b, numbers.Number):
            # the type of a number says nothing: a float may be a numpy scalar
            yield from self._numbers(path, np.asarray(a), np.asarray(b))
            return
        if type(a) is not type(b):
            yield f"{path} is a {type(a).__name__}, not a {type(b).__name__}"
            return
        if (id(a), id(b)) in self.seen:
            return
        self.seen[id(a), id(b)] = a, b
        yield from self._same_type(path, a, b)

    def _same_type(self, path, a, b):
        """Compare two objects of one type."""
        pandas, torch = sys.modules.get("pandas"), sys.modules.get("torch")
        if isinstance(a, np.ndarray):
            yield from self._arrays(path, np.asarray(a), np.asarray(b))
            if isinstance(a, np.ma.MaskedArray):
                yield from self.differences(f"{path}.mask", a.mask, b.mask)
        elif isinstance(a, dict):
            yield from self._dicts(path, a, b, "[{!r}]")
        elif isinstance(a, SEQUENCES):
            yield from self._sequences(path, a, b)
        elif isinstance(a, (str, bytes, bytearray, memoryview, slice, range, *SETS)):
            if a != b:
                yield f"{path} differs"
        elif sparse.issparse(a):
            yield from self._sparse(path, a, b)
        elif pandas and type(a).__module__.split(".")[0] == "pandas":
            yield from self._frames(path, a, b, pandas)
        elif torch and isinstance(a, torch.Tensor):
            parts = (t.detach().cpu().numpy() for t in (a, b))
            yield from self._arrays(path, *parts)
        elif isinstance(a, RANDOM):
            yield from self.differences(path, _random_state(a), _random_state(b))
        elif isinstance(a, CODE):
            if _code_name(a) != _code_name(b):
                yield f"{path} is {_code_name(a)}, not {_code_name(b)}"
        else:
            yield from self._dicts(path, _state(a), _state(b), ".{}")

    def _dicts(self, path, a, b, form):
        """Compare dictionaries, or attributes if `form` is ``".{}"``."""
        is_ignored = self._is_ignored if form == ".{}" else SEARCH_TIMES.__contains__
        a, b = ({k: v for k, v in d.items() if not is_ignored(k)} for d in (a, b))
        for key in a.keys() - b.keys():
            yield f"{path}{form.format(key)} is only in the first"
        for key in b.keys() - a.keys():
            yield f"{path}{form.format(key)} is only in the second"
        for key in a:
            if key in b:
                yield from self.differences(path + form.format(key), a[key], b[key])

    def _is_ignored(self, name):
        """Tell whether an attribute of this name may differ."""
        return name in self.ignore or TIMING.search(f"{name}$") is not None

    def _sequences(self, path, a, b):
        """Compare lists and tuples, element by element."""
        if len(a) != len(b):
            yield f"{path} has {len(a)} elements, not {len(b)}"
            return
        for i, (first, second) in enumerate(zip(a, b, strict=True)):
            yield from self.differences(f"{path}[{i}]", first, second)

    def _arrays(self, path, a, b):
        """Compare arrays of any type, records and objects among them."""
        if a.shape != b.shape:
            yield f"{path} has shape {a.shape}, not {b.shape}"
        elif a.dtype.kind != b.dtype.kind:
            yield f"{path} has dtype {a.dtype}, not {b.dtype}"
        elif a.dtype.names:
            if a.dtype.names != b.dtype.names:
                yield f"{path} has fields {a.dtype.names}, not {b.dtype.names}"
                return
            for name in a.dtype.names:
                yield from self._arrays(f"{path}[{name!r}]", a[name], b[name])
        elif a.dtype.kind == "O":
            yield from self._sequences(path, list(a.flat), list(b.flat))
        elif a.dtype.kind in "fc":
            yield from self._numbers(path, a, b)
        elif a.dtype.kind in "mM":
            yield from self._arrays(path, a.astype(np.int64), b.astype(np.int64))
        elif not np.array_equal(a, b):
            yield f"{path} differs in {np.count_nonzero(a != b)} of {a.size} entries"

    def _numbers(self, path, a, b):
        """Compare numbers: floating-point ones within `rtol`, integers exactly."""
        if a.dtype.kind not in "fc" and b.dtype.kind not in "fc":
            if a != b:
                yield f"{path} is {a}, not {b}"
            return
        finite = np.isfinite(a) & np.isfinite(b)
        if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
            yield f"{path} differs in what is not finite"
            return
        a, b = a[finite], b[finite]
        gap = np.abs(a - b).max(initial=0.0)
        scale = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
        if gap > max(self.rtol * scale, self.atol):
            yield f"{path} differs by {gap:.2g}, largest entry {scale:.2g}"

    def _sparse(self, path, a, b):
        """Compare sparse matrices by their entries, in whatever format they are."""
        if a.shape != b.shape:
            yield f"{path} has shape {a.shape}, not {b.shape}"
            return
        parts = []
        for matrix in (a, b):
            matrix = matrix.tocsr(copy=True)
            matrix.sum_duplicates()
            parts.append((matrix.indptr, matrix.indices, matrix.data))
        names = ("indptr", "indices", "data")
        for name, first, second in zip(names, *parts, strict=True):
            yield from self._arrays(f"{path}.{name}", first, second)

    def _frames(self, path, a, b, pandas):
        """Compare frames by column; unused categories and the index count too."""
        if isinstance(a, pandas.DataFrame):
            if a.shape != b.shape:
                yield f"{path} has shape {a.shape}, not {b.shape}"
                return
            yield from self.differences(f"{path}.columns", a.columns, b.columns)
            yield from self.differences(f"{path}.index", a.index, b.index)
            for j in range(a.shape[1]):
                first, second = a.iloc[:, j].array, b.iloc[:, j].array
                yield from self.differences(f"{path}.iloc[:, {j}]", first, second)
        elif isinstance(a, pandas.Series):
            yield from self.differences(f"{path}.index", a.index, b.index)
            yield from self.differences(f"{path}.array", a.array, b.array)
        elif isinstance(a, pandas.Categorical):
            first, second = a.categories, b.categories
            yield from self.differences(f"{path}.categories", first, second)
            yield from self._arrays(f"{path}.codes", a.codes, b.codes)
        elif hasattr(a, "__array__"):
            yield from self._arrays(path, np.asarray(a), np.asarray(b))
        elif a is not b and a != b:
            yield f"{path} differs"


def _state(thing):
    """Return the parts of an object that are to be compared, by name."""
    if hasattr(thing, "_comparable_state"):
        return {"_comparable_state()": thing._comparable_state()}
    if isinstance(thing, functools.partial):
        return {"func": thing.func, "args": thing.args, "keywords": thing.keywords}
    if isinstance(thing, types.MethodType):
        return {"__func__": thing.__func__, "__self__": thing.__self__}
    held = attributes(thing)
    if hasattr(thing, "get_params"):
        fitted_steps = ("steps", "transformer_list")
        for name, value in thing.get_params(deep=False).items():
            # estimators among the parameters are the caller's, but steps are fitted
            if name not in fitted_steps and _holds_estimators(value):
                held.pop(name, None)
    elif not held:
        try:
            return {"__getstate__()": _own_state(thing)}
        except Exception:  # nothing is known of it but its type
            return {}
    return held


def _own_state(thing):
    """Return the state of a compiled object, or the arguments that rebuild it."""
    if type(thing).__getstate__ is not object.__getstate__:
        return thing.__getstate__()
    return thing.__reduce_ex__(2)[1:]


def _holds_estimators(value):
    """Tell whether a parameter is an estimator, or a list of estimators."""
    if isinstance(value, (list, tuple)):
        return any(_holds_estimators(v) for v in value)
    return hasattr(value, "get_params") and not isinstance(value, type)


def _random_state(generator):
    """Return the state of a generator of random numbers."""
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    return generator.bit_generator.state


def _code_name(thing):
    """Return the module and name of a class, function or module."""
    module = getattr(thing, "__module__", "")
    return f"{module}.{getattr(thing, '__qualname__', thing)}"
