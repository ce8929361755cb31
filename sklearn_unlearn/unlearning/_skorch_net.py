"""Optimizer, criterion and untrained module of a net of skorch."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
from contextlib import contextmanager

import torch
from sklearn.base import clone
from torch import nn

from sklearn_unlearn._engine._solvers import ADAM_RATE, AdamSettings
from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.unlearning._skorch_rows import RowsAsGiven
from sklearn_unlearn.utils._saved import saved_as
from sklearn_unlearn.utils._warnings import warn_user

__all__ = [
    "Untrained",
    "adam_of",
    "arguments_of_module",
    "bare_clone",
    "check_criterion",
    "check_iterator",
    "check_number_of_rows",
    "kind_of",
    "robust_training",
    "template_of",
    "unwrapped",
    "wrapped",
]

SAMPLERS = ("iterator_train__sampler", "iterator_train__batch_sampler")


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

    def __init__(self, net, rows):
        self.net, self.rows = net, rows

    def __call__(self, n_features, n_outputs):
        net = bare_clone(self.net).initialize()
        first = next((m for m in net.module_.modules() if not list(m.children())), None)
        is_linear = type(first) is nn.Linear and self.rows.is_plain
        if is_linear and first.in_features != n_features:
            # an earlier step of a pipeline may give other features than it gave the net
            size = first.out_features, n_features
            first.weight = nn.Parameter(first.weight.new_zeros(size))
            first.in_features = n_features
        return wrapped(net.module_, net.criterion_, self.rows)


class _ColumnMSELoss(nn.MSELoss):
    """Squared error that takes outputs without the axis of their one target, too."""

    def forward(self, outputs, target):
        if outputs.ndim < target.ndim:
            outputs = outputs.reshape(target.shape)
        return super().forward(outputs, target)


class _BatchesToTrainOn:
    """Batches of a net, of which batch normalization skips those of one row.

    There is no variance in one row, and the last batch may have no more.
    """

    def __init__(self, batches, net):
        self.batches, self.net = batches, net

    def __iter__(self):
        kind = nn.modules.batchnorm._BatchNorm
        if not any(isinstance(m, kind) for m in self.net.module_.modules()):
            yield from self.batches
            return
        n_trained = 0
        for X, y in self.batches:
            if len(y) > 1:
                n_trained += 1
                yield X, y
        if not n_trained:
            raise ValueError(
                "The module has batch normalization, which needs more than one row per "
                f"batch to train on; batch_size={self.net.batch_size}."
            )

    def __len__(self):
        return len(self.batches)


class _Iterator:
    """Makes `_BatchesToTrainOn`; a callback may pickle it with the net."""

    def __init__(self, net):
        self.net, self.make = net, net.iterator_train

    def __call__(self, dataset, **params):
        return _BatchesToTrainOn(self.make(dataset, **params), self.net)


@contextmanager
def robust_training(net):
    """Let a net be fitted where single rows, or a missing axis, would stop it."""
    own = {name: getattr(net, name) for name in ("criterion", "iterator_train")}
    criterion = net.criterion
    if criterion is nn.MSELoss:
        criterion = _ColumnMSELoss
    elif type(criterion) is nn.MSELoss:
        criterion = _ColumnMSELoss(reduction=criterion.reduction)
    vars(net).update(criterion=criterion, iterator_train=_Iterator(net))
    try:
        yield
    finally:
        vars(net).update(own)


def bare_clone(net):
    """Return a clone that writes no checkpoint, logs nothing and holds no rows out.

    Callbacks, and a split that was made beforehand, may hold rows.
    """
    net = clone(net)
    net.callbacks, net.train_split = "disable", None
    return net


def arguments_of_module(net):
    """Return the arguments of a net's module, each beside a copy of it.

    A module may write into a list or an array that it was given, even what it sees of
    rows.
    """
    given = net.get_params(deep=False)
    return {
        name: (value, copy.deepcopy(value))
        for name, value in given.items()
        if name.startswith("module__")
    }


def template_of(net, arguments):
    """Return a net to train again, as a fitted one was before its fit.

    What a callback has set stays: it is another object than was given.
    """
    now = net.get_params(deep=False)
    unchanged = {
        name: copied
        for name, (value, copied) in arguments.items()
        if now[name] is value
    }
    template = bare_clone(net)
    vars(template).update(unchanged)
    return template


def wrapped(module, criterion, rows):
    """Return a module that takes flat rows, and returns logits, or numbers."""
    if not rows.is_plain:
        module = RowsAsGiven(module, rows)
    wrapper = _WRAPPERS[_known_kind(criterion)]
    return module if wrapper is None else wrapper(module)


def unwrapped(module):
    """Return the module of the net itself."""
    while isinstance(module, (_LogProbabilities, _TwoLogits, RowsAsGiven)):
        module = module.inner
    return module


def _known_kind(criterion):
    """Return the criterion of torch that one computes; None if it is of its own."""
    for kind in _WRAPPERS:
        if isinstance(criterion, kind) and (
            isinstance(criterion, _ColumnMSELoss)
            or type(criterion).forward is kind.forward
        ):
            return kind
    return None


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
    kind = _known_kind(criterion)
    if kind is None:
        known = ", ".join(sorted(kind.__name__ for kind in _WRAPPERS))
        raise TypeError(
            f"A net with the criterion {type(criterion).__name__} cannot unlearn; use "
            f"one of {known}, or sklearn_unlearn.exact.Retrain, which takes any net."
        )
    binary = kind is nn.BCEWithLogitsLoss
    if (
        getattr(criterion, "label_smoothing", 0)
        or getattr(criterion, "pos_weight", None) is not None
        or (binary and criterion.weight is not None)
    ):
        raise ValueError(
            "A net whose criterion has label_smoothing, pos_weight or, for two classes "
            "with one output, weight cannot unlearn. sklearn_unlearn.exact.Retrain "
            "takes any net."
        )


def check_number_of_rows(net, n_given):
    """Warn if the history of a fitted net has counted another number of rows.

    It may be right for all that: a net may be fitted part by part.
    """
    last = net.history[-1]["batches"] if net.history else []
    sizes = [
        [batch[name] for batch in last if name in batch]
        for name in ("train_batch_size", "valid_batch_size")
    ]
    n_trained, n_held_out = map(sum, sizes)
    n_counted, batch_size = n_trained + n_held_out, max(sizes[0], default=0)
    # the held-out rows may be others, and a last batch may have been dropped; there is
    # no history of loaded parameters
    if n_counted == 0 or any(
        0 <= n_given - n < batch_size for n in (n_trained, n_counted)
    ):
        return
    warn_user(
        f"The last epoch of the net in the FrozenEstimator had {n_counted} rows, and "
        f"fit is given {n_given}. Pass the rows that it was fitted on, in their order: "
        "others cannot be forgotten, and nothing holds on to what it learnt from rows "
        "that are not given.",
        UnlearningWarning,
    )


def check_iterator(net):
    """Raise if a net chooses its rows by their positions, which change."""
    for name, value in net.get_params(deep=False).items():
        if value is not None and name in SAMPLERS:
            raise ValueError(
                f"A net with {name} cannot unlearn: a sampler knows rows by their "
                "positions, and others are left. Use iterator_train__shuffle=True, or "
                "criterion__weight for rare classes."
            )
