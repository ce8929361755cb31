"""Rule for logistic regression: Newton steps from one optimum to the next."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import functools

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_class_weight
from threadpoolctl import ThreadpoolController

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._rule import Rule, register_rule

# More coefficients are left to the solver.
MAX_COEFFICIENTS = 2000
MAX_STEPS = 60
MAX_PRODUCTS = 200
# Gradient, per row and unit of the column's mean magnitude, at the optimum.
TOLERANCE = 1e-12
CHUNK_ROWS = 2048
MANY_FEATURES = 200


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

    def is_robust_to_rounding(self, estimator):
        return _is_smooth(estimator)

    def covers(self, estimator, X, y=None, **params):
        if not hasattr(estimator, "coef_"):
            return False
        n_columns = 1 if len(estimator.classes_) == 2 else len(estimator.classes_)
        n_coefficients = n_columns * (estimator.n_features_in_ + 1)
        return _is_smooth(estimator) and n_coefficients <= MAX_COEFFICIENTS

    def fit(self, estimator, X, y=None, **params):
        estimator.fit(X, y, **params)
        if self.covers(estimator, X):
            solution = _solve(estimator, X, y, **params)
            if solution is not None:
                _set_coefficients(estimator, solution[0])
        return estimator

    def change_coordinates(self, fitted, A, b):
        new = shallow_copy(fitted)
        new.intercept_ = fitted.intercept_ + fitted.coef_ @ b
        new.coef_ = fitted.coef_ @ A.T
        new.n_features_in_ = len(A)
        return new

    def refit(self, fitted, X, y=None, **params):
        # unless it is not fitted at all, since a single class was left
        same_columns = getattr(fitted, "n_features_in_", None) == X.shape[1]
        if same_columns and self.covers(fitted, X):
            solution = _solve(fitted, X, y, **params)
            if solution is not None:
                new = shallow_copy(fitted)
                _set_coefficients(new, solution[0])
                new.n_iter_ = np.full_like(fitted.n_iter_, solution[1])
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
    estimator.coef_ = coef.T.astype(estimator.coef_.dtype, order="C")
    if estimator.fit_intercept:
        estimator.intercept_ = theta[-1].astype(estimator.intercept_.dtype)


@functools.cache
def _threads():
    """Return the controller of threads, which takes long to make."""
    return ThreadpoolController()


def _solve(estimator, X, y, sample_weight=None):
    """Minimise the loss of `estimator` on the rows, from its coefficients.

    Returns
    -------
    theta : ndarray of shape (n_features [+ 1], n_columns)
    n_steps : int
        Steps of Newton's method. Instead of the two, None is returned if a class
        has no rows, or if the method does not get there.
    """
    # matrices this narrow are multiplied faster by one thread than by several
    n_threads = 1 if estimator.n_features_in_ < MANY_FEATURES else None
    with _threads().limit(limits=n_threads, user_api="blas"):
        problem = _Problem(estimator, X, y, sample_weight)
        if not problem.has_all_classes:
            return None
        theta = estimator.coef_.T.astype(np.float64)
        if estimator.fit_intercept:
            theta = np.vstack([theta, estimator.intercept_.astype(np.float64)])
        theta = problem.shifted(theta, 1)
        curvature, size, last_size = None, np.inf, np.inf
        for n_steps in range(MAX_STEPS):
            try:
                if curvature is None or size > 0.1 * last_size:
                    curvature = _Curvature(problem, theta)
                    gradient = curvature.gradient
                    size = curvature.size(gradient)
                if size <= TOLERANCE:
                    return problem.shifted(theta, -1), n_steps
                step = curvature.solve(gradient)
            except (linalg.LinAlgError, ValueError):
                return None  # not positive definite, or not finite
            found = _search_along(step, problem, curvature, theta, size)
            if found is None:
                # rounding is all that is left, or there is no optimum
                done = size <= 100 * TOLERANCE
                return (problem.shifted(theta, -1), n_steps) if done else None
            last_size, (theta, gradient, size) = size, found
    return None


def _search_along(step, problem, curvature, theta, size):
    """Halve a step until the gradient or the loss falls; None if neither does.

    Returns
    -------
    theta, gradient : ndarray of shape (n_features [+ 1], n_columns)
    size : float
        Size of the gradient there.
    """
    loss = None
    for scale in 0.5 ** np.arange(30):
        trial = theta - scale * step
        gradient = problem.gradient(trial)
        trial_size = curvature.size(gradient)
        if trial_size < size:
            return trial, gradient, trial_size
        # far from the optimum a gradient may grow while the loss falls
        loss = problem.loss(theta) if loss is None else loss
        if problem.loss(trial) < loss:
            return trial, gradient, trial_size
    return None


class _Problem:
    """Loss, gradient and Hessian of penalised logistic regression.

    Two classes have one column of coefficients, more have one per class. Rows are
    visited in chunks that stay in cache.

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
        if sparse.issparse(X):
            X = sparse.csr_array(X, dtype=np.float64)
        else:
            X = np.ascontiguousarray(X, dtype=np.float64)
        y = np.asarray(y).ravel()  # scikit-learn has warned about a column
        code = np.searchsorted(classes, y)
        self.has_all_classes = np.bincount(code, minlength=len(classes)).all()
        if not self.has_all_classes:
            return
        weight = _weights(estimator, code, y, sample_weight)
        self.binary = len(classes) == 2
        self.fit_intercept = estimator.fit_intercept
        self.penalty = 1.0 / estimator.C
        self.total_weight = weight.sum()
        n_chunk = -(-CHUNK_ROWS // (1 if self.binary else len(classes)))
        if sparse.issparse(X):
            n_chunk = len(code)  # it is small already, and slow to cut
        parts = [slice(i, i + n_chunk) for i in range(0, len(code), n_chunk)]
        self.centre = self._far_centre(X)
        self.chunks = [
            (X[part] - self.centre if self.centre.any() else X[part], code[part], w)
            for part, w in ((part, weight[part]) for part in parts)
        ]

    def _far_centre(self, X):
        """Means of columns that lie far from zero for their spread, else zeros.

        The intercept is not penalised, so that the optimum is the same in shifted
        columns, where Newton's method does not drown in rounding.
        """
        if sparse.issparse(X) or not self.fit_intercept:
            return np.zeros(X.shape[1])
        sample = X[:: -(-len(X) // 1000)]
        mean, spread = sample.mean(axis=0), sample.std(axis=0)
        return np.where(np.abs(mean) > 100 * spread, mean, 0.0)

    def shifted(self, theta, sign):
        """Return `theta` for centred columns (1), or for columns as given (-1)."""
        if self.fit_intercept:
            theta = theta.copy()
            theta[-1] += sign * (self.centre @ theta[:-1])
        return theta

    def _scores(self, theta, X):
        """Return the decision values of rows, one column per column of `theta`."""
        return X @ theta[:-1] + theta[-1] if self.fit_intercept else X @ theta

    def _add_gradient(self, gradient, scores, X, code, weight):
        """Add the derivative of the loss of a chunk."""
        if self.binary:
            sign = 1.0 - 2.0 * code
            # one minus the probability of the true class, without cancellation
            residual = (sign * expit(sign * scores[:, 0]))[:, None]
        else:
            residual = softmax(scores, axis=1)
            residual[np.arange(len(code)), code] -= 1.0
        residual *= weight[:, None]
        coef = slice(-1 if self.fit_intercept else None)
        gradient[coef] += X.T @ residual
        if self.fit_intercept:
            gradient[-1] += residual.sum(axis=0)

    def _penalised(self, gradient, theta):
        """Add the derivative of the penalty to a gradient, in place."""
        coef = slice(-1 if self.fit_intercept else None)
        gradient[coef] += self.penalty * theta[coef]
        return gradient

    def gradient(self, theta):
        """Gradient of the penalised loss, summed over rows."""
        gradient = np.zeros_like(theta)
        for X, code, weight in self.chunks:
            self._add_gradient(gradient, self._scores(theta, X), X, code, weight)
        return self._penalised(gradient, theta)

    def loss(self, theta):
        """Penalised loss, summed over rows."""
        coef = theta[:-1] if self.fit_intercept else theta
        loss = 0.5 * self.penalty * np.sum(coef**2)
        for X, code, weight in self.chunks:
            scores = self._scores(theta, X)
            if self.binary:
                log_p = log_expit((2.0 * code - 1.0) * scores[:, 0])
            else:
                log_p = log_softmax(scores, axis=1)[np.arange(len(code)), code]
            loss -= weight @ log_p
        return loss


class _Curvature:
    """Gradient and Hessian of a problem at a point.

    Of the Hessian only the blocks of single columns are formed. For two classes
    there is one. For more, the blocks precondition conjugate
    gradients on the whole, which needs products with the Hessian only: its size
    would grow with the square of the number of classes.
    """

    def __init__(self, problem, theta):
        size, n_columns = theta.shape
        n_coef = size - problem.fit_intercept
        self.problem, self.shape, self.p = problem, theta.shape, []
        blocks = np.zeros((n_columns, size, size))
        buffer = np.empty((CHUNK_ROWS, n_coef))
        self.gradient = np.zeros_like(theta)
        for X, code, weight in problem.chunks:
            scores = problem._scores(theta, X)
            problem._add_gradient(self.gradient, scores, X, code, weight)
            p = expit(scores) if problem.binary else softmax(scores, axis=1)
            self.p.append(p)
            spread = weight[:, None] * p * (1 - p)
            for part in (
                slice(i, i + CHUNK_ROWS) for i in range(0, len(p), CHUNK_ROWS)
            ):
                rows = X[part].toarray() if sparse.issparse(X) else X[part]
                for c in range(n_columns):
                    _add_products(blocks[c], rows, spread[part, c], buffer)
        problem._penalised(self.gradient, theta)
        diagonal = np.arange(size)
        # rounding of a sum of n terms grows with the root of the sum of squares
        squares = blocks[:, diagonal, diagonal].T * problem.total_weight
        self._rounding = np.where(squares == 0, 1.0, np.sqrt(squares))
        blocks[:, diagonal[:n_coef], diagonal[:n_coef]] += problem.penalty
        self.factors = [linalg.cho_factor(block) for block in blocks]

    def size(self, gradient):
        """Return the largest entry of a gradient, in units of its rounding."""
        return np.max(np.abs(gradient) / self._rounding)

    def solve(self, gradient):
        """Return the Newton step for a gradient of shape (size, n_columns)."""
        if self.problem.binary:
            return self._solve_blocks(gradient)
        # The same added to every column changes no probability: in that direction
        # the curvature is the penalty's alone. It is solved separately.
        common = gradient.mean(axis=1, keepdims=True)
        n = gradient.size
        step, _ = cg(
            LinearOperator((n, n), matvec=self._product),
            (gradient - common).ravel(),
            rtol=1e-2,
            maxiter=MAX_PRODUCTS,
            M=LinearOperator((n, n), matvec=self._precondition),
        )
        common /= self.problem.penalty
        if self.problem.fit_intercept:
            common[-1] = 0.0
        return step.reshape(self.shape) + common

    def _precondition(self, vector):
        """Solve with the blocks, among vectors whose columns sum to zero."""
        solved = self._solve_blocks(vector.reshape(self.shape))
        return (solved - solved.mean(axis=1, keepdims=True)).ravel()

    def _solve_blocks(self, gradient):
        """Solve with the block of each column, as if there were no others."""
        columns = zip(self.factors, gradient.T, strict=True)
        return np.stack([linalg.cho_solve(f, g) for f, g in columns], axis=1)

    def _product(self, vector):
        """Hessian times a vector, for several classes."""
        vector = vector.reshape(self.shape)
        product = np.zeros(self.shape)
        coef = slice(-1 if self.problem.fit_intercept else None)
        for (X, _, weight), p in zip(self.problem.chunks, self.p, strict=True):
            spread = self.problem._scores(vector, X)
            spread -= np.sum(p * spread, axis=1, keepdims=True)
            spread *= p * weight[:, None]
            product[coef] += X.T @ spread
            if self.problem.fit_intercept:
                product[-1] += spread.sum(axis=0)
        return self.problem._penalised(product, vector).ravel()


def _add_products(block, X, weight, buffer):
    """Add ``sum_i weight_i x_i x_i^T`` to `block`, with x_i = 1 for an intercept."""
    n_coef = X.shape[1]
    # a matrix times its own transpose takes half the time of any other product
    scaled = np.multiply(X, np.sqrt(weight)[:, None], out=buffer[: len(X)])
    block[:n_coef, :n_coef] += scaled.T @ scaled
    if len(block) > n_coef:
        column = weight @ X
        block[:n_coef, -1] += column
        block[-1, :n_coef] += column
        block[-1, -1] += weight.sum()


def _weights(estimator, code, y, sample_weight):
    """Weight of each row: its own times that of its class."""
    weight = np.ones(len(code))
    if sample_weight is not None:
        weight = np.broadcast_to(sample_weight, weight.shape).astype(np.float64)
    if estimator.class_weight is not None:
        by_class = compute_class_weight(
            estimator.class_weight,
            classes=estimator.classes_,
            y=y,
            sample_weight=sample_weight,
        )
        weight = weight * by_class[code]
    return weight
