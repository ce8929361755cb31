"""Rows for the tests of exact forgetting, and the estimators that have a rule."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib
import inspect
import pkgutil

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_unlearn.exact import Rule, find_rule, rules

__all__ = ["estimators_with_rules", "rule_modules", "training_rows"]

SCALERS = [("standard", StandardScaler()), ("range", MinMaxScaler())]
# those that cannot be made without their parts
COMPOSITES = {
    ColumnTransformer: ColumnTransformer(
        [(name, scaler, [j, 2]) for j, (name, scaler) in enumerate(SCALERS)]
    ),
    FeatureUnion: FeatureUnion(SCALERS),
    Pipeline: Pipeline(SCALERS),
}


def training_rows(target=None, n_rows=300, seed=0, *, uneven=False):
    """Return rows, and targets that depend on them, not only linearly.

    Parameters
    ----------
    target : {None, "number", "numbers", "column", "two", "three"}
        A number for each row, two of them, or one in a column; or labels of two or
        three classes.
    n_rows, seed : int
    uneven : bool
        Whether there are four columns of very unequal scales and offsets, in the
        place of three standard normal ones.
    """
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n_rows, 4 if uneven else 3))
    X = Z * [1e-2, 1.0, 30.0, 1.0] + [5.0, 0.0, 1e3, -2.0] if uneven else Z
    signal = 1.5 * Z[:, 0] - Z[:, 1] + Z[:, 2] ** 2 / 2
    signal = signal + 0.5 * rng.normal(size=n_rows)
    targets = {
        None: None,
        "number": signal,
        "numbers": np.column_stack([signal, Z[:, 1] - 2 * signal]),
        "column": signal[:, None],
        "two": np.where(signal > 0.5, "yes", "no"),
        "three": np.digitize(signal, [-0.5, 1.0]),
    }
    return X, targets[target]


def rule_modules():
    """Return the modules in which the rules lie."""
    names = pkgutil.iter_modules(rules.__path__, f"{rules.__name__}.")
    return [importlib.import_module(module.name) for module in names]


def estimators_with_rules(*, composites=True):
    """Return an instance of every estimator of scikit-learn that has a rule."""
    known = {
        thing.__name__: thing
        for module in rule_modules()
        for thing in vars(module).values()
        if inspect.isclass(thing) and issubclass(thing, BaseEstimator)
    }
    made = (
        clone(COMPOSITES[kind]) if kind in COMPOSITES else kind()
        for _, kind in sorted(known.items())
        if composites or kind not in COMPOSITES
    )
    # not all that a module knows has a rule in it, and one may be ours
    found = [e for e in made if type(find_rule(e)) is not Rule]
    return [e for e in found if type(e).__module__.startswith("sklearn.")]
