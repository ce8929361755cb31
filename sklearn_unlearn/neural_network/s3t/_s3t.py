"""Classification and regression by ensembles that forget without training."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import torch
from scipy.special import softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from sklearn_unlearn.neural_network.s3t._base import BaseS3T
from sklearn_unlearn.neural_network.s3t._heads import ClassHeads, NumberHeads

__all__ = ["S3TClassifier", "S3TRegressor"]


class S3TClassifier(ClassifierMixin, BaseS3T):
    """Classify by an ensemble that forgets a row by switching blocks off.

    Rows are assigned to shards, and to slices of their shard, by their content. A
    shard learns its slices one after the other: for each there is one more block, a
    low-rank adapter on a stack of frozen ones over frozen random features, with a head
    of its own. To forget a row, the blocks that have seen its slice are dropped, and
    the head before them predicts. Several sequences of slices per shard make it likely
    that a long one is left [1]_. Probabilities are averaged over the shards, each of
    which counts for as much as the number of slices that it predicts with.

    ``unlearn`` reads no data and trains nothing, until the first slices of all
    sequences of a shard have been hit; then that shard is trained again.

    Parameters
    ----------
    n_shards : int, default=5
        Number of shards. More of them are trained faster and last longer, with fewer
        rows in each.
    n_slices : int, default=4
        Number of slices of a shard. With more of them a request costs fewer rows, and
        the time of a fit grows.
    n_sequences : int, default=2
        Number of orders in which each shard learns its slices. Up to `n_slices` they
        all begin differently, and the more there are, the longer a shard lasts. Fits
        and pickles grow in proportion.
    n_components : int, default=512
        Number of random features, beside the standardised inputs themselves. 0 is for
        inputs that are features already, such as those of a pre-trained network.
    rank : int, default=16
        Number of units of an adapter.
    n_epochs : int, default=10
        Epochs of each block.
    learning_rate_init : float, default=0.001
        Step size of Adam.
    batch_size : int, default=64
        Rows of a step.
    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights of adapters and heads.
    n_jobs : int, default=None
        Number of shards that are trained at once, through joblib.
    random_state : int, RandomState instance or None, default=None
        Source of the assignment of rows, of random features, of initial weights and
        of the order of rows. With an integer, the result is the same in every run,
        thread and process.
    store_training_data : bool, default=True
        Whether to keep the training rows. Without them, rows are found by 64-bit
        hashes of theirs, and a shard that is lost stays out of the average.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels seen in ``fit``, forgotten ones included.
    prefix_lengths_ : ndarray of shape (n_shards,)
        Number of slices that each shard predicts with; 0 for one that has no rows, or
        is lost.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, if all are strings.
    n_forgotten_ : int
        Number of rows forgotten since ``fit``.
    unlearning_log_ : list of dict
        One record per request, without any data.

    See Also
    --------
    S3TRegressor : The same for numbers.
    s3t_cost : Tells how many requests an ensemble will stand.
    DropoutClassifier : One network, which forgets by retraining.

    Notes
    -----
    With all slices in use, shards count equally, as in the paper; weights are for what
    is left after requests.

    *What is promised.* After ``unlearn`` no number of the model has been influenced by
    a forgotten row: each sequence is, bit for bit, the one that training on the slices
    that it still has, and on nothing else, gives. It is not the model that ``fit``
    gives on the retained rows, because other rows of a dropped slice have lost their
    influence, too. That state is what `refresh` comes to, and what the tag
    ``guarantee`` would have to promise to be ``"exact"``; so it is ``"approximate"``.
    Which blocks are left tells which slices were hit.

    The promise is about this estimator by itself, and inputs are standardised within,
    by the first slice of each sequence alone. A scaler before it learns from all rows,
    and its statistics stay in what is trained behind it: leave it out. Steps that
    learn nothing, or were fitted to other data, do no harm.

    A class of which a sequence has seen no row has probability 0 there.

    Training holds ``n_components + n_features`` numbers for each row of a shard.

    References
    ----------
    .. [1] S. B. R. Chowdhury, K. Choromanski, A. Sehanobish, A. Dubey and
       S. Chaturvedi. "Towards scalable exact machine unlearning using
       parameter-efficient fine-tuning". ICLR 2025.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_unlearn.neural_network import S3TClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = S3TClassifier(n_shards=3, n_slices=3, n_epochs=5, random_state=0)
    >>> model.fit(X, y).score(X, y) > 0.95
    True
    >>> model.unlearn(X[:1]).prefix_lengths_
    array([3, 2, 3])
    >>> model.refresh().prefix_lengths_
    array([3, 3, 3])
    """

    def _check_rows(self, X, y, reset):
        X, y = validate_data(
            self, X, y, dtype=[np.float64, np.float32], multi_output=True, reset=reset
        )
        check_classification_targets(y)
        if y.ndim == 2 and y.shape[1] > 1:
            raise ValueError(
                f"y must hold one label per row; got shape {y.shape}. Targets with "
                "several labels per row are not supported."
            )
        return X, column_or_1d(y, warn=True)

    def _begin_target(self, y):
        self.classes_ = np.unique(y)
        self._heads = ClassHeads(len(self.classes_))

    def _encode(self, y):
        codes = np.searchsorted(self.classes_, y)
        known = codes < len(self.classes_)
        known[known] = self.classes_[codes[known]] == y[known]
        if not known.all():
            raise ValueError(
                f"y_retain has labels that fit has not seen: "
                f"{np.unique(y[~known])[:5].tolist()}. Fit again."
            )
        return torch.from_numpy(codes)[:, None]

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
        """Predict probabilities, averaged over the shards by their slices.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Probabilities; 0 for a class that no sequence which predicts has seen.
        """
        return self._average(X, lambda outputs: softmax(outputs, axis=1))

    def predict_log_proba(self, X):
        """Predict logarithms of probabilities.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Logarithms; -inf for a class of probability 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


class S3TRegressor(RegressorMixin, BaseS3T):
    """Predict numbers by an ensemble that forgets a row by switching blocks off.

    It is :class:`S3TClassifier` for numbers, and predicts the mean over the shards:
    low-rank adapters are learnt slice by slice over frozen random features, and
    those that have seen a forgotten row, or come after it, are dropped [1]_.

    Parameters
    ----------
    n_shards : int, default=5
        Number of shards. More of them are trained faster and last longer, with fewer
        rows in each.
    n_slices : int, default=4
        Number of slices of a shard. With more of them a request costs fewer rows, and
        the time of a fit grows.
    n_sequences : int, default=2
        Number of orders in which each shard learns its slices. Up to `n_slices` they
        all begin differently, and the more there are, the longer a shard lasts. Fits
        and pickles grow in proportion.
    n_components : int, default=512
        Number of random features, beside the standardised inputs themselves. 0 is for
        inputs that are features already, such as those of a pre-trained network.
    rank : int, default=16
        Number of units of an adapter.
    n_epochs : int, default=10
        Epochs of each block.
    learning_rate_init : float, default=0.001
        Step size of Adam.
    batch_size : int, default=64
        Rows of a step.
    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights of adapters and heads.
    n_jobs : int, default=None
        Number of shards that are trained at once, through joblib.
    random_state : int, RandomState instance or None, default=None
        Source of the assignment of rows, of random features, of initial weights and
        of the order of rows. With an integer, the result is the same in every run,
        thread and process.
    store_training_data : bool, default=True
        Whether to keep the training rows. Without them, rows are found by 64-bit
        hashes of theirs, and a shard that is lost stays out of the average.

    Attributes
    ----------
    prefix_lengths_ : ndarray of shape (n_shards,)
        Number of slices that each shard predicts with; 0 for one that has no rows, or
        is lost.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, if all are strings.
    n_forgotten_ : int
        Number of rows forgotten since ``fit``.
    unlearning_log_ : list of dict
        One record per request, without any data.

    See Also
    --------
    S3TClassifier : The same for classes; its notes say what is promised.
    s3t_cost : Tells how many requests an ensemble will stand.
    DropoutRegressor : One network, which forgets by retraining.

    Notes
    -----
    The target is standardised within, by the rows that each block sees.

    References
    ----------
    .. [1] S. B. R. Chowdhury, K. Choromanski, A. Sehanobish, A. Dubey and
       S. Chaturvedi. "Towards scalable exact machine unlearning using
       parameter-efficient fine-tuning". ICLR 2025.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from sklearn_unlearn.neural_network import S3TRegressor
    >>> X, y = make_friedman1(600, random_state=0)
    >>> model = S3TRegressor(n_shards=2, n_slices=3, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.8
    True
    >>> model.unlearn(X[:1], y[:1]).n_forgotten_
    1
    """

    def _check_rows(self, X, y, reset):
        return validate_data(
            self,
            X,
            y,
            dtype=[np.float64, np.float32],
            multi_output=True,
            y_numeric=True,
            reset=reset,
        )

    def _begin_target(self, y):
        self._single = y.ndim == 1
        self._heads = NumberHeads(1 if self._single else y.shape[1])

    def _encode(self, y):
        return torch.from_numpy(y.astype(np.float64).reshape(len(y), -1))

    def predict(self, X):
        """Predict the mean over the shards, weighted by their slices.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Predictions.
        """
        mean = self._average(X, lambda outputs: outputs)
        return mean[:, 0] if self._single else mean

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
