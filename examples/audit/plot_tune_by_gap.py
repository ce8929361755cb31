"""
====================================
Settings of an unlearner, by the gap
====================================

A search with the usual score prefers the settings under which the model still knows the
forgotten labels: it counts them as right. The gap to retrained models is what should be
small. And it should be small for requests *like* the one at hand: who looks at the rows
that are to go while choosing settings has learnt from them.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# Wrong labels, and a network that knows them
# -------------------------------------------
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from sklearn_unlearn.audit import gap_to_retrain_scorer
from sklearn_unlearn.model_selection import ForgetAwareSplit, make_corruption
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.unlearning import NPO

X, y = load_digits(return_X_y=True)
X = X / 16
rng = np.random.default_rng(0)
order = rng.permutation(len(X))[:800]
dirty = make_corruption(X[order], y[order], 80, kind="wrong_labels", random_state=0)
network = DropoutClassifier(
    (64,),
    learning_rate_init=5e-3,
    batch_size=64,
    max_iter=60,
    n_iter_no_change=60,
    random_state=0,
)

# %%
# A surrogate of the request
# --------------------------
# The request asks for rows with wrong labels. Rows like these are planted among the
# others, once more: a surrogate, to choose settings by.
clean = ~dirty.forget
surrogate = make_corruption(
    dirty.X[clean], dirty.y[clean], 80, kind="wrong_labels", random_state=1
)
fitted = FrozenEstimator(network.fit(surrogate.X, surrogate.y).export())

# %%
# Two searches over the same settings
# -----------------------------------
grid = {"n_epochs": [2, 8, 16], "learning_rate_init": [5e-4, 2.5e-3, 5e-3]}
scores = {
    "accuracy": "accuracy",
    "gap": gap_to_retrain_scorer(surrogate.X, surrogate.y, surrogate.forget),
}
searches = {
    name: GridSearchCV(
        NPO(fitted, random_state=0),
        grid,
        scoring=score,
        cv=ForgetAwareSplit(surrogate.forget, cv=2),
        refit=False,
    ).fit(surrogate.X, surrogate.y, forget=surrogate.forget)
    for name, score in scores.items()
}
for name, search in searches.items():
    print(f"by {name}: {search.best_params_}")

# %%
# What the choice is worth for the real request
# ---------------------------------------------
gap = gap_to_retrain_scorer(dirty.X, dirty.y, dirty.forget)
network.fit(dirty.X, dirty.y)


def gap_with(params):
    model = NPO(FrozenEstimator(network.export()), random_state=0, **params)
    model.fit(dirty.X, dirty.y).unlearn(dirty.X[dirty.forget], dirty.y[dirty.forget])
    return -gap(model, dirty.X[clean])


gaps = {
    "defaults": gap_with({}),
    "by accuracy": gap_with(searches["accuracy"].best_params_),
    "by gap": gap_with(searches["gap"].best_params_),
}
fig, axes = plt.subplots(1, 2, figsize=(10, 4))
axes[0].bar(list(gaps), list(gaps.values()))
axes[0].set_ylabel("gap to retrained models, nats")
found = searches["gap"].cv_results_
axes[1].scatter(
    searches["accuracy"].cv_results_["mean_test_score"], -found["mean_test_score"]
)
axes[1].set_xlabel("accuracy on retained rows")
axes[1].set_ylabel("gap on the surrogate, nats")
fig.tight_layout()
