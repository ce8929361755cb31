"""The parts of the uncertainty that random functions have about a class."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

__all__ = ["check_uncertainty_kind", "entropy_part"]


def check_uncertainty_kind(kind):
    """Raise unless `kind` names a part of the uncertainty."""
    if kind not in ("total", "aleatoric", "epistemic"):
        raise ValueError(
            f'kind must be "total", "aleatoric" or "epistemic"; got {kind!r}.'
        )


def entropy_part(entropy, p, kind):
    """Return the entropy of the mean over functions, or one of its two parts.

    Parameters
    ----------
    entropy : callable (p) -> ndarray
        Reduces the last axis, or none if labels are independent.
    p : ndarray of shape (n_draws, n_rows, n_classes)
        Probabilities that the functions give.
    kind : {"total", "aleatoric", "epistemic"}

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, n_labels)
        In nats.
    """
    total = entropy(p.mean(axis=0))
    # never above the total but for rounding
    aleatoric = np.minimum(entropy(p).mean(axis=0), total)
    parts = {"total": total, "aleatoric": aleatoric}
    return parts.get(kind, total - aleatoric)
