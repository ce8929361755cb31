"""Warnings of a pipeline about what it cannot forget by itself."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn.utils.validation import check_memory

from sklearn_unlearn.base import is_unlearner
from sklearn_unlearn.base._steps import is_estimator
from sklearn_unlearn.exact import Rule
from sklearn_unlearn.exceptions import PipelineMemoryWarning, UnlearningWarning
from sklearn_unlearn.utils._warnings import warn_user

__all__ = ["warn_about_cache", "warn_about_frozen", "warn_about_steps"]


def warn_about_frozen(steps):
    """Name the steps that hold something which is not fitted again."""
    last = steps[-1][1]
    frozen = [
        name
        for name, step in steps
        if Rule.is_frozen(step) and not (step is last and is_unlearner(step))
    ]
    if frozen:
        warn_user(
            f"The steps {', '.join(frozen)} hold a FrozenEstimator, which is not "
            "fitted again. If it was fitted on these rows, it still remembers.",
            UnlearningWarning,
        )


def warn_about_cache(memory):
    """Tell of the rows in a cache on disk, if there is one."""
    location = check_memory(memory).location
    if location is not None:
        warn_user(
            f"The cache at {location!r} still holds transformed rows, the forgotten "
            "ones among them. Clear it with joblib.Memory(location).clear().",
            UnlearningWarning,
        )


def warn_about_steps(steps):
    """Name the steps that will need rows which are not kept."""
    names = [name for name, step in steps if is_estimator(step)]
    if names:
        warn_user(
            "This pipeline keeps no rows (store_training_data=False). To forget, "
            f"the steps {', '.join(names)} need X_retain and y_retain passed to "
            "unlearn.",
            PipelineMemoryWarning,
        )
