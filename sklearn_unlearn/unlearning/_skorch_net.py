"""Optimizer, criterion and untrained module of a net of skorch."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import torch
from sklearn.base import clone
from torch import nn

from sklearn_unlearn._engine._solvers import ADAM_RATE, AdamSettings
from sklearn_unlearn.utils._saved import saved_as

__all__ = [
    "Untrained",
    "adam_of",
    "bare_clone",
    "check_criterion",
    "kind_of",
    "unwrapped",
    "wrapped",
]


class _LogProbabilities(nn.Module):
    """Logits of a module that returns probabilities, as skorch's NLLLoss expects."""

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


# How a module comes to return logits, or numbers, by the criterion of its training.
_WRAPPERS = {
    nn.CrossEntropyLoss: None,
    nn.NLLLoss: _LogProbabilities,
    nn.BCEWithLogitsLoss: _TwoLogits,
    nn.MSELoss: None,
}


@saved_as("factory of a skorch net")
class Untrained:
    """Builds the untrained module of a net; the factory of a `FittedModule`."""

    def __init__(self, net):
        self.net = net

    def __call__(self, n_features, n_outputs):
        net = bare_clone(self.net).initialize()
        return wrapped(net.module_, net.criterion_)


def bare_clone(net):
    """Return a clone that writes no checkpoint, logs nothing and holds no rows out.

    Callbacks, and a split that was made beforehand, may hold rows.
    """
    net = clone(net)
    net.callbacks, net.train_split = "disable", None
    return net


def wrapped(module, criterion):
    """Return a module that returns logits, or numbers."""
    wrapper = _WRAPPERS[type(criterion)]
    return module if wrapper is None else wrapper(module)


def unwrapped(module):
    """Return the module of the net itself."""
    wrappers = (_LogProbabilities, _TwoLogits)
    return module.inner if isinstance(module, wrappers) else module


def kind_of(part):
    """Return the class of a part of a net, which may be given as an instance."""
    return part if isinstance(part, type) else type(part)


def adam_of(net):
    """Return the Adam that is next to the optimizer of a net, and its weight decay."""
    kind = kind_of(net.optimizer)
    given = net.get_params().get("optimizer__weight_decay")
    if issubclass(kind, torch.optim.AdamW):
        decay = 0.01 if given is None else given  # torch's default
        return AdamSettings(net.lr, decoupled_weight_decay=decay), 0.0
    is_adam = "adam" in kind.__name__.lower()
    return AdamSettings(net.lr if is_adam else ADAM_RATE), given or 0.0


def check_criterion(criterion):
    """Raise unless a criterion is one whose loss of each row is known."""
    if type(criterion) not in _WRAPPERS:
        known = ", ".join(sorted(kind.__name__ for kind in _WRAPPERS))
        raise TypeError(
            f"A net with the criterion {type(criterion).__name__} cannot unlearn; use "
            f"one of {known}."
        )
    binary = type(criterion) is nn.BCEWithLogitsLoss
    if (
        getattr(criterion, "label_smoothing", 0)
        or getattr(criterion, "pos_weight", None) is not None
        or (binary and criterion.weight is not None)
    ):
        raise ValueError(
            "A net whose criterion has label_smoothing, pos_weight or, for two classes "
            "with one output, weight cannot unlearn."
        )
