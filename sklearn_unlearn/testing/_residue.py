"""Is a copy of a forgotten row still there?

What is searched for are the values that only forgotten rows have: no retained row
has them in any column. They are searched in everything that can be reached from an
estimator and in its pickle. An empty answer means that *no copy of the row was
found*. It says nothing about derived copies (hashed, standardised or compressed
rows, Gram matrices): for exact methods the equality of states catches those.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numbers
import pickle
import warnings

import numpy as np
from scipy import special

from sklearn_unlearn.testing._canaries import (
    OwnValues,
    as_float,
    cells,
    own_values,
    planted_rows,
    texts,
)
from sklearn_unlearn.utils._reachable import leaves

__all__ = [
    "OwnValues",
    "assert_no_residue",
    "find_in_objects",
    "find_in_pickle",
    "find_residue",
    "own_values",
    "planted_rows",
]

WORDS = {2: np.uint16, 4: np.uint32, 8: np.uint64}  # by size in bytes
CHUNK = 1 << 20  # words looked at together, which bounds the memory
IMAGE_BITS = 12  # products of matrices agree to 1e-12, not bit for bit
MIN_TOGETHER = 3
MAX_CHANCE = 1e-3
UNPICKLABLE = (pickle.PicklingError, AttributeError, TypeError)


def find_residue(estimator, X_forget, X_retain):
    """Search a fitted estimator for values that only forgotten rows have.

    Give it your own model and rows to see what an auditor would see.

    Parameters
    ----------
    estimator : estimator instance
        Fitted, and believed to have forgotten.
    X_forget, X_retain : array-like, sparse matrix or data frame
        The rows it forgot and those it kept, as they were given to ``fit``.

    Returns
    -------
    list of str
        What was found, empty if *no copy of a row was found*. That does not mean
        that no row can be recovered: see the notes.

    See Also
    --------
    check_no_residue : The check that uses it.

    Notes
    -----
    Searched are all objects that can be reached from the estimator, its pickle,
    and, for transformers and pipelines, the images of the rows under the fitted
    steps. ``classes_``, ``feature_names_in_`` and constructor parameters other
    than estimators are schema: their values never count.

    A float64 with a full mantissa is an alarm by itself. Integers, decimals of up
    to nine digits, fractions of small numbers and everything in float32 or float16
    occur by chance; of these at least three and half of the values of one row, or
    of the whole request, must be found, and more of them than of their neighbours,
    which nobody had. Single such values,
    derived copies (hashed, standardised, compressed rows; Gram matrices) and
    per-row outputs are not found here.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> from sklearn_unlearn.utils.estimator_checks import find_residue
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> model = ExactUnlearner(KNeighborsClassifier()).fit(X, np.arange(60) % 2)
    >>> bool(find_residue(model, X[:5], X[5:]))
    True
    >>> find_residue(model.unlearn(X[:5]), X[:5], X[5:])
    []
    """
    own = own_values(X_forget, X_retain).without(*_schema(estimator))
    return [
        *find_in_objects(estimator, own),
        *find_in_pickle(estimator, own),
        *_find_images(estimator, X_forget, X_retain),
    ]


def assert_no_residue(estimator, X_forget, X_retain):
    """Raise AssertionError if `find_residue` finds a copy of a forgotten row.

    Parameters
    ----------
    estimator : estimator instance
    X_forget, X_retain : array-like, sparse matrix or data frame

    Raises
    ------
    AssertionError
        With the first findings.
    """
    found = find_residue(estimator, X_forget, X_retain)
    if found:
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        raise AssertionError(
            f"{type(estimator).__name__} still holds values of forgotten rows: "
            f"{'; '.join(found[:3])}{more}."
        )


def find_in_objects(estimator, own):
    """Search all objects that can be reached from an estimator.

    Parameters
    ----------
    estimator : object
    own : OwnValues

    Returns
    -------
    list of str
        Findings, with the path to the first place.
    """
    search = _Search(own)
    for path, leaf, is_schema in leaves(estimator):
        if is_schema:
            continue
        if isinstance(leaf, str):
            search.strings([leaf], path)
        elif isinstance(leaf, numbers.Real):
            search.number(leaf, path)
        elif isinstance(leaf, np.ndarray):
            search.array(leaf, path)
        else:
            search.buffer(leaf, path)
    return search.findings()


def find_in_pickle(estimator, own):
    """Search the pickle of an object at every offset.

    Parameters
    ----------
    estimator : object
        One that cannot be pickled has nothing to be found there.
    own : OwnValues

    Returns
    -------
    list of str
    """
    try:
        data = pickle.dumps(estimator, protocol=5)
    except UNPICKLABLE:
        return []
    search = _Search(own)
    search.buffer(data, "the pickle")
    return search.findings()


def _find_images(estimator, X_forget, X_retain):
    """Search for what the fitted steps make of the forgotten rows.

    The steps after a transformer, and what lies around them, must not hold a
    single value. The transformer itself may by chance: the image of a missing
    value is a statistic that it has to keep.
    """
    inner = getattr(estimator, "estimator_", None)
    if hasattr(inner, "steps") and not hasattr(estimator, "steps"):
        return _find_images(inner, X_forget, X_retain)
    steps = [step for _, step in getattr(estimator, "steps", [("", estimator)])]
    around = {k: v for k, v in vars(estimator).items() if k != "steps"}
    found = []
    for i, step in enumerate(steps):
        if step is None or isinstance(step, str):
            continue
        if not hasattr(step, "transform"):
            break
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                images = step.transform(X_forget), step.transform(X_retain)
        except Exception:  # whatever a step refuses, an unknown category say
            break
        known = cells(X_retain)[1], ()
        X_forget, X_retain = images
        own = own_values(*images, bits=IMAGE_BITS).without(*known)
        places = [(step, own.together())]
        if hasattr(estimator, "steps"):
            places.append(([around, *steps[i + 1 :]], own))
        for place, values in places:
            values = values.without(*_schema(place))
            finds = find_in_objects(place, values) + find_in_pickle(place, values)
            name = type(step).__name__
            found += [f"of images under {name}: {find}" for find in finds]
    return found


def _schema(estimator):
    """Return numbers and strings that are no secret: parameters and names."""
    values, strings = [np.empty(0)], set()
    for _, leaf, is_schema in leaves(estimator):
        if not is_schema:
            continue
        if isinstance(leaf, str):
            strings.add(leaf)
        elif isinstance(leaf, numbers.Real):
            values.append(as_float(np.array([leaf])))
        elif isinstance(leaf, np.ndarray):
            values.append(as_float(leaf).ravel())
            strings.update(texts(leaf))
    return np.concatenate(values), strings


class _Needles:
    """Own values in one precision, with neighbours that nobody had.

    How often the neighbours are found tells how often a value is by chance.
    """

    def __init__(self, own, size):
        kind = np.dtype(f"f{size}")
        self.bits = np.array(own.bits, dtype=WORDS[size])
        with np.errstate(over="ignore"):
            values, others = own.numbers.astype(kind), own.others.astype(kind)
            self.is_own = np.isfinite(values) & (values != 0)
            self.is_own &= ~np.isin(self._words(values), self._words(others)).any(0)
            self.plain = self.is_own & ((own.grain > 0) | (size < 8))
            at, short = own.numbers[self.plain], values[self.plain]
            step = np.maximum(np.spacing(np.abs(short)), own.grain[self.plain])
            near = np.concatenate([at + k * step for k in (-2, -1, 1, 2)]).astype(kind)
        near = near[np.isfinite(near) & (near != 0)]
        near = np.setdiff1d(near, np.concatenate([values[self.is_own], others]))
        self.values = np.concatenate([values[self.is_own], near])
        self.entries = np.flatnonzero(self.is_own)
        words = self._words(self.values)
        self.keys, place = np.unique(words, return_inverse=True)
        self.place = place.reshape(words.shape)
        self.table = np.zeros(1 << 16, dtype=bool)
        self.table[self.keys.astype(np.uint16)] = True

    def _words(self, values):
        """Return the leading bits, and those next to them if any are cut off."""
        words = values.view(WORDS[values.itemsize]) >> self.bits
        one = words.dtype.type(1)
        return np.stack([words - one, words, words + one] if self.bits else [words])

    def among(self, words):
        """Return which values are among the words, in the order of `values`."""
        found = np.zeros(len(self.keys), dtype=bool)
        for start in range(0, len(words), CHUNK):
            piece = words[start : start + CHUNK].astype(self.keys.dtype)
            if self.bits:
                piece >>= self.bits
            # nearly all words drop out here, for a tenth of the time of a search
            piece = piece[self.table[piece.astype(np.uint16)]]
            if not len(piece):
                continue
            at = np.searchsorted(self.keys, piece)
            at[at == len(self.keys)] = 0
            found[at[self.keys[at] == piece]] = True
        return found[self.place].any(axis=0)


class _Search:
    """Look for own values in one container after another, and judge at the end."""

    def __init__(self, own):
        self.own = own
        sizes = (8,) if own.bits else WORDS
        self.needles = {size: _Needles(own, size) for size in sizes}
        self.paths = {s: np.full(len(n.values), None) for s, n in self.needles.items()}
        self.texts = {}
        self.singles = set(self.needles[8].values.tolist())

    def number(self, value, path):
        """Look at a number."""
        if float(value) in self.singles:
            self.array(np.array([float(value)]), path)

    def strings(self, strings, path):
        """Look at whole strings."""
        for text in self.own.strings.intersection(strings):
            self.texts.setdefault(text, path)

    def array(self, array, path):
        """Look at an array of numbers or strings."""
        size = array.dtype.itemsize
        if array.dtype.kind != "f" or size not in self.needles:
            self.strings(texts(array), path)
            array, size = as_float(array), 8
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        self._words(size, array.ravel().view(WORDS[size]), path)

    def buffer(self, data, path):
        """Look at bytes, at every offset."""
        data = bytes(data)
        for kind in ("<u8", ">u8", "<u4")[: 2 if self.own.bits else 3]:
            size = int(kind[-1])
            for offset in range(min(size, len(data) - size + 1)):
                n_words = (len(data) - offset) // size
                words = np.frombuffer(data, kind, n_words, offset)
                self._words(size, words, path)
        for text in self.own.words:
            if text.encode() in data or text.encode("utf-32-le") in data:
                self.texts.setdefault(text, path)

    def _words(self, size, words, path):
        needles, paths = self.needles[size], self.paths[size]
        if len(needles.values) and len(words):
            found = needles.among(words)
            for i in np.flatnonzero(found):
                paths[i] = paths[i] or path

    def findings(self):
        """Return a sentence for each kind of finding."""
        found = []
        if self.texts:
            path = next(iter(self.texts.values()))
            found.append(f"{len(self.texts)} strings, first in {path}")
        for size in self.needles:
            found += self._judge(size)
        return found

    def _judge(self, size):
        """Return findings in one precision: single values, else many together."""
        own, needles, paths = self.own, self.needles[size], self.paths[size]
        n_own = len(needles.entries)
        hits = paths.astype(bool)
        if not hits[:n_own].any():
            return []
        entries = needles.entries[hits[:n_own]]
        if size == 8 and own.alone and not needles.plain[entries].all():
            path = paths[:n_own][hits[:n_own] & ~needles.plain[needles.entries]][0]
            return [f"{len(entries)} numbers as float64, first in {path}"]
        chance = hits[n_own:].mean() if len(hits) > n_own else 1.0
        chance = chance if needles.plain.any() else 0.0
        is_found = np.zeros(len(own.numbers))
        is_found[entries] = 1.0
        line = needles.is_own[own.entries]
        _, owner = np.unique(own.owners[line], return_inverse=True)
        n_cells = np.bincount(owner)
        n_found = np.bincount(owner, weights=is_found[own.entries[line]])
        held = n_found >= np.maximum(MIN_TOGETHER, n_cells / 2)
        odds = special.bdtrc(n_found[held] - 1, n_cells[held], chance)
        if not (odds * len(n_cells) < MAX_CHANCE).any():
            return []
        path = paths[:n_own][hits[:n_own]][0]
        return [f"{len(entries)} numbers as float{8 * size}, first in {path}"]
