"""What the public checks of ``sklearn_unlearn.utils.estimator_checks`` are made of.

Data for the checks, one function per rule of the contract, the search for copies of
forgotten rows, and the comparison of two fitted states. Private; nothing else in the
package imports it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
