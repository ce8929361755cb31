"""Copies of an estimator, fitted from seeds of their own."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import sys

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sklearn_unlearn.utils._sklearn_compat import _num_samples, _safe_indexing

__all__ = ["fit_copies", "last_step", "refuse_frozen", "take", "with_seed"]


def take(X, rows):
    """Return rows of an array, a sparse matrix or a frame; None of None."""
    return None if X is None else _safe_indexing(X, rows)


def with_seed(estimator, seed):
    """Return a clone whose random states, those within included, come from a seed."""
    model = clone(estimator)
    names = [
        name
        for name in sorted(model.get_params(deep=True))
        if name.rpartition("__")[2] == "random_state"
    ]
    seeds = np.random.SeedSequence(seed).generate_state(len(names)) >> 1
    return model.set_params(**dict(zip(names, seeds.tolist(), strict=True)))


def last_step(estimator):
    """Return the estimator at the end of pipelines, itself if it is none."""
    while isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    return estimator


def refuse_frozen(estimator):
    """Raise if an estimator cannot be fitted again."""
    inner = getattr(last_step(estimator), "estimator", None)
    if isinstance(estimator, FrozenEstimator) or isinstance(inner, FrozenEstimator):
        raise ValueError(
            "The estimator holds a fitted model in a FrozenEstimator, and retrained "
            "models are needed to compare with. Give the unfitted estimator, or "
            "predictions to audit_predictions."
        )


def fit_copies(
    estimator, X, y, *, seeds, rows=None, groups=None, n_jobs=None, keep_rows=False
):
    """Fit copies of an estimator.

    Parameters
    ----------
    estimator : estimator instance
        Unfitted.
    X, y : rows and targets, `y` may be None
    seeds : sequence of int
        Of each copy.
    rows : sequence of ndarray of int, default=None
        Positions of the rows of each copy; all rows by default.
    groups : array-like of shape (n_rows,), default=None
        Ids, for estimators that forget by them.
    n_jobs : int, default=None
        Processes, where networks cannot be trained side by side.
    keep_rows : bool, default=False
        Whether the copies are to forget rows by themselves; networks that were trained
        side by side have none.

    Returns
    -------
    list of estimator
    """
    every = np.arange(_num_samples(X))
    rows = [every] * len(seeds) if rows is None else list(rows)
    network = _network_to_stack(estimator)
    if network is estimator and keep_rows:
        network = None
    if network is not None and len(seeds) > 1:
        return _fit_stacked(estimator, network, X, y, seeds, rows, groups)
    return Parallel(n_jobs=n_jobs)(
        delayed(_fit)(with_seed(estimator, seed), X, y, own, groups)
        for seed, own in zip(seeds, rows, strict=True)
    )


def _fit(model, X, y, rows, groups):
    params = {} if groups is None else {"groups": take(groups, rows)}
    return model.fit(take(X, rows), take(y, rows), **params)


def _network_to_stack(estimator):
    """Return the network of an estimator if many are trained as one batch, else None.

    Their training must not end by itself: side by side all train to the end.
    """
    # whoever holds a network has imported the package of networks
    networks = sys.modules.get("sklearn_unlearn.neural_network")
    if networks is None:
        return None
    kinds = networks.DropoutClassifier, networks.DropoutRegressor
    edited = sys.modules.get("sklearn_unlearn.unlearning")
    network = estimator
    if edited is not None and isinstance(estimator, edited.NetworkUnlearner):
        network = estimator.estimator
    if type(network) not in kinds:
        return None
    single = network.module is not None or network.early_stopping or network.warm_start
    ends_early = network.n_iter_no_change < network.max_iter
    return None if single or ends_early else network


def _fit_stacked(estimator, network, X, y, seeds, rows, groups):
    """Fit the networks side by side, and let each copy of the estimator take one."""
    from sklearn_unlearn.neural_network._many import fit_many

    seeded = [with_seed(network, seed).random_state for seed in seeds]
    fitted = fit_many(network, X, y, seeds=seeded, subsets=rows)
    if estimator is network:
        return fitted
    models = [
        with_seed(estimator, seed).set_params(estimator=FrozenEstimator(one))
        for seed, one in zip(seeds, fitted, strict=True)
    ]
    return [
        _fit(model, X, y, own, groups) for model, own in zip(models, rows, strict=True)
    ]
