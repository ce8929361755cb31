"""Random numbers of a node: a function of its key alone."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.exact.forest.tree._numba import jit

__all__ = ["child_key", "first_state", "next_word", "threefry"]

MASK = 0xFFFFFFFF


@jit
def _four_rounds(a, b, r0, r1, r2, r3):
    """Mix two words by four additions, rotations and exclusive ors."""
    a = (a + b) & MASK
    b = ((b << r0) | (b >> (32 - r0))) & MASK ^ a
    a = (a + b) & MASK
    b = ((b << r1) | (b >> (32 - r1))) & MASK ^ a
    a = (a + b) & MASK
    b = ((b << r2) | (b >> (32 - r2))) & MASK ^ a
    a = (a + b) & MASK
    b = ((b << r3) | (b >> (32 - r3))) & MASK ^ a
    return a, b


@jit
def threefry(key, a, b):
    """Return two words of 32 random bits: Threefry-2x32 with 20 rounds.

    A function of its arguments alone: a key of two words, and two more words.
    """
    key0, key1 = key
    key2 = key0 ^ key1 ^ 0x1BD11BDA
    a, b = (a + key0) & MASK, (b + key1) & MASK
    a, b = _four_rounds(a, b, 13, 15, 26, 6)
    a, b = (a + key1) & MASK, (b + key2 + 1) & MASK
    a, b = _four_rounds(a, b, 17, 29, 16, 24)
    a, b = (a + key2) & MASK, (b + key0 + 2) & MASK
    a, b = _four_rounds(a, b, 13, 15, 26, 6)
    a, b = (a + key0) & MASK, (b + key1 + 3) & MASK
    a, b = _four_rounds(a, b, 17, 29, 16, 24)
    a, b = (a + key1) & MASK, (b + key2 + 4) & MASK
    a, b = _four_rounds(a, b, 13, 15, 26, 6)
    return (a + key2) & MASK, (b + key0 + 5) & MASK


@jit
def child_key(key, is_right):
    """Return the key of the left (0) or right (1) child of a node."""
    return threefry(key, is_right, 1)


@jit
def first_state(key):
    """Return the state from which `next_word` starts in a node."""
    a, b = threefry(key, 0, 0)
    c, count = threefry(key, 1, 0)
    return a, b, c, count


@jit
def next_word(state):
    """Return a word of 32 random bits and the next state: SFC32."""
    a, b, c, count = state
    word = (a + b + count) & MASK
    a, b = b ^ (b >> 9), (c + (c << 3)) & MASK
    c = ((((c << 21) | (c >> 11)) & MASK) + word) & MASK
    return word, (a, b, c, (count + 1) & MASK)
