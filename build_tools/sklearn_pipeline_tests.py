"""Run scikit-learn's own tests of its Pipeline, with ours in the place of it.

The tests are those of the scikit-learn that is installed. Where they import
``Pipeline`` and ``make_pipeline``, they are given ours. Arguments are passed on to
pytest.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import sys

from _sklearn_tests import run
from sklearn import pipeline

from sklearn_unlearn.pipeline import Pipeline, make_pipeline

OURS = {"Pipeline": Pipeline, "make_pipeline": make_pipeline}

MORE_PARAMETERS = "lists all parameters of a pipeline; ours has more"
EXPECTED = {
    "test_pipeline_raise_set_params_error": MORE_PARAMETERS,
    "test_set_pipeline_step_passthrough[None]": MORE_PARAMETERS,
    "test_set_pipeline_step_passthrough[passthrough]": MORE_PARAMETERS,
}

if __name__ == "__main__":
    tests = "sklearn.tests.test_pipeline"
    sys.exit(run(tests, pipeline, OURS, EXPECTED, arguments=sys.argv[1:]))
