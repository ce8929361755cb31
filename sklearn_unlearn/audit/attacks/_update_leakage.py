"""What a model before and after a request, seen together, tell of the rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral, Real

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import is_classifier
from sklearn.utils import check_array, check_consistent_length, check_random_state

from sklearn_unlearn.audit.attacks._runs import check_fitted_model
from sklearn_unlearn.audit.attacks._signals import row_signals, usual_kind
from sklearn_unlearn.metrics import attack_auc_score
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    StrOptions,
    validate_params,
)

N_DRAWS = 200  # of public rows, for the null
# singular values below this share of the largest are those of rounding
LEAST = 1e-8


@validate_params(
    {
        "n_retained": [Interval(Integral, 1, None, closed="left"), None],
        "average": [StrOptions({"max"}), None],
        "return_null": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def update_leakage_error(
    before,
    after,
    X_forget,
    *,
    X_public,
    n_retained=None,
    average="max",
    return_null=False,
    random_state=None,
):
    """How far the coefficients before and after a request point to the rows.

    The difference of the coefficients of a linear model, multiplied by the Hessian of
    its loss, is a sum of the forgotten rows, each times its residual [1]_. The Hessian
    is computed from other rows, that are public. Of a single row nothing but its length
    remains unknown; of several, the span of as many directions as the model has outputs
    is known.

    Parameters
    ----------
    before, after : estimator instance
        A linear regressor or classifier with ``coef_``, or an unlearner around one, as
        it was before the request and after it.
    X_forget : array-like of shape (n_forget, n_features)
        The rows of the request.
    X_public : array-like of shape (n_public, n_features)
        Rows drawn like the training rows.
    n_retained : int, default=None
        Number of rows that `after` was fitted on, the weight of the loss against the
        penalty; ``len(X_public)`` if None.
    average : {"max"} or None, default="max"
        The row that is found best, or each row.
    return_null : bool, default=False
        Whether to return what is found of public rows, too.
    random_state : int, RandomState instance or None, default=None
        Source of the public rows that stand for forgotten ones in the null.

    Returns
    -------
    value : float or ndarray of shape (n_forget,)
        Cosine between the row and the span that was found, from 0 to 1, with features
        in units of the public rows' standard deviations, and a constant one if the
        model has an intercept.
    null : float
        Mean of the same value for as many public rows, if `return_null`.

    See Also
    --------
    update_membership_auc : Which rows a request has removed, for any model.
    gradient_inversion_audit : What a gradient of a network tells.

    Notes
    -----
    *What a perfect unlearner gets*: the most. It is the risk of publishing both models,
    and an exact unlearner moves exactly as the row says. Remedies are to forget rows in
    batches, to add noise, or to publish no coefficients.

    References
    ----------
    .. [1] M. Bertran, S. Tang, M. Kearns, J. Morgenstern, A. Roth and Z. S. Wu,
       "Reconstruction Attacks on Machine Unlearning: Simple Models are Vulnerable",
       NeurIPS, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_unlearn.audit.attacks import update_leakage_error
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> rng = np.random.default_rng(0)
    >>> X, X_public = rng.normal(size=(3000, 8)), rng.normal(size=(2000, 8))
    >>> y = X @ rng.normal(size=8) + rng.normal(size=3000)
    >>> before = ExactUnlearner(Ridge()).fit(X, y)
    >>> after = ExactUnlearner(Ridge()).fit(X, y).unlearn(X[:1])
    >>> cosine = update_leakage_error(before, after, X[:1], X_public=X_public)
    >>> cosine > 0.99
    True
    """
    X_forget = check_array(X_forget, dtype=np.float64, input_name="X_forget")
    X_public = check_array(X_public, dtype=np.float64, input_name="X_public")
    before, after = _linear(before, "before"), _linear(after, "after")
    n_features = np.atleast_2d(after.coef_).shape[1]
    if not n_features == X_forget.shape[1] == X_public.shape[1]:
        raise ValueError(
            f"X_forget and X_public must have the {n_features} features of the models; "
            f"got {X_forget.shape[1]} and {X_public.shape[1]}."
        )
    difference = _coefficients(before) - _coefficients(after)
    if not np.abs(difference).max() > 0:
        found = np.zeros((0, difference.shape[1]))  # nothing has moved
    else:
        hessian_times = _curvature(after, X_public, n_retained or len(X_public))
        found = _directions(hessian_times(difference), len(X_forget))
    mean, scale = X_public.mean(axis=0), X_public.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    has_intercept = after.fit_intercept
    span = _in_units(found, mean, scale, has_intercept)

    def cosines(X):
        rows = (X - mean) / scale if has_intercept else X / scale
        if has_intercept:
            rows = np.column_stack([rows, np.ones(len(rows))])
        lengths = np.linalg.norm(rows, axis=1)
        return np.linalg.norm(rows @ span.T, axis=1) / np.where(lengths, lengths, 1.0)

    values = cosines(X_forget).clip(0, 1)
    value = values if average is None else float(values.max())
    if not return_null:
        return value
    rng = check_random_state(random_state)
    n_rows = len(values) if average == "max" else 1
    of_public = cosines(X_public)[rng.randint(len(X_public), size=(N_DRAWS, n_rows))]
    return value, float(of_public.max(axis=1).mean())


def _linear(estimator, name):
    """Return the linear model within unlearners and searches."""
    while not hasattr(estimator, "coef_"):
        for attribute in ("estimator_", "best_estimator_"):
            if hasattr(estimator, attribute):
                estimator = getattr(estimator, attribute)
                break
        else:
            raise ValueError(
                f"{name} must be a fitted linear model with coef_, or an unlearner "
                f"around one; got {type(estimator).__name__}. Of a pipeline, pass the "
                "last step, and rows as it sees them."
            )
    return estimator


def _coefficients(linear):
    """Return coefficients and intercepts, one row per output."""
    coef = np.atleast_2d(linear.coef_)
    if not linear.fit_intercept:
        return coef
    intercept = np.broadcast_to(np.ravel(linear.intercept_), len(coef))
    return np.column_stack([coef, intercept])


def _curvature(linear, X, n_retained):
    """Return the product with the Hessian of the penalised loss, as a function."""
    n_features = X.shape[1]
    rows = np.column_stack([X, np.ones(len(X))]) if linear.fit_intercept else X
    share = n_retained / len(X)
    penalty = np.zeros(rows.shape[1])
    if hasattr(linear, "C"):
        penalty[:n_features] = 1 / linear.C
    elif isinstance(getattr(linear, "alpha", None), Real):
        penalty[:n_features] = linear.alpha
    if not (is_classifier(linear) and hasattr(linear, "predict_proba")):
        return lambda d: share * (d @ rows.T) @ rows + penalty * d
    scores = rows @ _coefficients(linear).T
    if scores.shape[1] == 1:
        weight = expit(scores) * expit(-scores)
        return lambda d: share * ((rows @ d.T) * weight).T @ rows + penalty * d
    proba = softmax(scores, axis=1)

    def times(d):
        change = rows @ d.T
        change = proba * (change - (proba * change).sum(axis=1, keepdims=True))
        return share * change.T @ rows + penalty * d

    return times


def _directions(moved, n_rows):
    """Return an orthonormal basis of what the rows span, as far as it is known."""
    _, sizes, basis = np.linalg.svd(moved, full_matrices=False)
    n_known = int((sizes > LEAST * sizes[0]).sum())
    return basis[: min(n_known, n_rows)]


def _in_units(basis, mean, scale, has_intercept):
    """Return an orthonormal basis of the same span, of standardised rows."""
    if has_intercept:
        features, constant = basis[:, :-1], basis[:, -1:]
        basis = np.column_stack([(features - constant * mean) / scale, constant])
    else:
        basis = basis / scale
    return np.linalg.qr(basis.T)[0].T if len(basis) else basis


@validate_params(
    {
        "before": [HasMethods(["predict"])],
        "after": [HasMethods(["predict"])],
        "return_interval": ["boolean"],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def update_membership_auc(
    before,
    after,
    X_forget,
    y_forget,
    X_unseen,
    y_unseen,
    *,
    groups=None,
    return_interval=False,
    confidence_level=0.95,
):
    """How well two versions of a model tell which rows a request has removed.

    The attack of two versions [1]_, without training one: rows that are predicted worse
    after the request than before are taken for rows of the request.

    Parameters
    ----------
    before, after : estimator instance
        A classifier or regressor before the request and after it.
    X_forget : array-like of shape (n_forget, n_features)
        Rows of the request.
    y_forget : array-like of shape (n_forget,)
        Their targets.
    X_unseen : array-like of shape (n_unseen, n_features)
        Rows that were never trained on, drawn like those of the request.
    y_unseen : array-like of shape (n_unseen,)
        Their targets.
    groups : array-like of shape (n_forget + n_unseen,), default=None
        Person of each row, those of the request first, for the interval.
    return_interval : bool, default=False
        Whether to return an interval.
    confidence_level : float, default=0.95
        Of the interval.

    Returns
    -------
    float or Interval
        Area under the ROC curve.

    See Also
    --------
    update_leakage_error : What two versions of a linear model tell of a row's features.
    ClassifierAttack : Trained on signals of both versions side by side.

    Notes
    -----
    *What a perfect unlearner gets*: more than 1/2 wherever the original remembers its
    rows. It is the risk of publishing both models.

    References
    ----------
    .. [1] M. Chen, Z. Zhang, T. Wang, M. Backes, M. Humbert and Y. Zhang, "When Machine
       Unlearning Jeopardizes Privacy", ACM CCS, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from sklearn_unlearn.audit.attacks import update_membership_auc
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(200, 4)), rng.normal(size=200)
    >>> before = ExactUnlearner(KNeighborsRegressor()).fit(X[:100], y[:100])
    >>> after = ExactUnlearner(KNeighborsRegressor()).fit(X[:100], y[:100])
    >>> after = after.unlearn(X[:20])
    >>> area = update_membership_auc(before, after, X[:20], y[:20], X[100:], y[100:])
    >>> round(area, 2)
    0.67
    """
    for model, name in ((before, "before"), (after, "after")):
        check_fitted_model(model, name)
    check_consistent_length(X_forget, y_forget)
    check_consistent_length(X_unseen, y_unseen)
    kind = usual_kind(before)
    scores = [
        row_signals(before, X, y, kind) - row_signals(after, X, y, kind)
        for X, y in ((X_forget, y_forget), (X_unseen, y_unseen))
    ]
    was_forgotten = np.repeat([True, False], [len(part) for part in scores])
    return attack_auc_score(
        was_forgotten,
        np.concatenate(scores),
        groups=groups,
        return_interval=return_interval,
        confidence_level=confidence_level,
    )
