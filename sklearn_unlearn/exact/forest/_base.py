"""Base of the forests that forget rows: their trees, threads and requests."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import abstractmethod
from functools import cache
from numbers import Integral

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state, gen_even_slices
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_unlearn.base import UnlearnerMixin, UnlearnerTags
from sklearn_unlearn.utils._sklearn_compat import (
    Interval,
    RealNotInt,
    StrOptions,
    _fit_context,
)
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["BaseRemovalForest"]

# Without numba a row takes a fifth of a millisecond in a tree: this is half a minute.
MANY_ROWS = 150_000
NO_LIMIT = np.iinfo(np.int32).max


@cache
def _tree_code(is_regression):
    """Import the loops over rows and nodes, and have them compiled.

    They are not imported with this module, which must not wait for numba; nor are
    they compiled in the first request, for it may be interrupted.
    """
    from sklearn_unlearn.exact.forest import tree

    X = np.array([[0.0], [1.0], [2.0]], np.float32)
    label, target = np.array([0, 1, 0], np.int32), np.array([0.0, 1.0, 0.0])
    data = tree.TrainingData(X, label, target, np.zeros(3, tree.TARGET_PARTS))
    params = tree.TreeParams(NO_LIMIT, 2, 1, 1, is_regression)
    n_classes = None if is_regression else 2
    trees = tree.grow_trees(data, params, [(0, 0)], n_classes)
    is_forgotten = np.array([False, False, True])
    tree.trees_without(data, params, [(0, 0)], trees, is_forgotten, n_classes)
    return tree


class BaseRemovalForest(UnlearnerMixin, BaseEstimator):
    """Base of :class:`RemovalForestClassifier` and :class:`RemovalForestRegressor`."""

    __metadata_request__fit = {"forget": True, "groups": True}

    _parameter_constraints: dict = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_split": [Interval(Integral, 2, None, closed="left")],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "max_features": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
            StrOptions({"sqrt", "log2"}),
            None,
        ],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "store_training_data": ["boolean"],
    }

    def __init__(
        self,
        n_estimators=100,
        *,
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features="sqrt",
        n_jobs=None,
        random_state=None,
        store_training_data=True,
    ):
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.store_training_data = store_training_data

    @abstractmethod
    def _check_rows(self, X, y, reset):
        """Return validated rows, and y as the trees take it."""

    @abstractmethod
    def _encode(self, X, y):
        """Return rows and targets as the trees take them, a TrainingData."""

    def _n_classes(self):
        """Return the number of classes; None for a regression."""
        return None

    # ------------------------------------------------------------------ fitting

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, forget=None, groups=None):
        """Grow the trees, then forget the rows that `forget` marks.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Training rows; they are converted to single precision.
        y : array-like of shape (n_rows,)
            Targets.
        forget : array-like of shape (n_rows,), dtype=bool, default=None
            Rows to forget after the fit on all of them. As metadata with one
            entry per row it is cut by every splitter.
        groups : array-like of shape (n_rows,), default=None
            One id per row, for ``unlearn(groups=...)``.

        Returns
        -------
        self : object
            The fitted forest.
        """
        rows, targets = self._check_rows(X, y, reset=True)
        kept = self._keep_rows(X, y, groups, {}, forget)
        words = check_random_state(self.random_state).randint(
            0, 1 << 32, size=(self.n_estimators, 2), dtype=np.uint64
        )
        self._keys = [tuple(pair) for pair in words.tolist()]
        self._grow(self._encode(rows, targets))
        self._attach_rows(kept)
        return self

    def _grow(self, data):
        """Grow all trees, from their keys."""
        tree, params, n_classes = self._tree_code(), self._params(), self._n_classes()
        if not tree.IS_COMPILED and len(data.X) * self.n_estimators > MANY_ROWS:
            warn_user(
                f"{type(self).__name__} needs numba for so many rows: without it, a "
                "fit takes a hundred times as long. Install sklearn-unlearn[forest].",
                UserWarning,
            )

        def grow(keys):
            return tree.grow_trees(data, params, keys, n_classes)

        self._set_trees(data, self._in_threads(grow, self._keys))

    def _set_trees(self, data, parts):
        """Set the trees and their states from lists of pairs, one per thread."""
        trees = [pair for part in parts for pair in part]
        self._data = data
        self._trees, self._tree_states = map(list, zip(*trees, strict=True))

    def _tree_code(self):
        """Return the module with the loops over rows and nodes."""
        return _tree_code(self._n_classes() is None)

    def _params(self):
        """Return the parameters as the trees take them."""
        m, n_features = self.max_features, self.n_features_in_
        if m in ("sqrt", "log2"):
            m = int(getattr(np, m)(n_features))
        elif m is None:
            m = n_features
        elif not isinstance(m, Integral):
            m = int(m * n_features)
        return self._tree_code().TreeParams(
            NO_LIMIT if self.max_depth is None else min(self.max_depth, NO_LIMIT),
            self.min_samples_split,
            self.min_samples_leaf,
            min(max(1, m), n_features),
            self._n_classes() is None,
        )

    def _in_threads(self, function, *lists):
        """Call a function with slices of lists, and return the list of its results."""
        n_jobs = min(effective_n_jobs(self.n_jobs), len(lists[0]))
        if n_jobs == 1:
            return [function(*lists)]
        return Parallel(n_jobs=n_jobs, require="sharedmem")(
            delayed(function)(*(values[part] for values in lists))
            for part in gen_even_slices(len(lists[0]), n_jobs)
        )

    # --------------------------------------------------------------- forgetting

    def _unlearn_rows(self, request):
        if request.coordinates_changed or self._tree_states is None:
            self._refit(*request.retain[:2])
            return
        before = self._data if self._data is not None else self._data_of(request)
        is_forgotten = request.mask
        after = type(before)(*(a[~is_forgotten] if len(a) else a for a in before))
        if not self._is_same_code(before, after):
            self._grow(self._encode(after.X, after.target))
            return
        tree, params, n_classes = self._tree_code(), self._params(), self._n_classes()

        def forget(keys, trees):
            return tree.trees_without(
                before, params, keys, trees, is_forgotten, n_classes
            )

        trees = list(zip(self._trees, self._tree_states, strict=True))
        self._set_trees(after, self._in_threads(forget, self._keys, trees))

    def _refit(self, X, y):
        """Grow all trees anew, from their keys."""
        classes = getattr(self, "classes_", None)
        X, y = self._check_rows(X, y, reset=True)
        if classes is not None:
            self.classes_ = classes
        if self._keys is None:
            raise self._no_rows_error()
        self._grow(self._encode(X, y))

    def _data_of(self, request):
        """Return the rows until now, which a pickle does not hold a second time."""
        (X, y), (X_forget, y_forget) = (
            self._check_rows(rows.X, rows.y, reset=False)
            for rows in (request.retain, request.forget)
        )
        order = np.argsort(
            np.r_[np.flatnonzero(~request.mask), np.flatnonzero(request.mask)]
        )
        return self._encode(np.r_[X, X_forget][order], np.r_[y, y_forget][order])

    def _is_same_code(self, before, after):
        """Tell whether `_encode` would give the retained rows the same code."""
        return True

    def _drop_rows(self):
        super()._drop_rows()
        self._data = self._tree_states = None

    def _drop_for_export(self):
        super()._drop_for_export()
        self._keys = None

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "_data" in state:
            state["_data"] = None
        return state

    # --------------------------------------------------------------- predicting

    def _sum_over_trees(self, add_values, X, n_columns):
        """Return the sum over the trees of what each predicts for each row.

        `add_values` is the name of the function that adds the values of one tree.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        # rows in a file are read-only, for which other loops would be compiled
        X = np.require(X, requirements=["C", "W", "E"])
        add = getattr(self._tree_code(), add_values)

        def predict(X):
            sums = np.zeros((len(X), n_columns))
            for tree in self._trees:
                add(tree, X, sums)
            return sums

        return np.concatenate(self._in_threads(predict, X))

    def __sklearn_is_fitted__(self):
        return "_trees" in vars(self)

    def _unlearner_tags(self):
        fixed = isinstance(self.random_state, Integral)
        return UnlearnerTags("exact" if fixed else "exact_law")
