"""What S3T is worth after random deletions, and what they cost, beside refitting.

``python benchmarks/s3t.py`` prints

* ``quality``: accuracy, or R2, after 0, 1, 5, 20 and 50 random single-row requests with
  1, 2 and 4 sequences, beside perceptrons that are fitted again; and the time of a fit,
  of a request that only switches blocks off, of one that trains a shard again, and of
  the refit that each request would need otherwise,
* ``cost``: expected requests by shards, slices and sequences, as formula and as
  simulation, and what follows for up to a billion rows.

Name one of them to run only that. Real data are read from the folder that the variable
``SKLEARN_UNLEARN_DATA`` names; what is not there is left out.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse
import importlib.util
import os
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sklearn_unlearn.neural_network import (
    DropoutClassifier,
    DropoutRegressor,
    S3TClassifier,
    S3TRegressor,
    s3t_cost,
)
from sklearn_unlearn.neural_network.s3t._cost import simulate_requests

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
DATA = Path(os.environ.get("SKLEARN_UNLEARN_DATA", DATA))
AFTER = (0, 1, 5, 20, 50)
SEQUENCES = (1, 2, 4)
HIDDEN = (100,)


def loaders():
    """Return the module with the real data sets, or None."""
    if not (DATA / "loaders.py").is_file():
        return None
    spec = importlib.util.spec_from_file_location("loaders", DATA / "loaders.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def jobs():
    """Yield names, training and test rows, and whether they are classes."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)
    yield "digits", X, X_test, y, y_test, True
    sets = loaders()
    if sets is None:
        return
    rng, mnist = np.random.default_rng(0), sets.mnist()
    some = rng.choice(60_000, 5000, replace=False)
    X, X_test = (mnist[k].reshape(-1, 784) / 255 for k in ("x_train", "x_test"))
    y, y_test = (mnist[k].astype(int) for k in ("y_train", "y_test"))
    yield "MNIST-5000", X[some], X_test, y[some], y_test, True
    housing = sets.california()
    X, y = housing["X"].to_numpy(dtype=float), housing["y"].astype(float)
    some = rng.choice(len(X), 8000, replace=False)
    split = train_test_split(X[some], y[some], test_size=3000, random_state=0)
    yield "california housing", *split, False


def timed(act):
    """Return the seconds of processor time that a call takes."""
    # of the processor: one thread does it all, and other programs do not count
    start = time.process_time()
    act()
    return time.process_time() - start


def references(is_class):
    """Yield what would be fitted again for each request."""
    fixed = {"random_state": 0, "max_iter": 60, "n_iter_no_change": 60}
    fixed["learning_rate_init"] = 0.001
    if is_class:
        yield MLPClassifier(HIDDEN, **fixed)
        yield DropoutClassifier(HIDDEN, **fixed)
    else:
        # the target of scikit-learn's has to be standardised by hand
        yield MLPRegressor(hidden_layer_sizes=HIDDEN, **fixed)
        yield DropoutRegressor(HIDDEN, **fixed)


def quality():
    print("| data | model | fit, s | after 0 | 1 | 5 | 20 | 50 requests | ", end="")
    print("switch off, ms | train a shard, s | shards trained | refit, s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for name, X, X_test, y, y_test, is_class in jobs():
        order = np.random.default_rng(1).permutation(len(X))[: AFTER[-1]]
        refit = refits(name, X, X_test, y, y_test, is_class, order)
        for n_sequences in SEQUENCES:
            make = S3TClassifier if is_class else S3TRegressor
            model = make(n_sequences=n_sequences, random_state=0)
            seconds = timed(lambda m=model: m.fit(X, y))
            scores = [model.score(X_test, y_test)]
            model._rows.build_index()  # once; it is no part of a request
            cheap, costly = [], []
            for n_requests, row in enumerate(order, start=1):
                shards = model._shards
                taken = timed(lambda m=model, r=row: m.unlearn(X[[r]], y[[r]]))
                new = any(
                    now is not was and now.is_whole
                    for was, now in zip(shards, model._shards, strict=True)
                )
                (costly if new else cheap).append(taken)
                if n_requests in AFTER:
                    scores.append(model.score(X_test, y_test))
            cells = [f"{s:.3f}" for s in scores]
            again = f"{np.median(costly):.2f}" if costly else "-"
            print(
                f"| {name} | S3T, {n_sequences} sequences | {seconds:.1f} | "
                f"{' | '.join(cells)} | {1e3 * np.median(cheap):.2f} | {again} | "
                f"{len(costly)} | {refit:.1f} |",
                flush=True,
            )


def refits(name, X, X_test, y, y_test, is_class, order):
    """Print the rows of the references, and return the shortest time of a refit."""
    shortest = np.inf
    for model in references(is_class):
        plain = is_class or isinstance(model, DropoutRegressor)
        mean, unit = (0, 1) if plain else (y.mean(), y.std())
        model = make_pipeline(StandardScaler(), model)
        scores, seconds = [], []
        for n in AFTER:
            stay = np.setdiff1d(np.arange(len(X)), order[:n])
            target = y[stay] if plain else (y[stay] - mean) / unit
            seconds.append(timed(lambda m=model, s=stay, t=target: m.fit(X[s], t)))
            truth = y_test if plain else (y_test - mean) / unit
            scores.append(model.score(X_test, truth))
        cells = " | ".join(f"{s:.3f}" for s in scores)
        shortest = min(shortest, np.median(seconds))
        print(
            f"| {name} | {type(model[-1]).__name__}, refitted | "
            f"{np.median(seconds):.1f} | {cells} | - | - | - | "
            f"{np.median(seconds):.1f} |",
            flush=True,
        )
    return shortest


def cost(n_runs=1000):
    rng = np.random.default_rng(0)
    head = "failure: formula | simulated | slices in use after 20: formula | simulated"
    print(f"\n| shards | slices | sequences | first retraining | simulated | {head} | ")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for n_shards, n_slices, n_sequences in (
        *((5, 6, b) for b in range(1, 7)),
        (5, 6, 12),
        (5, 4, 2),
        (20, 10, 10),
    ):
        expected = s3t_cost(n_shards, n_slices, n_sequences, n_requests=20)
        runs = [
            simulate_requests(n_shards, n_slices, n_sequences, rng)
            for _ in range(n_runs)
        ]
        first, failure, in_use = np.mean(
            [
                (first, len(lengths) - 1, lengths[min(20, len(lengths) - 1)].mean())
                for first, lengths in runs
            ],
            axis=0,
        )
        print(
            f"| {n_shards} | {n_slices} | {n_sequences} | "
            f"{expected.first_retraining:.1f} | {first:.1f} | {expected.failure:.1f} | "
            f"{failure:.1f} | {expected.slices_in_use:.2f} | {in_use:.2f} |",
            flush=True,
        )
    on_paper()


def on_paper():
    """Row visits of a request in the long run, for ever more rows."""
    print("\nRow visits per request in the long run, 10 epochs a stage (a refit of one")
    print("network for 60 epochs in the last column):\n")
    print("| rows | 5 shards, 4 slices, 2 sequences | 20, 10, 10 | refit |")
    print("|---|---|---|---|")
    for n_rows in (10**4, 10**6, 10**9):
        cells = []
        for n_shards, n_slices, n_sequences in ((5, 4, 2), (20, 10, 10)):
            # stage i visits i slices; sequences that begin differently share nothing
            visits = n_rows * n_sequences * 10 * (n_slices + 1) / 2
            share = s3t_cost(n_shards, n_slices, n_sequences).fit_per_request
            cells.append(f"{visits * share:.3g} ({100 * share:.2f} % of a fit)")
        print(f"| {n_rows:.0e} | {' | '.join(cells)} | {60 * n_rows:.3g} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=["quality", "cost", []])
    parts = parser.parse_args().parts or ["quality", "cost"]
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        for part in parts:
            {"quality": quality, "cost": cost}[part]()


if __name__ == "__main__":
    main()
