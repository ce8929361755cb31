"""Private parts of the public checks of ``sklearn_unlearn.utils.estimator_checks``.

Data for the checks, one function per rule of the contract, the search for copies of
forgotten rows, the comparison with a fit on the retained rows, and the check of a rule.
Nothing else in the package imports it; tests do.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
