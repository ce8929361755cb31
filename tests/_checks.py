"""The checks of the contract by name, as the public decorator gives them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.utils.estimator_checks import parametrize_with_unlearner_checks

__all__ = ["unlearner_checks"]


def unlearner_checks(estimator):
    """Return functions that check an estimator, by the names of the checks."""
    tests = parametrize_with_unlearner_checks([estimator]).args[1]
    checks = [test.values[1] for test in tests]
    return {check.__name__: check for check in checks}
