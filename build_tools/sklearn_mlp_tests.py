"""Run scikit-learn's own tests of its perceptrons, with ours in the place of them.

The tests are those of the scikit-learn that is installed. Where they import
``MLPClassifier`` and ``MLPRegressor``, they are given our classes as they are, with
their own defaults: dropout at work, predictions averaged over random functions, and
rows held out for the noise. Tests that ask for ``solver="lbfgs"``, which dropout rules
out, are left out: they are those that end in our refusal of it. Arguments are passed on
to pytest.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import sys

from _sklearn_tests import run
from sklearn import neural_network

from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor

OURS = {"MLPClassifier": DropoutClassifier, "MLPRegressor": DropoutRegressor}
LBFGS = 'solver="lbfgs"|max_fun'  # the latter is a parameter of that solver alone

EXPECTED = {
    "test_fit": "sets private state, and weights for a single output, before a fit; "
    "ours have two outputs for two classes",
    "test_early_stopping_stratified": "expects 'True' as the name of a rare class, "
    "which scikit-learn makes of the label 1; ours names 1",
    "test_mlp_loading_from_joblib_partial_fit": "learns one number to four digits; "
    "while units are dropped it does not come that close",
    "test_partial_fit_regression": "compares fit with partial_fit to seven digits, but "
    "units are dropped anew, and fit alone holds out rows for the noise",
    "test_partial_fit_errors": 'asks that solver="lbfgs" takes partial_fit away; ours '
    "says, there as in fit, why there is no such solver",
}

if __name__ == "__main__":
    tests = "sklearn.neural_network.tests.test_mlp"
    sys.exit(run(tests, neural_network, OURS, EXPECTED, LBFGS, sys.argv[1:]))
