"""
==========================================
Forget rows exactly from a whole pipeline
==========================================

A pipeline of scikit-learn's own steps is fitted on all patients. One of ten then
withdraws consent. ``unlearn`` takes the raw rows out of every step, and the
predictions are those of a pipeline that never saw them.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# Fit, then forget
# ----------------
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sklearn_unlearn.pipeline import make_pipeline

X, y = load_breast_cancer(return_X_y=True)
rng = np.random.default_rng(0)
withdrawn = np.zeros(len(y), dtype=bool)
withdrawn[rng.choice(len(y), len(y) // 10, replace=False)] = True

model = make_pipeline(StandardScaler(), PCA(10), LogisticRegression())
model.fit(X, y)
before = model.predict_proba(X)[:, 1]

model.unlearn(X[withdrawn])
after = model.predict_proba(X)[:, 1]
print(f"{model.n_forgotten_} rows forgotten; last record: {model.unlearning_log_[-1]}")

# %%
# Compare with a pipeline that never saw the rows
# -----------------------------------------------
reference = clone(model).fit(X[~withdrawn], y[~withdrawn])
truth = reference.predict_proba(X)[:, 1]

import matplotlib.pyplot as plt

fig, axes = plt.subplots(1, 2, figsize=(8, 3.6))
axes[0].scatter(truth, before - truth, s=8, color="tab:red", label="before")
axes[0].scatter(truth, after - truth, s=8, color="tab:blue", label="after")
axes[0].set_xlabel("probability, fitted without the rows")
axes[0].set_ylabel("difference to it")
axes[0].legend()
share = np.linspace(0, 100, len(y))
for values, colour in ((before, "tab:red"), (after, "tab:blue")):
    gaps = np.sort(np.maximum(np.abs(values - truth), 1e-17))
    axes[1].semilogy(share, gaps, color=colour)
axes[1].set_xlabel("percentile of rows")
axes[1].set_ylabel("absolute difference")
fig.tight_layout()
plt.show()

# %%
# A row that is gone cannot be forgotten again
# --------------------------------------------
from sklearn_unlearn.exceptions import UnknownRowsError

try:
    model.unlearn(X[withdrawn][:2])
except UnknownRowsError as error:
    print(error)

# %%
# What to deploy
# --------------
# The model keeps the retained rows for later requests. The exported copy has none.
deployed = model.export()
print(bool((deployed.predict_proba(X)[:, 1] == after).all()))
