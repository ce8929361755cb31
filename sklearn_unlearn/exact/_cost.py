"""What a request to forget would cost."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass

__all__ = ["UnlearningCost"]


@dataclass(frozen=True)
class UnlearningCost:
    """What a request would cost, told before it is made.

    Costs are counted in rows that are read, which hardly depends on the machine.

    Parameters
    ----------
    path : {"summaries", "warm start", "shards", "refit"}
        ``"summaries"``: at most the blocks that hold a forgotten row are read
        again; ``"warm start"``: all retained rows are read, starting from the
        present solution; ``"shards"``: some shards of an ensemble are trained
        again; ``"refit"``: as much as ``fit``.
    n_forget : int
        Rows that the request would forget.
    n_read : int
        Retained rows that would be read.
    n_retain : int
        Retained rows.
    reason : str
        Why this path is taken, in words.

    See Also
    --------
    ExactUnlearner : Estimator that tells its cost.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> X = np.random.default_rng(0).normal(size=(1000, 3))
    >>> model = ExactUnlearner(StandardScaler()).fit(X).prepare()
    >>> cost = model.unlearning_cost(X[:1])
    >>> cost.path, cost.n_read
    ('summaries', 0)
    """

    path: str
    n_forget: int
    n_read: int
    n_retain: int
    reason: str
