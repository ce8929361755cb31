"""Rules for encoders of categories."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from sklearn_unlearn.exact._counts_rule import (
    CountsRule,
    cells_by_column,
    has_fixed_dtypes,
)
from sklearn_unlearn.exact._feature_names import copy_feature_names
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.utils._sklearn_compat import (
    find_infrequent,
    groups_infrequent,
    infrequent_places,
)


class CategoriesRule(CountsRule):
    """Counts of the categories; one that nobody has any more is gone."""

    def is_bitwise(self, estimator):
        return True

    def covers(self, estimator, X, y=None, **params):
        return has_fixed_dtypes(X)

    def columns(self, fitted, X):
        return cells_by_column(X)

    def categories_left(self, fitted, counts):
        """Return the categories of a fit on rows with these counts."""
        if not isinstance(fitted.categories, str):
            return fitted.categories_
        pairs = zip(fitted.categories_, counts.columns, strict=True)
        return [c if _same_values(c, column) else column.values for c, column in pairs]


@register_rule(OneHotEncoder, OrdinalEncoder)
class EncoderRule(CategoriesRule):
    """Fit to a few rows that show the categories that are left, frequent ones once."""

    keeps_output = True

    def is_fixed(self, fitted):
        given = not isinstance(fitted.categories, str)
        return given and not groups_infrequent(fitted)

    def assemble(self, fitted, counts):
        left = self.categories_left(fitted, counts)
        pairs = zip(left, fitted.categories_, strict=True)
        same = all(categories is before for categories, before in pairs)
        if not groups_infrequent(fitted):
            return fitted if same else self._fit_to_categories(fitted, left, None)
        rare = find_infrequent(
            fitted, left, map(_counts_of, left, counts.columns), counts.n_rows
        )
        if same and all(map(_same_places, rare, infrequent_places(fitted))):
            return fitted
        return self._fit_to_categories(fitted, left, rare)

    def _fit_to_categories(self, fitted, left, rare):
        """Fit to rows that show each category once, and those in `rare` never."""
        new, changed = clone(fitted), {"categories": left}
        if rare is None:
            rows = np.array([[categories[0] for categories in left]], dtype=object)
        else:
            shown = [
                categories if places is None else np.delete(categories, places)
                for categories, places in zip(left, rare, strict=True)
            ]
            rows = np.empty((max(1, *map(len, shown)), len(shown)), dtype=object)
            for j, categories in enumerate(shown):
                rows[:, j] = categories[0] if len(categories) else _AbsentCategory()
                rows[: len(categories), j] = categories
            changed.update(min_frequency=1, max_categories=None)
            if fitted.handle_unknown == "error":
                changed.update(_PERMISSIVE[type(fitted)])
        given = {name: getattr(fitted, name) for name in changed}
        new.set_params(**changed).fit(rows)
        new.categories_ = left
        return copy_feature_names(new, fitted).set_params(**given)


_PERMISSIVE = {
    OneHotEncoder: {"handle_unknown": "ignore"},
    OrdinalEncoder: {"handle_unknown": "use_encoded_value", "unknown_value": -1},
}


class _AbsentCategory:
    """A category that no row has."""


def _same_values(categories, column):
    """Whether categories are the values that a column has."""
    if categories is column.values:
        return True
    same = len(categories) == len(column)
    return same and bool((column.find(categories) >= 0).all())


def _counts_of(categories, column):
    """Return how often each category occurs."""
    found = column.find(categories)
    return np.where(found < 0, 0, column.counts[found])


def _same_places(first, second):
    """Whether two arrays of positions are equal, or both None."""
    if first is None or second is None:
        return first is second
    return np.array_equal(first, second)
