"""How often the verdict of an audit is wrong, by random splits of pools of models.

Pools of originals, of retrained models and of both after fine-tuning are made once.
Each audit draws its models from them without replacement, so that thousands of audits
cost little. Printed is the share of each verdict, beside the bound that it should keep.

    python benchmarks/audit.py            # digits: 2000 audits where errors are counted
    python benchmarks/audit.py --further  # 300 on a table of vowels and on a regression
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse
import collections
import time
import warnings

import numpy as np
from _digits_job import Job, network
from sklearn.datasets import load_diabetes, make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import scale

from sklearn_unlearn.audit._answers import Task
from sklearn_unlearn.audit._rule import (
    DETECTABLE,
    DIFFERENT,
    INCONCLUSIVE,
    collect_evidence,
    decide,
)
from sklearn_unlearn.neural_network import DropoutRegressor
from sklearn_unlearn.neural_network._many import fit_many
from sklearn_unlearn.unlearning import FineTune

N_UNLEARNED, N_RETRAINED = 8, 19
N_ORIGINALS, N_POOL, N_EDITED = 40, 120, 60


class Pools:
    """Signals of many models on forgotten rows, from which audits draw.

    Parameters
    ----------
    template : DropoutClassifier or DropoutRegressor
    X, y, forget : training rows, targets, and which are to be forgotten
    with_fine_tuning : bool
        Whether to fine-tune originals and retrained models for 30 epochs.
    """

    def __init__(self, template, X, y, forget, with_fine_tuning=True):
        self.task, self.rows, self.targets = Task(template, y), X[forget], y[forget]
        originals = fit_many(template, X, y, seeds=range(N_ORIGINALS))
        kept = np.flatnonzero(~forget)
        retrained = fit_many(
            template,
            X,
            y,
            seeds=range(1000, 1000 + N_POOL),
            subsets=[kept] * N_POOL,
        )
        self.original, self.retrained = map(self.signals, (originals, retrained))
        if with_fine_tuning:
            self.tuned, self.placebo = (
                self.signals(
                    [_fine_tuned(m, X, y, forget, i) for i, m in enumerate(models)]
                )
                for models in (originals, retrained[:N_EDITED])
            )

    def signals(self, models):
        """Return the signals of some models, one row each."""
        answers = np.stack([self.task.answers(m, self.rows) for m in models])
        return self.task.signals(answers, self.targets)

    def draw(self, rng, *sizes):
        """Return groups of retrained models that share none."""
        order = rng.permutation(len(self.retrained))
        return np.split(self.retrained[order], np.cumsum(sizes))[: len(sizes)]

    def some(self, name, rng, size):
        """Return some models of another pool."""
        pool = getattr(self, name)
        return pool[rng.choice(len(pool), size, replace=False)]


def _fine_tuned(model, X, y, forget, seed):
    unlearner = FineTune(
        FrozenEstimator(model),
        n_epochs=30,
        max_retain_increase=np.inf,
        random_state=seed,
    )
    return unlearner.fit(X, y).unlearn(X[forget], y[forget])


def verdicts(pools, case, n_audits, seed=0):
    """Return how often each verdict is given in a case.

    Parameters
    ----------
    pools : Pools
    case : callable (pools, rng) -> (unlearned, retrained, placebo, held out)
    n_audits : int
    seed : int
    """
    rng = np.random.RandomState(seed)
    found = collections.Counter()
    for _ in range(n_audits):
        unlearned, retrained, placebo, held_out = case(pools, rng)
        original = pools.some("original", rng, N_UNLEARNED)
        evidence = collect_evidence(
            unlearned,
            retrained,
            original,
            placebo,
            held_out,
            random_state=rng,
            with_placebo_area=False,
        )
        found[decide(evidence)[0]] += 1
    return found


def genuine(pools, rng):
    """Models that were retrained, as unlearned ones."""
    sizes = N_UNLEARNED, N_RETRAINED, N_RETRAINED, N_UNLEARNED
    unlearned, retrained, placebo, held_out = pools.draw(rng, *sizes)
    return unlearned, retrained, placebo, held_out


def artefact(pools, rng):
    """Retrained models after fine-tuning, as unlearned ones and as placebos."""
    order = rng.permutation(N_EDITED)
    unlearned = pools.placebo[order[:N_UNLEARNED]]
    placebo = pools.placebo[order[N_UNLEARNED : N_UNLEARNED + N_RETRAINED]]
    retrained, held_out = pools.draw(rng, N_RETRAINED, N_UNLEARNED)
    return unlearned, retrained, placebo, held_out


def moved(share):
    """Retrained models that went a share of the way back to the originals."""

    def case(pools, rng):
        unlearned, *others = genuine(pools, rng)
        way = pools.original.mean(axis=0) - pools.retrained.mean(axis=0)
        return unlearned + share * way, *others

    return case


def nothing(pools, rng):
    """Originals that nothing was done to; so are the placebos."""
    _, retrained, placebo, held_out = genuine(pools, rng)
    return pools.some("original", rng, N_UNLEARNED), retrained, placebo, held_out


def fine_tuning(pools, rng):
    """Originals after 30 epochs on the retained rows."""
    retrained, held_out = pools.draw(rng, N_RETRAINED, N_UNLEARNED)
    placebo = pools.some("placebo", rng, N_RETRAINED)
    return pools.some("tuned", rng, N_UNLEARNED), retrained, placebo, held_out


def show(title, pools, case, n_audits, bounds):
    """Print shares of verdicts, each beside its bound.

    Parameters
    ----------
    title : str
    pools, case, n_audits
        As of `verdicts`.
    bounds : dict of str to (str, float)
        By verdict: "<=" or ">=", and a share.
    """
    start = time.perf_counter()
    found = verdicts(pools, case, n_audits)
    seconds = time.perf_counter() - start
    others = ", ".join(f"{name} {n}" for name, n in found.most_common())
    print(f"{title}: {n_audits} audits, {seconds:.0f} s ({others})")
    for verdict, (sign, bound) in bounds.items():
        share = found[verdict] / n_audits
        kept = share <= bound if sign == "<=" else share >= bound
        word = "kept" if kept else "MISSED"
        print(f"    {verdict:32} {share:6.3f} {sign} {bound:5.3f} {word}", flush=True)


def show_errors(name, pools, n_audits):
    """Print how often genuine and artificial nulls are called something else."""
    bounds = {DETECTABLE: ("<=", 0.025), DIFFERENT: ("<=", 0.06)}
    show(f"{name}, retrained", pools, genuine, n_audits, bounds)
    bounds = {DETECTABLE: ("<=", 0.06)}
    show(f"{name}, fine-tuned placebos", pools, artefact, n_audits, bounds)


def digits():
    """Print the table of the digits job."""
    job = Job(0)
    template = network()
    wrong = Pools(template, job.X, job.y, job.corrupted)
    show_errors("wrong labels", wrong, 2000)

    def at_least(share, verdict=DETECTABLE):
        return {verdict: (">=", share)}

    show("wrong labels, moved .05 back", wrong, moved(0.05), 200, at_least(0.98))
    show("wrong labels, nothing done", wrong, nothing, 200, at_least(0.99))
    show("wrong labels, 30 epochs", wrong, fine_tuning, 200, at_least(0.99))
    some = Pools(template, job.X, job.y, job.some, with_fine_tuning=False)
    bounds = {DETECTABLE: ("<=", 0.025), DIFFERENT: ("<=", 0.06)}
    show("random rows, retrained", some, genuine, 2000, bounds)
    show("random rows, moved .2 back", some, moved(0.2), 200, at_least(0.9))
    redundant = redundant_rows(template, job)
    few = Pools(template, job.X, job.y, redundant, with_fine_tuning=False)
    bounds = at_least(0.95, INCONCLUSIVE)
    show("redundant rows, nothing done", few, nothing, 200, bounds)


def redundant_rows(template, job):
    """Return the rows that networks are most sure of, which they do not need."""
    models = fit_many(template, job.X, job.y, seeds=range(2000, 2010))
    task = Task(template, job.y)
    answers = np.stack([task.answers(m, job.X) for m in models])
    margins = task.signals(answers, job.y).mean(axis=0)
    forget = np.zeros(len(job.y), dtype=bool)
    forget[np.argsort(margins)[-60:]] = True
    return forget


def further():
    """Print the errors on two other data sets."""
    X, y = make_classification(
        1440, 30, n_informative=12, n_classes=4, n_clusters_per_class=2, random_state=0
    )
    rng = np.random.default_rng(0)
    forget = np.zeros(len(y), dtype=bool)
    forget[rng.choice(len(y), 120, replace=False)] = True
    y[forget] = (y[forget] + rng.integers(1, 4, size=120)) % 4
    pools = Pools(network().set_params(max_iter=60), scale(X), y, forget)
    show_errors("four classes", pools, 300)
    X, y = load_diabetes(return_X_y=True)
    forget = rng.permutation(len(y)) < 44
    y = scale(y)
    y[forget] += 2.0
    regressor = DropoutRegressor(
        (64,),
        dropout=0.1,
        learning_rate_init=5e-3,
        batch_size=32,
        max_iter=60,
        n_iter_no_change=60,
    )
    pools = Pools(regressor, scale(X), y, forget)
    show_errors("regression", pools, 300)


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--further", action="store_true")
    warnings.simplefilter("ignore")
    (further if parser.parse_args().further else digits)()


if __name__ == "__main__":
    main()
