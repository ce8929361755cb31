"""Numbers beside the verdict: what else differs from retrained models, and flags."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import stats
from scipy.special import rel_entr
from sklearn.metrics import roc_auc_score

from sklearn_unlearn.audit._results import AuditNumber
from sklearn_unlearn.metrics import permutation_test_of_models

__all__ = ["distances_to_mean", "flags_of", "measure", "number_of"]

# of a flag, which is no part of the verdict
FLAG_LEVEL = 0.01
# numbers that show what is hidden; of all but the first, more is more memory
HIDDEN = (
    "signal of rows moved a little",
    "relearning",
    "relearning the same rows",
    "relearning from retained rows",
    "probe of the last hidden layer",
    "largest signal over masks",
)
SMALLEST = 1e-12
# numbers from 0 to 1
SHARES = ("accuracy", "negative flips", "AUC of the loss")


def measure(task, views, targets, weights, rng):
    """Return all numbers of an audit.

    Parameters
    ----------
    task : Task
    views : dict of str to Views
    targets : dict of str to ndarray
        By the name of the rows.
    weights : dict of str to ndarray
        Weights of the rows, with sum 1.
    rng : numpy.random.RandomState

    Returns
    -------
    list of AuditNumber
    """
    return [
        *_scores(task, views, targets, weights, rng),
        *_confidence(task, views, targets, weights, rng),
        *_flips(task, views, targets, weights, rng),
        *_population_attack(task, views, targets, rng),
        *_central(task, views, weights),
        *_moved(task, views, targets, rng),
    ]


def number_of(name, split, groups, rng, note=""):
    """Return a number from one value per model of each group."""
    unlearned, retrained = groups["unlearned"], groups["retrained"]
    n = len(retrained)
    mean = float(np.mean(retrained))
    # where one more retrained model lies
    half = stats.t.ppf(0.975, n - 1) * np.std(retrained, ddof=1) * np.sqrt(1 + 1 / n)
    test = permutation_test_of_models(
        unlearned[:, np.newaxis],
        retrained[:, np.newaxis],
        n_permutations=1999,
        random_state=rng,
    )
    low, high = mean - half, mean + half
    if name in SHARES:
        low, high = max(low, 0.0), min(high, 1.0)
    original = groups.get("original")
    return AuditNumber(
        name,
        split,
        float(np.mean(unlearned)),
        None if original is None else float(np.mean(original)),
        mean,
        float(low),
        float(high),
        None if np.isnan(test.pvalue) else test.pvalue,
        note,
    )


def _each(views, function, names=("original", "unlearned", "retrained")):
    """Apply a function to the views of each group of models."""
    return {name: function(views[name]) for name in names}


def _scores(task, views, targets, weights, rng):
    name = "accuracy" if task.is_classifier else "root mean squared error"

    def score(split):
        def of(group):
            found = task.successes(group.stacked(split), targets[split])
            found = found @ weights[split]
            return found if task.is_classifier else np.sqrt(-found)

        return of

    for split in ("forget", "retain", "test"):
        if split in targets:
            yield number_of(name, split, _each(views, score(split)), rng)


def _confidence(task, views, targets, weights, rng):
    """Log loss: a model may be as right as retrained ones, and more sure."""
    if not task.is_classifier:
        return
    for split in ("forget", "retain", "test"):
        if split in targets:

            def loss(group, split=split):
                margins = task.signals(group.stacked(split), targets[split])
                losses = np.logaddexp(0, -margins)
                n_signals = task.n_signals(group.stacked(split))
                losses = losses.reshape(len(losses), -1, n_signals).mean(axis=2)
                return losses @ weights[split]

            yield number_of("log loss", split, _each(views, loss), rng)


def _flips(task, views, targets, weights, rng):
    """Rows that the originals got right, and others get wrong."""
    if not task.is_classifier or "test" not in targets:
        return
    for split in ("retain", "test"):
        right = task.successes(views["original"].stacked(split), targets[split])
        often = right.mean(axis=0)

        def lost(group, often=often, split=split):
            wrong = 1 - task.successes(group.stacked(split), targets[split])
            return (wrong * often) @ weights[split]

        groups = _each(views, lost, ("unlearned", "retrained"))
        yield number_of("negative flips", split, groups, rng)


def _population_attack(task, views, targets, rng):
    """One rule for all rows: is the loss smaller than on rows never seen?"""
    if "test" not in targets:
        return

    def area(group):
        values = [
            _fit_of(task, group.stacked(split), targets[split])
            for split in ("forget", "test")
        ]
        member = np.repeat([1, 0], [v.shape[1] for v in values])
        return np.array([roc_auc_score(member, row) for row in np.hstack(values)])

    note = "weak: one threshold for all rows"
    yield number_of("AUC of the loss", "forget", _each(views, area), rng, note)


def _fit_of(task, answers, y):
    """Return how well each model fits each row."""
    if task.is_classifier:
        signals = task.signals(answers, y)
        return signals.reshape(len(signals), answers.shape[1], -1).mean(axis=2)
    return task.successes(answers, y)


def distances_to_mean(task, answers, references, own=False):
    """Return the distance of each model to the mean of retrained models, per row.

    Kullback-Leibler divergence in nats from the mean, or squared differences in
    variances among the retrained models.

    Parameters
    ----------
    task : Task
    answers : ndarray of shape (n_models, n_rows, n_outputs)
    references : ndarray of shape (n_references, n_rows, n_outputs)
    own : bool, default=False
        Whether the models are the references: each is left out of its mean.

    Returns
    -------
    ndarray of shape (n_models, n_rows)
    """
    n, total = len(references), references.sum(axis=0)
    means = (total - answers) / (n - 1) if own else (total / n)[np.newaxis]
    if not task.is_classifier:
        variance = references.var(axis=0, ddof=1)
        variance = np.maximum(variance, variance.mean() * 1e-6 + SMALLEST)
        return ((answers - means) ** 2 / variance).mean(axis=2)
    if task.is_indicator:
        pairs = ((means, answers), (1 - means, 1 - answers))
    else:
        pairs = ((means, answers),)
    return sum(rel_entr(p, np.maximum(q, SMALLEST)).sum(axis=2) for p, q in pairs)


def _central(task, views, weights):
    """Distance to the mean of retrained models beside that of each one of them."""
    references = views["retrained"].stacked("forget")
    own = distances_to_mean(task, references, references, own=True)
    own = own @ weights["forget"]
    found = {
        name: distances_to_mean(task, views[name].stacked("forget"), references)
        @ weights["forget"]
        for name in ("original", "unlearned")
    }
    # it enters the mean as one model more: its distance to the mean of the others
    name = (
        "divergence from retrained" if task.is_classifier else "distance to retrained"
    )
    yield AuditNumber(
        name,
        "forget",
        float(found["unlearned"].mean()),
        float(found["original"].mean()),
        float(own.mean()),
        float(own.min()),
        float(own.max()),
        None,
        "of each retrained model: to the mean of all others",
    )


def _moved(task, views, targets, rng):
    """Rows that are nearly the forgotten ones."""
    if "perturbed" in views["unlearned"].answers:
        groups = {
            name: task.signals(views[name].stacked("perturbed"), targets["forget"])
            for name in ("original", "unlearned", "retrained")
        }
        test = permutation_test_of_models(
            groups["unlearned"], groups["retrained"], random_state=rng
        )
        unlearned, original, retrained = (
            float(groups[name].mean())
            for name in ("unlearned", "original", "retrained")
        )
        yield AuditNumber(
            "signal of rows moved a little",
            "forget",
            unlearned,
            original,
            retrained,
            pvalue=None if np.isnan(test.pvalue) else test.pvalue,
        )


def flags_of(numbers, matches):
    """Return the flags beside the verdict, and a sentence for each.

    Parameters
    ----------
    numbers : list of AuditNumber
    matches : bool
        Whether unlearned and retrained models were not told apart.

    Returns
    -------
    list of (str, str)
    """
    found = []
    known = {(n.name, n.split): n for n in numbers}
    worse = [
        n
        for n in numbers
        if n.split in ("retain", "test") and _differs(n) and _is_worse(n)
    ]
    if worse:
        named = ", ".join(f"{n.name} on {n.split} rows" for n in worse)
        found.append(("COLLATERAL", f"Worse than retrained models: {named}."))
    tested = [known[name, "forget"] for name in HIDDEN if (name, "forget") in known]
    hidden = [
        n
        for n in tested
        # together they have the level of a flag
        if n.pvalue is not None and n.pvalue <= FLAG_LEVEL / len(tested)
        if n.name == HIDDEN[0] or n.value > n.retrained
    ]
    if hidden and matches:
        named = " and ".join(n.name for n in hidden)
        found.append(
            (
                "SUPPRESSED",
                "The answers for the forgotten rows match retrained models, but not "
                f"this: {named}. What was learnt may only be hidden.",
            )
        )
    for name, sign in (("accuracy", 1), ("root mean squared error", -1)):
        n = known.get((name, "forget"))
        if n is not None and _differs(n) and sign * (n.value - n.retrained) < 0:
            found.append(
                (
                    "OVER-FORGOTTEN",
                    f"On the forgotten rows, {name} is worse than that of retrained "
                    "models: the rows stand out as those that were forgotten.",
                )
            )
    for name in ("divergence from retrained", "distance to retrained"):
        n = known.get((name, "forget"))
        if n is not None and n.value < n.low:
            found.append(
                (
                    "TOO CENTRAL",
                    "The unlearned models are nearer to the mean of the retrained "
                    "models than any of these is.",
                )
            )
    return found


def _differs(number):
    return number.pvalue is not None and number.pvalue <= FLAG_LEVEL


def _is_worse(number):
    """Tell whether a difference to retrained models is a loss."""
    lower_is_better = number.name != "accuracy"
    return (number.value > number.retrained) == lower_is_better
