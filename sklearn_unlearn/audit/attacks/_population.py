"""What attacks with one rule for all rows have in common."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import roc_auc_score
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data


class PopulationAttack(ClassifierMixin, BaseEstimator):
    """Base of attacks with one rule for all rows.

    A sample is a row of data, and its features are its signals under one model.
    """

    def score(self, signals, membership, sample_weight=None):
        """Return the area under the ROC curve.

        Parameters
        ----------
        signals : array-like of shape (n_rows, n_signals)
            Signals of rows that the attack was not fitted on.
        membership : array-like of shape (n_rows,)
            Whether the model was trained on each row.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        float
            Below 1/2 where the attack is misled, as by rows that are predicted worse
            than unseen ones.
        """
        decision = self.decision_function(signals)
        return float(roc_auc_score(membership, decision, sample_weight=sample_weight))

    def predict(self, signals):
        """Tell which rows the model was trained on.

        Parameters
        ----------
        signals : array-like of shape (n_rows, n_signals)
            Signals of the rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Values as in `membership` of ``fit``.
        """
        above = self.decision_function(signals) > 0
        return self.classes_[above.astype(int)]

    def _check_fit(self, signals, membership):
        """Return signals and membership as 0 and 1, and set ``classes_``."""
        signals, membership = validate_data(
            self, signals, membership, dtype=np.float64, ensure_min_samples=2
        )
        check_classification_targets(membership)
        kind = type_of_target(membership, input_name="y")
        if kind != "binary":
            raise ValueError(
                "Only binary classification is supported. membership says whether the "
                f"model was trained on each row; the type of the target is {kind}."
            )
        self.classes_, is_member = np.unique(membership, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                "membership needs rows of both kinds: got one class, "
                f"{self.classes_[0]!r}."
            )
        return signals, is_member

    def _check_signals(self, signals):
        check_is_fitted(self)
        return validate_data(self, signals, dtype=np.float64, reset=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
