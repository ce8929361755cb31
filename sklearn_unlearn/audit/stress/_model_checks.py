"""Stress tests that an audit does with each of its models."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

from sklearn_unlearn.audit._measures import number_of
from sklearn_unlearn.audit._training import take
from sklearn_unlearn.audit.stress._mask_revival import signals_over_masks
from sklearn_unlearn.audit.stress._networks import hidden_features
from sklearn_unlearn.audit.stress._probe import read_off
from sklearn_unlearn.audit.stress._relearn import curve_or_none
from sklearn_unlearn.utils._sklearn_compat import _num_samples

__all__ = ["curves_of", "model_measures", "numbers_of"]

# rows to be learnt again, in passes, and rows of each kind for a probe, at the least
FEWEST_ROWS = 8
FEWEST_PROBED = 10
N_MASKS = 50
RELEARNING = (
    "relearning",
    "relearning the same rows",
    "relearning from retained rows",
)
# what is told of the array that a measure returns, by the name of the number
NUMBERS = {
    **{name: (name, np.mean) for name in RELEARNING},
    "probe of the last hidden layer": ("probe", lambda found: found[0]),
    "the same probe of labels in random order": ("probe", lambda found: found[1]),
    "mean signal over masks": ("masks", np.mean),
    "spread of signals over masks": ("masks", np.std),
    "largest signal over masks": ("masks", np.max),
}
NOTES = {
    "relearning": "mean signal of other forgotten rows while some are learnt again",
    "relearning the same rows": "mean signal of the rows while they are learnt again",
    "relearning from retained rows": (
        "mean signal of forgotten rows while others are learnt again"
    ),
    "probe of the last hidden layer": (
        "area under the ROC curve: which rows are forgotten ones?"
    ),
}


def model_measures(names, task, rows, targets, rng):
    """Return what is measured of each model, as functions of it, by name.

    Parameters
    ----------
    names : tuple of str
        Chosen checks; some rows are learnt again in any case.
    task : Task
    rows, targets : dict of str to rows and ndarray
        By the kind of rows.
    rng : numpy.random.RandomState

    Returns
    -------
    dict of str to callable (model) -> ndarray or None
        None is returned of a model that has nothing to measure.
    """
    forgotten, measures = (rows["forget"], targets["forget"]), {}
    order, seed = rng.permutation(len(targets["forget"])), rng.randint(2**31 - 1)
    if len(order) >= FEWEST_ROWS:
        half = len(order) // 2
        parts = [
            values
            for part in (np.sort(order[:half]), np.sort(order[half:]))
            for values in (take(rows["forget"], part), targets["forget"][part])
        ]
        measures["relearning"] = lambda m: curve_or_none(m, task, *parts)
    if "relearning" in names:
        some = np.sort(rng.permutation(_num_samples(rows["retain"]))[: len(order)])
        others = take(rows["retain"], some), targets["retain"][some]
        measures["relearning the same rows"] = lambda m: curve_or_none(
            m, task, *forgotten, *forgotten
        )
        measures["relearning from retained rows"] = lambda m: curve_or_none(
            m, task, *others, *forgotten
        )
    if "probe" in names:
        never = _never_asked(task, rows, targets)
        measures["probe"] = lambda m: _probe(m, rows["forget"], never, seed)
    if "masks" in names:
        measures["masks"] = lambda m: _masks(m, task, *forgotten, seed)
    return measures


def _never_asked(task, rows, targets):
    """Return rows to tell the forgotten ones from: never seen, of classes that stay."""
    kind = "test" if "test" in rows else "retain"
    if task.classes is None:
        return rows[kind]
    stay = np.isin(targets[kind], targets["retain"])
    return take(rows[kind], np.flatnonzero(stay))


def _probe(model, X_forget, X_other, seed):
    """Return the scores of a probe, and of its control, for membership."""
    if min(_num_samples(X_forget), _num_samples(X_other)) < FEWEST_PROBED:
        return None
    parts = [hidden_features(model, X) for X in (X_forget, X_other)]
    if parts[0] is None:
        return None
    is_forgotten = np.repeat([1, 0], [len(part) for part in parts])
    return np.array(read_off(np.vstack(parts), is_forgotten, random_state=seed))


def _masks(model, task, X, y, seed):
    try:
        return signals_over_masks(model, task, X, y, N_MASKS, seed)
    except ValueError:  # of a module without a layer of dropout
        return None


def numbers_of(views, rng):
    """Return numbers of what was measured of unlearned and of retrained models."""
    groups = {name: views[name].measured for name in ("unlearned", "retrained")}
    for name, (measure, reduce) in NUMBERS.items():
        values = {
            group: np.array([reduce(one) for one in measured.get(measure, ())])
            for group, measured in groups.items()
        }
        if all(len(found) for found in values.values()):
            yield number_of(name, "forget", values, rng, NOTES.get(name, ""))


def curves_of(views):
    """Return relearn curves of both kinds of models, their means."""
    groups = {name: views[name].measured for name in ("unlearned", "retrained")}
    return {
        name: {g: np.mean(found[name], axis=0).tolist() for g, found in groups.items()}
        for name in RELEARNING
        if all(name in found for found in groups.values())
    }
