"""Sparse targets, arguments of fit and rows, in every format that a fit takes."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier

from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.exceptions import AmbiguousRowsError
from sklearn_unlearn.pipeline import make_pipeline

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = (X @ RNG.normal(size=(3, 4)) > 0).astype(int)
STAYS = np.arange(40) > 2
FORMATS = ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("holder", [ExactUnlearner, Retrain, make_pipeline])
def test_sparse_labels(holder, form, kind):
    targets = getattr(sparse, f"{form}_{kind}")
    model = holder(OneVsRestClassifier(LogisticRegression()))
    reference = clone(model).fit(X[STAYS], targets(Y[STAYS]))
    model.fit(X, targets(Y)).unlearn(X[~STAYS], targets(Y[~STAYS]))
    assert type(model.retained_rows().y) is type(targets(Y))
    np.testing.assert_allclose(
        model.predict_proba(X), reference.predict_proba(X), rtol=1e-8
    )


def test_sparse_labels_tell_equal_rows_apart():
    twins = np.vstack([X, X[:1]])
    labels = sparse.csr_matrix(np.vstack([Y, 1 - Y[:1]]))
    model = Retrain(KNeighborsClassifier(3)).fit(twins, labels)
    with pytest.raises(AmbiguousRowsError, match="y_forget"):
        model.unlearn(X[:1])
    left = model.unlearn(X[:1], labels[:1]).retained_rows().y
    assert abs(left - labels[1:]).sum() == 0


class TakesNotes(BaseEstimator):
    """An estimator with a sparse argument of ``fit`` that has one row for each row."""

    def fit(self, X, y=None, notes=None):
        self.total_ = np.ravel(notes.sum(axis=0))
        self.form_ = notes.format
        return self


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("estimator", [ExactUnlearner, Retrain])
def test_sparse_arguments_of_fit(estimator, form):
    notes = getattr(sparse, f"{form}_array")(RNG.integers(0, 3, (40, 5)) / 2)
    model = estimator(TakesNotes()).fit(X, notes=notes).unlearn(X[~STAYS])
    expected = notes.toarray()[STAYS].sum(axis=0)
    np.testing.assert_allclose(model.estimator_.total_, expected)
    assert model.estimator_.form_ == form
