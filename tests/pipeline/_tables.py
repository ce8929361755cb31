"""A pipeline for tables of mixed types."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn import pipeline as sklearn_pipeline
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_unlearn.pipeline import make_pipeline


def mixed_pipeline(frame):
    """Impute, scale and encode by type of column, then a logistic regression."""
    is_word = [not np.issubdtype(np.asarray(frame[c]).dtype, np.number) for c in frame]
    words = frame.columns[is_word].tolist()
    numbers = frame.columns[~np.array(is_word)].tolist()
    mixed = make_column_transformer(
        (
            sklearn_pipeline.make_pipeline(
                SimpleImputer(strategy="median"), StandardScaler()
            ),
            numbers,
        ),
        (
            sklearn_pipeline.make_pipeline(
                SimpleImputer(strategy="most_frequent"),
                OneHotEncoder(handle_unknown="ignore", min_frequency=5),
            ),
            words,
        ),
    )
    return make_pipeline(mixed, LogisticRegression(C=0.1, max_iter=1000))
