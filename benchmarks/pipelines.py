"""Pipelines of scikit-learn forget rows exactly, and it can be seen.

Two data sets that come with scikit-learn go through pipelines with mixed
preprocessing. Rows are forgotten from the whole pipeline; then

* predictions are compared with those of a pipeline fitted without the rows,
* the pickle is searched for values that only the forgotten rows had,
* the time is set against a fit of scikit-learn's own pipeline.

It prints a table and saves a figure.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse
import statistics
import sys
import time

import numpy as np
import pandas as pd
from sklearn import pipeline
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.utils.estimator_checks import find_residue

N_REPEATS = 5


def patients():
    """Breast cancer as a hospital has it: numbers, words and gaps."""
    frame = load_breast_cancer(as_frame=True)
    X, rng = frame.data.copy(), np.random.default_rng(0)
    for name in ("mean radius", "mean texture", "worst area"):
        sizes = pd.qcut(X[name], 4, labels=["small", "medium", "large", "huge"])
        X[f"{name}, in words"] = sizes.astype(object)
    X = X.mask(rng.random(X.shape) < 0.03, np.nan)
    return X, frame.target.to_numpy()


def digits():
    """Handwritten digits, with the noise of a scanner."""
    X, y = load_digits(return_X_y=True)
    return X + np.random.default_rng(0).normal(0, 0.1, X.shape), y


def jobs():
    """Data set, name of the pipeline, and the pipeline, one after another."""
    mixed = make_column_transformer(
        (
            pipeline.make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (
            pipeline.make_pipeline(
                SimpleImputer(strategy="most_frequent"),
                OneHotEncoder(handle_unknown="ignore"),
            ),
            make_column_selector(dtype_exclude="number"),
        ),
    )
    yield (
        "breast cancer",
        patients(),
        "impute, scale, encode | LogisticRegression",
        make_pipeline(mixed, LogisticRegression(max_iter=1000)),
    )
    yield (
        "breast cancer",
        patients(),
        "impute, scale, encode | GaussianNB",
        make_pipeline(clone(mixed), GaussianNB()),
    )
    yield (
        "digits",
        digits(),
        "scale, PCA | LogisticRegression",
        make_pipeline(
            StandardScaler(),
            PCA(30, svd_solver="covariance_eigh"),
            LogisticRegression(max_iter=2000),
        ),
    )
    yield (
        "digits",
        digits(),
        "scale, select | KNeighborsClassifier",
        make_pipeline(MinMaxScaler(), SelectKBest(k=40), KNeighborsClassifier()),
    )
    yield (
        "digits",
        digits(),
        "scale, PCA | DropoutClassifier",
        make_pipeline(
            StandardScaler(),
            PCA(30, svd_solver="covariance_eigh"),
            DropoutClassifier(
                (64,), early_stopping=True, learning_rate_init=0.005, random_state=0
            ),
        ),
    )


def run(X, y, model, n_forget=30, seed=0):
    """Forget rows from a pipeline and measure everything about it."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(len(y), dtype=bool)
    mask[rng.choice(len(y), n_forget, replace=False)] = True
    forget, keep = take(X, mask), take(X, ~mask)
    before = clone(model).fit(X, y)
    reference = clone(model).fit(keep, y[~mask])
    ratios, seconds, refits = [], [], []
    for _ in range(N_REPEATS):
        after = clone(model).fit(X, y)
        start = time.perf_counter()
        after.unlearn(forget)
        middle = time.perf_counter()
        pipeline.Pipeline(clone(model).steps).fit(take(X, ~mask), y[~mask])
        end = time.perf_counter()
        seconds.append(middle - start)
        refits.append(end - middle)
        ratios.append((end - middle) / (middle - start))
    truth = reference.predict_proba(X)
    return {
        "gap before": np.abs(before.predict_proba(X) - truth).max(axis=1),
        "gap after": np.abs(after.predict_proba(X) - truth).max(axis=1),
        "found before": len(find_residue(before, forget, keep)) > 0,
        "found after": len(find_residue(after, forget, keep)) > 0,
        "seconds": statistics.median(seconds),
        "refit seconds": statistics.median(refits),
        "ratio": statistics.median(ratios),
    }


def take(X, mask):
    """Rows of an array or a data frame."""
    return X.loc[mask] if hasattr(X, "loc") else X[mask]


def draw(results, path):
    """Save distances to a fit without the rows, and times, as a figure."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    n_panels = len(results) + 1
    fig, axes = plt.subplots(1, n_panels, figsize=(2.9 * n_panels, 3.4))
    colours = {"before": "tab:red", "after": "tab:blue"}
    for ax, (data, name, result) in zip(axes, results, strict=False):
        share = np.linspace(0, 100, len(result["gap before"]))
        for when, colour in colours.items():
            gaps = np.sort(np.maximum(result[f"gap {when}"], 1e-17))
            ax.semilogy(share, gaps, label=f"{when} unlearn", color=colour)
        ax.set_ylim(1e-18, 10)
        ax.set_title(f"{data}\n{name.replace(' | ', chr(10))}", fontsize=8)
        ax.set_xlabel("percentile of rows")
    axes[0].set_ylabel("distance of probabilities\nto a fit without the rows")
    axes[0].legend(loc="center right", fontsize=8)
    place = np.arange(len(results))
    for offset, key, label, colour in (
        (-0.2, "seconds", "unlearn", "tab:blue"),
        (0.2, "refit seconds", "scikit-learn, fit without them", "tab:grey"),
    ):
        times = [1e3 * result[key] for *_, result in results]
        axes[-1].bar(place + offset, times, 0.4, label=label, color=colour)
    axes[-1].set_xticks(place, [str(1 + i) for i in place])
    axes[-1].set_xlabel("pipeline, from the left")
    axes[-1].set_ylabel("milliseconds")
    axes[-1].set_ylim(top=1.35 * axes[-1].get_ylim()[1])
    axes[-1].legend(fontsize=8)
    fig.tight_layout()
    fig.savefig(path, dpi=110)


def main():
    """Run all jobs, print the table and save the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", default="pipelines.png", help="where to save it")
    args = parser.parse_args()
    results = []
    for data, (X, y), name, model in jobs():
        print(f"... {data}: {name}", file=sys.stderr)
        with threadpool_limits(1):  # faster on small tables, and steadier
            results.append((data, name, run(X, y, model)))
    head = (
        f"{'data':14}{'pipeline':45}{'gap before':>11}{'gap after':>11}"
        f"{'values found':>14}{'seconds':>9}{'refit/unlearn':>15}"
    )
    print(f"\n30 rows forgotten from the whole pipeline\n\n{head}\n{'-' * len(head)}")
    for data, name, r in results:
        found = " -> ".join("yes" if r[f"found {w}"] else "no" for w in _WHEN)
        print(
            f"{data:14}{name:45}{r['gap before'].max():>11.1e}"
            f"{r['gap after'].max():>11.1e}{found:>14}{r['seconds']:>9.3f}"
            f"{r['ratio']:>15.1f}"
        )
    print(
        "\ngap: largest distance of a predicted probability to that of a pipeline "
        "fitted\nwithout the rows, before and after unlearn; values found: whether "
        "the pickle holds\na value that only forgotten rows had; refit/unlearn: the "
        "time of scikit-learn's own\npipeline to fit the retained rows, against that "
        f"of unlearn, median of {N_REPEATS} pairs."
    )
    draw(results, args.figure)
    print(f"\nfigure: {args.figure}")
    worst = max(r["gap after"].max() for _, _, r in results)
    if worst > 1e-8 or any(r["found after"] for _, _, r in results):
        sys.exit("the pipelines did not forget exactly")


_WHEN = ("before", "after")

if __name__ == "__main__":
    main()
