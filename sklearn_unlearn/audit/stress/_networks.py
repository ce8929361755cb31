"""What is within a model: the steps before its network, and the hidden layer of it."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import sys

import numpy as np
from scipy.special import expit, ndtr
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from sklearn_unlearn.audit._answers import Task
from sklearn_unlearn.base import BaseUnlearner

__all__ = [
    "behind_steps",
    "hidden_features",
    "list_of_models",
    "network_of",
    "task_of",
]

ACTIVATIONS = {
    "gelu": lambda z: z * ndtr(z),
    "identity": lambda z: z,
    "logistic": expit,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
}


def list_of_models(models, name):
    """Return one model, or several, as a list."""
    found = [models] if hasattr(models, "predict") else list(models)
    if not found or not all(hasattr(model, "predict") for model in found):
        raise ValueError(f"{name} must be a fitted estimator, or a list of some.")
    return found


def task_of(models, y):
    """Return how answers of fitted models are read; all their classes count."""
    y = np.asarray(y)
    if is_classifier(models[0]) and y.ndim == 1:
        known = [m.classes_ for m in models if hasattr(m, "classes_")]
        return Task(models[0], np.concatenate([*known, y]))
    return Task(models[0], y)


def behind_steps(model, X):
    """Return rows as the last estimator of a model gets them, and that estimator."""
    steps, last = _path(model)
    for step in steps:
        X = step.transform(X)
    return X, last


def network_of(model):
    """Return the estimator at the end of pipelines and within unlearners."""
    return _path(model)[1]


def _path(model):
    """Return the pipelines before the last estimator of a model, and that one."""
    steps = []
    while True:
        if isinstance(model, Pipeline):
            steps += [model[:-1]] if len(model) > 1 else []
            model = model[-1]
        elif isinstance(model, BaseUnlearner) and hasattr(model, "estimator_"):
            model = model.estimator_
        else:
            return steps, model


def hidden_features(model, X):
    """Return what the last hidden layer of a network says of rows.

    Parameters
    ----------
    model : estimator instance
        Fitted: a perceptron of scikit-learn, a network of this package or a net of
        skorch; or an unlearner or pipeline that ends in one.
    X : rows

    Returns
    -------
    ndarray of shape (n_rows, n_units) or None
        The inputs of the last linear layer, nothing dropped; None without a network.
    """
    X, network = behind_steps(model, X)
    X = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
    weights = getattr(network, "coefs_", None)
    if weights is not None and network.activation in ACTIVATIONS:
        if len(weights) < 2:
            return None
        for W, b in zip(weights[:-1], network.intercepts_[:-1], strict=True):
            X = ACTIVATIONS[network.activation](X @ W + b)
        return np.asarray(X, dtype=float)
    module = getattr(network, "module_", None)
    return None if module is None else _inputs_of_last_layer(module, X)


def _inputs_of_last_layer(module, X):
    """Return what the linear layer that runs last in a module of torch is given."""
    torch = sys.modules["torch"]  # whoever has a module has imported it
    seen = []
    layers = [m for m in module.modules() if isinstance(m, torch.nn.Linear)]
    hooks = [
        layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        for layer in layers
    ]
    was_training, like = module.training, next(module.parameters())
    try:
        with torch.no_grad():
            module.eval()(torch.as_tensor(X, dtype=like.dtype, device=like.device))
    finally:
        module.train(was_training)
        for hook in hooks:
            hook.remove()
    # a module of one linear layer has no other features than the rows
    if len(seen) < 2:
        return None
    return seen[-1].detach().cpu().numpy().reshape(len(X), -1).astype(float)
