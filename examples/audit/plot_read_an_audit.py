"""
===========================
An audit, read line by line
===========================

A method that promises nothing has to be audited: its models are compared with models
that never saw the rows. Here a tenth of the labels of some digits is wrong. Three ways
to get rid of them are audited, and the numbers of one audit are read from the first to
the last.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# The rows to forget
# ------------------
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklearn_unlearn.audit import audit_unlearning, compare
from sklearn_unlearn.exact import Retrain
from sklearn_unlearn.neural_network import DropoutClassifier
from sklearn_unlearn.unlearning import NPO, FineTune

X, y = load_digits(return_X_y=True)
X, X_test = X[:600] / 16, X[600:1000] / 16
y, y_test = y[:600].copy(), y[600:1000]
forget = np.arange(600) % 10 == 0
y[forget] = (y[forget] + 1) % 10

# %%
# Three audits
# ------------
# Each fits eight networks on all rows, lets them forget, and fits 27 on the other rows:
# 19 to compare with, eight to see whether the comparison itself is sound. Retraining is
# audited too: it has to pass.
network = DropoutClassifier(
    (64,), learning_rate_init=5e-3, batch_size=64, max_iter=60, n_iter_no_change=60
)
unlearners = {
    "one epoch more": FineTune(network, n_epochs=1),
    "NPO": NPO(network),
    "retraining": Retrain(network),
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
# The verdict comes first, with its reasons. Then the numbers: what original, unlearned
# and retrained models get on the forgotten rows, on others that were trained on, and on
# rows that no model has seen; the interval within which one more retrained model would
# lie; and the p-value of the difference between unlearned and retrained models.
print(audits["NPO"])

# %%
# The *target of every number is the value of the retrained models*, not 0 and not 1/2.
# Retrained networks give next to none of the forgotten rows its wrong label; a method
# with an accuracy of 20 % on them has not forgotten. The AUC is that of an attack that
# knows several models of both kinds, row by row; the one below it, with one threshold
# for all rows, is weak, and may look harmless where the other is not.

# %%
# Row by row
# ----------
# How far are the answers for each forgotten row from those of the retrained models?
# Retrained models differ among themselves, too.
fig, axes = plt.subplots(1, 2, figsize=(10, 4))
share = np.linspace(0, 100, forget.sum())
for name, audit in audits.items():
    axes[0].plot(share, np.sort(audit.rows["unlearned"]), label=name)
axes[0].plot(share, np.sort(audit.rows["retrained"]), "k--", label="one retrained")
axes[0].set_yscale("log")
axes[0].set_xlabel("percentile of the forgotten rows")
axes[0].set_ylabel("divergence from retrained, nats")
axes[0].legend()

# Some of the forgotten rows are learnt again, and the others looked at. What was only
# hidden comes back at once.
for name, audit in audits.items():
    axes[1].plot(audit.curves["relearning"]["unlearned"], label=name)
axes[1].plot(audit.curves["relearning"]["retrained"], "k--", label="retrained")
axes[1].set_xlabel("passes over half of the forgotten rows")
axes[1].set_ylabel("mean margin of the wrong label, other half")
fig.tight_layout()

# %%
# Which one?
# ----------
# Sorted by the upper end of the interval of the attack, never by verdict: with enough
# models any difference is detected.
compare(audits).iloc[:, :5].round(2)
