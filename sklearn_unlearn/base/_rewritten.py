"""Parameters that an estimator's own ``fit`` changes, although none should.

A refit from such parameters would not be the fit that was asked for, and they may hold
what was learnt from forgotten rows.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.base._steps import PLAIN, has_parameters
from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["changed_by_step", "deep_parameters", "parameters_changed_by_fit"]

COMPARED = (*PLAIN, dict, frozenset, list, set, tuple)


def deep_parameters(estimator, fitted=False, prefix=""):
    """Return the parameters that are no estimators, of an estimator and all within.

    Parameters
    ----------
    estimator : estimator instance
    fitted : bool, default=False
        Whether to look at the fitted clones within a column transformer.
    prefix : str, default=""
        Written before the names.

    Returns
    -------
    dict of str to object
        By the names that ``set_params`` takes.
    """
    found = {}
    for name, value in estimator.get_params(deep=False).items():
        if fitted and name == "transformers":
            value = getattr(estimator, "transformers_", value)
        if has_parameters(value):
            found.update(deep_parameters(value, fitted, f"{prefix}{name}__"))
        elif isinstance(value, list) and all(isinstance(v, tuple) for v in value):
            for step in value:
                if has_parameters(step[1]):
                    found.update(
                        deep_parameters(step[1], fitted, f"{prefix}{step[0]}__")
                    )
        else:
            found[prefix + name] = value
    return found


def parameters_changed_by_fit(before, estimator):
    """Return the parameters that a fit has changed, as they were, and warn of them.

    Parameters
    ----------
    before : dict
        `deep_parameters` before the fit.
    estimator : estimator instance
        Fitted.
    """
    after = deep_parameters(estimator, fitted=True)
    changed = {
        name: value
        for name, value in before.items()
        if name in after
        and name.split("__")[-1] != "random_state"  # which holders set
        and not _is_same(value, after[name])
    }
    if changed:
        warn_user(
            f"fit has changed parameters of estimators: {', '.join(sorted(changed))}. "
            "unlearn fits these estimators again, from the parameters as given.",
            UnlearningWarning,
        )
    return changed


def changed_by_step(before, pipeline):
    """Return `parameters_changed_by_fit` of a pipeline, a dict for each such step."""
    steps: dict = {}
    for name, value in parameters_changed_by_fit(before, pipeline).items():
        step, _, own = name.partition("__")
        steps.setdefault(step, {})[own] = value
    return steps


def _is_same(before, after):
    """Tell whether a value, perhaps copied, is still the same."""
    if before is after:
        return True
    if isinstance(before, np.ndarray) and isinstance(after, np.ndarray):
        return before.dtype == after.dtype and before.tobytes() == after.tobytes()
    if type(before) in COMPARED and type(after) in COMPARED:
        try:
            return bool(before == after)
        except ValueError:  # lists of arrays
            return repr(before) == repr(after)
    return type(before) is type(after)
