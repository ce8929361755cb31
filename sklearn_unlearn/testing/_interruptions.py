"""Interruptions of a request at every stage of it."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import sys

__all__ = ["interruptions"]

# Functions of locks in C. Interrupted in their place, a lock of another package would
# be held for ever, and the next call that needs it would wait as long.
UNLOCKING = ("__exit__", "release")


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
                left -= 1
                if left <= 0 and getattr(argument, "__name__", "") not in UNLOCKING:
                    raise KeyboardInterrupt

        before = sys.getprofile()
        try:
            sys.setprofile(count)
            act(estimator)
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
        finally:
            sys.setprofile(before)
        if not interrupted and left > 0:
            return
        if interrupted:
            yield estimator
        moment = max(moment + 1, int(moment * growth))
