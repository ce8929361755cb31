"""Rule for the encoder of categories by their mean target."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.preprocessing import TargetEncoder

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._rule import Rule, register_rule
from sklearn_unlearn.exact.rules._encoding import CategoriesRule
from sklearn_unlearn.exact.statistics._exact_sums import (
    UNIT_BITS,
    in_units,
    n_zero_bits,
)


@register_rule(TargetEncoder)
class TargetEncoderRule(CategoriesRule):
    """Sums of the targets of each category, and of their squares.

    The sums are integers, so that taking rows off leaves what the retained rows
    add up to, whatever is taken off, and how often.
    """

    fit_transform_differs = True  # its ``fit_transform`` is cross-fitted

    def guarantee(self, estimator):
        return Rule.guarantee(self, estimator)

    def is_bitwise(self, estimator):
        return False  # scikit-learn adds the targets up in floats, in their order

    def covers(self, estimator, X, y=None, **params):
        # scikit-learn counts a cell that is none of given categories as the first
        given = not isinstance(estimator.categories, str)
        single = np.asarray(y).dtype in (np.float32, np.float16)
        return not (given or single) and super().covers(estimator, X)

    def summaries_compatible(self, before, after):
        # there is a sum for each class, or of the numbers
        same = before.target_type_ == after.target_type_
        return same and np.array_equal(before.classes_, after.classes_)

    def amounts(self, fitted, y):
        y = np.ravel(y)
        if fitted.target_type_ == "continuous":
            whole = in_units(np.asarray(y, dtype=np.float64))
            fraction = (y != np.rint(y)).astype(object)
            return np.stack([whole, whole * whole, fraction], axis=1)
        code = np.searchsorted(fitted.classes_, y)
        if fitted.target_type_ == "binary":
            return np.stack([code, code], axis=1)
        hot = (code[:, None] == np.arange(len(fitted.classes_))).astype(np.int64)
        return np.hstack([hot, hot])

    def assemble(self, fitted, counts):
        try:
            return self._from_sums(fitted, counts)
        except OverflowError:  # squares beyond the largest float
            return None

    def _from_sums(self, fitted, counts):
        sums = counts.columns[0].sums.sum(axis=0)
        continuous = fitted.target_type_ == "continuous"
        bits = UNIT_BITS if continuous else 0
        if continuous:
            if fitted.target_type == "auto" and sums[2] == 0:
                return None  # whole numbers: they count as classes
        elif _lacks_class(sums[: len(sums) // 2], counts.n_rows, fitted.target_type_):
            return None
        n_targets = 1 if continuous else len(sums) // 2
        mean, square = _moments(sums[None], np.array([counts.n_rows]), n_targets, bits)
        mean, variance = mean[0], square[0] / counts.n_rows
        new = shallow_copy(fitted)
        new.target_mean_ = mean if n_targets > 1 else mean[0]
        new.categories_ = self.categories_left(fitted, counts)
        new.encodings_ = []
        for categories, column in zip(new.categories_, counts.columns, strict=True):
            found = column.find(categories)
            n_rows, sums = column.counts[found], column.sums[found]
            means, squares = _moments(sums, n_rows, n_targets, bits)
            share = _weight_of_category(
                fitted.smooth, n_rows[:, None], squares, variance
            )
            encoding = share * means + (1.0 - share) * mean
            new.encodings_.extend(column.copy() for column in encoding.T)
        return new


def _lacks_class(sums, n_rows, target_type):
    """Whether a class has no row: which classes there are, a fit finds out."""
    return not (np.all(sums > 0) and (target_type != "binary" or sums[0] < n_rows))


def _moments(sums, n_rows, n_targets, bits):
    """Return means and sums of squared deviations, each of shape (n, n_targets).

    The sums are whole numbers of ``2**-bits``.
    """
    total, square = sums[:, :n_targets], sums[:, n_targets : 2 * n_targets]
    n_rows = n_rows[:, None].astype(sums.dtype)
    if bits:  # smaller numbers are divided faster
        of_total, of_square = n_zero_bits(total), n_zero_bits(square)
        shift = bits if of_square is None else min(bits, of_square // 2)
        shift = shift if of_total is None else min(shift, of_total)
        total, square = total >> shift, square >> (2 * shift)
        bits -= shift
    mean = total / (n_rows << bits)
    deviation = (n_rows * square - total * total) / (n_rows << (2 * bits))
    return mean.astype(np.float64), deviation.astype(np.float64)


def _weight_of_category(smooth, n_rows, squares, variance):
    """Weight of the mean of a category against that of all rows."""
    if smooth != "auto":
        return n_rows / (n_rows + smooth)
    with np.errstate(invalid="ignore"):
        spread = variance * n_rows
        share = spread / (spread + squares / n_rows)
    return np.where(np.isnan(share), 0.0, share)
