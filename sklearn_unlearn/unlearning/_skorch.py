"""Nets of skorch, made to look like the networks of this package.

A net is trained by itself, with its own optimizer and callbacks. What is kept of it is
its module alone: no history, no state of the optimizer, no cache of a callback.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import sys
from contextlib import nullcontext

import numpy as np
import torch
from scipy.special import softmax
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    RegressorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
from torch import nn

from sklearn_unlearn._engine._editable import Editable
from sklearn_unlearn._engine._explicit import ExplicitRandomness
from sklearn_unlearn._engine._losses import CrossEntropy, SquaredError
from sklearn_unlearn._engine._mlp_trainer import Adam, Rows
from sklearn_unlearn._engine._modules import FittedModule, own_module

__all__ = ["SkorchClassifier", "SkorchRegressor", "is_skorch", "skorch_model"]

# Half of it is what an unlearner begins with if the net had another optimizer.
ADAM_RATE = 2e-3


def is_skorch(estimator):
    """Whether an estimator is a net of skorch, which is not imported for that."""
    skorch = sys.modules.get("skorch")
    return skorch is not None and isinstance(estimator, skorch.NeuralNet)


def skorch_model(net, random_state):
    """Return the unfitted model of a net."""
    if not (is_classifier(net) or is_regressor(net)):
        raise TypeError(
            "Of the nets of skorch, NeuralNetClassifier, NeuralNetBinaryClassifier and "
            f"NeuralNetRegressor can unlearn; got {type(net).__name__}."
        )
    if isinstance(net.module, nn.Module):
        raise TypeError(
            "The net was given a module that is built already, which keeps what it has "
            "learnt. Give it the class, and its arguments as module__<name>=."
        )
    cls = SkorchClassifier if is_classifier(net) else SkorchRegressor
    return cls(net, random_state=random_state)


class _LogProbabilities(nn.Module):
    """Logits of a module that returns probabilities, as NLLLoss has it in skorch."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x).clamp_min(1e-12).log()


class _TwoLogits(nn.Module):
    """Logits of two classes, of a module that returns one."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        logit = self.inner(x).reshape(len(x), 1)
        return torch.cat([torch.zeros_like(logit), logit], dim=1)


# What makes a module return logits, or numbers, by the criterion it was trained with.
WRAPPERS = {
    nn.CrossEntropyLoss: None,
    nn.NLLLoss: _LogProbabilities,
    nn.BCEWithLogitsLoss: _TwoLogits,
    nn.MSELoss: None,
}


class _Untrained:
    """Builds the untrained module of a net; the factory of a `FittedModule`."""

    def __init__(self, net):
        self.net = net

    def __call__(self, n_features, n_outputs):
        net = _without_callbacks(self.net).initialize()
        return wrapped(net.module_, net.criterion_)


def _without_callbacks(net):
    """Return a clone that writes no checkpoint and logs nothing."""
    net = clone(net)
    net.callbacks = "disable"
    return net


def wrapped(module, criterion):
    """Return a module that returns logits, or numbers."""
    wrapper = WRAPPERS[type(criterion)]
    return module if wrapper is None else wrapper(module)


class SkorchModel(BaseEstimator):
    """Base of `SkorchClassifier` and `SkorchRegressor`.

    Parameters
    ----------
    net : skorch.NeuralNet
        Unfitted, or fitted for `take`.
    random_state : int, RandomState instance or None
        Of the fit of the net, which draws nothing from the global generators.
    """

    def __init__(self, net, random_state=None):
        self.net = net
        self.random_state = random_state

    def fit(self, X, y, **fit_params):
        """Fit a clone of the net."""
        X, y = self._check_rows(X, y, reset=True)
        self._begin_target(y)
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        net = self._fit_net(clone(self.net), X, y, seed, fit_params)
        return self._take(net, X.shape[1], seed)

    def take(self, net, X, y):
        """Take over a net that is fitted already, on these rows."""
        if not getattr(net, "initialized_", False):
            raise ValueError("The net within the FrozenEstimator is not fitted.")
        X, y = self._check_rows(X, y, reset=True)
        self._known_target(net, y)
        return self._take(net, X.shape[1], seed=0)

    def _fit_net(self, net, X, y, seed, fit_params):
        on_cpu = torch.device(net.device or "cpu").type == "cpu"
        generator = torch.Generator().manual_seed(seed)
        with ExplicitRandomness(generator) if on_cpu else nullcontext():
            return net.fit(_single(X), self._for_net(y), **fit_params)

    def _take(self, net, n_features, seed):
        """Keep the module, and what is needed of the net to train one again."""
        _check_criterion(net.criterion_)
        # a callback may have set arguments of the module: of the fitted net we clone
        self._template, self.n_iter_ = clone(net), max(1, len(net.history))
        self._class_weight = getattr(net.criterion_, "weight", None)
        self._network = self._module_of(net, n_features, seed)
        return self

    def _module_of(self, net, n_features, seed=0):
        module = own_module(wrapped(net.module_, net.criterion_)).cpu().eval()
        with torch.no_grad():
            n_outputs = module(torch.zeros(1, n_features)).shape[-1]
        return FittedModule.probed(
            module, _Untrained(self._template), seed, n_features, n_outputs
        )

    @property
    def net_(self):
        """The net with the present weights; it has no history."""
        check_is_fitted(self)
        with ExplicitRandomness(torch.Generator().manual_seed(0)):
            net = clone(self._template).initialize()
        module = self._network.module()
        module = getattr(module, "inner", module)
        net.module_.load_state_dict(module.state_dict())
        return net

    def __sklearn_is_fitted__(self):
        return "_network" in vars(self)

    # ----------------------------------------------------------------- unlearn

    def _open(self, request, fit_params):
        """Return an `Editable` of this model; see `EditableNetwork`."""
        rows, asked = request.retain, request.forget
        new = copy.copy(self)
        X, y = new._check_rows(rows.X, rows.y, reset=True)
        target = None
        if asked.y is None:
            X_forget = validate_data(new, asked.X, dtype=_DTYPES, reset=False)
        else:
            X_forget, target = new._check_rows(asked.X, asked.y, reset=False)
        net = self._template
        batch_size = len(X) if net.batch_size == -1 else net.batch_size
        decay = net.get_params().get("optimizer__weight_decay", 0.0)
        is_adam = "adam" in getattr(net.optimizer, "__name__", "").lower()

        def train_fresh(n_epochs, rng):
            fresh = _without_callbacks(net).set_params(max_epochs=n_epochs)
            fresh = self._fit_net(fresh, X, y, int(rng.integers(2**63)), fit_params)
            return self._module_of(fresh, X.shape[1])

        def finish(network):
            new._network = network
            return new

        return Editable(
            self._network.copy(),
            self._loss,
            self._as_rows(X, y),
            self._as_rows(X_forget, target),
            decay * batch_size,
            Adam(net.lr if is_adam else ADAM_RATE),
            batch_size,
            self.n_iter_,
            train_fresh,
            finish,
        )

    def _as_rows(self, X, y):
        device = torch.device(self._template.device or "cpu")
        X = torch.from_numpy(_single(X))
        if y is None:
            return Rows(X, None).to(device)
        target = self._encode(y)
        weight = None
        if self._class_weight is not None:
            weight = self._class_weight.cpu()[target]
        return Rows(X, target, weight).to(device)

    def _moved(self, A, b):
        """Return a copy for rows ``X`` where this one takes ``X A + b``, or None."""
        network = self._network.moved(A, b)
        if network is None:
            return None
        new = copy.copy(self)
        new._network, new.n_features_in_ = network, len(A)
        new.__dict__.pop("feature_names_in_", None)
        return new

    def _outputs(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_DTYPES, reset=False)
        return self._network.outputs(X)


class SkorchClassifier(ClassifierMixin, SkorchModel):
    """A classifier of skorch that takes any labels."""

    _loss = CrossEntropy()

    def _check_rows(self, X, y, reset):
        X, y = validate_data(self, X, y, dtype=_DTYPES, reset=reset)
        check_classification_targets(y)
        return X, column_or_1d(y, warn=True)

    def _begin_target(self, y):
        self.classes_ = np.unique(y)

    def _known_target(self, net, y):
        self.classes_ = np.asarray(net.classes_)
        unseen = np.setdiff1d(y, self.classes_)
        if len(unseen):
            raise ValueError(f"y has labels that the net has not seen: {unseen[:5]}.")

    def _encode(self, y):
        return torch.from_numpy(np.searchsorted(self.classes_, y))[:, None]

    def _for_net(self, y):
        target = self._encode(y)[:, 0].numpy()
        binary = issubclass(self.net.criterion, nn.BCEWithLogitsLoss)
        return target.astype(np.float32) if binary else target

    def predict_proba(self, X):
        """Return the probabilities of the classes."""
        return softmax(self._outputs(X), axis=1)[:, : len(self.classes_)]

    def predict(self, X):
        """Return the most probable labels."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class SkorchRegressor(RegressorMixin, SkorchModel):
    """A regressor of skorch that takes targets with or without a second axis."""

    _loss = SquaredError()

    def _check_rows(self, X, y, reset):
        return validate_data(
            self, X, y, dtype=_DTYPES, multi_output=True, y_numeric=True, reset=reset
        )

    def _begin_target(self, y):
        self._single_target = y.ndim == 1

    def _known_target(self, net, y):
        self._begin_target(y)

    def _encode(self, y):
        return torch.from_numpy(_single(y.reshape(len(y), -1)))

    def _for_net(self, y):
        return self._encode(y).numpy()

    def predict(self, X):
        """Return the predicted numbers."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._single_target else outputs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


_DTYPES = [np.float64, np.float32]


def _single(X):
    return np.ascontiguousarray(X, dtype=np.float32)


def _check_criterion(criterion):
    if type(criterion) not in WRAPPERS:
        known = ", ".join(sorted(kind.__name__ for kind in WRAPPERS))
        raise TypeError(
            f"A net with the criterion {type(criterion).__name__} cannot unlearn; use "
            f"one of {known}."
        )
    if getattr(criterion, "label_smoothing", 0) or (
        getattr(criterion, "pos_weight", None) is not None
    ):
        raise ValueError(
            "A net whose criterion has label_smoothing or pos_weight cannot unlearn."
        )
