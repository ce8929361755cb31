"""Noise of mean one from numpy generators, faster than torch draws it on a CPU."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from typing import Any

import numpy as np

__all__ = [
    "LEVELS",
    "bernoulli",
    "gaussian",
    "kept_units",
    "make_generator",
    "rounded",
]

# A unit is kept if 16 random bits reach a threshold: four draws from each 64 bits.
# The probability to drop is therefore a multiple of 1 / LEVELS.
LEVELS = 1 << 16


def make_generator(seed: Any) -> np.random.Generator:
    """Return a fast generator.

    Parameters
    ----------
    seed : int, SeedSequence or None
        None takes it from the operating system.
    """
    return np.random.Generator(np.random.SFC64(seed))


def bernoulli(
    rng: np.random.Generator, p: float, out: np.ndarray, scratch: np.ndarray
) -> None:
    """Fill `out` with 0 (probability `p`) and 1.

    Parameters
    ----------
    rng : Generator
        From `make_generator`.
    p : float
        Probability to drop, rounded to a multiple of 1 / 65536.
    out : ndarray of shape (n,), dtype=float32
    scratch : ndarray of shape (n,), dtype=bool
        Room to work in; both are given so that no memory is allocated per call.
    """
    n = out.size
    raw = rng.bit_generator.random_raw((n + 3) // 4)
    np.greater_equal(raw.view(np.uint16)[:n], threshold(p), out=scratch)
    np.copyto(out, scratch)


def kept_units(rng: np.random.Generator, p: float, shape: Any) -> np.ndarray:
    """Return ones for units that stay and zeros for others, in float32."""
    out = np.empty(shape, dtype=np.float32)
    bernoulli(rng, p, out.reshape(-1), np.empty(out.size, dtype=bool))
    return out


def threshold(p: float) -> int:
    """Return how many of the `LEVELS` values of 16 bits mean that a unit is dropped."""
    return min(round(p * LEVELS), LEVELS - 1)


def rounded(p: float) -> float:
    """Return the probability with which `bernoulli` does drop."""
    return threshold(p) / LEVELS


def gaussian(rng: np.random.Generator, p: float, size: Any) -> np.ndarray:
    """Return normal noise of mean 1 and variance p / (1 - p), as dropout has."""
    noise = rng.standard_normal(size, dtype=np.float32)
    noise *= np.float32(np.sqrt(p / (1 - p)))
    noise += 1
    return noise
