"""Rows and masks from gradients."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_unlearn.audit.attacks import (
    gradient_inversion_audit,
    reconstruction_score,
)
from sklearn_unlearn.dropout import BernoulliDropout

RNG = np.random.default_rng(0)


def tensor(*shape):
    return torch.from_numpy(RNG.normal(size=shape))


def gradients_of(module, x, y, loss=nn.functional.cross_entropy):
    value = loss(module(x), torch.as_tensor(y))
    return list(torch.autograd.grad(value, module.parameters()))


def seeded(*layers):
    """Put layers together, with weights that do not depend on who has run before."""
    module = nn.Sequential(*layers).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(tensor(*parameter.shape) / parameter.shape[-1] ** 0.5)
    return module


@pytest.mark.parametrize("hidden", [False, True])
def test_a_single_row_is_exact(hidden):
    layers = (
        [nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)] if hidden else [nn.Linear(6, 3)]
    )
    module, x = seeded(*layers), tensor(1, 6)
    found = gradient_inversion_audit(module, gradients_of(module, x, [2]), [2])
    assert found.method == "closed form"
    assert np.abs(found.X - x.numpy()).max() < 1e-6
    assert found.distance < 1e-9
    assert found.masks == []


def test_a_single_row_of_a_regression():
    module, x, y = seeded(nn.Linear(6, 1)), tensor(1, 6), tensor(1, 1)
    gradients = gradients_of(module, x, y, nn.functional.mse_loss)
    found = gradient_inversion_audit(module, gradients, y[:, 0], loss="squared_error")
    assert np.abs(found.X - x.numpy()).max() < 1e-6


class Drop(nn.Dropout):
    """Dropout that remembers its mask."""

    def forward(self, x):
        kept = RNG.random(tuple(x.shape)) >= self.p
        self.kept = torch.from_numpy(kept.astype(float))
        return x * self.kept / (1 - self.p)


@pytest.mark.parametrize("p", [0.3, 0.5])
def test_masks_of_a_single_row_are_found(p):
    layer = Drop(p)
    module, x = (
        seeded(nn.Linear(6, 20), nn.ReLU(), layer, nn.Linear(20, 3)),
        tensor(1, 6),
    )
    gradients = gradients_of(module, x, [1])
    true = layer.kept.numpy()  # of the observed pass
    found = gradient_inversion_audit(
        module, gradients, [1], n_iter=200, n_restarts=1, random_state=0
    )
    assert np.abs(found.X - x.numpy()).max() < 1e-6, "hidden dropout protects nothing"
    is_active = module[:2](x).detach().numpy() > 0
    assert is_active.sum() > 4
    np.testing.assert_allclose(found.masks[0][is_active], true[is_active], atol=0.05)
    assert found.distance < 1e-4


def test_masks_of_a_batch_are_needed_and_found():
    module = seeded(nn.Linear(4, 24), nn.Tanh(), Drop(0.3), nn.Linear(24, 3))
    x, y = tensor(2, 4), [0, 2]
    gradients = gradients_of(module, x, y)
    found, ignored = (
        gradient_inversion_audit(
            module,
            gradients,
            y,
            optimize_masks=masks,
            n_iter=600,
            n_restarts=2,
            random_state=0,
        )
        for masks in (True, False)
    )
    assert found.method == ignored.method == "optimisation"
    assert found.distance < 1e-4 < 1e-2 < ignored.distance
    X_public = RNG.normal(size=(200, 4))
    score = reconstruction_score(x.numpy(), found.X, X_public=X_public)
    assert score > 0.9
    assert score > reconstruction_score(x.numpy(), ignored.X, X_public=X_public)


def test_the_layer_of_the_package_and_global_generators():
    module = seeded(
        nn.Linear(4, 8),
        nn.Tanh(),
        BernoulliDropout(0.5, random_state=0),
        nn.Linear(8, 2),
    )
    gradients = gradients_of(module, tensor(1, 4), [0])
    before = torch.random.get_rng_state(), [p.clone() for p in module.parameters()]
    arguments = {"n_iter": 20, "n_restarts": 1, "random_state": 0}
    first = gradient_inversion_audit(module, gradients, [0], **arguments)
    second = gradient_inversion_audit(module, gradients, [0], **arguments)
    assert first.masks[0].shape == (1, 8)
    assert np.array_equal(first.masks[0], second.masks[0])
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert all(map(torch.equal, module.parameters(), before[1]))


def test_bad_input():
    module = seeded(nn.Linear(4, 2))
    gradients = gradients_of(module, tensor(1, 4), [0])
    with pytest.raises(ValueError, match="one array for each of"):
        gradient_inversion_audit(module, gradients[:1], [0])
    convolution = nn.Sequential(nn.Conv1d(1, 2, 3))
    with pytest.raises(ValueError, match=r"begin with a torch\.nn\.Linear"):
        gradient_inversion_audit(
            convolution, [p.detach() for p in convolution.parameters()], [0]
        )


def test_reconstruction_score():
    X_public = RNG.normal(size=(1000, 3)) * [1, 10, 100] + 5
    X_true = X_public[:20]
    mean = np.repeat(X_public.mean(axis=0)[None], 20, axis=0)
    assert reconstruction_score(X_true, X_true[::-1], X_public=X_public) == 1
    assert abs(reconstruction_score(X_true, mean, X_public=X_public)) < 1e-12
    half = (X_true + mean) / 2
    np.testing.assert_allclose(
        reconstruction_score(X_true, half, X_public=X_public), 0.75, atol=0.1
    )
    with pytest.raises(ValueError, match="same features"):
        reconstruction_score(X_true, X_true[:, :2], X_public=X_public)
    with pytest.raises(ValueError, match="at least as many rows"):
        reconstruction_score(X_true, X_true[:5], X_public=X_public)


def test_other_attacks_need_no_torch():
    code = (
        "import sys, sklearn_unlearn.audit.attacks as attacks\n"
        "assert 'gradient_inversion_audit' in dir(attacks)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
