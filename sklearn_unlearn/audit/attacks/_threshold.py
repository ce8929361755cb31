"""The attack by a threshold."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.audit.attacks._population import PopulationAttack
from sklearn_unlearn.utils._sklearn_compat import _fit_context, _num_samples


class ThresholdAttack(PopulationAttack):
    """Take rows beyond a threshold for rows that were trained on.

    The threshold and the side of it that counts are those of the highest balanced
    accuracy on rows whose membership is known; of several signals, the best alone is
    used. With ``labels``, each class gets a threshold of its own [1]_.

    A sample is a row of data: `signals` has the shape (n_rows, n_signals).

    Attributes
    ----------
    balanced_accuracy_ : float
        On the rows of ``fit``.
    classes_ : ndarray of shape (2,)
        Values of `membership`: not trained on, trained on.
    labels_ : ndarray of shape (n_labels,)
        Labels with a threshold each; None without labels.
    sign_ : {-1, 1}
        1 if larger signals are those of rows that were trained on.
    signal_ : int
        Position of the signal that is used.
    thresholds_ : ndarray of shape (n_labels,) or (1,)
        The thresholds.
    n_features_in_ : int
        Number of signals.

    See Also
    --------
    ClassifierAttack : Several signals at once.
    LiRAAttack : A law for each row, which finds what a rule for all rows misses.

    Notes
    -----
    A *weak* attack: one rule for all rows says little of single ones, and a row that is
    hard to predict passes for unseen whether it was trained on or not.

    *What a perfect unlearner gets*: the area of retrained models attacked by the same
    rule. It is 1/2 only where forgotten and unseen rows are drawn alike: rows of a
    forgotten class are told from others under any model.

    References
    ----------
    .. [1] L. Song and P. Mittal, "Systematic Evaluation of Privacy Risks of Machine
       Learning Models", USENIX Security Symposium, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.audit.attacks import ThresholdAttack
    >>> losses = np.array([[0.1], [0.2], [0.4], [0.3], [0.6], [0.9]])
    >>> was_trained_on = np.array([True, True, True, False, False, False])
    >>> attack = ThresholdAttack().fit(losses, was_trained_on)
    >>> attack.predict([[0.15], [0.8]])
    array([ True, False])
    """

    _parameter_constraints: dict = {}

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, signals, membership, labels=None):
        """Choose signal, side and threshold.

        Parameters
        ----------
        signals : array-like of shape (n_rows, n_signals)
            Signals of rows whose membership is known, such as retained and unseen ones.
        membership : array-like of shape (n_rows,)
            Whether the model was trained on each row.
        labels : array-like of shape (n_rows,), default=None
            Class of each row, for a threshold per class.

        Returns
        -------
        ThresholdAttack
            The fitted attack.
        """
        signals, is_member = self._check_fit(signals, membership)
        self.labels_, place = None, np.zeros(len(signals), dtype=int)
        if labels is not None:
            _check_length(labels, signals)
            self.labels_, place = np.unique(labels, return_inverse=True)
        found = [
            (*_best_thresholds(sign * column, is_member, place), sign, j)
            for j, column in enumerate(signals.T)
            for sign in (1, -1)
        ]
        best = max(found, key=lambda one: one[0])
        self.balanced_accuracy_, thresholds, self.sign_, self.signal_ = best
        self.thresholds_ = self.sign_ * thresholds
        return self

    def decision_function(self, signals, labels=None):
        """Tell by how much the signal lies beyond the threshold.

        Parameters
        ----------
        signals : array-like of shape (n_rows, n_signals)
            Signals of the rows.
        labels : array-like of shape (n_rows,), default=None
            Class of each row, if ``fit`` had them. Without them, and for classes that
            ``fit`` has not seen, the mean threshold is used.

        Returns
        -------
        ndarray of shape (n_rows,)
            Positive for rows that are taken for rows that were trained on.
        """
        signals = self._check_signals(signals)
        threshold = np.full(len(signals), self.thresholds_.mean())
        if labels is not None:
            if self.labels_ is None:
                raise ValueError("labels were not given to fit: leave them out.")
            _check_length(labels, signals)
            labels = np.asarray(labels)
            place = np.searchsorted(self.labels_, labels).clip(0, len(self.labels_) - 1)
            known = self.labels_[place] == labels
            threshold[known] = self.thresholds_[place[known]]
        return self.sign_ * (signals[:, self.signal_] - threshold)


def _check_length(labels, signals):
    if _num_samples(labels) != len(signals):
        raise ValueError(
            f"labels must have one value per row: got {_num_samples(labels)} for "
            f"{len(signals)} rows."
        )


def _best_thresholds(signal, is_member, place):
    """Return the best balanced accuracy, and for each place a threshold."""
    thresholds, n_right = [], np.zeros(2)
    for one in range(place.max() + 1):
        here = place == one
        threshold, right = _best_threshold(signal[here], is_member[here])
        thresholds.append(threshold)
        n_right += right
    n_of_kind = np.bincount(is_member, minlength=2)
    return float((n_right / n_of_kind).mean()), np.array(thresholds)


def _best_threshold(signal, is_member):
    """Return the threshold of the best balanced accuracy, and what is right by it.

    Members are above it. It lies in the middle between two signals, or beyond them all.
    """
    order = np.argsort(signal, kind="stable")
    ordered, member = signal[order], is_member[order] == 1
    n_members, n_others = max(member.sum(), 1), max((~member).sum(), 1)
    below = np.concatenate([[0], np.cumsum(~member)])  # right, as non-members
    above = member.sum() - np.concatenate([[0], np.cumsum(member)])
    # only between signals that differ
    allowed = np.concatenate([[True], np.diff(ordered) > 0, [True]])
    balanced = np.where(allowed, below / n_others + above / n_members, -1.0)
    cut = int(balanced.argmax())
    step = max(1.0, np.abs(ordered).max())
    edges = np.concatenate([[ordered[0] - step], ordered, [ordered[-1] + step]])
    return (edges[cut] + edges[cut + 1]) / 2, (below[cut], above[cut])
