"""Forests of extremely randomised trees that forget rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_unlearn.exact.forest._base import BaseRemovalForest

# Targets are two integers of so many bits.
N_BITS = 36


class RemovalForestClassifier(ClassifierMixin, BaseRemovalForest):
    """Forest of extremely randomised trees that forgets rows, for classes.

    It predicts as :class:`sklearn.ensemble.ExtraTreesClassifier` does: each node
    draws a few features and one threshold for each, and takes the best of these
    splits. ``unlearn`` gives the forest that ``fit`` gives on the retained rows,
    bit for bit. A single row takes it about a hundredth of the time of a fit.

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

    *Why it is fast.* Nodes of more than 128 rows keep, as DaRE forests do [2]_, what
    tells whether their split stands: of each candidate the classes up to the
    threshold and how many rows have the lowest and the highest value. A forgotten
    row is taken off these on its way down; smaller nodes are counted again. While
    the best candidate is of the same feature and parts the retained rows as before,
    nothing else happens to a node; else, and in nodes of at most 32 rows, the subtree
    is grown again from its key. A lowest or highest value that goes moves the
    threshold. Statistics are integers, so they never drift.

    The tree is then copied, with what has changed. So a request takes time
    proportional to the size of the forest, about a hundredth of that of a fit, and
    many rows are best forgotten at once. The first request also builds the index of
    rows.

    As a step of a pipeline, the forest is grown anew for each request, from the same
    keys: the steps before it may have changed its rows.

    Other than in scikit-learn, features that are constant in a node do not count
    towards `max_features`, as in [1]_. There is no bootstrap. Without numba
    (``pip install sklearn-unlearn[forest]``) the same code runs, a hundred times
    slower.

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
        sums = self._sum_over_trees("add_shares", X, len(self.classes_))
        return sums / len(self._trees)

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
        tree = self._tree_code()
        # its own copy: the array of the caller may change; and a zero without a sign
        X = X + np.float32(0)
        labels = np.searchsorted(self.classes_, y).astype(np.int32)
        no_parts = np.empty(0, tree.TARGET_PARTS)
        return tree.TrainingData(X, labels, np.empty(0), no_parts)

    def _n_classes(self):
        return len(self.classes_)


class RemovalForestRegressor(RegressorMixin, BaseRemovalForest):
    """Forest of extremely randomised trees that forgets rows, for numbers.

    It predicts as :class:`sklearn.ensemble.ExtraTreesRegressor` does, with splits
    that reduce the variance. ``unlearn`` gives the forest that ``fit`` gives on the
    retained rows, bit for bit. A single row takes it about a hundredth of the time of a
    fit.

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
        sums = self._sum_over_trees("add_means", X, 1)
        return sums[:, 0] / len(self._trees)

    def _check_rows(self, X, y, reset):
        X, y = validate_data(
            self, X, y, dtype=np.float32, order="C", reset=reset, y_numeric=True
        )
        return X, column_or_1d(y, warn=True).astype(np.float64)

    def _encode(self, X, y):
        tree = self._tree_code()
        parts = np.empty(len(y), tree.TARGET_PARTS)
        scaled = np.ldexp(y, N_BITS - _exponent(y))
        upper = np.floor(scaled)
        parts["upper"] = upper
        parts["lower"] = np.floor(np.ldexp(scaled - upper, N_BITS))
        no_labels = np.empty(0, np.int32)
        return tree.TrainingData(X + np.float32(0), no_labels, y, parts)

    def _is_same_code(self, before, after):
        return _exponent(before.target) == _exponent(after.target)


def _exponent(y):
    """Return the multiple of 32 such that all targets are below that power of two."""
    _, exponent = np.frexp(np.abs(y).max())
    return 32 * -(-int(exponent) // 32)
