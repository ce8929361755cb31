"""A fitted module of the user, and functions drawn from it."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy
import pickle

import numpy as np
import torch
from torch import nn

from sklearn_unlearn._engine._threads import map_chunks, tile_rows
from sklearn_unlearn._engine._torch_defaults import usual_torch
from sklearn_unlearn._engine.module._building import (
    build_module,
    check_outputs,
    in_precision,
    largest_product,
    stochastic_layers,
)
from sklearn_unlearn._engine.module._probes import (
    REFUSALS,
    drops_by_functions,
    find_axes_of_rows,
    probe_rows,
)
from sklearn_unlearn._engine.module._randomness import ExplicitRandomness
from sklearn_unlearn._engine.module._state import (
    copy_module,
    module_state,
    restore_state,
)
from sklearn_unlearn._engine.module._trainable import TrainableModule
from sklearn_unlearn.dropout import StochasticLayer
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["FittedModule"]


@saved_as("module")
class FittedModule:
    """A fitted module, and functions drawn from it.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode, in float32.
    factory : callable (n_features, n_outputs) -> torch.nn.Module
        Builds it again when it is unpickled.
    seed : int or None
        Of that build; None if it is not known.
    n_features, n_outputs : int
    """

    def __init__(self, module, factory, seed, n_features, n_outputs):
        self._module, self.factory, self._seed = module.eval(), factory, seed
        self.n_features, self.n_outputs = n_features, n_outputs
        self._runs_in_float64, self._drops_by_functions = True, False

    @classmethod
    def build(cls, factory, seed, n_features, n_outputs):
        """Build a module that is not trained yet; see `build_module`."""
        module = build_module(factory, n_features, n_outputs, seed)
        return cls.probed(module, factory, seed, n_features, n_outputs)

    @classmethod
    def probed(cls, module, factory, seed, n_features, n_outputs):
        """Return a module of which it is known what it does with rows."""
        find_axes_of_rows(module, n_features)
        new = cls(module, factory, seed, n_features, n_outputs)
        new._drops_by_functions = drops_by_functions(module, n_features)
        rows = probe_rows(3, n_features)
        together = new._outputs_if_taken(rows)
        if together is None:  # the module may take float32 alone
            new._runs_in_float64 = False
            together = new._outputs_if_taken(rows)
        if together is not None:
            new._check_rows_are_independent(rows, together)
        return new

    def _outputs_if_taken(self, rows):
        """Return outputs; None for rows that the module was not made for."""
        try:
            return self.outputs(rows)
        except REFUSALS:
            return None

    def _check_rows_are_independent(self, rows, together):
        """Raise if what a row gets depends on the rows beside it."""
        try:
            alone = self.outputs(rows[:1])
        except REFUSALS as error:
            raise ValueError(
                f"module must take a single row in evaluation, too; it raised: {error}"
            ) from error
        scale = np.nanmax(np.abs(together), initial=1.0)
        tolerance = {"rtol": 0, "atol": 1e-3 * scale, "equal_nan": True}
        if not np.allclose(together[:1], alone, **tolerance):
            raise ValueError(
                "module lets the rows of a batch depend on one another in evaluation, "
                "as batch normalization without running statistics does; a prediction "
                "must depend on its own row alone."
            )

    @property
    def is_stochastic(self):
        """Whether functions can be drawn; those of a rate of 0 are all alike."""
        return any(isinstance(m, StochasticLayer) for m in self._module.modules())

    @property
    def drops_by_functions(self):
        """Whether training drops units by functions, which no random function holds."""
        return self._drops_by_functions

    def with_module(self, module):
        """Return the same with a copy of another module of this kind."""
        new = copy.copy(self)
        new._module = copy_module(module).cpu().eval()
        return new

    def __copy__(self):
        # pickling, which the default goes through, would build the module again
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        return new

    def __deepcopy__(self, memo):
        return self.copy()

    def copy(self):
        """Return a copy with a module of its own."""
        return self.with_module(self._module)

    def module(self):
        """Return the module itself."""
        return self._module

    def trainer(self, rows, loss, **settings):
        """Return a trainer of this network; see `NetTrainer`."""
        # skorch is loaded here, where it is needed: it takes seconds
        from sklearn_unlearn._engine.module._trainer import NetTrainer

        return NetTrainer(self, rows, loss, **settings)

    def untrained(self, seed=None):
        """Return the module as it was built, in evaluation mode; of another seed, too.

        The seed of a module that was given already trained is not known.
        """
        seed = (self._seed or 0) if seed is None else seed
        module = build_module(self.factory, self.n_features, self.n_outputs, seed)
        find_axes_of_rows(module, self.n_features)
        return module.eval()

    @property
    def has_known_seed(self):
        """Whether `untrained` gives the numbers that this module began with."""
        return self._seed is not None

    def as_trainable(self, device, seed=0):
        """Return a copy in training to forget; see `TrainableModule`."""
        return TrainableModule(self, device, seed)

    def outputs(self, X, device="cpu"):
        """Return the outputs of the deterministic pass, as `Perceptron` does."""
        return self.apply(lambda outputs: outputs[0], X, None, device=device)

    def apply(self, reduce, X, n_draws, seed=None, *, device="cpu"):
        """Draw functions and reduce their values row by row, as `Perceptron` does.

        One set of masks is shared by all rows. Everything else is in evaluation
        mode: batch normalization uses its statistics, and does not update them. In
        float64, because the outputs of a row must not depend on the rows beside it;
        in float32 only if the module refuses other types.
        """
        dtype = torch.float64 if self._runs_in_float64 else torch.float32
        with usual_torch(device):
            module = in_precision(copy_module(self._module).to(device), dtype).eval()
        layers = stochastic_layers(module)
        deterministic, rest = _split_before_noise(module)

        def evaluate(x):
            """Return the outputs of all functions, and whether numbers were drawn."""
            # whatever else draws numbers draws them from here; without such a context
            # torch takes short cuts that leave layers out
            randomness = ExplicitRandomness(torch.Generator(device).manual_seed(0))
            with usual_torch(device, gradients=False), randomness:
                h = deterministic(x)
                if n_draws is None:
                    outputs = [rest(h)]
                else:
                    outputs = [
                        _one_draw(layers, seed, draw, rest, h)
                        for draw in range(n_draws)
                    ]
            outputs = [check_outputs(o, len(x), self.n_outputs) for o in outputs]
            return torch.stack(outputs), randomness.used

        def run(rows):
            x = torch.from_numpy(np.array(rows, dtype=np.float64, order="C"))
            x = x.to(device, dtype)
            outputs, drew = evaluate(x)
            if drew and len(x) > 1:  # the same numbers for every row
                outputs = torch.cat([evaluate(row)[0] for row in x.split(1)], dim=1)
            return reduce(outputs.double().cpu().numpy())

        # the layers hold the noise of one draw: chunks take turns
        n_rows = tile_rows((n_draws or 1) * self.n_outputs)
        largest = largest_product(module, n_rows)
        return map_chunks(run, X, n_rows, parallel=False, largest_product=largest)

    def change_coordinates(self, A, b):
        """Return the module in other coordinates if its first layer is linear.

        See `Perceptron.change_coordinates`; None if there is no such layer.
        """
        first = _leaves(self._module)[0]
        if not _is_linear(first) or first.in_features != self.n_features:
            return None
        module = copy_module(self._module)
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
        return self._if_equal(new, probe, self.outputs(probe @ A + b))

    def rescaled(self, gain, shift):
        """Return the module with its outputs in other units.

        See `Perceptron.rescaled`; None if its last layer is not linear.
        """
        module = copy_module(self._module)
        layer = _leaves(module)[-1]
        if not _is_linear(layer) or layer.out_features != self.n_outputs:
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
        return self._if_equal(new, probe, expected)

    @staticmethod
    def _if_equal(new, probe, expected):
        """Return a network if its outputs for some rows are as expected, else None."""
        try:
            same = np.allclose(new.outputs(probe), expected, rtol=1e-3, atol=1e-4)
        except RuntimeError:  # shapes that do not fit together
            return None
        return new if same else None

    def __getstate__(self):
        state = dict(self.__dict__)
        state["module"] = module_state(state.pop("_module"))
        self._check_restored(state)
        return state

    def __setstate__(self, state):
        state = dict(state)
        saved = state.pop("module")
        self.__dict__.update(state)
        seed = self._seed or 0
        module = build_module(self.factory, self.n_features, self.n_outputs, seed)
        with usual_torch():
            restore_state(module, saved)
        self._module = module.eval()

    def _check_restored(self, state):
        """Raise if a state does not make the same network again."""
        rows, new = probe_rows(3, self.n_features), object.__new__(type(self))
        expected = self._outputs_if_taken(rows)
        if expected is None:
            return
        try:
            new.__setstate__(state)
            same = np.allclose(expected, new.outputs(rows), rtol=1e-6, equal_nan=True)
            reason = "module, built again and given its state, predicts otherwise"
        except REFUSALS as error:
            same, reason = False, str(error)
        if not same:
            raise pickle.PicklingError(
                f"The network cannot be saved: {reason}. Keep what training changes "
                "in parameters, buffers, or attributes that the constructor sets."
            )

    def _comparable_state(self):
        return {**self.__dict__, "_module": module_state(self._module)}


def _leaves(module):
    """Return the layers of a module that have no layers within."""
    return [m for m in module.modules() if not list(m.children())]


def _is_linear(layer):
    """Tell whether a layer is linear, with weights that nothing else makes."""
    return (
        isinstance(layer, nn.Linear)
        and layer.weight is layer._parameters.get("weight")
        and not layer._forward_pre_hooks
    )


def _replace(layer, weight, bias):
    """Give a linear layer other weights, which are trained if its own were."""
    trained, like = layer.weight.requires_grad, layer.weight
    layer.weight = nn.Parameter(weight.to(like), requires_grad=trained)
    layer.bias = nn.Parameter(bias.to(like), requires_grad=trained)


def _one_draw(layers, seed, draw, rest, x):
    """Run `rest` as the random function number `draw`."""
    try:
        for i, layer in enumerate(layers):
            layer.hold(np.random.SeedSequence(seed, spawn_key=(i, draw)))
        return rest(x)
    finally:
        for layer in layers:
            layer.release()


def _split_before_noise(module):
    """Split a chain of layers before the first random one: what is before runs once."""
    if type(module) is not nn.Sequential:
        return nn.Identity(), module
    for i, layer in enumerate(module):
        if stochastic_layers(layer):
            return module[:i], module[i:]
    return nn.Identity(), module
