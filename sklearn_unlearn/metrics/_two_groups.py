"""Are unlearned models told from retrained ones? Tests whose unit is the model."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
from itertools import combinations
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.utils import check_random_state

from sklearn_unlearn.metrics._intervals import Interval
from sklearn_unlearn.metrics._validation import (
    check_groups,
    check_models,
    check_rows,
    check_same_rows,
    checked,
)
from sklearn_unlearn.utils._sklearn_compat import Interval as Range
from sklearn_unlearn.utils._sklearn_compat import StrOptions

__all__ = [
    "ModelTestResult",
    "margin_z_scores",
    "membership_auc",
    "permutation_test_of_models",
    "rank_test_of_model",
]

# values that differ by less, relative to the largest of all, are taken for equal:
# what rounding makes is no noise of training
EQUAL = 1e-8
NO_NOISE = (
    "the models of a group are all the same: without noise of training there is "
    "nothing to compare with; look at the size of the difference"
)
# numbers of an intermediate array, so that it stays in the cache
BLOCK = 2**18


class ModelTestResult(NamedTuple):
    """Result of a test whose unit is the model.

    A p-value that cannot be computed is ``nan``, never 1.

    Parameters
    ----------
    statistic : float
        Statistic of the models that are tested.
    pvalue : float
        Chance of a statistic as extreme if they were retrained models; ``nan`` if it
        cannot be computed.
    effect : float
        The statistic over its mean among retrained models (for permutations: over its
        mean under them). A perfect unlearner gets about 1.
    reason : str
        Why `pvalue` is ``nan``; empty otherwise.

    See Also
    --------
    permutation_test_of_models : Compares several models with several.
    rank_test_of_model : Compares one model with several.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import permutation_test_of_models
    >>> margins = np.random.default_rng(0).normal(size=(27, 100))
    >>> result = permutation_test_of_models(margins[:8], margins[8:], random_state=0)
    >>> result.pvalue > 0.05, result.reason
    (True, '')
    """

    statistic: float
    pvalue: float
    effect: float
    reason: str = ""


@checked("n_permutations", "random_state")
def permutation_test_of_models(
    margins_a, margins_b, *, n_permutations=9999, groups=None, random_state=None
):
    """Test whether two groups of models have the same law; the model is the unit.

    The statistic is the mean over rows of the squared difference of the means of the
    groups, over the mean over rows of the variance within the groups.

    Parameters
    ----------
    margins_a, margins_b : array-like of shape (n_models, n_rows)
        Margins (or predictions of numbers) of unlearned and of retrained models.
    n_permutations : int, default=9999
        Random permutations; if there are at most as many distinct ones, all are taken.
    groups : array-like of shape (n_rows,), default=None
        Person of each row: the statistic is first averaged within a person.
    random_state : int, RandomState instance or None, default=None
        Source of the permutations.

    Returns
    -------
    ModelTestResult
        Statistic, p-value and effect. If the models of each group are all the same,
        there is no noise to compare with, and `pvalue` is ``nan``.

    See Also
    --------
    membership_auc : Size of the difference, with an interval.

    Notes
    -----
    The test is exact for any law of the margins; a perfect unlearner gets a p-value
    that is uniform. Rows that are equal in all models weigh 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import permutation_test_of_models
    >>> margins = np.random.default_rng(0).normal(size=(27, 100))
    >>> margins[:8] += 1.0
    >>> permutation_test_of_models(margins[:8], margins[8:], random_state=0).pvalue
    0.0001
    """
    a, b, weight = _two_groups(margins_a, margins_b, groups, min_models=1)
    if len(a) + len(b) < 3:
        raise ValueError(
            "margins_a and margins_b must have at least three models together; got 2."
        )
    if _are_equal(a) and _are_equal(b):
        return ModelTestResult(np.nan, np.nan, np.nan, NO_NOISE)
    rng = check_random_state(random_state)
    chosen, is_complete = _permutations(len(a), len(b), n_permutations, rng)
    values = _statistics(np.vstack([a, b]), chosen, weight)
    # what is equal up to rounding is as extreme
    is_extreme = values >= values[0] * (1 - 1e-10)
    null = values if is_complete else values[1:]
    effect = values[0] / null.mean()
    return ModelTestResult(*map(float, (values[0], is_extreme.mean(), effect)))


@checked("confidence_level", "return_interval")
def membership_auc(
    margins_a, margins_b, *, groups=None, return_interval=False, confidence_level=0.95
):
    """Area under the ROC curve of the per-row attack that tells two groups apart.

    For each pair of models, one of each group, normal laws of the margin of each row
    are fitted to the other models [1]_, with one variance for all, which cancels. The
    rows of both models are scored by the log ratio of these laws.

    Parameters
    ----------
    margins_a, margins_b : array-like of shape (n_models, n_rows)
        Margins (or predictions of numbers) of unlearned and of retrained models.
    groups : array-like of shape (n_rows,), default=None
        Person of each row: scores are first averaged within a person.
    return_interval : bool, default=False
        Whether to return an interval; at least three models of each group are needed.
    confidence_level : float, default=0.95
        Of the interval.

    Returns
    -------
    float or Interval
        Mean area over the pairs, 1/2 for a perfect unlearner. The interval is that of
        the jackknife which deletes one model at a time, by Student's t with
        ``min(n_a, n_b) - 1`` degrees of freedom.

    See Also
    --------
    permutation_test_of_models : Tests whether there is any difference.

    Notes
    -----
    Models must not be resampled with replacement: one that is drawn twice is fitted
    and attacked at once, and retrained models seem to be told apart.

    References
    ----------
    .. [1] J. Hayes, I. Shumailov, E. Triantafillou, A. Khalifa and N. Papernot,
       "Inexact Unlearning Needs More Careful Evaluations to Avoid a False Sense of
       Privacy", IEEE SaTML, 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import membership_auc
    >>> margins = np.random.default_rng(0).normal(size=(27, 100))
    >>> margins[:8] += 2.0
    >>> area = membership_auc(margins[:8], margins[8:], return_interval=True)
    >>> print("{:.2f} [{:.2f}, {:.2f}]".format(*area))
    0.92 [0.90, 0.93]
    """
    a, b, _ = _two_groups(margins_a, margins_b, groups, 3 if return_interval else 2)
    persons = check_groups(groups, a.shape[1])
    if return_interval:
        return _jackknife(a, b, persons, confidence_level)
    return _pair_out_auc(a, b, persons)


@checked(
    alternative=[StrOptions({"two-sided", "greater"})],
    significance_level=[Range(Real, 0, 1, closed="neither")],
)
def rank_test_of_model(
    margins,
    margins_retrained,
    *,
    alternative="two-sided",
    significance_level=0.05,
    groups=None,
):
    """Test whether one model is like retrained ones, by the rank of its distance.

    The distance of a model is the mean over rows of the squared difference to the mean
    of all other models, over the variance among retrained models.

    Parameters
    ----------
    margins : array-like of shape (n_rows,)
        Margins (or predictions of numbers) of the model.
    margins_retrained : array-like of shape (n_models, n_rows)
        Those of retrained models, of independent seeds and not started from another.
    alternative : {"two-sided", "greater"}, default="two-sided"
        "greater" looks only for models that are too far away; "two-sided" also for
        those that are too central, such as one made from the mean of retrained models.
    significance_level : float, default=0.05
        What a p-value must be able to reach: 0.05 takes 19 retrained models if
        one-sided, 39 if two-sided.
    groups : array-like of shape (n_rows,), default=None
        Person of each row: squares are first averaged within a person.

    Returns
    -------
    ModelTestResult
        The p-value is exact for any law of the margins; a perfect unlearner gets one
        that is uniform. With too few models, or retrained ones that are all the same,
        it is ``nan``, and `reason` says why.

    See Also
    --------
    permutation_test_of_models : For several unlearned models.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import rank_test_of_model
    >>> margins = np.random.default_rng(0).normal(size=(40, 100))
    >>> rank_test_of_model(margins[0] + 1.0, margins[1:]).pvalue
    0.05
    """
    retrained = check_models(margins_retrained, "margins_retrained", min_models=2)
    model = check_rows(margins, "margins", retrained.shape[1])
    weight = _row_weights(check_groups(groups, len(model)), len(model))
    if _are_equal(retrained):
        return ModelTestResult(np.nan, np.nan, np.nan, NO_NOISE)
    own, *others = _distances_to_others(np.vstack([model, retrained]), weight)
    variance = retrained.var(axis=0, ddof=1) @ weight
    pvalue, reason = _rank(own, np.array(others), alternative, significance_level)
    return ModelTestResult(
        float(own / variance), pvalue, float(own / np.mean(others)), reason
    )


def margin_z_scores(margins_unlearned, margins_retrained):
    """Difference of each row from retrained models, in standard errors.

    It finds the rows that are forgotten worst. For a decision about all of them there
    are the tests.

    Parameters
    ----------
    margins_unlearned : array-like of shape (n_rows,) or (n_models, n_rows)
        Margins (or predictions of numbers) of one unlearned model or of several.
    margins_retrained : array-like of shape (n_models, n_rows)
        Those of retrained models, two at least.

    Returns
    -------
    ndarray of shape (n_rows,)
        Difference of the means over models, over its standard error by the standard
        deviation within the groups; positive where unlearned margins are larger, 0
        where no model differs, infinite where there is a difference and no noise. A
        perfect unlearner gets values of Student's law with as many degrees of freedom
        as there are models, less two (or one, for a single unlearned model).

    See Also
    --------
    permutation_test_of_models : Test of all rows together.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import margin_z_scores
    >>> margins = np.random.default_rng(0).normal(size=(20, 3))
    >>> margins[0, 1] += 10
    >>> int(np.argmax(margin_z_scores(margins[0], margins[1:])))
    1
    """
    a = check_models(margins_unlearned, "margins_unlearned")
    b = check_models(margins_retrained, "margins_retrained", min_models=2)
    check_same_rows(a, b, ("margins_unlearned", "margins_retrained"))
    squares = len(a) * a.var(axis=0) + len(b) * b.var(axis=0)
    variance = squares / (len(a) + len(b) - 2) * (1 / len(a) + 1 / len(b))
    difference = a.mean(axis=0) - b.mean(axis=0)
    # what rounding makes is no difference
    difference[np.ptp(np.vstack([a, b]), axis=0) <= EQUAL * np.abs(b).max()] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / np.sqrt(variance))


def _two_groups(margins_a, margins_b, groups, min_models):
    """Return the checked margins of both groups, and the weight of each row."""
    a = check_models(margins_a, "margins_a", min_models=min_models)
    b = check_models(margins_b, "margins_b", min_models=min_models)
    check_same_rows(a, b, ("margins_a", "margins_b"))
    n_rows = a.shape[1]
    return a, b, _row_weights(check_groups(groups, n_rows), n_rows)


def _row_weights(groups, n_rows):
    """Return weights with sum 1 of rows: equal ones, or the same for each person."""
    if groups is None:
        return np.full(n_rows, 1 / n_rows)
    sizes = np.bincount(groups)
    return 1 / (len(sizes) * sizes[groups])


def _are_equal(models):
    """Tell whether models differ by no more than rounding, in any row."""
    return bool(np.ptp(models, axis=0).max() <= EQUAL * np.abs(models).max())


def _permutations(n_a, n_b, n_permutations, rng):
    """Return which models are in the first group, the true assignment first.

    Returns
    -------
    chosen : ndarray of bool of shape (n_assignments, n_a + n_b)
    is_complete : bool
        Whether these are all that there are.
    """
    n = n_a + n_b
    n_distinct = math.comb(n, n_a)
    is_complete = n_distinct <= n_permutations
    if is_complete:  # in the order of itertools the true one comes first
        places = np.array(list(combinations(range(n), n_a)))
    else:
        places = np.argsort(rng.random_sample((n_permutations, n)), axis=1)[:, :n_a]
        places = np.vstack([np.arange(n_a), places])
    chosen = np.zeros((len(places), n), dtype=bool)
    np.put_along_axis(chosen, places, True, axis=1)
    return chosen, is_complete


def _statistics(models, chosen, weight):
    """Return mean squared difference over mean variance within, per assignment.

    Both are known from the products of models with one another, so the number of rows
    does not matter.
    """
    n, n_a = len(models), int(chosen[0].sum())
    n_b = n - n_a
    centred = models - models.mean(axis=0)
    products = (centred * weight) @ centred.T
    contrast = np.where(chosen, 1 / n_a, -1 / n_b)
    between = np.einsum("ij,ij->i", contrast @ products, contrast)
    within = np.trace(products) - n_a * n_b / n * between
    # groups that are each without any noise have none by rounding alone
    floor = np.finfo(float).eps * np.trace(products)
    return between * (n - 2) / np.maximum(within, floor)


def _pair_out_auc(a, b, persons):
    """Mean area of the attack over pairs of models that its laws have not seen."""
    n_a, n_b, n_rows = len(a), len(b), a.shape[1]
    sum_a, sum_b = a.sum(axis=0), b.sum(axis=0)
    first, second = np.divmod(np.arange(n_a * n_b), n_b)
    step = max(1, BLOCK // n_rows)
    total = 0.0
    for start in range(0, len(first), step):
        one, other = a[first[start : start + step]], b[second[start : start + step]]
        mean_a, mean_b = (sum_a - one) / (n_a - 1), (sum_b - other) / (n_b - 1)
        # the log ratio of two normal laws, but for their common variance
        slope, middle = mean_a - mean_b, (mean_a + mean_b) / 2
        total += _areas(slope * (one - middle), slope * (other - middle), persons).sum()
    return float(total / len(first))


def _jackknife(a, b, persons, confidence_level):
    """Return the area with its interval, from the areas without one of the models."""
    n_a, n_b = len(a), len(b)
    value = _pair_out_auc(a, b, persons)
    areas_a = [_pair_out_auc(np.delete(a, i, 0), b, persons) for i in range(n_a)]
    areas_b = [_pair_out_auc(a, np.delete(b, i, 0), persons) for i in range(n_b)]
    # np.var divides by the number of models, the jackknife does not
    variance = (n_a - 1) * np.var(areas_a) + (n_b - 1) * np.var(areas_b)
    quantile = stats.t.ppf((1 + confidence_level) / 2, min(n_a, n_b) - 1)
    half = float(quantile) * math.sqrt(variance)
    return Interval(value, max(0.0, value - half), min(1.0, value + half))


def _areas(scores_a, scores_b, persons):
    """Return the area under the ROC curve of each pair of models."""
    if persons is not None:
        mean = np.zeros((len(persons), persons.max() + 1))
        mean[np.arange(len(persons)), persons] = 1
        mean /= mean.sum(axis=0)
        scores_a, scores_b = scores_a @ mean, scores_b @ mean
    n = scores_a.shape[1]
    scores = np.hstack([scores_a, scores_b])
    order = scores.argsort(axis=1)
    rank_sums = (order < n) @ np.arange(1.0, 2 * n + 1)
    # rankdata is right about ties, and six times as slow
    ordered = np.take_along_axis(scores, order, axis=1)
    has_ties = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if has_ties.any():
        ranks = stats.rankdata(scores[has_ties], axis=1)
        rank_sums[has_ties] = ranks[:, :n].sum(axis=1)
    return (rank_sums - n * (n + 1) / 2) / n**2


def _distances_to_others(models, weight):
    """Return the mean squared difference of each model to the mean of all others."""
    n = len(models)
    centred = (models - models.mean(axis=0)) * n / (n - 1)
    return centred**2 @ weight


def _rank(own, others, alternative, significance_level):
    """Return the p-value of a distance among others, and why there is none."""
    n_models, n_sides = len(others), 2 if alternative == "two-sided" else 1
    n_needed = math.ceil(n_sides / significance_level * (1 - 1e-12)) - 1
    if n_models < n_needed:
        kind = "one-sided" if n_sides == 1 else "two-sided"
        return np.nan, (
            f"a {kind} p-value of {significance_level} needs {n_needed} retrained "
            f"models, not {n_models}"
        )
    # what is equal up to rounding is as extreme
    above = (1 + int((others >= own * (1 - 1e-10)).sum())) / (n_models + 1)
    below = (1 + int((others <= own * (1 + 1e-10)).sum())) / (n_models + 1)
    return (above if n_sides == 1 else min(1.0, 2 * min(above, below))), ""
