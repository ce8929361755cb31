"""Dropout networks beside what a user would pick instead.

``python benchmarks/networks.py`` prints, as medians of interleaved pairs in one run,

* ``fit``: time of a fit with dropout 0.2 against ``MLPClassifier``, which has none,
  against skorch with ``torch.nn.Dropout``, and ``module=`` against a plain loop,
* ``predict``: 100 random functions against 100 passes of the module,
* ``many``: 32 networks at once against one by one and against two processes,
* ``memory``: what prediction on 100 000 rows takes at its peak.

Name some of them to run only those.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from torch import nn

from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.neural_network._many import fit_many

N_PAIRS = 15


def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def table():
    return make_classification(
        20_000, 40, n_informative=20, n_classes=5, random_state=0
    )


JOBS = [
    ("1797 x 64, (64, 64), batch 128", digits, (64, 64), 128, 20),
    ("20000 x 40, (128, 128), batch 200", table, (128, 128), 200, 4),
    ("20000 x 40, (256, 256), batch 1024", table, (256, 256), 1024, 6),
]


def timed(act):
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def pairs(first, second, n_pairs):
    """Return the times of two calls in turn, after one of each to warm up."""
    first(), second()
    return np.array([(timed(first), timed(second)) for _ in range(n_pairs)]).T


def line(name, *values):
    print(f"| {name} | " + " | ".join(values) + " |", flush=True)


def ratio(a, b):
    """Median of the quotients of pairs, and their range."""
    q = a / b
    return f"{statistics.median(q):.2f} ({q.min():.2f} to {q.max():.2f})"


def ms(seconds):
    return f"{1e3 * statistics.median(seconds):.1f}"


def perceptron(hidden, p, n_features, n_outputs, layer=nn.Dropout):
    """The network as a user of torch would write it."""
    layers, width = [], n_features
    for size in hidden:
        layers += [nn.Linear(width, size), nn.ReLU(), layer(p)]
        width = size
    return nn.Sequential(*layers, nn.Linear(width, n_outputs))


def fixed(hidden, batch, epochs, **params):
    """A network that trains for so many epochs, whatever its loss."""
    return DropoutClassifier(
        hidden,
        dropout=0.2,
        batch_size=batch,
        max_iter=epochs,
        n_iter_no_change=epochs,
        random_state=0,
        **params,
    )


def plain_loop(module, X, y, batch, epochs):
    """What one writes without any library on top of torch."""
    X, y = torch.from_numpy(X.astype(np.float32)), torch.from_numpy(y)
    optimizer = torch.optim.Adam(module.parameters(), fused=True)
    module.train()
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X), batch):
            index = order[start : start + batch]
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(X[index]), y[index]).backward()
            optimizer.step()


def fit_benchmark(n_pairs):
    from skorch import NeuralNetClassifier

    print("\n### Fit\n\nTime of ours over that of the other, less is better")
    print("| job | ours, ms | / MLPClassifier | / skorch | module= / plain loop |")
    print("|---|---|---|---|---|")
    for name, data, hidden, batch, epochs in JOBS:
        X, y = data()
        width, n_classes = X.shape[1], len(np.unique(y))
        X32, y64 = X.astype(np.float32), y.astype(np.int64)
        ours = fixed(hidden, batch, epochs)
        theirs = MLPClassifier(
            hidden, batch_size=batch, max_iter=epochs, n_iter_no_change=epochs
        )
        net = NeuralNetClassifier(
            perceptron(hidden, 0.2, width, n_classes),
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            lr=1e-3,
            batch_size=batch,
            max_epochs=epochs,
            train_split=None,
            verbose=0,
        )
        module = fixed(
            hidden,
            batch,
            epochs,
            module=lambda a, b, hidden=hidden: perceptron(hidden, 0.2, a, b),
            mc_samples=0,
        )
        mlp = pairs(lambda: ours.fit(X, y), lambda: theirs.fit(X, y), n_pairs)
        skorch = pairs(
            lambda: ours.fit(X, y), lambda: net.fit(X32, y64), max(3, n_pairs // 3)
        )
        own = perceptron(hidden, 0.2, width, n_classes)
        loop = pairs(
            lambda: module.fit(X, y),
            lambda: plain_loop(own, X, y64, batch, epochs),
            max(5, n_pairs // 2),
        )
        line(name, ms(mlp[0]), ratio(*mlp), ratio(*skorch), ratio(*loop))


def predict_benchmark(n_pairs):
    print("\n### 100 functions\n\nTime of the other over ours, more is better")
    print("| job | ours, ms | 100 passes, dropout on | 100 passes, dropout off |")
    print("|---|---|---|---|")
    for name, data, hidden, batch, _ in JOBS:
        X, y = data()
        model = fixed(hidden, batch, 1, mc_samples=100).fit(X, y)
        module = perceptron(hidden, 0.2, X.shape[1], len(model.classes_))
        X32 = torch.from_numpy(X.astype(np.float32))

        def loop(on, module=module, X32=X32):
            module.train(on)
            with torch.inference_mode():
                return sum(torch.softmax(module(X32), 1) for _ in range(100)) / 100

        on = pairs(lambda: loop(True), lambda: model.predict_proba(X), n_pairs)
        off = pairs(lambda: loop(False), lambda: model.predict_proba(X), n_pairs)
        line(name.split(", batch")[0], ms(on[1]), ratio(*on), ratio(*off))
    print("\nOne row, mc_samples=0: time of ours over MLPClassifier, less is better")
    for name, data, hidden, batch, _ in JOBS:
        X, y = data()
        model = fixed(hidden, batch, 1, mc_samples=0).fit(X, y)
        other = MLPClassifier(hidden, max_iter=1).fit(X, y)

        def many(model, X=X):
            for _ in range(50):
                model.predict(X[:1])

        one = pairs(lambda: many(model), lambda: many(other), n_pairs)
        print(f"{name.split(', batch')[0]}: {ms(one[0] / 50)} ms, {ratio(*one)}")


def many_benchmark(n_pairs):
    X, y = digits()
    X, y = X[:1200], y[:1200]
    print("\n### 32 networks 64-128-10 at once; time of the other over ours")
    print("| batch | ours, ms | one by one | joblib, 2 processes |")
    print("|---|---|---|---|")
    for batch in (32, 128):
        network = fixed((128,), batch, 10)
        seeds = range(32)

        def at_once(network=network):
            return fit_many(network, X, y, seeds=seeds)

        def one(seed, network=network):
            return clone(network).set_params(random_state=seed).fit(X, y)

        def alone(one=one):
            return [one(seed) for seed in seeds]

        def processes(one=one):
            return Parallel(2)(delayed(one)(seed) for seed in seeds)

        single = pairs(alone, at_once, n_pairs)
        double = pairs(processes, at_once, max(3, n_pairs // 3))
        line(str(batch), ms(single[1]), ratio(*single), ratio(*double))


MEMORY = """
import resource
import numpy as np
from sklearn_unlearn.neural_network import DropoutClassifier
rng = np.random.default_rng(0)
X = rng.normal(size=(100_000, 40))
y = rng.integers(0, 5, 100_000)
hidden = (128, 128)
model = DropoutClassifier(hidden, dropout=0.2, max_iter=1, n_iter_no_change=1,
                          mc_samples=100, store_training_data=False, random_state=0)
model.fit(X[:2000], y[:2000]).predict_proba(X[:2000])
with open("/proc/self/statm") as file:  # what it holds now, in pages
    before = int(file.read().split()[1]) * resource.getpagesize() / 2**20
model.predict_proba(X)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10 - before)
"""


def memory_benchmark(n_pairs):
    # a process of its own: the peak of a process never falls
    extra = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True
    )
    print("\n### Memory\n")
    print(
        "predict_proba with 100 functions on 100 000 x 40 rows, (128, 128): "
        f"{float(extra.stdout):.0f} MB more at the peak"
    )


BENCHMARKS = {
    "fit": fit_benchmark,
    "predict": predict_benchmark,
    "many": many_benchmark,
    "memory": memory_benchmark,
}


def main():
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", choices=[[], *BENCHMARKS])
    parser.add_argument("--pairs", type=int, default=N_PAIRS)
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"torch with {torch.get_num_threads()} threads, {args.pairs} pairs")
    for name in args.which or BENCHMARKS:
        BENCHMARKS[name](args.pairs)


if __name__ == "__main__":
    main()
