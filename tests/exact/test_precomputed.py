"""Rows of a precomputed kernel or distance matrix go with their columns."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline as make_sklearn_pipeline
from sklearn.preprocessing import KernelCenterer
from sklearn.svm import SVC, SVR

from sklearn_unlearn.exact import ExactUnlearner, Retrain, SISAClassifier
from sklearn_unlearn.exceptions import UnknownRowsError, UnlearningWarning
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import find_residue

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(40, 3))
KERNEL = Z @ Z.T
DISTANCE = np.linalg.norm(Z[:, None] - Z[None], axis=2)
Y = (Z[:, 0] > 0).astype(int)
FIRST, SECOND = np.array([3, 7, 20]), np.array([0, 30])

ESTIMATORS = {
    "svc": (SVC(kernel="precomputed"), KERNEL, Y),
    "svr": (SVR(kernel="precomputed"), KERNEL, Z[:, 0]),
    "ridge": (KernelRidge(kernel="precomputed"), KERNEL, Z[:, 0]),
    "neighbours": (KNeighborsClassifier(3, metric="precomputed"), DISTANCE, Y),
    "sparse": (
        KNeighborsClassifier(3, metric="precomputed"),
        sparse.csr_array(DISTANCE),
        Y,
    ),
}
HOLDERS = {
    "ExactUnlearner": ExactUnlearner,
    "Retrain": Retrain,
    "Pipeline": make_pipeline,
    "Pipeline of ExactUnlearner": lambda e: make_pipeline(ExactUnlearner(e)),
    "behind passthrough": lambda e: make_pipeline("passthrough", None, e),
    "ExactUnlearner behind passthrough": lambda e: ExactUnlearner(
        make_sklearn_pipeline(make_sklearn_pipeline("passthrough", e))
    ),
    "ExactUnlearner of Pipeline": lambda e: ExactUnlearner(make_sklearn_pipeline(e)),
}


def part(matrix, rows, columns):
    return matrix[rows][:, columns]


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_equals_a_fit_on_the_smaller_matrix(name, holder):
    estimator, matrix, y = ESTIMATORS[name]
    model = HOLDERS[holder](clone(estimator)).fit(matrix, y)
    model.unlearn(matrix[FIRST])
    kept = np.setdiff1d(np.arange(40), FIRST)
    model.unlearn(part(matrix, SECOND, kept))
    kept = np.setdiff1d(kept, SECOND)
    reference = clone(model).fit(part(matrix, kept, kept), y[kept])
    rows = part(matrix, np.arange(40), kept)
    np.testing.assert_allclose(
        model.predict(rows), reference.predict(rows), rtol=1e-9, atol=1e-12
    )
    if "passthrough" not in holder:  # scikit-learn asks the first step for it
        assert model.n_features_in_ == reference.n_features_in_ == 35
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(model)).predict(rows), model.predict(rows)
    )
    with pytest.raises(UnknownRowsError):
        model.unlearn(part(matrix, FIRST[:1], kept))


def test_behind_a_kernel_centerer():
    model = make_pipeline(KernelCenterer(), KernelRidge(kernel="precomputed"))
    kept = np.setdiff1d(np.arange(40), FIRST)
    reference = clone(model).fit(part(KERNEL, kept, kept), Z[kept, 1])
    model.fit(KERNEL, Z[:, 1]).unlearn(KERNEL[FIRST])
    rows = KERNEL[:, kept]
    np.testing.assert_allclose(model.predict(rows), reference.predict(rows), rtol=1e-9)


@pytest.mark.parametrize("holder", ["ExactUnlearner", "Retrain", "Pipeline"])
def test_nothing_of_a_forgotten_row_is_left(holder):
    estimator, matrix, _ = ESTIMATORS["ridge"]
    model = HOLDERS[holder](clone(estimator)).fit(matrix, Z[:, 0])
    model.unlearn(matrix[FIRST])
    kept = np.setdiff1d(np.arange(40), FIRST)
    assert find_residue(model, matrix[FIRST], matrix[kept]) == []
    columns = matrix[np.ix_(kept, FIRST)]
    written = pickle.dumps(model)
    assert not any(value.tobytes() in written for value in columns.ravel())


def test_given_rows_are_square_too():
    estimator, matrix, y = ESTIMATORS["svc"]
    model = ExactUnlearner(clone(estimator), store_training_data=False).fit(matrix, y)
    kept = np.setdiff1d(np.arange(40), FIRST)
    given = part(matrix, kept, kept)
    model.unlearn(matrix[FIRST], X_retain=given, y_retain=y[kept])
    reference = clone(estimator).fit(given, y[kept])
    np.testing.assert_array_equal(
        model.predict(matrix[:, kept]), reference.predict(matrix[:, kept])
    )


def test_what_is_refused():
    estimator, matrix, y = ESTIMATORS["svc"]
    for behind in (estimator, make_sklearn_pipeline("passthrough", estimator)):
        with pytest.raises(ValueError, match="matrix between all rows"):
            SISAClassifier(behind).fit(matrix, y)
    model = Retrain(estimator)
    with pytest.warns(UnlearningWarning, match=r"pass X.to_numpy\(\)"):
        model.fit(pd.DataFrame(matrix), y)
