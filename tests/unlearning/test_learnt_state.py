"""What training leaves in a module beside its weights does not survive a request."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import warnings

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from skorch import NeuralNetClassifier
from torch import nn

from sklearn_unlearn.exceptions import UnlearningWarning
from sklearn_unlearn.unlearning import NPO, FineTune
from sklearn_unlearn.utils.estimator_checks import find_residue
from tests.neural_network._module_kinds import KINDS

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 12)).astype(np.float32)
y = np.arange(40) % 2
X[:, 0] += y
X[:4] *= 30


def net(name):
    return NeuralNetClassifier(
        KINDS[name][0],
        module__n_features=12,
        module__n_outputs=2,
        criterion=nn.CrossEntropyLoss,
        max_epochs=2,
        batch_size=10,
        train_split=None,
        verbose=0,
    )


@pytest.mark.parametrize("frozen", [False, True], ids=["net", "frozen net"])
@pytest.mark.parametrize(
    ("name", "refitted"),
    [
        ("random features", False),
        ("memory of rows that predictions do not use", False),
        ("running maximum", True),
        ("codebook of moving averages", True),
    ],
)
def test_nets_of_skorch(name, refitted, frozen):
    torch.manual_seed(0)  # a net that is fitted by itself draws from it
    estimator = FrozenEstimator(net(name).fit(X, y)) if frozen else net(name)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        model = NPO(estimator, n_epochs=1, random_state=0).fit(X, y)
        model.unlearn(X[:4], y[:4])
    told = [str(w.message) for w in record if w.category is UnlearningWarning]
    assert any("which cannot be renewed" in text for text in told) == refitted
    assert not find_residue(model, X[:4], X[4:])


def test_a_request_that_fits_again_is_exact():
    estimator = net("running maximum")
    with pytest.warns(UnlearningWarning, match="buffer 'largest' of module"):
        model = FineTune(estimator, random_state=0).fit(X, y).unlearn(X[:4])
    again = FineTune(estimator, random_state=0).fit(X[4:], y[4:])
    assert np.array_equal(model.predict_proba(X), again.predict_proba(X))
