"""The advantage of an attacker who sees the forget set swapped."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral, Real

import numpy as np
from scipy import stats
from sklearn.utils import check_consistent_length, check_random_state

from sklearn_unlearn.audit.attacks._runs import (
    check_mask,
    check_task,
    fitted_without,
    means_by_unit,
    units,
    with_seed,
)
from sklearn_unlearn.audit.attacks._signals import check_kinds, row_signals
from sklearn_unlearn.metrics import Interval as ValueWithInterval
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    _num_samples,
    _safe_indexing,
    validate_params,
)

N_RESAMPLES = 999


@validate_params(
    {
        "unlearner": [HasMethods(["fit", "predict"])],
        "signals": ["array-like", None],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "return_interval": ["boolean"],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def swap_advantage_error(
    unlearner,
    X,
    y,
    forget,
    swap,
    *,
    signals=None,
    n_repeats=1,
    groups=None,
    return_interval=False,
    confidence_level=0.95,
    random_state=None,
):
    """Advantage of attacks when forgotten and unseen rows change places.

    One model is fitted with the rows of `forget` and unlearns them, another is fitted
    with those of `swap` in their place and unlearns these. The attack tells which rows
    a model has forgotten and which it never saw, and what it gains on both models
    together is what counts [1]_. Whatever tells the two sets of rows apart under any
    model is lost by the swap, so there is no need of retrained models.

    Parameters
    ----------
    unlearner : estimator instance
        What is fitted, and asked to ``unlearn``, in copies. An estimator without
        ``unlearn`` forgets nothing, which shows what there is to be found.
    X : array-like of shape (n_rows, n_features)
        All rows; those that neither mask marks are retained.
    y : array-like of shape (n_rows,)
        Their targets.
    forget, swap : array-like of shape (n_rows,)
        Boolean masks of two sets of rows that are drawn alike, best of the same size.
        So a whole class cannot be forgotten here.
    signals : list of str, default=None
        Signals of which the best is used: for classes, keys of what
        :func:`~sklearn_unlearn.metrics.membership_signals` returns, "margin" and
        "neg_entropy" by default; for numbers, "residual" (default) and "prediction".
    n_repeats : int, default=1
        How many pairs of models are fitted, over which the advantage is averaged. Each
        ``random_state`` of a pair is set to the same seed.
    groups : array-like of shape (n_rows,), default=None
        Person of each row, to keep persons together in halves and in the bootstrap;
        nobody may have rows in both sets.
    return_interval : bool, default=False
        Whether to return an interval, of the bootstrap over rows or persons.
    confidence_level : float, default=0.95
        Of the interval.
    random_state : int, RandomState instance or None, default=None
        Source of seeds, of the halves and of the bootstrap.

    Returns
    -------
    float or Interval
        The advantage, from -1 to 1. Signal, threshold and side are chosen on one half
        of the rows and used on the other, so that chance is no gain: it may be negative
        by chance.

    See Also
    --------
    sklearn_unlearn.metrics.membership_auc : Against retrained models, row by row.
    sklearn_unlearn.metrics.swap_advantage_bound : The limit of a certificate.

    Notes
    -----
    *What a perfect unlearner gets*: exactly 0 with a common seed, as both models are
    the same, and 0 on average otherwise. One with an (epsilon, delta) certificate for
    all rows of `forget` together gets at most
    :func:`~sklearn_unlearn.metrics.swap_advantage_bound` on average.

    References
    ----------
    .. [1] Y. Tu, P. Hu and J. W. Ma, "A Reliable Cryptographic Framework for Empirical
       Machine Unlearning Evaluation", arXiv:2404.11577, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklearn_unlearn.audit.attacks import swap_advantage_error
    >>> from sklearn_unlearn.exact import Retrain
    >>> X, y = make_classification(400, flip_y=0.3, random_state=0)
    >>> forget, swap = np.arange(400) < 100, np.arange(400) >= 300
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> swap_advantage_error(Retrain(tree), X, y, forget, swap, random_state=0)
    0.0
    >>> advantage = swap_advantage_error(tree, X, y, forget, swap, random_state=0)
    >>> round(advantage, 2)
    0.32
    """
    check_consistent_length(X, y)
    check_task(unlearner, "unlearner")
    n_rows = _num_samples(X)
    first = check_mask(forget, "forget", n_rows)
    second = check_mask(swap, "swap", n_rows)
    if np.intersect1d(first, second).size:
        raise ValueError("forget and swap must not mark the same row.")
    kinds = check_kinds(unlearner, signals)
    rng = check_random_state(random_state)
    both = np.concatenate([first, second])
    is_first = np.arange(len(both)) < len(first)
    unit = units(groups, n_rows)[both]
    if np.intersect1d(unit[is_first], unit[~is_first]).size:
        raise ValueError(
            "groups has persons with rows in both forget and swap: a person belongs to "
            "one of them."
        )
    values = _signals_of_pairs(unlearner, X, y, (first, second), kinds, n_repeats, rng)
    gains = _held_out_gains(values, is_first, unit, rng)
    samples = [means_by_unit(gains[of], unit[of]) for of in (is_first, ~is_first)]
    value = float(np.mean([sample.mean() for sample in samples]))
    if not return_interval:
        return value
    if min(map(len, samples)) < 2:
        raise ValueError(
            "An interval needs at least two rows, or persons, in each set."
        )
    ends = stats.bootstrap(
        samples,
        lambda a, b, axis: (a.mean(axis=axis) + b.mean(axis=axis)) / 2,
        vectorized=True,
        n_resamples=N_RESAMPLES,
        confidence_level=confidence_level,
        method="percentile",
        random_state=rng,
    ).confidence_interval
    return ValueWithInterval(value, float(ends.low), float(ends.high))


def _signals_of_pairs(unlearner, X, y, sets, kinds, n_repeats, rng):
    """Fit the pairs of models, and return the signals of all rows of both sets.

    Returns
    -------
    ndarray of shape (n_repeats, 2, n_kinds, n_rows)
    """
    both = np.concatenate(sets)
    retained = np.setdiff1d(np.arange(_num_samples(X)), both)
    X_both, y_both = _safe_indexing(X, both), _safe_indexing(y, both)
    found = []
    for _ in range(n_repeats):
        estimator = with_seed(unlearner, rng)
        for marked in sets:
            trained = np.sort(np.concatenate([retained, marked]))
            model = fitted_without(estimator, X, y, trained, marked)
            found.append([row_signals(model, X_both, y_both, kind) for kind in kinds])
    return np.reshape(found, (n_repeats, 2, len(kinds), len(both)))


def _held_out_gains(values, is_first, unit, rng):
    """Return what the attack gains by each row, chosen by rows of the other half."""
    half = np.zeros(len(unit), dtype=bool)
    for of in (is_first, ~is_first):
        members = rng.permutation(np.unique(unit[of]))
        half[of] = np.isin(unit[of], members[: len(members) // 2])
    gains = np.zeros(len(unit))
    for chosen, used in ((half, ~half), (~half, half)):
        signal, threshold, side = _best_attack(values[..., chosen], is_first[chosen])
        of_used = values[:, :, signal, used]
        gains[used] = side * _gains(of_used, is_first[used], threshold)
    return gains


def _gains(values, is_first, threshold):
    """Return how often more each row is flagged by the model that has forgotten it."""
    flagged = (values > threshold).mean(axis=0)
    return np.where(is_first, flagged[0] - flagged[1], flagged[1] - flagged[0])


def _best_attack(values, is_first):
    """Return the signal, threshold and side with the largest advantage."""
    best = (-1.0, 0, 0.0, 1)
    if is_first.all() or not is_first.any():  # a set of one row has no half
        return best[1:]
    # by a model that has forgotten the row (column 0) or never saw it
    signs = np.where(is_first, [[1.0], [-1.0]], [[-1.0], [1.0]])
    weights = signs / np.where(is_first, is_first.sum(), (~is_first).sum()) / 2
    for signal in range(values.shape[2]):
        of_signal = values[:, :, signal]
        order = np.argsort(of_signal, axis=None, kind="stable")
        ordered = of_signal.ravel()[order]
        by_value = np.broadcast_to(weights / len(values), of_signal.shape).ravel()
        # what lies above each place; the sum of all is 0
        above = -np.cumsum(by_value[order])[:-1]
        differ = np.flatnonzero(np.diff(ordered) > 0)
        if not differ.size:
            continue
        place = differ[np.abs(above[differ]).argmax()]
        threshold = (ordered[place] + ordered[place + 1]) / 2
        if abs(above[place]) > best[0]:
            side = 1 if above[place] > 0 else -1
            best = (abs(above[place]), signal, threshold, side)
    return best[1:]
