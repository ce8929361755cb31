"""Designers of forget sets: which rows to ask for, to test forgetting.

Rows at random say little; the functions here find or make rows whose removal shows.
`model_selection` exports what is public; nothing else of the package uses the folder.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause
