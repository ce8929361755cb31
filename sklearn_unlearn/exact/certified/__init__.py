"""Certified removal from linear models: a Newton step, and noise for what it misses.

The estimators, and the certificate that says how many requests the noise can hide.
Nothing else in the package imports them; `exact` makes them public.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
