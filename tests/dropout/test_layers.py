"""Kinds of noise: moments, channels, and which generators they accept."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
import torch

from sklearn_unlearn.dropout import BernoulliDropout, GaussianDropout

LAYERS = [BernoulliDropout, GaussianDropout]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("p", [0.05, 0.2, 0.5, 0.8])
def test_moments(layer, p):
    n = 400_000
    noise = layer(p, random_state=0)(torch.ones(n, 1)).double().numpy()
    variance = p / (1 - p)
    assert abs(noise.mean() - 1) < 5 * np.sqrt(variance / n)
    assert abs(noise.var() / variance - 1) < 0.03


def test_generators_of_every_kind_and_rates_near_one():
    x = torch.ones(2000, 100)
    for bits in (np.random.MT19937, np.random.PCG64, np.random.Philox):
        layer = BernoulliDropout(0.5, random_state=np.random.Generator(bits(0)))
        assert layer(x).mean().item() == pytest.approx(1, abs=0.02)
    layer = BernoulliDropout(0.9999, random_state=0)
    assert layer(torch.ones(4000, 1000)).mean().item() == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("layer", LAYERS)
def test_no_noise_without_a_probability(layer):
    x = torch.ones(6, 3)
    module = layer(0.0)
    assert not module.is_random
    assert torch.equal(module(x), x)


@pytest.mark.parametrize("layer", LAYERS)
def test_channels_share_noise(layer):
    x = torch.ones(4, 3, 5, 5)
    noise = layer(0.5, per_channel=True, random_state=0)(x)
    assert torch.equal(noise, noise[:, :, :1, :1].expand_as(x))


def test_gradient_passes_through_the_units_that_are_kept():
    x = torch.ones(40, 5, requires_grad=True)
    out = BernoulliDropout(0.5, random_state=0)(x)
    out.sum().backward()
    assert torch.equal(x.grad, out.detach())


@pytest.mark.parametrize("p", [-0.1, 1, 1.5])
def test_bad_probability(p):
    with pytest.raises(ValueError, match="p must be"):
        BernoulliDropout(p)
