"""The two networks in the place of scikit-learn's perceptrons, all with defaults.

``python benchmarks/swap.py`` prints, per table, the mean score (R², or accuracy) of
both over random splits (a quarter of the rows for testing, features standardised), the
mean difference with its 95 % interval, corrected for training rows that splits share,
the mean number of epochs, and the ratio of the median processor times of fits in turn,
on one thread. ``MLPRegressor`` gets a standardised target, which ``DropoutRegressor``
makes itself. Then the same with the learning rate of scikit-learn's perceptrons on our
side, and with ``early_stopping=True`` on both.

``--more`` adds tables that the defaults were not chosen by. The data are not part of
the repository: the variable ``SKLEARN_UNLEARN_DATA`` names their folder.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse
import importlib.util
import os
import statistics
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor

N_SPLITS, TEST_SIZE, MOST_ROWS = 10, 0.25, 3000
MLP_RATE = 0.001


def loaders():
    """Return the module with one function per set of data."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("SKLEARN_UNLEARN_DATA", default)) / "loaders.py"
    if not path.is_file():
        sys.exit("The data are not here: set SKLEARN_UNLEARN_DATA to their folder.")
    spec = importlib.util.spec_from_file_location("loaders", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def drawn(data):
    """Return rows and targets as arrays, at most 3000 of them, in a fixed draw."""
    X = pd.get_dummies(pd.DataFrame(data["X"])).fillna(-1).to_numpy(dtype=float)
    y = np.asarray(data["y"])
    if len(X) > MOST_ROWS:
        rows = np.random.default_rng(0).choice(len(X), MOST_ROWS, replace=False)
        X, y = X[rows], y[rows]
    return X, y


def handwritten(_):
    X, y = load_digits(return_X_y=True)
    return {"X": X, "y": y}


def uci(name):
    return lambda load: load.uci_gal(name)


TABLES = {
    "yacht": uci("yacht"),
    "energy": uci("energy"),
    "concrete": uci("concrete"),
    "bike": lambda load: load.bike(),
    "vowel": lambda load: load.vowel(),
    "digits": handwritten,
    "adult": lambda load: load.adult(),
}
MORE = {
    "wine": uci("wine-quality-red"),
    "kin8nm": uci("kin8nm"),
    "power": uci("power-plant"),
    "boston": uci("bostonHousing"),
    "california": lambda load: load.california(),
    "covertype": lambda load: load.covertype15k(),
}
CLASSES = {"vowel", "digits", "adult", "covertype"}


def theirs(is_classifier, **params):
    """Return scikit-learn's perceptron, with a standardised target."""
    if is_classifier:
        return MLPClassifier(**params)
    return TransformedTargetRegressor(
        MLPRegressor(**params), transformer=StandardScaler()
    )


def ours(is_classifier, **params):
    return (DropoutClassifier if is_classifier else DropoutRegressor)(**params)


def splits(X, y, is_classifier, n_splits):
    """Yield standardised training and test rows."""
    for seed in range(n_splits):
        X_fit, X_test, y_fit, y_test = train_test_split(
            X,
            y,
            test_size=TEST_SIZE,
            random_state=seed,
            stratify=y if is_classifier else None,
        )
        scaler = StandardScaler().fit(X_fit)
        yield scaler.transform(X_fit), scaler.transform(X_test), y_fit, y_test


def measured(make, seed, split):
    """Return the score, the seconds of processor time and the epochs of one fit."""
    X_fit, X_test, y_fit, y_test = split
    model = make(random_state=seed)
    start = time.process_time()
    model.fit(X_fit, y_fit)
    seconds = time.process_time() - start
    return (
        model.score(X_test, y_test),
        seconds,
        getattr(model, "regressor_", model).n_iter_,
    )


def compare(X, y, makers, is_classifier, n_splits):
    """Return score, seconds and epochs, of shape (n_makers, n_splits, 3)."""
    return np.transpose(
        [
            [measured(make, seed, split) for make in makers]
            for seed, split in enumerate(splits(X, y, is_classifier, n_splits))
        ],
        (1, 0, 2),
    )


def line(name, one, other):
    """Print the line of one table, and return the mean difference."""
    gaps = one[:, 0] - other[:, 0]
    # splits share training rows: their scores vary less than those of new tables
    spread = np.std(gaps, ddof=1) * (1 / len(gaps) + TEST_SIZE / (1 - TEST_SIZE)) ** 0.5
    half = stats.t.ppf(0.975, len(gaps) - 1) * spread
    ratio = statistics.median(one[:, 1]) / statistics.median(other[:, 1])
    print(
        f"| {name} | {one[:, 0].mean():.3f} | {other[:, 0].mean():.3f} "
        f"| {gaps.mean():+.4f} ± {half:.4f} | {one[:, 2].mean():.0f} / "
        f"{other[:, 2].mean():.0f} | {ratio:.2f} |",
        flush=True,
    )
    return gaps.mean()


HEADER = (
    "| table | ours | scikit-learn's | difference | epochs | time ratio |\n"
    "|---|---|---|---|---|---|"
)


def main():
    """Print all tables, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", choices=[[], *TABLES, *MORE])
    parser.add_argument("--splits", type=int, default=N_SPLITS)
    parser.add_argument("--more", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    load, tables = loaders(), {**TABLES, **MORE}
    names = args.which or [*TABLES, *(MORE if args.more else ())]
    print(f"{args.splits} splits\n\n{HEADER}")
    other_lines = []
    for name in names:
        (X, y), classes = drawn(tables[name](load)), name in CLASSES
        makers = [partial(ours, classes), partial(theirs, classes)]
        makers.append(partial(ours, classes, learning_rate_init=MLP_RATE))
        results = compare(X, y, makers, classes, args.splits)
        line(name, results[0], results[1])
        other_lines.append((f"{name}, {MLP_RATE}", results[2], results[1]))
        if name == "vowel":
            early = [partial(make, early_stopping=True) for make in makers[:2]]
            results = compare(X, y, early, classes, args.splits)
            other_lines.append((f"{name}, early stopping", *results))
    print(f"\nWith learning_rate_init={MLP_RATE}, and with early stopping\n\n{HEADER}")
    for values in other_lines:
        line(*values)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
