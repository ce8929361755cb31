"""Certified removal on real data: what it costs in accuracy, and what it saves.

``python benchmarks/certified.py`` prints three tables; with ``accuracy``, ``requests``
or ``times`` behind it, one of them.

* Accuracy against ``epsilon``, where ``sigma`` is just large enough to forget 1000 rows
  one by one before a refit, beside scikit-learn's ``LogisticRegression``.
* How many single rows are forgotten before a refit at ``sigma=1``, by either way to
  bound the residual.
* The time of a removal against refitting, and the distance to the model fitted with
  the same noise on the retained rows, before and after.

Digits come with scikit-learn. The census (adult) and the houses (california) are read
from the folder that ``SKLEARN_UNLEARN_DATA`` names, and left out if it is not there.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse
import importlib.util
import os
import statistics
import time
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from sklearn_unlearn.exact import CertifiedLogisticRegression, CertifiedRidge
from sklearn_unlearn.exact.certified._certificate import noise_budget

N_REQUESTS = 1000
N_PILOT = 40
N_PAIRS = 15
DELTA = 1e-4
EPSILONS = (0.1, 0.3, 1.0, 3.0, 10.0)


def load():
    """Yield name, X, X_test, y, y_test of the sets of classes."""
    X, y = load_digits(return_X_y=True)
    yield "digits, 10 classes", *train_test_split(X / 16, y, random_state=0)
    loaders = find_loaders()
    if loaders is None:
        return
    data = loaders.adult()
    encoder = make_column_transformer(
        (OneHotEncoder(min_frequency=20), make_column_selector(dtype_exclude="number")),
        (StandardScaler(), make_column_selector(dtype_include="number")),
        sparse_threshold=0,
    )
    X, y, test = encoder.fit_transform(data["X"]), data["y"], data["is_test"]
    yield "adult", X[~test], X[test], y[~test], y[test]


def find_loaders():
    """Return the module that reads the real data, or None."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("SKLEARN_UNLEARN_DATA", default)) / "loaders.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("loaders", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def spent(model, X, y):
    """Mean share of the residual that a single row takes, over the first rows."""
    # epsilon does not change the model: a large one keeps the pilot from a refit
    model = clone(model).set_params(epsilon=300.0).fit(X, y)
    start = model.certificate_["residual_bound"]
    for i in range(N_PILOT):
        model.unlearn(X[i : i + 1], y[i : i + 1])
    certificate = model.certificate_
    if certificate["n_refits"]:
        return np.nan
    return (certificate["residual_bound"] - start) / N_PILOT


def accuracy_table(name, X, X_test, y, y_test):
    """Print the accuracy that is left when 1000 rows are to be forgotten."""
    plain = LogisticRegression(max_iter=2000).fit(X, y).score(X_test, y_test)
    print(
        f"\n{name}: {len(X)} rows, {X.shape[1]} columns; LogisticRegression {plain:.3f}"
    )
    print(f"| epsilon | sigma for {N_REQUESTS} requests | accuracy (5 draws) |")
    print("|---|---|---|")
    for epsilon in EPSILONS:
        sigma = 1.0
        for _ in range(3):  # what a row takes depends a little on the noise
            each = spent(CertifiedLogisticRegression(sigma=sigma), X, y)
            sigma = N_REQUESTS * each / noise_budget(1.0, epsilon, DELTA)
        scores = [
            CertifiedLogisticRegression(sigma=sigma, epsilon=epsilon, delta=DELTA)
            .fit(X, y)
            .score(X_test, y_test)
            for _ in range(5)
        ]
        print(
            f"| {epsilon} | {sigma:.2g} | {np.mean(scores):.3f} "
            f"({min(scores):.3f} to {max(scores):.3f}) |",
            flush=True,
        )


def requests_table(name, X, X_test, y, y_test):
    """Print how many rows are forgotten before a refit."""
    print(f"\n{name}, sigma=1: single rows before a refit, from what {N_PILOT} take")
    print("| bound | " + " | ".join(f"epsilon={e}" for e in EPSILONS) + " |")
    print("|---|" + "---|" * len(EPSILONS))
    for bound in ("measured", "lipschitz"):
        each = spent(CertifiedLogisticRegression(bound=bound), X, y)
        served = (noise_budget(1.0, e, DELTA) / each for e in EPSILONS)
        print(f"| {bound} | " + " | ".join(f"{s:.0f}" for s in served) + " |")


def time_line(name, model, plain, X, y):
    """Print time and distance of single-row removals of one model."""
    model = clone(model).set_params(random_state=0, epsilon=100.0).fit(X, y)
    model.unlearn(X[:1], y[:1])  # builds the index of the rows

    def timed(act):
        start = time.perf_counter()
        result = act()
        return result, time.perf_counter() - start

    times, gaps = [], []
    for i in range(1, N_PAIRS + 1):
        old = np.append(model.coef_, model.intercept_)
        _, ours = timed(lambda: model.unlearn(X[i : i + 1], y[i : i + 1]))
        retrained, again = timed(lambda: clone(model).fit(X[i + 1 :], y[i + 1 :]))
        _, theirs = timed(lambda: clone(plain).fit(X[i + 1 :], y[i + 1 :]))
        times.append((ours, again / ours, theirs / ours))
        aim = np.append(retrained.coef_, retrained.intercept_)
        new = np.append(model.coef_, model.intercept_)
        gaps.append([np.linalg.norm(w - aim) for w in (old, new)])
    ours, again, theirs = (statistics.median(t) for t in zip(*times, strict=True))
    before, after = np.median(gaps, axis=0)
    print(
        f"| {name} | {1e3 * ours:.1f} | {again:.1f} | {theirs:.1f} "
        f"| {before:.1e} | {after:.1e} |",
        flush=True,
    )


def times_table(sets):
    """Print times and distances."""
    print(f"\nForgetting single rows, one thread, medians of {N_PAIRS} interleaved")
    print(
        "| data | unlearn, ms | refit / unlearn | scikit-learn / unlearn "
        "| distance before | after |"
    )
    print("|---|---|---|---|---|---|")
    plain = LogisticRegression(max_iter=2000)
    for name, X, _, y, _ in sets:
        time_line(name, CertifiedLogisticRegression(), plain, X, y)
    loaders = find_loaders()
    if loaders is not None:
        data = loaders.california()
        X = StandardScaler().fit_transform(data["X"])
        y = np.asarray(data["y"]) / 1e5
        time_line("california", CertifiedRidge(clip_norm=5.0), Ridge(), X, y)


def main():
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    tables = ["accuracy", "requests", "times"]
    parser.add_argument("tables", nargs="*", default=tables, metavar="table")
    asked = parser.parse_args().tables
    sets = list(load())
    if "accuracy" in asked:
        for job in sets:
            accuracy_table(*job)
    if "requests" in asked:
        for job in sets:
            requests_table(*job)
    if "times" in asked:
        times_table(sets)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
