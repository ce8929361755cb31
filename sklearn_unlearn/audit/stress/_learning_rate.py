"""How much depends on the learning rate: a method at the edge falls over it."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

import numpy as np

from sklearn_unlearn.audit._training import last_step
from sklearn_unlearn.audit.stress._collapse import CollapseAlarm

__all__ = ["alarm_of_rate", "at_twice_the_rate"]

# of the loss at twice the learning rate, in standard deviations of retrained models
LARGEST_SENSITIVITY = 5.0


def at_twice_the_rate(model):
    """Return a copy that forgets at twice the learning rate; None if there is none."""
    step = last_step(model)
    rate = step.get_params(deep=False).get("learning_rate_init")
    if rate is None or not hasattr(step, "estimator_"):
        return None
    if rate == "auto":  # half of that of the network's training
        rate = getattr(step.estimator_, "learning_rate_init", None)
        if rate is None:
            return None
        rate /= 2
    twin = copy.deepcopy(model)
    last_step(twin).set_params(learning_rate_init=2 * rate)
    return twin


def alarm_of_rate(effects):
    """Return where the loss depends too much on the learning rate."""
    if not np.isfinite(effects[1:]).any():
        return None
    above = np.flatnonzero(np.nan_to_num(effects) > LARGEST_SENSITIVITY)
    request = int(above[0]) if len(above) else None
    return CollapseAlarm(effects, LARGEST_SENSITIVITY, request)
