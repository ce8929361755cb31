"""Copies for deployment, which predict and keep no rows."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklearn_unlearn.base._steps import deep_copy, objects_within, shallow_copy
from sklearn_unlearn.utils._sklearn_compat import rebind_metadata_request

__all__ = ["exported_copy"]

# Where estimators keep the seed that they were given, or a generator made of it.
SEEDS = frozenset({"random_state", "random_state_", "_random_state"})


def exported_copy(estimator):
    """Return a copy of a fitted unlearner without rows, index and seeds.

    That holds for the unlearners within it, too.
    """
    new = shallow_copy(estimator)
    new._drop_for_export()  # first: what goes need not be copied
    rebind_metadata_request(new)
    new = deep_copy(new)
    for thing in (new, *(inner for inner, _ in objects_within(new))):
        rebind_metadata_request(thing)
        if thing is not new and _is_fitted_unlearner(thing):
            thing._drop_for_export()
        for name in SEEDS.intersection(vars(thing)):
            setattr(thing, name, None)
    if estimator._unlearner_tags().guarantee == "certified":
        # the certificate speaks of a model that does not tell of requests
        for name in ("n_forgotten_", "unlearning_log_"):
            new.__dict__.pop(name, None)
    return new


def _is_fitted_unlearner(thing):
    """Tell whether it has something to drop: templates of holders are not fitted."""
    if not hasattr(thing, "_drop_for_export"):
        return False
    try:
        check_is_fitted(thing)
    except NotFittedError:
        return False
    return True
