"""The table of containers in the documentation is true."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline as make_sklearn_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import _safe_indexing
from sklearn.utils.fixes import parse_version

from sklearn_unlearn.exact import (
    ExactUnlearner,
    RemovalForestClassifier,
    Retrain,
    SISAClassifier,
)
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline

PAGE = Path(__file__).parents[1] / "docs" / "containers.rst"
N_ROWS = 60
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(N_ROWS, 3)).round(2)
NUMBERS[RNG.random(NUMBERS.shape) < 0.3] = 0.0
Y = (NUMBERS[:, 0] + 0.3 * RNG.normal(size=N_ROWS) > 0).astype(int)
WORDS = RNG.choice(["red", "green", "blue"], N_ROWS).tolist()
TABLE = list(map(list, zip(WORDS, range(N_ROWS), strict=True)))
FORGET = np.array([5, 9, 20])
STAYS = np.setdiff1d(np.arange(N_ROWS), FORGET)


def frame(words=False):
    """A frame of pandas, of numbers or of words and numbers."""
    if words:
        return pd.DataFrame(TABLE, columns=["word", "number"])
    return pd.DataFrame(NUMBERS, columns=list("abc"))


def polars(words=False):
    columns = frame(words).to_dict("list")
    return pytest.importorskip("polars").DataFrame(columns)


def pyarrow(words=False):
    columns = frame(words).to_dict("list")
    return pytest.importorskip("pyarrow").table(columns)


def dask():
    frames = pytest.importorskip("dask.dataframe")
    return frames.from_pandas(frame(), npartitions=2)


def documents():
    return [f"{word} {number} word" for word, number in TABLE]


def sparse_rows(form):
    return getattr(sparse, f"{form}_array")(NUMBERS)


def distances():
    return np.linalg.norm(NUMBERS[:, None] - NUMBERS[None], axis=2)


# what the first column of the page says: rows of the kind, and what takes such rows
CONTAINERS = {
    "array": (lambda: NUMBERS, "numbers"),
    "array of objects": (lambda: np.array(TABLE, dtype=object), "words"),
    "list of lists of numbers": (NUMBERS.tolist, "numbers"),
    "list of lists or tuples of mixed cells": (
        lambda: [tuple(row) for row in TABLE],
        "words",
    ),
    "list of documents": (documents, "documents"),
    "series of documents": (lambda: pd.Series(documents()), "documents"),
    "list of dicts": (
        lambda: [{"word": word, "number": number} for word, number in TABLE],
        "dictionaries",
    ),
    "pandas frame of numbers": (frame, "numbers"),
    "pandas frame of mixed columns": (lambda: frame(words=True), "words"),
    "polars frame of numbers": (polars, "numbers"),
    "polars frame of mixed columns": (lambda: polars(words=True), "words"),
    "pyarrow table of numbers": (pyarrow, "numbers"),
    "pyarrow table of mixed columns": (lambda: pyarrow(words=True), "words"),
    "dask frame": (dask, "numbers"),
    **{
        f"sparse rows, {form}": (lambda form=form: sparse_rows(form), "numbers")
        for form in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
    },
    "sparse labels": (lambda: NUMBERS, "labels"),
    "kernel or distance matrix": (distances, "distances"),
}
ENCODERS = {
    "words": OneHotEncoder(handle_unknown="ignore"),
    "documents": CountVectorizer(),
    "dictionaries": DictVectorizer(),
}


def inner_of(kind, holder):
    """What a holder is given for rows of a kind."""
    if kind == "distances":
        return KNeighborsClassifier(3, metric="precomputed")
    if kind == "labels":
        return OneVsRestClassifier(LogisticRegression())
    if kind == "numbers":
        if holder == "Pipeline":
            return make_sklearn_pipeline(MaxAbsScaler(), LogisticRegression())
        return BernoulliNB() if holder == "ExactUnlearner" else DecisionTreeClassifier()
    return make_sklearn_pipeline(ENCODERS[kind], LogisticRegression())


# what the heading of each other column stands for
HOLDERS = {
    "Pipeline": lambda e: make_pipeline(
        *(s for _, s in getattr(e, "steps", [("", e)]))
    ),
    "ExactUnlearner": ExactUnlearner,
    "Retrain": Retrain,
    "SISA": lambda e: SISAClassifier(e, n_shards=2, random_state=0),
    "forest": lambda e: RemovalForestClassifier(n_estimators=3, random_state=0),
    "networks": lambda e: DropoutClassifier(
        (4,), max_iter=3, n_iter_no_change=3, random_state=0
    ),
}


def rows_of_page():
    """The cells of the table, by container and holder."""
    text = PAGE.read_text("utf-8")
    table = text[text.index(".. list-table::") :]
    lines = re.findall(r"^   (\* -|  -) (.*)$", table, flags=re.MULTILINE)
    rows = []
    for mark, cell in lines:
        if mark == "* -":
            rows.append([])
        rows[-1].append(cell)
    heading, *body = rows
    return {
        (row[0], name): cell
        for row in body
        for name, cell in zip(heading[1:], row[1:], strict=True)
    }


CELLS = rows_of_page()


def test_the_page_has_all_containers():
    assert {name for name, _ in CELLS} == CONTAINERS.keys()
    assert {name for _, name in CELLS} == HOLDERS.keys()
    assert set(CELLS.values()) == {"exact", "exact (1.9)", "as features", "refused"}


def take(X, rows, kind, columns=slice(None)):
    if sparse.issparse(X):
        return X.tocsr()[rows].asformat(X.format)
    return X[rows][:, columns] if kind == "distances" else _safe_indexing(X, rows)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The training rows cannot be kept")
@pytest.mark.parametrize(("container", "holder"), CELLS)
def test_a_cell_of_the_table(container, holder):
    make, kind = CONTAINERS[container]
    X, cell = make(), CELLS[container, holder]
    kind = "numbers" if cell == "as features" else kind
    old = parse_version(sklearn.__version__) < parse_version("1.9")
    inner = inner_of(kind, holder)
    if "random_state" in inner.get_params():
        inner.set_params(random_state=0)
    model = HOLDERS[holder](inner)
    y = sparse.csr_matrix(np.c_[Y, 1 - Y]) if kind == "labels" else Y
    if cell == "refused" or (cell == "exact (1.9)" and old):
        with pytest.raises((TypeError, ValueError)) as refusal:
            model.fit(X, y).unlearn(frame()[:3])
        assert len(str(refusal.value)) > 20
        return
    reference = clone(model).fit(take(X, STAYS, kind, STAYS), y[STAYS])
    model.fit(X, y).unlearn(take(X, FORGET, kind))
    queries = take(X, np.arange(N_ROWS), kind, STAYS)
    np.testing.assert_allclose(
        model.predict_proba(queries), reference.predict_proba(queries), rtol=1e-8
    )
