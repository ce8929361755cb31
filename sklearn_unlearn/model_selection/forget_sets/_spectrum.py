"""Forget sets from easy to hard, of equal size."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.utils import Bunch, check_random_state, column_or_1d

from sklearn_unlearn.model_selection.forget_sets._taking import (
    N_FORGET,
    check_n_forget,
    descending,
)
from sklearn_unlearn.utils._sklearn_compat import validate_params
from sklearn_unlearn.utils._validation import check_forget_mask

__all__ = ["forget_set_spectrum"]


@validate_params(
    {
        "difficulty": ["array-like"],
        "n_forget": [*N_FORGET, None],
        "forget": ["array-like", None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def forget_set_spectrum(difficulty, n_forget=None, *, forget=None, random_state=None):
    """Make forget sets of equal size from easy, middling, hard and random rows.

    The easy rows are a control: the original and the retrained model agree on them, so
    that to pass a test there means nothing. See the :ref:`user guide <forget_sets>`.

    Parameters
    ----------
    difficulty : array-like of shape (n_rows,)
        Score of each row, such as :func:`forget_set_difficulty` returns.
    n_forget : int, float or None, default=None
        Number of rows of each set, or their share of all rows; a third if None.
    forget : array-like of shape (n_rows,), dtype=bool, default=None
        A set of your own, which is returned beside the others.
    random_state : int, RandomState instance or None, default=None
        Draws rows within the thirds, and decides where scores are equal.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        Boolean masks of shape (n_rows,) by name: ``low``, ``mid`` and ``high``, each
        from one third of the rows in the order of their scores, ``random``, and
        ``given`` if there is `forget`.

    See Also
    --------
    forget_set_difficulty : Scores of rows.

    Examples
    --------
    >>> from sklearn_unlearn.model_selection import forget_set_spectrum
    >>> sets = forget_set_spectrum([0.1, 0.9, 0.3, 0.5, 0.0, 0.7], random_state=0)
    >>> sets.high
    array([False,  True, False, False, False,  True])
    """
    difficulty = column_or_1d(difficulty)
    n_rows, rng = len(difficulty), check_random_state(random_state)
    if not np.isfinite(difficulty).all():
        raise ValueError("difficulty must be finite: each row needs a score.")
    n_third = n_rows // 3
    n_forget = n_third if n_forget is None else n_forget
    number = check_n_forget(n_forget, n_rows, n_third, "rows, a third of all,")
    order = descending(-difficulty, rng)
    thirds = [order[:n_third], order[n_third:-n_third], order[-n_third:]]
    pools = dict(zip(("low", "mid", "high"), thirds, strict=True), random=order)
    masks = {}
    for name, pool in pools.items():
        masks[name] = np.zeros(n_rows, dtype=bool)
        masks[name][rng.permutation(pool)[:number]] = True
    if forget is not None:
        check_forget_mask(forget, n_rows)
        masks["given"] = np.array(forget)
    return Bunch(**masks)
