"""Interruptions of a request at every stage of it."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import sys

__all__ = ["interruptions"]

RELEASES = ("__exit__", "release")


def interruptions(fitted, act, growth=1.35):
    """Interrupt ``act`` at ever later moments, each time on a copy of `fitted`.

    Parameters
    ----------
    fitted : estimator instance
    act : callable (estimator) -> None
    growth : float
        Factor from one moment to the next, counted in function calls.

    Yields
    ------
    estimator
        After an interruption. It ends when `act` runs through.
    """
    moment = 1
    while True:
        estimator = copy.deepcopy(fitted)
        left = moment

        def count(frame, event, argument):
            nonlocal left
            if event in ("call", "c_call"):
                # where a lock would be released, no real interrupt comes between
                if event == "c_call" and argument.__name__ in RELEASES:
                    return
                left -= 1
                if left == 0:
                    raise KeyboardInterrupt

        before, torch = sys.getprofile(), sys.modules.get("torch")
        gradients = torch is None or torch.is_grad_enabled()
        try:
            sys.setprofile(count)
            act(estimator)
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
        finally:
            sys.setprofile(before)
            # an interrupt where torch ends its own `no_grad` leaves gradients disabled
            if torch is not None:
                torch.set_grad_enabled(gradients)
        if not interrupted and left > 0:
            return
        if interrupted:
            yield estimator
        moment = max(moment + 1, int(moment * growth))
