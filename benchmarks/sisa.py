"""Ensembles of shards and slices: forgetting one row against fitting again.

``python benchmarks/sisa.py`` prints two tables. The first is measured on 5000 rows of
MNIST and on 12 096 training rows of Covertype, with 5 shards and 4 slices: the
processor time of ``unlearn`` for one row, that of fitting the same ensemble without
the row in the same run, the median and range of their ratios over pairs, and the
accuracy of the ensemble beside that of one model with all rows and as many epochs. The
second has the expected share of the rows that is trained again, by formula.

The data are not part of the repository: the variable ``SKLEARN_UNLEARN_DATA`` names
their folder. ``python benchmarks/sisa.py cost`` prints the second table alone.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse
import importlib.util
import os
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from sklearn_unlearn.exact import SISAClassifier, sisa_cost
from sklearn_unlearn.neural_network import DropoutClassifier

N_SHARDS, N_SLICES, N_EPOCHS = 5, 4, 20
# Units of the ten columns of numbers of Covertype, written down beforehand: a scaler
# fitted to the rows would change all of them when it forgets one.
CENTRE = [2750, 157, 16, 227, 51, 1714, 213, 219, 135, 1511]
SCALE = [420, 110, 8, 210, 61, 1325, 31, 23, 46, 1100]


def data_file():
    """Return the file with one function per set of data, if it is here."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("SKLEARN_UNLEARN_DATA", default)) / "loaders.py"
    return path if path.is_file() else None


def load(path, name):
    """Return training and test rows, scaled by fixed numbers."""
    spec = importlib.util.spec_from_file_location("loaders", path)
    loaders = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaders)
    data = loaders.ALL[name]()
    if name == "mnist":
        return (
            data["x_train"][:5000].reshape(5000, -1) / 255,
            data["y_train"][:5000],
            data["x_test"][:5000].reshape(5000, -1) / 255,
            data["y_test"][:5000],
        )
    X, y = np.asarray(data["X"], dtype=float), np.asarray(data["y"])
    X[:, :10] = (X[:, :10] - CENTRE) / SCALE
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.2, random_state=0, stratify=y
    )
    return X, y, X_test, y_test


def timed(act):
    """Return the seconds of processor time that a call takes, on one thread."""
    start = time.process_time()
    act()
    return time.process_time() - start


def one_model(estimator, X, y):
    """Fit one model to all rows, in as many epochs as the ensemble."""
    model, classes = clone(estimator).set_params(random_state=0), np.unique(y)
    for _ in range(N_EPOCHS):
        model.partial_fit(X, y, classes=classes)
    return model


def forget_line(name, estimator, data, n_pairs):
    """Time one estimator on one set of rows; each pair forgets another row."""
    X, y, X_test, y_test = data
    ensemble = SISAClassifier(
        estimator, n_shards=N_SHARDS, n_slices=N_SLICES, n_epochs=N_EPOCHS
    )
    ensemble.set_params(random_state=0)
    model = clone(ensemble).fit(X, y)
    model._rows.build_index()  # which the first request would do
    score, whole = model.score(X_test, y_test), one_model(estimator, X, y)
    rows = np.random.default_rng(0).choice(len(X), n_pairs, replace=False)
    kept = np.ones(len(X), dtype=bool)
    ours, theirs = [], []
    for row in rows:
        kept[row] = False
        ours.append(timed(lambda r=row: model.unlearn(X[[r]], y[[r]])))
        theirs.append(timed(lambda: clone(ensemble).fit(X[kept], y[kept])))
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    return (
        f"| {name} | {type(estimator).__name__} | {statistics.median(ours):.2f} "
        f"| {statistics.median(theirs):.2f} | {statistics.median(ratios):.1f} "
        f"({min(ratios):.1f} to {max(ratios):.1f}) | {score:.3f} "
        f"| {whole.score(X_test, y_test):.3f} |"
    )


def forget_table(n_pairs):
    """Print what is measured."""
    path = data_file()
    if path is None:
        print("No measurement: set SKLEARN_UNLEARN_DATA to the folder of the data.")
        return
    print(
        f"{N_SHARDS} shards, {N_SLICES} slices, {N_EPOCHS} epochs, one row forgotten, "
        f"{n_pairs} pairs, one thread\n"
    )
    print(
        "| rows | estimator | unlearn, s | fit again, s | ratio | accuracy "
        "| of one model |"
    )
    print("|---|---|---|---|---|---|---|")
    estimators = [
        SGDClassifier(loss="log_loss", average=True),
        MLPClassifier((100,), batch_size=32),
        DropoutClassifier((100,), batch_size=32),
    ]
    for name in ("mnist", "covertype15k"):
        data = load(path, name)
        for estimator in estimators:
            print(forget_line(name, estimator, data, n_pairs), flush=True)


def cost_table(n_rows):
    """Print the expected share of the rows that is trained again at once."""
    requests = (1, 10, 100, 1000)
    print(
        f"\nShare of {n_rows:,} rows, in percent, that is trained again when so many "
        "rows are forgotten at once, by formula\n"
    )
    print("| shards | slices | " + " | ".join(f"rows: {k}" for k in requests) + " |")
    print("|---" * (2 + len(requests)) + "|")
    for n_shards in (1, 5, 20, 100, 1000):
        for n_slices in (1, 4, 20):
            shares = [
                100 * sisa_cost(n_rows, n_shards, n_slices, k) / n_rows
                for k in requests
            ]
            line = " | ".join(f"{share:.3g}" for share in shares)
            print(f"| {n_shards} | {n_slices} | {line} |")


def main():
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", nargs="?", default="all", choices=("all", "cost"))
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=10**9)
    args = parser.parse_args()
    if args.table == "all":
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            forget_table(args.pairs)
    cost_table(args.rows)


if __name__ == "__main__":
    main()
