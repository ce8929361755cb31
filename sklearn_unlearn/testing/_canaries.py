"""Canaries: values that only forgotten rows have, by which copies are found."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numbers

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from sklearn_unlearn.utils._cached import cached_property

__all__ = ["Canaries", "as_float", "canaries", "canary_rows", "cells", "texts"]

MAX_DIVISOR = 1000
MIN_TEXT = 6  # shorter strings are parts of other words too often


def canaries(X_forget, X_retain, *, bits=0):
    """Return the numbers and strings that only forgotten rows have.

    Parameters
    ----------
    X_forget, X_retain : array-like, sparse matrix or data frame
    bits : int, default=0
        How many of the last bits of a float64 may differ.

    Returns
    -------
    Canaries
    """
    rows, values, strings = cells(X_forget)
    _, retained, retained_strings = cells(X_retain)
    return Canaries(rows, values, strings, bits=bits).without(
        retained, retained_strings
    )


class Canaries:
    """Numbers and strings that only forgotten rows have.

    Parameters
    ----------
    rows : ndarray of int, shape (n_cells,)
        The row of each number.
    values : ndarray of float, shape (n_cells,)
        The numbers of the forgotten rows.
    strings : set of str
    others : ndarray of float
        Numbers that do not count.
    texts : set of str
        Strings that do not count, nor do parts of them.
    bits : int
        How many of the last bits of a float64 may differ.
    single_counts : bool
        Whether a single float64 is a finding.

    Attributes
    ----------
    numbers : ndarray of float
        The numbers, sorted.
    """

    def __init__(
        self,
        rows,
        values,
        strings,
        others=(),
        texts=frozenset(),
        bits=0,
        single_counts=True,
    ):
        others = np.asarray(others, dtype=float)
        own = np.isfinite(values) & (values != 0) & ~np.isin(values, others)
        self.rows, self.values = rows[own], values[own]
        self.strings = strings - texts
        self.others, self.texts, self.bits = others, texts, bits
        self.single_counts = single_counts
        self.numbers, entries = np.unique(self.values, return_inverse=True)
        # one line for each value of each row, and one for each of the request
        request = np.full(len(self.numbers), -1)
        pairs = np.r_[
            np.c_[self.rows, entries],
            np.c_[request, np.arange(len(self.numbers))],
        ]
        self.owners, self.entries = np.unique(pairs, axis=0).astype(np.int64).T

    def __len__(self):
        return len(self.numbers) + len(self.strings)

    def without(self, values, strings):
        """Return the canaries without these numbers and strings."""
        return Canaries(
            self.rows,
            self.values,
            self.strings,
            np.concatenate([self.others, values]),
            self.texts.union(strings),
            self.bits,
            self.single_counts,
        )

    def pairs_only(self):
        """Return the same values, of which a single one is no finding."""
        new = self.without((), ())
        new.single_counts = False
        return new

    @cached_property
    def resolution(self):
        """Distance between the neighbours of a number on its grid, 0 without a grid.

        Integers, short decimals, float32 and fractions of small numbers have a grid:
        they are found by chance. A number without one is a decimal of ten digits and
        more, which nobody else comes to by chance.
        """
        short = self.numbers.astype(np.float32)
        resolution = np.where(short == self.numbers, np.spacing(np.abs(short)), 0.0)
        for i, number in enumerate(self.numbers):
            text = f"{number:.8e}"
            if float(text) == number:
                digits, exponent = text.split("e")
                digits = len(digits.lstrip("-").replace(".", "").rstrip("0"))
                resolution[i] = 10.0 ** (int(exponent) - digits + 1)
        resolution[(resolution > 0) & (self.numbers == np.rint(self.numbers))] = 1.0
        # ranks and shares of classes are fractions, in images and trees alike
        full = np.flatnonzero((resolution == 0) & (np.abs(self.numbers) < 1e3))
        for divisor in range(MAX_DIVISOR, 0, -1):
            times = self.numbers[full] * divisor
            near = np.rint(times)
            whole = (np.abs(times - near) < 1e-12 * divisor) & (near != 0)
            resolution[full[whole]] = 1 / divisor
        return resolution

    @cached_property
    def words(self):
        """Strings that are worth a search in a pickle: long, and no part of others."""
        known = "\0".join(self.texts)
        return {s for s in self.strings if len(s) >= MIN_TEXT and s not in known}


def cells(X):
    """Return the numbers of a container, the row of each, and all strings."""
    if sparse.issparse(X):
        X = X.tocoo()
        return X.row, X.data.astype(float), set()
    if hasattr(X, "iloc"):
        columns = [X.iloc[:, j].to_numpy() for j in range(X.shape[1])]
    else:
        X = X if hasattr(X, "dtype") else np.asarray(X, dtype=object)
        columns = list(X.reshape(len(X), -1).T)
    rows, values, strings = [np.empty(0, int)], [np.empty(0)], set()
    for column in columns:
        value = as_float(column)
        strings.update(texts(column))
        if len(value) == len(column):
            rows.append(np.arange(len(column)))
            values.append(value)
    return np.concatenate(rows), np.concatenate(values), strings


def as_float(array):
    """Return numbers and dates as float64; nothing for any other array."""
    kind = array.dtype.kind
    if kind in "fiu":
        return array.astype(float)
    if kind in "mM":
        return array.astype(np.int64).astype(float)
    if kind == "c":
        return np.stack([array.real, array.imag]).astype(float)
    if kind == "O":
        is_number = [isinstance(v, numbers.Real) for v in array.flat]
        if any(is_number):
            pairs = zip(array.flat, is_number, strict=True)
            return np.array([float(v) if ok else np.nan for v, ok in pairs])
    return np.empty(0)


def texts(array):
    """Return the strings of an array."""
    kind = array.dtype.kind
    if kind == "O":
        return {v for v in array.flat if isinstance(v, str)}
    if kind in "UT":
        return set(array.ravel().tolist())
    if kind == "S":
        return {v.decode(errors="ignore") for v in array.ravel().tolist()}
    return set()


def canary_rows(X, n_rows=30, random_state=None):
    """Draw rows to fit and to forget of which every value is a canary.

    Numbers come from a continuous distribution and are the extremes of their
    column, strings are unique tokens.

    Parameters
    ----------
    X : ndarray or data frame of shape (n_retain, n_features)
        The rows that will stay.
    n_rows : int, default=30
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    ndarray or data frame of shape (n_rows, n_features)
        In the container of `X`.
    """
    rng = check_random_state(random_state)
    is_frame = hasattr(X, "iloc")
    columns = [
        X.iloc[:, j].to_numpy() if is_frame else X[:, j] for j in range(X.shape[1])
    ]
    drawn = []
    for column in columns:
        values = as_float(column)
        values = values[np.isfinite(values)]
        if len(values):
            low, high = values.min(), values.max()
            new = high + (high - low + 1) * rng.uniform(0.01, 1.0, n_rows)
            if low < 0:  # columns without negative numbers must stay so
                new[::2] = low + high - new[::2]
        else:
            tokens = rng.randint(16**7, size=(n_rows, 2))
            new = np.array([f"token-{a:07x}{b:07x}" for a, b in tokens], dtype=object)
        drawn.append(new)
    if is_frame:
        return type(X)(dict(zip(X.columns, drawn, strict=True)))
    return np.stack(drawn, axis=1)
