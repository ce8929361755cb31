"""Attacks on what a model still tells of rows that it has forgotten.

Membership attacks are classifiers: ``fit(signals, membership)``, and
``decision_function(signals)``, which is higher for rows that were trained on. Attacks
on leakage are functions. One file has one attack; the inversion of gradients needs
torch, and is imported when it is first used.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib

from sklearn_unlearn.audit.attacks._bavaria import BaVarIAAttack
from sklearn_unlearn.audit.attacks._canary import canary_epsilon_bound
from sklearn_unlearn.audit.attacks._classifier import ClassifierAttack
from sklearn_unlearn.audit.attacks._extraction import extraction_leakage
from sklearn_unlearn.audit.attacks._lira import LiRAAttack
from sklearn_unlearn.audit.attacks._reconstruction import reconstruction_score
from sklearn_unlearn.audit.attacks._rmia import RMIAAttack
from sklearn_unlearn.audit.attacks._swap import swap_advantage_error
from sklearn_unlearn.audit.attacks._threshold import ThresholdAttack
from sklearn_unlearn.audit.attacks._ulira import ULiRAAttack
from sklearn_unlearn.audit.attacks._update_leakage import (
    update_leakage_error,
    update_membership_auc,
)

_WITH_TORCH = ("InversionResult", "gradient_inversion_audit")

__all__ = [
    "BaVarIAAttack",
    "ClassifierAttack",
    "InversionResult",
    "LiRAAttack",
    "RMIAAttack",
    "ThresholdAttack",
    "ULiRAAttack",
    "canary_epsilon_bound",
    "extraction_leakage",
    "gradient_inversion_audit",
    "reconstruction_score",
    "swap_advantage_error",
    "update_leakage_error",
    "update_membership_auc",
]


def __dir__():
    return sorted(__all__)


def __getattr__(name):
    if name in _WITH_TORCH:
        module = importlib.import_module(f"{__name__}._gradient_inversion")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
