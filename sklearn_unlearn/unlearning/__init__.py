"""Approximate unlearners for networks: one file, one method, one class.

A method is its parameters and one hook, `_unlearn_network`; `_base` does all else, for
the networks of this package and, through `_skorch`, for those of skorch. Nothing here
is imported by other folders.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.unlearning._base import NetworkUnlearner
from sklearn_unlearn.unlearning._blindspot import Blindspot
from sklearn_unlearn.unlearning._fine_tune import FineTune
from sklearn_unlearn.unlearning._npo import NPO
from sklearn_unlearn.unlearning._salun import SalUn

__all__ = ["NPO", "Blindspot", "FineTune", "NetworkUnlearner", "SalUn"]
