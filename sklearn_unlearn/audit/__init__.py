"""Audits of unlearning: did it really forget?

Whoever relies on a method that promises nothing compares it with retrained models here.
Single attacks are in :mod:`sklearn_unlearn.audit.attacks`. This part may use all others
and is used by none. It imports torch only with the inversion of gradients, and where
the audited estimator brings it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.audit._audit import audit_unlearning
from sklearn_unlearn.audit._gap_scorer import gap_to_retrain_scorer
from sklearn_unlearn.audit._predictions import audit_predictions
from sklearn_unlearn.audit._reference_ensemble import ReferenceEnsemble
from sklearn_unlearn.audit._results import AuditNumber, UnlearningAudit, compare

__all__ = [
    "AuditNumber",
    "ReferenceEnsemble",
    "UnlearningAudit",
    "audit_predictions",
    "audit_unlearning",
    "compare",
    "gap_to_retrain_scorer",
]
