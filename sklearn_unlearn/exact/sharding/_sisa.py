"""Ensembles of models on shards of the rows, of which a request touches few."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier, is_regressor
from sklearn.utils import check_array, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from sklearn_unlearn.base._response import pad_response
from sklearn_unlearn.exact.sharding._base import BaseSISA
from sklearn_unlearn.utils._sklearn_compat import StrOptions


class SISAClassifier(ClassifierMixin, BaseSISA):
    """Classifiers on shards of the rows, of which forgetting touches few.

    Sharded, isolated, sliced, aggregated training (SISA). The rows are divided
    into shards, and each shard has a model of its own. To forget a row, its shard
    alone is trained again, from the checkpoint before the slice that the row was
    in. The result is bit for bit the one that ``fit`` gives without the row. Models
    on a part of the rows know less: accuracy falls as the number of shards rises.

    Parameters
    ----------
    estimator : classifier
        What is fitted to each shard.
    n_shards : int, default=5
        Number of shards. Rows go to them by their content, so shards are of equal
        size on average only, and some may be empty where rows are few.
    n_slices : int, default=1
        Number of slices of a shard. Its model is trained on the first slice, then
        on the first two, and so on, with a checkpoint after each. With more than
        one the estimator must have ``partial_fit`` or ``warm_start``.
    vote : {"hard", "soft"}, default="hard"
        ``"hard"``: the label that most models predict; ``"soft"``: the largest
        mean of their probabilities.
    n_epochs : int, default=20
        With ``partial_fit``: passes over a shard that the slices together amount
        to. Slice ``j`` of ``L`` trains for about ``2 * n_epochs / (L + 1)`` epochs
        on the slices up to it, and for at least one. Otherwise the estimator
        decides.
    random_state : int, RandomState instance or None, default=None
        Decides which shard a row goes to. Every ``random_state`` within the
        models is set to a seed made of it and of the numbers of shard and slice.
        With None the guarantee is ``"exact_law"``.
    n_jobs : int or None, default=None
        Number of shards trained at once, in a backend of joblib. None means one,
        or what ``joblib.parallel_config`` says, for instance a Dask cluster.
    group_column : str, int or None, default=None
        Name of a column of a data frame, or position of a column, that holds the id
        of each row, as ``groups`` of ``fit`` would. It is no feature: ``fit`` takes it
        out, and all methods take rows with or without it.
    store_training_data : bool, default=True
        Whether to keep the retained rows. Without them, ``unlearn`` must be given
        ``X_retain`` and ``y_retain``; only slices that differ are trained.

    Attributes
    ----------
    estimators_ : list of length n_shards
        The fitted models, one per shard; None for a shard without rows.
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
    SISARegressor : The same for numbers.
    ExactUnlearner : Forgets without shards where there is a faster way than to fit.
    sisa_cost : What a request costs on average.

    Notes
    -----
    The shard and slice of a row follow from a hash of its features, or of its id in
    ``groups``, and from ``random_state``. They depend on no other row, so all rows
    stay where they are when some are forgotten; equal rows are in one slice. Within a
    slice rows keep the order of ``fit``. The rows of a slice are compared with those
    that its checkpoint was trained on, so a slice that has not changed is not trained
    again, whichever way the rows come.

    In a pipeline, an earlier step that depends on all rows, such as a scaler,
    changes every row when it forgets one; then all shards are trained again. Scale
    by fixed numbers, or put the scaler within: ``SISAClassifier(make_pipeline(
    StandardScaler(), ...))`` has one in each shard, though no slices.

    ``warm_start`` goes on from the coefficients of a linear model, or adds trees to
    an ensemble. Where the first slices lack a label that comes later, the model
    starts anew with it; models with ``partial_fit`` are told of all labels of their
    shard, and start anew when one has left it. Estimators that count rows, such as
    naive Bayes, would count those of early slices several times: for them use
    `ExactUnlearner`.

    A row whose ``sample_weight`` is 0 is left out of training.

    References
    ----------
    .. [1] L. Bourtoule, V. Chandrasekaran, C. A. Choquette-Choo, H. Jia, A. Travers,
       B. Zhang, D. Lie and N. Papernot, "Machine Unlearning", IEEE Symposium on
       Security and Privacy, 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn_unlearn.exact import SISAClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SISAClassifier(SGDClassifier(), n_slices=4, random_state=0).fit(X, y)
    >>> model.unlearning_cost(X[:1]).reason
    '1 of 20 slices are trained again, in 1 of 5 shards'
    >>> before = list(model.estimators_)
    >>> _ = model.unlearn(X[:1])
    >>> sum(a is not b for a, b in zip(before, model.estimators_))
    1
    """

    _parameter_constraints: dict = {
        **BaseSISA._parameter_constraints,
        "vote": [StrOptions({"hard", "soft"})],
    }

    def __init__(
        self,
        estimator,
        *,
        n_shards=5,
        n_slices=1,
        vote="hard",
        n_epochs=20,
        random_state=None,
        n_jobs=None,
        group_column=None,
        store_training_data=True,
    ):
        self.estimator = estimator
        self.n_shards = n_shards
        self.n_slices = n_slices
        self.vote = vote
        self.n_epochs = n_epochs
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.group_column = group_column
        self.store_training_data = store_training_data

    def _check_estimator(self):
        self._check_estimator_type(is_classifier, "classifier", "SISARegressor")
        if self.vote == "soft" and not hasattr(self.estimator, "predict_proba"):
            raise ValueError(
                f'vote="soft" needs predict_proba, which '
                f'{type(self.estimator).__name__} does not have. Use vote="hard".'
            )

    def _check_target(self, y):
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return y

    def predict(self, X):
        """Predict the label with most votes, or the largest mean probability.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels; of several that are equally good the first in ``classes_``.
        """
        best = self._votes(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X):
        """Predict the share of the votes, or the mean probability, of each label.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Numbers that add up to 1; 0 for a label of which no row is left.
        """
        return self._votes(X) / sum(m is not None for m in self.estimators_)

    def _votes(self, X):
        """Add up the votes of all models for each label."""
        check_is_fitted(self)
        votes = 0.0
        if self.vote == "soft":
            for model, proba in self._responses("predict_proba", X):
                votes = votes + pad_response(
                    proba, "predict_proba", model, self.classes_
                )
            return votes
        for _, labels in self._responses("predict", X):
            columns = np.searchsorted(self.classes_, labels)
            votes = votes + np.eye(len(self.classes_))[columns]
        return votes

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        if inner.classifier_tags is not None:
            tags.classifier_tags = copy.deepcopy(inner.classifier_tags)
            tags.classifier_tags.multi_label = False
        tags.target_tags.multi_output = False
        return tags


class SISARegressor(RegressorMixin, BaseSISA):
    """Regressors on shards of the rows, of which forgetting touches few.

    Sharded, isolated, sliced, aggregated training (SISA), see `SISAClassifier`. The
    prediction is the mean of those of the models.

    Parameters
    ----------
    estimator : regressor
        What is fitted to each shard.
    n_shards : int, default=5
        Number of shards. Rows go to them by their content, so shards are of equal
        size on average only, and some may be empty where rows are few.
    n_slices : int, default=1
        Number of slices of a shard. Its model is trained on the first slice, then
        on the first two, and so on, with a checkpoint after each. With more than
        one the estimator must have ``partial_fit`` or ``warm_start``.
    n_epochs : int, default=20
        With ``partial_fit``: passes over a shard that the slices together amount
        to. Slice ``j`` of ``L`` trains for about ``2 * n_epochs / (L + 1)`` epochs
        on the slices up to it, and for at least one. Otherwise the estimator
        decides.
    random_state : int, RandomState instance or None, default=None
        Decides which shard a row goes to. Every ``random_state`` within the
        models is set to a seed made of it and of the numbers of shard and slice.
        With None the guarantee is ``"exact_law"``.
    n_jobs : int or None, default=None
        Number of shards trained at once, in a backend of joblib. None means one,
        or what ``joblib.parallel_config`` says, for instance a Dask cluster.
    group_column : str, int or None, default=None
        Name of a column of a data frame, or position of a column, that holds the id
        of each row, as ``groups`` of ``fit`` would. It is no feature: ``fit`` takes it
        out, and all methods take rows with or without it.
    store_training_data : bool, default=True
        Whether to keep the retained rows. Without them, ``unlearn`` must be given
        ``X_retain`` and ``y_retain``; only slices that differ are trained.

    Attributes
    ----------
    estimators_ : list of length n_shards
        The fitted models, one per shard; None for a shard without rows.
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
    SISAClassifier : The same for classes, with more about both.
    ExactUnlearner : Forgets without shards where there is a faster way than to fit.
    sisa_cost : What a request costs on average.

    References
    ----------
    .. [1] L. Bourtoule, V. Chandrasekaran, C. A. Choquette-Choo, H. Jia, A. Travers,
       B. Zhang, D. Lie and N. Papernot, "Machine Unlearning", IEEE Symposium on
       Security and Privacy, 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from sklearn_unlearn.exact import SISARegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = SISARegressor(DecisionTreeRegressor(), random_state=0).fit(X, y)
    >>> model.unlearn(X[:3]).n_forgotten_
    3
    """

    def __init__(
        self,
        estimator,
        *,
        n_shards=5,
        n_slices=1,
        n_epochs=20,
        random_state=None,
        n_jobs=None,
        group_column=None,
        store_training_data=True,
    ):
        self.estimator = estimator
        self.n_shards = n_shards
        self.n_slices = n_slices
        self.n_epochs = n_epochs
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.group_column = group_column
        self.store_training_data = store_training_data

    def _check_estimator(self):
        self._check_estimator_type(is_regressor, "regressor", "SISAClassifier")

    def _check_target(self, y):
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        if y.dtype.kind == "O":
            y = y.astype(np.float64)
        several = get_tags(self.estimator).target_tags.multi_output
        return y if several else column_or_1d(y, warn=True)

    def predict(self, X):
        """Predict the mean of what the models predict.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Predictions.
        """
        return np.mean([values for _, values in self._responses("predict", X)], axis=0)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        if inner.regressor_tags is not None:
            tags.regressor_tags = copy.deepcopy(inner.regressor_tags)
        return tags
