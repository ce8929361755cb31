"""
=========================
Wrong labels, unlearned
=========================

A tenth of the labels of a training set turns out to be wrong, and a network has learnt
many of them by heart. To retrain it is the safe way. The unlearners take a fraction of
the time: here they are set beside networks that were fitted without the rows, which is
what they should look like.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# Digits with wrong labels
# ------------------------
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from threadpoolctl import threadpool_limits

from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.pipeline import make_pipeline
from sklearn_unlearn.unlearning import NPO, Blindspot, FineTune, SalUn

threadpool_limits(1)  # more threads do not pay for products as small as these
rng = np.random.default_rng(0)
X, y = load_digits(return_X_y=True)
X = X / 16
order = rng.permutation(len(X))
train, test = order[:1200], order[1200:]
X_train, y_train, X_test, y_test = X[train], y[train].copy(), X[test], y[test]
wrong = rng.random(len(train)) < 0.1
y_train[wrong] = (y_train[wrong] + rng.integers(1, 10, wrong.sum())) % 10

# %%
# The network knows many of them
# ------------------------------
network = DropoutClassifier(
    (128,),
    dropout=0.2,
    learning_rate_init=2e-3,
    batch_size=64,
    max_iter=150,
    n_iter_no_change=150,
    random_state=0,
)


def pipeline(last):
    return make_pipeline(VarianceThreshold(), clone(last))


original = pipeline(network).fit(X_train, y_train)
print(f"wrong labels known: {original.score(X_train[wrong], y_train[wrong]):.0%}")

# %%
# What it should look like
# ------------------------
# Networks that never saw the rows. They differ among themselves, because each starts
# from weights of its own.
start = time.perf_counter()
retrained = [
    pipeline(network.set_params(random_state=seed)).fit(
        X_train[~wrong], y_train[~wrong]
    )
    for seed in (1, 2, 3)
]
seconds = (time.perf_counter() - start) / len(retrained)

# %%
# Forget
# ------
# A ``FrozenEstimator`` hands over a network that is fitted already. In the pipeline,
# the selection of pixels forgets exactly, and the network by its method.
results = {}
for method in (FineTune, SalUn, NPO, Blindspot):
    last = method(FrozenEstimator(original[-1]), random_state=0)
    model = pipeline(last).fit(X_train, y_train)
    start = time.perf_counter()
    model.unlearn(X_train[wrong])
    results[method.__name__] = (model, (time.perf_counter() - start) / seconds)

# %%
# How far from retraining?
# ------------------------
# The distance of two distributions of labels: the largest difference of the
# probabilities that they give to any set of labels.
ensemble = np.mean([model.predict_proba(X_train[wrong]) for model in retrained], axis=0)


def distances(model):
    return np.abs(model.predict_proba(X_train[wrong]) - ensemble).sum(axis=1) / 2


models = {"original": original, **{name: model for name, (model, _) in results.items()}}
models["retrained"] = retrained[0]
fig, axes = plt.subplots(1, 2, figsize=(10, 4))
for name, model in models.items():
    share = np.linspace(0, 100, wrong.sum())
    axes[0].plot(share, np.sort(distances(model)), label=name)
axes[0].set_xlabel("percentile of the forgotten rows")
axes[0].set_ylabel("distance to the retrained networks")
axes[0].legend()
scores = {
    name: (
        model.score(X_train[wrong], y_train[wrong]),
        model.score(X_test, y_test),
    )
    for name, model in models.items()
}
place = np.arange(len(scores))
for offset, column, label in ((-0.2, 0, "wrong labels"), (0.2, 1, "other digits")):
    values = [100 * pair[column] for pair in scores.values()]
    axes[1].bar(place + offset, values, 0.4, label=label)
axes[1].set_xticks(place, list(scores), rotation=20)
axes[1].set_ylabel("accuracy, %")
axes[1].legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
fig.tight_layout()

# %%
# And at what price?
# ------------------
# The share of the time of a fit without the rows. ``FineTune`` needs no rows to forget,
# ``Blindspot`` none of their labels; ``SalUn`` teaches random labels, which is further
# from what retraining gives.
for name, (_, share) in results.items():
    print(f"{name:10} {share:.2f} of the time to retrain")
