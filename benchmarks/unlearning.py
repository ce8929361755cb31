"""Unlearners of networks against retraining, on digits with wrong labels.

Five draws of the data, eight networks each: accuracies beside those of retrained
networks, distances of the predicted probabilities to the retrained ensemble with paired
95 % intervals, and time over that of retraining. Then 12 requests of 10 rows, one after
another.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse

import numpy as np
from _digits_job import (
    METHODS,
    Job,
    Reference,
    assert_remembered,
    interval,
    network,
    originals,
    retrained,
    seconds_to_retrain,
    unlearn,
)
from sklearn.frozen import FrozenEstimator
from threadpoolctl import threadpool_limits
from torch import nn

from sklearn_unlearn.unlearning import NPO, Blindspot

HEAD = (
    f"{'data':5}{'model':12}{'forget %':>10}{'retain %':>10}{'test %':>10}"
    f"{'KL forgotten':>14}{'closer by':>20}{'KL retained':>13}{'time/retrain':>14}"
)


def row(seed, name, measured, closer="", ratios=None):
    """Format a line of the table."""
    mean = {key: values.mean() for key, values in measured.items()}
    time = "" if ratios is None else f"{np.median(ratios):.3f}"
    return (
        f"{seed:<5}{name:12}{mean['forget']:>10.1f}{mean['retain']:>10.1f}"
        f"{mean['test']:>10.1f}{mean['distance, forgotten']:>14.3f}{closer:>20}"
        f"{mean['distance, retained']:>13.3f}{time:>14}"
    )


def compare(seed, n_models, kind):
    """Print the lines of one draw of the data."""
    job = Job(seed)
    forget = getattr(job, kind)
    before = originals(job, n_models)
    assert_remembered(job, before)
    reference = Reference(job, forget, retrained(job, forget, n_models))
    first = reference.measure_all(before)
    print(row(seed, "original", first))
    print(row(seed, "retrained", reference.measure_all(reference.models)), flush=True)
    results = {method: ([], []) for method in METHODS}
    for model in before:
        seconds = seconds_to_retrain(job, forget)
        for method, (models, ratios) in results.items():
            unlearned, own = unlearn(method, model, job, forget)
            models.append(unlearned)
            ratios.append(own / seconds)
    for method, (models, ratios) in results.items():
        measured = reference.measure_all(models)
        key = "distance, forgotten"
        mean, half = interval(first[key] - measured[key])
        closer = f"{mean:.3f} +- {half:.3f}"
        print(row(seed, method.__name__, measured, closer, ratios), flush=True)


def successive(seed, n_models, n_requests=12):
    """Print the accuracies after many small requests."""
    job = Job(seed)
    forget = job.corrupted
    parts = np.array_split(np.flatnonzero(forget), n_requests)
    before = originals(job, n_models)
    reference = Reference(job, forget, retrained(job, forget, n_models))
    print(row(seed, "retrained", reference.measure_all(reference.models)))
    for method in (NPO, Blindspot):
        models = []
        for model in before:
            unlearner = method(FrozenEstimator(model), random_state=0)
            unlearner.fit(job.X, job.y)
            for part in parts:
                unlearner.unlearn(job.X[part], job.y[part])
            models.append(unlearner)
        print(row(seed, method.__name__, reference.measure_all(models)), flush=True)


class Layers(nn.Sequential):
    """The network of the job, as a module of the user."""

    def __init__(self, n_features, n_outputs):
        layers = (nn.Linear(n_features, 128), nn.ReLU(), nn.Dropout(0.2))
        super().__init__(*layers, nn.Linear(128, n_outputs))


def engines(n_pairs=5):
    """Print what unlearning takes on the fast path, and with a module by autograd."""
    job = Job(0)
    forget = job.corrupted
    settings = {"fast path": {}, "module=": {"module": Layers}}
    fitted = {k: network().set_params(**v) for k, v in settings.items()}
    for model in fitted.values():
        model.fit(job.X, job.y)
    for method in METHODS:
        ratios = {kind: ([], []) for kind in settings}
        for _ in range(n_pairs):
            retrain = {
                kind: seconds_to_retrain(job, forget, **settings[kind])
                for kind in settings
            }
            for kind, (own, fast) in ratios.items():
                seconds = unlearn(method, fitted[kind], job, forget)[1]
                own.append(seconds / retrain[kind])
                fast.append(seconds / retrain["fast path"])
        for kind, (own, fast) in ratios.items():
            print(
                f"{method.__name__:12}{kind:12}{np.median(own):>14.3f}"
                f"{np.median(fast):>14.3f}",
                flush=True,
            )


def main():
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-seeds", type=int, default=5)
    parser.add_argument("--model-seeds", type=int, default=8)
    args = parser.parse_args()
    with threadpool_limits(1):  # small products: more threads only make it unsteady
        for kind, title in (
            ("corrupted", "all rows with a wrong label forgotten at once"),
            ("some", "a random twentieth forgotten"),
        ):
            print(f"\n{title}\n\n{HEAD}\n{'-' * len(HEAD)}")
            for seed in range(args.data_seeds):
                compare(seed, args.model_seeds, kind)
        print(f"\nthe wrong labels, 10 at a time\n\n{HEAD}\n{'-' * len(HEAD)}")
        for seed in range(args.data_seeds):
            successive(seed, args.model_seeds)
        head = f"{'model':12}{'network':12}{'time/retrain':>14}{'/fast path':>14}"
        print(f"\ntime by engine\n\n{head}\n{'-' * len(head)}")
        engines()
    print(
        "\nmeans over the models; KL: from the retrained ensemble, in nats, mean over "
        "rows;\ncloser by: its decrease by unlearning, paired, with a 95 % interval; "
        "time/retrain:\nmedian of seconds over those of a fit without the rows by the "
        "same engine, in the first\ntables the fast path of the networks; /fast path: "
        "over those of a fit on it."
    )


if __name__ == "__main__":
    main()
