"""Classifiers that sum over classes, and rows for them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import sparse
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as LDA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis as QDA
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, MultinomialNB
from sklearn.neighbors import NearestCentroid

N_ROWS = 700


def numbers(rng, label):
    """Rows of unequal scale and offset, correlated, around means of the classes."""
    Z = rng.normal(size=(len(label), 5)) + label[:, None] * [1.0, -1.0, 0.3, 0.0, 0.1]
    Z[:, 3] += 0.5 * Z[:, 0]
    return Z * [0.1, 1.0, 30.0, 1.0, 5.0] + [5.0, 0.0, 1e3, -2.0, 0.0]


def counts(rng, label):
    return rng.poisson(1.0 + label[:, None] * [0.5, 0.0, 1.0, 0.2, 2.0, 0.0])


def words(rng, label):
    return sparse.csr_matrix(counts(rng, label) * (rng.random((len(label), 6)) < 0.4))


def amounts(rng, label):
    return np.exp(rng.normal(size=(len(label), 4))) * (1 + label[:, None])


def sparse_amounts(rng, label):
    X = amounts(rng, label)
    return sparse.csr_matrix(np.where(rng.random(X.shape) < 0.5, 0.0, X))


def categories(rng, label):
    return rng.integers(0, [2, 5, 9, 1], size=(len(label), 4)) + label[:, None] % 2


# estimator, rows
CLASSIFIERS = {
    "multinomial": (MultinomialNB(), counts),
    "multinomial, sparse": (MultinomialNB(fit_prior=False), words),
    "multinomial, amounts": (MultinomialNB(alpha=0.1), amounts),
    "multinomial, sparse amounts": (MultinomialNB(), sparse_amounts),
    "complement": (ComplementNB(norm=True), counts),
    "complement, sparse": (ComplementNB(), words),
    "Bernoulli": (BernoulliNB(binarize=0.3), numbers),
    "Bernoulli, sparse": (BernoulliNB(), words),
    "Bernoulli, as they are": (BernoulliNB(binarize=None), categories),
    "categorical": (CategoricalNB(), categories),
    "categorical, at least": (CategoricalNB(min_categories=[3, 4, 12, 5]), categories),
    "linear": (LDA(), numbers),
    "linear, covariance": (LDA(n_components=1, store_covariance=True), numbers),
    "linear, priors": (LDA(priors=[0.2, 0.3, 0.5]), numbers),
    "linear, least squares": (LDA("lsqr", shrinkage=0.1), numbers),
    "quadratic": (QDA(tol=1e-8, store_covariance=True), numbers),
    "quadratic, priors": (QDA(tol=1e-8, reg_param=0.1, priors=[0.2] * 3), numbers),
    "centroid": (NearestCentroid(), numbers),
    "centroid, shrunk": (
        NearestCentroid(shrink_threshold=0.5, priors="empirical"),
        numbers,
    ),
    "most frequent": (DummyClassifier(), numbers),
    "stratified": (DummyClassifier(strategy="stratified"), numbers),
}
try:
    SHRUNK = QDA(solver="eigen", shrinkage=0.2, tol=1e-8, store_covariance=True)
    CLASSIFIERS["quadratic, shrunk"] = (SHRUNK, numbers)
except TypeError:  # before scikit-learn 1.8
    pass


def labelled_rows(name, n_rows=N_ROWS, seed=0):
    """Rows for a case, and labels of three classes."""
    rng = np.random.default_rng(seed)
    label = rng.permutation(np.arange(n_rows) % 3)
    return CLASSIFIERS[name][1](rng, label), np.array(["a", "b", "c"])[label]
