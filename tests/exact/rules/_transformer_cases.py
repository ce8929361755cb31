"""Transformers and rows for the tests of their rules."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import (
    CountVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

N_ROWS = 400
RNG = np.random.default_rng(0)


def numbers(missing=0.0):
    """Distinct numbers, few numbers, a constant, whole numbers; copies of rows."""
    X = np.column_stack(
        [
            RNG.normal(size=N_ROWS) * 1e3 + 7,
            RNG.integers(0, 4, N_ROWS),
            np.full(N_ROWS, 0.1),
            RNG.integers(-50, 50, N_ROWS) / 2,
        ]
    )
    X[RNG.random(X.shape) < missing] = np.nan
    X[50:60] = X[40]
    X[[5, 17], 2] = 9.0  # the rows that forgetting makes the column constant
    return X


def words(missing=(None, np.nan)):
    """Objects: frequent and rare words, missing values, numbers."""
    X = np.empty((N_ROWS, 3), dtype=object)
    X[:, 0] = RNG.choice(
        list("abcdefg"), N_ROWS, p=[0.4, 0.3, 0.2, 0.06, 0.02, 0.01, 0.01]
    )
    X[:, 1] = RNG.choice(np.array(["u", "v", *missing], dtype=object), N_ROWS)
    X[:, 2] = RNG.integers(0, 5, N_ROWS)
    X[[5, 17], 0] = "only the forgotten"
    X[50:60] = X[40]
    return X


def frame():
    """Columns of every type that pandas has for such data."""
    X = words((np.nan,))
    return pd.DataFrame(
        {
            "text": pd.Series(X[:, 0], dtype="str"),
            "string": pd.Series(X[:, 0], dtype=object),
            "level": pd.Categorical(X[:, 1]),
            "whole": X[:, 2].astype(np.int64),
            "number": np.where(
                RNG.random(N_ROWS) < 0.1, np.nan, RNG.normal(size=N_ROWS)
            ),
            "few": RNG.integers(0, 3, N_ROWS) / 4,
            "flag": RNG.random(N_ROWS) < 0.2,
        }
    )


def documents():
    lexicon = np.array([f"word{i}" for i in range(60)])
    share = 1.0 / np.arange(1, 61)
    drawn = RNG.choice(lexicon, (N_ROWS, 9), p=share / share.sum())
    texts = [" ".join(row) for row in drawn]
    texts[5] += " secret phrase"
    texts[17] += " secret"
    return texts


def sparse_counts():
    shown = np.random.default_rng(1).random((N_ROWS, 8)) < 0.2
    return sparse.csr_matrix(np.where(shown, RNG.integers(1, 9, shown.shape), 0.0))


FULL, GAPS, WORDS, FRAME = numbers(), numbers(0.1), words(), frame()
PLAIN_WORDS = words(("w",))
MIXED = FRAME[["number", "whole", "few"]]
GAPS_AT_MINUS_1 = RNG.integers(-1, 6, (N_ROWS, 3))
MARKED = np.where(PLAIN_WORDS == "w", "?", PLAIN_WORDS)
TARGET = np.round(RNG.normal(size=N_ROWS) * 3 + 1e4, 3)
LABEL = RNG.choice(["no", "yes"], N_ROWS)
KIND = RNG.choice(["x", "y", "z"], N_ROWS)
TEXTS = documents()

CASES = {
    "max-abs": (MaxAbsScaler(), GAPS),
    "max-abs, single": (MaxAbsScaler(), GAPS.astype(np.float32)),
    "max-abs, sparse": (MaxAbsScaler(), sparse_counts()),
    "max-abs, frame": (MaxAbsScaler(), MIXED),
    "min-max": (MinMaxScaler((-1, 2)), GAPS),
    "min-max, single": (MinMaxScaler((-1, 2)), GAPS.astype(np.float32)),
    "min-max, frame": (MinMaxScaler(), MIXED),
    "scaler, frame": (StandardScaler(), MIXED),
    "robust": (RobustScaler(), GAPS),
    "robust, unit": (RobustScaler(quantile_range=(60, 99), unit_variance=True), FULL),
    "robust, no scaling": (RobustScaler(with_scaling=False), FULL),
    "robust, no centring": (RobustScaler(with_centering=False), MIXED),
    "quantiles": (QuantileTransformer(n_quantiles=31, subsample=None), GAPS),
    "quantiles, all": (QuantileTransformer(), MIXED),
    "variance": (VarianceThreshold(), GAPS),
    "variance, threshold": (VarianceThreshold(0.5), FULL),
    "variance, frame": (VarianceThreshold(), MIXED),
    "mean": (SimpleImputer(add_indicator=True), MIXED),
    "mean, other gaps": (SimpleImputer(missing_values=-1), GAPS_AT_MINUS_1),
    "median": (SimpleImputer(strategy="median", add_indicator=True), GAPS),
    "median, single": (SimpleImputer(strategy="median"), GAPS.astype(np.float32)),
    "median, frame": (SimpleImputer(strategy="median"), MIXED),
    "mode": (SimpleImputer(strategy="most_frequent"), GAPS),
    "mode, other gaps": (
        SimpleImputer(missing_values=-1, strategy="most_frequent", add_indicator=True),
        GAPS_AT_MINUS_1,
    ),
    "mode of words": (
        SimpleImputer(missing_values="?", strategy="most_frequent", add_indicator=True),
        MARKED,
    ),
    "mode, frame": (
        SimpleImputer(strategy="most_frequent", keep_empty_features=True),
        FRAME.drop(columns="flag"),
    ),
    "constant": (SimpleImputer(strategy="constant", fill_value=3.5), GAPS),
    "constant, frame": (SimpleImputer(strategy="constant", add_indicator=True), FRAME),
    "one-hot": (OneHotEncoder(), WORDS),
    "one-hot, drop": (
        OneHotEncoder(drop="if_binary", sparse_output=False),
        PLAIN_WORDS,
    ),
    "one-hot, numbers": (OneHotEncoder(), GAPS),
    "one-hot, frame": (OneHotEncoder(handle_unknown="ignore"), FRAME),
    "one-hot, rare": (OneHotEncoder(min_frequency=0.015), WORDS),
    "one-hot, few": (
        OneHotEncoder(max_categories=3, drop="first", handle_unknown="warn"),
        FRAME.drop(columns="number"),
    ),
    "one-hot, all rare": (OneHotEncoder(min_frequency=N_ROWS - 1), WORDS),
    "one-hot, given": (
        OneHotEncoder(
            categories=[list("hgfedcba"), list("uvwx")],
            min_frequency=9,
            handle_unknown="ignore",
        ),
        PLAIN_WORDS[:, :2],
    ),
    "ordinal": (OrdinalEncoder(), WORDS),
    "ordinal, frame": (
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-3),
        FRAME,
    ),
    "ordinal, rare": (
        OrdinalEncoder(min_frequency=10, max_categories=4, encoded_missing_value=-2),
        words((np.nan,)),
    ),
    "target": (TargetEncoder(), WORDS, TARGET),
    "target, smooth": (TargetEncoder(smooth=3.0), FRAME, TARGET),
    "target, two": (TargetEncoder(), FRAME, LABEL),
    "target, three": (TargetEncoder(smooth=0.0), WORDS, KIND),
    "target, three by variance": (TargetEncoder(), GAPS, KIND),
    "count": (CountVectorizer(), TEXTS),
    "count, bounds": (CountVectorizer(min_df=0.02, max_df=200), TEXTS),
    "count, most": (CountVectorizer(max_features=20, ngram_range=(1, 2)), TEXTS),
    "count, binary": (CountVectorizer(max_features=20, binary=True), TEXTS),
    "tf-idf": (TfidfVectorizer(max_features=30), TEXTS),
    "tf-idf, single": (TfidfVectorizer(dtype=np.float32, smooth_idf=False), TEXTS),
    "tf-idf, no idf": (TfidfVectorizer(use_idf=False), TEXTS),
    "tf-idf, given": (TfidfVectorizer(vocabulary=["word2", "never", "word1"]), TEXTS),
    "tf-idf of counts": (TfidfTransformer(), sparse_counts()),
    "tf-idf of columns": (TfidfTransformer(), sparse_counts().tocsc()),
    "tf-idf of dense": (TfidfTransformer(), sparse_counts().toarray()),
}


def exact_cases():
    """Cases whose state has no rounding at all."""
    rounded = ("scaler", "variance", "mean", "target")
    return {name for name in CASES if not name.startswith(rounded)}


EXACT = exact_cases()
