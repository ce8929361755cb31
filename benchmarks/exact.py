"""Exact forgetting against refitting, and the look-up of rows by value.

``python benchmarks/exact.py`` prints, for 10 of 100 000 rows with 50 columns, the
time of ``unlearn`` with the index built, that of ``clone(est).fit(X[keep], y[keep])``
in the same run, and the median of their ratios over pairs. The one-off cost of the
index and the summaries (``prepare``) stands apart.

``python benchmarks/exact.py transformers`` does so for scalers, imputers, encoders and
counts of words.

``python benchmarks/exact.py requests`` varies the number of rows to forget, and
``growth`` the number of rows that are kept, up to a million.

``python benchmarks/exact.py mixed`` forgets from a pipeline on a table of mixed types
(adult), which it reads from the folder ``SKLEARN_UNLEARN_DATA``.

``python benchmarks/exact.py rows`` times the look-up among a million rows.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from sklearn import pipeline
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, GaussianNB, MultinomialNB
from sklearn.neighbors import (
    KernelDensity,
    KNeighborsClassifier,
    NearestCentroid,
    RadiusNeighborsClassifier,
)
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
from threadpoolctl import threadpool_limits

from sklearn_unlearn.exact import ExactUnlearner
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.rows._store import RowStore
from sklearn_unlearn.utils._sklearn_compat import _safe_indexing as take


def timed(act):
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def forget_table(n_rows, n_columns, n_forget, n_pairs):
    """Print one line per estimator."""
    rng = np.random.default_rng(0)
    X, label = make_classification(
        n_rows, n_columns, n_informative=20, n_redundant=0, random_state=0
    )
    target = X @ rng.normal(size=n_columns) + rng.normal(size=n_rows)
    # columns without correlation, on which solvers of logistic regression are fast
    easy = rng.normal(size=(n_rows, n_columns))
    noisy = easy @ rng.normal(size=n_columns) + 3 * rng.normal(size=n_rows) > 0
    # words of few kinds, and a number that tells rows apart
    words = rng.integers(0, 20, size=(n_rows, 7))
    words = np.column_stack([words, np.arange(n_rows) % 997])
    words = np.unique(words, axis=0).astype(int).astype(str).astype(object)
    counts = rng.poisson(1.0, size=(n_rows, n_columns))
    jobs = [
        (StandardScaler(), X, None),
        (MinMaxScaler(), X, None),
        (OneHotEncoder(), words, None),
        (PCA(10), X, None),
        (LinearRegression(), X, target),
        (Ridge(), X, target),
        (GaussianNB(), X, label),
        (MultinomialNB(), counts, label),
        (BernoulliNB(), counts, label),
        (CategoricalNB(), counts, label),
        (LinearDiscriminantAnalysis(), X, label),
        (QuadraticDiscriminantAnalysis(), X, label),
        (NearestCentroid(), X, label),
        (DummyClassifier(), X, label),
        (LogisticRegression(), X, label),
        (LogisticRegression(), easy, noisy),
        (KNeighborsClassifier(), X, label),
        (RadiusNeighborsClassifier(), X, label),
        (KernelDensity(), X, None),
        (make_pipeline(StandardScaler(), LogisticRegression()), X, label),
    ]
    print_table(jobs, n_rows, n_columns, n_forget, n_pairs, rng)


def transformers_table(n_rows, n_columns, n_forget, n_pairs):
    """Print one line per transformer."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_columns))
    X[:, ::2] = np.round(X[:, ::2], 1)  # every other column of few values
    gaps = np.where(rng.random(X.shape) < 0.05, np.nan, X)
    target = X[:, 0] + rng.normal(size=n_rows)
    letters = np.array([f"level {i}" for i in range(30)], dtype=object)
    words = letters[np.minimum(rng.geometric(0.2, size=X.shape), 30) - 1]
    lexicon = np.array([f"word{i}" for i in range(20_000)])
    drawn = np.minimum(rng.zipf(1.3, size=(n_rows // 5, 50)), 20_000) - 1
    texts = [" ".join(row) for row in lexicon[drawn]]
    jobs = [
        (MinMaxScaler(), X, None),
        (MaxAbsScaler(), X, None),
        (VarianceThreshold(), X, None),
        (RobustScaler(), X, None),
        (QuantileTransformer(subsample=None), X, None),
        (QuantileTransformer(random_state=0), X, None),
        (SimpleImputer(), gaps, None),
        (SimpleImputer(strategy="median"), gaps, None),
        (SimpleImputer(strategy="most_frequent"), gaps, None),
        (SimpleImputer(strategy="most_frequent"), words, None),
        (OneHotEncoder(), words, None),
        (OneHotEncoder(min_frequency=0.01), words, None),
        (OrdinalEncoder(), words, None),
        (TargetEncoder(), words, target),
        (TargetEncoder(), words, target > 0),
        (CountVectorizer(), texts, None),
        (TfidfVectorizer(max_features=5000), texts, None),
    ]
    print_table(jobs, n_rows, n_columns, n_forget, n_pairs, rng)


def print_table(jobs, n_rows, n_columns, n_forget, n_pairs, rng):
    """Print the times of these estimators, rows and targets."""
    print(f"{n_forget} of {n_rows} rows, {n_columns} columns, {n_pairs} pairs\n")
    print(
        "| estimator | path | unlearn, ms | refit, ms | refit / unlearn | one-off, ms |"
    )
    print("|---|---|---|---|---|---|")
    for estimator, data, y in jobs:
        print(forget_line(estimator, data, y, n_forget, n_pairs, rng), flush=True)


def forget_line(estimator, X, y, n_forget, n_pairs, rng):
    """Time one estimator and write the line of a table."""
    found = measure(estimator, X, y, n_forget, n_pairs, rng)
    name = name_of(estimator)
    if isinstance(estimator, LogisticRegression):
        name += f" ({found['fitted'].n_iter_.max()} iterations)"
    low, high = found["range"]
    return (
        f"| {name} | {found['path']} | {found['ours']:.2f} | {found['theirs']:.1f} "
        f"| {found['ratio']:.1f} ({low:.1f} to {high:.1f}) | {found['one_off']:.0f} |"
    )


def name_of(estimator):
    """Type of an estimator, or of the steps of a pipeline."""
    steps = getattr(estimator, "steps", [("", estimator)])
    return " + ".join(type(step).__name__ for _, step in steps)


def measure(estimator, X, y, n_forget, n_pairs, rng):
    """Time pairs of a request and a refit; each forgets other rows of one model."""
    plain = estimator
    if hasattr(estimator, "steps"):
        model, path = clone(estimator).fit(X, y), "pipeline"
        plain = pipeline.Pipeline(estimator.steps)  # scikit-learn's own
        one_off = timed(model.prepare)
    else:
        model = ExactUnlearner(estimator).fit(X, y)
        one_off = timed(model.prepare)
        path = model.unlearning_cost(take(X, [0]), None if y is None else y[:1]).path
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    rows = rng.permutation(n_rows)[: n_forget * (n_pairs + 1)].reshape(-1, n_forget)
    ours, theirs, ratios, fitted = [], [], [], clone(plain)
    for i, chosen in enumerate(rows):
        X_forget = take(X, chosen)
        y_forget = None if y is None else y[chosen]
        keep = np.ones(n_rows, dtype=bool)
        keep[chosen] = False

        def refit(keep=keep):
            fitted.fit(take(X, keep), None if y is None else y[keep])

        a = timed(lambda X=X_forget, y=y_forget: model.unlearn(X, y))
        b = timed(refit)
        if i > 0:  # the first pair warms up
            ours.append(1e3 * a)
            theirs.append(1e3 * b)
            ratios.append(b / a)
    return {
        "path": path,
        "ours": statistics.median(ours),
        "theirs": statistics.median(theirs),
        "ratio": statistics.median(ratios),
        "range": (min(ratios), max(ratios)),
        "one_off": 1e3 * one_off,
        "fitted": fitted,
    }


def growing():
    """Estimators whose times are followed, and the kind of their target."""
    return [
        (StandardScaler(), None),
        (RobustScaler(), None),
        (Ridge(), "target"),
        (GaussianNB(), "label"),
        (LinearDiscriminantAnalysis(), "label"),
        (NearestCentroid(), "label"),
        (LogisticRegression(), "label"),
        (KNeighborsClassifier(), "label"),
    ]


def correlated(n_rows, n_columns, rng):
    """Rows of correlated columns, with a target of each kind."""
    X = rng.normal(size=(n_rows, n_columns))
    X += 0.7 * X[:, rng.permutation(n_columns)]
    target = X @ rng.normal(size=n_columns) + rng.normal(size=n_rows)
    label = (target + rng.normal(size=n_rows) > 0).astype(int)
    return X, {None: None, "target": target, "label": label}


def requests_table(n_rows, n_columns, n_pairs):
    """Print how the time grows with the number of rows of a request."""
    rng = np.random.default_rng(0)
    X, targets = correlated(n_rows, n_columns, rng)
    print(f"unlearn, ms (refit / unlearn), {n_rows} rows, {n_columns} columns\n")
    print("| estimator | 1 row | 10 rows | 1000 rows |\n|---|---|---|---|")
    for estimator, kind in growing():
        cells = []
        for n_forget in (1, 10, 1000):
            found = measure(estimator, X, targets[kind], n_forget, n_pairs, rng)
            cells.append(f"{found['ours']:.2f} ({found['ratio']:.1f})")
        print(f"| {name_of(estimator)} | {' | '.join(cells)} |", flush=True)


def growth_table(n_columns, n_pairs):
    """Print how the times grow with the number of rows that are kept."""
    rng, sizes = np.random.default_rng(0), (10_000, 100_000, 1_000_000)
    print(f"forget 10 rows, {n_columns} columns: unlearn / refit, ms (one-off)\n")
    print(f"| estimator | {' | '.join(f'{n:,} rows' for n in sizes)} |")
    print("|---|" + "---|" * len(sizes))
    data = [correlated(n_rows, n_columns, rng) for n_rows in sizes]
    for estimator, kind in growing():
        cells = []
        for X, targets in data:
            found = measure(estimator, X, targets[kind], 10, n_pairs, rng)
            times = f"{found['ours']:.2f} / {found['theirs']:.1f}"
            cells.append(f"{times} ({found['one_off']:.0f})")
        print(f"| {name_of(estimator)} | {' | '.join(cells)} |", flush=True)


def mixed_table(n_pairs):
    """Print the times of a pipeline with imputers, a scaler and an encoder."""
    folder = Path(os.environ.get("SKLEARN_UNLEARN_DATA", "../shared/data"))
    if not (folder / "loaders.py").is_file():
        sys.exit("the table is not here: set SKLEARN_UNLEARN_DATA to its folder")
    sys.path.insert(0, str(folder))
    import loaders

    data, rng = loaders.adult(), np.random.default_rng(0)
    is_number = [
        np.issubdtype(np.asarray(data["X"][c]).dtype, np.number) for c in data["X"]
    ]
    mixed = make_column_transformer(
        (
            pipeline.make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            data["X"].columns[is_number],
        ),
        (
            pipeline.make_pipeline(
                SimpleImputer(strategy="most_frequent"),
                OneHotEncoder(handle_unknown="ignore"),
            ),
            data["X"].columns[~np.array(is_number)],
        ),
    )
    model = make_pipeline(mixed, LogisticRegression(max_iter=1000))
    jobs = [(model, data["X"], data["y"])]
    print_table(jobs, *data["X"].shape, 10, n_pairs, rng)


def rows_table(n_rows, n_columns):
    """Print the times of indexing and looking up rows."""
    rng = np.random.default_rng(0)
    distinct = rng.normal(size=(n_rows, n_columns))
    few = rng.integers(0, 3, size=(243, 5)).astype(float)[rng.integers(0, 243, n_rows)]
    print("| rows | index, s | 1000 exact, s | 1000 within rounding, s |")
    print("|---|---|---|---|")
    for name, X in (("all different", distinct), ("243 different", few)):
        store = RowStore.keep(X)
        index = timed(store.build_index)
        chosen = rng.choice(n_rows, 1000, replace=False)
        exact = timed(lambda X=X, s=store, c=chosen: s.find(X[c]))
        nearly = X[chosen] * (1 + 1e-14)
        close = timed(lambda s=store, q=nearly: s.find(q))
        print(f"| {name} | {index:.2f} | {exact:.3f} | {close:.2f} |", flush=True)


def main():
    """Print the table that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "table",
        nargs="?",
        default="forget",
        choices=("forget", "transformers", "requests", "growth", "mixed", "rows"),
    )
    parser.add_argument("--rows", type=int)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--pairs", type=int, default=15)
    args = parser.parse_args()
    n_rows = args.rows or 100_000
    with threadpool_limits(1):  # as steady as it gets
        if args.table == "rows":
            rows_table(args.rows or 1_000_000, args.columns)
        elif args.table == "requests":
            requests_table(n_rows, args.columns, args.pairs)
        elif args.table == "growth":
            growth_table(args.columns, args.pairs)
        elif args.table == "mixed":
            mixed_table(args.pairs)
        else:
            table = forget_table if args.table == "forget" else transformers_table
            table(n_rows, args.columns, 10, args.pairs)


if __name__ == "__main__":
    main()
