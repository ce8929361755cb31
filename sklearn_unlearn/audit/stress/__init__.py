"""Stress tests: what a model that looks as if it had forgotten does under pressure.

They stand behind ``audit_unlearning(checks="extended")``, one file each, and each is a
function that works on its own. Retrained models tell what is to be expected of each.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.audit.stress._batch_gap import batch_gap_error
from sklearn_unlearn.audit.stress._collapse import CollapseAlarm, collapse_alarm
from sklearn_unlearn.audit.stress._mask_revival import (
    MaskRevival,
    mask_revival,
    mask_revival_gap_error,
)
from sklearn_unlearn.audit.stress._probe import (
    ProbeScore,
    probe_recovery_gap,
    probe_score,
)
from sklearn_unlearn.audit.stress._recovery import (
    CorruptionRecovery,
    corruption_recovery,
)
from sklearn_unlearn.audit.stress._relearn import relearn_curve
from sklearn_unlearn.audit.stress._relearn_gaps import (
    anamnesis_index,
    revival_gap_error,
)
from sklearn_unlearn.audit.stress._sequence import SequentialUnlearning
from sklearn_unlearn.audit.stress._sequential import sequential_unlearning
from sklearn_unlearn.audit.stress._spectrum import difficulty_spectrum

__all__ = [
    "CollapseAlarm",
    "CorruptionRecovery",
    "MaskRevival",
    "ProbeScore",
    "SequentialUnlearning",
    "anamnesis_index",
    "batch_gap_error",
    "collapse_alarm",
    "corruption_recovery",
    "difficulty_spectrum",
    "mask_revival",
    "mask_revival_gap_error",
    "probe_recovery_gap",
    "probe_score",
    "relearn_curve",
    "revival_gap_error",
    "sequential_unlearning",
]
