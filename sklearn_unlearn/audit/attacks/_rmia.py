"""The relative membership inference attack."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Real

import numpy as np
from scipy.special import logsumexp
from scipy.stats import rankdata

from sklearn_unlearn.audit.attacks._per_row import PerRowAttack
from sklearn_unlearn.utils._sklearn_compat import Interval, StrOptions, _fit_context

CANDIDATES = np.linspace(0, 1, 11)  # of offline_a
USUAL = 0.3  # where there is nothing to choose it by
QUANTILE = 0.95  # of the rows of the population, at the threshold


class RMIAAttack(PerRowAttack):
    """Compare the likelihood of a row with those of rows that were not trained on.

    The relative membership inference attack [1]_ asks how many rows of a population,
    on which no model was trained, have become less likely by the training than the row
    in question has, in units of what reference models give both. One to four reference
    models suffice.

    A sample is a model: `signals` has the shape (n_models, n_rows) everywhere, the rows
    of the population among its columns.

    Parameters
    ----------
    variant : {"offline", "online"}, default="offline"
        Whether the likelihood of a row before training is that of reference models
        trained without it, or of all reference models.
    gamma : float, default=1.0
        By which factor a row must have become more likely than one of the population.
    offline_a : "auto" or float, default="auto"
        How far the likelihood of a model that was trained with the row is taken to
        follow that of models trained without it: `P(in) = a P(out) + 1 - a`. "auto"
        chooses the value from 0, 0.1, ..., 1 that attacks the reference models best.
        Only for the variant "offline".

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        False and True.
    offline_a_ : float
        The value used.
    population_ : ndarray of shape (n_rows,)
        Boolean, True for rows of the population.
    row_weight_ : ndarray of shape (n_rows,)
        0 for rows of the population, which are not in question, and for rows that are
        equal in all of several reference models, which tell nothing; else 1.
    threshold_ : float
        What ``predict`` compares with.
    n_features_in_ : int
        Number of rows.

    See Also
    --------
    LiRAAttack : A law for each row, from many reference models.

    Notes
    -----
    *Signals* are log-likelihoods that are at most 0: the log-probability of the label,
    or minus half the squared residual in standard deviations for numbers. They are
    never exponentiated one by one, so that very small likelihoods do no harm.

    *Granularity.* A value of ``decision_function`` is a share of the population: for a
    true positive rate at a false positive rate of 1/1000 it needs 1000 rows or more.

    *What a perfect unlearner gets*: the area of retrained models attacked in the same
    way.

    References
    ----------
    .. [1] S. Zarifzadeh, P. Liu and R. Shokri, "Low-Cost High-Power Membership
       Inference Attacks", ICML, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.audit.attacks import RMIAAttack
    >>> rng = np.random.default_rng(0)
    >>> membership = rng.random((8, 600)) < 0.5
    >>> membership[0] = ~membership[1]  # each row is out of a reference model
    >>> population = np.arange(600) >= 300
    >>> membership[:, population] = False
    >>> margins = 2 * rng.normal(size=600) + 2 * membership + rng.normal(size=(8, 600))
    >>> log_proba = -np.log1p(np.exp(-margins))
    >>> attack = RMIAAttack().fit(log_proba[:2], membership[:2], population)
    >>> round(attack.score(log_proba[2:], membership[2:]), 2)
    0.8
    """

    _parameter_constraints: dict = {
        "variant": [StrOptions({"offline", "online"})],
        "gamma": [Interval(Real, 0, None, closed="neither")],
        "offline_a": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, *, variant="offline", gamma=1.0, offline_a="auto"):
        self.variant = variant
        self.gamma = gamma
        self.offline_a = offline_a

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, signals, membership, population):
        """Fit what is likely without training on a row.

        Parameters
        ----------
        signals : array-like of shape (n_models, n_rows)
            Log-likelihoods of all rows under the reference models.
        membership : array-like of shape (n_models, n_rows) or (n_models,)
            Whether each model was trained on each row; one value per model stands for
            all rows.
        population : array-like of shape (n_rows,)
            Boolean, True for rows on which no model was trained: no reference model,
            and none that will be attacked.

        Returns
        -------
        RMIAAttack
            The fitted attack.
        """
        signals, membership = self._check_fit(signals, membership, min_models=1)
        _refuse_positive(signals)
        self.population_ = _check_population(population, membership)
        self.threshold_ = QUANTILE
        if len(signals) == 1:  # of which nobody can say whether its rows are equal
            self.row_weight_ = np.ones(signals.shape[1])
        self.row_weight_ = self.row_weight_ * ~self.population_
        self.offline_a_ = self.offline_a
        if self.offline_a == "auto":
            self.offline_a_ = self._best_a(signals, membership)
        self._reference = self._log_reference(signals, membership, self.offline_a_)
        return self

    def decision_function(self, signals):
        """Tell how much speaks for each row having been trained on.

        Parameters
        ----------
        signals : array-like of shape (n_models, n_rows)
            Log-likelihoods under the attacked models, in the columns of ``fit``.

        Returns
        -------
        ndarray of shape (n_models, n_rows)
            Share of the population whose likelihood has grown less, from 0 to 1; rows
            that it has grown alike for count half.
        """
        signals = self._check_signals(signals)
        _refuse_positive(signals)
        shares = _shares(
            signals - self._reference, self.population_, np.log(self.gamma)
        )
        return self._where_rows_differ(shares, 0.5)

    def _log_reference(self, signals, membership, a):
        """Return the log of the likelihood of each row before training."""
        without = _log_mean(signals, ~membership)
        if self.variant == "online":
            # as often with as without, however often each of them is there
            inside = _log_mean(signals, membership)
            with np.errstate(invalid="ignore"):
                both = np.logaddexp(without, inside) - np.log(2)
            # nan on a side without models
            return np.where(
                np.isnan(without), inside, np.where(np.isnan(inside), without, both)
            )
        if missing := int(membership.all(axis=0).sum()):
            raise ValueError(
                f"membership has {missing} of {membership.shape[1]} rows that all "
                'reference models were trained with: the variant "offline" needs '
                "models trained without each row."
            )
        return _log_before(without, a)

    def _best_a(self, signals, membership):
        """Return the value with which reference models attack one another best."""
        if self.variant == "online":
            return USUAL
        areas, n_models = np.zeros(len(CANDIDATES)), len(signals)
        for one in range(n_models if n_models > 1 else 0):
            others = np.arange(n_models) != one
            known = ~membership[others].all(axis=0)
            asked = (known & (self.row_weight_ > 0))[known]
            members = membership[one, known][asked]
            if members.all() or not members.any():
                continue
            without = _log_mean(signals[others], ~membership[others])[known]
            gains = signals[one, known] - _log_before(without, CANDIDATES[:, None])
            shares = _shares(gains, self.population_[known], np.log(self.gamma))
            ranks = rankdata(shares[:, asked], axis=1)
            # with so many members in each, mean ranks are areas in other units
            areas += ranks[:, members].mean(axis=1) / len(members)
        if not areas.any():
            return USUAL
        # the middle of equally good ones
        best = CANDIDATES[areas >= areas.max() - 1e-12]
        return float(best[len(best) // 2])


def _log_before(without, a):
    """Return the log of the likelihood before training, from that of other models."""
    with np.errstate(divide="ignore"):  # log 0 for a = 1
        return np.logaddexp(np.log((1 + a) / 2) + without, np.log((1 - a) / 2))


def _log_mean(signals, of):
    """Return the log of the mean likelihood of the entries that `of` marks, or nan."""
    with np.errstate(divide="ignore", invalid="ignore"):
        total = logsumexp(np.where(of, signals, -np.inf), axis=0)
        return total - np.log(of.sum(axis=0))


def _shares(gains, population, log_gamma):
    """Return which share of the population has gained less, by `log_gamma`, per row."""
    shares = np.empty_like(gains)
    for model, row in enumerate(gains):
        ordered, wanted = np.sort(row[population]), row - log_gamma
        less = np.searchsorted(ordered, wanted, side="left")
        less_or_equal = np.searchsorted(ordered, wanted, side="right")
        shares[model] = (less + less_or_equal) / (2 * len(ordered))
    return shares


def _refuse_positive(signals):
    if (signals > 0).any():
        raise ValueError(
            "signals must be log-likelihoods of at most 0: log-probabilities of the "
            "label, or -residual**2 / (2 * sd**2) for numbers; got "
            f"{signals.max():.3g}."
        )


def _check_population(population, membership):
    n_rows = membership.shape[1]
    seen = membership.any(axis=0)
    population = np.asarray(population)
    if population.dtype != bool or population.shape != (n_rows,):
        raise ValueError(
            f"population must be a boolean mask of shape ({n_rows},), True for rows on "
            f"which no model was trained; got dtype {population.dtype} and shape "
            f"{population.shape}."
        )
    if population.all() or not population.any():
        raise ValueError(
            "population must mark some rows and leave others, which are attacked; got "
            f"{population.sum()} of {n_rows} marked."
        )
    if (population & seen).any():
        raise ValueError(
            "population has rows on which a reference model was trained: leave them "
            "out of it."
        )
    return population
