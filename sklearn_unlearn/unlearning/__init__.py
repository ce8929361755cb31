"""Approximate unlearners for networks: one file, one method, one class."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.unlearning._base import NetworkUnlearner
from sklearn_unlearn.unlearning._blindspot import Blindspot
from sklearn_unlearn.unlearning._fine_tune import FineTune
from sklearn_unlearn.unlearning._npo import NPO
from sklearn_unlearn.unlearning._salun import SalUn

__all__ = ["NPO", "Blindspot", "FineTune", "NetworkUnlearner", "SalUn"]
