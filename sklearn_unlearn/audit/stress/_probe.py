"""What can be read off the last hidden layer: a closed mouth is no forgotten thing."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import type_of_target

from sklearn_unlearn.audit.stress._networks import (
    hidden_features,
    list_of_models,
    network_of,
)
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    validate_params,
)

__all__ = ["ProbeScore", "probe_recovery_gap", "probe_score"]

# the same for all models, and strong: a probe with many units fits anything
STRENGTH = 100.0
CONSTRAINTS = {
    "probe": [HasMethods(["fit", "predict"]), None],
    "cv": [Interval(Integral, 2, None, closed="left")],
    "random_state": ["random_state"],
}


class ProbeScore(NamedTuple):
    """How well a probe reads targets off a hidden layer.

    It means something only beside its control, and beside that of retrained models.

    Parameters
    ----------
    score : float
        Cross-validated area under the ROC curve of two classes, balanced accuracy of
        more, or R squared of numbers.
    control : float
        The same for the targets in random order, which nothing can be known about.

    See Also
    --------
    probe_score : Measures it.

    Examples
    --------
    >>> from sklearn_unlearn.audit.stress import ProbeScore
    >>> ProbeScore(0.9, 0.5).score
    0.9
    """

    score: float
    control: float


@validate_params(CONSTRAINTS, prefer_skip_nested_validation=True)
def probe_score(model, X, y, *, probe=None, cv=5, random_state=0):
    """Read targets off the last hidden layer of a network.

    Parameters
    ----------
    model : estimator instance
        Fitted network, or an unlearner or pipeline that ends in one.
    X : array-like of shape (n_rows, n_features)
        Rows.
    y : array-like of shape (n_rows,)
        What is read: the labels that were forgotten, best on rows that no model was
        fitted on; or 1 of forgotten rows and 0 of rows never seen.
    probe : estimator instance, default=None
        What reads. By default a logistic or ridge regression with a strong penalty on
        standardised features.
    cv : int, default=5
        Number of folds, stratified and in random order.
    random_state : int, RandomState instance or None, default=0
        Source of the folds and of the order of the control.

    Returns
    -------
    ProbeScore
        Score, and control. A perfect unlearner gets what retrained models get, which is
        above chance where the features are of use: see :func:`probe_recovery_gap`.

    Raises
    ------
    TypeError
        If the model has no hidden layer.

    See Also
    --------
    probe_recovery_gap : Difference to retrained models.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neural_network import MLPClassifier
    >>> from sklearn_unlearn.audit.stress import probe_score
    >>> X, y = load_digits(return_X_y=True)
    >>> network = MLPClassifier((20,), random_state=0).fit(X[:300], y[:300])
    >>> probe_score(network, X[300:600], y[300:600] == 8).score > 0.8
    True
    """
    y = column_or_1d(y)
    check_consistent_length(X, y)
    features = hidden_features(model, X)
    if features is None:
        raise TypeError(
            f"{type(network_of(model)).__name__} has no hidden layer to probe: pass a "
            "fitted perceptron, a network of sklearn_unlearn, or a net of skorch."
        )
    return read_off(features, y, probe=probe, cv=cv, random_state=random_state)


def read_off(features, y, *, probe=None, cv=5, random_state=0):
    """Return the `ProbeScore` of features of shape (n_rows, n_units)."""
    rng = check_random_state(random_state)
    kind = type_of_target(y)
    is_number = kind.startswith("continuous")
    scoring = {"binary": "roc_auc", "multiclass": "balanced_accuracy"}.get(kind, "r2")
    if probe is None:
        reader = (
            Ridge(alpha=STRENGTH)
            if is_number
            else LogisticRegression(C=1 / STRENGTH, max_iter=1000)
        )
        probe = make_pipeline(StandardScaler(), reader)
    folds = (KFold if is_number else StratifiedKFold)(
        cv, shuffle=True, random_state=rng.randint(np.iinfo(np.int32).max)
    )

    def score(target):
        found = cross_val_score(
            clone(probe), features, target, cv=folds, scoring=scoring
        )
        return float(found.mean())

    return ProbeScore(score(y), score(rng.permutation(y)))


@validate_params(CONSTRAINTS, prefer_skip_nested_validation=True)
def probe_recovery_gap(unlearned, retrained, X, y, *, probe=None, cv=5, random_state=0):
    """Compare what can be read off hidden layers of unlearned and retrained models.

    A method that only changes the last layer, or the labels that it leads to, leaves
    the features as they were; retrained models never had them [1]_.

    Parameters
    ----------
    unlearned : estimator instance or list of these
        Fitted, and made to forget.
    retrained : estimator instance or list of these
        Fitted on the retained rows alone, of the same architecture.
    X : array-like of shape (n_rows, n_features)
        Rows.
    y : array-like of shape (n_rows,)
        What is read, as in :func:`probe_score`.
    probe : estimator instance, default=None
        What reads: the same for all models.
    cv : int, default=5
        Number of folds.
    random_state : int, RandomState instance or None, default=0
        Source of the folds. An int gives all models the same.

    Returns
    -------
    float
        Difference of the mean scores. A perfect unlearner gets 0 on average; above it,
        the features still know what the answers no longer tell.

    See Also
    --------
    probe_score : The score of one model, with its control.

    References
    ----------
    .. [1] E. Zhang, L. Choshen and J. Andreas, "Unforgettable Generalization in
       Language Models", COLM, 2024.

    Examples
    --------
    >>> from sklearn.base import clone
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neural_network import MLPClassifier
    >>> from sklearn_unlearn.audit.stress import probe_recovery_gap
    >>> X, y = load_digits(return_X_y=True)
    >>> X, X_test, y, y_test = X[:300], X[300:600], y[:300], y[300:600]
    >>> network = MLPClassifier((20,), random_state=0)
    >>> original = clone(network).fit(X, y)
    >>> retrained = clone(network).fit(X[y != 8], y[y != 8])
    >>> probe_recovery_gap(original, [retrained], X_test, y_test == 8) > 0
    True
    """
    means = [
        np.mean(
            [
                probe_score(
                    model, X, y, probe=probe, cv=cv, random_state=random_state
                ).score
                for model in list_of_models(models, name)
            ]
        )
        for models, name in ((unlearned, "unlearned"), (retrained, "retrained"))
    ]
    return float(means[0] - means[1])
