"""Estimators for the tests of residue and of states: one that keeps, honest ones."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier


class Keeper(TransformerMixin, BaseEstimator):
    """Keep what a function makes of the rows, and claim to have forgotten some."""

    def __init__(self, keep, scale=None):
        self.keep = keep
        self.scale = scale

    def fit(self, X, y=None):
        self.kept_ = self.keep(X)
        return self

    def transform(self, X):
        return X if self.scale is None else X * self.scale


HONEST = (
    LogisticRegression(),
    KNeighborsClassifier(),
    RandomForestClassifier(100, random_state=0),
    DecisionTreeClassifier(),
    HistGradientBoostingClassifier(max_iter=5, early_stopping=False),
    MinMaxScaler(),
    QuantileTransformer(n_quantiles=100),
    KBinsDiscretizer(5, quantile_method="averaged_inverted_cdf"),
    KMeans(3, n_init=2, random_state=0),
    GaussianNB(),
    OneHotEncoder(handle_unknown="ignore"),
    MLPClassifier((20,), max_iter=15, random_state=0),
    SVC(),
    PCA(),
    make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), SVC()),
    make_pipeline(PCA(), KNeighborsClassifier()),
    # ranks are fractions, as the shares of classes in a leaf are
    make_pipeline(
        QuantileTransformer(n_quantiles=50),
        RandomForestClassifier(50, random_state=0),
    ),
    make_pipeline(MinMaxScaler(clip=True), KNeighborsClassifier(algorithm="kd_tree")),
    make_pipeline(
        make_column_transformer((StandardScaler(), [0]), remainder="passthrough"),
        QuantileTransformer(n_quantiles=50, output_distribution="normal"),
        RandomForestClassifier(20, random_state=0),
    ),
)
