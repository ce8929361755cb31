"""The public checks fail on estimators that break the contract, and pass on others."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import ast
import functools
import inspect
import threading
import traceback

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_unlearn.base import BaseUnlearner, UnlearnerMixin, UnlearnerTags
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.utils.estimator_checks import (
    check_unlearner,
    parametrize_with_unlearner_checks,
)
from tests._checks import unlearner_checks


class Honest(BaseUnlearner):
    """Fit again; what the offenders derive from."""

    def __init__(self, estimator=None, store_training_data=True):
        super().__init__(estimator, store_training_data=store_training_data)

    def _unlearner_tags(self):
        return UnlearnerTags(guarantee="exact")

    def _unlearn_rows(self, request):
        rows = request.retain
        self._fit_again(rows.X, rows.y, {**rows.params, **self._fit_params})
        self.afterwards(request)

    def afterwards(self, request):
        """What an offender does to the attributes once the rows are gone."""


class ReturnsNothing(Honest):
    def unlearn(self, *args, **kwargs):
        super().unlearn(*args, **kwargs)


class DoesNotCount(Honest):
    def unlearn(self, *args, **kwargs):
        super().unlearn(*args, **kwargs)
        self.n_forgotten_ = 0
        return self


class LogsRows(Honest):
    def unlearn(self, X_forget=None, *args, **kwargs):
        super().unlearn(X_forget, *args, **kwargs)
        self.unlearning_log_[-1]["n_rows"] = len(X_forget)
        self.unlearning_log_[-1]["method"] = np.asarray(X_forget)
        return self


class AcceptsStrangers(Honest):
    def unlearn(self, X_forget=None, y_forget=None, *, on_unknown="raise", **kwargs):
        return super().unlearn(X_forget, y_forget, on_unknown="ignore", **kwargs)


class LogTells(Honest):
    def unlearn(self, *args, **kwargs):
        before = getattr(self, "n_forgotten_", 0)
        super().unlearn(*args, **kwargs)
        if self.unlearning_log_:
            self.unlearning_log_[-1]["n_rows"] = self.n_forgotten_ - before
        return self


class ForgetsAllRows(Honest):
    def unlearn(self, X_forget=None, *args, **kwargs):
        if hasattr(self, "estimator_") and self.store_training_data:
            if np.shape(X_forget)[:1] == (len(self.retained_rows().X),):
                X_forget = X_forget[1:]
        return super().unlearn(X_forget, *args, **kwargs)


class ForgetsAllCopies(Honest):
    def unlearn(self, X_forget=None, *args, **kwargs):
        kept = np.asarray(self.retained_rows().X)
        X_forget = np.asarray(X_forget)
        if X_forget.shape[1:] == kept.shape[1:] and len(X_forget) < len(kept) / 2:
            rows = [r for r in kept if (X_forget == r).all(axis=1).any()]
            X_forget = np.array(rows) if rows else X_forget
        return super().unlearn(X_forget, *args, **kwargs)


class IgnoresTargets(Honest):
    def unlearn(self, X_forget=None, y_forget=None, **kwargs):
        return super().unlearn(X_forget, **kwargs)


class ChangesOnTheWay(Honest):
    def unlearn(self, *args, **kwargs):
        rows = self.retained_rows()
        self.estimator_.fit(rows.X[::2], rows.y[::2])
        return super().unlearn(*args, **kwargs)


class ChangesClasses(Honest):
    def afterwards(self, request):
        self.classes_ = self.classes_[::-1].copy()


class ChangesParameters(Honest):
    def afterwards(self, request):
        self.estimator = clone(self.estimator).set_params(C=2.0)


class UsesGlobalGenerator(Honest):
    def afterwards(self, request):
        np.random.rand()  # noqa: NPY002


class IgnoresItsSeed(Honest):
    def afterwards(self, request):
        noise = np.random.default_rng().normal(size=self.estimator_.coef_.shape)
        self.estimator_.coef_ = self.estimator_.coef_ + 0.1 * noise


class NearlyExactForItsSeed(Honest):
    """It is exact with the seed of the checks, which are to keep the one it has."""

    def __init__(self, estimator=None, store_training_data=True, random_state=7):
        super().__init__(estimator, store_training_data)
        self.random_state = random_state

    def afterwards(self, request):
        if self.random_state == 7:
            self.estimator_.coef_ = self.estimator_.coef_ * (1 + 1e-5)


class OldCoefficients(Honest):
    """Claims exactness and does nothing."""

    def _unlearn_rows(self, request):
        return


class NearlyExact(Honest):
    def afterwards(self, request):
        self.estimator_.coef_ = self.estimator_.coef_ * (1 + 1e-5)


class KeepsSecretState(Honest):
    def fit(self, X, y=None, **params):
        super().fit(X, y, **params)
        self.gram_ = np.asarray(X).T @ np.asarray(X)
        return self


class CountsRequests(Honest):
    def afterwards(self, request):
        n_requests = len(self.unlearning_log_)
        self.estimator_.coef_ = self.estimator_.coef_ * (1 + 1e-3 * n_requests)


class IgnoresMask(Honest):
    def fit(self, X, y=None, *, forget=None, groups=None, **params):
        return super().fit(X, y, groups=groups, **params)


class KeepsGroupIds(Honest):
    def fit(self, X, y=None, *, groups=None, **params):
        super().fit(X, y, groups=groups, **params)
        self._ids = groups
        return self


class IgnoresRetain(Honest):
    def unlearn(self, X_forget=None, y_forget=None, **kwargs):
        kwargs.pop("X_retain", None), kwargs.pop("y_retain", None)
        return super().unlearn(X_forget, y_forget, **kwargs)


class DropsColumn(Honest):
    def predict_proba(self, X):
        return self.estimator_.predict_proba(X)


class LosesStateInPickle(Honest):
    def __getstate__(self):
        is_fitted = hasattr(self, "estimator_")
        return vars(self.export()) if is_fitted else super().__getstate__()


class ExportsRows(Honest):
    def export(self):
        return self


class CannotBeCloned(Honest):
    def __init__(self, estimator=None, store_training_data=True):
        super().__init__(estimator and clone(estimator), store_training_data)


class KeepsFortranRows(Honest):
    def fit(self, X, y=None, **params):
        super().fit(X, y, **params)
        self.copy_ = np.asfortranarray(X)
        return self


class KeepsOldExtremes(Honest):
    def afterwards(self, request):
        rows = request.forget.X, request.retain.X
        self.estimator_.data_max_ = np.max([X.max(axis=0) for X in rows], axis=0)


class KeepsCategories(Honest):
    def fit(self, X, y=None, **params):
        import pandas as pd

        super().fit(X, y, **params)
        self.levels_ = pd.Categorical([f"{v:.17g}" for v in np.asarray(X).ravel()])[:0]
        self.numbers_ = pd.Categorical(np.asarray(X).ravel())[:0]
        return self


class WithoutTags(BaseEstimator):
    def fit(self, X, y=None):
        return self


class WrongGuarantee(Honest):
    def _unlearner_tags(self):
        return UnlearnerTags(guarantee="perfect")


class StillAnswersForgotten(Honest):
    """Refuses nothing that it has seen once."""

    def unlearn(self, *args, **kwargs):
        try:
            return super().unlearn(*args, **kwargs)
        except UnknownRowsError:
            if self.n_forgotten_:
                return self
            raise


# ------------------------------------------------- requests that should be refused


class Swallows(Honest):
    """Pass over every request that would be refused with these words."""

    def __init__(self, estimator=None, store_training_data=True, words=""):
        super().__init__(estimator, store_training_data)
        self.words = words

    def unlearn(self, *args, **kwargs):
        try:
            return super().unlearn(*args, **kwargs)
        except ValueError as error:
            if self.words in str(error):
                return self
            raise


class ChangesWhenRefused(Honest):
    def unlearn(self, *args, **kwargs):
        try:
            return super().unlearn(*args, **kwargs)
        except ValueError:
            if "estimator_" in vars(self):
                self.estimator_.coef_ = self.estimator_.coef_ + 1
            raise


class CountsInPlace(Honest):
    """Count in a list, which a request that fails does not put back."""

    @property
    def n_forgotten_(self):
        return self._count[0]

    @n_forgotten_.setter
    def n_forgotten_(self, value):
        vars(self).setdefault("_count", [0])[0] = value


class CountsWhenRefused(CountsInPlace):
    def unlearn(self, *args, **kwargs):
        try:
            return super().unlearn(*args, **kwargs)
        except UnknownRowsError:
            self.n_forgotten_ += 1
            raise


class IgnoresAllForOne(Honest):
    """Forget nothing if one of the rows is unknown."""

    def unlearn(self, *args, on_unknown="raise", **kwargs):
        try:
            return super().unlearn(*args, **kwargs)
        except UnknownRowsError:
            if on_unknown == "ignore":
                return self
            raise


class NeedsNoChoice(Honest):
    """Forget the rows, whatever groups are asked for beside them."""

    def unlearn(self, X_forget=None, *args, groups=None, **kwargs):
        groups = groups if X_forget is None else None
        return super().unlearn(X_forget, *args, groups=groups, **kwargs)


class LogsEmptyRequests(Honest):
    def unlearn(self, X_forget=None, *args, **kwargs):
        if np.shape(X_forget)[:1] == (0,):
            self._log(0, 0.0)
        return super().unlearn(X_forget, *args, **kwargs)


class TakesAnyMask(Honest):
    def fit(self, X, y=None, *, forget=None, **params):
        try:
            return super().fit(X, y, forget=forget, **params)
        except ValueError:
            return super().fit(X, y, **params)


# ------------------------------------------------------------- counts and records


class StartsAtOne(Honest):
    def fit(self, X, y=None, *, forget=None, groups=None, **params):
        super().fit(X, y, forget=forget, groups=groups, **params)
        self.n_forgotten_ += 1
        return self


class NeverStartsOver(Honest):
    def fit(self, X, y=None, *, forget=None, groups=None, **params):
        before = getattr(self, "n_forgotten_", 0)
        super().fit(X, y, forget=forget, groups=groups, **params)
        self.n_forgotten_ += before
        return self


class LogsNoVersion(Honest):
    def unlearn(self, *args, **kwargs):
        super().unlearn(*args, **kwargs)
        del self.unlearning_log_[-1]["version"]
        return self


class CountsLastRequest(Honest):
    def unlearn(self, *args, **kwargs):
        self.n_forgotten_ = 0
        return super().unlearn(*args, **kwargs)


class CountsTooSoon(CountsInPlace):
    def unlearn(self, X_forget=None, *args, **kwargs):
        before = self.n_forgotten_
        self.n_forgotten_ = before + len(X_forget)
        super().unlearn(X_forget, *args, **kwargs)
        self.n_forgotten_ = before + len(X_forget)
        return self


class NeverCounts(Honest):
    """Even a pipeline cannot make it count."""

    n_forgotten_ = property(lambda self: 0, lambda self, value: None)


class CountsNoMask(Honest):
    def fit(self, X, y=None, *, forget=None, groups=None, **params):
        super().fit(X, y, forget=forget, groups=groups, **params)
        self.n_forgotten_ = 0
        return self


class CountsTargets(Honest):
    def unlearn(self, X_forget=None, y_forget=None, **kwargs):
        super().unlearn(X_forget, y_forget, **kwargs)
        self.n_forgotten_ += 0 if y_forget is None else len(y_forget)
        return self


class ObeysOneMask(Honest):
    n_fits = 0

    def fit(self, X, y=None, *, forget=None, groups=None, **params):
        type(self).n_fits += 1
        # the check fits once in cross_validate, five times in GridSearchCV
        forget = forget if type(self).n_fits % 6 == 1 else None
        return super().fit(X, y, forget=forget, groups=groups, **params)


# ------------------------------------------------------- other models than promised


class BarelyLearns(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.value_ = 1 + 1e-10 * np.mean(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.value_)


class ForgetsEqualRows(Honest):
    def _unlearn_rows(self, request):
        rows = request.retain
        stays = ~np.isin(rows.X[:, 0], request.forget.X[:, 0])
        self.estimator_ = self._fit_estimator(rows.X[stays], rows.y[stays], {})


class TakesTheFirstTarget(Honest):
    def unlearn(self, X_forget=None, y_forget=None, **kwargs):
        if y_forget is not None:
            rows = self.retained_rows()
            y_forget = rows.y[(rows.X == X_forget[0]).all(axis=1)][:1]
        return super().unlearn(X_forget, y_forget, **kwargs)


class OtherModelForGroups(Honest):
    def unlearn(self, *args, groups=None, **kwargs):
        super().unlearn(*args, groups=groups, **kwargs)
        if groups is not None:
            self.estimator_.coef_ = self.estimator_.coef_ + 1
        return self


class OtherModelForGivenRows(Honest):
    def unlearn(self, *args, X_retain=None, **kwargs):
        super().unlearn(*args, X_retain=X_retain, **kwargs)
        if X_retain is not None:
            self.estimator_.coef_ = self.estimator_.coef_ + 1
        return self


class OtherModelForEmptyMask(Honest):
    def fit(self, X, y=None, *, forget=None, groups=None, **params):
        super().fit(X, y, forget=forget, groups=groups, **params)
        if forget is not None and not np.any(forget):
            self.estimator_.coef_ = self.estimator_.coef_ + 1
        return self


class OtherAnswersOnceLoaded(Honest):
    def __setstate__(self, state):
        super().__setstate__(state)
        self.estimator_.coef_ = self.estimator_.coef_ + 1


class OtherAnswersOnceLoadedAgain(Honest):
    def __setstate__(self, state):
        super().__setstate__(state)
        if self.n_forgotten_:
            self.estimator_.coef_ = self.estimator_.coef_ + 1


class LosesARowInPickle(Honest):
    def __setstate__(self, state):
        super().__setstate__(state)
        model, rows = self.estimator_, self.retained_rows()
        self.unlearn(rows.X[[1]], rows.y[[1]])
        self.estimator_, self.n_forgotten_ = model, self.n_forgotten_ - 1


class OtherAnswersOnceExported(Honest):
    def export(self):
        new = super().export()
        new.estimator_.coef_ = new.estimator_.coef_ + 1
        return new


class ExportsMore(Honest):
    def export(self):
        new = super().export()
        new.more_ = bytes(10**6)
        return new


class AnswersInAColumn(Honest):
    def _unlearner_tags(self):
        return UnlearnerTags(guarantee="approximate")

    def predict(self, X):
        answers = super().predict(X)
        return answers[:, None] if self.n_forgotten_ else answers


class SoftensProbabilities(Honest):
    def predict_proba(self, X):
        return 0.9 * super().predict_proba(X) + 0.1 / len(self.classes_)


class SharpensProbabilities(Honest):
    def predict_proba(self, X):
        squares = super().predict_proba(X) ** (2 if self.n_forgotten_ else 1)
        return squares / squares.sum(axis=1, keepdims=True)


class AnswersTheFirstClass(Honest):
    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class NeedsTwoClasses(Honest):
    def predict(self, X):
        answers = super().predict(X)
        return np.full_like(answers, "pear") if len({*answers}) == 1 else answers


# --------------------------------------------------------------- rows that are kept


class KeepsRows(Honest):
    def fit(self, X, y=None, **params):
        super().fit(X, y, **params)
        self.copy_ = np.array(X)
        return self


class KeepsMarkedRows(Honest):
    def fit(self, X, y=None, *, forget=None, groups=None, **params):
        super().fit(X, y, forget=forget, groups=groups, **params)
        self.marked_ = None if forget is None else X[forget]
        return self


class PicklesTheOriginal(Honest):
    def __getstate__(self):
        return {**super().__getstate__(), "estimator": self.estimator}


class MarksWhatWasGiven(Honest):
    def afterwards(self, request):
        self.estimator.seen_ = True


LOGISTIC = LogisticRegression()
OFFENDERS = [
    (WithoutTags(), "check_unlearner_tags"),
    (WrongGuarantee(LOGISTIC), "check_unlearner_tags"),
    (ReturnsNothing(LOGISTIC), "check_unlearn_returns_self"),
    (DoesNotCount(LOGISTIC), "check_unlearn_returns_self"),
    (LogsRows(LOGISTIC), "check_unlearn_returns_self"),
    (StartsAtOne(LOGISTIC), "check_unlearn_returns_self"),
    (LogsNoVersion(LOGISTIC), "check_unlearn_returns_self"),
    (NeverStartsOver(LOGISTIC), "check_unlearn_returns_self"),
    (AcceptsStrangers(LOGISTIC), "check_unlearn_unknown_rows"),
    (LogTells(LOGISTIC), "check_unlearn_unknown_rows"),
    (StillAnswersForgotten(LOGISTIC), "check_unlearn_unknown_rows"),
    (ChangesWhenRefused(LOGISTIC), "check_unlearn_unknown_rows"),
    (CountsWhenRefused(LOGISTIC), "check_unlearn_unknown_rows"),
    (IgnoresAllForOne(LOGISTIC), "check_unlearn_unknown_rows"),
    (ForgetsAllRows(LOGISTIC), "check_unlearn_bad_input"),
    (Swallows(LOGISTIC, words="not fitted yet"), "check_unlearn_bad_input"),
    (Swallows(LOGISTIC, words="exactly one of"), "check_unlearn_bad_input"),
    (NeedsNoChoice(LOGISTIC), "check_unlearn_bad_input"),
    (Swallows(LOGISTIC, words="is expecting 4 features"), "check_unlearn_bad_input"),
    (Swallows(LOGISTIC, words="on_unknown must be"), "check_unlearn_bad_input"),
    (Swallows(LOGISTIC, words="y_forget must have"), "check_unlearn_bad_input"),
    (LogsEmptyRequests(LOGISTIC), "check_unlearn_bad_input"),
    (ChangesWhenRefused(LOGISTIC), "check_unlearn_bad_input"),
    (ForgetsAllCopies(LOGISTIC), "check_unlearn_copies"),
    (ForgetsEqualRows(Ridge()), "check_unlearn_copies"),
    (Swallows(Ridge(), words="never fitted"), "check_unlearn_copies"),
    (IgnoresTargets(LOGISTIC), "check_unlearn_targets"),
    (Swallows(Ridge(), words="different targets"), "check_unlearn_targets"),
    (CountsTargets(Ridge()), "check_unlearn_targets"),
    (TakesTheFirstTarget(Ridge()), "check_unlearn_targets"),
    (Swallows(Ridge(), words="with that target"), "check_unlearn_targets"),
    (ChangesOnTheWay(LOGISTIC), "check_unlearn_is_transactional"),
    (CountsTooSoon(LOGISTIC), "check_unlearn_is_transactional"),
    (ChangesClasses(GaussianNB()), "check_unlearn_keeps_schema"),
    (ChangesParameters(LOGISTIC), "check_unlearn_keeps_schema"),
    (UsesGlobalGenerator(LOGISTIC), "check_unlearn_is_repeatable"),
    (IgnoresItsSeed(LOGISTIC), "check_unlearn_is_repeatable"),
    (CountsRequests(Ridge()), "check_unlearn_in_steps"),
    (CountsLastRequest(Ridge()), "check_unlearn_in_steps"),
    (OldCoefficients(Ridge()), "check_unlearn_equals_refit"),
    (OldCoefficients(LOGISTIC), "check_unlearn_equals_refit"),
    (OldCoefficients(BarelyLearns()), "check_unlearn_equals_refit"),
    (NearlyExact(Ridge()), "check_unlearn_equals_refit"),
    (NearlyExactForItsSeed(Ridge()), "check_unlearn_equals_refit"),
    (KeepsSecretState(Ridge()), "check_unlearn_equals_refit"),
    (OldCoefficients(Ridge()), "check_unlearn_behind_a_step"),
    (NeverCounts(Ridge()), "check_unlearn_behind_a_step"),
    (AnswersInAColumn(Ridge()), "check_unlearn_behind_a_step"),
    (IgnoresMask(Ridge()), "check_fit_forget_mask"),
    (CountsNoMask(Ridge()), "check_fit_forget_mask"),
    (OtherModelForEmptyMask(Ridge()), "check_fit_forget_mask"),
    (TakesAnyMask(Ridge()), "check_fit_forget_mask"),
    (KeepsGroupIds(Ridge()), "check_unlearn_groups"),
    (Swallows(Ridge(), words="ids in groups"), "check_unlearn_groups"),
    (OtherModelForGroups(Ridge()), "check_unlearn_groups"),
    (Swallows(Ridge(), words="if fit was given the ids"), "check_unlearn_groups"),
    (IgnoresRetain(Ridge()), "check_unlearn_retain_given"),
    (KeepsRows(StandardScaler()), "check_unlearn_retain_given"),
    (Swallows(Ridge(), words="keeps no rows"), "check_unlearn_retain_given"),
    (DoesNotCount(Ridge()), "check_unlearn_retain_given"),
    (OtherModelForGivenRows(Ridge()), "check_unlearn_retain_given"),
    (Swallows(Ridge(), words="must be the training set"), "check_unlearn_retain_given"),
    (ChangesClasses(GaussianNB()), "check_unlearn_class"),
    (DropsColumn(GaussianNB()), "check_unlearn_class"),
    (SoftensProbabilities(GaussianNB()), "check_unlearn_class"),
    (SharpensProbabilities(GaussianNB()), "check_unlearn_class"),
    (AnswersTheFirstClass(GaussianNB()), "check_unlearn_class"),
    (NeedsTwoClasses(GaussianNB()), "check_unlearn_class"),
    (LosesStateInPickle(Ridge()), "check_unlearn_after_pickle"),
    (OtherAnswersOnceLoaded(Ridge()), "check_unlearn_after_pickle"),
    (LosesARowInPickle(Ridge()), "check_unlearn_after_pickle"),
    (OtherAnswersOnceLoadedAgain(Ridge()), "check_unlearn_after_pickle"),
    (ExportsRows(Ridge()), "check_unlearn_export"),
    (OtherAnswersOnceExported(Ridge()), "check_unlearn_export"),
    (ExportsMore(Ridge()), "check_unlearn_export"),
    (CannotBeCloned(Ridge()), "check_unlearn_in_search"),
    (IgnoresMask(Ridge()), "check_unlearn_in_search"),
    (ObeysOneMask(Ridge()), "check_unlearn_in_search"),
    (KeepsFortranRows(Ridge()), "check_no_residue"),
    (KeepsOldExtremes(MinMaxScaler()), "check_no_residue"),
    (KeepsCategories(Ridge()), "check_no_residue"),
    (KeepsMarkedRows(Ridge()), "check_no_residue"),
    (PicklesTheOriginal(KNeighborsRegressor()), "check_unlearn_whatever_was_fitted"),
    (MarksWhatWasGiven(Ridge()), "check_unlearn_whatever_was_fitted"),
    (OtherAnswersOnceLoaded(Ridge()), "check_unlearn_whatever_was_fitted"),
]
# the functions themselves, whose lines are looked at
CHECKS = {
    name: inspect.unwrap(check)
    for name, check in unlearner_checks(Honest(LOGISTIC)).items()
}


@functools.cache
def caught_at(number):
    """Where a check catches an offender: file and line; None if it does not."""
    offender, name = OFFENDERS[number]
    try:
        CHECKS[name](type(offender).__name__, offender)
    except (AssertionError, RuntimeError, ValueError) as error:
        # a check fails by whatever exception leaves it
        frames = traceback.extract_tb(error.__traceback__)
        return next((f.filename, f.lineno) for f in frames if f.name == name)
    return None


def offender_id(number):
    offender, name = OFFENDERS[number]
    words = getattr(offender, "words", "")
    return "-".join([type(offender).__name__, name, *words.split()])


@pytest.mark.parametrize("number", range(len(OFFENDERS)), ids=offender_id)
def test_offender_is_caught(number):
    assert caught_at(number)


def assertions(check):
    """First and last line of each assertion of a check."""
    lines, first = inspect.getsourcelines(check)
    for node in ast.walk(ast.parse("".join(lines))):
        if isinstance(node, ast.Raise) or (
            isinstance(node, ast.Expr) and ast.unparse(node).startswith("assert_")
        ):
            yield node.lineno + first - 1, node.end_lineno + first - 1


def test_every_assertion_catches_somebody():
    caught = {caught_at(number) for number in range(len(OFFENDERS))} - {None}
    idle = [
        f"{name}, line {first}"
        for name, check in CHECKS.items()
        for first, last in assertions(check)
        if not any(
            file == inspect.getsourcefile(check) and first <= line <= last
            for file, line in caught
        )
    ]
    assert not idle


class MeanOfTargets(UnlearnerMixin, RegressorMixin, BaseEstimator):
    """Written to the docstring of `UnlearnerMixin`, and to nothing else."""

    def __init__(self, guarantee="exact", store_training_data=True):
        self.guarantee = guarantee
        self.store_training_data = store_training_data

    def fit(self, X, y, *, forget=None, groups=None):
        rows = self._keep_rows(X, y, groups=groups, forget=forget)
        self.mean_ = np.mean(y)
        self._attach_rows(rows)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)

    def _unlearn_rows(self, request):
        self.mean_ = np.mean(request.retain.y)

    def _unlearner_tags(self):
        return UnlearnerTags(guarantee=self.guarantee)


@parametrize_with_unlearner_checks(
    [
        Honest(Ridge()),
        Honest(StandardScaler()),
        MeanOfTargets(),
        MeanOfTargets(guarantee="approximate"),
    ]
)
def test_the_honest_pass(estimator, check):
    check(estimator)


class UsesALock(Honest):
    lock = threading.Lock()

    def unlearn(self, *args, **kwargs):
        assert not self.lock.locked(), "it would be waited for in vain"
        with self.lock:
            pass
        return super().unlearn(*args, **kwargs)


def test_an_interruption_leaves_no_lock_behind():
    estimator = UsesALock(Ridge())
    unlearner_checks(estimator)["check_unlearn_is_transactional"](estimator)
    assert not UsesALock.lock.locked()


def test_expected_failures_need_their_name():
    reasons = {"check_unlearn_export": "exports itself"}
    results = check_unlearner(ExportsRows(Ridge()), expected_failed_checks=reasons)
    status = {r["check_name"]: r["status"] for r in results}
    assert status["check_unlearn_export"] == "xfail"
    assert set(status.values()) == {"passed", "xfail"}
    with pytest.raises(AssertionError):
        check_unlearner(ExportsRows(Ridge()))
