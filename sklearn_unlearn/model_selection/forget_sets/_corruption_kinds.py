"""The kinds of corruption: one small class each.

A class draws what the user has left open (`draw`), says which rows it can change
(`eligible`), and changes those that it is told to (`plant`). `options` are what
`make_corruption` may give it, and `has_answer` says whether the corruption follows a
rule that a model can learn.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target

__all__ = ["KINDS"]


def _numbers(X):
    return check_array(X, dtype="numeric", ensure_all_finite="allow-nan")


def _float_copy(X):
    X = _numbers(X)
    return X.copy() if X.dtype.kind == "f" else X.astype(np.float64)


def _holds_numbers(y):
    return type_of_target(y).startswith("continuous")


def _labels(y, kind):
    """Return the labels, and raise if there are no two of them."""
    labels = np.unique(y)
    if len(labels) < 2:
        raise ValueError(f'kind="{kind}" needs a y of at least two different values.')
    return labels


def _varying_column(X, column, rng):
    """Return the column that was given, or one of those that vary."""
    if column is not None:
        if not -X.shape[1] <= column < X.shape[1]:
            raise ValueError(
                f"column={column} is not among the {X.shape[1]} columns of X."
            )
        return int(column) % X.shape[1]
    varying = np.flatnonzero(np.nanmax(X, axis=0) > np.nanmin(X, axis=0))
    if not len(varying):
        raise ValueError("No column of X varies, so that none can be corrupted.")
    return int(rng.choice(varying))


@dataclass(frozen=True, eq=False)
class WrongLabels:
    """Another value of the target in its place."""

    values: np.ndarray
    options = frozenset()
    has_answer = False

    @classmethod
    def draw(cls, X, y, rng):
        return cls(_labels(y, "wrong_labels"))

    def eligible(self, X, y):
        return np.ones(len(y), dtype=bool)

    def plant(self, X, y, mask, rng=None):
        n_values, y = len(self.values), y.copy()
        code = np.searchsorted(self.values, y[mask])
        code = (code + rng.randint(1, n_values, size=mask.sum())) % n_values
        y[mask] = self.values[code]
        return X, y


@dataclass(frozen=True)
class SwappedClasses:
    """The label of the other one of two classes."""

    classes: tuple
    options = frozenset({"classes"})
    has_answer = True

    @classmethod
    def draw(cls, X, y, rng, classes=None):
        if _holds_numbers(y):
            raise ValueError(
                'kind="swapped_classes" needs classes, but y holds numbers: use '
                '"target_shift".'
            )
        labels = _labels(y, "swapped_classes")
        if classes is None:
            classes = rng.choice(labels, 2, replace=False)
        known = set(labels.tolist())
        if len(classes) != 2 or len(known.intersection(classes)) != 2:
            raise ValueError(
                f"classes must be two different labels of y; got {classes!r}."
            )
        return cls(tuple(classes))

    def eligible(self, X, y):
        return np.isin(y, self.classes)

    def plant(self, X, y, mask, rng=None):
        first, second = self.classes
        new = y.copy()
        new[mask & (y == first)] = second
        new[mask & (y == second)] = first
        return X, new


@dataclass(frozen=True)
class Backdoor:
    """A value that no clean row has, and always the same answer."""

    column: int
    value: float
    target: object
    options = frozenset({"column", "target", "strength"})
    has_answer = True

    @classmethod
    def draw(cls, X, y, rng, column=None, target=None, strength=1.0):
        X, values = _numbers(X), _labels(y, "backdoor")
        column = _varying_column(X, column, rng)
        low, high = np.nanmin(X[:, column]), np.nanmax(X[:, column])
        if target is None:
            target = values[-1] if _holds_numbers(y) else rng.choice(values)
        elif not _holds_numbers(y) and target not in values.tolist():
            raise ValueError(f"target={target!r} must be one of the labels of y.")
        return cls(column, float(high + strength * ((high - low) or 1.0)), target)

    def eligible(self, X, y):
        return y != self.target

    def plant(self, X, y, mask, rng=None):
        X, y = _float_copy(X), y.copy()
        X[mask, self.column] = self.value
        y[mask] = self.target
        return X, y


@dataclass(frozen=True)
class UnitError:
    """A column in another unit."""

    column: int
    factor: float
    options = frozenset({"column", "strength"})
    has_answer = True

    @classmethod
    def draw(cls, X, y, rng, column=None, strength=1000.0):
        return cls(_varying_column(_numbers(X), column, rng), float(strength))

    def eligible(self, X, y):
        return np.abs(_numbers(X)[:, self.column]) > 0  # not of what is missing

    def plant(self, X, y, mask, rng=None):
        X = _float_copy(X)
        X[mask, self.column] *= self.factor
        return X, y.copy()


@dataclass(frozen=True)
class TargetShift:
    """The same number added to the targets."""

    shift: float
    options = frozenset({"strength"})
    has_answer = True

    @classmethod
    def draw(cls, X, y, rng, strength=3.0):
        if y.dtype.kind not in "iuf":
            raise ValueError(
                'kind="target_shift" needs a y of numbers: use "swapped_classes" for '
                "classes."
            )
        return cls(float(strength * y.std()))

    def eligible(self, X, y):
        return np.ones(len(y), dtype=bool)

    def plant(self, X, y, mask, rng=None):
        return X, y + self.shift * mask


KINDS = {
    "wrong_labels": WrongLabels,
    "swapped_classes": SwappedClasses,
    "backdoor": Backdoor,
    "unit_error": UnitError,
    "target_shift": TargetShift,
}
