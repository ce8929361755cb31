"""The likelihood ratio attack for unlearning."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Real

import numpy as np

from sklearn_unlearn.audit.attacks._per_row import (
    PerRowAttack,
    moments,
    pooled_variance,
    refuse_one_sided,
    smallest_variance,
)
from sklearn_unlearn.metrics import membership_auc
from sklearn_unlearn.utils._sklearn_compat import Interval, _fit_context


class ULiRAAttack(PerRowAttack):
    """Tell models that have forgotten rows from models that never saw them.

    The likelihood ratio attack for unlearning [1]_, for one forget set: models that
    were trained with it and unlearned it, against models trained without it. Laws are
    normal, with a mean for each row and each side, and one variance within rows.

    A sample is a model: `signals` has the shape (n_models, n_rows) everywhere.

    Parameters
    ----------
    confidence_level : float, default=0.95
        Of the interval ``auc_``.

    Attributes
    ----------
    auc_ : Interval of float
        Area under the ROC curve, by leaving out each pair of models in turn, with the
        interval of the jackknife that deletes one model at a time.
    classes_ : ndarray of shape (2,)
        False and True.
    row_weight_ : ndarray of shape (n_rows,)
        0 for rows that are equal in all models of ``fit``, which tell nothing, else 1.
    threshold_ : float
        What ``predict`` compares with.
    n_features_in_ : int
        Number of rows.

    See Also
    --------
    sklearn_unlearn.metrics.membership_auc : The area, without an estimator.
    sklearn_unlearn.metrics.permutation_test_of_models : Whether there is a difference.
    LiRAAttack : For a forget set of its own in each model.

    Notes
    -----
    *Signals* are margins for classes, predictions or residuals for numbers, of the rows
    of the forget set.

    *What a perfect unlearner gets*: an area of 1/2, whose interval holds 1/2; models
    that have unlearned are retrained models then. Less than 1/2 is chance. The
    area on models of ``fit`` itself, by ``score``, is larger for any unlearner.

    *A forget set of its own in each model* asks whether the method is safe, not whether
    this deletion is: fit a `LiRAAttack` on models that have unlearned a row (True) or
    never saw it (False), and score other models.

    References
    ----------
    .. [1] J. Hayes, I. Shumailov, E. Triantafillou, A. Khalifa and N. Papernot,
       "Inexact Unlearning Needs More Careful Evaluations to Avoid a False Sense of
       Privacy", IEEE SaTML, 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.audit.attacks import ULiRAAttack
    >>> rng = np.random.default_rng(0)
    >>> has_unlearned = np.arange(27) < 8
    >>> margins = rng.normal(size=(27, 100)) + 1.5 * has_unlearned[:, None]
    >>> attack = ULiRAAttack().fit(margins, has_unlearned)
    >>> print("{:.2f} [{:.2f}, {:.2f}]".format(*attack.auc_))
    0.85 [0.83, 0.87]
    """

    _parameter_constraints: dict = {
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, *, confidence_level=0.95):
        self.confidence_level = confidence_level

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, signals, membership, groups=None):
        """Fit the laws of each row.

        Parameters
        ----------
        signals : array-like of shape (n_models, n_rows)
            Signals of both kinds of models, at least three of each.
        membership : array-like of shape (n_models,) or (n_models, n_rows)
            True for models that were trained on the rows and unlearned them, False for
            those that never saw them.
        groups : array-like of shape (n_rows,), default=None
            Person of each row, to count persons in ``auc_``.

        Returns
        -------
        ULiRAAttack
            The fitted attack.
        """
        signals, membership = self._check_fit(signals, membership)
        has_unlearned = membership[:, 0]
        if (membership != has_unlearned[:, None]).any():
            raise ValueError(
                "membership must be the same for all rows of a model, since "
                "ULiRAAttack is for one forget set; fit a LiRAAttack where each model "
                "has its own."
            )
        sides = [moments(signals, ~membership), moments(signals, membership)]
        refuse_one_sided(sides, ["trained without", "trained with"])
        if min(side.n[0] for side in sides) < 3:
            raise ValueError(
                "membership must have at least three models of each kind: three that "
                "have unlearned, and three that never saw the rows."
            )
        self.auc_ = membership_auc(
            signals[has_unlearned],
            signals[~has_unlearned],
            groups=groups,
            return_interval=True,
            confidence_level=self.confidence_level,
        )
        variance = pooled_variance(sides, self.row_weight_)
        self._variance = max(np.nan_to_num(variance), smallest_variance(signals))
        self._centres = [side.centre for side in sides]
        self.threshold_ = 0.0
        return self

    def decision_function(self, signals):
        """Tell how much speaks for each row having been forgotten, not never seen.

        Parameters
        ----------
        signals : array-like of shape (n_models, n_rows)
            Signals of the attacked models.

        Returns
        -------
        ndarray of shape (n_models, n_rows)
            The log of the likelihood ratio.
        """
        signals = self._check_signals(signals)
        without, inside = self._centres
        slope, middle = inside - without, (inside + without) / 2
        ratio = slope * (signals - middle) / self._variance
        return self._where_rows_differ(ratio, 0.0)
