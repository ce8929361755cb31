"""The settings of torch under which the package computes, whatever the caller's are.

A default type or device, autocast, and modes without gradients that the caller has set
must not change the bits of a network. The settings here hold for the calling thread
alone: none that is global is touched.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from collections.abc import Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
)
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

__all__ = ["InterruptibleMode", "usual_torch"]

# Functions that make tensors of the default type, and on the default device.
_OF_FLOATS = {
    torch.empty,
    torch.eye,
    torch.linspace,
    torch.logspace,
    torch.ones,
    torch.rand,
    torch.randn,
    torch.zeros,
}
# Those whose type is the default one where their arguments are plain numbers.
_OF_ARGUMENTS = {
    torch.arange,
    torch.as_tensor,
    torch.full,
    torch.tensor,
}
_ON_DEVICE = {
    *_OF_FLOATS,
    *_OF_ARGUMENTS,
    torch.normal,
    torch.randint,
    torch.randperm,
    torch.tril_indices,
    torch.triu_indices,
}


def usual_torch(
    device: torch.device | str = "cpu", *, gradients: bool = True
) -> AbstractContextManager[None]:
    """Return a context in which torch is as it starts up: float32, no autocast.

    Parameters
    ----------
    device : torch.device or str
        Of tensors that are made without one.
    gradients : bool, default=True
        Whether tensors may be trained, also within a mode of the caller that
        prevents it.
    """
    contexts: list[Any] = []
    if gradients and torch.is_inference_mode_enabled():
        contexts.append(torch.inference_mode(False))
    if gradients and (contexts or not torch.is_grad_enabled()):
        contexts.append(torch.enable_grad())
    kind = str(device).partition(":")[0]
    if torch.is_autocast_enabled(kind):
        contexts.append(torch.autocast(kind, enabled=False))
    made = torch.empty(0)  # tells both defaults at once, and quickly
    if made.dtype != torch.float32 or made.device.type != "cpu":
        contexts.append(_UsualDefaults(device))
    return _all_of(contexts) if contexts else nullcontext()


@contextmanager
def _all_of(contexts: list[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        yield


class InterruptibleMode(TorchFunctionMode):
    """Mode of torch whose end does not hide an interrupt."""

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        # it may have come while torch had taken the mode off for a moment
        try:
            super().__exit__(kind, error, trace)
        except RuntimeError:
            if kind is None:
                raise


class _UsualDefaults(InterruptibleMode):
    """Make tensors of float32 on one device where neither is asked for."""

    def __init__(self, device: torch.device | str) -> None:
        super().__init__()
        self._device = device

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        given = [*args, *kwargs.values()]
        if func in _ON_DEVICE and kwargs.get("device") is None:
            if not any(isinstance(value, torch.Tensor) for value in given):
                kwargs["device"] = self._device
        if func is torch.get_default_dtype:
            return torch.float32
        no_type = kwargs.get("dtype") is None
        if no_type and (
            func in _OF_FLOATS or (func in _OF_ARGUMENTS and _are_floats(given))
        ):
            kwargs["dtype"] = torch.float32
        return func(*args, **kwargs)


def _are_floats(values: Any) -> bool:
    """Tell whether there is a float among numbers, and nothing that has a type."""
    if isinstance(values, (list, tuple)):
        return bool(values) and any(_are_floats(value) for value in values)
    return type(values) is float
