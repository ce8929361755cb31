"""The base of both networks: fits, exact forgetting, and functions drawn from them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import abstractmethod
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_unlearn._engine._losses import LOSSES
from sklearn_unlearn._engine._torch_defaults import usual_torch
from sklearn_unlearn._engine._training import Progress, train
from sklearn_unlearn._engine.mlp._mlp import ACTIVATIONS
from sklearn_unlearn._engine.mlp._perceptron import Perceptron
from sklearn_unlearn.base import UnlearnerMixin, UnlearnerTags
from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.dropout._noise import make_generator
from sklearn_unlearn.neural_network._building import (
    check_answers,
    check_stochastic,
    check_trained,
    network_to_continue,
    new_network,
)
from sklearn_unlearn.neural_network._epoch_reporter import EpochReporter
from sklearn_unlearn.neural_network._module_parameters import ModuleParametersMixin
from sklearn_unlearn.neural_network._solving import SolvingMixin
from sklearn_unlearn.neural_network._training_rows import (
    ROW_CHECKS,
    TrainingRowsMixin,
    TrainingSplit,
)
from sklearn_unlearn.utils._sklearn_compat import (
    CallbackSupportMixin,
    Interval,
    Options,
    StrOptions,
    _fit_context,
)

__all__ = ["BaseDropoutNetwork"]

# Streams of random numbers of one fit, in this order for ever.
STREAMS = ("weights", "order", "masks", "split", "functions")


@contextmanager
def _in_usual_torch():
    """Train with the usual settings of torch, whichever the caller has.

    A mode without gradients may be left over from a prediction that was interrupted.
    """
    with usual_torch():
        yield


class BaseDropoutNetwork(
    SolvingMixin,
    ModuleParametersMixin,
    TrainingRowsMixin,
    UnlearnerMixin,
    CallbackSupportMixin,
    BaseEstimator,
):
    """Base of :class:`DropoutClassifier` and :class:`DropoutRegressor`."""

    __metadata_request__fit = {"forget": True, "groups": True}

    _saved_with_modules = ("sklearn", "torch")

    _parameter_constraints: dict = {
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": ["array-like", Interval(Real, 0, 1, closed="left")],
        "input_dropout": [Interval(Real, 0, 1, closed="left")],
        "module": [callable, None],
        "mc_samples": [Interval(Integral, 0, None, closed="left")],
        "solver": [str],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "device": [str, torch.device],
        "store_training_data": ["boolean"],
    }

    # ---------------------------------------------------------------- subclass

    @abstractmethod
    def _check_rows(self, X, y, reset):
        """Return validated X and y."""

    @abstractmethod
    def _fit_target(self, y, sample_weight=None, classes=None):
        """Learn labels, or mean and scale, and return the number of outputs.

        It sets `out_activation_`, too, by which the loss is found.
        """

    @abstractmethod
    def _encode_target(self, y):
        """Return the target as a tensor of shape (n_rows, n_targets)."""

    @abstractmethod
    def _score_outputs(self, outputs, y, sample_weight):
        """Return the validation score of deterministic outputs."""

    def _with_class_weight(self, y, sample_weight):
        """Return weights of rows, multiplied by those of their classes."""
        return sample_weight

    def _continue_target(self, y):
        """Take in that a target that did not vary may vary in a warm start."""

    def _settled(self, network):
        """Return the trained network, with outputs that are known put right."""
        return network

    def _after_training(self, split):
        """Fit the noise on rows that the network was not trained on."""

    def _update_noise(self, X, y, sample_weight):
        """Fit the noise on the rows of one ``partial_fit``, too."""

    def _check_target(self, y, classes=None):
        """Raise unless the network has outputs for this target."""

    def _n_held_out(self, n_rows):
        """Return how many rows are held out without early stopping."""
        return 0

    # --------------------------------------------------------------------- fit

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, forget=None, groups=None):
        """Fit the network, then forget the rows that `forget` marks.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
            Training rows. The network works best on standardised features.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.
        forget : array-like of shape (n_rows,), dtype=bool, default=None
            Rows to forget after the fit on all of them. As metadata with one
            entry per row it is cut by every splitter.
        groups : array-like of shape (n_rows,), default=None
            One id per row, for ``unlearn(groups=...)``.

        Returns
        -------
        self : object
            The fitted network.
        """
        warm = self.warm_start and "_network" in vars(self)
        checked = self._check_rows(X, y, reset=not warm)
        params = {} if sample_weight is None else {"sample_weight": sample_weight}
        kept = self._keep_rows(X, y, groups, params, forget)
        self._reset_partial_fit()
        self._fit_rows(*checked, sample_weight, warm=warm)
        self._attach_rows(kept)
        return self

    def _unlearn_rows(self, request):
        # exact: the fit of the retained rows, from new weights
        rows = request.retain
        weight = rows.params.get("sample_weight", self._fit_params.get("sample_weight"))
        seen = getattr(self, "classes_", None)
        X, y = self._check_rows(rows.X, rows.y, reset=True)
        self._reset_partial_fit()
        self._fit_rows(X, y, weight, silent=True)
        if seen is not None:
            self.classes_ = seen

    @_in_usual_torch()
    def _fit_rows(self, X, y, sample_weight, *, warm=False, silent=False):
        """Train on validated rows, and set all fitted attributes."""
        network, rngs, split = self._begin_fit(X, y, sample_weight, warm)
        rows = self._as_tensors(*split.training_rows())
        trainer = self._trainer(network, rows, rngs["masks"])
        score = None
        if self.early_stopping:
            X_held, y_held, weight_held = split.held_out_rows()

            def score():
                outputs = trainer.network().outputs(X_held, self.device)
                if not np.isfinite(outputs).all():
                    return np.nan
                return float(self._score_outputs(outputs, y_held, weight_held))

        reporter = EpochReporter(
            self, X, y, lambda: {"_network": trainer.network()}, silent
        )
        history = train(
            trainer,
            self._schedule(trainer),
            rngs["order"],
            score=score,
            reporter=reporter,
            progress=Progress(self.t_) if warm else None,
        )
        self._finish_fit(trainer.network(), split, history)
        reporter.end_fit()

    def _begin_fit(self, X, y, sample_weight, warm=False, subset=None):
        """Return a network to train, streams of random numbers, and a `TrainingSplit`.

        `y` and `sample_weight` are those of the rows of `X` in `subset`.
        """
        rngs, self._row_dtype = self._start_streams(), X.dtype.name
        weight = self._check_weight(y, sample_weight)
        if warm:
            self._check_target(y)
            self._continue_target(y)
            network = network_to_continue(self, X.shape[1])
        else:
            n_outputs = self._fit_target(y, weight)
            network = new_network(self, X.shape[1], n_outputs, rngs["weights"])
        training, held_out = self._split_rows(y, weight, rngs["split"])
        split = TrainingSplit(X, y, weight, training, held_out, subset)
        return network, rngs, split

    def _finish_fit(self, network, split, history):
        """Set the fitted attributes."""
        check_trained(network, self.n_features_in_)
        self._network = self._settled(network)
        self._record(history)
        # for an unlearner, which must not train on these rows either
        self._held_out = split.held_out_mask()
        self._after_training(split)

    @_in_usual_torch()
    def _partial_fit(self, X, y, classes, sample_weight):
        """Train for one epoch; see ``partial_fit`` of the two networks."""
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True.")
        first = "_network" not in vars(self)
        X, y = self._check_rows(X, y, reset=first)
        weight = self._check_weight(y, sample_weight, normalise=False)
        if first:
            rngs, self._row_dtype = self._start_streams(), X.dtype.name
            counts = weight is not None and weight.any()
            n_outputs = self._fit_target(y, weight if counts else None, classes)
            self._check_target(y, classes)
            network = new_network(self, X.shape[1], n_outputs, rngs["weights"])
            self.n_forgotten_, self.unlearning_log_ = 0, []
            self._solver_state, self._row_params, self._fit_params = None, (), {}
            self._has_target, self.n_iter_, self.loss_curve_ = True, 0, []
            self.t_ = 0
        else:
            self._check_target(y, classes)
            network = network_to_continue(self, X.shape[1])
            # new rows are held-out rows before the network has seen them
            self._update_noise(X, y, weight)
        if sample_weight is not None:
            self._row_params = ("sample_weight",)
        self._rows = self._held_out = None
        self._n_training_rows = self._fit_parameters = None  # they may differ by call
        self._n_partial = vars(self).get("_n_partial", 0) + 1
        # a key of three numbers: functions are drawn with keys of one and two
        key = (len(STREAMS), self._n_partial, 0)
        seed = np.random.SeedSequence(self._function_seed, spawn_key=key)
        order, masks = (make_generator(child) for child in seed.spawn(2))
        # rows are visited in the orders of the epochs of one fit
        if first:
            order = rngs["order"]
        elif self._solver_state is not None:
            order.bit_generator.state = self._solver_state["order"]
        trainer = self._trainer(network, self._as_tensors(X, y, weight), masks)
        history = self._train_one_epoch(trainer, order)
        self._network = trainer.network()
        check_trained(self._network, self.n_features_in_)
        self.n_iter_, self.t_ = self.n_iter_ + 1, history.progress.n_seen
        self.loss_ = history.losses[-1]
        # an approximate unlearner leaves no losses of former epochs behind
        self.loss_curve_ = [*vars(self).get("loss_curve_", ()), self.loss_]
        self.best_loss_ = min(self.loss_curve_)
        self.validation_scores_ = self.best_validation_score_ = None
        if first:
            self._update_noise(X, y, weight)
        return self

    def _reset_partial_fit(self):
        """Drop the state that only a next ``partial_fit`` would use."""
        self._solver_state = self._held_out = None
        self.__dict__.pop("_n_partial", None)

    # ------------------------------------------------------------ parts of fit

    def _start_streams(self):
        """Return generators of this fit, and set the seed of the functions."""
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        children = np.random.SeedSequence(seed).spawn(len(STREAMS))
        rngs = {
            name: make_generator(child)
            for name, child in zip(STREAMS, children, strict=True)
        }
        # stored, so that two predictions agree with random_state=None, too
        self._function_seed = int(rngs["functions"].integers(2**63))
        return rngs

    @property
    def _loss(self):
        return LOSSES[self.out_activation_]

    def _check_device(self):
        """Return the device of torch that the parameter names, or raise."""
        try:
            device = torch.device(self.device)
        except RuntimeError as error:
            raise ValueError(
                f'device must name a device of torch, such as "cpu" or "cuda"; got '
                f"{self.device!r}."
            ) from error
        if device.type == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"device={self.device!r}, but torch finds no CUDA device. Use "
                'device="cpu".'
            )
        return device

    # ----------------------------------------------------------------- predict

    def _apply(self, reduce, X):
        """Reduce `mc_samples` functions, or the deterministic one, row by row."""
        check_is_fitted(self)
        return self._draw(reduce, X, self.mc_samples or None, self._function_seed)

    def _draw(self, reduce, X, n_draws, seed):
        """Reduce some random functions row by row; see `Perceptron.apply`."""
        X = validate_data(self, X, **ROW_CHECKS, reset=False)
        if n_draws is not None and not (isinstance(n_draws, Integral) and n_draws > 0):
            raise ValueError(
                "mc_samples, and n_samples, must be a whole number above 0 (mc_samples "
                f"may be 0, for the deterministic network); got {n_draws!r}."
            )
        device = self._check_device()
        check_stochastic(self._network, n_draws)
        with np.errstate(over="ignore", invalid="ignore"):
            answers = self._network.apply(reduce, X, n_draws, seed, device=device)
        return check_answers(answers)

    @property
    def module_(self):
        """The network as a module of torch, in evaluation mode."""
        check_is_fitted(self)
        return self._network.module()

    @property
    def coefs_(self):
        """Weight matrices, each of shape (n_in, n_out), unless `module` is given."""
        return self._copies(self._perceptron().views()[0])

    @property
    def intercepts_(self):
        """Biases, each of shape (n_out,), unless `module` is given."""
        return self._copies(self._perceptron().views()[1])

    def _copies(self, weights):
        """Return weights in the type of the rows, as scikit-learn's perceptrons do.

        They are copies: one that is written to would change nothing, so none can be.
        """
        copies = [array.astype(self._row_dtype) for array in weights]
        for copy in copies:
            copy.flags.writeable = False
        return copies

    @property
    def n_layers_(self):
        """Number of layers, that of the inputs included, unless `module` is given."""
        return len(self._perceptron().sizes)

    def _perceptron(self):
        """Return the fitted perceptron; with `module` there is none."""
        if not isinstance(vars(self).get("_network"), Perceptron):
            raise AttributeError(
                "only a fitted perceptron has coefs_, intercepts_ and n_layers_"
            )
        return self._network

    def __sklearn_is_fitted__(self):
        return "_network" in vars(self)

    # ------------------------------------------------------------------ forget

    def _drop_rows(self):
        super()._drop_rows()
        self._solver_state = None  # its last steps know the rows of their batches

    def _drop_for_export(self):
        super()._drop_for_export()
        self._held_out = None

    def _no_rows_error(self):
        if vars(self).get("_n_partial"):
            return NotFittedError(
                f"This {type(self).__name__} was trained by partial_fit, which keeps "
                "no rows: pass the whole training set, as X_forget and X_retain with "
                "y_retain; if it had sample_weight, fit it again."
            )
        return super()._no_rows_error()

    def _in_coordinates(self, A, b):
        """Return a copy for rows ``X`` where this one takes ``X A + b``, or None."""
        network = self._network.change_coordinates(A, b)
        if network is None:
            return None
        new = shallow_copy(self)
        new._network, new.n_features_in_ = network, len(A)
        new.__dict__.pop("feature_names_in_", None)
        return new

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _unlearner_tags(self):
        fixed = isinstance(self.random_state, Integral)
        return UnlearnerTags(guarantee="exact" if fixed else "exact_law")
