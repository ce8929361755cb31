"""What every estimator that can forget has in common; needs no torch."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.base._meta import BaseUnlearner
from sklearn_unlearn.base._mixin import UnlearnerMixin
from sklearn_unlearn.base._tags import UnlearnerTags, is_unlearner

__all__ = ["BaseUnlearner", "UnlearnerMixin", "UnlearnerTags", "is_unlearner"]
