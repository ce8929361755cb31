"""Real tables in full; run once a week by ``make test-slow``."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline as plain_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_unlearn.pipeline import make_pipeline

pytestmark = pytest.mark.slow


def mixed_pipeline():
    numbers = plain_pipeline(SimpleImputer(), StandardScaler())
    words = plain_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore", min_frequency=20),
    )
    encode = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (words, make_column_selector(dtype_exclude="number")),
    )
    return make_pipeline(encode, LogisticRegression(max_iter=2000))


@pytest.mark.parametrize("name", ["adult", "bank", "german", "diabetes130"])
def test_mixed_table(name, loaders):
    data = getattr(loaders, name)()
    frame, labels = data["X"], data["y"]
    if name == "diabetes130":  # several rows per patient
        persons = data["person"]
        chosen = np.unique(persons)[::700]
        mask = np.isin(persons, chosen)
    else:
        persons, chosen = None, None
        mask = np.zeros(len(frame), dtype=bool)
        mask[np.random.default_rng(0).choice(len(frame), 100, replace=False)] = True
    model = mixed_pipeline().fit(frame, labels, groups=persons)
    if chosen is None:
        model.unlearn(frame[mask], labels[mask])
    else:
        model.unlearn(groups=chosen)
    assert model.n_forgotten_ == mask.sum()
    rest = model.retained_rows()
    reference = clone(model).fit(rest.X, rest.y)
    np.testing.assert_allclose(
        model.predict_proba(frame), reference.predict_proba(frame), atol=1e-8
    )
