"""Warnings point at the line of the user."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.exact import CertifiedLogisticRegression
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline

X = np.random.default_rng(0).normal(size=(60, 3))
y = (X[:, 0] > 0).astype(int)


def forget_with_cache(folder):
    model = make_pipeline(StandardScaler(), GaussianNB(), memory=str(folder))
    model.fit(X, y)
    return lambda: model.unlearn(X[:3])


def fit_without_rows(_):
    model = make_pipeline(StandardScaler(), GaussianNB(), store_training_data=False)
    return lambda: model.fit(X, y)


def fit_short(_):
    return lambda: DropoutClassifier(max_iter=15, random_state=0).fit(X, y)


def fit_without_noise(_):
    return lambda: CertifiedLogisticRegression(sigma=1e-13).fit(X, y)


def search(_):
    model = make_pipeline(DropoutClassifier(max_iter=15, random_state=0))
    return lambda: cross_validate(model, X, y, cv=2)


@pytest.mark.parametrize(
    "prepare",
    [forget_with_cache, fit_without_rows, fit_short, fit_without_noise, search],
)
def test_warnings_point_at_the_line_of_the_user(prepare, tmp_path):
    call = prepare(tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert caught
    assert {Path(warning.filename).name for warning in caught} == {Path(__file__).name}
