"""Searches over parameters whose result can forget.

What scikit-learn's ``model_selection`` has no answer for: a model that was chosen with
the rows that are to be forgotten. It stands on ``exact``; nobody imports it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.model_selection._search_unlearner import SearchUnlearner

__all__ = ["SearchUnlearner"]
