"""Classification by a network with dropout."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import torch
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from sklearn_unlearn._engine._threads import dense
from sklearn_unlearn.neural_network._base import BaseDropoutNetwork
from sklearn_unlearn.neural_network._classifier_predictions import (
    ClassifierPredictionsMixin,
)
from sklearn_unlearn.neural_network._training_rows import ROW_CHECKS
from sklearn_unlearn.utils._sklearn_compat import StrOptions, _fit_context

__all__ = ["DropoutClassifier"]


class DropoutClassifier(
    ClassifierMixin, ClassifierPredictionsMixin, BaseDropoutNetwork
):
    """Neural network with dropout that classifies, knows how sure it is, and forgets.

    It takes the place of :class:`sklearn.neural_network.MLPClassifier`. A
    prediction is the mean over random functions: each is the network with one set
    of dropped units, shared by all rows, and their spread is the network's own
    doubt [1]_. ``unlearn`` is exact: it trains again on the rows that stay.

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
        It takes rows of float32 and returns logits, shape (n_rows, n_classes).
        Its ``torch.nn.Dropout`` layers are replaced by those of
        :mod:`sklearn_unlearn.dropout`.
    mc_samples : int, default=50
        Number of random functions that a prediction averages. 0 stands for the
        deterministic network, with weights scaled.
    class_weight : dict, "balanced" or None, default=None
        Weights of classes. "balanced" gives all classes the same total weight.
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
    classes_ : ndarray of shape (n_classes,)
        Labels seen in ``fit``, forgotten ones included; the numbers of the columns
        of an indicator matrix.
    out_activation_ : {"softmax", "logistic"}
        What makes probabilities of the outputs of the network: "logistic" for the
        labels of an indicator matrix.
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
        Accuracy on the rows that early stopping holds out, after each epoch.
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
    DropoutRegressor : The same for numbers.
    sklearn_unlearn.pipeline.Pipeline : Forgets in all steps before a network, too.

    Notes
    -----
    Differences from ``MLPClassifier``: `solver` is not "lbfgs"; the default of
    `learning_rate_init`; when training ends under dropout; two classes have two
    outputs; there is no convergence warning if `n_iter_no_change` is a number of at
    least `max_iter`.

    Rows that ``partial_fit`` sees are not kept, and after ``warm_start`` only those
    of the last ``fit``. ``unlearn`` always starts from new weights, so nothing of
    earlier rows survives it.

    References
    ----------
    .. [1] Y. Gal and Z. Ghahramani. "Dropout as a Bayesian approximation:
       representing model uncertainty in deep learning". ICML 2016.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from sklearn_unlearn.neural_network import DropoutClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = DropoutClassifier(
    ...     (32,),
    ...     max_iter=50,
    ...     learning_rate_init=0.01,
    ...     n_iter_no_change=50,
    ...     random_state=0,
    ... )
    >>> X = scale(X)
    >>> model.fit(X, y).score(X, y) > 0.95
    True
    >>> doubt = model.predict_uncertainty(X, kind="epistemic")
    >>> doubt.shape
    (150,)
    >>> model.unlearn(X[:5]).n_forgotten_
    5
    """

    _parameter_constraints: dict = {
        **BaseDropoutNetwork._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
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
        class_weight=None,
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
        self.class_weight = class_weight
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
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on these rows, from where the network stands.

        The rows are not kept: a stream is never stored. To forget rows of it,
        pass the whole training set to ``unlearn`` as `X_forget` and `X_retain`.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,)
            Targets.
        classes : array-like of shape (n_classes,), default=None
            All labels, needed in the first call if not all are in `y`.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows. One is the weight of a row without.

        Returns
        -------
        self : object
            The network.
        """
        return self._partial_fit(X, y, classes, sample_weight)

    def _parameters_of_fit(self):
        return super()._parameters_of_fit() - {"mc_samples"}  # of the predictions

    def _check_rows(self, X, y, reset):
        X, y = validate_data(self, X, y, **ROW_CHECKS, multi_output=True, reset=reset)
        check_classification_targets(y)
        if reset:
            self._indicator_type = type(y) if sparse.issparse(y) else None
        y = dense(y)
        if y.ndim < 2 or y.shape[1] == 1:
            return X, column_or_1d(y, warn=True)
        if not np.isin(y, (0, 1)).all():
            raise ValueError(
                "y must hold one label per row, or 0 and 1 in a matrix with a column "
                f"for each label that a row may have; got shape {y.shape}."
            )
        return X, y.astype(np.int8)

    def _check_target(self, y, classes=None):
        shape = (self.n_outputs_,) if self.out_activation_ == "logistic" else ()
        if y.shape[1:] != shape:
            raise ValueError(
                f"y must have shape {('n_rows', *shape)}, as in the first fit; got "
                f"{y.shape}."
            )
        if classes is not None and not np.array_equal(
            np.unique(classes), self.classes_
        ):
            raise ValueError(
                f"classes={classes!r} is not what the network was begun with: "
                f"{self.classes_}."
            )
        unseen = np.setdiff1d(y, self._network_classes) if y.ndim == 1 else ()
        if len(unseen):
            raise ValueError(
                f"y has labels that the network has no output for: {unseen[:5]}. Fit "
                "it anew with warm_start=False, or name all classes in the first "
                "partial_fit."
            )

    def _fit_target(self, y, sample_weight=None, classes=None):
        if y.ndim == 2:
            self.classes_, self.out_activation_ = np.arange(y.shape[1]), "logistic"
        else:
            self.classes_ = np.unique(y if classes is None else classes)
            self.out_activation_ = "softmax"
        self._network_classes, self.n_outputs_ = self.classes_, len(self.classes_)
        return self.n_outputs_

    def _encode_target(self, y):
        if y.ndim == 2:
            return torch.from_numpy(y.astype(np.float32))
        return torch.from_numpy(np.searchsorted(self._network_classes, y))[:, None]

    def _with_class_weight(self, y, sample_weight):
        if self.class_weight is None:
            return sample_weight
        if y.ndim == 2:
            raise ValueError(
                "class_weight weighs rows by their only class, and rows of an "
                "indicator matrix may have several labels: pass sample_weight."
            )
        weight = compute_sample_weight(self.class_weight, y)
        return weight if sample_weight is None else weight * sample_weight

    def _score_outputs(self, outputs, y, sample_weight):
        if self.out_activation_ == "logistic":
            predicted = (outputs > 0).astype(int)
        else:
            predicted = self._network_classes[outputs.argmax(axis=1)]
        return accuracy_score(y, predicted, sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
