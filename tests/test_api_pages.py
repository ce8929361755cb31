"""The pages of the API list what their class has."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pytest

from docs.api_reference import documented_members
from sklearn_unlearn.exact import ExactUnlearner, Retrain
from sklearn_unlearn.model_selection import SearchUnlearner
from sklearn_unlearn.pipeline import Pipeline
from tests._instances import INSTANCES, rows_for, seeded

# they have what the estimator within has, whatever that is
HOLDERS = (ExactUnlearner, Retrain, SearchUnlearner, Pipeline)
CLASSES = {type(some[0]): some for some in INSTANCES.values()}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize(
    "cls", [c for c in CLASSES if c not in HOLDERS], ids=lambda c: c.__name__
)
def test_a_page_lists_what_its_class_has(cls):
    listed = documented_members(cls.__module__, cls.__name__)
    assert {"fit", "unlearn", "export"} <= {*listed}
    for model in map(seeded, CLASSES[cls]):
        model.fit(*rows_for(model))
        listed = [name for name in listed if not hasattr(model, name)]
    assert not listed
