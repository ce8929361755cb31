"""Solvers: Adam, and gradient descent with momentum, as scikit-learn's perceptrons do.

What an estimator's parameters say is a `Solver`. It makes one of torch's optimizers,
which also knows when its learning rate falls.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

__all__ = [
    "ADAM_RATE",
    "AdamSettings",
    "SGDSettings",
    "Solver",
    "continue_from",
    "state_of",
]

# Of an Adam in the place of another optimizer; an unlearner takes half of it.
ADAM_RATE = 2e-3

# Learning rate below which "adaptive" does not go on.
LOWEST_RATE = 1e-6


class _ConstantRate:
    """Mix-in for optimizers whose learning rate stays as it is."""

    def end_epoch(self, n_seen: int) -> None:
        """Do nothing after an epoch."""

    def lower_rate(self) -> bool:
        """Return that the rate cannot fall."""
        return False


class _Adam(_ConstantRate, torch.optim.Adam):
    """Adam."""


class _AdamW(_ConstantRate, torch.optim.AdamW):
    """Adam with decoupled weight decay."""


class _SGD(torch.optim.SGD):
    """Gradient descent with momentum, whose learning rate may fall.

    Parameters
    ----------
    parameters : iterable of Tensor
    learning_rate : {"constant", "invscaling", "adaptive"}
    power_t : float
    **options : dict
        Those of torch, `lr` among them.
    """

    def __init__(self, parameters, *, learning_rate, power_t, **options):
        super().__init__(parameters, **options)
        self._learning_rate, self._power_t = learning_rate, power_t

    def end_epoch(self, n_seen: int) -> None:
        """Lower the rate after an epoch, if it falls with the number of rows seen."""
        if self._learning_rate == "invscaling":
            self._set_rate(self.defaults["lr"] / (n_seen + 1) ** self._power_t)

    def lower_rate(self) -> bool:
        """Divide the rate by five where training stands still; return if it fell."""
        rate = self.param_groups[0]["lr"]
        if self._learning_rate != "adaptive" or rate <= LOWEST_RATE:
            return False
        self._set_rate(rate / 5)
        return True

    @torch.inference_mode()  # in which the velocities may have been made
    def _set_rate(self, rate: float) -> None:
        """Change the rate of the next steps, and not the velocity that they have.

        Velocities of torch are in units of the rate, those of scikit-learn are not.
        """
        for group in self.param_groups:
            for parameter in group["params"]:
                velocity = self.state.get(parameter, {}).get("momentum_buffer")
                if velocity is not None:
                    velocity.mul_(group["lr"] / rate)
            group["lr"] = rate


@dataclass(frozen=True)
class Solver(ABC):
    """What the parameters of an estimator say about its optimizer.

    Names are those of scikit-learn's perceptrons.
    """

    learning_rate_init: float = 1e-3

    @property
    @abstractmethod
    def kind(self) -> type[torch.optim.Optimizer]:
        """Class of the optimizer."""

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """Return the arguments of the class besides the parameters to train."""

    @property
    def rate_is_constant(self) -> bool:
        """Whether the learning rate never changes."""
        return True

    def adam(self) -> "AdamSettings":
        """Return this Adam, or the one that takes the place of another solver."""
        return AdamSettings(ADAM_RATE)

    def optimizer(self, parameters: Iterable[torch.Tensor]) -> Any:
        """Return an optimizer of these parameters, in its fused form."""
        parameters = list(parameters)
        return self.kind(parameters, **self.options_for(parameters))

    def options_for(self, parameters: Iterable[torch.Tensor]) -> dict[str, Any]:
        """Return the arguments for these parameters; complex ones cannot be fused."""
        options = self.options()
        options["fused"] &= not any(p.is_complex() for p in parameters)
        return options


@dataclass(frozen=True)
class AdamSettings(Solver):
    """Settings of Adam.

    With a decoupled weight decay above 0 it is AdamW.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    decoupled_weight_decay: float = 0.0

    @property
    def kind(self) -> type[torch.optim.Optimizer]:
        return _AdamW if self.decoupled_weight_decay else _Adam

    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "lr": self.learning_rate_init,
            "betas": (self.beta_1, self.beta_2),
            "eps": self.epsilon,
            "fused": True,
        }
        if self.decoupled_weight_decay:
            options["weight_decay"] = self.decoupled_weight_decay
        return options

    def adam(self) -> "AdamSettings":
        return self


@dataclass(frozen=True)
class SGDSettings(Solver):
    """Settings of stochastic gradient descent."""

    learning_rate: str = "constant"
    power_t: float = 0.5
    momentum: float = 0.9
    nesterovs_momentum: bool = True

    @property
    def kind(self) -> type[torch.optim.Optimizer]:
        return _SGD

    @property
    def rate_is_constant(self) -> bool:
        return self.learning_rate == "constant"

    def options(self) -> dict[str, Any]:
        return {
            "lr": self.learning_rate_init,
            "momentum": self.momentum,
            # torch refuses it where there is no momentum
            "nesterov": self.nesterovs_momentum and self.momentum > 0,
            "learning_rate": self.learning_rate,
            "power_t": self.power_t,
            "fused": True,
        }


def state_of(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return what an optimizer knows of its last steps: arrays and numbers."""
    states: list[dict[str, np.ndarray]] = [
        {name: value.cpu().numpy().copy() for name, value in state.items()}
        for state in (optimizer.state.get(p, {}) for p in _parameters(optimizer))
    ]
    share = optimizer.param_groups[0]["lr"] / optimizer.defaults["lr"]
    return {"rate_left": share, "states": states}


def continue_from(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Let a new optimizer of the same kind go on where `state_of` has seen one."""
    for group in optimizer.param_groups:
        group["lr"] = optimizer.defaults["lr"] * state["rate_left"]
    for parameter, values in zip(_parameters(optimizer), state["states"], strict=True):
        # torch changes them in place, and the caller keeps its arrays
        optimizer.state[parameter] = {
            name: torch.tensor(value, device=parameter.device)
            for name, value in values.items()
        }


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """Return all that an optimizer trains, in its order."""
    return [p for group in optimizer.param_groups for p in group["params"]]
