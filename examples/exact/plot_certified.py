"""
=======================================
How many rows a certificate can forget
=======================================

A certified model forgets by a single Newton step. What the step leaves, the residual,
is hidden by noise that was added when the model was fitted, up to a budget. Each
request takes a part of the budget; once it is spent, the model is fitted again with
fresh noise.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The residual
# ------------
# It is the gradient of the noisy objective over the retained rows. To draw it we must
# know the noise, which is never kept. So the models here get an integer as
# ``random_state``; their certificates are not valid for that reason.
import numpy as np
from scipy.special import expit
from sklearn.datasets import load_digits

from sklearn_unlearn.exact import CertifiedLogisticRegression

X, y = load_digits(return_X_y=True)
X, y = X / 64, y % 2  # is the digit odd?
Z = X / np.maximum(1, np.linalg.norm(X, axis=1, keepdims=True))
Z = np.column_stack([Z, np.ones(len(Z))])


def residual(model):
    rows, labels = Z[model.n_forgotten_ :], y[model.n_forgotten_ :]
    generator = np.random.default_rng([0, model.certificate_["n_refits"]])
    noise = generator.normal(scale=model.sigma, size=Z.shape[1])
    w = np.append(model.coef_, model.intercept_)
    gradient = rows.T @ (expit(rows @ w) - labels) + w / model.C
    return np.linalg.norm(gradient + noise)


# %%
# Forget one by one
# -----------------
# The bound on the residual is either measured, or follows from how fast the curvature
# of the loss can change (its Lipschitz constant).
curves = {}
for bound in ("lipschitz", "measured"):
    model = CertifiedLogisticRegression(sigma=0.2, bound=bound, random_state=0)
    model.fit(X, y)
    curves[bound], true = [model.certificate_["residual_bound"]], [residual(model)]
    for i in range(250):
        model.unlearn(X[i : i + 1])
        curves[bound].append(model.certificate_["residual_bound"])
        true.append(residual(model))
    print(f"{bound}: {model.certificate_['n_refits']} refits")

# %%
# Both bounds hold. The measured one stays close to the residual. The other is an order
# of magnitude larger, and asks for a refit that much more often.
import matplotlib.pyplot as plt

budget = model.certificate_["budget"]
fig, ax = plt.subplots(figsize=(7, 4))
ax.axhline(budget, color="black", linestyle="--", label="budget")
ax.semilogy(curves["lipschitz"], color="tab:orange", lw=1, label="bound, lipschitz")
ax.semilogy(curves["measured"], color="tab:blue", label="bound, measured")
ax.semilogy(true, color="tab:green", label="residual")
ax.set_xlabel("rows forgotten, one by one")
ax.set_ylabel("norm of the gradient")
ax.set_ylim(budget / 1000, 2 * budget)
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, frameon=False)
fig.tight_layout()
plt.show()
