"""The likelihood ratio attack."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy.stats import norm

from sklearn_unlearn.audit.attacks._per_row import (
    PerRowAttack,
    moments,
    pooled_variance,
    refuse_one_sided,
    smallest_variance,
)
from sklearn_unlearn.utils._sklearn_compat import StrOptions, _fit_context

FALSE_POSITIVE_RATE = 0.05  # at the threshold of attacks that know non-members alone


class LiRAAttack(PerRowAttack):
    """Compare a signal with those of models trained with the row and without it.

    The likelihood ratio attack [1]_ fits two normal laws per row, to the signals of
    reference models that were trained with it and of those that were not. ``"offline"``
    uses the second law alone, so that reference models need not be trained with the
    rows in question.

    A sample is a model: `signals` has the shape (n_models, n_rows) everywhere.

    Parameters
    ----------
    variant : {"online", "offline"}, default="online"
        Whether models that were trained with a row are used too.
    variance : {"pooled", "row"}, default="pooled"
        One variance within rows for all rows, or one for each row and each side. With
        fewer than about 64 models the pooled one is better.
    location : {"median", "mean"}, default="median"
        Centre of each law.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        False and True.
    row_weight_ : ndarray of shape (n_rows,)
        0 for rows that are equal in all reference models, which tell nothing, else 1.
    threshold_ : float
        What ``predict`` compares with.
    n_features_in_ : int
        Number of rows.

    See Also
    --------
    BaVarIAAttack : Better with few reference models.
    RMIAAttack : Useful with one to four reference models.
    ULiRAAttack : Unlearned models against retrained ones.

    Notes
    -----
    *Signals* should have no bounds, or rows that are predicted with certainty pile up
    at them: margins from log-probabilities for classes, minus half the squared residual
    in standard deviations for numbers.

    *What a perfect unlearner gets*: on rows that were forgotten, the area of retrained
    models attacked in the same way, which is 1/2 only where forgotten and unseen rows
    are drawn alike.

    References
    ----------
    .. [1] N. Carlini, S. Chien, M. Nasr, S. Song, A. Terzis and F. Tramer, "Membership
       Inference Attacks From First Principles", IEEE Symposium on Security and Privacy,
       2022.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.audit.attacks import LiRAAttack
    >>> rng = np.random.default_rng(0)
    >>> membership = rng.random((64, 500)) < 0.5
    >>> margins = rng.normal(size=500) + membership + rng.normal(size=(64, 500))
    >>> attack = LiRAAttack().fit(margins[:32], membership[:32])
    >>> round(attack.score(margins[32:], membership[32:]), 2)
    0.75
    """

    _parameter_constraints: dict = {
        "variant": [StrOptions({"online", "offline"})],
        "variance": [StrOptions({"pooled", "row"})],
        "location": [StrOptions({"median", "mean"})],
    }

    def __init__(self, *, variant="online", variance="pooled", location="median"):
        self.variant = variant
        self.variance = variance
        self.location = location

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, signals, membership):
        """Fit the laws of each row.

        Parameters
        ----------
        signals : array-like of shape (n_models, n_rows)
            Signals of the reference models.
        membership : array-like of shape (n_models, n_rows) or (n_models,)
            Whether each model was trained on each row; one value per model stands for
            all rows.

        Returns
        -------
        LiRAAttack
            The fitted attack.
        """
        signals, membership = self._check_fit(signals, membership)
        sides = [moments(signals, ~membership, self.location)]
        if self.variant == "online":
            sides.append(moments(signals, membership, self.location))
        refuse_one_sided(sides, ["trained without", "trained with"][: len(sides)])
        floor = smallest_variance(signals)
        pooled = pooled_variance(sides, self.row_weight_)
        pooled = max(pooled, floor) if pooled == pooled else 1.0
        self._centres = [side.centre for side in sides]
        self._scales = [np.sqrt(self._variances(side, pooled, floor)) for side in sides]
        self.threshold_ = 0.0
        if self.variant == "offline":
            self.threshold_ = -np.log(FALSE_POSITIVE_RATE)
        return self

    def _variances(self, side, pooled, floor):
        """Return the variance of each row, from these `Moments`."""
        if self.variance == "pooled":
            return np.full(len(side.n), pooled)
        own = side.squares / np.maximum(side.n - 1, 1)
        return np.where(side.n > 1, np.maximum(own, floor), pooled)

    def decision_function(self, signals):
        """Tell how much speaks for each row having been trained on.

        Parameters
        ----------
        signals : array-like of shape (n_models, n_rows)
            Signals of the attacked models.

        Returns
        -------
        ndarray of shape (n_models, n_rows)
            Online, the log of the likelihood ratio; offline, minus the log of the
            one-sided p-value of not having been trained on.
        """
        signals = self._check_signals(signals)
        z = [
            (signals - centre) / scale
            for centre, scale in zip(self._centres, self._scales, strict=True)
        ]
        if self.variant == "offline":
            return self._where_rows_differ(-norm.logsf(z[0]), np.log(2.0))
        ratio = (z[0] ** 2 - z[1] ** 2) / 2 + np.log(self._scales[0] / self._scales[1])
        return self._where_rows_differ(ratio, 0.0)
