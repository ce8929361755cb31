"""Networks from the parameters of an estimator."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier

from sklearn_unlearn._engine._training import diverged
from sklearn_unlearn._engine.mlp._mlp import Layout
from sklearn_unlearn._engine.mlp._perceptron import Perceptron
from sklearn_unlearn._engine.module._fitted import FittedModule
from sklearn_unlearn._engine.module._probes import REFUSALS
from sklearn_unlearn.neural_network._module_parameters import (
    check_no_module_params,
    is_same_factory,
    module_factory,
)
from sklearn_unlearn.utils._warnings import warn_user

__all__ = [
    "check_answers",
    "check_stochastic",
    "check_trained",
    "network_to_continue",
    "new_network",
]


def new_network(estimator, n_features, n_outputs, rng):
    """Return a network with initial weights.

    Parameters
    ----------
    estimator : DropoutClassifier or DropoutRegressor
    n_features, n_outputs : int
    rng : numpy.random.Generator
        Of the weights.

    Returns
    -------
    Perceptron or FittedModule
    """
    if estimator.module is not None:
        factory, seed = module_factory(estimator), int(rng.integers(2**63))
        network = FittedModule.build(factory, seed, n_features, n_outputs)
        check_stochastic(network, estimator.mc_samples)
        if is_classifier(estimator):
            _warn_of_softmax(network)
        return network
    check_no_module_params(estimator)
    hidden, rates = _hidden_layers(estimator)
    sizes = (n_features, *hidden, n_outputs)
    parameters = Layout(sizes).initial(rng, estimator.activation)
    return Perceptron(sizes, estimator.activation, rates, parameters.numpy())


def network_to_continue(estimator, n_features):
    """Return a copy of the fitted network of an estimator, for more training."""
    network = estimator._network.copy()
    if isinstance(network, FittedModule):
        if not is_same_factory(network.factory, module_factory(estimator)):
            raise ValueError(
                "module, or an argument of it, has changed since the network was "
                "fitted, which cannot be continued then. Clone it, or set "
                "warm_start=False."
            )
        return network
    hidden, rates = _hidden_layers(estimator)
    sizes = (n_features, *hidden, network.n_outputs)
    if sizes != network.sizes or estimator.activation != network.activation:
        raise ValueError(
            "hidden_layer_sizes or activation have changed since the network was "
            "fitted, which cannot be continued then. Clone it, or set "
            "warm_start=False."
        )
    return Perceptron(sizes, estimator.activation, rates, network.parameters)


def check_stochastic(network, n_draws):
    """Raise if functions are to be drawn from a module whose noise cannot be held."""
    if not n_draws:
        return
    if not network.is_stochastic:
        raise ValueError(
            "No layer of dropout was found in module, so its predictions cannot "
            "vary. Put torch.nn.Dropout or a layer of sklearn_unlearn.dropout "
            "into it (calls of torch.nn.functional.dropout cannot be held), or "
            "set mc_samples=0 for deterministic predictions."
        )
    if isinstance(network, FittedModule) and network.drops_by_functions:
        raise ValueError(
            "module drops units by functions such as torch.nn.functional.dropout, "
            "which the uncertainty would leave out. Use a registered torch.nn.Dropout "
            "or a layer of sklearn_unlearn.dropout for each of them, or set "
            "mc_samples=0 for deterministic predictions."
        )


def _warn_of_softmax(network):
    """Warn of a module that returns probabilities where logits are needed."""
    rows = np.random.default_rng(0).normal(size=(8, network.n_features))
    try:
        outputs = network.outputs(rows)
    except REFUSALS:  # it was not made for such rows
        return
    sums = outputs.sum(axis=1)
    if outputs.shape[1] > 1 and (outputs >= 0).all() and np.allclose(sums, 1, 1e-4):
        warn_user(
            "module seems to end in a softmax: its outputs are probabilities. The loss "
            "takes logits, so that it would train slowly and predict badly. Leave the "
            "softmax out.",
            UserWarning,
        )


def check_trained(network, n_features):
    """Raise unless the weights are finite: then a row of zeros has finite outputs."""
    if not np.isfinite(network.outputs(np.zeros((1, n_features)))).all():
        raise diverged()


def check_answers(answers):
    """Return what functions were reduced to; raise unless all numbers are finite."""
    for part in answers if isinstance(answers, tuple) else (answers,):
        if not np.isfinite(part).all():
            raise ValueError(
                "The outputs of the network are not finite for some rows: X holds "
                "values far beyond those that it was trained on. Scale the features, "
                "or leave these rows out."
            )
    return answers


def _hidden_layers(estimator):
    """Return the sizes of the hidden layers, and the probabilities to drop.

    The first probability is that of the input.
    """
    hidden = np.atleast_1d(estimator.hidden_layer_sizes).tolist()
    if not all(isinstance(size, Integral) for size in hidden):
        raise ValueError(
            "hidden_layer_sizes must hold whole numbers; got "
            f"{estimator.hidden_layer_sizes!r}."
        )
    try:
        rates = np.asarray(estimator.dropout, dtype=float)
    except (TypeError, ValueError):
        rates = np.array([[np.nan]])
    if rates.ndim == 0:
        rates = np.full(len(hidden), rates)
    if rates.shape != (len(hidden),) or not ((rates >= 0) & (rates < 1)).all():
        raise ValueError(
            "dropout must be a number from 0 to below 1, or one such number per "
            f"hidden layer ({len(hidden)}); got {estimator.dropout!r}."
        )
    if any(size < 1 for size in hidden):
        raise ValueError(
            f"hidden_layer_sizes must be > 0, got {estimator.hidden_layer_sizes}."
        )
    return hidden, (float(estimator.input_dropout), *rates.tolist())
