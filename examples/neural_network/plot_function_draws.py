"""
=================================
Functions drawn from one network
=================================

A network with dropout is a distribution over functions, as a Gaussian process is: each
set of dropped units is one function. Their mean is the prediction; their spread grows
where there are no rows, though it need not cover the truth there: what a network does
far from all rows is a guess. Around the functions lies noise, whose size is fitted on
held-out rows.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# A function with a gap in the data
# ---------------------------------
import matplotlib.pyplot as plt
import numpy as np

from sklearn_unlearn.neural_network import DropoutRegressor


def truth(x):
    return x * np.sin(x)


rng = np.random.default_rng(0)
x = np.concatenate([rng.uniform(0, 4, 150), rng.uniform(7, 10, 150)])
y = truth(x) + rng.normal(0, 0.7, len(x))
x_grid = np.linspace(-1, 11, 400)[:, None]

# %%
# Mean, spread and functions
# --------------------------
# ``predict(X, return_std=True)`` and ``sample_y`` are those of scikit-learn's
# ``GaussianProcessRegressor``. The standard deviation counts the noise;
# ``predict_uncertainty`` tells the two causes apart.
model = DropoutRegressor(
    (128, 128),
    dropout=0.25,
    mc_samples=300,
    learning_rate_init=0.005,
    max_iter=600,
    n_iter_no_change=600,
    random_state=0,
)
model.fit(x[:, None], y)


def show(model, title, rows):
    mean, std = model.predict(x_grid, return_std=True)
    epistemic = np.sqrt(model.predict_uncertainty(x_grid, kind="epistemic"))
    fig, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    axes[0].plot(x_grid, model.sample_y(x_grid, 6), lw=1, alpha=0.8)
    axes[0].set_title("six functions")
    for factor, alpha in ((std, 0.2), (epistemic, 0.4)):
        axes[1].fill_between(
            x_grid[:, 0],
            mean - 1.96 * factor,
            mean + 1.96 * factor,
            color="tab:blue",
            alpha=alpha,
            lw=0,
            label="95 %, " + ("with noise" if factor is std else "the function"),
        )
    axes[1].plot(x_grid, mean, color="tab:blue", label="mean")
    axes[1].set_title("their mean and spread")
    for ax in axes:
        ax.plot(x_grid, truth(x_grid), "k--", lw=1, label="truth")
        ax.plot(x[rows], y[rows], ".", color="k", ms=3)
        ax.set_ylim(-12, 12)
        ax.set_xlabel("x")
    axes[1].legend(fontsize=8, loc="lower left")
    fig.suptitle(title)
    fig.tight_layout()


show(model, "A network with dropout", np.full(len(x), True))

# %%
# The standard deviation of the noise was 0.7. The model estimates it on a twentieth of
# the rows, which it does not train on: 15 here, so that the estimate is a rough one.
print(f"estimated standard deviation: {model.noise_precision_**-0.5:.2f}")

# %%
# The network forgets
# -------------------
# To forget is exact here: it becomes the network that a fit without those rows gives.
# Nothing of the bend on the right is left.
right = x > 7
model.unlearn(x[right, None])
show(model, "The same network after it has forgotten the rows on the right", ~right)
