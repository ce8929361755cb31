"""Rule for nearest neighbours and densities made of them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn.neighbors import (
    KernelDensity,
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    NearestNeighbors,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)

from sklearn_unlearn.exact._rule import Rule, register_rule


@register_rule(
    KNeighborsClassifier,
    KNeighborsRegressor,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    NearestNeighbors,
    LocalOutlierFactor,
    KernelDensity,
)
class NeighborsRule(Rule):
    """Fit again: a fit is little more than keeping the rows.

    That of ``LocalOutlierFactor`` is more, but each of its densities may change.
    """

    def guarantee(self, estimator):
        return "exact"
