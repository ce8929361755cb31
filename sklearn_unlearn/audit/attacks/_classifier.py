"""The attack by a classifier."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from sklearn_unlearn.audit.attacks._population import PopulationAttack
from sklearn_unlearn.utils._sklearn_compat import HasMethods, _fit_context


class ClassifierAttack(PopulationAttack):
    """Have a classifier tell rows that were trained on from unseen ones.

    A sample is a row of data: `signals` has the shape (n_rows, n_signals).

    Parameters
    ----------
    estimator : estimator instance, default=None
        A classifier; standardised signals and a logistic regression if None.
    balance : bool, default=True
        Whether it is fitted on as many rows of one kind as of the other, drawn from
        those of the more frequent kind.
    random_state : int, RandomState instance or None, default=None
        Source of this draw.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Values of `membership`: not trained on, trained on.
    estimator_ : estimator instance
        The fitted classifier.
    n_features_in_ : int
        Number of signals.

    See Also
    --------
    ThresholdAttack : The best of the signals alone.
    LiRAAttack : A law for each row, which finds what a rule for all rows misses.

    Notes
    -----
    A *weak* attack, with one rule for all rows. With the loss as the only signal and
    ``cross_val_score(attack, losses, is_forgotten, cv=StratifiedShuffleSplit(10))`` it
    is the attack of the machine unlearning challenge of NeurIPS 2023. With signals
    before and after a request side by side, it is that of two versions [1]_.

    *What a perfect unlearner gets*: the area of retrained models attacked in the same
    way.

    References
    ----------
    .. [1] M. Chen, Z. Zhang, T. Wang, M. Backes, M. Humbert and Y. Zhang, "When Machine
       Unlearning Jeopardizes Privacy", ACM CCS, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.audit.attacks import ClassifierAttack
    >>> rng = np.random.default_rng(0)
    >>> was_trained_on = np.arange(400) % 2 == 0
    >>> losses = rng.normal(size=(400, 1)) - was_trained_on[:, None]
    >>> attack = ClassifierAttack(random_state=0)
    >>> attack = attack.fit(losses[:200], was_trained_on[:200])
    >>> round(attack.score(losses[200:], was_trained_on[200:]), 2)
    0.78
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "balance": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator=None, *, balance=True, random_state=None):
        self.estimator = estimator
        self.balance = balance
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, signals, membership):
        """Fit the classifier.

        Parameters
        ----------
        signals : array-like of shape (n_rows, n_signals)
            Signals of rows whose membership is known, such as retained and unseen ones.
        membership : array-like of shape (n_rows,)
            Whether the model was trained on each row.

        Returns
        -------
        ClassifierAttack
            The fitted attack.
        """
        signals, is_member = self._check_fit(signals, membership)
        if self.balance:
            rng = check_random_state(self.random_state)
            kinds = [np.flatnonzero(is_member == kind) for kind in (0, 1)]
            n_each = min(map(len, kinds))
            chosen = [rng.choice(kind, n_each, replace=False) for kind in kinds]
            chosen = np.sort(np.concatenate(chosen))
            signals, is_member = signals[chosen], is_member[chosen]
        estimator = self.estimator
        if estimator is None:
            estimator = make_pipeline(StandardScaler(), LogisticRegression())
        self.estimator_ = clone(estimator).fit(signals, is_member)
        return self

    def decision_function(self, signals):
        """Tell how much speaks for each row having been trained on.

        Parameters
        ----------
        signals : array-like of shape (n_rows, n_signals)
            Signals of the rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            What the classifier has: its decision function, its probability minus 1/2,
            or its prediction minus 1/2.
        """
        signals = self._check_signals(signals)
        if hasattr(self.estimator_, "decision_function"):
            return self.estimator_.decision_function(signals)
        if hasattr(self.estimator_, "predict_proba"):
            return self.estimator_.predict_proba(signals)[:, 1] - 0.5
        return self.estimator_.predict(signals) - 0.5
