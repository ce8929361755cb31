"""The public checks fail on estimators that break the contract, and pass on others."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_unlearn.base import UnlearnerTags
from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.exceptions import UnknownRowsError
from sklearn_unlearn.testing import _contract_checks as checks
from sklearn_unlearn.utils.estimator_checks import (
    check_unlearner,
    parametrize_with_unlearner_checks,
)


class Honest(Retrain):
    """Fit again; what the offenders derive from."""

    def __init__(self, estimator=None, store_training_data=True):
        super().__init__(estimator, store_training_data=store_training_data)


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
        rows = self.__dict__.get("_rows")
        if rows is not None and np.shape(X_forget)[:1] == (rows.n_rows,):
            X_forget = X_forget[1:]
        return super().unlearn(X_forget, *args, **kwargs)


class ForgetsAllCopies(Honest):
    def unlearn(self, X_forget=None, *args, **kwargs):
        kept = np.asarray(self._rows.rows().X)
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
        rows = self._rows.rows()
        self.estimator_.fit(rows.X[::2], rows.y[::2])
        return super().unlearn(*args, **kwargs)


class ChangesClasses(Honest):
    def _unlearn_rows(self, request):
        super()._unlearn_rows(request)
        self.classes_ = self.classes_[::-1].copy()


class ChangesParameters(Honest):
    def _unlearn_rows(self, request):
        super()._unlearn_rows(request)
        self.estimator = clone(self.estimator).set_params(C=2.0)


class UsesGlobalGenerator(Honest):
    def _unlearn_rows(self, request):
        super()._unlearn_rows(request)
        np.random.rand()  # noqa: NPY002


class IgnoresItsSeed(Honest):
    def _unlearn_rows(self, request):
        super()._unlearn_rows(request)
        noise = np.random.default_rng().normal(size=self.estimator_.coef_.shape)
        self.estimator_.coef_ = self.estimator_.coef_ + 0.1 * noise


class OldCoefficients(Honest):
    """Claims exactness and does nothing."""

    def _unlearn_rows(self, request):
        return


class NearlyExact(Honest):
    def _unlearn_rows(self, request):
        old = self.estimator_.coef_
        super()._unlearn_rows(request)
        self.estimator_.coef_ = self.estimator_.coef_ + 1e-5 * old


class KeepsSecretState(Honest):
    def _fit_inner(self, X, *args):
        super()._fit_inner(X, *args)
        self.gram_ = np.asarray(X).T @ np.asarray(X)


class CountsRequests(Honest):
    def _unlearn_rows(self, request):
        n_requests = len(self.unlearning_log_)
        super()._unlearn_rows(request)
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
        return {**super().__getstate__(), "_rows": None}


class ExportsRows(Honest):
    def export(self):
        return self


class CannotBeCloned(Honest):
    def __init__(self, estimator=None, store_training_data=True):
        super().__init__(estimator and clone(estimator), store_training_data)


class KeepsFortranRows(Honest):
    def _fit_inner(self, X, *args):
        super()._fit_inner(X, *args)
        self.copy_ = np.asfortranarray(X)


class KeepsOldExtremes(ExactUnlearner):
    def _unlearn_rows(self, request):
        old = self.estimator_.data_max_
        super()._unlearn_rows(request)
        self.estimator_.data_max_ = old


class KeepsCategories(Honest):
    def _fit_inner(self, X, *args):
        import pandas as pd

        super()._fit_inner(X, *args)
        self.levels_ = pd.Categorical([f"{v:.17g}" for v in np.asarray(X).ravel()])[:0]
        self.numbers_ = pd.Categorical(np.asarray(X).ravel())[:0]


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


LOGISTIC = LogisticRegression()
OFFENDERS = [
    (WithoutTags(), checks.check_unlearner_tags),
    (WrongGuarantee(LOGISTIC), checks.check_unlearner_tags),
    (ReturnsNothing(LOGISTIC), checks.check_unlearn_returns_self),
    (DoesNotCount(LOGISTIC), checks.check_unlearn_returns_self),
    (LogsRows(LOGISTIC), checks.check_unlearn_returns_self),
    (AcceptsStrangers(LOGISTIC), checks.check_unlearn_unknown_rows),
    (LogTells(LOGISTIC), checks.check_unlearn_unknown_rows),
    (StillAnswersForgotten(LOGISTIC), checks.check_unlearn_unknown_rows),
    (ForgetsAllRows(LOGISTIC), checks.check_unlearn_bad_input),
    (ForgetsAllCopies(LOGISTIC), checks.check_unlearn_copies),
    (IgnoresTargets(LOGISTIC), checks.check_unlearn_targets),
    (ChangesOnTheWay(LOGISTIC), checks.check_unlearn_is_transactional),
    (ChangesClasses(GaussianNB()), checks.check_unlearn_keeps_schema),
    (ChangesParameters(LOGISTIC), checks.check_unlearn_keeps_schema),
    (UsesGlobalGenerator(LOGISTIC), checks.check_unlearn_is_repeatable),
    (IgnoresItsSeed(LOGISTIC), checks.check_unlearn_is_repeatable),
    (CountsRequests(Ridge()), checks.check_unlearn_in_steps),
    (OldCoefficients(Ridge()), checks.check_unlearn_equals_refit),
    (OldCoefficients(LOGISTIC), checks.check_unlearn_equals_refit),
    (NearlyExact(Ridge()), checks.check_unlearn_equals_refit),
    (KeepsSecretState(Ridge()), checks.check_unlearn_equals_refit),
    (IgnoresMask(Ridge()), checks.check_fit_forget_mask),
    (KeepsGroupIds(Ridge()), checks.check_unlearn_groups),
    (IgnoresRetain(Ridge()), checks.check_unlearn_retain_given),
    (DropsColumn(GaussianNB()), checks.check_unlearn_class),
    (LosesStateInPickle(Ridge()), checks.check_unlearn_after_pickle),
    (ExportsRows(Ridge()), checks.check_unlearn_export),
    (CannotBeCloned(Ridge()), checks.check_unlearn_in_search),
    (KeepsFortranRows(Ridge()), checks.check_no_residue),
    (KeepsOldExtremes(MinMaxScaler()), checks.check_no_residue),
    (KeepsCategories(Ridge()), checks.check_no_residue),
]


@pytest.mark.parametrize(
    ("offender", "check"),
    OFFENDERS,
    ids=[f"{type(o).__name__}-{c.__name__}" for o, c in OFFENDERS],
)
def test_offender_is_caught(offender, check):
    # a check fails by whatever exception leaves it
    with pytest.raises((AssertionError, RuntimeError, ValueError)):
        check(type(offender).__name__, offender)


def test_every_check_catches_somebody():
    assert {check for _, check in OFFENDERS} == set(checks.CHECKS)


@parametrize_with_unlearner_checks([Honest(Ridge()), Honest(StandardScaler())])
def test_the_honest_pass(estimator, check):
    check(estimator)


def test_expected_failures_need_their_name():
    reasons = {"check_unlearn_export": "exports itself"}
    results = check_unlearner(ExportsRows(Ridge()), expected_failed_checks=reasons)
    status = {r["check_name"]: r["status"] for r in results}
    assert status["check_unlearn_export"] == "xfail"
    assert set(status.values()) == {"passed", "xfail"}
    with pytest.raises(AssertionError):
        check_unlearner(ExportsRows(Ridge()))
