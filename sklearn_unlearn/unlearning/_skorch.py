"""Nets of skorch with the interface of the networks of this package.

A net is trained by itself, with its own optimizer and callbacks. Of it the module alone
is stored: no history, no state of the optimizer, no cache of a callback.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
from contextlib import nullcontext
from functools import partial

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

from sklearn_unlearn._engine._handle import NetworkHandle
from sklearn_unlearn._engine._losses import CrossEntropy, SquaredError
from sklearn_unlearn._engine._torch_defaults import usual_torch
from sklearn_unlearn._engine._training import TensorRows
from sklearn_unlearn._engine.module._building import copy_with_own_dropout
from sklearn_unlearn._engine.module._fitted import FittedModule
from sklearn_unlearn._engine.module._randomness import ExplicitRandomness
from sklearn_unlearn.unlearning._skorch_functions import (
    ClassFunctions,
    NumberFunctions,
)
from sklearn_unlearn.unlearning._skorch_net import (
    Untrained,
    adam_of,
    arguments_of_module,
    bare_clone,
    check_criterion,
    check_iterator,
    check_number_of_rows,
    kind_of,
    robust_training,
    template_of,
    unwrapped,
    wrapped,
)
from sklearn_unlearn.unlearning._skorch_rows import DTYPES, ChecksRows
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["SkorchClassifier", "SkorchRegressor", "skorch_model"]


# Rows for which the predictions of a net are compared with those of its module.
N_COMPARED = 64


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
    for name, value in net.get_params(deep=False).items():
        if name.startswith("module__") and isinstance(value, (nn.Module, torch.Tensor)):
            raise TypeError(
                f"The net was given {name}={type(value).__name__}(...), which its fits "
                "train in place, so that it keeps what it has learnt. Let the module "
                "make it, from arguments that are numbers or words."
            )
    check_iterator(net)
    cls = SkorchClassifier if is_classifier(net) else SkorchRegressor
    return cls(net, random_state=random_state)


class SkorchModel(ChecksRows, BaseEstimator):
    """Base of `SkorchClassifier` and `SkorchRegressor`.

    Parameters
    ----------
    net : skorch.NeuralNet
        Unfitted. After the fit it is without callbacks, which may hold rows.
    random_state : int, RandomState instance or None
        Of the fit of the net, which draws nothing from the global generators.
    """

    def __init__(self, net, random_state=None):
        self.net = net
        self.random_state = random_state

    def fit(self, X, y, **fit_params):
        """Fit a clone of the net."""
        net = clone(self.net)
        arguments = arguments_of_module(net)
        X, y = self._check_first_rows(X, y, clone(net))
        self._set_target(y)
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        net = self._fit_net(net, X, y, seed, fit_params)
        self._take_module(net, template_of(net, arguments), X.shape[1], seed)
        self._check_target(y)
        self._check_same_predictions(net, X)
        return self

    def take_over(self, net, X, y):
        """Take over a net that is fitted already, on these rows."""
        if not getattr(net, "initialized_", False):
            raise ValueError("The net within the FrozenEstimator is not fitted.")
        check_number_of_rows(net, len(X))
        X, y = self._check_first_rows(X, y, net)
        self._take_module(net, bare_clone(net), X.shape[1])
        self._set_known_target(y)
        self._check_target(y)
        self._check_same_predictions(net, X)
        return self

    def _check_fitted_rows(self, X, y):
        """Raise unless the model is fitted, on rows such as these."""
        check_is_fitted(self)
        _, y = self._check_rows(X, y, reset=False)
        self._check_target(y)

    def _fit_net(self, net, X, y, seed, fit_params):
        """Fit a net with random numbers of this seed; on a GPU it draws its own."""
        on_cpu = torch.device(net.device or "cpu").type == "cpu"
        generator = torch.Generator().manual_seed(seed)
        with (
            usual_torch(net.device or "cpu"),  # whatever mode the caller is in
            ExplicitRandomness(generator) if on_cpu else nullcontext(),
            robust_training(net),
        ):
            X, y = self._row_format.for_net(X), self._target_for_net(y)
            return net.fit(X, y, **fit_params)

    def _take_module(self, net, template, n_features, seed=None):
        """Take the module of a fitted net, and a template to train another one."""
        check_criterion(net.criterion_)
        self._template, self.n_iter_ = template, max(1, len(net.history))
        # the user's callbacks do not follow what the package trains again
        self.net, self._coordinate_map = self._template, None
        weight = getattr(net.criterion_, "weight", None)
        self._class_weight = None if weight is None else weight.cpu().numpy()
        self._network = self._network_of(net, n_features, seed)
        return self

    def _check_same_predictions(self, net, X):
        """Raise if a net predicts something else than its module does."""
        some = X[:: -(-len(X) // N_COMPARED)]
        # an iterator of torch draws a seed, whatever it needs it for
        generator = torch.Generator().manual_seed(0)
        with usual_torch(net.device or "cpu"), ExplicitRandomness(generator):
            predicted = np.asarray(net.predict(self._row_format.for_net(some)))
        if not self._agrees(self._network.outputs(some), predicted):
            raise TypeError(
                f"{type(net).__name__} predicts something else than its module does: "
                "what a net does between the two is not kept. Put it into the module."
            )

    def _network_of(self, net, n_features, seed=None):
        """Return the module of a fitted net, as a network of the package."""
        with usual_torch(), torch.no_grad():
            module = wrapped(net.module_, net.criterion_, self._row_format)
            module = copy_with_own_dropout(module).cpu().eval()
            n_outputs = np.atleast_2d(module(torch.zeros(1, n_features))).shape[-1]
        factory = Untrained(self._template, self._row_format)
        return FittedModule.probed(module, factory, seed, n_features, n_outputs)

    @property
    def net_(self):
        """The net with the present module; it has no history and no callbacks."""
        check_is_fitted(self)
        with ExplicitRandomness(torch.Generator().manual_seed(0)):
            net = clone(self._template).initialize()
        module = self._network.copy().module()
        net.module_ = unwrapped(module)
        net.initialize_optimizer()
        return net

    def __sklearn_is_fitted__(self):
        return "_network" in vars(self)

    # ----------------------------------------------------------------- unlearn

    def _begin_unlearning(self, request, fit_params):
        """Return a `NetworkHandle` of this model and the rows of a request."""
        rows, asked = request.retain, request.forget
        new = copy.copy(self)
        X, y = new._check_rows(rows.X, rows.y, reset=True)
        new._check_target(y)
        target = None
        if asked.y is None:
            X_forget = new._check_X(asked.X)
        else:
            X_forget, target = new._check_rows(asked.X, asked.y, reset=False)
            new._check_target(target)
        retain, forget = self._as_tensors(X, y), self._as_tensors(X_forget, target)
        if retain.weight is not None:  # in units of the retained ones, as in torch
            mean = retain.weight.mean()
            retain.weight /= mean
            forget.weight = None if target is None else forget.weight / mean
        net = self._template
        adam, decay = adam_of(net)

        def finish(network):
            new._network = network
            return new

        return NetworkHandle(
            network=self._network,
            loss=self._loss,
            retain=retain,
            forget=forget,
            weight_decay=lambda n_rows: decay,
            adam=adam,
            batch_size=len(X) if net.batch_size == -1 else net.batch_size,
            n_epochs=self.n_iter_,
            train_fresh=partial(self._train_fresh, X, y, fit_params),
            finish=finish,
        )

    def _train_fresh(self, X, y, fit_params, n_epochs, rng):
        """Return a new network, trained on these rows for some epochs."""
        # in the coordinates that the module was made for, then in those of `X`
        A, b = (None, None) if self._coordinate_map is None else self._coordinate_map
        rows, seed = X if A is None else X @ A + b, int(rng.integers(2**63))
        net = clone(self._template).set_params(max_epochs=n_epochs)
        net = self._fit_net(net, rows, y, seed, fit_params)
        network = self._network_of(net, rows.shape[1], seed)
        return network if A is None else network.change_coordinates(A, b)

    def _as_tensors(self, X, y):
        """Return rows as tensors on the device, weighted as the criterion does."""
        device = torch.device(self._template.device or "cpu")
        if y is None:
            return TensorRows.from_arrays(X, None, None, device)
        target, weight = self._encode_target(y), None
        if self._class_weight is not None:
            weight = self._class_weight[target[:, 0].numpy()]
        return TensorRows.from_arrays(X, target, weight, device)

    def _in_coordinates(self, A, b):
        """Return a copy for rows ``X`` where this one takes ``X A + b``, or None."""
        network = self._network.change_coordinates(A, b)
        if network is None:
            return None
        new = copy.copy(self)
        new._network, new.n_features_in_ = network, len(A)
        if self._coordinate_map is not None:
            first, shift = self._coordinate_map
            A, b = A @ first, b @ first + shift
        new._coordinate_map = (A, b)
        new.__dict__.pop("feature_names_in_", None)
        return new

    def _outputs(self, X):
        check_is_fitted(self)
        return self._network.outputs(self._check_X(X))


@saved_as("skorch classifier")
class SkorchClassifier(ClassifierMixin, ClassFunctions, SkorchModel):
    """A classifier of skorch that takes any labels."""

    _loss = CrossEntropy()

    def _check_rows(self, X, y, reset):
        X, y = validate_data(self, X, y, dtype=DTYPES, allow_nd=True, reset=reset)
        check_classification_targets(y)
        return self._flat(X, reset), column_or_1d(y, warn=True)

    def _set_target(self, y):
        self.classes_ = np.unique(y)

    def _set_known_target(self, y):
        # a label is the number of its output, whichever labels the net has seen
        self.classes_ = np.arange(self._network.n_outputs)

    def _check_target(self, y):
        unseen = np.setdiff1d(y, self.classes_)
        if len(unseen):
            raise ValueError(
                f"y has labels that the net has no output for: {unseen[:5]}."
            )

    def _agrees(self, outputs, predicted):
        own = self._chosen(self._probabilities(outputs))
        differ = (own != predicted) & (predicted < len(self.classes_))
        return differ.mean() < 0.1  # nearly equal probabilities may be rounded

    def _encode_target(self, y):
        return torch.from_numpy(np.searchsorted(self.classes_, y))[:, None]

    def _target_for_net(self, y):
        target = self._encode_target(y)[:, 0].numpy()
        binary = issubclass(kind_of(self.net.criterion), nn.BCEWithLogitsLoss)
        return target.astype(np.float32) if binary else target

    def predict_proba(self, X):
        """Return the probabilities of the classes."""
        return self._probabilities(self._outputs(X))

    def predict(self, X):
        """Return the most probable labels, or those above the threshold of the net."""
        return self.classes_[self._chosen(self.predict_proba(X))]

    def _probabilities(self, outputs):
        # a module may have more outputs than there are classes
        return softmax(outputs[..., : len(self.classes_)], axis=-1)

    def _chosen(self, probabilities):
        """Return the positions of the predicted labels."""
        threshold = getattr(self._template, "threshold", None)
        if threshold is not None:
            return (probabilities[:, 1] > threshold).astype(int)
        return probabilities.argmax(axis=1)


@saved_as("skorch regressor")
class SkorchRegressor(RegressorMixin, NumberFunctions, SkorchModel):
    """A regressor of skorch that takes targets with or without a second axis."""

    _loss = SquaredError()

    def _check_rows(self, X, y, reset):
        X, y = validate_data(
            self,
            X,
            y,
            dtype=DTYPES,
            allow_nd=True,
            multi_output=True,
            y_numeric=True,
            reset=reset,
        )
        return self._flat(X, reset), y

    def _set_target(self, y):
        self._single_target = y.ndim == 1

    def _set_known_target(self, y):
        self._set_target(y)

    def _check_target(self, y):
        n_targets = self._encode_target(y).shape[1]
        if n_targets != self._network.n_outputs:
            raise ValueError(
                f"y has {n_targets} targets, and the net {self._network.n_outputs} "
                "outputs."
            )

    def _agrees(self, outputs, predicted):
        predicted = predicted.reshape(len(outputs), -1)
        return np.allclose(outputs, predicted, rtol=1e-3, atol=1e-3 * np.ptp(predicted))

    def _encode_target(self, y):
        return torch.from_numpy(_float32(y.reshape(len(y), -1)))

    def _target_for_net(self, y):
        return self._encode_target(y).numpy()

    def predict(self, X):
        """Return the predicted numbers."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._single_target else outputs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _float32(X):
    return np.ascontiguousarray(X, dtype=np.float32)
