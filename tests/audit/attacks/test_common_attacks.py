"""What all membership attacks keep to."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.svm import SVC
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    parametrize_with_checks,
)

from sklearn_unlearn.audit.attacks import (
    BaVarIAAttack,
    ClassifierAttack,
    LiRAAttack,
    RMIAAttack,
    ThresholdAttack,
    ULiRAAttack,
)
from tests.audit.attacks._models import draw, log_probability, paired_membership

POPULATION = [ThresholdAttack(), ClassifierAttack(random_state=0)]
PER_ROW = [
    LiRAAttack(),
    LiRAAttack(variance="row", location="mean"),
    LiRAAttack(variant="offline"),
    BaVarIAAttack(),
    BaVarIAAttack(variant="offline", predictive="normal", prior_strength=4.0),
    RMIAAttack(),
    RMIAAttack(variant="online"),
    ULiRAAttack(),
]
NAMES = "the second argument is called membership, which is what it is"


def references(attack, n_models=8, n_rows=60, seed=0, shift=1.0):
    """Return signals and membership that `attack` takes."""
    signals, membership = draw(seed, n_models, n_rows, shift=shift)
    if isinstance(attack, ULiRAAttack):
        membership = np.arange(n_models) % 2 == 0
        signals = signals + shift * membership[:, None]
    if isinstance(attack, RMIAAttack):
        membership[:, n_rows // 2 :] = False
        signals = log_probability(signals)
    return signals, membership


def fit(attack, signals, membership):
    """Fit a copy of `attack`; rows that no model was trained on are a population."""
    if isinstance(attack, RMIAAttack):
        return clone(attack).fit(signals, membership, ~membership.any(axis=0))
    return clone(attack).fit(signals, membership)


@parametrize_with_checks(
    POPULATION,
    expected_failed_checks=lambda attack: {
        "check_fit_score_takes_y": NAMES,
        "check_n_features_in_after_fitting": NAMES,
    },
)
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("attack", PER_ROW, ids=repr)
def test_it_is_an_estimator(attack):
    check_no_attributes_set_in_init(type(attack).__name__, clone(attack))
    check_parameters_default_constructible(type(attack).__name__, attack)
    signals, membership = references(attack)
    given = signals.copy()
    with pytest.raises(NotFittedError):
        clone(attack).decision_function(signals)
    fitted = fit(attack, signals, membership)
    assert isinstance(fitted, type(attack)), "fit returns the attack"
    assert is_classifier(fitted)
    assert get_tags(fitted).classifier_tags.multi_label
    assert fitted.n_features_in_ == signals.shape[1]
    decision = fitted.decision_function(signals)
    assert decision.shape == signals.shape
    assert np.isfinite(decision).all()
    assert np.array_equal(fitted.predict(signals), decision > fitted.threshold_)
    assert 0.5 < fitted.score(signals, membership) <= 1
    again = fit(fitted, signals, membership)
    for other in (pickle.loads(pickle.dumps(fitted)), again):
        assert np.array_equal(other.decision_function(signals), decision)
    assert np.array_equal(signals, given)


@pytest.mark.parametrize("attack", PER_ROW, ids=repr)
def test_bad_input_is_refused(attack):
    signals, membership = references(attack)
    with_nan = signals.copy()
    with_nan[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fit(attack, with_nan, membership)
    fitted = fit(attack, signals, membership)
    with pytest.raises(ValueError, match="NaN"):
        fitted.decision_function(with_nan)
    with pytest.raises(ValueError, match="features"):
        fitted.decision_function(signals[:, 1:])
    with pytest.raises(ValueError, match="2D array"):
        fitted.decision_function(signals[0])
    with pytest.raises(ValueError, match="membership must have one value per model"):
        fit(attack, signals, membership[:-1])
    with pytest.raises(ValueError, match="membership must be boolean"):
        fit(attack, signals, np.full(signals.shape, 0.5))


@pytest.mark.parametrize("attack", PER_ROW, ids=repr)
def test_order_of_models_and_rows_is_no_matter(attack):
    signals, membership = references(attack)
    decision = fit(attack, signals, membership).decision_function(signals)
    rng = np.random.default_rng(1)
    models, rows = rng.permutation(len(signals)), rng.permutation(signals.shape[1])
    signals, membership = signals[models][:, rows], membership[models]
    if membership.ndim == 2:
        membership = membership[:, rows]
    found = fit(attack, signals, membership).decision_function(signals)
    np.testing.assert_allclose(found, decision[models][:, rows], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "attack", [a for a in PER_ROW if not isinstance(a, RMIAAttack)], ids=repr
)
def test_units_of_margins_are_no_matter(attack):
    signals, membership = references(attack)
    first = fit(attack, signals, membership).decision_function(signals)
    moved = 2 * signals + 5
    second = fit(attack, moved, membership).decision_function(moved)
    np.testing.assert_allclose(first, second, rtol=1e-7, atol=1e-7)


def check_equal_rows_weigh_nothing(attack):
    """Fail if rows that are equal in all models have a say, or give no numbers."""
    signals, membership = references(attack)
    attacked, truth = references(attack, n_models=4, seed=1)
    population = {}
    if isinstance(attack, RMIAAttack):
        population["population"] = np.arange(60) >= 30
    alone = clone(attack).fit(signals, membership, **population).score(attacked, truth)
    # what clipped probabilities make of rows that all models are sure of
    same = np.full((len(signals), 30), signals.max())
    if membership.ndim == 2:
        rng = np.random.default_rng(2)
        membership = np.hstack([membership, paired_membership(rng, len(signals), 30)])
        truth = np.hstack([truth, paired_membership(rng, 4, 30)])
        population = {k: np.append(v, [False] * 30) for k, v in population.items()}
    fitted = clone(attack).fit(np.hstack([signals, same]), membership, **population)
    attacked = np.hstack([attacked, same[:4]])
    assert np.isfinite(fitted.decision_function(attacked)).all()
    np.testing.assert_allclose(fitted.score(attacked, truth), alone, atol=1e-12)


@pytest.mark.parametrize("attack", PER_ROW, ids=repr)
def test_equal_rows_weigh_nothing(attack):
    check_equal_rows_weigh_nothing(attack)


class SaturatingLiRA(LiRAAttack):
    """LiRA as it is often written: rows without variance give 0 / 0."""

    def fit(self, signals, membership):
        super().fit(signals, membership)
        sides = [np.where(membership == side, signals, np.nan) for side in (0, 1)]
        self.laws_ = [(np.nanmedian(x, axis=0), np.nanstd(x, axis=0)) for x in sides]
        return self

    def decision_function(self, signals):
        with np.errstate(all="ignore"):
            out, inside = (norm.logpdf(signals, *law) for law in self.laws_)
        return inside - out


def test_planted_nan_is_noticed():
    with pytest.raises(AssertionError):
        check_equal_rows_weigh_nothing(SaturatingLiRA())


@pytest.mark.parametrize("attack", PER_ROW, ids=repr)
def test_models_that_are_all_the_same_tell_nothing(attack):
    signals, membership = references(attack)
    signals = np.repeat(np.minimum(signals[:1], -0.1), len(signals), axis=0)
    signals += 1e-15 * np.arange(len(signals))[:, None]  # rounding
    fitted = fit(attack, signals, membership)
    assert np.isfinite(fitted.decision_function(signals)).all()
    assert fitted.score(signals, membership) == 0.5


def null_area(attack, seed):
    """Return the area on models that tell nothing of their rows."""
    if isinstance(attack, ULiRAAttack):
        signals, membership = references(attack, n_rows=200, seed=seed, shift=0)
        return fit(attack, signals, membership).auc_.value
    signals, membership = references(attack, 12, 200, seed=seed, shift=0)
    fitted = fit(attack, signals[:8], membership[:8])
    return fitted.score(signals[8:], membership[8:])


@pytest.mark.parametrize("attack", PER_ROW, ids=repr)
def test_null(attack):
    areas = [null_area(attack, seed) for seed in range(50)]
    assert abs(np.mean(areas) - 0.5) < 0.02


@pytest.mark.parametrize("attack", POPULATION, ids=repr)
def test_null_of_population_attacks(attack):
    areas = []
    for seed in range(50):
        rng = np.random.default_rng(seed)
        signals, membership = rng.normal(size=(400, 2)), np.arange(400) % 2 == 0
        fitted = clone(attack).fit(signals[:200], membership[:200])
        areas.append(fitted.score(signals[200:], membership[200:]))
    assert abs(np.mean(areas) - 0.5) < 0.02


@pytest.mark.parametrize(
    "attack", [*POPULATION, ClassifierAttack(SVC(C=3, gamma="auto"))], ids=repr
)
def test_shift_of_normal_signals(attack):
    # the area of two normal laws at distance 1 is Phi(1 / sqrt 2)
    rng = np.random.default_rng(0)
    membership = np.arange(6000) % 2 == 0
    signals = (rng.normal(size=6000) + membership)[:, None]
    fitted = clone(attack).fit(signals[:1000], membership[:1000])
    area = fitted.score(signals[1000:], membership[1000:])
    assert abs(area - norm.cdf(1 / np.sqrt(2))) < 0.03


def test_threshold_finds_signal_side_and_classes():
    rng = np.random.default_rng(0)
    membership = np.arange(400) % 2 == 0
    labels = np.where(np.arange(400) < 200, "cat", "dog")
    # the loss of cats is larger; both lose one unit by training
    loss = rng.normal(size=400, scale=0.3) - membership + 10 * (labels == "cat")
    signals = np.column_stack([rng.normal(size=400), loss])
    one = ThresholdAttack().fit(signals, membership)
    each = ThresholdAttack().fit(signals, membership, labels=labels)
    assert each.signal_ == 1
    assert each.sign_ == -1
    np.testing.assert_allclose(each.thresholds_, [9.5, -0.5], atol=0.3)
    assert each.balanced_accuracy_ > 0.9 > 0.8 > one.balanced_accuracy_
    is_right = (each.decision_function(signals, labels=labels) > 0) == membership
    np.testing.assert_allclose(is_right.mean(), each.balanced_accuracy_)
    with pytest.raises(ValueError, match="labels were not given to fit"):
        one.decision_function(signals, labels=labels)
    with pytest.raises(ValueError, match="labels must have one value per row"):
        ThresholdAttack().fit(signals, membership, labels=labels[:5])


def test_balance_of_the_classifier():
    # nine members to one: an unbalanced fit calls all rows members
    rng = np.random.default_rng(0)
    membership = np.arange(2000) % 10 > 0
    losses = (rng.normal(size=2000) - 0.5 * membership)[:, None]
    balanced = ClassifierAttack(random_state=0).fit(losses, membership)
    assert 0.4 < balanced.predict(losses).mean() < 0.75
    as_it_is = ClassifierAttack(balance=False).fit(losses, membership)
    assert as_it_is.predict(losses).mean() > 0.95
    splits = StratifiedShuffleSplit(5, random_state=0)
    areas = cross_val_score(ClassifierAttack(), losses, membership, cv=splits)
    assert 0.5 < areas.mean() < 0.75
