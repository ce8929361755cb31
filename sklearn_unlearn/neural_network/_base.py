"""What the two networks have in common: training, forgetting, drawing functions."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings
from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_unlearn._engine._trainers import make_trainer
from sklearn_unlearn._engine._training import Schedule, train
from sklearn_unlearn._engine.mlp._activations import ACTIVATIONS
from sklearn_unlearn._engine.mlp._layout import Layout
from sklearn_unlearn._engine.mlp._perceptron import Perceptron
from sklearn_unlearn._engine.mlp._trainer import Adam, Rows
from sklearn_unlearn._engine.module._fitted import FittedModule
from sklearn_unlearn.base import UnlearnerMixin, UnlearnerTags
from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.dropout._noise import make_generator
from sklearn_unlearn.neural_network._editable import EditableNetwork
from sklearn_unlearn.neural_network._plan import Plan
from sklearn_unlearn.neural_network._watch import Watch
from sklearn_unlearn.utils._sklearn_compat import (
    CALLBACK_STATE,
    CallbackSupportMixin,
    Interval,
    StrOptions,
    _check_sample_weight,
    _fit_context,
)

__all__ = ["BaseDropoutNetwork"]

# Streams of random numbers of one fit, in this order for ever.
STREAMS = ("weights", "order", "masks", "split", "functions")


@contextmanager
def _with_gradients():
    """Let modules be built and trained, whatever mode of torch the caller is in.

    It may be left over from a prediction that was interrupted, too.
    """
    with torch.inference_mode(False), torch.enable_grad():
        yield


class BaseDropoutNetwork(
    EditableNetwork, UnlearnerMixin, CallbackSupportMixin, BaseEstimator
):
    """Base of :class:`DropoutClassifier` and :class:`DropoutRegressor`."""

    __metadata_request__fit = {"forget": True, "groups": True}

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
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "device": [str, torch.device],
        "store_training_data": ["boolean"],
    }

    # ---------------------------------------------------------------- subclass

    @abstractmethod
    def _check_rows(self, X, y, reset):
        """Return validated X and y."""

    @abstractmethod
    def _begin_target(self, y, sample_weight=None):
        """Set what the target defines, and return the number of outputs."""

    @abstractmethod
    def _encode(self, y):
        """Return the target as a tensor of shape (n_rows, n_targets)."""

    @abstractmethod
    def _score_outputs(self, outputs, y, sample_weight):
        """Return the validation score of deterministic outputs."""

    def _balance(self, y, sample_weight):
        """Return the weights of rows with those of classes in them."""
        return sample_weight

    def _after_training(self, plan):
        """Fit what needs rows on which the network was not trained."""

    def _follow_noise(self, X, y, sample_weight):
        """Take the rows of a stream into what `_after_training` fits."""

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
        X : array-like of shape (n_rows, n_features)
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
        with self._restored_on_error():
            warm = self.warm_start and "_network" in vars(self)
            checked = self._check_rows(X, y, reset=not warm)
            params = {} if sample_weight is None else {"sample_weight": sample_weight}
            kept = self._keep_rows(X, y, groups, params, forget)
            self._forget_stream()
            self._fit_rows(*checked, sample_weight, warm=warm)
            self._attach_rows(kept)
        return self

    @contextmanager
    def _restored_on_error(self):
        """Put all attributes back if a fit fails or is interrupted."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            # scikit-learn closes what callbacks have opened by these
            opened = {k: v for k, v in vars(self).items() if k in CALLBACK_STATE}
            self.__dict__.clear()
            self.__dict__.update(before, **opened)
            raise

    def _unlearn_rows(self, request):
        # exact: the fit of the retained rows, from new weights
        rows = request.retain
        weight = rows.params.get("sample_weight", self._fit_params.get("sample_weight"))
        seen = getattr(self, "classes_", None)
        X, y = self._check_rows(rows.X, rows.y, reset=True)
        self._forget_stream()
        self._fit_rows(X, y, weight, silent=True)
        if seen is not None:
            self.classes_ = seen

    @_with_gradients()
    def _fit_rows(self, X, y, sample_weight, *, warm=False, silent=False):
        """Train on validated rows, and set all fitted attributes."""
        plan = self._plan(X, y, sample_weight, warm)
        # where nothing is held out, there is nothing to copy
        part = plan.part(plan.chosen) if len(plan.held) else (X, y, plan.weight)
        rows = self._as_rows(*part)
        trainer, fitted = self._trainer(plan.net, rows, plan.rngs["masks"])
        score = None
        if self.early_stopping:
            held, held_y, held_weight = plan.held_out()

            def score():
                outputs = fitted().outputs(held, self.device)
                return float(self._score_outputs(outputs, held_y, held_weight))

        watch = Watch(self, X, y, lambda: {"_network": fitted()}, silent)
        history = train(
            trainer, self._schedule(), plan.rngs["order"], score=score, watch=watch
        )
        self._finish(plan, fitted(), history)
        watch.close()

    def _plan(self, X, y, sample_weight, warm=False, subset=None):
        """Decide all that training needs: network, rows, streams of numbers."""
        subset = np.arange(len(X)) if subset is None else subset
        rngs = self._start_streams()
        weight = self._check_weight(y, sample_weight)
        if warm:
            net = self._network_to_continue(X, y)
        else:
            n_outputs = self._begin_target(y, weight)
            net = self._new_network(X.shape[1], n_outputs, rngs["weights"])
        chosen, held = self._split(y, weight, rngs["split"])
        return Plan(net, rngs, X, subset, y, weight, chosen, held)

    def _finish(self, plan, network, history):
        """Set the fitted attributes."""
        self._network = network
        self._record(history)
        # for what edits the network later
        self._held_out = plan.held_mask()
        self._after_training(plan)

    @_with_gradients()
    def _partial_fit(self, X, y, classes, sample_weight):
        """Train for one epoch; see ``partial_fit`` of the two networks."""
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True.")
        with self._restored_on_error():
            first = "_network" not in vars(self)
            X, y = self._check_rows(X, y, reset=first)
            weight = self._check_weight(y, sample_weight, normalise=False)
            if first:
                rngs = self._start_streams()
                labels = y if classes is None else classes
                counts = weight is not None and weight.any()
                n_outputs = self._begin_target(labels, weight if counts else None)
                self._check_target(y)
                net = self._new_network(X.shape[1], n_outputs, rngs["weights"])
                self.n_forgotten_, self.unlearning_log_ = 0, []
                self._moments, self._row_params, self._fit_params = None, (), {}
                self._has_target, self.n_iter_, self.loss_curve_ = True, 0, []
            else:
                net = self._network_to_continue(X, y, classes)
                # new rows are held-out rows before the network has seen them
                self._follow_noise(X, y, weight)
            if sample_weight is not None:
                self._row_params = ("sample_weight",)
            self._rows = self._held_out = None
            self._n_partial = vars(self).get("_n_partial", 0) + 1
            # a key of three numbers: functions are drawn with keys of one and two
            key = (len(STREAMS), self._n_partial, 0)
            seed = np.random.SeedSequence(self._function_seed, spawn_key=key)
            order, masks = (make_generator(child) for child in seed.spawn(2))
            trainer, fitted = self._trainer(net, self._as_rows(X, y, weight), masks)
            if self._moments is not None:
                trainer.continue_from(self._moments)
            history = train(trainer, replace(self._schedule(), max_epochs=1), order)
            self._network, self._moments = fitted(), trainer.moments()
            self.n_iter_ += 1
            self.loss_ = history.losses[-1]
            self.loss_curve_ = [*self.loss_curve_, self.loss_]
            self.best_loss_ = min(self.loss_curve_)
            self.validation_scores_ = self.best_validation_score_ = None
            if first:
                self._follow_noise(X, y, weight)
        return self

    def _forget_stream(self):
        """Drop what only `partial_fit` needs."""
        self._moments = self._held_out = None
        self.__dict__.pop("_n_partial", None)

    # ------------------------------------------------------------ parts of fit

    def _start_streams(self):
        """Seed all streams of this fit; that of the functions is kept."""
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        children = np.random.SeedSequence(seed).spawn(len(STREAMS))
        rngs = {
            name: make_generator(child)
            for name, child in zip(STREAMS, children, strict=True)
        }
        # two calls agree, with random_state=None too; the seed itself is not in it
        self._function_seed = int(rngs["functions"].integers(2**63))
        return rngs

    def _check_device(self):
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

    def _check_weight(self, y, sample_weight, normalise=True):
        """Return weights, of mean one unless told otherwise, or None if all are."""
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, y, dtype=np.float64, ensure_non_negative=True
            )
        weight = self._balance(y, sample_weight)
        if weight is None:
            return None
        if not normalise:
            return weight
        if not weight.any():
            raise ValueError(
                "sample_weight is 0 for every row: nothing is to be learnt."
            )
        weight = weight / weight.max()  # so that no sum overflows
        return None if np.ptp(weight) == 0 else weight / weight.mean()

    def _rates(self):
        """Return the probability to drop for the input and each hidden layer."""
        hidden = np.atleast_1d(self.hidden_layer_sizes).tolist()
        if not all(isinstance(size, Integral) for size in hidden):
            raise ValueError(
                "hidden_layer_sizes must hold whole numbers; got "
                f"{self.hidden_layer_sizes!r}."
            )
        try:
            rates = np.asarray(self.dropout, dtype=float)
        except (TypeError, ValueError):
            rates = np.array([[np.nan]])
        if rates.ndim == 0:
            rates = np.full(len(hidden), rates)
        if rates.shape != (len(hidden),) or not ((rates >= 0) & (rates < 1)).all():
            raise ValueError(
                "dropout must be a number from 0 to below 1, or one such number per "
                f"hidden layer ({len(hidden)}); got {self.dropout!r}."
            )
        if any(size < 1 for size in hidden):
            raise ValueError(
                f"hidden_layer_sizes must be > 0, got {self.hidden_layer_sizes}."
            )
        return hidden, (float(self.input_dropout), *rates.tolist())

    def _new_network(self, n_features, n_outputs, rng):
        if self.module is not None:
            if isinstance(self.module, torch.nn.Module):
                raise TypeError(
                    "module must be a class or a function (n_features, n_outputs) that "
                    "returns a module, not a module: every fit builds its own."
                )
            seed = int(rng.integers(2**63))
            network = FittedModule.build(self.module, seed, n_features, n_outputs)
            self._check_draws(network, self.mc_samples)
            return network
        hidden, rates = self._rates()
        sizes = (n_features, *hidden, n_outputs)
        parameters = Layout(sizes).initial(rng, self.activation)
        return Perceptron(sizes, self.activation, rates, parameters.numpy())

    def _network_to_continue(self, X, y, classes=None):
        """Return a copy of the fitted network, for more training."""
        self._check_target(y, classes)
        network = self._network.copy()
        if isinstance(network, FittedModule):
            if network.factory is not self.module:
                raise ValueError(
                    "module has changed since the network was fitted, which cannot be "
                    "continued then. Clone it, or set warm_start=False."
                )
            return network
        hidden, rates = self._rates()
        sizes = (X.shape[1], *hidden, network.n_outputs)
        if sizes != network.sizes or self.activation != network.activation:
            raise ValueError(
                "hidden_layer_sizes or activation have changed since the network was "
                "fitted, which cannot be continued then. Clone it, or set "
                "warm_start=False."
            )
        return Perceptron(sizes, self.activation, rates, network.parameters)

    def _split(self, y, weight, rng):
        """Return the positions of training rows and of held-out rows."""
        n_rows = len(y)
        everything, nothing = np.arange(n_rows), np.arange(0)
        labels = y if hasattr(self, "classes_") else None
        if self.early_stopping:
            n_held: float | int = self.validation_fraction
        else:
            n_held, labels = self._n_held_out(n_rows), None
            if n_held == 0:
                return everything, nothing
        # what weighs nothing can neither be validated nor validate
        able = everything if weight is None else np.flatnonzero(weight)
        try:
            _, held = train_test_split(
                able,
                test_size=n_held,
                stratify=None if labels is None else labels[able],
                random_state=int(rng.integers(2**31)),
            )
        except ValueError as error:
            if not self.early_stopping:
                return everything, nothing
            raise ValueError(
                f"early_stopping cannot hold out validation_fraction="
                f"{self.validation_fraction} of {len(able)} rows: {error}"
            ) from error
        if self.early_stopping and labels is None and len(held) < 2:
            raise ValueError(
                "The validation set is too small for early_stopping: it would have "
                "one row. Raise validation_fraction, or set early_stopping=False."
            )
        return np.sort(np.setdiff1d(everything, held)), held

    def _as_rows(self, X, y, weight):
        """Return rows as tensors on the device."""

        def tensor(values):
            return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))

        weight = None if weight is None else tensor(weight)[:, None]
        target = None if y is None else self._encode(y)
        return Rows(tensor(X), target, weight).to(self._check_device())

    def _trainer(self, network, rows, rng):
        """Return a trainer of `network`, and a function that gives it as it is."""
        return make_trainer(
            network,
            rows,
            self._loss,
            alpha=self.alpha,
            adam=self._adam(),
            rng=rng,
            batch_size=self._batch_size(len(rows)),
        )

    def _adam(self):
        return Adam(self.learning_rate_init, self.beta_1, self.beta_2, self.epsilon)

    def _batch_size(self, n_rows):
        return min(200 if self.batch_size == "auto" else self.batch_size, n_rows)

    def _schedule(self):
        return Schedule(
            max_epochs=self.max_iter,
            shuffle=self.shuffle,
            tol=self.tol,
            patience=self.n_iter_no_change,
        )

    def _record(self, history):
        self.n_iter_ = len(history.losses)
        self.loss_curve_, self.loss_ = history.losses, history.losses[-1]
        self.best_loss_ = None if self.early_stopping else history.best_loss
        self.validation_scores_ = history.scores if self.early_stopping else None
        self.best_validation_score_ = (
            history.best_score if self.early_stopping else None
        )
        stops = self.n_iter_no_change < self.max_iter
        if self.n_iter_ == self.max_iter and stops and not history.converged:
            warnings.warn(
                f"max_iter={self.max_iter} epochs are over, and the loss still "
                "improves. Raise max_iter, or set n_iter_no_change to at least "
                "max_iter to train for a fixed time.",
                ConvergenceWarning,
                stacklevel=7,
            )

    # ----------------------------------------------------------------- predict

    def _check_draws(self, network, n_draws):
        """Raise if functions are asked for, and the module has nothing random."""
        if n_draws and not network.is_stochastic:
            raise ValueError(
                "No layer of dropout was found in module, so its predictions cannot "
                "vary. Put torch.nn.Dropout or a layer of sklearn_unlearn.dropout "
                "into it (calls of torch.nn.functional.dropout cannot be found), or "
                "set mc_samples=0 for deterministic predictions."
            )

    def _apply(self, reduce, X):
        """Reduce `mc_samples` functions, or the deterministic one, row by row."""
        check_is_fitted(self)
        return self._draw(reduce, X, self.mc_samples or None, self._function_seed)

    def _draw(self, reduce, X, n_draws, seed):
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        if n_draws is not None and not (isinstance(n_draws, Integral) and n_draws > 0):
            raise ValueError(
                "mc_samples, and n_samples, must be a whole number above 0 (mc_samples "
                f"may be 0, for the deterministic network); got {n_draws!r}."
            )
        device = self._check_device()
        self._check_draws(self._network, n_draws)
        return self._network.apply(reduce, X, n_draws, seed, device=device)

    @property
    def module_(self):
        """The network as a module of torch, in evaluation mode."""
        check_is_fitted(self)
        return self._network.module()

    @property
    def coefs_(self):
        """Weight matrices, each of shape (n_in, n_out), unless `module` is given."""
        return self._perceptron().views()[0]

    @property
    def intercepts_(self):
        """Biases, each of shape (n_out,), unless `module` is given."""
        return self._perceptron().views()[1]

    def _perceptron(self):
        if not isinstance(vars(self).get("_network"), Perceptron):
            raise AttributeError("only a fitted perceptron has coefs_ and intercepts_")
        return self._network

    def __sklearn_is_fitted__(self):
        return "_network" in vars(self)

    # ------------------------------------------------------------------ forget

    def _drop_rows(self):
        super()._drop_rows()
        self._moments = None  # the moments of a step know the rows of its batch

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

    def _unlearner_tags(self):
        fixed = isinstance(self.random_state, Integral)
        return UnlearnerTags(guarantee="exact" if fixed else "exact_law")
