"""Certified removal from ridge regression."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy import linalg, sparse
from sklearn.base import RegressorMixin

from sklearn_unlearn.exact.certified._base import EPS, CertifiedLinearModel
from sklearn_unlearn.utils._saved import saved_as
from sklearn_unlearn.utils._sklearn_compat import Interval

__all__ = ["CertifiedRidge"]


class CertifiedRidge(RegressorMixin, CertifiedLinearModel):
    """Ridge regression that forgets rows with an (epsilon, delta) certificate.

    The objective is a quadratic function, so that one Newton step on the retained rows
    leads to its new optimum [1]_: the model is the one that a fit with the same noise
    gives, but for rounding. The noise has only rounding to hide, and can be small.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the L2 penalty, as in :class:`~sklearn.linear_model.Ridge`; the
        intercept is not penalised. In the terms of [1]_, ``lambda = alpha / n_rows``.
    epsilon : float, default=1.0
        What is certified, for all requests since the last fit or refit together:
        for every set of models, the probabilities that the unlearned and that a
        retrained model lie in it differ by a factor of at most ``exp(epsilon)``, but
        for `delta`.
    delta : float, default=1e-4
        The probability that is left out.
    sigma : float, default=0.01
        Standard deviation of the noise, in units of the gradient: of the target times
        the norm of rows. It must be large beside the rounding of sums over all rows.
    clip_norm : float, default=1.0
        Rows that are longer are shortened to this Euclidean norm, each by itself, in
        ``fit`` and in predictions. Choose it so that few are: standardised rows have
        norms about the square root of the number of features.
    fit_intercept : bool, default=True
        Whether each row has a 1 as a further feature, after clipping.
    on_budget : {"refit", "raise"}, default="refit"
        What to do about a request that would exceed the budget: fit the retained rows
        with fresh noise, or raise
        :class:`~sklearn_unlearn.exceptions.BudgetExceededError`.
    random_state : int, RandomState instance or None, default=None
        For tests only. With None, noise comes from the operating system's entropy.
        Anything else makes the noise known, and the certificate invalid.
    store_training_data : bool, default=True
        Whether to keep the training rows, which ``unlearn`` needs. Without them all
        rows must be passed to it, with their targets.

    Attributes
    ----------
    certificate_ : dict
        As for :class:`CertifiedLogisticRegression`; ``residual_bound`` is the rounding
        of the sums of fit and requests, measured and bounded.
    coef_ : ndarray of shape (n_features,)
        Coefficients of clipped rows.
    intercept_ : float
        Intercept.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features, if all are strings.
    n_forgotten_ : int
        Number of rows forgotten since ``fit``.
    unlearning_log_ : list of dict
        One record per request, without any data.

    See Also
    --------
    CertifiedLogisticRegression : The same for classes; says what is certified.
    ExactUnlearner : Ridge regression without noise.

    Notes
    -----
    What is certified, and against what, is as for
    :class:`CertifiedLogisticRegression`. The curvature of the squared loss does not
    change, so that a step leaves no remainder, whatever the targets are: they need not
    be clipped. The noise is not kept. Over all rows, the optimum tells what it was, and
    the step leaves that as it is.

    References
    ----------
    .. [1] C. Guo, T. Goldstein, A. Hannun and L. van der Maaten. "Certified data
       removal from machine learning models". ICML 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_unlearn.exact import CertifiedRidge
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = CertifiedRidge(alpha=0.1).fit(X, y).unlearn(X[:10])
    >>> certificate = model.certificate_
    >>> certificate["valid"], certificate["n_forgotten"]
    (True, 10)
    >>> certificate["residual_bound"] < 1e-6 * certificate["budget"]
    True
    """

    _parameter_constraints: dict = {
        **CertifiedLinearModel._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        epsilon=1.0,
        delta=1e-4,
        sigma=0.01,
        clip_norm=1.0,
        fit_intercept=True,
        on_budget="refit",
        random_state=None,
        store_training_data=True,
    ):
        self.alpha = alpha
        self.epsilon = epsilon
        self.delta = delta
        self.sigma = sigma
        self.clip_norm = clip_norm
        self.fit_intercept = fit_intercept
        self.on_budget = on_budget
        self.random_state = random_state
        self.store_training_data = store_training_data

    def predict(self, X):
        """Predict targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Targets.
        """
        return self._scores(X)[:, 0]

    def _prepare_target(self, y):
        pass

    def _encode(self, y):
        return y[:, None].astype(np.float64)

    def _penalty_curvature(self, size):
        curvature = np.full((size, 1), float(self.alpha))
        curvature[self.n_features_in_ :] = 0.0  # of the intercept
        return curvature

    def _loss_derivative(self, scores, T):
        return scores - T

    def _minimise_objective(self, Z, T, noise):
        self._products = self._sum_products(Z, T)
        W = self._solve(Z.T @ T - noise)
        # one step of iterative refinement: an ill-conditioned matrix costs digits
        return W - self._solve(self._gradient(Z, T, W) + noise)

    def _newton_step(self, request):
        Z, T = self._request_rows(request.forget)
        if self._products is None:  # the rows were not kept
            self._products = self._sum_products(*self._request_rows(request.retain))
        else:
            self._products = self._products.without(Z, T)
        W = self._weights()
        removed = Z.T @ (Z @ W - T)  # gradient of the forgotten rows
        step = self._solve(removed)
        residual = np.linalg.norm(self._hessian() @ step - removed)
        return step, residual + self._products.rounding_bound(W + step, step)

    def _hessian(self):
        """Return the Hessian of the objective, shape (size, size)."""
        products = self._products.sums[:-1, :-1]
        return products + np.diag(self._penalty_curvature(len(products))[:, 0])

    def _solve(self, right):
        """Solve the equations of the Hessian for a right-hand side."""
        return linalg.cho_solve(linalg.cho_factor(self._hessian()), right)

    def _sum_products(self, Z, T):
        """Return the sums over all rows of a fit."""
        return _ProductSums.of(Z, T, (self.clip_norm**2 + 1) * len(T))

    def _drop_statistics(self):
        self._products = None

    def _set_weights(self, W):
        size = self.n_features_in_
        self.coef_ = W[:size, 0].copy()
        self.intercept_ = float(W[size, 0]) if self.fit_intercept else 0.0


@saved_as("sums of products")
class _ProductSums(NamedTuple):
    """Sums of products over rows, so that a step need not read the retained rows.

    Parameters
    ----------
    sums : ndarray of shape (size + 1, size + 1)
        Products of each two columns, summed over rows; the target is the last column.
    n_rows : int
        Number of rows that are summed.
    norm_bound : float
        Bound on the sum of the squared norms of all rows of the fit. It depends on
        their number alone, so that it tells nothing of the forgotten rows.
    removal_rounding : float
        Bound on the rounding errors in `sums` from taking off rows.
    """

    sums: np.ndarray
    n_rows: int
    norm_bound: float = 0.0
    removal_rounding: float = 0.0

    @classmethod
    def of(cls, Z, T, norm_bound=0.0):
        """Return the sums over these rows."""
        if sparse.issparse(Z):
            Z = sparse.hstack([Z, T], format="csr")
            return cls((Z.T @ Z).toarray(), Z.shape[0], norm_bound)
        Z = np.hstack([Z, T])
        return cls(Z.T @ Z, len(Z), norm_bound)

    def without(self, Z, T):
        """Return the sums over all rows but these."""
        removed = type(self).of(Z, T)
        return type(self)(
            self.sums - removed.sums,
            self.n_rows - removed.n_rows,
            self.norm_bound,
            self.removal_rounding + EPS * self.norm_bound,
        )

    def rounding_bound(self, W, step):
        """Bound the rounding errors of the gradient at `W` after a step."""
        squares = np.maximum(np.diag(self.sums), 0.0)
        rows, target = np.sqrt(squares[:-1].sum()), np.sqrt(squares[-1])
        # by Cauchy and Schwarz the sum that the function `rounding_bound` computes
        terms = np.sqrt(self.n_rows) + target + rows * np.linalg.norm(W)
        return EPS * rows * terms + self.removal_rounding * np.linalg.norm(step)
