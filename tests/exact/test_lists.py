"""Rows in lists mean to a refit what they mean to a fit of scikit-learn."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline as make_sklearn_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)

from sklearn_unlearn.exact import ExactUnlearner, Retrain, SISAClassifier
from sklearn_unlearn.pipeline import make_pipeline

RNG = np.random.default_rng(0)
N_ROWS = 40
WORDS = [*RNG.choice(["red", "green"], N_ROWS - 1).tolist(), "canary"]
ROWS = [[word, i % 4, i / 8] for i, word in enumerate(WORDS)]
DICTS = [{"word": word, "size": size, str(size): x} for word, size, x in ROWS]
Y = np.arange(N_ROWS) % 2
FORGET = [3, 20, N_ROWS - 1]
STAYS = np.setdiff1d(np.arange(N_ROWS), FORGET)

UNKNOWN = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
CASES = {
    "one-hot": (OneHotEncoder(handle_unknown="ignore"), ROWS),
    "ordinal": (OrdinalEncoder(**UNKNOWN), ROWS),
    "target": (TargetEncoder(random_state=0), ROWS),
    "tuples": (OneHotEncoder(handle_unknown="ignore"), list(map(tuple, ROWS))),
    "columns": (
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), [0, 1]), (StandardScaler(), [2])
        ),
        ROWS,
    ),
    "numbers": (StandardScaler(), [row[1:] for row in ROWS]),
    "dictionaries": (DictVectorizer(), DICTS),
    "hashed": (FeatureHasher(16), DICTS),
}
HOLDERS = {
    "ExactUnlearner": ExactUnlearner,
    "Retrain": Retrain,
    "Pipeline": lambda e: make_pipeline(e, LogisticRegression()),
    "SISA": lambda e: SISAClassifier(
        make_sklearn_pipeline(e, LogisticRegression()), n_shards=2, random_state=0
    ),
}


def take(rows, positions):
    return [rows[i] for i in positions]


def answer(model, rows):
    method = "predict_proba" if hasattr(model, "predict_proba") else "transform"
    values = getattr(model, method)(rows)
    return values.toarray() if sparse.issparse(values) else values


@pytest.mark.filterwarnings("ignore:.TargetEncoder:FutureWarning")
@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("case", CASES)
def test_equals_a_fit_without_the_rows(case, holder):
    estimator, rows = CASES[case]
    model = HOLDERS[holder](clone(estimator))
    reference = clone(model).fit(take(rows, STAYS), Y[STAYS])
    model.fit(rows, Y)
    if hasattr(model, "prepare"):
        model.prepare()
    model.unlearn(take(rows, FORGET))
    kept = take(rows, STAYS)
    np.testing.assert_allclose(
        answer(model, kept), answer(reference, kept), rtol=1e-8, atol=1e-12
    )
    named = hasattr(estimator, "get_feature_names_out")
    if named and holder in ("ExactUnlearner", "Retrain"):
        names = model.get_feature_names_out().tolist()
        assert names == reference.get_feature_names_out().tolist()
