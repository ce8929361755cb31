"""Rules for counts of words."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from itertools import chain
from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import (
    CountVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._counts_rule import CountsRule
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.utils._saved import saved_as
from sklearn_unlearn.utils._sklearn_compat import (
    get_tfidf_transformer,
    set_tfidf_transformer,
)


@register_rule(CountVectorizer, TfidfVectorizer)
class VectorizerRule(CountsRule):
    """In how many documents each term occurs, and how often in all of them."""

    keeps_output = True

    def covers(self, estimator, X, y=None, **params):
        # the documents themselves are kept, not the files that names lead to
        return estimator.input == "content"

    def is_fixed(self, fitted):
        return fitted.fixed_vocabulary_ and not _uses_idf(fitted)

    def columns(self, fitted, X):
        analyze = fitted.build_analyzer()
        found = [list(analyze(document)) for document in X]
        if fitted.fixed_vocabulary_:
            known = fitted.vocabulary_
            found = [[term for term in terms if term in known] for terms in found]
        columns = [list(chain.from_iterable(map(set, found)))]
        if fitted.max_features is not None:
            columns.append(list(chain.from_iterable(found)))
        return columns

    def assemble(self, fitted, counts):
        if fitted.fixed_vocabulary_:
            terms = sorted(fitted.vocabulary_, key=fitted.vocabulary_.get)
            vocabulary = fitted.vocabulary_
        else:
            terms = self._terms(fitted, counts)
            if not len(terms):
                return None  # scikit-learn says what is wrong
            vocabulary = fitted.vocabulary_
            if vocabulary.keys() != set(terms):
                vocabulary = dict(zip(terms, range(len(terms)), strict=True))
        if vocabulary is fitted.vocabulary_ and not _uses_idf(fitted):
            return fitted
        new = shallow_copy(fitted)
        new.vocabulary_ = vocabulary
        weights = get_tfidf_transformer(fitted)
        if _uses_idf(fitted):
            column = counts.columns[0]
            found = column.find(terms)
            n_documents = np.where(found < 0, 0, column.counts[found])
            weights = _with_idf(weights, n_documents, counts.n_rows)
        elif weights is not None:
            weights = shallow_copy(weights)
            weights.n_features_in_ = len(terms)
        if weights is not None:
            set_tfidf_transformer(new, weights)
        return new

    def _terms(self, fitted, counts):
        """Return the terms that are neither too rare nor too common, sorted."""
        column, n_rows = counts.columns[0], counts.n_rows
        low, high = (
            bound if isinstance(bound, Integral) else bound * n_rows
            for bound in (fitted.min_df, fitted.max_df)
        )
        if not len(column) or high < low:
            return []
        kept = (column.counts >= low) & (column.counts <= high)
        limit = fitted.max_features
        terms = column.values[kept]
        if limit is not None and len(terms) > limit:
            times = counts.columns[1].counts
            if fitted.binary:
                times = column.counts
            # as scikit-learn adds them up and sorts them: ties depend on it
            times = sparse.csr_array(times[None].astype(fitted.dtype)).sum(axis=0)
            most = (-np.ravel(times)[kept]).argsort()[:limit]
            terms = terms[np.sort(most)]
        return terms.tolist()


def _uses_idf(fitted):
    """Whether terms have weights by how many documents have them."""
    return get_tfidf_transformer(fitted) is not None and fitted.use_idf


@saved_as("counts of documents")
class DocumentCounts(NamedTuple):
    """In how many rows each column is stored, and how many rows there are."""

    n_documents: np.ndarray
    n_rows: int

    @classmethod
    def of(cls, n_documents, n_rows, amounts=None):
        """Return what is counted."""
        return cls(n_documents, n_rows)

    def without(self, n_documents, n_rows, amounts=None):
        """Return the counts without those of some rows."""
        return DocumentCounts(self.n_documents - n_documents, self.n_rows - n_rows)


@register_rule(TfidfTransformer)
class TfidfTransformerRule(CountsRule):
    """In how many rows each column is not zero."""

    state_type = DocumentCounts

    def is_fixed(self, fitted):
        return not fitted.use_idf

    def covers(self, estimator, X, y=None, **params):
        return sparse.issparse(X) or np.asarray(X).dtype.kind in "fiub"

    def columns(self, fitted, X):
        X = sparse.csr_array(X)
        return np.bincount(X.indices, minlength=X.shape[1])

    def assemble(self, fitted, counts):
        return _with_idf(fitted, *counts)


def _with_idf(fitted, n_documents, n_rows):
    """Return the transformer with other frequencies of documents."""
    dtype = fitted.idf_.dtype
    n_documents = n_documents.astype(dtype) + dtype.type(fitted.smooth_idf)
    share = np.full_like(n_documents, n_rows + int(fitted.smooth_idf)) / n_documents
    new = shallow_copy(fitted)
    new.idf_ = np.log(share) + dtype.type(1.0)
    new.n_features_in_ = len(n_documents)
    return new
