"""Searches that can forget, forget sets by plan, and splits that know of them.

What scikit-learn's ``model_selection`` has no answer for: a model that was chosen with
the rows that are to be forgotten, and which rows to ask for when forgetting is tested.
It stands on ``exact``; nobody imports it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.model_selection._forget_aware_split import ForgetAwareSplit
from sklearn_unlearn.model_selection._request_stream import RequestStream
from sklearn_unlearn.model_selection._search_unlearner import SearchUnlearner
from sklearn_unlearn.model_selection._surrogate_requests import SurrogateRequests
from sklearn_unlearn.model_selection.forget_sets._corruption import (
    Corruption,
    PlantedRows,
    make_corruption,
)
from sklearn_unlearn.model_selection.forget_sets._difficulty import (
    forget_set_difficulty,
)
from sklearn_unlearn.model_selection.forget_sets._forget_set import make_forget_set
from sklearn_unlearn.model_selection.forget_sets._spectrum import forget_set_spectrum
from sklearn_unlearn.model_selection.forget_sets._subsets import (
    SubsetPredictions,
    subset_predictions,
)
from sklearn_unlearn.model_selection.forget_sets._worst_case import (
    worst_case_forget_set,
)

__all__ = [
    "Corruption",
    "ForgetAwareSplit",
    "PlantedRows",
    "RequestStream",
    "SearchUnlearner",
    "SubsetPredictions",
    "SurrogateRequests",
    "forget_set_difficulty",
    "forget_set_spectrum",
    "make_corruption",
    "make_forget_set",
    "subset_predictions",
    "worst_case_forget_set",
]
