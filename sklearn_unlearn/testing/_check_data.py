"""Data, outputs and interruptions for the public checks."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import sys

import numpy as np
from scipy import sparse
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils import get_tags

__all__ = [
    "Case",
    "assert_same_outputs",
    "containers",
    "fresh",
    "interruptions",
    "make_case",
    "outputs",
]

METHODS = ("predict", "predict_proba", "decision_function", "transform")


class Case:
    """Training rows and a forget set for one estimator.

    Attributes
    ----------
    X, y : ndarray
        Training rows; `y` is None for an estimator without a target.
    forget : ndarray of bool, shape (n_rows,)
        The rows to forget: a few of each class, none of them needed for the
        others to be fitted.
    """

    def __init__(self, X, y, forget):
        self.X, self.y, self.forget = X, y, forget

    def part(self, mask):
        """Rows and targets where `mask` is true."""
        return self.X[mask], None if self.y is None else self.y[mask]

    @property
    def forgotten(self):
        """Rows and targets to forget."""
        return self.part(self.forget)

    @property
    def retained(self):
        """Rows and targets that stay."""
        return self.part(~self.forget)


def make_case(estimator, n_rows=90, seed=0):
    """Return data that suit the tags of `estimator`.

    Every value is drawn from a continuous distribution, so it is its row's own.
    """
    rng = np.random.default_rng(seed)
    tags = get_tags(estimator)
    X = rng.normal(size=(n_rows, 4))
    code = np.arange(n_rows) % 3
    if is_classifier(estimator):
        if not tags.classifier_tags.multi_class:
            code = code % 2
        y = np.array(["apple", "pear", "quince"])[code]
        X += 1.5 * code[:, None] * np.array([1, -1, 0.5, 0])
    elif is_regressor(estimator):
        y = X @ [1.0, -2.0, 0.5, 0.0] + 0.1 * rng.normal(size=n_rows)
    elif tags.target_tags.required:
        y = code
    else:
        y = None
    if tags.input_tags.positive_only:
        X = np.abs(X)
    forget = np.zeros(n_rows, dtype=bool)
    forget[rng.choice(n_rows, n_rows // 10, replace=False)] = True
    return Case(X, y, forget)


def containers(estimator):
    """Yield functions that put an array into each container an estimator takes.

    Words and categories, one per number, are for estimators that take them.
    """
    tags = get_tags(estimator).input_tags
    yield np.ascontiguousarray
    yield np.asfortranarray
    if tags.sparse:
        yield sparse.csr_matrix
    try:
        import pandas as pd
    except ImportError:
        return

    def frame(X):
        return pd.DataFrame(X, columns=["a", "b", "c", "d"])

    yield frame
    if tags.string or tags.categorical:

        def words(X):
            table = frame(X)
            table["b"] = [f"word {value:.17g}" for value in X[:, 1]]
            table["c"] = pd.Categorical([f"level {value:.17g}" for value in X[:, 2]])
            return table

        yield words


def fresh(estimator, **params):
    """Return an unfitted copy with a fixed seed wherever there is one to fix."""
    new = clone(estimator)
    seeds = {
        name: 0
        for name, value in new.get_params(deep=True).items()
        if name.split("__")[-1] == "random_state" and value is None
    }
    return new.set_params(**seeds, **params)


def outputs(estimator, X):
    """Return what every prediction method gives for `X`, by name."""
    results = {}
    for method in METHODS:
        if hasattr(estimator, method):
            result = getattr(estimator, method)(X)
            if hasattr(result, "toarray"):
                result = result.toarray()
            results[method] = np.asarray(result)
    return results


def assert_same_outputs(first, second, message, rtol=0.0):
    """Raise AssertionError unless two results of `outputs` agree.

    With ``rtol=0`` they must agree bit for bit.
    """
    if first.keys() != second.keys():
        raise AssertionError(f"{message}: {sorted(first)} against {sorted(second)}")
    for method, a in first.items():
        b = second[method]
        if a.shape != b.shape:
            raise AssertionError(f"{message}: {method} has shape {a.shape}, {b.shape}")
        if a.dtype.kind != "f" or rtol == 0:
            same = np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
            gap = "" if same else " (not bit for bit)"
        else:
            finite = np.isfinite(a) & np.isfinite(b)
            same = np.array_equal(a[~finite], b[~finite], equal_nan=True)
            scale = np.abs(b[finite]).max(initial=0.0)
            largest = np.abs(a[finite] - b[finite]).max(initial=0.0)
            same = same and largest <= rtol * max(scale, 1e-300)
            gap = f" by up to {largest:.2g}"
        if not same:
            raise AssertionError(f"{message}: {method} differs{gap}.")


def interruptions(fitted, act, growth=1.35):
    """Interrupt ``act`` at ever later moments, each time on a copy of `fitted`.

    Parameters
    ----------
    fitted : estimator instance
    act : callable (estimator) -> None
    growth : float
        Factor from one moment to the next, counted in function calls.

    Yields
    ------
    estimator
        After an interruption. It ends when `act` runs through.
    """
    moment = 1
    while True:
        estimator = copy.deepcopy(fitted)
        left = moment

        def count(frame, event, argument):
            nonlocal left
            if event in ("call", "c_call"):
                left -= 1
                if left == 0:
                    raise KeyboardInterrupt

        before = sys.getprofile()
        try:
            sys.setprofile(count)
            act(estimator)
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
        finally:
            sys.setprofile(before)
        if not interrupted and left > 0:
            return
        if interrupted:
            yield estimator
        moment = max(moment + 1, int(moment * growth))
