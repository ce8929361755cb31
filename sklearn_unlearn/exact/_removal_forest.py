"""Forests of extremely randomised trees that forget rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings
from abc import abstractmethod
from functools import cache
from numbers import Integral

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state, column_or_1d, gen_even_slices
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_unlearn.base import UnlearnerMixin, UnlearnerTags
from sklearn_unlearn.utils._sklearn_compat import (
    Interval,
    RealNotInt,
    StrOptions,
    _fit_context,
)

# Without numba a row takes a fifth of a millisecond in a tree: this is half a minute.
MANY_ROWS = 150_000
NO_LIMIT = np.iinfo(np.int32).max
# Targets are sums of integers of so many bits, relative to a power of 2**32.
N_BITS = 36


@cache
def _kernels(is_regression):
    """Import the loops over rows and nodes, and have them compiled.

    They are not imported with this module, which must not wait for numba; nor are
    they compiled in the first request, for it may be interrupted.
    """
    from sklearn_unlearn.exact import _tree_forgetting, _tree_growing, _tree_splits
    from sklearn_unlearn.exact._jit import IS_COMPILED

    functions = {
        **vars(_tree_splits),
        **vars(_tree_growing),
        **vars(_tree_forgetting),
        "IS_COMPILED": IS_COMPILED,
    }
    X, codes = (
        np.array([[0.0], [1.0], [2.0]], np.float32),
        np.array([0, 1, 0], np.int32),
    )
    n_classes = None if is_regression else 2
    data = _tree_splits.Data(X, codes, codes + 0.0, np.zeros((3, 2), np.int64))
    limits = _tree_splits.Limits(NO_LIMIT, 2, 1, 1, is_regression)
    trees = _tree_growing.plant(data, limits, [(0, 0)], n_classes)
    gone = np.array([False, False, True])
    _tree_forgetting.without(data, limits, [(0, 0)], trees, gone, n_classes)
    return functions


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
        """Return a Data."""

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
        memory = self._prepare_memory(X, y, groups, {}, forget)
        words = check_random_state(self.random_state).randint(
            0, 1 << 32, size=(self.n_estimators, 2), dtype=np.uint64
        )
        self._keys = [tuple(pair) for pair in words.tolist()]
        self._plant(self._encode(rows, targets))
        self._start_memory(memory)
        return self

    def _plant(self, data):
        """Grow all trees."""
        functions, n_classes = self._kernels(), self._n_classes()
        n_rows = len(data.X)
        if not functions["IS_COMPILED"] and n_rows * self.n_estimators > MANY_ROWS:
            warnings.warn(
                f"{type(self).__name__} needs numba for so many rows: without it, a "
                "fit takes a hundred times as long. Install sklearn-unlearn[forest].",
                UserWarning,
                stacklevel=3,
            )
        limits, plant = self._limits(), functions["plant"]
        self._set_trees(
            data,
            self._in_threads(
                lambda keys: plant(data, limits, keys, n_classes), self._keys
            ),
        )

    def _set_trees(self, data, trees):
        self._data = data
        self._trees, self._memories = map(list, zip(*trees, strict=True))

    def _kernels(self):
        return _kernels(self._n_classes() is None)

    def _limits(self):
        """Return the parameters as the trees take them."""
        m, n_features = self.max_features, self.n_features_in_
        if m in ("sqrt", "log2"):
            m = int(getattr(np, m)(n_features))
        elif m is None:
            m = n_features
        elif not isinstance(m, Integral):
            m = int(m * n_features)
        return self._kernels()["Limits"](
            NO_LIMIT if self.max_depth is None else min(self.max_depth, NO_LIMIT),
            self.min_samples_split,
            self.min_samples_leaf,
            min(max(1, m), n_features),
            self._n_classes() is None,
        )

    def _in_threads(self, act, *lists):
        """Call `act` with slices of lists, and chain the lists that it returns."""
        n_jobs = min(effective_n_jobs(self.n_jobs), len(lists[0]))
        if n_jobs == 1:
            return act(*lists)
        parts = Parallel(n_jobs=n_jobs, require="sharedmem")(
            delayed(act)(*(values[part] for values in lists))
            for part in gen_even_slices(len(lists[0]), n_jobs)
        )
        return [result for part in parts for result in part]

    # --------------------------------------------------------------- forgetting

    def _unlearn_rows(self, request):
        if request.moved or self._memories is None:
            self._refit(*request.retain[:2])
            return
        before = self._data if self._data is not None else self._data_of(request)
        kept = ~request.mask
        data = type(before)(*(c[kept] if len(c) else c for c in before))
        if not self._is_same_code(before, data):
            self._plant(self._encode(data.X, data.target))
            return
        limits, n_classes = self._limits(), self._n_classes()
        without = self._kernels()["without"]

        def act(keys, trees):
            return without(before, limits, keys, trees, request.mask, n_classes)

        trees = list(zip(self._trees, self._memories, strict=True))
        self._set_trees(data, self._in_threads(act, self._keys, trees))

    def _refit(self, X, y):
        """Grow all trees anew, from their keys."""
        classes = getattr(self, "classes_", None)
        X, y = self._check_rows(X, y, reset=True)
        if classes is not None:
            self.classes_ = classes
        if self._keys is None:
            raise self._no_rows_error()
        self._plant(self._encode(X, y))

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

    def _drop_memory(self):
        super()._drop_memory()
        self._data = self._memories = None

    def _strip(self):
        super()._strip()
        self._keys = None

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "_data" in state:
            state["_data"] = None
        return state

    # --------------------------------------------------------------- predicting

    def _sums(self, X, add, n_columns):
        """Return the sum over the trees of what each predicts for each row."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        # rows in a file are read-only, for which other loops would be compiled
        X = np.require(X, requirements=["C", "W", "E"])
        add = self._kernels()[add]

        def act(X):
            sums = np.zeros((len(X), n_columns))
            for tree in self._trees:
                add(tree, X, sums)
            return sums

        return np.reshape(self._in_threads(act, X), (len(X), n_columns))

    def __sklearn_is_fitted__(self):
        return "_trees" in vars(self)

    def _unlearner_tags(self):
        fixed = isinstance(self.random_state, Integral)
        return UnlearnerTags("exact" if fixed else "exact_law")


class RemovalForestClassifier(ClassifierMixin, BaseRemovalForest):
    """Forest of extremely randomised trees that forgets rows, for classes.

    It predicts as :class:`sklearn.ensemble.ExtraTreesClassifier` does: each node
    draws a few features and one threshold for each, and takes the best of these
    splits. ``unlearn`` gives the forest that ``fit`` gives on the retained rows,
    bit for bit, and takes a hundredth of the time.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    max_depth : int, default=None
        Largest depth of a tree; None for no limit.
    min_samples_split : int, default=2
        Rows that a node must have to be split.
    min_samples_leaf : int, default=1
        Rows that both sides of a split must have.
    max_features : {"sqrt", "log2"}, int, float or None, default="sqrt"
        Number of features for which a node draws a threshold: of those that are
        not constant in it. A float is a share of all features; None means all.
    n_jobs : int, default=None
        Number of threads. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the keys of the trees. With an integer the guarantee is
        ``"exact"``, otherwise ``"exact_law"``.
    store_training_data : bool, default=True
        Whether to keep the retained rows. Without them, ``unlearn`` must be
        given ``X_retain`` and ``y_retain``, and grows all trees anew.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels seen in ``fit``, forgotten ones included.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in ``fit``, if all of them are strings.
    n_forgotten_ : int
        Number of rows forgotten since ``fit``.
    unlearning_log_ : list of dict
        One record per request, without any data.

    See Also
    --------
    RemovalForestRegressor : The same for numbers.
    sklearn.ensemble.ExtraTreesClassifier : The forest that cannot forget.
    ExactUnlearner : For other estimators.

    Notes
    -----
    *Why it is exact.* A node has a key: that of the tree at the root, and of the
    key of its parent and its side everywhere else, by a counter-based generator
    [3]_. The key alone gives a permutation of the features and a number u in
    [0, 1) for each. Candidates are the first `max_features` of the permutation that
    are not constant in the node, and the threshold of each is ``a + u (b - a)``
    between its lowest value a and its highest value b there. The best candidate
    (Gini impurity, the first of equals) splits the node. So a tree is a function
    ``T(key, rows)``, without a history: over random keys it has the law of
    extremely randomised trees [1]_, and forgetting has only to compute
    ``T(key, retained rows)``. No randomness is drawn then, none can be used up, and
    requests in any order lead to the same forest. With a seed that is fixed, or
    independent of the requests, the result is a fresh fit.

    *Why it is fast.* Nodes of more than 64 rows keep, as DaRE forests do [2]_, what
    tells whether their split stands: of each candidate the classes up to the
    threshold and how many rows have the lowest and the highest value. A forgotten
    row is taken off these on its way down. While the best candidate remains and
    parts the retained rows as before, nothing else happens to a node; else, and in
    nodes of at most 64 rows, the subtree is grown again from its key. A lowest value
    that went moves its threshold, which is then counted again. Statistics are
    integers, so they never drift.

    The tree is then copied, with what has changed. So a request takes time
    proportional to the size of the forest, some hundredths of that of a fit; requests
    for many rows at once share it. The first one also builds the index of rows.

    As a step of a pipeline, the forest is grown anew for each request, from the same
    keys: the steps before it may have changed its rows.

    There is no bootstrap. Without numba (``pip install sklearn-unlearn[forest]``)
    the same code runs, a hundred times slower.

    References
    ----------
    .. [1] P. Geurts, D. Ernst and L. Wehenkel, "Extremely randomized trees",
       Machine Learning 63(1), 2006.
    .. [2] J. Brophy and D. Lowd, "Machine Unlearning for Random Forests",
       International Conference on Machine Learning, 2021.
    .. [3] J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random
       numbers: as easy as 1, 2, 3", SC '11, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_unlearn.exact import RemovalForestClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RemovalForestClassifier(n_estimators=5, random_state=0).fit(X, y)
    >>> forest.unlearn(X[:3]).n_forgotten_
    3
    >>> anew = RemovalForestClassifier(n_estimators=5, random_state=0)
    >>> proba = anew.fit(X[3:], y[3:]).predict_proba(X)
    >>> bool(np.array_equal(forest.predict_proba(X), proba))
    True
    """

    def predict(self, X):
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels.
        """
        probabilities = self.predict_proba(X)  # first: it checks that self is fitted
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X):
        """Predict probabilities: the mean of the shares of classes in the leaves.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Probabilities; 0 for a class of which every row is forgotten.
        """
        check_is_fitted(self)
        sums = self._sums(X, "add_shares", len(self.classes_))
        return sums / sums.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X):
        """Predict logarithms of probabilities.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Log-probabilities; -inf for probabilities of 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _check_rows(self, X, y, reset):
        X, y = validate_data(self, X, y, dtype=np.float32, order="C", reset=reset)
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        if reset:
            self.classes_ = np.unique(y)
        return X, y

    def _encode(self, X, y):
        Data = self._kernels()["Data"]
        codes = np.searchsorted(self.classes_, y).astype(np.int32)
        # its own copy: the array of the caller may change
        return Data(np.array(X), codes, np.empty(0), np.empty((0, 2), np.int64))

    def _n_classes(self):
        return len(self.classes_)


class RemovalForestRegressor(RegressorMixin, BaseRemovalForest):
    """Forest of extremely randomised trees that forgets rows, for numbers.

    It predicts as :class:`sklearn.ensemble.ExtraTreesRegressor` does, with splits
    that reduce the variance. ``unlearn`` gives the forest that ``fit`` gives on the
    retained rows, bit for bit, and takes a small part of the time.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees.
    max_depth : int, default=None
        Largest depth of a tree; None for no limit.
    min_samples_split : int, default=2
        Rows that a node must have to be split.
    min_samples_leaf : int, default=1
        Rows that both sides of a split must have.
    max_features : {"sqrt", "log2"}, int, float or None, default=1.0
        Number of features for which a node draws a threshold: of those that are
        not constant in it. A float is a share of all features; None means all.
    n_jobs : int, default=None
        Number of threads. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the keys of the trees. With an integer the guarantee is
        ``"exact"``, otherwise ``"exact_law"``.
    store_training_data : bool, default=True
        Whether to keep the retained rows. Without them, ``unlearn`` must be
        given ``X_retain`` and ``y_retain``, and grows all trees anew.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen in ``fit``, if all of them are strings.
    n_forgotten_ : int
        Number of rows forgotten since ``fit``.
    unlearning_log_ : list of dict
        One record per request, without any data.

    See Also
    --------
    RemovalForestClassifier : The same for classes, with an account of how it works.
    sklearn.ensemble.ExtraTreesRegressor : The forest that cannot forget.

    Notes
    -----
    Splits are chosen by sums of targets as integers of 72 bits, relative to a power
    of 2**32 above the largest of them. Such sums do not depend on what was in them
    before. If the largest target is forgotten and that power with it, all trees are
    grown anew. Leaves hold means of the targets as they were given.

    References
    ----------
    .. [1] P. Geurts, D. Ernst and L. Wehenkel, "Extremely randomized trees",
       Machine Learning 63(1), 2006.
    .. [2] J. Brophy and D. Lowd, "Machine Unlearning for Random Forests",
       International Conference on Machine Learning, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_unlearn.exact import RemovalForestRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RemovalForestRegressor(n_estimators=3, random_state=0).fit(X, y)
    >>> anew = RemovalForestRegressor(n_estimators=3, random_state=0)
    >>> predicted = anew.fit(X[2:], y[2:]).predict(X)
    >>> bool(np.array_equal(forest.unlearn(X[:2]).predict(X), predicted))
    True
    """

    def __init__(
        self,
        n_estimators=100,
        *,
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=1.0,
        n_jobs=None,
        random_state=None,
        store_training_data=True,
    ):
        super().__init__(
            n_estimators,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            max_features=max_features,
            n_jobs=n_jobs,
            random_state=random_state,
            store_training_data=store_training_data,
        )

    def predict(self, X):
        """Predict the mean of the leaves.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Predictions.
        """
        sums = self._sums(X, "add_means", 1)
        return sums[:, 0] / len(self._trees)

    def _check_rows(self, X, y, reset):
        X, y = validate_data(
            self, X, y, dtype=np.float32, order="C", reset=reset, y_numeric=True
        )
        return X, column_or_1d(y, warn=True).astype(np.float64)

    def _encode(self, X, y):
        Data = self._kernels()["Data"]
        scaled = np.ldexp(y, N_BITS - _exponent(y))
        upper = np.floor(scaled)
        lower = np.floor(np.ldexp(scaled - upper, N_BITS))
        limbs = np.column_stack([upper, lower]).astype(np.int64)
        return Data(np.array(X), np.empty(0, np.int32), y, limbs)

    def _is_same_code(self, before, after):
        return _exponent(before.target) == _exponent(after.target)


def _exponent(y):
    """Return the multiple of 32 such that all targets are below that power of two."""
    _, exponent = np.frexp(np.abs(y).max())
    return 32 * -(-int(exponent) // 32)
