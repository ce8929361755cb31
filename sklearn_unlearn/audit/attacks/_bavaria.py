"""The Bayesian variance inference attack."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Real

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma
from scipy.stats import norm, t

from sklearn_unlearn.audit.attacks._lira import FALSE_POSITIVE_RATE
from sklearn_unlearn.audit.attacks._per_row import (
    Moments,
    PerRowAttack,
    moments,
    refuse_one_sided,
    smallest_variance,
)
from sklearn_unlearn.utils._sklearn_compat import Interval, StrOptions, _fit_context

# bounds of estimated strengths of priors, in models: a thousand is as good as certain
LEAST, MOST = 1e-3, 1e3


class BaVarIAAttack(PerRowAttack):
    """Likelihood ratio attack for few reference models.

    With few models, the variances of :class:`LiRAAttack` are the weak point: one for
    each row is noise, and one for all rows is wrong where rows differ. Bayesian
    variance inference [1]_ puts a normal-inverse-gamma prior on the mean and the
    variance of each row, and compares the signal with the laws that follow for a new
    model.

    A sample is a model: `signals` has the shape (n_models, n_rows) everywhere.

    Parameters
    ----------
    variant : {"online", "offline"}, default="online"
        Whether models that were trained with a row are used too.
    predictive : {"student", "normal"}, default="student"
        Law of the signal of a new model: Student's, which follows from the prior, or a
        normal law with the posterior variance.
    prior_strength : "auto" or float, default="auto"
        How many models the prior of the variances counts for. "auto" estimates it: the
        less the variances of the rows differ, the stronger it is.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        False and True.
    prior_strength_ : list of float
        Strength of the prior of the variances, of models that were trained without the
        row and, online, with it.
    row_weight_ : ndarray of shape (n_rows,)
        0 for rows that are equal in all reference models, which tell nothing, else 1.
    threshold_ : float
        What ``predict`` compares with.
    n_features_in_ : int
        Number of rows.

    See Also
    --------
    LiRAAttack : The same with variances of one row, or of all.

    Notes
    -----
    The priors are estimated from all rows: that of the variances from the spread of the
    logs of the variances of rows [2]_; that of the mean of models trained with a row is
    the mean of those trained without it plus the mean shift of all rows, in standard
    deviations of the row, the stronger the less these shifts differ. So a row may have
    no models that were trained with it.

    *What a perfect unlearner gets*: the area of retrained models attacked in the same
    way.

    References
    ----------
    .. [1] R. Brannvall, "Exponential-Family Membership Inference: From LiRA and RMIA to
       BaVarIA", arXiv:2603.11799, 2026.
    .. [2] G. K. Smyth, "Linear Models and Empirical Bayes Methods for Assessing
       Differential Expression in Microarray Experiments", Statistical Applications in
       Genetics and Molecular Biology 3, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.audit.attacks import BaVarIAAttack, LiRAAttack
    >>> rng = np.random.default_rng(0)
    >>> membership = np.arange(36)[:, None] % 2 == rng.integers(2, size=1000)
    >>> spread = np.exp(rng.normal(size=1000))
    >>> margins = spread * (membership + rng.normal(size=(36, 1000)))
    >>> few, others = slice(6), slice(6, None)
    >>> for attack in (LiRAAttack(), LiRAAttack(variance="row"), BaVarIAAttack()):
    ...     attack = attack.fit(margins[few], membership[few])
    ...     print(round(attack.score(margins[others], membership[others]), 2))
    0.64
    0.62
    0.68
    """

    _parameter_constraints: dict = {
        "variant": [StrOptions({"online", "offline"})],
        "predictive": [StrOptions({"student", "normal"})],
        "prior_strength": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
    }

    def __init__(
        self, *, variant="online", predictive="student", prior_strength="auto"
    ):
        self.variant = variant
        self.predictive = predictive
        self.prior_strength = prior_strength

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, signals, membership):
        """Fit the priors, and the laws of each row.

        Parameters
        ----------
        signals : array-like of shape (n_models, n_rows)
            Signals of the reference models.
        membership : array-like of shape (n_models, n_rows) or (n_models,)
            Whether each model was trained on each row; one value per model stands for
            all rows.

        Returns
        -------
        BaVarIAAttack
            The fitted attack.
        """
        signals, membership = self._check_fit(signals, membership)
        out = moments(signals, ~membership)
        refuse_one_sided([out], ["trained without"])
        floor = smallest_variance(signals)
        otherwise, is_online = 1.0, self.variant == "online"
        if is_online:
            inside = moments(signals, membership)
            otherwise = _variance_of_pairs(out, inside, floor)
        freedom, variance = self._prior(out, floor, otherwise)
        self.prior_strength_ = [freedom]
        self._laws = [_law(out, out.centre, 0.0, freedom, variance, floor)]
        self.threshold_ = -np.log(FALSE_POSITIVE_RATE)
        if is_online:
            freedom, variance = self._prior(inside, floor, otherwise=variance)
            self.prior_strength_.append(freedom)
            shift, strength = self._prior_of_mean(out, inside, floor, variance)
            moved = out.centre + shift
            self._laws.append(_law(inside, moved, strength, freedom, variance, floor))
            self.threshold_ = 0.0
        return self

    def _prior(self, side, floor, otherwise):
        """Return degrees of freedom and variance of the prior of the variances.

        `otherwise` is the variance where no row tells of one.
        """
        freedom, estimated = self.prior_strength, self.prior_strength == "auto"
        used = (side.n > 1) & (self.row_weight_ > 0) & (side.squares > 0)
        if not used.any():
            return (2 * MOST if estimated else freedom), otherwise
        half = (side.n[used] - 1) / 2
        logs = np.log(side.squares[used] / (2 * half)) - digamma(half) + np.log(half)
        if estimated:
            excess = logs.var(ddof=min(1, len(logs) - 1)) - polygamma(1, half).mean()
            freedom = 2 * _inverse_trigamma(excess)
        log_variance = logs.mean() + digamma(freedom / 2) - np.log(freedom / 2)
        return freedom, max(np.exp(log_variance), floor)

    def _prior_of_mean(self, out, inside, floor, otherwise):
        """Return how far training moves each row, and how many models that is worth.

        Rows are moved alike in units of their own standard deviations, of both sides
        together, since a row whose signals vary more is moved further.
        """
        used = (self.row_weight_ > 0) & (inside.n > 0)
        if not used.any():  # no row tells of a shift
            return np.zeros(len(used)), MOST
        n = out.n + np.maximum(inside.n, 1) - 1
        squares = out.squares + np.nan_to_num(inside.squares)
        both = Moments(n, out.centre, squares)
        freedom, variance = self._prior(both, floor, otherwise)
        freedom, _, scale = _law(both, out.centre, 0.0, freedom, variance, floor)
        spread = scale / np.sqrt(1 + 1 / n)
        shifts = ((inside.centre - out.centre) / spread)[used]
        # by quartiles: with few models, shifts in estimated units have heavy tails
        low, middle, high = np.quantile(shifts, [0.25, 0.5, 0.75])
        excess = ((high - low) / (2 * t.ppf(0.75, np.median(freedom)))) ** 2
        excess -= (1 / inside.n[used] + 1 / out.n[used]).mean()
        strength = 1 / excess if excess > 0 else np.inf
        if (n == 1).all():  # nothing tells shifts that differ from noise
            strength = 1.0
        return middle * spread, float(np.clip(strength, LEAST, MOST))

    def decision_function(self, signals):
        """Tell how much speaks for each row having been trained on.

        Parameters
        ----------
        signals : array-like of shape (n_models, n_rows)
            Signals of the attacked models.

        Returns
        -------
        ndarray of shape (n_models, n_rows)
            Online, the log of the ratio of the two predictive densities; offline, minus
            the log of the one-sided p-value of not having been trained on.
        """
        signals = self._check_signals(signals)
        laws = [
            (np.inf if self.predictive == "normal" else freedom, centre, scale)
            for freedom, centre, scale in self._laws
        ]
        if self.variant == "offline":
            freedom, centre, scale = laws[0]
            beyond = _log_survival((signals - centre) / scale, freedom)
            return self._where_rows_differ(-beyond, np.log(2.0))
        out, inside = (t.logpdf(signals, *law) for law in laws)
        return self._where_rows_differ(inside - out, 0.0)


def _variance_of_pairs(out, inside, floor):
    """Return the variance of one model, if training moves all rows alike.

    It is used where no side has two models of a row.
    """
    used = inside.n > 0
    if not used.any():
        raise ValueError(
            "membership has no row that a reference model was trained with: fit "
            'variant="offline", which needs none.'
        )
    shifts = (inside.centre - out.centre)[used]
    return max(shifts.var() / (1 / inside.n[used] + 1 / out.n[used]).mean(), floor)


def _law(side, prior_mean, strength, freedom, variance, floor):
    """Return degrees of freedom, centre and scale of the law of a new model's signal.

    The conjugate update of a normal-inverse-gamma prior, with `strength` models worth
    of mean and `freedom` worth of variance. A flat prior of the mean, `strength` 0,
    costs a degree of freedom.
    """
    n = side.n
    mean = np.where(n > 0, side.centre, prior_mean)
    centre = (strength * prior_mean + n * mean) / (strength + n)
    squares = side.squares + strength * n / (strength + n) * (mean - prior_mean) ** 2
    after = freedom + n - (strength == 0)
    posterior = np.maximum((freedom * variance + squares) / after, floor)
    return after, centre, np.sqrt(posterior * (1 + 1 / (strength + n)))


def _log_survival(z, freedom):
    """Return the log of the probability that Student's law gives to what is above z."""
    if np.isinf(freedom).all():
        return norm.logsf(z)
    beyond, least = t.sf(z, freedom), np.finfo(float).tiny
    # where it is too small for a number: density times the ratio of Mills, whose two
    # limits, of a normal law and of a heavy tail, are exact
    far = np.maximum(z, 1.0)
    tail = t.logpdf(far, freedom) + np.log(1 / far + far / freedom)
    exact = np.log(np.maximum(beyond, least))
    return np.where(beyond > least, exact, np.minimum(tail, np.log(least)))


def _inverse_trigamma(value):
    """Return where the trigamma function has this value, within the bounds."""
    low, high = LEAST, MOST
    if value <= polygamma(1, high):
        return high
    if value >= polygamma(1, low):
        return low
    return brentq(lambda x: polygamma(1, x) - value, low, high)
