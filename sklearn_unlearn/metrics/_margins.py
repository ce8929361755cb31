"""Signals of single rows by which a model may show what it was trained on."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy.special import entr, log_softmax, logsumexp

from sklearn_unlearn.metrics._validation import (
    as_floats,
    check_label_columns,
    check_models,
    check_proba,
    check_rows,
    checked,
)

__all__ = [
    "margin_of_label",
    "membership_signals",
    "modified_entropy",
    "residual_signal",
]

# margins, and logarithms of probabilities, beyond this are cut off
LIMIT = 100.0


@checked("log_proba")
def margin_of_label(proba, y, *, log_proba=False, labels=None):
    """Logarithm of the odds of the label, from -100 to 100.

    That is ``log p_y - log(sum of the others)``, never from ``1 - p_y``, which is 0
    where a model is sure. Models of one row differ in it about as a normal law does.

    Parameters
    ----------
    proba : array-like of shape (n_rows, n_classes) or (n_models, n_rows, n_classes)
        What `predict_proba` returns, of one model or of several.
    y : array-like of shape (n_rows,)
        Labels.
    log_proba : bool, default=False
        Whether `proba` holds logarithms of probabilities, or logits.
    labels : array-like of shape (n_classes,), default=None
        Labels of the columns, ``model.classes_``; 0, 1, ... by default.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_models, n_rows)
        A perfect unlearner gets margins of the same law as retrained models.

    See Also
    --------
    membership_signals : This one and others.

    Notes
    -----
    For two classes it is the logit, whose sigmoid is the probability of the label.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import margin_of_label
    >>> margin_of_label([[0.5, 0.5], [0.9, 0.1], [0.0, 1.0]], [0, 0, 1]).round(2)
    array([  0. ,   2.2, 100. ])
    """
    table, columns = _log_table(proba, y, log_proba, labels)
    own, others = _own_and_others(table, columns)
    return np.clip(own - others, -LIMIT, LIMIT)


@checked("log_proba")
def modified_entropy(proba, y, *, log_proba=False, labels=None):
    """Entropy that is small for sure hits only, and large for sure misses.

    That is ``-(1 - p_y) log p_y - sum of p_k log(1 - p_k)`` over the other classes
    [1]_, in nats. Logarithms are cut off at -100.

    Parameters
    ----------
    proba : array-like of shape (n_rows, n_classes) or (n_models, n_rows, n_classes)
        What `predict_proba` returns, of one model or of several.
    y : array-like of shape (n_rows,)
        Labels.
    log_proba : bool, default=False
        Whether `proba` holds logarithms of probabilities, or logits.
    labels : array-like of shape (n_classes,), default=None
        Labels of the columns, ``model.classes_``; 0, 1, ... by default.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_models, n_rows)
        A perfect unlearner gets values of the same law as retrained models.

    See Also
    --------
    membership_signals : This one, negated, and others.

    References
    ----------
    .. [1] L. Song and P. Mittal, "Systematic Evaluation of Privacy Risks of Machine
       Learning Models", USENIX Security, 2021.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import modified_entropy
    >>> modified_entropy([[0.98, 0.01, 0.01]] * 2, [0, 1]).round(4)
    array([6.000e-04, 8.393e+00])
    """
    table, columns = _log_table(proba, y, log_proba, labels)
    return _modified_entropy(log_softmax(table, axis=-1), columns)


@checked("log_proba")
def membership_signals(proba, y, *, log_proba=False, labels=None):
    """Compute what attacks look at, each larger for rows that were trained on.

    Parameters
    ----------
    proba : array-like of shape (n_rows, n_classes) or (n_models, n_rows, n_classes)
        What `predict_proba` returns, of one model or of several.
    y : array-like of shape (n_rows,)
        Labels.
    log_proba : bool, default=False
        Whether `proba` holds logarithms of probabilities, or logits.
    labels : array-like of shape (n_classes,), default=None
        Labels of the columns, ``model.classes_``; 0, 1, ... by default.

    Returns
    -------
    dict of str to ndarray of shape (n_rows,) or (n_models, n_rows)
        ``"neg_loss"``, the log-likelihood of the label in nats, at least -100;
        ``"confidence"``, the largest probability; ``"neg_entropy"``;
        ``"neg_modified_entropy"``; ``"correctness"``, 1.0 where the most probable
        class is the label; and ``"margin"``. A perfect unlearner gets values of the
        same law as retrained models.

    See Also
    --------
    residual_signal : The signal for numbers.
    attack_auc_score : How well a signal tells rows apart.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import membership_signals
    >>> signals = membership_signals([[0.9, 0.1], [0.4, 0.6]], [0, 0])
    >>> signals["correctness"]
    array([1., 0.])
    """
    table, columns = _log_table(proba, y, log_proba, labels)
    logs = log_softmax(table, axis=-1)
    own, others = _own_and_others(table, columns)
    p = np.exp(logs)
    return {
        "neg_loss": np.maximum(_take(logs, columns), -LIMIT),
        "confidence": p.max(axis=-1),
        "neg_entropy": -entr(p).sum(axis=-1),
        "neg_modified_entropy": -_modified_entropy(logs, columns),
        "correctness": (p.argmax(axis=-1) == columns).astype(float),
        "margin": np.clip(own - others, -LIMIT, LIMIT),
    }


def residual_signal(y_true, y_pred, scale):
    """Log-likelihood of a number, up to a constant: minus half its squared residual.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Targets.
    y_pred : array-like of shape (n_rows,) or (n_models, n_rows)
        Predictions of one model or of several.
    scale : float or array-like of shape (n_rows,)
        Standard deviation that is the unit of residuals: that of retrained models on
        rows that nobody was trained on, for all models the same.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_models, n_rows)
        Larger for rows that were trained on. A perfect unlearner gets values of the
        same law as retrained models.

    See Also
    --------
    membership_signals : Signals for classes.

    Examples
    --------
    >>> from sklearn_unlearn.metrics import residual_signal
    >>> residual_signal([1.0, 2.0], [1.5, 2.0], scale=0.5).round(2)
    array([-0.5, -0. ])
    """
    y_true = check_rows(y_true, "y_true")
    models = check_models(y_pred, "y_pred", n_rows=len(y_true))
    scale = as_floats(scale, "scale")
    if scale.shape not in ((), y_true.shape) or not (scale > 0).all():
        raise ValueError("scale must be a positive number, or one for each row.")
    signal = -(((y_true - models) / scale) ** 2) / 2
    return signal[0] if np.ndim(y_pred) == 1 else signal


def _log_table(proba, y, log_proba, labels):
    """Return logarithms of probabilities up to a constant, and columns of labels."""
    if log_proba:
        table = as_floats(proba, "proba")
        if table.ndim not in (2, 3) or table.size == 0 or table.shape[-1] < 2:
            raise ValueError(
                "proba must have shape (n_rows, n_classes), or that of several models, "
                f"with at least two classes; got {table.shape}."
            )
        if (~(table < np.inf)).any() or np.isneginf(table).all(axis=-1).any():
            raise ValueError(
                "proba must not have NaN, inf, or rows of -inf alone; pass logarithms "
                "of probabilities, or logits."
            )
    else:
        several = np.ndim(proba) == 3
        with np.errstate(divide="ignore"):
            table = np.log(check_proba(proba, "proba", several=several))
    return table, check_label_columns(y, *table.shape[-2:], labels)


def _take(table, columns):
    """Return the entry of each row's own column."""
    index = np.broadcast_to(columns, table.shape[:-1])[..., np.newaxis]
    return np.take_along_axis(table, index, axis=-1)[..., 0]


def _own_and_others(table, columns):
    """Return the logarithms for the label, and for all other classes together."""
    is_own = np.arange(table.shape[-1]) == columns[:, np.newaxis]
    # all of them may be 0
    with np.errstate(divide="ignore"):
        others = logsumexp(np.where(is_own, -np.inf, table), axis=-1)
    return _take(table, columns), others


def _modified_entropy(logs, columns):
    """Compute it from normalized logarithms of probabilities."""
    # 1 - p of the largest probability is the sum of the others, whose digits it has
    # not lost
    with np.errstate(divide="ignore"):
        log_rest = np.log1p(-np.minimum(np.exp(logs), 1))
        top = logs.argmax(axis=-1)[..., np.newaxis]
        is_top = np.arange(logs.shape[-1]) == top
        rest = logsumexp(np.where(is_top, -np.inf, logs), axis=-1)
    log_rest = np.where(is_top, rest[..., np.newaxis], log_rest)
    terms = -np.exp(logs) * np.maximum(log_rest, -LIMIT)
    own = -np.exp(_take(log_rest, columns)) * np.maximum(_take(logs, columns), -LIMIT)
    return own + terms.sum(axis=-1) - _take(terms, columns)
