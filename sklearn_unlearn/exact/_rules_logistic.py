"""Rule for logistic regression: Newton steps from one optimum to the next."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

import numpy as np
from scipy import linalg, sparse
from scipy.special import log_expit, log_softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_class_weight

from sklearn_unlearn.exact._rules import Rule, register_rule

# The Hessian has this many rows and columns at most.
MAX_COEFFICIENTS = 2000
MAX_STEPS = 60
# Gradient, per row and unit of the column's mean magnitude, at the optimum.
TOLERANCE = 1e-12
CHUNK_ROWS = 2048


@register_rule(LogisticRegression)
class LogisticRegressionRule(Rule):
    """Newton's method on the l2-penalised loss, from the present coefficients.

    The Hessian is kept from one step to the next while the gradient falls
    tenfold (the chord method), which after forgetting few rows means one
    Hessian in all.
    """

    path = "warm start"

    def guarantee(self, estimator):
        # The optimum does not depend on the seed; a solver's answer does.
        return "exact" if _is_smooth(estimator) else super().guarantee(estimator)

    def covers(self, estimator, X, y=None, **params):
        n_columns = 1 if len(estimator.classes_) == 2 else len(estimator.classes_)
        n_coefficients = n_columns * (estimator.n_features_in_ + 1)
        return _is_smooth(estimator) and n_coefficients <= MAX_COEFFICIENTS

    def fit(self, estimator, X, y=None, **params):
        estimator.fit(X, y, **params)
        if self.covers(estimator, X):
            theta = _solve(estimator, X, y, **params)
            if theta is not None:
                _set_coefficients(estimator, theta)
        return estimator

    def refit(self, fitted, X, y=None, **params):
        same_classes = len(np.unique(y)) == len(fitted.__dict__.get("classes_", ()))
        if same_classes and self.covers(fitted, X):
            theta = _solve(fitted, X, y, **params)
            if theta is not None:
                new = copy.copy(fitted)
                _set_coefficients(new, theta)
                return new
        return self.fit(clone(fitted), X, y, **params)


def _is_smooth(estimator):
    """Whether the loss has an l2 penalty that leaves the intercept alone."""
    penalty = estimator.penalty
    if penalty == "deprecated":
        l2 = estimator.l1_ratio in (0, None)
    else:
        l2 = penalty == "l2"
    return (
        l2
        and np.isfinite(estimator.C)
        and estimator.solver != "liblinear"
        and getattr(estimator, "multi_class", "deprecated") in ("deprecated", "auto")
    )


def _set_coefficients(estimator, theta):
    """Write the columns of `theta` (intercepts last) into `estimator`."""
    coef = theta[:-1] if estimator.fit_intercept else theta
    estimator.coef_ = np.ascontiguousarray(coef.T, dtype=estimator.coef_.dtype)
    if estimator.fit_intercept:
        estimator.intercept_ = theta[-1].astype(estimator.intercept_.dtype)


def _solve(estimator, X, y, sample_weight=None):
    """Minimise the loss of `estimator` on the rows, from its coefficients.

    Returns
    -------
    ndarray of shape (n_features [+ 1], n_columns) or None
        None if Newton's method does not get to the optimum.
    """
    problem = _Problem(estimator, X, y, sample_weight)
    theta = estimator.coef_.T.astype(np.float64)
    if estimator.fit_intercept:
        theta = np.vstack([theta, estimator.intercept_.astype(np.float64)])
    loss, gradient = problem.loss_and_gradient(theta)
    factor, last, size = None, np.inf, problem.size(gradient)
    for _ in range(MAX_STEPS):
        if not np.isfinite(size):
            return None
        if size <= TOLERANCE:
            return theta
        if factor is None or size > 0.1 * last:
            try:
                factor = linalg.cho_factor(problem.hessian(theta))
            except linalg.LinAlgError:
                return None
        step = linalg.cho_solve(factor, gradient.T.ravel())
        step = step.reshape(gradient.T.shape).T
        scale = 1.0
        # Far from the optimum a full step may overshoot. Close to it rounding
        # hides the decrease of the loss, so the gradient may speak for the step.
        while True:
            trial = theta - scale * step
            trial_loss, trial_gradient = problem.loss_and_gradient(trial)
            trial_size = problem.size(trial_gradient)
            if trial_loss <= loss or trial_size < size or scale < 1e-10:
                break
            scale /= 2
        if scale < 1e-10:
            # no step helps: rounding is all that is left, or there is no optimum
            return theta if size <= 100 * TOLERANCE else None
        theta, loss, gradient = trial, trial_loss, trial_gradient
        last, size = size, trial_size
    return None


class _Problem:
    """Loss, gradient and Hessian of penalised logistic regression.

    Two classes have one column of coefficients, more have one per class.

    Parameters
    ----------
    estimator : LogisticRegression
        Fitted.
    X : array-like of shape (n_rows, n_features)
    y : array-like of shape (n_rows,)
    sample_weight : array-like of shape (n_rows,) or None
    """

    def __init__(self, estimator, X, y, sample_weight):
        classes = estimator.classes_
        self.X = X if sparse.issparse(X) else np.asarray(X, dtype=np.float64)
        if sparse.issparse(X):
            self.X = sparse.csr_array(X, dtype=np.float64)
        self.code = np.searchsorted(classes, np.asarray(y))
        weight = np.ones(len(self.code))
        if sample_weight is not None:
            weight = np.broadcast_to(sample_weight, weight.shape).astype(np.float64)
        if estimator.class_weight is not None:
            weight = (
                weight
                * compute_class_weight(
                    estimator.class_weight,
                    classes=classes,
                    y=np.asarray(y),
                    sample_weight=sample_weight,
                )[self.code]
            )
        self.weight = weight
        self.binary = len(classes) == 2
        self.fit_intercept = estimator.fit_intercept
        self.penalty = 1.0 / estimator.C
        # what a gradient of one per row amounts to, entry by entry
        magnitude = weight @ abs(self.X)
        if self.fit_intercept:
            magnitude = np.append(magnitude, weight.sum())
        self.magnitude = np.where(magnitude == 0, 1.0, magnitude)[:, None]

    def size(self, gradient):
        """Largest entry of the gradient, relative to the scale of its column."""
        return np.max(np.abs(gradient) / self.magnitude)

    def _scores(self, theta):
        if self.fit_intercept:
            return self.X @ theta[:-1] + theta[-1]
        return self.X @ theta

    def _probabilities(self, theta):
        scores = self._scores(theta)
        if self.binary:
            return np.exp(log_expit(scores))
        return np.exp(log_softmax(scores, axis=1))

    def loss_and_gradient(self, theta):
        """Penalised loss and its gradient, both summed over rows."""
        scores = self._scores(theta)
        if self.binary:
            signed = np.where(self.code == 1, 1.0, -1.0)
            margin = scores[:, 0] * signed
            log_likelihood = log_expit(margin)
            # 1 - p of the true class, without cancellation
            residual = (-signed * np.exp(log_expit(-margin)))[:, None]
        else:
            log_p = log_softmax(scores, axis=1)
            rows = np.arange(len(log_p))
            log_likelihood = log_p[rows, self.code]
            residual = np.exp(log_p)
            residual[rows, self.code] -= 1.0
        residual *= self.weight[:, None]
        gradient = self.X.T @ residual
        coef = theta[:-1] if self.fit_intercept else theta
        gradient += self.penalty * coef
        if self.fit_intercept:
            gradient = np.vstack([gradient, residual.sum(axis=0)])
        loss = 0.5 * self.penalty * np.sum(coef**2) - self.weight @ log_likelihood
        return loss, gradient

    def hessian(self, theta):
        """Hessian over the coefficients of the first column, the second, ..."""
        p = self._probabilities(theta)
        n_columns, n_rows = p.shape[1], p.shape[0]
        size = theta.shape[0]
        blocks = np.zeros((n_columns, n_columns, size, size))
        for start in range(0, n_rows, CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            X = self.X[part]
            if sparse.issparse(X):
                X = X.toarray()
            if self.fit_intercept:
                X = np.column_stack([X, np.ones(len(X))])
            for a in range(n_columns):
                for b in range(a + 1):
                    curvature = -p[part, a] * p[part, b]
                    if a == b:
                        curvature = p[part, a] * (1 - p[part, a])
                    blocks[a, b] += X.T @ (X * (curvature * self.weight[part])[:, None])
        for a in range(n_columns):
            for b in range(a):
                blocks[b, a] = blocks[a, b].T
        hessian = blocks.transpose(0, 2, 1, 3).reshape(n_columns * size, -1)
        n_penalised = size - self.fit_intercept
        index = np.arange(n_columns * size).reshape(n_columns, size)
        penalised = index[:, :n_penalised].ravel()
        hessian[penalised, penalised] += self.penalty
        if self.fit_intercept and not self.binary:
            # Adding the same to every intercept changes nothing. Give that
            # direction a curvature: the gradient has no part in it, so the step
            # stays the same.
            last = index[:, -1]
            hessian[np.ix_(last, last)] += np.trace(hessian) / len(hessian)
        return hessian
