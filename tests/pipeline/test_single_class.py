"""Pipelines of classifiers of which a single class is left."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle

import numpy as np
import pytest
from sklearn import pipeline
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import RobustScaler

from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import find_residue

Y = np.arange(300) % 2
X = np.random.default_rng(0).normal(size=(300, 3)) + Y[:, None] * [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(pipeline.make_pipeline(RobustScaler(), LogisticRegression())),
        make_pipeline(RobustScaler(), LogisticRegression()),
        make_pipeline(QuadraticDiscriminantAnalysis()),
    ],
    ids=["nested", "plain", "one step"],
)
def test_nothing_of_the_other_class_is_left(model):
    # prepared, the steps have a state that knows all rows
    model.fit(X, Y).prepare().unlearn(X[Y == 1])
    assert find_residue(model, X[Y == 1], X[Y == 0]) == []
    assert (model.predict(X) == 0).all()
    again = model.unlearn(X[:1])  # a row of the class that is left
    assert again.n_forgotten_ == 151
    assert (again.predict_proba(X) == [1.0, 0.0]).all()


def test_no_word_of_the_other_class_is_left():
    words = [f"common {'secret' if label else 'open'}" for label in Y]
    inner = pipeline.make_pipeline(TfidfVectorizer(), LogisticRegression())
    model = make_pipeline(inner).fit(words, Y).prepare()
    model.unlearn([word for word, label in zip(words, Y, strict=True) if label])
    assert b"secret" not in pickle.dumps(model)
