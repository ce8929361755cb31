"""Base of the certified linear models: fit with noise, requests, certificates."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import abstractmethod
from numbers import Real

import numpy as np
from scipy import linalg, sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.extmath import row_norms
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_unlearn.base import UnlearnerMixin, UnlearnerTags
from sklearn_unlearn.exact.certified._certificate import (
    REFERENCE,
    draw_noise,
    noise_budget,
)
from sklearn_unlearn.exact.rules._logistic import _threads
from sklearn_unlearn.exceptions import BudgetExceededError, UnlearningWarning
from sklearn_unlearn.utils._sklearn_compat import Interval, StrOptions, _fit_context
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["EPS", "CertifiedLinearModel", "rounding_bound"]

EPS = np.finfo(np.float64).eps
MANY_CLIPPED = 0.5  # share of shortened rows from which a fit warns

# Entries of a certificate that do not depend on the requests.
MODEL_ENTRIES = ("valid", "epsilon", "delta", "sigma", "row_norm", "norm", "reference")
# Attributes that tell that rows were forgotten, or which.
REQUEST_ATTRIBUTES = ("n_forgotten_", "unlearning_log_", "n_iter_")


class CertifiedLinearModel(UnlearnerMixin, BaseEstimator):
    """Base of the certified estimators; see :class:`CertifiedLogisticRegression`.

    The objective is ``sum_i loss(z_i' W, t_i) + penalty + <B, W>``, where the rows
    ``z_i`` are clipped and end in a 1 if there is an intercept, and the noise ``B`` has
    the shape of ``W``. At its optimum ``B`` is minus the gradient of the other terms,
    which is why it need not be kept: to forget rows, the gradient at the new ``W``
    over the retained rows must be what it was at the old ``W`` over all rows.
    """

    __metadata_request__fit = {"forget": True, "groups": True}

    _parameter_constraints: dict = {
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "delta": [Interval(Real, 0, 1, closed="neither")],
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "clip_norm": [Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "on_budget": [StrOptions({"refit", "raise"})],
        "random_state": ["random_state"],
        "store_training_data": ["boolean"],
    }

    # ---------------------------------------------------------------- subclass

    @abstractmethod
    def _prepare_target(self, y):
        """Check the targets of a fit, and set attributes that follow from them."""

    @abstractmethod
    def _encode(self, y):
        """Return targets as numbers, shape (n_rows, n_columns)."""

    @abstractmethod
    def _penalty_curvature(self, size):
        """Return the second derivatives of the penalty, shape (size, 1)."""

    @abstractmethod
    def _loss_derivative(self, scores, T):
        """Return the derivatives of the loss by the scores, of the shape of both."""

    @abstractmethod
    def _minimise_objective(self, Z, T, noise):
        """Return the `W` that minimises the objective.

        A model that iterates sets ``n_iter_``.
        """

    @abstractmethod
    def _newton_step(self, request):
        """Return the Newton step of a request, and a bound on its residual.

        Returns
        -------
        step : ndarray of shape (size, n_columns)
            Change of `W`.
        residual : float
            Bound on the norm by which the gradient after the step differs from the
            one that a fit on the retained rows with the same noise has.
        """

    @abstractmethod
    def _set_weights(self, W):
        """Set ``coef_`` and ``intercept_``."""

    # --------------------------------------------------------------------- fit

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, forget=None, groups=None):
        """Fit the model with fresh noise, then forget the rows that `forget` marks.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            Training rows.
        y : array-like of shape (n_rows,)
            Targets.
        forget : array-like of shape (n_rows,), dtype=bool, default=None
            Rows to forget after the fit on all of them. As metadata with one
            entry per row it is cut by every splitter.
        groups : array-like of shape (n_rows,), default=None
            One id per row, for ``unlearn(groups=...)``.

        Returns
        -------
        self : object
            The fitted model.
        """
        checked = self._check_rows(X, y, reset=True)
        self._warn_about_clipping(checked[0])
        kept = self._keep_rows(X, y, groups, {}, forget)
        self._prepare_target(checked[1])
        self._fit_rows(*self._clip_and_encode(*checked), n_refits=0)
        self._attach_rows(kept)
        return self

    def _fit_rows(self, Z, T, n_refits):
        """Minimise the objective with fresh noise, and set a new certificate."""
        self._n_rows = len(T)
        shape = (Z.shape[1], T.shape[1])
        noise = draw_noise(shape, self.sigma, self.random_state, n_refits)
        with _threads().limit(limits=1, user_api="blas"):
            try:
                W = self._minimise_objective(Z, T, noise)
            except linalg.LinAlgError as error:
                raise ValueError(
                    "The normal equations are singular to working precision: penalise "
                    "more, or choose a smaller clip_norm."
                ) from error
            solver_residual = np.linalg.norm(self._gradient(Z, T, W) + noise)
        self._set_weights(W)
        bound = solver_residual + rounding_bound(Z, T, W)
        budget = noise_budget(self.sigma, self.epsilon, self.delta)
        self.certificate_ = {
            "valid": self.random_state is None and bool(bound <= budget),
            "epsilon": self.epsilon,
            "delta": self.delta,
            "sigma": self.sigma,
            "residual_bound": float(bound),
            "budget": budget,
            "n_requests": 0,
            "n_forgotten": 0,
            "n_refits": n_refits,
            "row_norm": self.clip_norm,
            "norm": "Euclidean, of the gradient by all coefficients together",
            "reference": REFERENCE,
        }
        if self.random_state is None and bound > budget:
            warn_user(
                "The certificate is not valid: rounding and the solver leave a "
                f"residual of {bound:.2g}, but the noise hides {budget:.2g}. Choose a "
                "smaller clip_norm or a larger sigma.",
                UnlearningWarning,
            )

    def _fit_again(self, X, y, params):
        # a pipeline calls it with the rows in the coordinates of its new scaler, say
        checked = self._check_rows(X, y, reset=True)
        self._drop_statistics()
        self._refit(*self._clip_and_encode(*checked))

    def _refit(self, Z, T):
        """Fit again with fresh noise, and count it in the certificate."""
        self._fit_rows(Z, T, n_refits=self.certificate_["n_refits"] + 1)

    # ------------------------------------------------------------------ forget

    def _unlearn_rows(self, request):
        if request.forget.y is None:
            raise ValueError(
                "y_forget must be passed with X_retain: the step needs the targets of "
                "the rows to forget."
            )
        n_forget = int(request.mask.sum())
        if len(request.mask) != self._n_rows:
            raise ValueError(
                f"X_forget and X_retain together must be the training set of "
                f"{self._n_rows} rows; got {len(request.mask)} rows. Pass exactly the "
                "rows that were fitted: the certificate holds for no others."
            )
        self._n_rows -= n_forget
        certificate = self.certificate_
        with _threads().limit(limits=1, user_api="blas"):
            try:
                step, residual = self._newton_step(request)
            except linalg.LinAlgError:  # no step can be computed: exceed the budget
                step, residual = None, np.inf
        bound = certificate["residual_bound"] + float(residual)
        if bound <= certificate["budget"]:
            self._set_weights(self._weights() + step)
            if hasattr(self, "n_iter_"):
                self.n_iter_ = 1
            self.certificate_ = {
                **certificate,
                # of rows that only the caller knows it states nothing
                "valid": certificate["valid"] and request.ordered,
                "residual_bound": bound,
                "n_requests": certificate["n_requests"] + 1,
                "n_forgotten": certificate["n_forgotten"] + n_forget,
            }
            return
        if self.on_budget == "raise":
            raise BudgetExceededError(
                f"The request would take the residual to {bound:.3g}, but the noise "
                f"hides {certificate['budget']:.3g} at most (epsilon="
                f"{certificate['epsilon']}, delta={certificate['delta']}, sigma="
                f"{certificate['sigma']}). Fit the retained rows again, set "
                'on_budget="refit", or fit with a larger sigma.'
            )
        self._refit(*self._request_rows(request.retain))

    def _drop_statistics(self):
        """Drop sums over the rows, if the model keeps any for later requests."""

    def _parameters_of_fit(self):
        return super()._parameters_of_fit() - {"on_budget", "random_state"}

    def _drop_rows(self):
        super()._drop_rows()
        self._drop_statistics()

    def _drop_for_export(self):
        # an exported model must not tell of the requests
        super()._drop_for_export()
        self.certificate_ = {name: self.certificate_[name] for name in MODEL_ENTRIES}
        for name in (*REQUEST_ATTRIBUTES, "_n_rows"):
            self.__dict__.pop(name, None)

    # -------------------------------------------------------------------- rows

    def _check_rows(self, X, y, reset):
        """Return validated X and y; set the number and names of features if `reset`."""
        return validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=np.float64,
            y_numeric=self.__sklearn_tags__().estimator_type == "regressor",
            reset=reset,
        )

    def _request_rows(self, rows):
        """Return clipped rows and encoded targets of a part of a request."""
        return self._clip_and_encode(*self._check_rows(rows.X, rows.y, reset=False))

    def _clip_and_encode(self, X, y):
        """Return clipped rows `Z` and encoded targets `T` for validated X and y."""
        return self._clip(X), self._encode(y)

    def _clip(self, X):
        """Shorten rows to ``clip_norm``, and add a 1 to each for the intercept."""
        norms = row_norms(X)
        scale = np.minimum(1.0, self.clip_norm / np.where(norms > 0, norms, 1.0))
        if sparse.issparse(X):
            Z = sparse.diags_array(scale) @ sparse.csr_array(X)
            if self.fit_intercept:
                Z = sparse.hstack([Z, np.ones((len(norms), 1))], format="csr")
        else:
            Z = np.ones((len(X), X.shape[1] + self.fit_intercept))
            np.multiply(X, scale[:, None], out=Z[:, : X.shape[1]])
        return Z

    def _warn_about_clipping(self, X):
        """Warn if most rows are shortened."""
        norms = row_norms(X)
        share = np.mean(norms > self.clip_norm)
        if share > MANY_CLIPPED:
            warn_user(
                f"clip_norm={self.clip_norm:g} shortens {share:.0%} of the rows, whose "
                f"median norm is {np.median(norms):.3g}: their length is lost, and "
                "features on a large scale outweigh the others. Standardise the "
                "features, or raise clip_norm to about the median norm.",
                DataConversionWarning,
            )

    def _gradient(self, Z, T, W):
        """Return the gradient of the objective without its noise."""
        return (
            Z.T @ self._loss_derivative(Z @ W, T) + self._penalty_curvature(len(W)) * W
        )

    def _weights(self):
        """Return coefficients and intercepts, shape (size, n_columns)."""
        W = np.atleast_2d(self.coef_).T
        return np.vstack([W, np.ravel(self.intercept_)]) if self.fit_intercept else W

    def _scores(self, X):
        """Return the linear scores of rows, shape (n_rows, n_columns)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        return self._clip(X) @ self._weights()

    def _unlearner_tags(self):
        return UnlearnerTags(guarantee="certified")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        return tags


def rounding_bound(Z, T, W):
    """Bound the norm of the rounding errors in the gradient of the loss at `W`.

    The bound is the sum of those of the terms, one for each row.
    """
    norms = row_norms(Z)
    terms = 1.0 + np.linalg.norm(T, axis=1) + norms * np.linalg.norm(W)
    return EPS * (norms @ terms)
