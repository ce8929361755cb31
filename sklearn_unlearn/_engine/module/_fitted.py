"""Modules of the user: built without the global generator, and functions of them."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

import numpy as np
import torch
from torch import nn

from sklearn_unlearn._engine._chunks import map_chunks, tile_rows
from sklearn_unlearn._engine._threads import LARGE_PRODUCT
from sklearn_unlearn._engine.module._explicit import ExplicitRandomness
from sklearn_unlearn.dropout import BernoulliDropout, StochasticLayer

__all__ = [
    "FittedModule",
    "build_module",
    "check_outputs",
    "largest_product",
    "own_module",
    "stochastic_layers",
]

_REPLACED = {
    nn.Dropout: False,
    nn.Dropout1d: True,
    nn.Dropout2d: True,
    nn.Dropout3d: True,
}
_UNSUPPORTED = (nn.AlphaDropout, nn.FeatureAlphaDropout)


def build_module(factory, n_features, n_outputs, seed):
    """Build a module, with layers of dropout that have generators of their own.

    Parameters
    ----------
    factory : callable (n_features, n_outputs) -> torch.nn.Module
    n_features, n_outputs : int
    seed : int
        Of all that is random in it.

    Returns
    -------
    torch.nn.Module
    """
    generator = torch.Generator().manual_seed(seed)
    with ExplicitRandomness(generator):
        module = factory(n_features, n_outputs)
    if not isinstance(module, nn.Module):
        raise TypeError(
            "module must be a class or function that returns a torch.nn.Module; it "
            f"returned {type(module).__name__}."
        )
    module = own_module(module)
    if not any(True for _ in module.parameters()):
        raise ValueError("module has no parameters that could be trained.")
    return module


def own_module(module):
    """Return a copy in float32, whose layers of dropout have generators of their own.

    Layers that belong to somebody else are never trained.
    """
    return _with_own_dropout(copy.deepcopy(module).float())


def _with_own_dropout(module):
    if type(module) in _REPLACED:
        return BernoulliDropout(module.p, per_channel=_REPLACED[type(module)])
    inside = isinstance(module, (nn.RNNBase, nn.MultiheadAttention))
    if isinstance(module, _UNSUPPORTED) or (inside and module.dropout > 0):
        raise ValueError(
            f"{type(module).__name__} has dropout whose masks cannot be controlled. "
            "Use layers of sklearn_unlearn.dropout in the module instead."
        )
    for name, child in module.named_children():
        new = _with_own_dropout(child)
        if new is not child:
            setattr(module, name, new)
    return module


def largest_product(module, n_rows):
    """Return the multiply-adds of the largest product, as far as they are known.

    Only linear layers tell; for a module with others, convolutions or attention,
    the answer is a large one.
    """
    products = [1]
    for layer in module.modules():
        own = [p.numel() for p in layer.parameters(recurse=False) if p.ndim > 1]
        if own and not isinstance(layer, nn.Linear):
            return LARGE_PRODUCT
        products.extend(own)
    return n_rows * max(products)


def check_outputs(outputs, n_rows, n_outputs):
    """Raise if what a module returned is not one row of outputs per row."""
    if not isinstance(outputs, torch.Tensor):
        raise ValueError(
            f"module must return a tensor; it returned a {type(outputs).__name__}."
        )
    if tuple(outputs.shape) != (n_rows, n_outputs):
        raise ValueError(
            f"module must return one row of {n_outputs} outputs per row of X; it "
            f"returned shape {tuple(outputs.shape)} for {n_rows} rows."
        )


def stochastic_layers(module):
    """Return the layers of a module that can hold noise."""
    return [
        m for m in module.modules() if isinstance(m, StochasticLayer) and m.is_random
    ]


class FittedModule:
    """A fitted module, and functions drawn from it.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode, in float32.
    factory : callable (n_features, n_outputs) -> torch.nn.Module
        Builds it again when it is unpickled.
    seed : int
        With which it does.
    n_features, n_outputs : int
    """

    def __init__(self, module, factory, seed, n_features, n_outputs):
        self._module, self.factory, self._seed = module.eval(), factory, seed
        self.n_features, self.n_outputs = n_features, n_outputs
        self._double = True

    @classmethod
    def build(cls, factory, seed, n_features, n_outputs):
        """Build a module that is not trained yet; see `build_module`."""
        module = build_module(factory, n_features, n_outputs, seed)
        return cls.probed(module, factory, seed, n_features, n_outputs)

    @classmethod
    def probed(cls, module, factory, seed, n_features, n_outputs):
        """Return a module of which it is known whether it runs in float64."""
        new = cls(module, factory, seed, n_features, n_outputs)
        try:
            new.outputs(np.zeros((1, n_features)))
        except RuntimeError:  # the module insists on the type of its training
            new._double = False
        return new

    @property
    def is_stochastic(self):
        """Whether functions can be drawn."""
        return bool(stochastic_layers(self._module))

    def with_module(self, module):
        """Return the same with a copy of another module of this kind."""
        new = copy.copy(self)
        new._module = copy.deepcopy(module).cpu().eval()
        return new

    def __copy__(self):
        # pickling, which the default goes through, would build the module again
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        return new

    def __deepcopy__(self, memo):
        return self.copy()

    def copy(self):
        """Return a copy that shares no memory."""
        return self.with_module(self._module)

    def module(self):
        """Return the module itself."""
        return self._module

    def outputs(self, X, device="cpu"):
        """Return the outputs of the deterministic pass, as `Perceptron` does."""
        return self.apply(lambda outputs: outputs[0], X, None, device=device)

    def apply(self, reduce, X, n_draws, seed=None, *, device="cpu"):
        """Draw functions and reduce their values row by row, as `Perceptron` does.

        One set of masks is shared by all rows. Everything else is in evaluation
        mode: statistics of batch normalization neither count nor move. In float64,
        because what a row gets must not depend on the rows it is given with; in
        float32 only if the module insists on it.
        """
        dtype = torch.float64 if self._double else torch.float32
        module = copy.deepcopy(self._module).to(device, dtype).eval()
        layers = stochastic_layers(module)
        prefix, rest = _split(module)

        def run(rows):
            x = torch.from_numpy(np.array(rows, dtype=np.float64, order="C"))
            x = x.to(device, dtype)
            # whatever else draws numbers draws them from here; without such a context
            # torch takes short cuts that leave layers out
            generator = torch.Generator(device).manual_seed(0)
            with ExplicitRandomness(generator):
                x = prefix(x)
                if n_draws is None:
                    outputs = [rest(x)]
                else:
                    outputs = [
                        _hold(layers, seed, draw, rest, x) for draw in range(n_draws)
                    ]
            for output in outputs:
                check_outputs(output, len(rows), self.n_outputs)
            return reduce(torch.stack(outputs).double().cpu().numpy())

        # the layers hold the noise of one draw: chunks take turns
        n_rows = tile_rows((n_draws or 1) * self.n_outputs)
        largest = largest_product(module, n_rows)
        return map_chunks(run, X, n_rows, parallel=False, largest_product=largest)

    def change_coordinates(self, A, b):
        """Return the module in other coordinates if its first layer is linear.

        See `Perceptron.change_coordinates`; None if there is no such layer.
        """
        first = next(iter(_leaves(self._module)), None)
        if not isinstance(first, nn.Linear) or first.in_features != self.n_features:
            return None
        module = copy.deepcopy(self._module)
        layer = _leaves(module)[0]
        W = first.weight.detach().double().cpu()
        shift = W @ torch.from_numpy(b)
        if first.bias is not None:
            shift = shift + first.bias.detach().double().cpu()
        layer.in_features = len(A)
        _replace(layer, W @ torch.from_numpy(A).T, shift)
        new = self.with_module(module)
        new.n_features = len(A)
        # the layer may not be the only one that sees the rows, or not the first
        probe = np.random.default_rng(0).normal(size=(16, len(A)))
        return self._if_same(new, probe, self.outputs(probe @ A + b))

    def rescaled(self, gain, shift):
        """Return the module in other units of its outputs.

        See `Perceptron.rescaled`; None if its last layer is not linear.
        """
        module = copy.deepcopy(self._module)
        layer = _leaves(module)[-1]
        if not isinstance(layer, nn.Linear) or layer.out_features != self.n_outputs:
            return None
        gains, shifts = torch.from_numpy(gain), torch.from_numpy(shift)
        if layer.bias is not None:
            shifts = shifts + gains * layer.bias.detach().double()
        W = layer.weight.detach().double()
        _replace(layer, gains[:, None] * W, shifts)
        new = self.with_module(module)
        # what it returns may go through something else
        probe = np.random.default_rng(0).normal(size=(16, self.n_features))
        expected = gain * self.outputs(probe) + shift
        return self._if_same(new, probe, expected)

    @staticmethod
    def _if_same(new, probe, expected):
        try:
            same = np.allclose(new.outputs(probe), expected, rtol=1e-3, atol=1e-4)
        except RuntimeError:  # shapes that do not fit together
            return None
        return new if same else None

    def __getstate__(self):
        # arrays in place of tensors: a tensor can drag a larger storage along
        state = dict(self.__dict__)
        module = state.pop("_module")
        named = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        state["arrays"] = {k: v.detach().cpu().numpy() for k, v in named.items()}
        return state

    def __setstate__(self, state):
        state = dict(state)
        arrays = state.pop("arrays")
        self.__dict__.update(state)
        module = build_module(self.factory, self.n_features, self.n_outputs, self._seed)
        known = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        for name, array in arrays.items():
            tensor = torch.from_numpy(np.array(array))
            if name in known:
                known[name].data = tensor
            else:  # moved to other coordinates, its first layer may have got a bias
                owner, _, own_name = name.rpartition(".")
                layer = module.get_submodule(owner)
                layer.register_parameter(own_name, nn.Parameter(tensor))
        self._module = module.eval()

    def _comparable_state(self):
        return self.__getstate__()


def _leaves(module):
    return [m for m in module.modules() if not list(m.children())]


def _replace(layer, weight, bias):
    """Give a linear layer other weights, which are trained if its own were."""
    trained, like = layer.weight.requires_grad, layer.weight
    layer.weight = nn.Parameter(weight.to(like), requires_grad=trained)
    layer.bias = nn.Parameter(bias.to(like), requires_grad=trained)


def _hold(layers, seed, draw, rest, x):
    """Run `rest` as the random function number `draw`."""
    try:
        for i, layer in enumerate(layers):
            layer.hold(np.random.SeedSequence(seed, spawn_key=(i, draw)))
        return rest(x)
    finally:
        for layer in layers:
            layer.release()


def _split(module):
    """Split a chain of layers before the first random one, which runs once."""
    if type(module) is not nn.Sequential:
        return nn.Identity(), module
    for i, layer in enumerate(module):
        if stochastic_layers(layer):
            return module[:i], module[i:]
    return nn.Identity(), module
