"""When a single class is left."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import is_classifier

__all__ = ["single_class"]


def single_class(estimator, y):
    """Return the label that all of `y` has, or None if there is more than one."""
    if not is_classifier(estimator) or y is None:
        return None
    labels = np.unique(y) if np.ndim(y) == 1 else []
    return labels[0] if len(labels) == 1 else None
