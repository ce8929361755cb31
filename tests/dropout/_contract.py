"""What every layer of noise must keep to, whatever its noise is.

Each check takes a class, constructs a layer by ``example``, and raises AssertionError.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import pickle
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from sklearn.datasets import make_blobs
from torch import nn

from sklearn_unlearn.neural_network import DropoutClassifier

N_UNITS = 8


def rows(n_rows=16, dtype=torch.float32):
    values = np.random.default_rng(0).normal(size=(n_rows, N_UNITS))
    return torch.from_numpy(values).to(dtype)


def equal_rows(n_rows=16):
    return rows(1).expand(n_rows, N_UNITS)


def held(layer, seed, x):
    """Outputs of the random function that belongs to a seed."""
    layer.hold(seed)
    try:
        return layer(x)
    finally:
        layer.release()


@contextmanager
def global_generators_untouched():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    yield
    assert torch.equal(before[0], torch.get_rng_state()), "torch's generator is used"
    after = np.random.get_state()[1]  # noqa: NPY002
    assert np.array_equal(before[1], after), "numpy's global generator is used"


def check_held_noise_is_shared_by_all_rows(layer_class):
    layer, x = layer_class.example(N_UNITS, random_state=0), rows()
    for mode in (True, False):
        layer.train(mode)
        same = held(layer, 3, equal_rows())
        assert torch.allclose(same, same[:1].expand_as(same), rtol=1e-5, atol=1e-6)
        whole = held(layer, 3, x)
        assert torch.allclose(held(layer, 3, x[5:7]), whole[5:7], rtol=1e-5, atol=1e-6)


def check_functions_are_told_by_their_seeds(layer_class):
    layer, x = layer_class.example(N_UNITS, random_state=0).eval(), rows()
    first = held(layer, 3, x)
    assert torch.equal(first, held(layer, 3, x)), "same seed, another function"
    assert not torch.equal(first, held(layer, 4, x)), "another seed, same function"
    layer.hold(3)
    assert torch.equal(first, layer(x))
    assert not torch.equal(first, layer(x)), "the second use has noise of its own"
    layer.release()
    assert torch.equal(layer(x), layer.without_noise(x)), "noise is not released"


def check_same_seed_same_numbers(layer_class):
    layer, x = layer_class.example(N_UNITS, random_state=0), rows()
    copies = copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))
    first, second = layer(x), layer(x)
    assert not torch.equal(first, second), "two batches have the same noise"
    for other in copies:
        assert torch.equal(first, other(x)) and torch.equal(second, other(x))
    layer.seed(7)
    first = layer(x)
    layer.seed(7)
    assert torch.equal(first, layer(x))
    layer.seed(8)
    assert not torch.equal(first, layer(x)), "the seed has no effect"


def check_noise_of_rows_in_training(layer_class):
    layer = layer_class.example(N_UNITS, random_state=0)
    out = layer(equal_rows())
    shared = torch.allclose(out, out[:1].expand_as(out), rtol=1e-5, atol=1e-6)
    assert shared != layer.noise_per_row


def check_evaluation_is_deterministic(layer_class):
    layer, x = layer_class.example(N_UNITS, random_state=0).eval(), rows()
    out = layer(x)
    assert torch.equal(out, layer(x))
    assert torch.equal(out, layer.without_noise(x))


def check_mean_is_preserved(layer_class):
    layer, x = layer_class.example(N_UNITS, random_state=0).eval(), rows()
    if not layer.preserves_mean:
        return
    with torch.no_grad():
        draws = torch.stack([held(layer, seed, x) for seed in range(2000)]).double()
    error = draws.std(0) / len(draws) ** 0.5
    assert ((draws.mean(0) - layer(x)).abs() <= 6 * error + 1e-5).all()


def check_gradient_flows(layer_class):
    layer = layer_class.example(N_UNITS, random_state=0)
    x = rows().requires_grad_()
    layer(x).square().sum().backward()
    for tensor in (x, *layer.parameters()):
        assert tensor.grad is not None, "a tensor has no gradient"
        assert torch.isfinite(tensor.grad).all() and tensor.grad.any()


def check_types_and_devices(layer_class):
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in devices:
        for dtype in (torch.float32, torch.float64):
            layer = layer_class.example(N_UNITS, random_state=0).to(device, dtype)
            x = rows(dtype=dtype).to(device)
            for out in (layer(x), held(layer, 3, x), layer.eval()(x)):
                assert out.dtype == dtype and out.device == x.device


def check_global_generators(layer_class):
    layer = layer_class.example(N_UNITS, random_state=0)
    with global_generators_untouched():
        layer(rows()), held(layer, 3, rows()), layer.eval()(rows())


def network(layer_class, n_features, n_outputs):
    """Build a module with the layer in its middle."""
    layer = layer_class.example(N_UNITS)
    n_units = layer.without_noise(torch.zeros(1, N_UNITS)).shape[1]
    before, after = nn.Linear(n_features, N_UNITS), nn.Linear(n_units, n_outputs)
    return nn.Sequential(before, nn.Tanh(), layer, after)


def check_in_a_network(layer_class):
    X, y = make_blobs(90, n_features=3, cluster_std=2.0, random_state=0)
    model = DropoutClassifier(
        module=partial(network, layer_class),
        max_iter=20,
        n_iter_no_change=20,
        learning_rate_init=0.02,
        random_state=0,
    )
    with global_generators_untouched():
        p = model.fit(X, y).predict_proba(X)
    assert model.score(X, y) > 0.7
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(model.predict_proba(X[5:7]), p[5:7], rtol=1e-9)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), p)
    assert np.array_equal(copy.deepcopy(model).fit(X, y).predict_proba(X), p)
    assert (model.predict_uncertainty(X, "epistemic") > 1e-6).all(), "no noise arrives"


CHECKS = [
    check_held_noise_is_shared_by_all_rows,
    check_functions_are_told_by_their_seeds,
    check_same_seed_same_numbers,
    check_noise_of_rows_in_training,
    check_evaluation_is_deterministic,
    check_mean_is_preserved,
    check_gradient_flows,
    check_types_and_devices,
    check_global_generators,
    check_in_a_network,
]
