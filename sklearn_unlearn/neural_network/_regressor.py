"""Regression by a network with dropout."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Real

import numpy as np
import torch
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import validate_data

from sklearn_unlearn._engine._threads import dense
from sklearn_unlearn.neural_network._base import BaseDropoutNetwork
from sklearn_unlearn.neural_network._noise_precision import NoisePrecisionMixin
from sklearn_unlearn.neural_network._regressor_predictions import (
    LINKS,
    RegressorPredictionsMixin,
)
from sklearn_unlearn.neural_network._training_rows import ROW_CHECKS
from sklearn_unlearn.utils._sklearn_compat import Interval, StrOptions, _fit_context
from sklearn_unlearn.utils._validation import refuse_words

__all__ = ["DropoutRegressor"]

OUT_ACTIVATIONS = {"squared_error": "identity", "poisson": "exp"}
# Output for targets that are all 0: small, and finite, so that more can be learnt.
LOG_NOTHING = -20.0


class DropoutRegressor(
    RegressorMixin, RegressorPredictionsMixin, NoisePrecisionMixin, BaseDropoutNetwork
):
    """Neural network with dropout that predicts numbers, how sure it is, and forgets.

    It takes the place of :class:`sklearn.neural_network.MLPRegressor`, and of a
    Gaussian process where there are too many rows for one. A prediction is the mean
    over random functions: each is the network with one set of dropped units, shared
    by all rows [1]_. Around them lies noise whose precision is fitted on held-out
    rows. ``unlearn`` is exact: it trains again on the rows that stay.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, default=(100,)
        Numbers of units of the hidden layers.
    activation : {"identity", "logistic", "tanh", "relu", "gelu"}, default="relu"
        Activation of the hidden layers.
    dropout : float or array-like of float, default=0.1
        Probability to *drop* a hidden unit, from 0 to below 1; one number, or one
        per hidden layer.
    input_dropout : float, default=0.0
        Probability to drop an input.
    module : callable (n_features, n_outputs) -> torch.nn.Module, default=None
        Class or function that builds another network than a perceptron; then
        `hidden_layer_sizes`, `activation` and both rates of dropout do not count.
        It takes rows of float32 and returns predictions, shape (n_rows, n_outputs).
        Its ``torch.nn.Dropout`` layers are replaced by those of
        :mod:`sklearn_unlearn.dropout`.
    mc_samples : int, default=50
        Number of random functions that a prediction averages. 0 stands for the
        deterministic network, with weights scaled.
    loss : {"squared_error", "poisson"}, default="squared_error"
        What is minimised: half the squared error, for any numbers, or half the
        Poisson deviance, for counts. With "poisson" the outputs of the network are
        logarithms of means, and the noise is that of counts: its variance is the
        mean, intervals end at whole numbers, and `noise_precision` does not matter.
    noise_precision : "auto" or float, default="auto"
        Inverse variance of the noise: ``1 / sd**2``, with the standard deviation in
        units of y. "auto" chooses the value under which held-out rows are most likely:
        those of early stopping, or else a twentieth of the rows, at least ten, or a
        fifth of fewer than fifty, which are then not trained on. From so few it varies;
        ``early_stopping=True`` holds out `validation_fraction`.
    solver : {"adam", "sgd"}, default="adam"
        How weights are trained. "lbfgs" is refused: its line search compares losses,
        which are noisy under dropout.
    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights.
    batch_size : int or "auto", default="auto"
        Rows of a step; "auto" is ``min(200, n_rows)``.
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        With ``solver="sgd"``, how the step size goes on from `learning_rate_init`.
        "invscaling" divides that, after each epoch, by ``(t_ + 1) ** power_t``;
        "adaptive" divides it by five each time that training would stop, and stops
        at 1e-6.
    learning_rate_init : float, default=0.002
        Step size of the first epoch. It is twice that of scikit-learn's perceptrons,
        because a network learns more slowly under dropout.
    power_t : float, default=0.5
        Exponent of "invscaling".
    max_iter : int, default=200
        Most epochs.
    shuffle : bool, default=True
        Whether each epoch visits the rows in a new order.
    random_state : int, RandomState instance or None, default=None
        Source of initial weights, order, masks and held-out rows. With an integer,
        the result is the same in every run, thread and process.
    tol : float, default=0.0001
        Improvement of the loss (or of the score, with `early_stopping`) that
        counts.
    verbose : bool or int, default=False
        Whether to print the loss of every epoch.
    warm_start : bool, default=False
        Whether ``fit`` starts from the present weights. ``unlearn`` never does.
    momentum : float, default=0.9
        Share of its last step that ``solver="sgd"`` adds to a step.
    nesterovs_momentum : bool, default=True
        Whether that is Nesterov's momentum.
    early_stopping : bool, default=False
        Whether to hold out rows, stop when their score does not improve, and
        return to the best weights.
    validation_fraction : float, default=0.1
        Share of the rows that early stopping holds out.
    beta_1 : float, default=0.9
        Decay of the first moment in Adam.
    beta_2 : float, default=0.999
        Decay of the second moment in Adam.
    epsilon : float, default=1e-8
        Guard against division by zero in Adam.
    n_iter_no_change : int or inf, default=10
        Epochs without improvement after which training stops. Under dropout, where
        losses of single epochs are noisy, their exponential mean (with decay 0.9) has
        to improve. At least `max_iter` trains for a fixed time.
    device : str or torch.device, default="cpu"
        Where to compute, for example ``"cuda"``.
    store_training_data : bool, default=True
        Whether to keep the training rows, which ``unlearn`` needs. Without them
        ``X_retain`` and ``y_retain`` must be passed to it.
    **module__params : dict
        Arguments of `module` by keyword, each under its name behind ``module__``, as
        in ``module__hidden=32``. They are parameters like all others: searches may go
        over them.

    Attributes
    ----------
    noise_precision_ : float or ndarray of shape (n_outputs,)
        Inverse variance of the noise around the functions; not with
        ``loss="poisson"``.
    out_activation_ : {"identity", "exp"}
        What makes predictions of the outputs of the network.
    n_outputs_ : int
        Number of outputs.
    n_layers_ : int
        Number of layers of the perceptron, that of the inputs included.
    n_iter_ : int
        Epochs of the fit.
    t_ : int
        Rows seen in training: a row counts in each epoch.
    loss_ : float
        Mean loss of the last epoch.
    loss_curve_ : list of float
        Mean loss of each epoch.
    best_loss_ : float or None
        Smallest loss; None with early stopping.
    validation_scores_ : list of float or None
        R2 on the rows that early stopping holds out, after each epoch.
    best_validation_score_ : float or None
        The best of them.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weight matrices of the perceptron, in the type of the rows: copies, which
        cannot be written to.
    intercepts_ : list of ndarray of shape (n_out,)
        Biases of the perceptron, likewise.
    module_ : torch.nn.Module
        The fitted network in evaluation mode. That of a perceptron has its weights:
        what is changed in it in place changes the predictions.
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
    DropoutClassifier : The same for classes.
    sklearn.gaussian_process.GaussianProcessRegressor : Has the same ``return_std``,
        ``return_cov`` and ``sample_y``.

    Notes
    -----
    Differences from ``MLPRegressor``: `solver` is not "lbfgs"; the default of
    `learning_rate_init`; when training ends under dropout; the target is standardised
    inside, so that its units do not matter, and losses are in standardised units;
    some rows are held out for `noise_precision`.

    Rows that ``partial_fit`` sees are not kept, and after ``warm_start`` only those
    of the last ``fit``. ``unlearn`` always starts from new weights, so nothing of
    earlier rows survives it. ``partial_fit`` standardises by its first batch.

    References
    ----------
    .. [1] Y. Gal and Z. Ghahramani. "Dropout as a Bayesian approximation:
       representing model uncertainty in deep learning". ICML 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.neural_network import DropoutRegressor
    >>> X = np.linspace(-2, 2, 200)[:, None]
    >>> y = 100 * np.sin(2 * X[:, 0])
    >>> model = DropoutRegressor(
    ...     (64, 64),
    ...     max_iter=300,
    ...     learning_rate_init=0.01,
    ...     n_iter_no_change=300,
    ...     random_state=0,
    ... ).fit(X, y)
    >>> mean, std = model.predict(X, return_std=True)
    >>> model.score(X, y) > 0.9
    True
    >>> model.predict_interval(X[:3], confidence_level=0.9).shape
    (3, 2)
    >>> model.sample_y(X, n_samples=5).shape
    (200, 5)
    >>> model.unlearn(X[:5]).n_forgotten_
    5
    """

    _parameter_constraints: dict = {
        **BaseDropoutNetwork._parameter_constraints,
        "loss": [StrOptions(set(OUT_ACTIVATIONS))],
        "noise_precision": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        dropout=0.1,
        input_dropout=0.0,
        module=None,
        mc_samples=50,
        loss="squared_error",
        noise_precision="auto",
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.002,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        device="cpu",
        store_training_data=True,
        **module__params,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.module = module
        self.mc_samples = mc_samples
        self.loss = loss
        self.noise_precision = noise_precision
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.store_training_data = store_training_data
        self._set_module_params(module__params)

    # --------------------------------------------------------------------- fit

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on these rows, from where the network stands.

        The rows are not kept: a stream is never stored. To forget rows of it,
        pass the whole training set to ``unlearn`` as `X_forget` and `X_retain`.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows. One is the weight of a row without.

        Returns
        -------
        self : object
            The network.
        """
        return self._partial_fit(X, y, None, sample_weight)

    def _check_rows(self, X, y, reset):
        refuse_words(y, "y", "For classes, use DropoutClassifier.")
        X, y = validate_data(
            self, X, y, **ROW_CHECKS, multi_output=True, y_numeric=True, reset=reset
        )
        y = dense(y)
        if self.loss == "poisson" and y.min() < 0:
            raise ValueError(
                f'loss="poisson" takes no negative targets; the smallest in y is '
                f"{y.min()}."
            )
        return X, y

    def _check_target(self, y, classes=None):
        if OUT_ACTIVATIONS[self.loss] != self.out_activation_:
            raise ValueError(
                "loss has changed since the network was fitted, which cannot be "
                "continued then. Clone it, or set warm_start=False."
            )
        shape = () if self._single_output else (self.n_outputs_,)
        if y.shape[1:] != shape:
            raise ValueError(
                f"y must have shape {('n_rows', *shape)}, as in the first fit; got "
                f"{y.shape}."
            )

    def _fit_target(self, y, sample_weight=None, classes=None):
        self._single_output = y.ndim == 1
        self.out_activation_ = OUT_ACTIVATIONS[self.loss]
        y = y.astype(np.float64).reshape(len(y), -1)
        self.n_outputs_ = y.shape[1]
        if self.loss == "poisson":
            self._fit_counts(y, sample_weight)
        else:
            self._fit_numbers(y, sample_weight)
        return self.n_outputs_

    def _fit_numbers(self, y, sample_weight):
        """Learn what is mean 0 and variance 1 for the network."""
        largest = np.abs(y).max(axis=0)
        unit = np.where(largest > 0, largest, 1.0)  # so that no square overflows
        self._y_mean = np.average(y / unit, axis=0, weights=sample_weight)
        variance = np.average(
            (y / unit - self._y_mean) ** 2, axis=0, weights=sample_weight
        )
        scale = np.sqrt(variance)
        # a target that is constant but for rounding keeps its unit
        varies = scale > 10 * np.finfo(float).eps
        scale = np.where(varies, scale, 1.0)
        self._y_mean, self._y_scale = self._y_mean * unit, scale * unit
        self._constant_output = np.where(varies, np.nan, 0.0)

    def _fit_counts(self, y, sample_weight):
        """Learn what is mean 1 for the network, whose outputs are logarithms."""
        mean = np.average(y, axis=0, weights=sample_weight)
        self._y_scale, self._y_mean = np.where(mean > 0, mean, 1.0), np.zeros_like(mean)
        constant = np.where(mean > 0, 0.0, LOG_NOTHING)
        self._constant_output = np.where(np.ptp(y, axis=0) > 0, np.nan, constant)

    def _continue_target(self, y):
        # a value that is not the constant any more has to be learnt
        link = LINKS[self.out_activation_]
        constant = self._in_target_units(link(self._constant_output))
        same = np.isclose(y.reshape(len(y), -1), constant, rtol=1e-9).all(axis=0)
        self._constant_output = np.where(same, self._constant_output, np.nan)

    def _settled(self, network):
        # the output for a target that does not vary is known, not learnt
        constant = ~np.isnan(self._constant_output)
        if not constant.any():
            return network
        shift = np.where(constant, self._constant_output, 0.0)
        settled = network.rescaled(np.where(constant, 0.0, 1.0), shift)
        return network if settled is None else settled

    def _rescale_outputs(self, network, y, sample_weight):
        mean, scale = self._y_mean, self._y_scale
        self._fit_target(y, sample_weight)
        ratio = scale / self._y_scale
        if self.out_activation_ == "exp":
            return network.rescaled(np.ones_like(ratio), np.log(ratio))
        return network.rescaled(ratio, (mean - self._y_mean) / self._y_scale)

    def _encode_target(self, y):
        return torch.from_numpy(self._standardised(y).astype(np.float32))

    def _standardised(self, y):
        return (y.reshape(len(y), -1) - self._y_mean) / self._y_scale

    def _score_outputs(self, outputs, y, sample_weight):
        predicted = LINKS[self.out_activation_](outputs)
        return r2_score(self._standardised(y), predicted, sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
