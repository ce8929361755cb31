"""Certified removal from logistic regression."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
from numbers import Integral, Real

import numpy as np
from scipy import linalg, sparse
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches
from sklearn.utils.multiclass import check_classification_targets

from sklearn_unlearn.exact.certified._base import CertifiedLinearModel, rounding_bound
from sklearn_unlearn.utils._sklearn_compat import Interval, StrOptions
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["CertifiedLogisticRegression"]

# Rows of which a weighted copy is made at a time, few enough to stay in cache.
CHUNK_ROWS = 2048

# How fast the curvature p (1 - p) of the loss can change with the score: its derivative
# p (1 - p) (1 - 2 p) is largest at p = 1/2 - 1/sqrt(12).
LIPSCHITZ = 1 / (6 * math.sqrt(3))


class CertifiedLogisticRegression(ClassifierMixin, CertifiedLinearModel):
    r"""Logistic regression that forgets rows with an (epsilon, delta) certificate.

    A request is answered by one Newton step on the retained rows. What the step leaves
    is hidden by noise that was added to the objective of the fit, so that whoever sees
    the model can hardly tell it from one that never saw the rows [1]_. Once the noise
    cannot hide more, the model is fitted again with fresh noise.

    Several classes are one problem each, against the rest.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the L2 penalty, as in
        :class:`~sklearn.linear_model.LogisticRegression`, but the intercept is
        penalised too. In the terms of [1]_, ``lambda = 1 / (C * n_rows)``.
    epsilon : float, default=1.0
        What is certified, for all requests since the last fit or refit together:
        for every set of models, the probabilities that the unlearned and that a
        retrained model lie in it differ by a factor of at most ``exp(epsilon)``, but
        for `delta`.
    delta : float, default=1e-4
        The probability that is left out.
    sigma : float, default=1.0
        Standard deviation of the noise, in units of the gradient, to which a row
        adds at most its norm. More noise serves more requests before a refit, and
        costs accuracy: compare values on data that will not be forgotten.
    clip_norm : float, default=1.0
        Rows that are longer are shortened to this Euclidean norm, each by itself, in
        ``fit`` and in predictions.
    fit_intercept : bool, default=True
        Whether each row has a 1 as a further feature, after clipping.
    bound : {"measured", "lipschitz"}, default="measured"
        What a request takes from the budget: the norm of the residual that its step
        adds, or the bound of [1]_ on it, which is many times as large.
    on_budget : {"refit", "raise"}, default="refit"
        What to do about a request that would exceed the budget: fit the retained rows
        with fresh noise, or raise
        :class:`~sklearn_unlearn.exceptions.BudgetExceededError`.
    max_iter : int, default=100
        Most Newton steps of a fit.
    tol : float, default=1e-8
        A fit stops when the norm of the gradient, summed over rows, is this small,
        or rounding is all that is left. The rest counts as residual.
    random_state : int, RandomState instance or None, default=None
        For tests only. With None, noise comes from the operating system's entropy.
        Anything else makes the noise known, and the certificate invalid.
    store_training_data : bool, default=True
        Whether to keep the training rows, which ``unlearn`` needs. Without them all
        rows must be passed to it, with their targets.

    Attributes
    ----------
    certificate_ : dict
        ``valid``; ``epsilon``, ``delta``, ``sigma``; ``residual_bound`` and the
        ``budget`` that it must not exceed; ``n_requests`` and ``n_forgotten`` (rows)
        since the noise was drawn, ``n_refits`` since ``fit``; ``row_norm``, the
        largest norm of a row, intercept aside; ``norm`` and ``reference``: in which
        norm, and against what. Exported copies have only what does not depend on
        the requests.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients of clipped rows.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts.
    classes_ : ndarray of shape (n_classes,)
        Labels seen in ``fit``, forgotten ones included.
    n_iter_ : int
        Newton steps of the last fit or request, the most of all classes.
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
    CertifiedRidge : The same for numbers, where the step is exact.
    ExactUnlearner : Goes on to the new optimum, without noise.

    Notes
    -----
    *What is certified.* The model is an :meth:`export`: coefficients, intercepts and
    labels. It is compared with a fit of the same objective on the retained rows, with
    noise of its own. One such model is released. The requests are fixed before the
    noise is drawn; hyper-parameters, labels and preprocessing are fixed without the
    rows that are forgotten. The object itself is not covered: its log and counts tell
    that something was forgotten. Neither noise nor seed is in it, but who has all rows
    and the model from before a request can compute the noise. As in [1]_, the residual
    counts as a given vector: that it varies with the noise, that its size decides about
    a refit, and that floating-point numbers are not real ones, is left aside.

    *Why it holds.* With noise ``B`` of the shape of the coefficients ``W``, a fit is
    the point where the gradient ``G(W)`` of loss and penalty is ``-B``. After requests
    it is ``u - B`` over the retained rows, as if these had been fitted with the noise
    ``B - u``. Normal noise hides a shift ``u`` of norm up to ``budget``, which is
    ``epsilon * sigma / sqrt(2 log(1.5 / delta))``, or less where `epsilon` is so large
    that this promises too much [2]_. The noise of all classes is one normal vector
    and ``u`` is one vector, so that the norm of all of ``u`` is what counts: the
    certificate holds for all classes jointly, which takes less of the budget than
    adding up one epsilon per class.

    *The residual.* Let ``g`` be the gradient of the forgotten rows at ``W`` and ``H``
    the Hessian of the retained ones. With ``step = H^-1 g`` the residual grows by the
    remainder ``G(W + step) - G(W) - g`` over the retained rows. ``bound="measured"``
    computes it; that does not need the noise. By Taylor's theorem row ``z_i`` adds at
    most :math:`\gamma/2\,(z_i^T step)^2` times itself to it, where :math:`\gamma =
    1/(6\sqrt 3)` is the largest derivative of ``p (1 - p)``. So
    :math:`\gamma/2\,\|Z\|_2\,\|(Z\,step)^2\|_2` bounds it for rows of any norm, with
    an intercept or without; if no norm is above 1, it is at most half of the bound in
    [1]_: ``bound="lipschitz"``. To either are added the gradient at which the solver
    stopped and the rounding of all sums.

    References
    ----------
    .. [1] C. Guo, T. Goldstein, A. Hannun and L. van der Maaten. "Certified data
       removal from machine learning models". ICML 2020.
    .. [2] B. Balle and Y.-X. Wang. "Improving the Gaussian mechanism for differential
       privacy: analytical calibration and optimal denoising". ICML 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_unlearn.exact import CertifiedLogisticRegression
    >>> X, y = load_digits(return_X_y=True)
    >>> model = CertifiedLogisticRegression().fit(X / 64, y)
    >>> model.unlearn(X[:10] / 64).n_forgotten_
    10
    >>> certificate = model.certificate_
    >>> certificate["valid"], certificate["n_requests"], certificate["n_refits"]
    (True, 1, 0)
    >>> certificate["residual_bound"] < certificate["budget"]
    True
    """

    _parameter_constraints: dict = {
        **CertifiedLinearModel._parameter_constraints,
        "C": [Interval(Real, 0, None, closed="neither")],
        "bound": [StrOptions({"measured", "lipschitz"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        C=1.0,
        *,
        epsilon=1.0,
        delta=1e-4,
        sigma=1.0,
        clip_norm=1.0,
        fit_intercept=True,
        bound="measured",
        on_budget="refit",
        max_iter=100,
        tol=1e-8,
        random_state=None,
        store_training_data=True,
    ):
        self.C = C
        self.epsilon = epsilon
        self.delta = delta
        self.sigma = sigma
        self.clip_norm = clip_norm
        self.fit_intercept = fit_intercept
        self.bound = bound
        self.on_budget = on_budget
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.store_training_data = store_training_data

    # ----------------------------------------------------------------- predict

    def decision_function(self, X):
        """Evaluate the linear scores of clipped rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            Scores; one column, that of ``classes_[1]``, for two classes.
        """
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X):
        """Predict the label with the largest score.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels.
        """
        scores = self.decision_function(X)
        best = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X):
        """Predict probabilities; those of several classes are scaled to sum to 1.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Probabilities.
        """
        scores = self._scores(X)
        if scores.shape[1] == 1:
            return expit(np.hstack([-scores, scores]))
        p = np.maximum(expit(scores), np.finfo(np.float64).tiny)
        return p / p.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X):
        """Predict logarithms of probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Logarithms.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    # ------------------------------------------------------------------- model

    def _prepare_target(self, y):
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                "y must have rows of at least two classes; it has only one class, "
                f"{self.classes_[0]!r}."
            )

    def _encode(self, y):
        code = np.searchsorted(self.classes_, y)
        code = np.minimum(code, len(self.classes_) - 1)
        unseen = np.unique(y[self.classes_[code] != y])
        if len(unseen):
            raise ValueError(
                f"y has labels that were not there in fit: {unseen[:5]}. Pass the rows "
                "and targets that the model was fitted on."
            )
        columns = [1] if len(self.classes_) == 2 else np.arange(len(self.classes_))
        return (code[:, None] == columns).astype(np.float64)

    def _penalty_curvature(self, size):
        return np.full((size, 1), 1.0 / self.C)

    def _loss_derivative(self, scores, T):
        return expit(scores) - T

    def _minimise_objective(self, Z, T, noise):
        W, n_iter = np.zeros_like(noise), np.zeros(T.shape[1], dtype=int)
        for k in range(T.shape[1]):
            column = slice(k, k + 1)
            W[:, column], n_iter[k] = self._minimise_column(
                Z, T[:, column], noise[:, column]
            )
        self.n_iter_ = int(n_iter.max())
        return W

    def _minimise_column(self, Z, t, b):
        """Minimise the objective of one class by Newton's method from zero.

        Returns
        -------
        w : ndarray of shape (size, 1)
        n_iter : int
            Number of steps, at least 1.
        """
        w = np.zeros_like(b)
        gradient = self._gradient(Z, t, w) + b
        size, n_iter = np.linalg.norm(gradient), 0
        while size > self.tol and n_iter < self.max_iter:
            n_iter += 1
            step = linalg.cho_solve(linalg.cho_factor(self._hessian(Z, w)), gradient)
            # A short enough fraction of the step always makes the gradient smaller.
            for fraction in 0.5 ** np.arange(40):
                trial = w - fraction * step
                gradient = self._gradient(Z, t, trial) + b
                if np.linalg.norm(gradient) < (1 - 0.1 * fraction) * size:
                    break
            else:  # the gradient consists of rounding errors
                return w, n_iter
            w, size = trial, np.linalg.norm(gradient)
        if size > self.tol:
            warn_user(
                f"The fit has not converged after max_iter={self.max_iter} Newton "
                f"steps: its gradient has norm {size:.2g}, which counts as residual. "
                "Increase max_iter.",
                ConvergenceWarning,
            )
        return w, max(n_iter, 1)

    def _hessian(self, Z, w):
        """Return the Hessian of the objective of one class, shape (size, size)."""
        p = expit(Z @ w)
        root, H = np.sqrt(p * (1.0 - p)), np.zeros((len(w), len(w)))
        for chunk in gen_batches(len(p), CHUNK_ROWS):
            A = Z[chunk] * root[chunk]
            product = A.T @ A
            H += product.toarray() if sparse.issparse(product) else product
        H[np.diag_indices_from(H)] += 1.0 / self.C
        return H

    def _newton_step(self, request):
        Z_forget, T_forget = self._request_rows(request.forget)
        Z_retain, T_retain = self._request_rows(request.retain)
        W = self._weights()
        removed = Z_forget.T @ self._loss_derivative(Z_forget @ W, T_forget)
        step = np.empty_like(W)
        for k in range(W.shape[1]):
            factor = linalg.cho_factor(self._hessian(Z_retain, W[:, k : k + 1]))
            step[:, k] = linalg.cho_solve(factor, removed[:, k])
        if self.bound == "lipschitz":
            residual = _taylor_bound(Z_retain, step)
        else:
            change = self._gradient_change(Z_retain, W, step)
            residual = np.linalg.norm(change - removed)
        residual = residual + rounding_bound(Z_retain, T_retain, W + step)
        return step, residual + rounding_bound(Z_forget, T_forget, W)

    def _gradient_change(self, Z, W, step):
        """Return by how much a step changes the gradient over the rows `Z`."""
        change = expit(Z @ (W + step)) - expit(Z @ W)
        return Z.T @ change + step / self.C

    def _set_weights(self, W):
        size = self.n_features_in_
        # copies: arrays that are views, or not contiguous, change with a pickle
        self.coef_ = W[:size].T.copy()
        self.intercept_ = W[size].copy() if self.fit_intercept else np.zeros(len(W.T))


def _taylor_bound(Z, step):
    """Bound the residual that Newton's step leaves over the rows `Z`, by Taylor."""
    products = Z.T @ Z
    products = products.toarray() if sparse.issparse(products) else products
    largest = math.sqrt(linalg.eigvalsh(products)[-1])
    return 0.5 * LIPSCHITZ * largest * np.linalg.norm((Z @ step) ** 2)
