"""Certified removal from linear models: a Newton step, and noise for the rest."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings
from abc import abstractmethod
from numbers import Real

import numpy as np
from scipy import linalg, sparse
from sklearn.base import BaseEstimator
from sklearn.utils.extmath import row_norms
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_unlearn.base import UnlearnerMixin, UnlearnerTags
from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact.certified._certificate import (
    REFERENCE,
    draw_noise,
    noise_budget,
)
from sklearn_unlearn.exact.rules._logistic import _threads
from sklearn_unlearn.exceptions import BudgetExceededError, UnlearningWarning
from sklearn_unlearn.utils._sklearn_compat import Interval, StrOptions, _fit_context
from sklearn_unlearn.utils._validation import refuse_changed_settings

__all__ = ["EPS", "CertifiedLinearModel", "rounding"]

EPS = np.finfo(np.float64).eps

# What a certificate says of the model alone; the rest tells of the requests.
STATIC = ("valid", "epsilon", "delta", "sigma", "row_norm", "norm", "reference")
# Attributes from which one could see that, or what, was forgotten.
TRACES = ("n_forgotten_", "unlearning_log_", "n_iter_")


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
    def _begin_target(self, y):
        """Set what the target defines; raise if it cannot be learnt."""

    @abstractmethod
    def _encode(self, y):
        """Return targets of shape (n_rows, n_columns)."""

    @abstractmethod
    def _penalty(self, size):
        """Return the curvature of the penalty, shape (size, 1)."""

    @abstractmethod
    def _slopes(self, scores, T):
        """Return the derivative of the loss by the scores."""

    @abstractmethod
    def _optimum(self, Z, T, noise):
        """Return the minimum `W` of the objective; set ``n_iter_`` if there is one."""

    @abstractmethod
    def _step(self, request):
        """Return the Newton step of a request, and a bound on what it leaves."""

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
        new = shallow_copy(self)
        checked = new._check_rows(X, y, reset=True)
        kept = new._keep_rows(X, y, groups, {}, forget)
        new._begin_target(checked[1])
        new._fit_rows(*new._design(*checked), n_refits=0)
        new._attach_rows(kept)
        self.__dict__ = new.__dict__
        return self

    def _fit_rows(self, Z, T, n_refits):
        """Minimise the objective with fresh noise, and start a certificate."""
        free = {"store_training_data", "on_budget", "random_state"}
        names = set(self.get_params()) - free
        self._settings = {name: getattr(self, name) for name in names}
        self._n_rows = len(T)
        shape = (Z.shape[1], T.shape[1])
        noise = draw_noise(shape, self.sigma, self.random_state, n_refits)
        with _threads().limit(limits=1, user_api="blas"):
            try:
                W = self._optimum(Z, T, noise)
            except linalg.LinAlgError as error:
                raise ValueError(
                    "The normal equations are singular to working precision: penalise "
                    "more, or choose a smaller clip_norm."
                ) from error
            left = np.linalg.norm(self._gradient(Z, T, W) + noise)
        self._set_weights(W)
        bound = left + rounding(Z, T, W)
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
            warnings.warn(
                "The certificate is not valid: rounding and the solver leave a "
                f"residual of {bound:.2g}, but the noise hides {budget:.2g}. Choose a "
                "smaller clip_norm or a larger sigma.",
                UnlearningWarning,
                stacklevel=4,
            )

    def _fit_again(self, X, y, params):
        # a pipeline's way to say that the rows lie in other coordinates now
        checked = self._check_rows(X, y, reset=True)
        self._drop_statistics()
        self._refit(*self._design(*checked))

    def _refit(self, Z, T):
        self._fit_rows(Z, T, n_refits=self.certificate_["n_refits"] + 1)

    # ------------------------------------------------------------------ forget

    def _unlearn_rows(self, request):
        if request.forget.y is None:
            raise ValueError(
                "y_forget must be passed with X_retain: the step needs the targets of "
                "the rows to forget."
            )
        refuse_changed_settings(self, self._settings)
        n_forget = int(request.mask.sum())
        if len(request.mask) != self._n_rows:
            raise ValueError(
                f"X_forget and X_retain together must be the training set of "
                f"{self._n_rows} rows; got {len(request.mask)} rows. The certificate "
                "says nothing of other rows."
            )
        self._n_rows -= n_forget
        before = self.certificate_
        with _threads().limit(limits=1, user_api="blas"):
            try:
                step, remainder = self._step(request)
            except linalg.LinAlgError:  # no step, so nothing that the noise could hide
                step, remainder = None, np.inf
        bound = before["residual_bound"] + float(remainder)
        if bound <= before["budget"]:
            self._set_weights(self._weights() + step)
            if hasattr(self, "n_iter_"):
                self.n_iter_ = 1
            self.certificate_ = {
                **before,
                "residual_bound": bound,
                "n_requests": before["n_requests"] + 1,
                "n_forgotten": before["n_forgotten"] + n_forget,
            }
            return
        if self.on_budget == "raise":
            raise BudgetExceededError(
                f"The request would take the residual to {bound:.3g}, but the noise "
                f"hides {before['budget']:.3g} at most (epsilon={before['epsilon']}, "
                f"delta={before['delta']}, sigma={before['sigma']}). Fit the retained "
                'rows again, set on_budget="refit", or fit with a larger sigma.'
            )
        self._refit(*self._read(request.retain))

    def _drop_statistics(self):
        """Let go of statistics of the rows that speed up later requests."""

    def _drop_rows(self):
        super()._drop_rows()
        self._drop_statistics()

    def _drop_for_export(self):
        # a certificate speaks of the model: what tells of the requests is left out
        super()._drop_for_export()
        self.certificate_ = {name: self.certificate_[name] for name in STATIC}
        for name in (*TRACES, "_n_rows", "_settings"):
            self.__dict__.pop(name, None)

    # -------------------------------------------------------------------- rows

    def _check_rows(self, X, y, reset):
        """Return validated X and y."""
        return validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=np.float64,
            y_numeric=self.__sklearn_tags__().estimator_type == "regressor",
            reset=reset,
        )

    def _read(self, rows):
        """Return clipped rows and encoded targets of a request."""
        return self._design(*self._check_rows(rows.X, rows.y, reset=False))

    def _design(self, X, y=None):
        """Return clipped rows, with a 1 for the intercept, and encoded targets."""
        norms = row_norms(X)
        scale = np.minimum(1.0, self.clip_norm / np.where(norms > 0, norms, 1.0))
        if sparse.issparse(X):
            Z = sparse.diags_array(scale) @ sparse.csr_array(X)
            if self.fit_intercept:
                Z = sparse.hstack([Z, np.ones((len(norms), 1))], format="csr")
        else:
            Z = np.ones((len(X), X.shape[1] + self.fit_intercept))
            np.multiply(X, scale[:, None], out=Z[:, : X.shape[1]])
        return Z if y is None else (Z, self._encode(y))

    def _gradient(self, Z, T, W):
        """Return the gradient of the objective without its noise."""
        return Z.T @ self._slopes(Z @ W, T) + self._penalty(len(W)) * W

    def _weights(self):
        """Return coefficients and intercepts, shape (size, n_columns)."""
        W = np.atleast_2d(self.coef_).T
        return np.vstack([W, np.ravel(self.intercept_)]) if self.fit_intercept else W

    def _scores(self, X):
        """Return the linear scores of rows, shape (n_rows, n_columns)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        return self._design(X) @ self._weights()

    def _unlearner_tags(self):
        return UnlearnerTags(guarantee="certified")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        return tags


def rounding(Z, T, W):
    """Bound the rounding of a gradient: that of its terms, summed."""
    norms = row_norms(Z)
    terms = 1.0 + np.linalg.norm(T, axis=1) + norms * np.linalg.norm(W)
    return EPS * (norms @ terms)
