"""Private: how networks are trained, and how functions are drawn from them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
