"""Certified removal on real data: what it costs in accuracy, and what it saves.

``python benchmarks/certified.py`` prints three tables.

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
from sklearn_unlearn.exact._certificate import noise_budget

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
    model._rows.build_index()
    ours, again, theirs, before, after = [], [], [], [], []
    for i in range(N_PAIRS + 1):
        old = np.append(model.coef_, model.intercept_)
        start = time.perf_counter()
        model.unlearn(X[i : i + 1], y[i : i + 1])
        ours.append(time.perf_counter() - start)
        keep = np.ones(len(X), dtype=bool)
        keep[: i + 1] = False
        start = time.perf_counter()
        retrained = clone(model).fit(X[keep], y[keep])
        again.append(time.perf_counter() - start)
        start = time.perf_counter()
        clone(plain).fit(X[keep], y[keep])
        theirs.append(time.perf_counter() - start)
        aim = np.append(retrained.coef_, retrained.intercept_)
        before.append(np.linalg.norm(old - aim))
        after.append(np.linalg.norm(np.append(model.coef_, model.intercept_) - aim))
        if i == 0:  # of the first one the steps' error alone; later ones add up
            first = after[0] / before[0]
    a, b, c = (1e3 * statistics.median(t[1:]) for t in (ours, again, theirs))
    print(
        f"| {name} | {a:.1f} | {b:.1f} ({b / a:.1f}) | {c:.1f} ({c / a:.1f}) "
        f"| {before[0]:.1e} | {after[0]:.1e} | {first:.1e} |",
        flush=True,
    )


def main():
    """Print the three tables."""
    sets = list(load())
    for job in sets:
        accuracy_table(*job)
    for job in sets:
        requests_table(*job)
    print(f"\nForgetting single rows, one thread, medians of {N_PAIRS} interleaved")
    print(
        "| data | unlearn, ms | refit, ms (ratio) | scikit-learn, ms (ratio) "
        "| distance before | after | after / before |"
    )
    print("|---|---|---|---|---|---|---|")
    plain = LogisticRegression(max_iter=2000)
    for name, X, _, y, _ in sets:
        time_line(name, CertifiedLogisticRegression(), plain, X, y)
    loaders = find_loaders()
    if loaders is not None:
        data = loaders.california()
        X = StandardScaler().fit_transform(data["X"])
        y = np.asarray(data["y"]) / 1e5
        time_line("california", CertifiedRidge(clip_norm=5.0), Ridge(), X, y)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
