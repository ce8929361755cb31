"""Removal forests beside scikit-learn's extremely randomised trees.

``python benchmarks/forest.py`` prints two tables. The first has the accuracy (for
numbers, R²) on test rows over seeds, which also draw the training rows, and the mean
difference with its 95 % interval. The second has processor times on one thread: of a
fit of either forest, of ``unlearn`` for one row with the index built, and the median
and range of the ratios of refits on the retained rows, selected in that time, to the
mean of five such requests before it in the same run; then of one for 1000 rows.

The data are not part of the repository: the variable ``SKLEARN_UNLEARN_DATA`` names
their folder.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse
import importlib.util
import os
import pickle
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from sklearn_unlearn.exact import RemovalForestClassifier, RemovalForestRegressor

CLASSIFIERS = RemovalForestClassifier, ExtraTreesClassifier
REGRESSORS = RemovalForestRegressor, ExtraTreesRegressor
N_SINGLE, N_MANY = 5, 1000


def jobs():
    """Yield name, rows, targets and the two forests."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("SKLEARN_UNLEARN_DATA", default)) / "loaders.py"
    if not path.is_file():
        sys.exit("The data are not here: set SKLEARN_UNLEARN_DATA to their folder.")
    spec = importlib.util.spec_from_file_location("loaders", path)
    loaders = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaders)
    adult = loaders.adult()
    words = adult["X"].select_dtypes(exclude="number").astype("category")
    numbers = adult["X"].select_dtypes("number").fillna(-1)
    codes = words.apply(lambda column: column.cat.codes)
    indicators = pd.get_dummies(words, dummy_na=True)
    y = adult["y"]
    yield "adult, codes", pd.concat([numbers, codes], axis=1), y, CLASSIFIERS
    yield "adult, indicators", pd.concat([numbers, indicators], axis=1), y, CLASSIFIERS
    data = loaders.covertype15k()
    yield "covertype15k", data["X"], data["y"], CLASSIFIERS
    data = loaders.california()
    yield "california", data["X"], data["y"], REGRESSORS


def timed(act):
    """Return the seconds of processor time that a call takes."""
    start = time.process_time()
    act()
    return time.process_time() - start


def score_line(name, X, y, makers, n_seeds, n_trees):
    """Compare the scores of the two forests."""
    scores = []
    for seed in range(n_seeds):
        X_fit, X_test, y_fit, y_test = train_test_split(X, y, random_state=seed)
        scores.append(
            [
                make(n_trees, random_state=seed).fit(X_fit, y_fit).score(X_test, y_test)
                for make in makers
            ]
        )
    ours, theirs = np.mean(scores, axis=0)
    gaps = np.diff(scores, axis=1)[:, 0] * -100
    half = stats.t.ppf(0.975, n_seeds - 1) * gaps.std(ddof=1) / np.sqrt(n_seeds)
    return (
        f"| {name} | {X.shape[0]} x {X.shape[1]} | {ours:.4f} | {theirs:.4f} "
        f"| {gaps.mean():+.2f} ± {half:.2f} |"
    )


def time_line(name, X, y, makers, n_pairs, n_trees):
    """Time requests and refits in turn."""
    rng = np.random.default_rng(0)
    makers[0](1, random_state=0).fit(X[:100], y[:100])  # compiles
    model = makers[0](n_trees, random_state=0)
    fit = timed(lambda: model.fit(X, y))
    one_off = timed(model._rows.build_index)
    rows, targets = X.copy(), y.copy()  # those that are kept
    ones, refits = [], {make: [] for make in makers}
    for pair in range(n_pairs + 1):
        singles = []
        for _ in range(N_SINGLE):
            chosen = rng.integers(len(rows))
            X_one, y_one = rows[[chosen]], targets[[chosen]]
            singles.append(timed(lambda a=X_one, b=y_one: model.unlearn(a, b)))
            rows, targets = np.delete(rows, chosen, 0), np.delete(targets, chosen)
        keep = np.arange(len(rows))  # as many rows are selected as in a request
        for make in makers:
            seconds = timed(
                lambda make=make: make(n_trees, random_state=0).fit(
                    rows[keep], targets[keep]
                )
            )
            if pair:  # the first pair warms up
                refits[make].append(seconds / statistics.mean(singles))
                if make is makers[1]:
                    refits.setdefault("seconds", []).append(seconds)
        if pair:
            ones += singles
    many = rng.choice(len(rows), N_MANY, replace=False)
    thousand = timed(lambda: model.unlearn(rows[many], targets[many]))
    size = len(pickle.dumps(model.export())) / 2**20
    own, theirs = (
        f"{statistics.median(r):.0f} ({min(r):.0f} to {max(r):.0f})"
        for r in (refits[make] for make in makers)
    )
    return (
        f"| {name} | {fit:.2f} | {statistics.median(refits['seconds']):.2f} "
        f"| {1e3 * one_off:.0f} | {1e3 * statistics.mean(ones):.1f} | {theirs} | {own} "
        f"| {thousand:.2f} | {size:.0f} |"
    )


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--trees", type=int, default=100)
    args = parser.parse_args()
    data = [(n, np.asarray(X, float), np.asarray(y), m) for n, X, y, m in jobs()]
    print("| data | rows | removal forest | ExtraTrees | difference, points |")
    print("|---|---|---|---|---|")
    with threadpool_limits(1):
        for job in data:
            print(score_line(*job, args.seeds, args.trees), flush=True)
        print(
            "\n| data | fit, s | ExtraTrees, s | index, ms | forget one, ms "
            "| ExtraTrees / that | refit / that | forget 1000, s | export, MB |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        for job in data:
            print(time_line(*job, args.pairs, args.trees), flush=True)


if __name__ == "__main__":
    main()
