"""What attacks with a law of its own for each row have in common."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import abstractmethod
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import roc_auc_score
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_unlearn.utils._sklearn_compat import without_sklearn_checks

# Signals that differ by less, in units of their size, are equal: a deterministic fit
# that sums in another order must not look like a fit with a tiny spread.
EQUAL = 1e-10


class PerRowAttack(ClassifierMixin, BaseEstimator):
    """Base of attacks on rows whose signals are known under several models.

    A sample is a model, and its features are the signals of all rows: `signals` has the
    shape (n_models, n_rows) everywhere, and so has `membership`.
    """

    def predict(self, signals):
        """Tell which rows each model was trained on.

        Parameters
        ----------
        signals : array-like of shape (n_models, n_rows)
            Signals of the attacked models.

        Returns
        -------
        ndarray of shape (n_models, n_rows)
            Boolean, True where ``decision_function`` lies above ``threshold_``.
        """
        return self.decision_function(signals) > self.threshold_

    def score(self, signals, membership, sample_weight=None):
        """Return the area under the ROC curve, over all rows and models.

        Parameters
        ----------
        signals : array-like of shape (n_models, n_rows)
            Signals of models that the attack was not fitted on. On those of ``fit`` the
            area is too large: even models that know nothing of the rows would get more
            than 1/2.
        membership : array-like of shape (n_models, n_rows) or (n_models,)
            Whether each model was trained on each row; one value per model stands for
            all rows.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        float
            Rows that were equal in all models of ``fit`` weigh 0; 1/2 if all did.
        """
        decision = self.decision_function(signals)
        membership = check_membership(membership, decision.shape)
        weight = self.row_weight_
        if sample_weight is not None:
            weight = weight * np.asarray(sample_weight, dtype=np.float64)
        if not weight.any():
            return 0.5
        weight = np.broadcast_to(weight, decision.shape)
        return float(
            roc_auc_score(
                membership.ravel(), decision.ravel(), sample_weight=weight.ravel()
            )
        )

    @abstractmethod
    def decision_function(self, signals):
        """Tell how much speaks for each row having been trained on."""

    def _check_fit(self, signals, membership, min_models=2):
        """Check what ``fit`` is given, and set what all attacks set."""
        signals = validate_data(
            self, signals, dtype=np.float64, ensure_min_samples=min_models
        )
        membership = check_membership(membership, signals.shape)
        size = np.maximum(1.0, np.abs(signals).max(axis=0))
        self.classes_ = np.array([False, True])
        self.row_weight_ = (np.ptp(signals, axis=0) > EQUAL * size).astype(np.float64)
        return signals, membership

    def _check_signals(self, signals):
        """Check signals of attacked models."""
        check_is_fitted(self)
        return validate_data(self, signals, dtype=np.float64, reset=False)

    def _where_rows_differ(self, decision, neutral):
        """Give rows that were equal in all models of ``fit`` the neutral value."""
        return np.where(self.row_weight_ > 0, decision, neutral)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.two_d_labels = True
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = True
        # scikit-learn's checks have one label per sample
        return without_sklearn_checks(tags)


def check_membership(membership, shape):
    """Return `membership` as a boolean array of the shape (n_models, n_rows)."""
    membership = np.asarray(membership)
    if membership.shape not in (shape, shape[:1]):
        raise ValueError(
            f"membership must have one value per model and row, shape {shape}, or one "
            f"per model, shape {shape[:1]}; got shape {membership.shape}."
        )
    if membership.dtype != bool and not np.isin(membership, (0, 1)).all():
        raise ValueError(
            "membership must be boolean: True where the model was trained on the row."
        )
    membership = membership.astype(bool)
    if membership.ndim == 1:
        membership = np.repeat(membership[:, None], shape[1], axis=1)
    return membership


class Moments(NamedTuple):
    """Of the models on one side, for each row."""

    n: np.ndarray  # how many models
    centre: np.ndarray  # mean or median of the signals; nan without a model
    squares: np.ndarray  # sum of squared differences from the mean


def moments(signals, of, location="mean"):
    """Return the `Moments` of `signals`, of those entries alone that `of` marks."""
    n = of.sum(axis=0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is nan, and says that there is none
        mean = np.where(of, signals, 0.0).sum(axis=0) / n
        squares = np.where(of, (signals - mean) ** 2, 0.0).sum(axis=0)
    centre = mean
    if location == "median":
        # those not marked are sorted behind all others
        ordered = np.sort(np.where(of, signals, np.inf), axis=0)
        middle = [(n - 1) // 2, n // 2]
        pair = np.take_along_axis(ordered, np.clip(middle, 0, len(signals) - 1), axis=0)
        centre = np.where(n > 0, pair.mean(axis=0), np.nan)
    return Moments(n, centre, squares)


def pooled_variance(sides, row_weight):
    """Return the variance within rows and sides, pooled over both.

    Rows of weight 0 have no variance to tell of, and are left out.
    """
    squares = sum((side.squares * row_weight).sum() for side in sides)
    freedom = sum((np.maximum(side.n - 1, 0) * row_weight).sum() for side in sides)
    return squares / freedom if freedom else np.nan


def smallest_variance(signals):
    """Return the variance below which differences are those of rounding."""
    return (EQUAL * max(1.0, np.abs(signals).max())) ** 2


def refuse_one_sided(sides, names):
    """Raise if there are rows without a model on a side that is needed."""
    for side, name in zip(sides, names, strict=True):
        if missing := int((side.n == 0).sum()):
            raise ValueError(
                f"membership has {missing} of {len(side.n)} rows that no reference "
                f"model was {name}: give every row some models of each kind, or leave "
                "these rows out."
            )
