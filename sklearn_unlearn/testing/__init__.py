"""The parts of the public checks in ``sklearn_unlearn.utils.estimator_checks``.

One function per rule of the contract, in files by idea; data for them; canaries, which
are values that only forgotten rows have, and the search for them; the check of a rule,
and the comparison with a fit on the retained rows. Private: besides
``utils.estimator_checks`` only tests import it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
