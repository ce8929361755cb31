"""All public layers, and CONTRIBUTING's, keep the contract; broken ones do not."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import inspect

import numpy as np
import pytest
import torch

from sklearn_unlearn.dropout import GaussianDropout, StochasticLayer
from sklearn_unlearn.utils.discovery import public_objects
from tests._guides import run_guide
from tests.dropout import _contract
from tests.dropout._contract import CHECKS, equal_rows

LAYERS = [
    thing
    for module, _, thing in public_objects()
    if module == "sklearn_unlearn.dropout"
    and inspect.isclass(thing)
    and thing is not StochasticLayer
]


def name_of(function_or_class):
    return function_or_class.__name__


def test_all_layers_are_found():
    assert len(LAYERS) >= 2
    assert all(issubclass(layer, StochasticLayer) for layer in LAYERS)


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
@pytest.mark.parametrize("layer_class", LAYERS, ids=name_of)
def test_layer(layer_class, check):
    check(layer_class)


def test_the_layer_of_the_guide(monkeypatch):
    guide = run_guide("CONTRIBUTING.md", monkeypatch, "Add a dropout layer")
    assert guide.model.score(guide.X, guide.y) > 0.9
    for check in CHECKS:
        check(guide.DropConnect)
    # weights are dropped, not units: outputs differ in what has gone from their sums
    layer = guide.DropConnect(8, 2, p=0.5, random_state=0)
    layer.linear.weight.data.fill_(1.0), layer.linear.bias.data.zero_()
    outputs = torch.cat([layer(equal_rows(1)) for _ in range(20)])
    assert (outputs[:, 0] != outputs[:, 1]).any()


class Biased(GaussianDropout):
    def noise(self, rng, shape):
        return super().noise(rng, shape) * 1.2


class Constant(GaussianDropout):
    def noise(self, rng, shape):
        return np.full(shape, 1.5)


class ForEachRow(GaussianDropout):
    """Draws noise of its own for each row, also while noise is held."""

    def with_noise(self, x, noise):
        return x * (noise + torch.arange(len(x))[:, None])


class FromTorch(GaussianDropout):
    def noise(self, rng, shape):
        return torch.rand(shape).numpy() * 2


class Detached(GaussianDropout):
    def with_noise(self, x, noise):
        return super().with_noise(x.detach(), noise).requires_grad_()


class AlwaysOn(GaussianDropout):
    def without_noise(self, x):
        return x * torch.from_numpy(self.noise(np.random.default_rng(), x.shape))


class OneForAll(GaussianDropout):
    """Says that rows have noise of their own, and draws one for all."""

    def with_noise(self, x, noise):
        return x * noise[:1]


@pytest.mark.parametrize(
    ("layer_class", "check"),
    [
        (Biased, _contract.check_mean_is_preserved),
        (Constant, _contract.check_functions_are_told_by_their_seeds),
        (Constant, _contract.check_same_seed_same_numbers),
        (Constant, _contract.check_in_a_network),
        (ForEachRow, _contract.check_held_noise_is_shared_by_all_rows),
        (FromTorch, _contract.check_same_seed_same_numbers),
        (FromTorch, _contract.check_functions_are_told_by_their_seeds),
        (FromTorch, _contract.check_global_generators),
        (Detached, _contract.check_gradient_flows),
        (AlwaysOn, _contract.check_evaluation_is_deterministic),
        (OneForAll, _contract.check_noise_of_rows_in_training),
    ],
    ids=name_of,
)
def test_a_layer_that_breaks_the_contract_is_told(layer_class, check):
    with pytest.raises(AssertionError):
        check(layer_class)
