"""Audits of the unlearners: persons, a class, random rows, and wrong labels.

Prints verdict, area of the per-row attack with its interval, and accuracies beside
those of retrained models, for each method and for doing nothing.

    python benchmarks/audit_methods.py
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from _digits_job import METHODS, Job, network
from sklearn.preprocessing import scale

from sklearn_unlearn.audit import ReferenceEnsemble, audit_unlearning
from sklearn_unlearn.base import BaseUnlearner, UnlearnerTags

N_REPEATS, N_REFERENCES = 8, 19


class Nothing(BaseUnlearner):
    """Removes the rows from what it keeps, and leaves the model as it is."""

    def _unlearner_tags(self):
        return UnlearnerTags(guarantee="approximate")

    def _unlearn_rows(self, request):
        pass


def audit_all(title, template, X, y, forget, X_test, y_test, groups=None):
    """Print one line for each method."""
    ensemble = ReferenceEnsemble(template, N_REPEATS + N_REFERENCES, random_state=1)
    retrained = ensemble.fit(X, y, forget=forget).retrained_
    print(f"\n{title}: {forget.sum()} of {len(y)} rows")
    print(
        f"{'method':10} {'AUC':18} {'forget':>14} {'retain':>14} {'test':>14}  verdict"
    )
    for method in (Nothing, *METHODS):
        start = time.perf_counter()
        audit = audit_unlearning(
            method(template),
            X,
            y,
            forget=forget,
            groups=groups,
            X_test=X_test,
            y_test=y_test,
            references=retrained,
            random_state=0,
        )
        cells = []
        for split in ("forget", "retain", "test"):
            number = audit["accuracy", split]
            cells.append(f"{number.value:.3f} ({number.retrained:.3f})")
        area = "{:.2f} [{:.2f}, {:.2f}]".format(*audit.area)
        verdict = " + ".join([audit.verdict, *audit.flags])
        print(
            f"{method.__name__:10} {area:18} {cells[0]:>14} {cells[1]:>14} "
            f"{cells[2]:>14}  {verdict} ({time.perf_counter() - start:.0f} s)",
            flush=True,
        )


def persons():
    """Walkers with telephones: all rows of eight of 26 persons are forgotten."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SKLEARN_UNLEARN_DATA", default))
    if not folder.is_dir():
        print("\npersons: not run, SKLEARN_UNLEARN_DATA names no folder of data sets")
        return
    sys.path.insert(0, str(folder))
    from loaders import wisdm

    data = wisdm()
    X = data["X"].fillna(data["X"].median()).to_numpy()[::3]
    X, y, person = scale(X), data["y"][::3], data["person"][::3]
    order = np.random.default_rng(0).permutation(np.unique(person))
    known = ~np.isin(person, order[:10])
    forget = np.isin(person[known], order[10:18])
    audit_all(
        "eight persons",
        network().set_params(max_iter=60, n_iter_no_change=60),
        X[known],
        y[known],
        forget,
        X[~known],
        y[~known],
        person[known],
    )


def main():
    """Print all tables."""
    warnings.simplefilter("ignore")
    job = Job(0)
    rows = job.X, job.y
    tests = job.X_test, job.y_test
    audit_all("wrong labels", network(), *rows, job.corrupted, *tests)
    audit_all("a random twentieth", network(), *rows, job.some, *tests)
    audit_all("class 8", network(), *rows, job.y == 8, *tests)
    persons()


if __name__ == "__main__":
    main()
