"""Whole numbers of any size, which add up without rounding.

What is taken off such a sum leaves exactly the sum of the others.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np

__all__ = ["UNIT_BITS", "Addends", "in_units", "n_zero_bits"]

# Every finite float is a whole number of 2**-1074.
UNIT_BITS = 1074
# Bits that are added at a time: in 64 there is room for 2**31 rows.
PART_BITS = 32


def in_units(values):
    """Return finite floats as whole numbers of ``2**-1074``, as objects."""
    fraction, exponent = np.frexp(values)
    whole = np.ldexp(fraction, 53).astype(np.int64).astype(object)
    # the digits of the smallest numbers end before this unit does
    shift = exponent.astype(np.int64) - 53 + UNIT_BITS
    up, down = np.maximum(shift, 0), np.maximum(-shift, 0)
    return (whole << up.astype(object)) >> down.astype(object)


def n_zero_bits(numbers):
    """Return how many binary zeros all these numbers end with; None of zeros."""
    together = int(np.bitwise_or.reduce(numbers, axis=None))
    return (together & -together).bit_length() - 1 if together else None


class Addends:
    """Whole numbers with a row per row, ready to be added up by group.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_columns)
        Of int64, or of any size as objects.
    """

    def __init__(self, numbers):
        self.n_columns, self.shifts = numbers.shape[1], None
        self.parts = numbers
        if numbers.dtype.kind == "O":
            self._split(numbers)

    def _split(self, numbers):
        parts, self.shifts = [], []
        for j, column in enumerate(numbers.T):
            shift = n_zero_bits(column) or 0
            rest = column >> shift
            while True:
                small = max(int(rest.max()), -int(rest.min())) < 1 << PART_BITS
                part = rest if small else rest & ((1 << PART_BITS) - 1)
                parts.append(part.astype(np.int64))
                self.shifts.append((j, shift))
                if small:
                    break
                rest, shift = rest >> PART_BITS, shift + PART_BITS
        self.parts = np.stack(parts, axis=1)

    def sums(self, order, starts):
        """Return the sums over runs of rows in this order, one row for each run."""
        sums = np.add.reduceat(self.parts[order], starts, axis=0)
        if self.shifts is None:
            return sums
        whole = np.zeros((len(starts), self.n_columns), dtype=object)
        for part, (j, shift) in zip(sums.T, self.shifts, strict=True):
            whole[:, j] += part.astype(object) << shift
        return whole
