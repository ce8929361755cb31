"""How fast a model learns forgotten rows again: what is hidden comes back at once."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
from numbers import Integral, Real

import numpy as np
from sklearn.base import is_classifier

from sklearn_unlearn.audit.stress._networks import behind_steps, network_of, task_of
from sklearn_unlearn.utils._sklearn_compat import (
    Interval,
    StrOptions,
    validate_params,
)

__all__ = ["curve_or_none", "relearn_curve"]


@validate_params(
    {
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither"), None],
        "response": [StrOptions({"signal", "score"})],
    },
    prefer_skip_nested_validation=True,
)
def relearn_curve(
    model,
    X,
    y,
    X_eval=None,
    y_eval=None,
    *,
    n_steps=5,
    learning_rate_init=None,
    response="signal",
):
    """Train a copy of a network on some rows again, and look at others.

    Which rows are learnt is the question that is asked [1]_: the forgotten ones
    themselves; some of them, looking at the others, which shows a memory that is only
    hidden; or retained ones, by which what was forgotten may come back by itself.

    Parameters
    ----------
    model : estimator instance
        Fitted network with ``partial_fit``, or an unlearner or pipeline that ends in
        one. It stays as it is.
    X : array-like of shape (n_rows, n_features)
        Rows to learn, all of them once per step.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Their targets.
    X_eval : array-like of shape (n_eval, n_features), default=None
        Rows to look at; `X` itself by default.
    y_eval : array-like of shape (n_eval,) or (n_eval, n_outputs), default=None
        Their targets, as they had been learnt.
    n_steps : int, default=5
        Number of passes over `X`.
    learning_rate_init : float, default=None
        Learning rate, the network's own by default. Compare curves of the same rate.
    response : {"signal", "score"}, default="signal"
        What is looked at: the mean margin of the labels, or their accuracy; of numbers,
        minus the mean squared error.

    Returns
    -------
    ndarray of shape (n_steps + 1,)
        The response before, and after each pass. A perfect unlearner gets the curve
        that retrained models get.

    Raises
    ------
    TypeError
        If the model cannot be trained on.
    ValueError
        If it has no output for a label: of a class that it never saw nothing can be
        learnt again.

    See Also
    --------
    revival_gap_error : Difference to the curves of retrained models.
    anamnesis_index : Ratio of the times until rows are known again.

    References
    ----------
    .. [1] A. Lynch, P. Guo, A. Ewart, S. Casper and D. Hadfield-Menell, "Eight Methods
       to Evaluate Robust Unlearning in LLMs", arXiv:2402.16835, 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from sklearn_unlearn.audit.stress import relearn_curve
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((8,), max_iter=50, random_state=0).fit(X, y)
    >>> curve = relearn_curve(model, X[:50], y[:50], n_steps=20)
    >>> len(curve), bool(curve[-1] > curve[0])
    (21, True)
    """
    y = np.asarray(y)
    if X_eval is None:
        X_eval, y_eval = X, y
    elif y_eval is None:
        raise ValueError("y_eval must be given with X_eval.")
    network = network_of(model)
    if not _learns(network):
        raise TypeError(
            f"{type(network).__name__} cannot be trained on from where it stands: pass "
            "a network with partial_fit."
        )
    if not _knows(network, y):
        raise ValueError(
            "y has labels that the network has no output for, so that nothing can be "
            "learnt again about them."
        )
    task = task_of([model], np.concatenate([y, np.asarray(y_eval)]))
    return _curve(
        model, task, X, y, X_eval, y_eval, n_steps, learning_rate_init, response
    )


def curve_or_none(model, task, X, y, X_eval, y_eval):
    """Return the curve of five steps; None of a model that cannot learn the rows."""
    network = network_of(model)
    if not _learns(network) or not _knows(network, y):
        return None
    return _curve(model, task, X, y, X_eval, y_eval)


def _curve(model, task, X, y, X_eval, y_eval, n_steps=5, rate=None, response="signal"):
    X, network = behind_steps(model, X)
    X_eval, _ = behind_steps(model, X_eval)
    network = copy.deepcopy(network.export() if hasattr(network, "export") else network)
    if getattr(network, "early_stopping", False):
        network.set_params(early_stopping=False)  # nothing is held out of a step
    if rate is not None:
        network.set_params(learning_rate_init=rate)

    def look():
        answers = task.answers(network, X_eval)[np.newaxis]
        measure = task.signals if task.is_classifier else task.successes
        measure = task.successes if response == "score" else measure
        return float(measure(answers, y_eval).mean())

    found = [look()]
    for _ in range(n_steps):
        network.partial_fit(X, y)
        found.append(look())
    return np.array(found)


def _learns(network):
    """Tell whether an estimator is a network whose training can go on.

    What forgets exactly by its formulas has no hidden state that could come back.
    """
    is_network = hasattr(network, "coefs_") or hasattr(network, "_network")
    return is_network and hasattr(network, "partial_fit")


def _knows(network, y):
    """Tell whether a network has outputs for all labels."""
    if not is_classifier(network) or np.ndim(y) > 1:
        return True
    # of a class that is forgotten by a fit without it, the column alone is left
    classes = getattr(network, "_network_classes", network.classes_)
    return bool(np.isin(y, classes).all())
