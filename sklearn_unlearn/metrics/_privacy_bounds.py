"""What a certificate allows an attack, and what attacks say about a certificate."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
from numbers import Integral, Real

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from sklearn.utils import check_random_state

from sklearn_unlearn.metrics._validation import check_names, check_rows, checked
from sklearn_unlearn.utils._sklearn_compat import Interval

__all__ = [
    "advantage_bound",
    "certificate_holds",
    "epsilon_lower_bound",
    "gaussian_auc_bound",
    "gaussian_delta_bound",
    "gaussian_tpr_bound",
    "one_run_epsilon_bound",
    "swap_advantage_bound",
    "tpr_bound",
]

NOT_NEGATIVE = [Interval(Real, 0, None, closed="left")]
# larger epsilon promise nothing
LARGEST = 100.0


@checked("confidence_level", "delta", "random_state")
def epsilon_lower_bound(
    signals_unlearned,
    signals_retrained,
    *,
    delta=1e-5,
    confidence_level=0.95,
    random_state=None,
):
    """Smallest epsilon that an attack on held-out models does not rule out.

    A threshold and its direction are chosen on a half of the models; the rates of
    errors in the other half have Clopper and Pearson's upper limits.

    Parameters
    ----------
    signals_unlearned, signals_retrained : array-like of shape (n_models,)
        One number per model, such as the margin of one row; at least four each. For
        several rows, divide ``1 - confidence_level`` by their number.
    delta : float, default=1e-5
        Of the (epsilon, delta) guarantee.
    confidence_level : float, default=0.95
        Chance that the bound is right.
    random_state : int, RandomState instance or None, default=None
        Splits the models.

    Returns
    -------
    float
        At least 0. A perfect unlearner gets 0 with probability `confidence_level`, one
        with a certificate at most its epsilon. With n models held out, at most about
        ``log(n / 3.7)`` can be shown.

    See Also
    --------
    certificate_holds : Compares with a claim.
    one_run_epsilon_bound : From a single run.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import epsilon_lower_bound
    >>> signals = np.random.default_rng(0).normal(size=(2, 500))
    >>> epsilon_lower_bound(signals[0], signals[1], random_state=0)
    0.0
    >>> bound = epsilon_lower_bound(signals[0] + 3, signals[1], random_state=0)
    >>> round(bound)
    4
    """
    rng = check_random_state(random_state)
    a, a_held = _halves(signals_unlearned, "signals_unlearned", rng)
    b, b_held = _halves(signals_retrained, "signals_retrained", rng)
    # one for each of the two rates of errors
    limits = (delta, (1 - confidence_level) / 2)
    sign, threshold = _best_threshold(a, b, *limits)
    held = _epsilons(sign * a_held, sign * b_held, sign * threshold, *limits)
    return max(0.0, float(held[0]))


@checked(
    "confidence_level", "delta", n_guesses=[Interval(Integral, 2, None, closed="left")]
)
def one_run_epsilon_bound(
    signal, included, *, n_guesses, delta=0.0, confidence_level=0.95
):
    """Smallest epsilon that guesses about canaries of one run do not rule out.

    Each canary is trained on if a coin says so, and those that were are forgotten. The
    largest signals are then guessed to have been trained on, the smallest not [1]_.

    Parameters
    ----------
    signal : array-like of shape (n_canaries,)
        Larger for canaries that look trained on.
    included : array-like of shape (n_canaries,)
        Whether the coin of a canary said so; coins are fair and independent.
    n_guesses : int
        Number of guesses, an even one, fixed before looking at the signals.
    delta : float, default=0.0
        Of the (epsilon, delta) guarantee.
    confidence_level : float, default=0.95
        Chance that the bound is right.

    Returns
    -------
    float
        At least 0. A perfect unlearner gets 0 with probability `confidence_level`.
        Less than 100 canaries show little.

    See Also
    --------
    epsilon_lower_bound : From many runs.

    References
    ----------
    .. [1] T. Steinke, M. Nasr and M. Jagielski, "Privacy Auditing with One (1) Training
       Run", NeurIPS, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import one_run_epsilon_bound
    >>> included = np.arange(100) % 2
    >>> round(one_run_epsilon_bound(included, included, n_guesses=100), 2)
    3.49
    """
    signal = check_rows(signal, "signal")
    coins = _checked_coins(included, len(signal), n_guesses)
    n_right = _right_guesses(signal, coins, n_guesses // 2)

    def excess(epsilon):
        pvalue = _pvalue(epsilon, n_right, n_guesses, len(signal), delta)
        return pvalue - (1 - confidence_level)

    if excess(0.0) > 0:
        return 0.0
    return float(brentq(excess, 0.0, LARGEST)) if excess(LARGEST) > 0 else math.inf


@checked(mu=NOT_NEGATIVE, epsilon=NOT_NEGATIVE)
def gaussian_delta_bound(mu, epsilon):
    """Delta of Gaussian noise for an epsilon [1]_.

    Parameters
    ----------
    mu : float
        Shift over standard deviation of the noise.
    epsilon : float
        At least 0.

    Returns
    -------
    float
        ``Phi(mu / 2 - epsilon / mu) - exp(epsilon) Phi(-mu / 2 - epsilon / mu)``, which
        is 0 for a perfect unlearner, whose `mu` is 0.

    See Also
    --------
    gaussian_tpr_bound : What it allows an attack.

    References
    ----------
    .. [1] J. Dong, A. Roth and W. J. Su, "Gaussian Differential Privacy", Journal of
       the Royal Statistical Society B, 2022.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import gaussian_delta_bound
    >>> round(gaussian_delta_bound(1.0, epsilon=1.0), 4)
    0.1269
    """
    if mu == 0:
        return 0.0
    first = stats.norm.cdf(mu / 2 - epsilon / mu)
    second = math.exp(epsilon + stats.norm.logcdf(-mu / 2 - epsilon / mu))
    return max(0.0, float(first - second))


@checked("false_positive_rate", mu=NOT_NEGATIVE)
def gaussian_tpr_bound(mu, false_positive_rate):
    """Largest share of hits of any attack on Gaussian noise, at a rate of false alarms.

    Parameters
    ----------
    mu : float
        Shift over standard deviation of the noise.
    false_positive_rate : float
        Between 0 and 1.

    Returns
    -------
    float
        For a perfect unlearner, whose `mu` is 0, the rate itself.

    See Also
    --------
    tpr_bound : For an (epsilon, delta) guarantee.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import gaussian_tpr_bound
    >>> round(gaussian_tpr_bound(1.0, 0.01), 4)
    0.0924
    """
    return float(stats.norm.cdf(stats.norm.ppf(false_positive_rate) + mu))


@checked(mu=NOT_NEGATIVE)
def gaussian_auc_bound(mu):
    """Largest area under the ROC curve of any attack on Gaussian noise.

    Parameters
    ----------
    mu : float
        Shift over standard deviation of the noise.

    Returns
    -------
    float
        1/2 for a perfect unlearner, whose `mu` is 0.

    See Also
    --------
    attack_auc_score : The area of an attack.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import gaussian_auc_bound
    >>> round(gaussian_auc_bound(1.0), 4)
    0.7602
    """
    return float(stats.norm.cdf(mu / math.sqrt(2)))


@checked("delta", "false_positive_rate", epsilon=NOT_NEGATIVE)
def tpr_bound(epsilon, false_positive_rate, *, delta=0.0):
    """Largest share of hits that an (epsilon, delta) guarantee allows any attack.

    Parameters
    ----------
    epsilon : float
        Of the guarantee.
    false_positive_rate : float
        Between 0 and 1.
    delta : float, default=0.0
        Of the guarantee.

    Returns
    -------
    float
        For a perfect unlearner, whose epsilon is 0, the rate itself.

    See Also
    --------
    advantage_bound : Over all rates.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import tpr_bound
    >>> round(tpr_bound(1.0, 0.01), 4)
    0.0272
    """
    first = math.exp(epsilon) * false_positive_rate + delta
    second = 1 - math.exp(-epsilon) * (1 - delta - false_positive_rate)
    return min(1.0, first, second)


@checked("delta", epsilon=NOT_NEGATIVE)
def advantage_bound(epsilon, *, delta=0.0):
    """Largest difference of the rates of hits and false alarms of any attack.

    Parameters
    ----------
    epsilon : float
        Of the (epsilon, delta) guarantee.
    delta : float, default=0.0
        Of the guarantee.

    Returns
    -------
    float
        ``(exp(epsilon) - 1 + 2 delta) / (exp(epsilon) + 1)``, 0 for a perfect
        unlearner.

    See Also
    --------
    swap_advantage_bound : When forgotten rows are swapped with others.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import advantage_bound
    >>> round(advantage_bound(1.0), 3)
    0.462
    """
    # in this form it does not overflow
    return math.tanh(epsilon / 2) + 2 * delta / (1 + math.exp(min(epsilon, 700.0)))


@checked("delta", epsilon=NOT_NEGATIVE)
def swap_advantage_bound(epsilon, *, delta=0.0):
    """Largest advantage of an attack on two models whose forgotten rows were swapped.

    Parameters
    ----------
    epsilon : float
        Of the (epsilon, delta) guarantee.
    delta : float, default=0.0
        Of the guarantee.

    Returns
    -------
    float
        Twice the `advantage_bound` [1]_, at most 1; 0 for a perfect unlearner.

    See Also
    --------
    advantage_bound : For one model.

    References
    ----------
    .. [1] Y. Tu, P. Hu and J. Ma, "Towards Reliable Empirical Machine Unlearning
       Evaluation: A Cryptographic Game Perspective", arXiv:2404.11577, 2024.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import swap_advantage_bound
    >>> round(swap_advantage_bound(0.5), 3)
    0.49
    """
    return min(1.0, 2 * advantage_bound(epsilon, delta=delta))


@checked(epsilon=NOT_NEGATIVE, epsilon_lower=NOT_NEGATIVE)
def certificate_holds(epsilon, epsilon_lower):
    """Tell whether a certificate survives a lower bound from attacks.

    Parameters
    ----------
    epsilon : float
        What the certificate claims.
    epsilon_lower : float
        What `epsilon_lower_bound` or `one_run_epsilon_bound` found, for the same delta.

    Returns
    -------
    bool
        False if the claim is refuted, at the level of the bound. True proves nothing:
        the attack may have been weak.

    See Also
    --------
    epsilon_lower_bound : The bound.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import certificate_holds
    >>> certificate_holds(1.0, epsilon_lower=2.37)
    False
    """
    return bool(epsilon_lower <= epsilon)


def _halves(signals, name, rng):
    signals = check_rows(signals, name)
    if len(signals) < 4:
        raise ValueError(
            f"{name} must come from at least four models; got {len(signals)}."
        )
    return np.array_split(rng.permutation(signals), 2)


def _best_threshold(a, b, *limits):
    """Return the direction (1 or -1) and the threshold that show the largest epsilon.

    Returns
    -------
    sign : int
    threshold : ndarray of shape (1,)
    """
    edges = np.unique(np.concatenate([a, b]))
    thresholds = (edges[1:] + edges[:-1]) / 2 if len(edges) > 1 else edges
    signs = (1, -1)
    shown = [_epsilons(s * a, s * b, s * thresholds, *limits) for s in signs]
    direction, best = np.unravel_index(np.argmax(shown), np.shape(shown))
    return signs[direction], thresholds[[best]]


def _epsilons(a, b, thresholds, delta, tail):
    """Return, for each threshold, the epsilon that upper limits of both errors show.

    A model is called unlearned if its signal is above the threshold.
    """
    n_a, n_b = len(a), len(b)
    n_missed = (a[:, np.newaxis] <= thresholds).sum(axis=0)
    n_false = (b[:, np.newaxis] > thresholds).sum(axis=0)
    fnr, fpr = _upper(n_missed, n_a, tail), _upper(n_false, n_b, tail)
    # an error of 1 - delta or more shows nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = [
            np.log(np.maximum(1 - delta - one, 0) / other)
            for one, other in ((fpr, fnr), (fnr, fpr))
        ]
    return np.maximum(*shown)


def _upper(k, n, tail):
    """Clopper and Pearson's upper limit of a rate, of one side."""
    return np.where(k < n, stats.beta.isf(tail, k + 1, np.maximum(n - k, 1)), 1.0)


def _checked_coins(included, n_canaries, n_guesses):
    coins = check_names(included, "included", n_canaries)
    if not np.isin(coins, [0, 1]).all():
        raise ValueError("included must be True or 1, or False or 0, for each canary.")
    if n_guesses % 2 or n_guesses > n_canaries:
        raise ValueError(
            f"n_guesses must be even, and at most the number of canaries, "
            f"{n_canaries}; got {n_guesses}."
        )
    return coins.astype(bool)


def _right_guesses(signal, coins, half):
    """Count right guesses about the canaries with the largest and smallest signals."""
    order = np.argsort(signal, kind="stable")
    return int(coins[order[-half:]].sum() + (~coins[order[:half]]).sum())


def _pvalue(epsilon, n_right, n_guesses, n_canaries, delta):
    """Chance of so many right guesses under an (epsilon, delta) guarantee."""
    chance = 1 / (1 + math.exp(-epsilon))
    pvalue = stats.binom.sf(n_right - 1, n_guesses, chance)
    if delta > 0 and n_right > 0:
        i = np.arange(1, n_right + 1)
        mass = np.cumsum(stats.binom.pmf(n_right - i, n_guesses, chance))
        pvalue += 2 * n_canaries * delta * (mass / i).max()
    return min(1.0, float(pvalue))
