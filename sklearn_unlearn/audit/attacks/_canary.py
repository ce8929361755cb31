"""A bound on epsilon from canaries of a single run."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_consistent_length, check_random_state

from sklearn_unlearn.audit.attacks._runs import check_task, fitted_without, with_seed
from sklearn_unlearn.audit.attacks._signals import check_kinds, row_signals, usual_kind
from sklearn_unlearn.metrics import one_run_epsilon_bound
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    StrOptions,
    _num_samples,
    validate_params,
)


@validate_params(
    {
        "unlearner": [HasMethods(["fit", "predict"])],
        "signal": [str, None],
        "n_guesses": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "delta": [Interval(Real, 0, 1, closed="left")],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "use_reference": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def canary_epsilon_bound(
    unlearner,
    X,
    y,
    X_canaries,
    y_canaries,
    *,
    signal=None,
    n_guesses="auto",
    delta=0.0,
    confidence_level=0.95,
    use_reference=True,
    random_state=None,
):
    """Lower bound on epsilon from canaries that are trained on by chance.

    A coin decides for each canary whether it is trained on. Those that were are then
    unlearned, and an attack guesses the coins from the signals of all canaries: the
    more guesses are right, the further the model is from one that never saw them [1]_.
    One fit and one request, and a fit without canaries if `use_reference`.

    Parameters
    ----------
    unlearner : estimator instance
        What is fitted, and asked to ``unlearn``, in copies. An estimator without
        ``unlearn`` forgets nothing, which shows what there is to be found.
    X : array-like of shape (n_rows, n_features)
        Rows that are always trained on.
    y : array-like of shape (n_rows,)
        Their targets.
    X_canaries : array-like of shape (n_canaries, n_features)
        The canaries, such as rows with wrong targets; at least 100 for a bound of use.
        They must not be chosen after looking at the model.
    y_canaries : array-like of shape (n_canaries,)
        Their targets.
    signal : str, default=None
        Signal that is attacked: for classes, a key of what
        :func:`~sklearn_unlearn.metrics.membership_signals` returns, "margin" by
        default; "residual" for numbers.
    n_guesses : "auto" or int, default="auto"
        For how many canaries a coin is guessed, an even number: those with the largest
        and the smallest signals. "auto" is about half of them.
    delta : float, default=0.0
        Delta that goes with epsilon.
    confidence_level : float, default=0.95
        Of the bound.
    use_reference : bool, default=True
        Whether to subtract the signals of a model that saw no canary, so that canaries
        which are easy anyway are not taken for trained ones.
    random_state : int, RandomState instance or None, default=None
        Source of the coins, and of every ``random_state`` of the unlearner.

    Returns
    -------
    float
        With the given confidence, epsilon is at least this large.

    See Also
    --------
    swap_advantage_error : The advantage, for rows of the training set.

    Notes
    -----
    *What a perfect unlearner gets*: 0 with at least the given confidence. A certificate
    with a smaller epsilon than the bound does not hold. The reference of the bound is
    the model of a fit without the canaries.

    References
    ----------
    .. [1] T. Steinke, M. Nasr and M. Jagielski, "Privacy Auditing with One (1) Training
       Run", NeurIPS, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from sklearn_unlearn.audit.attacks import canary_epsilon_bound
    >>> from sklearn_unlearn.exact import Retrain
    >>> rng = np.random.default_rng(0)
    >>> X, X_canaries = rng.normal(size=(200, 2)), rng.normal(size=(100, 2))
    >>> y, y_canaries = X[:, 0], rng.normal(size=100)
    >>> nearest = KNeighborsRegressor(1)
    >>> for model in (nearest, Retrain(nearest)):
    ...     bound = canary_epsilon_bound(
    ...         model, X, y, X_canaries, y_canaries, random_state=1
    ...     )
    ...     print(round(bound, 2))
    1.99
    0.0
    """
    check_consistent_length(X, y)
    check_consistent_length(X_canaries, y_canaries)
    check_task(unlearner, "unlearner")
    (kind,) = check_kinds(unlearner, [signal or usual_kind(unlearner)])
    rng = check_random_state(random_state)
    n_rows, n_canaries = _num_samples(X), _num_samples(X_canaries)
    included = rng.random_sample(n_canaries) < 0.5
    if not included.any():  # with two canaries or three
        raise ValueError("X_canaries has so few rows that none was trained on.")
    estimator = with_seed(unlearner, rng)
    X_all = np.concatenate([np.asarray(X), np.asarray(X_canaries)])
    y_all = np.concatenate([np.asarray(y), np.asarray(y_canaries)])
    always = np.arange(n_rows)
    drawn = n_rows + np.flatnonzero(included)
    trained = np.concatenate([always, drawn])
    model = fitted_without(estimator, X_all, y_all, trained, drawn)
    scores = row_signals(model, np.asarray(X_canaries), np.asarray(y_canaries), kind)
    if use_reference:
        reference = estimator.fit(X_all[always], y_all[always])
        scores = scores - row_signals(
            reference, np.asarray(X_canaries), np.asarray(y_canaries), kind
        )
    if n_guesses == "auto":
        n_guesses = max(2, n_canaries // 4 * 2)
    return one_run_epsilon_bound(
        scores,
        included,
        n_guesses=n_guesses,
        delta=delta,
        confidence_level=confidence_level,
    )
