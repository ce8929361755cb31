"""Run scikit-learn's own tests of its perceptrons, with ours in the place of them.

The tests are those of the scikit-learn that is installed. Where they import
``MLPClassifier`` and ``MLPRegressor``, they are given our classes as they are, with
their own defaults: dropout at work, predictions averaged over random functions. Tests
that ask for ``solver="lbfgs"``, which dropout rules out, are left out: they are those
that end in our refusal of it. Arguments are passed on to pytest.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import sys

from _sklearn_tests import run
from sklearn import neural_network

from sklearn_unlearn.neural_network import DropoutClassifier, DropoutRegressor

OURS = {"MLPClassifier": DropoutClassifier, "MLPRegressor": DropoutRegressor}
REFUSAL = "lbfgs"

EXPECTED = {}

if __name__ == "__main__":
    tests = "sklearn.neural_network.tests.test_mlp"
    sys.exit(run(tests, neural_network, OURS, EXPECTED, REFUSAL, sys.argv[1:]))
