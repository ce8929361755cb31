"""Search for canaries in numbers, strings, arrays and bytes."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from scipy import special

from sklearn_unlearn.testing._canaries import as_float, texts

__all__ = ["CanarySearch"]

WORDS = {2: np.uint16, 4: np.uint32, 8: np.uint64}  # by size in bytes
CHUNK = 1 << 20  # words that are searched at a time, which bounds temporaries
MIN_FOUND = 3  # numbers of a row or a request, where a single one is no finding
MAX_CHANCE = 1e-3


class _Words:
    """Canaries as words of one size, with neighbouring numbers that nobody had.

    How often the neighbours are found tells how often a number is by chance.
    """

    def __init__(self, wanted, size):
        kind = np.dtype(f"f{size}")
        self.bits = np.array(wanted.bits, dtype=WORDS[size])
        with np.errstate(over="ignore"):
            values, others = wanted.numbers.astype(kind), wanted.others.astype(kind)
            self.is_wanted = np.isfinite(values) & (values != 0)
            self.is_wanted &= ~np.isin(self._words(values), self._words(others)).any(0)
            self.by_chance = self.is_wanted & ((wanted.resolution > 0) | (size < 8))
            at, short = wanted.numbers[self.by_chance], values[self.by_chance]
            step = wanted.resolution[self.by_chance]
            step = np.maximum(np.spacing(np.abs(short)), step)
            near = np.concatenate([at + k * step for k in (-2, -1, 1, 2)]).astype(kind)
        near = near[np.isfinite(near) & (near != 0)]
        near = np.setdiff1d(near, np.concatenate([values[self.is_wanted], others]))
        self.values = np.concatenate([values[self.is_wanted], near])
        self.entries = np.flatnonzero(self.is_wanted)
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


class CanarySearch:
    """Look for canaries in one container after another, and judge at the end.

    Parameters
    ----------
    wanted : Canaries
    """

    def __init__(self, wanted):
        self.wanted = wanted
        sizes = (8,) if wanted.bits else WORDS
        self.words = {size: _Words(wanted, size) for size in sizes}
        self.paths = {s: np.full(len(w.values), None) for s, w in self.words.items()}
        self.texts = {}
        self.singles = set(self.words[8].values.tolist())

    def number(self, value, path):
        """Look at a number."""
        if float(value) in self.singles:
            self.array(np.array([float(value)]), path)

    def strings(self, strings, path):
        """Look at whole strings."""
        for text in self.wanted.strings.intersection(strings):
            self.texts.setdefault(text, path)

    def array(self, array, path):
        """Look at an array of numbers or strings."""
        size = array.dtype.itemsize
        if array.dtype.kind != "f" or size not in self.words:
            self.strings(texts(array), path)
            array, size = as_float(array), 8
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        self._look(size, array.ravel().view(WORDS[size]), path)

    def buffer(self, data, path):
        """Look at bytes, at every offset."""
        data = bytes(data)
        for kind in ("<u8", ">u8", "<u4")[: 2 if self.wanted.bits else 3]:
            size = int(kind[-1])
            for offset in range(min(size, len(data) - size + 1)):
                n_words = (len(data) - offset) // size
                words = np.frombuffer(data, kind, n_words, offset)
                self._look(size, words, path)
        for text in self.wanted.words:
            if text.encode() in data or text.encode("utf-32-le") in data:
                self.texts.setdefault(text, path)

    def _look(self, size, words, path):
        """Note the path of words of one size that are canaries or their neighbours."""
        known, paths = self.words[size], self.paths[size]
        if len(known.values) and len(words):
            found = known.among(words)
            for i in np.flatnonzero(found):
                paths[i] = paths[i] or path

    def findings(self):
        """Return a sentence for each kind of finding."""
        found = []
        if self.texts:
            path = next(iter(self.texts.values()))
            found.append(f"{len(self.texts)} strings, first in {path}")
        for size in self.words:
            found += self._judge(size)
        return found

    def _judge(self, size):
        """Return findings of one size: a single number, or many of a row."""
        wanted, known, paths = self.wanted, self.words[size], self.paths[size]
        n_wanted = len(known.entries)
        hits = paths.astype(bool)
        if not hits[:n_wanted].any():
            return []
        entries = known.entries[hits[:n_wanted]]
        if size == 8 and wanted.single_counts and not known.by_chance[entries].all():
            path = paths[:n_wanted][hits[:n_wanted] & ~known.by_chance[known.entries]][
                0
            ]
            return [f"{len(entries)} numbers as float64, first in {path}"]
        chance = hits[n_wanted:].mean() if len(hits) > n_wanted else 1.0
        chance = chance if known.by_chance.any() else 0.0
        is_found = np.zeros(len(wanted.numbers))
        is_found[entries] = 1.0
        line = known.is_wanted[wanted.entries]
        _, owner = np.unique(wanted.owners[line], return_inverse=True)
        n_cells = np.bincount(owner)
        n_found = np.bincount(owner, weights=is_found[wanted.entries[line]])
        held = n_found >= np.maximum(MIN_FOUND, n_cells / 2)
        odds = special.bdtrc(n_found[held] - 1, n_cells[held], chance)
        if not (odds * len(n_cells) < MAX_CHANCE).any():
            return []
        path = paths[:n_wanted][hits[:n_wanted]][0]
        return [f"{len(entries)} numbers as float{8 * size}, first in {path}"]
