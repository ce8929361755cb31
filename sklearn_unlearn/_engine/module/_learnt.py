"""What training leaves in a module beside its weights, and how it is got rid of.

Statistics of rows, memory banks, codebooks or the last weights of attention know rows
that are to be forgotten. Training on the retained rows does not renew them.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from contextlib import suppress

import numpy as np
import torch
from torch import nn

from sklearn_unlearn._engine._handle import CannotUnlearnError
from sklearn_unlearn._engine._torch_defaults import usual_torch
from sklearn_unlearn._engine.module._probes import REFUSALS, probe_rows
from sklearn_unlearn._engine.module._randomness import ExplicitRandomness
from sklearn_unlearn._engine.module._state import (
    copy_module,
    differing,
    module_state,
    reset_state,
)

__all__ = ["batch_norms", "drop_learnt_state"]

# Subclasses may keep more than these do.
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def batch_norms(module):
    """Return, by name, the layers whose statistics can be taken anew from rows."""
    return {
        path: layer
        for path, layer in module.named_modules()
        if type(layer) in _BATCH_NORMS and layer.track_running_stats
    }


def drop_learnt_state(network, module):
    """Bring all that is no weight, in a trained module, back to how it was built.

    What a schedule has changed, such as a temperature, stays: it depends neither on
    rows nor on weights. Statistics of batch normalization stay, too.

    Parameters
    ----------
    network : FittedModule
        Whose module was trained.
    module : torch.nn.Module
        A copy of it, changed in place.

    Raises
    ------
    CannotUnlearnError
        If predictions depend on what would be lost.
    """
    try:
        fresh = network.untrained()
    except REFUSALS as error:
        raise CannotUnlearnError(f"module cannot be built again ({error})") from error
    built = module_state(fresh)
    learnt = differing(module_state(module), built) - _renewed(module)
    if not learnt:
        return
    moved, scheduled = _changed_by_passes(fresh, network.n_features)
    if not network.has_known_seed:  # what begins at random, and never changes
        other = module_state(network.untrained(seed=1))
        learnt -= differing(built, other) - moved
    learnt -= scheduled
    before = _outputs(network, module)
    reset_state(module, learnt, built)
    after = _outputs(network, module)
    known = before is not None and after is not None
    same = known and np.array_equal(before, after, equal_nan=True)
    if not same:
        kind, name = min(learnt)
        kinds = {"parameters": "parameter", "buffers": "buffer"}
        raise CannotUnlearnError(
            f"training has changed the {kinds.get(kind, 'attribute')} {name!r} of "
            "module, which cannot be renewed from the retained rows"
        )


def _outputs(network, module):
    """Return outputs for some rows, which are no training rows; None if it cannot."""
    binary = probe_rows(8, network.n_features)
    rng = np.random.default_rng(0)
    rows = np.concatenate([binary, rng.normal(size=binary.shape)])
    try:
        return network.with_module(module).outputs(rows)
    except REFUSALS:
        return None


def _renewed(module):
    """Return (kind, name) of what follows from weights, rows or coordinates."""
    buffers = [f"{path}.{name}" for path in batch_norms(module) for name in _STATISTICS]
    attributes = []
    for path, layer in module.named_modules():
        if isinstance(layer, nn.Linear):  # it may have taken in other coordinates
            attributes.append(f"{path}.in_features")
        if type(layer).__name__ == "_SpectralNorm":  # vectors of the weights
            buffers += [f"{path}._u", f"{path}._v"]
        for hook in layer._forward_pre_hooks.values():
            if type(hook).__name__ == "SpectralNorm":
                buffers += [f"{path}.{hook.name}_u", f"{path}.{hook.name}_v"]
    return {
        (kind, name.removeprefix("."))
        for kind, names in (("buffers", buffers), ("attributes", attributes))
        for name in names
    }


def _changed_by_passes(fresh, n_features):
    """Return what passes of training change, and the part of it that is a schedule.

    A schedule goes alike whatever the rows and the weights are.
    """
    built, states = module_state(fresh), []
    binary = torch.from_numpy(probe_rows(4, n_features)).float()
    # large rows are for what knows extremes, or only those beyond a limit
    large = 1e6 * (1 - 2 * binary)
    probes = ((torch.zeros_like(binary), 1.0), (binary, 0.5), (large, 2.0))
    for rows, factor in probes:
        module = copy_module(fresh).train()
        randomness = ExplicitRandomness(torch.Generator().manual_seed(0))
        with usual_torch(), torch.no_grad(), randomness:
            for parameter in module.parameters():
                parameter.mul_(factor)
            with suppress(*REFUSALS):
                for _ in range(3):
                    module(rows)
        states.append(module_state(module))
    first, *others = states
    moved = differing(first, built)
    scheduled = moved.difference(*(differing(first, other) for other in others))
    return moved.union(*(differing(other, built) for other in others)), scheduled
