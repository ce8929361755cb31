"""Scores of published tables, for comparison with them alone; none decides anything."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math
from numbers import Real

import numpy as np
from sklearn.svm import SVC
from sklearn.utils import check_random_state

from sklearn_unlearn.metrics._distances import js_divergence_error
from sklearn_unlearn.metrics._validation import (
    check_models,
    check_rows,
    check_same_rows,
    checked,
)
from sklearn_unlearn.utils._sklearn_compat import Interval

__all__ = [
    "adaptive_unlearning_score",
    "average_gap_error",
    "forgetting_quality_score",
    "nomus_score",
    "retention_deviation_error",
    "svc_efficacy_score",
    "tug_of_war_score",
    "zero_retrain_forgetting_score",
]

SHARE = [Interval(Real, 0, 1, closed="both")]
# of the published score: thresholds, the largest epsilon, and its bins
N_THRESHOLDS = 100
CAP = 50.0
BIN = 0.5


@checked(standardize=["boolean"])
def average_gap_error(scores, scores_retrained, *, standardize=False):
    """Average gap: mean absolute difference of scores to those of retraining [1]_.

    It never decides: a gap may come from three trivial scores and one bad one, and has
    lost its direction.

    Parameters
    ----------
    scores : array-like of shape (n_scores,)
        Scores of the unlearned model, such as forget, retain and test accuracy.
    scores_retrained : array-like of shape (n_scores,) or (n_models, n_scores)
        Those of retrained models, whose mean is compared with.
    standardize : bool, default=False
        Whether to divide each gap by the standard deviation over retrained models.

    Returns
    -------
    float
        A perfect unlearner gets what a retrained model gets against the others, not 0.

    See Also
    --------
    unlearning_report : Gaps with their signs and intervals.

    References
    ----------
    .. [1] C. Fan et al., "SalUn: Empowering Machine Unlearning via Gradient-based
       Weight Saliency in Both Image Classification and Generation", ICLR, 2024.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import average_gap_error
    >>> round(average_gap_error([0.9, 1.0], [0.8, 0.98]), 2)
    0.06
    """
    scores = check_rows(scores, "scores")
    others = check_models(scores_retrained, "scores_retrained", n_rows=len(scores))
    gaps = np.abs(scores - others.mean(axis=0))
    if standardize:
        spread = others.std(axis=0, ddof=1) if len(others) > 1 else np.zeros(1)
        if (spread == 0).any():
            raise ValueError(
                "standardize=True needs retrained models that differ in each score."
            )
        gaps = gaps / spread
    return float(gaps.mean())


def tug_of_war_score(scores, scores_retrained):
    """Tug of war: product of one minus the gap of each score [1]_.

    It never decides: it looks at accuracies alone, not at which rows changed.

    Parameters
    ----------
    scores : array-like of shape (n_scores,)
        Forget, retain and test accuracy of the unlearned model, from 0 to 1.
    scores_retrained : array-like of shape (n_scores,) or (n_models, n_scores)
        Those of retrained models, whose mean is compared with.

    Returns
    -------
    float
        From 0 to 1. A perfect unlearner gets what a retrained model gets against the
        others, a little less than 1.

    See Also
    --------
    unlearning_report : Gaps with their signs and intervals.

    References
    ----------
    .. [1] K. Zhao, M. Kurmanji, G.-O. Barbulescu, E. Triantafillou and P.
       Triantafillou, "What Makes Unlearning Hard and What to Do About It", NeurIPS,
       2024.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import tug_of_war_score
    >>> round(tug_of_war_score([0.9, 1.0, 0.8], [0.8, 1.0, 0.8]), 2)
    0.9
    """
    scores = check_rows(scores, "scores")
    others = check_models(scores_retrained, "scores_retrained", n_rows=len(scores))
    return float(np.prod(1 - np.abs(scores - others.mean(axis=0))))


@checked(test_score=SHARE, attack_accuracy=SHARE, weight=SHARE)
def nomus_score(test_score, attack_accuracy, *, weight=0.5):
    """NoMUS: test accuracy and the failure of an attack in one number [1]_.

    It never decides: an attack accuracy of 1/2 is the target only if forgotten and
    unseen rows are of one kind.

    Parameters
    ----------
    test_score : float
        Test accuracy of the unlearned model.
    attack_accuracy : float
        Accuracy of a classifier of forgotten against unseen rows.
    weight : float, default=0.5
        Of the test accuracy.

    Returns
    -------
    float
        From 0 to 1. A perfect unlearner gets what retrained models get, less than 1.

    See Also
    --------
    attack_balanced_accuracy_score : The attack alone.

    References
    ----------
    .. [1] D. Choi and D. Na, "Towards Machine Unlearning Benchmarks: Forgetting the
       Personal Identities in Facial Recognition Systems", arXiv:2311.02240, 2023.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import nomus_score
    >>> nomus_score(0.488, 0.5445)
    0.6995
    """
    failure = 1 - 2 * abs(attack_accuracy - 0.5)
    return weight * test_score + (1 - weight) * failure


@checked(test_score=SHARE, test_score_original=SHARE, forget_score=SHARE)
def adaptive_unlearning_score(test_score, test_score_original, forget_score):
    """Adaptive unlearning score of accuracies, for rows drawn at random [1]_.

    It never decides: the accuracy on forgotten rows is compared with that on test
    rows, which is right only if both are of one kind.

    Parameters
    ----------
    test_score, test_score_original : float
        Test accuracy of the unlearned and of the original model.
    forget_score : float
        Accuracy of the unlearned model on the forgotten rows.

    Returns
    -------
    float
        A perfect unlearner gets what retrained models get, about 1.

    See Also
    --------
    score_gap : Compares accuracies with those of retrained models.

    References
    ----------
    .. [1] M. Cotogni, J. Bonato, L. Sabetta, F. Pelosin and A. Nicolosi, "DUCK:
       Distance-based Unlearning via Centroid Kinematics", arXiv:2312.02052, 2023.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import adaptive_unlearning_score
    >>> round(adaptive_unlearning_score(0.9, 0.9, 1.0), 3)
    0.909
    """
    kept = 1 - (test_score_original - test_score)
    return kept / (1 + abs(test_score - forget_score))


def retention_deviation_error(scores, scores_retrained):
    """Retention deviation: sum of the differences of score ratios to 1 [1]_.

    It never decides: ratios of small scores explode.

    Parameters
    ----------
    scores : array-like of shape (n_scores,)
        Scores of the unlearned model, such as forget, retain and test accuracy.
    scores_retrained : array-like of shape (n_scores,) or (n_models, n_scores)
        Those of retrained models, whose mean is compared with; none may be 0.

    Returns
    -------
    float
        A perfect unlearner gets what a retrained model gets against the others, not 0.

    See Also
    --------
    unlearning_report : Gaps with their signs and intervals.

    References
    ----------
    .. [1] X. F. Cadet, A. Borovykh, M. Malekzadeh, S. Ahmadi-Abhari and H. Haddadi,
       "Deep Unlearn: Benchmarking Machine Unlearning", arXiv:2410.01276, 2024.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import retention_deviation_error
    >>> round(retention_deviation_error([0.9, 0.8], [0.75, 0.8]), 2)
    0.2
    """
    scores = check_rows(scores, "scores")
    others = check_models(scores_retrained, "scores_retrained", n_rows=len(scores))
    mean = others.mean(axis=0)
    if (mean == 0).any():
        raise ValueError("scores_retrained must not be 0: nothing is a share of it.")
    return float(np.abs(1 - scores / mean).sum())


def svc_efficacy_score(signal_forget, signal_retain, signal_test):
    """SVC efficacy: share of forgotten rows that an attack takes for unseen ones [1]_.

    It never decides: an attack that calls every row unseen has the largest efficacy.

    Parameters
    ----------
    signal_forget : array-like of shape (n_forget,)
        Signal of the forgotten rows, such as the confidence.
    signal_retain, signal_test : array-like of shape (n_rows,)
        Signals of retained rows, which the support vector machine learns to call
        members, and of unseen rows. Pass as many of each.

    Returns
    -------
    float
        From 0 to 1. A perfect unlearner gets what retrained models get, which may be
        far below 1.

    See Also
    --------
    attack_auc_score : An attack without a threshold, with an interval.

    References
    ----------
    .. [1] J. Jia et al., "Model Sparsity Can Simplify Machine Unlearning", NeurIPS,
       2023.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import svc_efficacy_score
    >>> svc_efficacy_score([0.2, 0.9], [0.9, 0.95, 0.99], [0.1, 0.2, 0.3])
    0.5
    """
    forget = check_rows(signal_forget, "signal_forget")
    retain = check_rows(signal_retain, "signal_retain")
    test = check_rows(signal_test, "signal_test")
    X = np.concatenate([retain, test])[:, np.newaxis]
    is_member = np.repeat([1, 0], [len(retain), len(test)])
    attack = SVC(C=3, kernel="rbf", gamma="auto").fit(X, is_member)
    return float(1 - attack.predict(forget[:, np.newaxis]).mean())


def zero_retrain_forgetting_score(proba_unlearned, proba_untrained):
    """Zero-retrain forgetting: one minus the divergence to untrained models [1]_.

    It never decides: a retrained model still predicts most forgotten rows, and an
    untrained one does not.

    Parameters
    ----------
    proba_unlearned : array-like of shape (n_rows, n_classes)
        Probabilities of the unlearned model for the forgotten rows.
    proba_untrained : array-like of shape (n_rows, n_classes) or \
            (n_models, n_rows, n_classes)
        Those of models with random weights; ten at least.

    Returns
    -------
    float
        From 0 to 1, with the Jensen-Shannon divergence in bits. A perfect unlearner
        gets what retrained models get, not 1.

    See Also
    --------
    js_divergence_error : The divergence to retrained models.

    References
    ----------
    .. [1] V. S. Chundawat, A. K. Tarun, M. Mandal and M. Kankanhalli, "Can Bad Teaching
       Induce Forgetting? Unlearning in Deep Networks Using an Incompetent Teacher",
       AAAI, 2023.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import zero_retrain_forgetting_score
    >>> zero_retrain_forgetting_score([[1.0, 0.0]], [[0.0, 1.0]])
    0.0
    """
    return 1 - js_divergence_error(proba_unlearned, proba_untrained)


@checked("delta", "return_null", "random_state")
def forgetting_quality_score(
    margins_unlearned,
    margins_retrained,
    *,
    delta=1e-5,
    return_null=False,
    random_state=None,
):
    """Forgetting quality of the NeurIPS 2023 competition [1]_.

    It never decides: the best of many thresholds on the same models makes a retrained
    model look bad, and the score depends on the number of models.

    Parameters
    ----------
    margins_unlearned, margins_retrained : array-like of shape (n_models, n_rows)
        Margins of forgotten rows, from at least three models each.
    delta : float, default=1e-5
        Of the privacy guarantee that is estimated.
    return_null : bool, default=False
        Whether to return, too, the score of one random half of the retrained models
        against the other.
    random_state : int, RandomState instance or None, default=None
        Source of the halves.

    Returns
    -------
    value : float
        From 0 to 1, larger is better. A perfect unlearner gets what `null` would be for
        as many models, some 0.1 to 0.4, not 1.
    null : float
        Only if ``return_null=True``.

    See Also
    --------
    epsilon_lower_bound : Thresholds on models that were held out.

    References
    ----------
    .. [1] E. Triantafillou et al., "Are We Making Progress in Unlearning? Findings from
       the First NeurIPS Unlearning Competition", arXiv:2406.09073, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_unlearn.metrics import forgetting_quality_score
    >>> margins = np.random.default_rng(0).normal(size=(2, 64, 10))
    >>> 0 < forgetting_quality_score(margins[0], margins[1]) < 0.5
    True
    """
    n_min = 6 if return_null else 3
    u = check_models(margins_unlearned, "margins_unlearned", min_models=3)
    r = check_models(margins_retrained, "margins_retrained", min_models=n_min)
    check_same_rows(u, r, ("margins_unlearned", "margins_retrained"))
    value = _forgetting_quality(u, r, delta)
    if not return_null:
        return value
    r = check_random_state(random_state).permutation(r)
    return value, _forgetting_quality(r[: len(r) // 2], r[len(r) // 2 :], delta)


def _forgetting_quality(u, r, delta):
    """Mean over rows of 2 ** -k, where k is the bin of the largest epsilon."""
    epsilon = np.array(
        [_plug_in_epsilon(a, b, delta) for a, b in zip(u.T, r.T, strict=True)]
    )
    limit = math.ceil(math.log(min(len(u), len(r)) - 1))
    scores = np.where(epsilon < limit, 0.5 ** np.floor(epsilon / BIN), 0.0)
    return float(scores.mean())


def _plug_in_epsilon(a, b, delta):
    """Largest epsilon over thresholds of two rules, for the models of one row."""
    if np.median(a) < np.median(b):
        a, b = b, a
    narrow, wide = (a, b) if a.std() < b.std() else (b, a)
    if narrow.std() < 0.01 * wide.std():
        return CAP
    grid = np.linspace(*np.quantile(np.concatenate([a, b]), [0, 1]), N_THRESHOLDS)
    single = _rates(a, b, grid)
    centre = np.median(narrow)
    narrow, wide = -np.abs(narrow - centre), -np.abs(wide - centre)
    grid = np.linspace(min(narrow.min(), wide.min()), 0.0, N_THRESHOLDS)
    fpr, fnr = np.hstack([single, _rates(narrow, wide, grid)])
    is_exact = (fpr == 0) & (fnr == 0)
    kept = (fpr > 0) & (fnr > 0)
    if is_exact.any():
        return CAP
    if not kept.any():
        return 0.0
    fpr, fnr = fpr[kept], fnr[kept]
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = np.maximum(
            np.log(np.maximum(1 - delta - fpr, 0)) - np.log(fnr),
            np.log(np.maximum(1 - delta - fnr, 0)) - np.log(fpr),
        )
    return float(np.clip(shown.max(), 0.0, CAP))


def _rates(positive, negative, thresholds):
    """Rates of false positives and of misses if those above a threshold are called."""
    fpr = (negative[:, np.newaxis] > thresholds).mean(axis=0)
    fnr = (positive[:, np.newaxis] <= thresholds).mean(axis=0)
    return np.array([fpr, fnr])
