"""Estimators whose ``fit`` changes their own parameters."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline as sklearn_pipeline
from sklearn.pipeline import make_union
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_array

from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import find_residue

X = np.random.default_rng(0).normal(size=(60, 3))
X[::7, 1] = np.nan
X[:5] = 100.0 + np.random.default_rng(1).normal(size=(5, 3))
Y = np.arange(60) / 10


class Filler(TransformerMixin, BaseEstimator):
    """Fills missing values, and writes what with into its own parameter."""

    def __init__(self, fill=None):
        self.fill = fill

    def fit(self, X, y=None):
        if self.fill is None:
            self.fill = np.nanmean(X, axis=0)
        self.n_features_in_ = np.shape(X)[1]
        return self

    def transform(self, X):
        X = check_array(X, ensure_all_finite=False)
        return np.where(np.isnan(X), self.fill, X)


class InPlace(TransformerMixin, BaseEstimator):
    """Fits the very estimator that it was given."""

    def __init__(self, inner):
        self.inner = inner

    def fit(self, X, y=None):
        self.inner.fit(X)
        self.n_features_in_ = np.shape(X)[1]
        return self

    def transform(self, X):
        return self.inner.transform(X)


@pytest.mark.filterwarnings("ignore:fit has changed parameters")
@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(Filler(), StandardScaler(), Ridge()),
        make_pipeline(sklearn_pipeline(Filler(), StandardScaler()), Ridge()),
        make_pipeline(make_union(Filler(), Filler(0.0)), Ridge()),
        make_pipeline(make_column_transformer((Filler(), [0, 1])), Ridge()),
        make_pipeline(ExactUnlearner(Filler()), Ridge()),
        ExactUnlearner(Filler()),
        ExactUnlearner(InPlace(Filler())),
        make_pipeline(InPlace(InPlace(Filler())), Ridge()),
        ExactUnlearner(sklearn_pipeline(Filler(), Ridge())),
        ExactUnlearner(make_column_transformer((Filler(), [0, 1]))),
        Retrain(Filler()),
    ],
    ids=str,
)
def test_refits_start_from_the_parameters_as_given(estimator):
    with pytest.warns(UnlearningWarning, match=r"fit has changed parameters.*fill"):
        model = clone(estimator).fit(X, Y)
    model.unlearn(X[:2], Y[:2])
    model = pickle.loads(pickle.dumps(model)).unlearn(X[2:5], Y[2:5])
    reference = clone(estimator).fit(X[5:], Y[5:])
    method = "predict" if hasattr(model, "predict") else "transform"
    np.testing.assert_allclose(
        getattr(model, method)(X[5:]), getattr(reference, method)(X[5:]), rtol=1e-10
    )
    assert find_residue(model, X[:5], X[5:]) == []


def test_other_parameters_are_not_spoken_of(recwarn):
    for model in (
        make_pipeline(Filler(np.zeros(3)), StandardScaler(), Ridge()),
        Retrain(Ridge(random_state=np.random.RandomState(0))),
        ExactUnlearner(make_column_transformer((Filler(0.0), [0, 1, 2]))),
    ):
        clone(model).fit(np.nan_to_num(X), Y)
    assert not [w for w in recwarn if "changed parameters" in str(w.message)]
