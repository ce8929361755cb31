"""Modules of the user, built and drawn from with explicit randomness.

skorch trains them, without what costs time per batch."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
