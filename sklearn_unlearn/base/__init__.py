"""The contract of ``unlearn``, as a mixin and as a base of meta-estimators.

Finding rows, transactions, counting, the log, tags, and the protocol by which a
pipeline lets its steps forget. All sub-packages with estimators stand on it; it needs
no torch.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.base._meta import BaseUnlearner
from sklearn_unlearn.base._mixin import UnlearnerMixin
from sklearn_unlearn.base._tags import UnlearnerTags, is_unlearner

__all__ = ["BaseUnlearner", "UnlearnerMixin", "UnlearnerTags", "is_unlearner"]
