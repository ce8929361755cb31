"""Does it matter whether rows are asked for one after another, or all at once?"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

import numpy as np

from sklearn_unlearn.audit._request import positions_of
from sklearn_unlearn.audit._training import take
from sklearn_unlearn.audit.stress._networks import task_of
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    _num_samples,
    validate_params,
)

__all__ = ["batch_gap_error", "largest_difference"]


def largest_difference(task, first, second, X):
    """Return the largest difference of two models' answers, relative to their size."""
    a, b = (task.answers(model, X) for model in (first, second))
    size = max(float(np.abs(b).max()), np.finfo(float).tiny)
    return float(np.abs(a - b).max() / size)


@validate_params(
    {"model": [HasMethods(["predict", "unlearn"])], "requests": [list, tuple]},
    prefer_skip_nested_validation=True,
)
def batch_gap_error(model, X, y, requests, X_eval=None):
    """Compare a model that forgets request by request with one that does so at once.

    Parameters
    ----------
    model : estimator instance
        Fitted unlearner with its rows; it stays as it is.
    X : array-like of shape (n_rows, n_features)
        Training rows.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Their targets.
    requests : list of array-like of bool of shape (n_rows,)
        Rows of each request, such as :class:`RequestStream` yields; no row in two.
    X_eval : array-like of shape (n_eval, n_features), default=None
        Rows to predict, by default the training rows.

    Returns
    -------
    float
        Largest difference of probabilities, or of predicted numbers relative to the
        largest of them. Exact methods get 0 up to rounding; others get what two
        retrained models differ by, if they are perfect.

    See Also
    --------
    sequential_unlearning : Watches a model over requests.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_unlearn.audit.stress import batch_gap_error
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> X, y = load_diabetes(return_X_y=True)
    >>> requests = [np.arange(442) // 10 == k for k in range(5)]
    >>> batch_gap_error(ExactUnlearner(Ridge()).fit(X, y), X, y, requests) < 1e-8
    True
    """
    n_rows, y = _num_samples(X), np.asarray(y)
    rows = [
        positions_of(mask, f"requests[{i}]", n_rows) for i, mask in enumerate(requests)
    ]
    every = np.concatenate(rows) if rows else np.empty(0, dtype=int)
    if not len(every) or len(np.unique(every)) < len(every):
        raise ValueError("requests must hold at least one mask, and mark no row twice.")
    in_turn, at_once = copy.deepcopy(model), copy.deepcopy(model)
    for positions in rows:
        in_turn.unlearn(take(X, positions), take(y, positions))
    at_once.unlearn(take(X, every), take(y, every))
    X_eval = X if X_eval is None else X_eval
    return largest_difference(task_of([model], y), in_turn, at_once, X_eval)
