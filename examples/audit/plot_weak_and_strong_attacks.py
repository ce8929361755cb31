"""
=======================
Weak and strong attacks
=======================

Does an attack find the forgotten rows? That depends on the attack. One threshold on the
loss for all rows, the test that is run most often, sees little of what an attack sees
that knows for each row what models with it and without it do. Fine-tuning looks
harmless to the first.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# Random rows of the digits, forgotten in four ways
# -------------------------------------------------
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklearn_unlearn.audit import audit_unlearning
from sklearn_unlearn.exact import Retrain
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.unlearning import NPO, Blindspot, FineTune

X, y = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
order = rng.permutation(len(X))
X, y = X[order] / 16, y[order]
X, X_test, y, y_test = X[:600], X[600:1000], y[:600], y[600:1000]
forget = np.arange(600) < 60
network = DropoutClassifier(
    (64,), learning_rate_init=5e-3, batch_size=64, max_iter=60, n_iter_no_change=60
)
unlearners = {
    "FineTune": FineTune(network),
    "NPO": NPO(network),
    "Blindspot": Blindspot(network),
    "Retrain": Retrain(network),
}
audits = {
    name: audit_unlearning(
        unlearner,
        X,
        y,
        forget=forget,
        X_test=X_test,
        y_test=y_test,
        random_state=0,
    )
    for name, unlearner in unlearners.items()
}

# %%
# The same models, two attacks
# ----------------------------
# What is right is what retrained models get: an area of 1/2 for the attack by rows, and
# for the threshold whatever it finds between these rows and others by chance.
first = audits["FineTune"]
weak = {"doing nothing": first["AUC of the loss", "forget"].original}
strong = {"doing nothing": first["AUC", "pair"].original}
for name, audit in audits.items():
    weak[name] = audit["AUC of the loss", "forget"].value
    strong[name] = audit["AUC", "pair"].value
place = np.arange(len(weak))
fig, ax = plt.subplots(figsize=(8, 4))
ax.bar(place - 0.2, list(weak.values()), 0.4, label="one threshold for all rows")
ax.bar(place + 0.2, list(strong.values()), 0.4, label="row by row")
ax.axhline(0.5, color="k", linewidth=0.8)
ax.set_ylim(0.4, 1.0)
ax.set_xticks(place, list(weak))
ax.set_ylabel("area under the ROC curve")
ax.legend()

# %%
# Which rows are found?
# ---------------------
# Not all alike: for a few rows the answers are far from those of retrained models, for
# most they never were.
fig, ax = plt.subplots(figsize=(6, 4))
for name in ("FineTune", "Blindspot"):
    rows = audits[name].rows
    ax.scatter(rows["original"], rows["unlearned"], s=12, label=name)
ax.plot([1e-4, 10], [1e-4, 10], "k--", linewidth=0.8)
ax.set_xscale("log")
ax.set_yscale("log")
ax.set_xlabel("divergence from retrained, before")
ax.set_ylabel("after")
ax.legend()
fig.tight_layout()
