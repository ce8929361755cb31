"""Audits from easy to hard forget sets: what is passed where nothing is at stake?"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from numbers import Integral

import numpy as np

from sklearn_unlearn.model_selection import forget_set_difficulty, forget_set_spectrum
from sklearn_unlearn.utils._sklearn_compat import (
    HasMethods,
    Interval,
    validate_params,
)

__all__ = ["difficulty_spectrum"]

# models on parts of the rows, from which scores of rows are made where none are given
N_FITS = 20


@validate_params(
    {
        "unlearner": [HasMethods(["fit", "unlearn"])],
        "difficulty": ["array-like", None],
        "n_repeats": [Interval(Integral, 3, None, closed="left")],
        "n_references": [Interval(Integral, 3, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": [Integral, None],
    },
    prefer_skip_nested_validation=False,
)
def difficulty_spectrum(
    unlearner,
    X,
    y,
    *,
    difficulty=None,
    n_forget=None,
    forget=None,
    X_test=None,
    y_test=None,
    n_repeats=4,
    n_references=9,
    n_jobs=None,
    random_state=None,
):
    """Audit an unlearner on forget sets of equal size, from easy to hard.

    Parameters
    ----------
    unlearner : estimator instance
        An unlearner, or a pipeline that ends in one; it is cloned.
    X : array-like of shape (n_rows, n_features)
        Training rows.
    y : array-like of shape (n_rows,)
        Targets.
    difficulty : array-like of shape (n_rows,), default=None
        Score of each row; by default how much better models predict it that were
        fitted on it.
    n_forget : int, float or None, default=None
        Number of rows of each set, or their share. By default as many as `forget`
        marks, or else a tenth.
    forget : array-like of bool of shape (n_rows,), default=None
        A set of your own, which is audited beside the others.
    X_test : array-like of shape (n_test, n_features), default=None
        Rows that no model is fitted on.
    y_test : array-like of shape (n_test,), default=None
        Their targets.
    n_repeats : int, default=4
        Number of models of each set that are fitted and forget.
    n_references : int, default=9
        Number of retrained models of each set.
    n_jobs : int, default=None
        Processes, where models cannot be trained as one batch.
    random_state : int or None, default=None
        Source of the seeds.

    Returns
    -------
    pandas.DataFrame
        One row per set: ``low``, ``mid``, ``high``, ``random`` and ``given``. The
        columns tell the mean difficulty, the verdict, the area of the per-row attack
        with its interval, 1/2 for a perfect unlearner, and the area of the same attack
        on original models. Where this is near 1/2, such as for easy rows, to pass
        means nothing.

    See Also
    --------
    sklearn_unlearn.model_selection.forget_set_spectrum : Makes the sets.
    sklearn_unlearn.audit.audit_unlearning : Audits one of them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_unlearn.audit.stress import difficulty_spectrum
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> X, y = load_iris(return_X_y=True)
    >>> table = difficulty_spectrum(ExactUnlearner(GaussianNB()), X, y, random_state=0)
    >>> table["verdict"].tolist()
    ['EQUAL', 'EQUAL', 'EQUAL', 'EQUAL']
    """
    # the audit itself can be asked for this check, so it stands above
    import pandas as pd

    from sklearn_unlearn.audit._audit import audit_unlearning

    y = np.asarray(y)
    rng = np.random.RandomState(np.random.SeedSequence(random_state).generate_state(1))
    if difficulty is None:
        difficulty = forget_set_difficulty(
            unlearner, X, y, n_fits=N_FITS, n_jobs=n_jobs, random_state=rng
        )
    if n_forget is None:
        n_forget = max(1, len(y) // 10) if forget is None else int(np.sum(forget))
    difficulty = np.asarray(difficulty)
    sets = forget_set_spectrum(
        difficulty, min(n_forget, len(y) // 3), forget=forget, random_state=rng
    )
    rows = {}
    for name, mask in sets.items():
        audit = audit_unlearning(
            unlearner,
            X,
            y,
            forget=mask,
            X_test=X_test,
            y_test=y_test,
            n_repeats=n_repeats,
            n_references=n_references,
            n_jobs=n_jobs,
            random_state=random_state,
        )
        area = audit.area or (np.nan,) * 3
        known = {(n.name, n.split): n for n in audit.numbers}
        pair = known.get(("AUC", "pair"))
        rows[name] = {
            "n_forget": int(mask.sum()),
            "difficulty": float(difficulty[mask].mean()),
            "verdict": audit.verdict,
            "flags": ", ".join(audit.flags),
            **dict(zip(("AUC", "AUC low", "AUC high"), area, strict=True)),
            "AUC original": np.nan if pair is None else pair.original,
            "p": np.nan if pair is None or pair.pvalue is None else pair.pvalue,
        }
    return pd.DataFrame.from_dict(rows, orient="index")
