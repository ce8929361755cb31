"""Metrics of unlearning, functions on arrays: is a model like a retrained one?

The value that a perfect unlearner gets is what retrained models get, never 0, 1/2 or 1
by decree; each function says what that is. One file has one family. Nothing here needs
torch or an estimator.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.metrics._attack_curves import (
    AttackCurve,
    attack_auc_score,
    attack_balanced_accuracy_score,
    attack_roc_curve,
    attack_tpr_rate,
    signed_auc,
)
from sklearn_unlearn.metrics._calibration import (
    calibration_shift,
    expected_calibration_error,
    noise_precision_gap,
)
from sklearn_unlearn.metrics._distances import (
    js_divergence_error,
    kl_divergence_error,
    prediction_agreement_score,
    prediction_distance_error,
    prediction_wasserstein_error,
    total_variation_error,
)
from sklearn_unlearn.metrics._flips import (
    negative_flip_error,
    over_forgetting_error,
)
from sklearn_unlearn.metrics._intervals import (
    Interval,
    mean_interval,
    proportion_interval,
)
from sklearn_unlearn.metrics._klom import (
    klom_error,
)
from sklearn_unlearn.metrics._margins import (
    margin_of_label,
    membership_signals,
    modified_entropy,
    residual_signal,
)
from sklearn_unlearn.metrics._outcomes import (
    ScoreGap,
    group_score,
    recovery_score,
    score_gap,
    unlearning_report,
)
from sklearn_unlearn.metrics._privacy_bounds import (
    advantage_bound,
    certificate_holds,
    epsilon_lower_bound,
    gaussian_auc_bound,
    gaussian_delta_bound,
    gaussian_tpr_bound,
    one_run_epsilon_bound,
    swap_advantage_bound,
    tpr_bound,
)
from sklearn_unlearn.metrics._published import (
    adaptive_unlearning_score,
    average_gap_error,
    forgetting_quality_score,
    nomus_score,
    retention_deviation_error,
    svc_efficacy_score,
    tug_of_war_score,
    zero_retrain_forgetting_score,
)
from sklearn_unlearn.metrics._two_groups import (
    ModelTestResult,
    margin_z_scores,
    membership_auc,
    permutation_test_of_models,
    rank_test_of_model,
)
from sklearn_unlearn.metrics._uncertainty import (
    EntropyParts,
    area_under_risk_coverage_error,
    crps_loss,
    crps_of_samples_loss,
    entropy_decomposition,
    interval_coverage_rate,
    interval_score_loss,
    interval_width_loss,
    log_likelihood_of_samples_score,
    log_likelihood_score,
    risk_coverage_curve,
)

__all__ = [
    "AttackCurve",
    "EntropyParts",
    "Interval",
    "ModelTestResult",
    "ScoreGap",
    "adaptive_unlearning_score",
    "advantage_bound",
    "area_under_risk_coverage_error",
    "attack_auc_score",
    "attack_balanced_accuracy_score",
    "attack_roc_curve",
    "attack_tpr_rate",
    "average_gap_error",
    "calibration_shift",
    "certificate_holds",
    "crps_loss",
    "crps_of_samples_loss",
    "entropy_decomposition",
    "epsilon_lower_bound",
    "expected_calibration_error",
    "forgetting_quality_score",
    "gaussian_auc_bound",
    "gaussian_delta_bound",
    "gaussian_tpr_bound",
    "group_score",
    "interval_coverage_rate",
    "interval_score_loss",
    "interval_width_loss",
    "js_divergence_error",
    "kl_divergence_error",
    "klom_error",
    "log_likelihood_of_samples_score",
    "log_likelihood_score",
    "margin_of_label",
    "margin_z_scores",
    "mean_interval",
    "membership_auc",
    "membership_signals",
    "modified_entropy",
    "negative_flip_error",
    "noise_precision_gap",
    "nomus_score",
    "one_run_epsilon_bound",
    "over_forgetting_error",
    "permutation_test_of_models",
    "prediction_agreement_score",
    "prediction_distance_error",
    "prediction_wasserstein_error",
    "proportion_interval",
    "rank_test_of_model",
    "recovery_score",
    "residual_signal",
    "retention_deviation_error",
    "risk_coverage_curve",
    "score_gap",
    "signed_auc",
    "svc_efficacy_score",
    "swap_advantage_bound",
    "total_variation_error",
    "tpr_bound",
    "tug_of_war_score",
    "unlearning_report",
    "zero_retrain_forgetting_score",
]
