"""What a copy of a model, made by queries, tells of forgotten rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral, Real

import numpy as np
from scipy.special import log_softmax
from sklearn.base import clone, is_classifier
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.utils import check_array, check_consistent_length, check_random_state

from sklearn_unlearn.audit.attacks._runs import check_fitted_model
from sklearn_unlearn.audit.attacks._signals import (
    log_probabilities,
    row_signals,
    usual_kind,
)
from sklearn_unlearn.metrics import attack_auc_score
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    validate_params,
)

# queries that may be thrown away, in units of those wanted, to have enough of a class
MOST_ROUNDS = 10
# a probability of 0 is no number that a copy can learn
LEAST_LOG = -20.0


@validate_params(
    {
        "model": [HasMethods(["predict"])],
        "copy": [HasMethods(["fit", "predict"]), None],
        "n_queries": [Interval(Integral, 1, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="neither")],
        "return_interval": ["boolean"],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def extraction_leakage(
    model,
    X_forget,
    y_forget,
    X_unseen,
    y_unseen,
    *,
    copy=None,
    n_queries=5000,
    noise=0.1,
    groups=None,
    return_interval=False,
    confidence_level=0.95,
    random_state=None,
):
    """Attack a copy of the model that was made by queries near the rows.

    An unlearner that recognises forgotten rows and answers something else for them
    passes every test that asks about these rows. A copy does not: it is made from
    queries near the rows, never about them, and has what the model still knows [1]_.
    The queries are spread evenly over the predicted classes.

    Parameters
    ----------
    model : estimator instance
        A fitted classifier or regressor, of which nothing but predictions is used.
    X_forget : array-like of shape (n_forget, n_features)
        Forgotten rows, all features numbers.
    y_forget : array-like of shape (n_forget,)
        Their targets.
    X_unseen : array-like of shape (n_unseen, n_features)
        Rows that were never trained on, drawn like the forgotten ones.
    y_unseen : array-like of shape (n_unseen,)
        Their targets.
    copy : estimator instance, default=None
        Regressor that is fitted, in a copy of its own, to log-probabilities or numbers;
        50 extremely randomised trees if None.
    n_queries : int, default=5000
        Number of queries.
    noise : float, default=0.1
        Distance of queries from the rows, in standard deviations of each feature.
    groups : array-like of shape (n_forget + n_unseen,), default=None
        Person of each row, forgotten ones first, for the interval.
    return_interval : bool, default=False
        Whether to return an interval.
    confidence_level : float, default=0.95
        Of the interval.
    random_state : int, RandomState instance or None, default=None
        Source of the queries, and of the seed of the default copy.

    Returns
    -------
    float or Interval
        Area under the ROC curve of forgotten against unseen rows, by the margin of
        the copy or by minus its squared residual.

    See Also
    --------
    swap_advantage_error : Attacks the model itself.

    Notes
    -----
    *What a perfect unlearner gets*: the area of a retrained model copied in the same
    way, about 1/2 where forgotten and unseen rows are drawn alike.

    References
    ----------
    .. [1] F. Tramer, F. Zhang, A. Juels, M. K. Reiter and T. Ristenpart, "Stealing
       Machine Learning Models via Prediction APIs", USENIX Security Symposium, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn_unlearn.audit.attacks import extraction_leakage
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(300, 5)), rng.integers(2, size=300)
    >>> rows = {"X_forget": X[:100], "y_forget": y[:100]}
    >>> rows |= {"X_unseen": X[200:], "y_unseen": y[200:], "random_state": 0}
    >>> remembers = KNeighborsClassifier(1).fit(X[:200], y[:200])
    >>> retrained = KNeighborsClassifier(1).fit(X[100:200], y[100:200])
    >>> round(extraction_leakage(remembers, **rows), 1)
    0.8
    >>> round(extraction_leakage(retrained, **rows), 1)
    0.5
    """
    check_fitted_model(model, "model")
    X_forget = check_array(X_forget, dtype=np.float64, input_name="X_forget")
    X_unseen = check_array(X_unseen, dtype=np.float64, input_name="X_unseen")
    check_consistent_length(X_forget, y_forget)
    check_consistent_length(X_unseen, y_unseen)
    rng = check_random_state(random_state)
    X = np.concatenate([X_forget, X_unseen])
    y = np.concatenate([np.asarray(y_forget), np.asarray(y_unseen)])
    queries = _queries(model, X, n_queries, noise, rng)
    answers = _answers(model, queries)
    if copy is None:
        copy = ExtraTreesRegressor(50, random_state=rng.randint(2**31 - 1))
    copied = _Copy(clone(copy).fit(queries, answers), getattr(model, "classes_", None))
    scores = row_signals(copied, X, y, usual_kind(model))
    was_forgotten = np.arange(len(X)) < len(X_forget)
    return attack_auc_score(
        was_forgotten,
        scores,
        groups=groups,
        return_interval=return_interval,
        confidence_level=confidence_level,
    )


class _Copy:
    """A regressor on log-probabilities, or on numbers, as the model it has copied."""

    def __init__(self, regressor, classes):
        self.regressor, self.classes_ = regressor, classes

    def predict(self, X):
        return self.regressor.predict(X)

    def predict_log_proba(self, X):
        found = self.regressor.predict(X)
        return log_softmax(found.reshape(len(found), -1), axis=1)


def _answers(model, queries):
    """Return what the model says: log-probabilities or numbers."""
    if not is_classifier(model):
        return model.predict(queries)
    if hasattr(model, "predict_proba") or hasattr(model, "decision_function"):
        return np.maximum(log_probabilities(model, queries), LEAST_LOG)
    is_predicted = model.predict(queries)[:, None] == model.classes_
    return np.where(is_predicted, 0.0, LEAST_LOG)


def _queries(model, X, n_queries, noise, rng):
    """Return rows near those of `X`, of each predicted class as many if possible."""
    scale = X.std(axis=0)

    def draw():
        near = X[rng.randint(len(X), size=n_queries)]
        return near + noise * scale * rng.standard_normal(near.shape)

    found = draw()
    if not is_classifier(model):
        return found
    wanted = -(-n_queries // len(model.classes_))
    labels = model.predict(found)
    for _ in range(MOST_ROUNDS - 1):
        if min((labels == one).sum() for one in model.classes_) >= wanted:
            break
        more = draw()
        found = np.concatenate([found, more])
        labels = np.concatenate([labels, model.predict(more)])
    kept = [np.flatnonzero(labels == one)[:wanted] for one in model.classes_]
    return found[np.sort(np.concatenate(kept))]
