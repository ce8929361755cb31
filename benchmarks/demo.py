"""The main job: a network forgets wrong labels, and is compared with retrained ones.

A tenth of the labels of 1200 handwritten digits is wrong, and pipelines with a network
have learnt half of these by heart. The wrong labels are forgotten with each unlearner;
then a random twentieth of the rows is. Both times the result is set beside pipelines
that were fitted without the rows.

Run it with ``make demo``. It prints a table and saves a figure.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse
import time
import warnings

import numpy as np
from _digits_job import METHODS, RETRAINED, Job, Reference, assert_remembered, network
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from threadpoolctl import threadpool_limits

from sklearn_unlearn.pipeline import make_pipeline

N_MODELS, N_RETRAINED = 5, 6
KINDS = {"corrupted": "the wrong labels", "some": "a random twentieth"}
MEASURES = ("forget", "retain", "test", "distance, forgotten", "distance, retained")
COLOURS = {
    "original": "tab:red",
    "retrained": "black",
    "FineTune": "tab:olive",
    "SalUn": "tab:purple",
    "NPO": "tab:blue",
    "Blindspot": "tab:green",
}


def pipeline(last):
    """Drop the pixels that never vary, then classify."""
    return make_pipeline(VarianceThreshold(), last)


def timed(act):
    """Call a function and return the seconds it took."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def run(seed, advance):
    """Return, for each forget set and model, the measures and the times.

    `advance` is called after each step, for the progress bar.
    """
    job, fitted = Job(seed), []
    for model_seed in range(N_MODELS):
        fitted.append(pipeline(network(model_seed)).fit(job.X, job.y))
        advance()
    assert_remembered(job, fitted)
    results = {}
    for kind in KINDS:
        forget = getattr(job, kind)
        references, seconds = [], []
        for model_seed in range(RETRAINED, RETRAINED + N_RETRAINED):
            model = pipeline(network(model_seed))
            X, y = job.X[~forget], job.y[~forget]
            seconds.append(timed(lambda m=model, X=X, y=y: m.fit(X, y)))
            references.append(model)
            advance()
        reference = Reference(job, forget, references)
        found = {
            "original": (reference.measure_all(fitted), None),
            "retrained": (reference.measure_all(references), 1.0),
        }
        for method in METHODS:
            models, times = [], []
            for original in fitted:
                unlearner = method(FrozenEstimator(original[-1]), random_state=0)
                model = pipeline(unlearner).fit(job.X, job.y)
                times.append(timed(lambda m=model, f=forget: m.unlearn(job.X[f])))
                models.append(model)
                advance()
            ratio = np.median(times) / np.median(seconds)
            found[method.__name__] = (reference.measure_all(models), float(ratio))
        results[kind] = found
    return results


def print_table(results):
    """Print means and standard deviations over the models."""
    head = f"{'model':11}" + "".join(
        f"{name:>15}" for name in ("forget %", "retain %", "test %")
    )
    head += f"{'KL forgotten':>16}{'KL retained':>16}{'time/retrain':>14}"
    for kind, title in KINDS.items():
        print(f"\nforgotten: {title}\n\n{head}\n{'-' * len(head)}")
        for name, (measured, ratio) in results[kind].items():
            line = f"{name:11}"
            for key in MEASURES:
                digits, width = (3, 16) if "distance" in key else (1, 15)
                mean, spread = measured[key].mean(), measured[key].std()
                cell = f"{mean:.{digits}f} ± {spread:.{digits}f}"
                line += f"{cell:>{width}}"
            print(line + ("" if ratio is None else f"{ratio:>14.2f}"))
    print(
        f"\nmeans ± standard deviations over {N_MODELS} networks ({N_RETRAINED} "
        "retrained ones); accuracies on the forgotten\nrows with the labels that the "
        "network was given, on the retained rows and on other digits;\nKL: divergence "
        "of predicted probabilities from those of the retained ensemble, in nats;\n"
        "time/retrain: seconds of unlearn over those of a fit without the rows."
    )


def draw(results, path):
    """Save accuracies, and distances over time, as a figure."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    fig, axes = plt.subplots(2, 2, figsize=(10, 7), width_ratios=(3, 2))
    for (left, right), (kind, title) in zip(axes, KINDS.items(), strict=True):
        found = results[kind]
        names = list(found)
        for place, key in enumerate(MEASURES[:3]):
            wanted = found["retrained"][0][key]
            at = place + np.array([-0.42, 0.42])
            left.fill_between(
                at,
                wanted.mean() - wanted.std(),
                wanted.mean() + wanted.std(),
                color="0.85",
            )
            left.hlines(wanted.mean(), *at, color="0.4", lw=1)
            for i, name in enumerate(names):
                values = found[name][0][key]
                x = place - 0.3 + 0.6 * i / (len(names) - 1)
                left.errorbar(
                    x,
                    values.mean(),
                    values.std(),
                    fmt="o",
                    color=COLOURS[name],
                    label=name if place == 0 else None,
                )
        left.set_xticks(range(3), ["forgotten rows", "retained rows", "other digits"])
        left.set_ylabel("accuracy, %")
        left.set_title(f"forgotten: {title}")
        for name in names:
            measured, ratio = found[name]
            values = measured["distance, forgotten"]
            right.errorbar(
                ratio or 0.0, values.mean(), values.std(), fmt="o", color=COLOURS[name]
            )
        right.set_xlabel("time / time to retrain")
        right.set_ylabel("KL from the retrained ensemble\non forgotten rows, nats")
        right.set_ylim(bottom=0)
    axes[0, 0].legend(loc="lower right", ncols=2, fontsize=8)
    fig.tight_layout()
    fig.savefig(path, dpi=110)


def main():
    """Run the job, print the tables and save the figure."""
    from rich.progress import Progress

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", default="demo.png", help="where to save it")
    parser.add_argument("--seed", type=int, default=0, help="draw of the data")
    args = parser.parse_args()
    n_steps = N_MODELS + len(KINDS) * (N_RETRAINED + len(METHODS) * N_MODELS)
    with Progress() as bar, threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("error")  # a network that is fitted again shows nothing
        task = bar.add_task("fit, forget, retrain", total=n_steps)
        results = run(args.seed, lambda: bar.advance(task))
    print_table(results)
    draw(results, args.figure)
    print(f"\nfigure: {args.figure}")


if __name__ == "__main__":
    main()
