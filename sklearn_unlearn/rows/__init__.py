"""The training rows that an estimator keeps, and how a request finds them again.

Rows in any container are taken apart into arrays, kept in blocks, and looked up by
value or by id; a request hands the rows to forget and those that stay from one
estimator to the next. Private: every part of the package may import it, users see it
only through ``unlearn``.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
