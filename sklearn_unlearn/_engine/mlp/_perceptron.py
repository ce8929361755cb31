"""A fitted perceptron: its weights as an array, and functions drawn from it."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import copy

import numpy as np
import torch
from torch import nn

from sklearn_unlearn._engine._threads import dense, map_chunks, tile_rows
from sklearn_unlearn._engine.mlp._mlp import ACTIVATIONS, Layout
from sklearn_unlearn._engine.mlp._trainer import MLPTrainer, TrainablePerceptron
from sklearn_unlearn.dropout import BernoulliDropout
from sklearn_unlearn.dropout._noise import kept_units, make_generator, rounded
from sklearn_unlearn.utils._saved import saved_as

__all__ = ["Perceptron"]

# Hidden units of a block of draws, for all rows of a tile: 1 MB, so that they stay in
# the cache between two products.
BLOCK_UNITS = 1 << 18
# Masked weights that may be held for all tiles: 64 MB.
MAX_MASKED_WEIGHTS = 1 << 24
# Rows of a chunk of the deterministic pass, and how many are few.
CHUNK_ROWS, FEW_ROWS = 512, 16
# Layers are padded with zeros to a width that is a multiple of this.
WIDTH_MULTIPLE = 16


@saved_as("perceptron")
class Perceptron:
    """Weights of a fitted perceptron.

    Parameters
    ----------
    sizes : tuple of int
        Numbers of inputs, of units of each hidden layer, and of outputs.
    activation : str
        Of the hidden layers.
    dropout : tuple of float
        Probability to drop for the input and for each hidden layer.
    parameters : ndarray of shape (n_parameters,), dtype=float32
        See `Layout`.
    """

    is_stochastic = True

    def __init__(self, sizes, activation, dropout, parameters):
        self.sizes, self.activation = tuple(sizes), activation
        self.dropout = tuple(rounded(p) for p in dropout)
        self.parameters = parameters

    @property
    def n_outputs(self):
        """Number of outputs."""
        return self.sizes[-1]

    @property
    def n_features(self):
        """Number of inputs."""
        return self.sizes[0]

    def with_parameters(self, parameters):
        """Return a network of the same sizes with other weights."""
        new = copy.copy(self)
        new.parameters = parameters
        return new

    def copy(self):
        """Return a copy with parameters of its own."""
        return self.with_parameters(self.parameters.copy())

    def trainer(self, rows, loss, **settings):
        """Return a trainer of this network; see `MLPTrainer`."""
        return MLPTrainer(self, rows, loss, **settings)

    def as_trainable(self, device, seed=0):
        """Return a copy in training to forget; nothing in it is random."""
        return TrainablePerceptron(self, device)

    def views(self):
        """Return weights and biases as views of `parameters`."""
        parts = Layout(self.sizes).views(torch.from_numpy(self.parameters))
        return tuple([view.numpy() for view in part] for part in parts)

    def module(self):
        """Return the same network as a module, which views the same parameters."""
        weights, biases = Layout(self.sizes).views(torch.from_numpy(self.parameters))
        layers: list[nn.Module] = []
        for p, W, b in zip(self.dropout, weights, biases, strict=True):
            if layers:
                layers.append(ACTIVATIONS[self.activation].module())
            if p > 0:
                layers.append(BernoulliDropout(p))
            with torch.device("meta"):
                linear = nn.Linear(*W.shape)
            linear.weight, linear.bias = nn.Parameter(W.T), nn.Parameter(b)
            layers.append(linear)
        return nn.Sequential(*layers).eval()

    def outputs(self, X, device="cpu"):
        """Return the outputs of the deterministic pass.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_inputs)
        device : torch.device or str

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
        """
        return self.apply(lambda outputs: outputs[0], X, None, device=device)

    def apply(self, reduce, X, n_draws, seed=None, *, device="cpu"):
        """Draw functions, and reduce their values row by row.

        Of random functions the arithmetic is that of float32, in which the weights
        were trained. Rows go through in tiles of one shape, the last one padded,
        and widths are padded likewise: so what a row gets does not depend, bit
        for bit, on the rows that it is given with.

        Parameters
        ----------
        reduce : callable (ndarray of shape (n_draws, n_rows, n_outputs)) -> ndarray
            Or a tuple of arrays; rows come first in what it returns. It is given
            float64.
        X : ndarray of shape (n_rows, n_inputs)
        n_draws : int or None
            Number of functions; the first of them are the same whatever their
            number. None stands for one function, the deterministic one.
        seed : int
            Of the functions.
        device : torch.device or str

        Returns
        -------
        ndarray or tuple of ndarray
        """
        on_cpu = torch.device(device).type == "cpu"
        if n_draws is None and on_cpu:
            return self._deterministic(reduce, X)
        layers = self._padded_layers(device)
        noise = self._noise(n_draws, seed, device)
        first = next((i for i, m in enumerate(noise) if m is not None), len(layers))
        tile = tile_rows((n_draws or 1) * self.n_outputs)
        masked_weights = self._masked_weights(layers, noise, tile)

        def run(rows):
            padded = np.zeros((tile, self.sizes[0]), dtype=np.float32)
            padded[: len(rows)] = rows
            a = torch.from_numpy(padded).to(device)
            for layer in range(first):  # up to the first random layer: once
                W, b = layers[layer]
                a = self._activate(layer, torch.addmm(b, a, W))
            if first < len(layers):
                a = self._draw(a, layers, masked_weights, first, n_draws)
            outputs = a[..., : len(rows), : self.n_outputs].double().cpu()
            return reduce(outputs.expand(n_draws or 1, *outputs.shape[-2:]).numpy())

        return map_chunks(run, X, tile, parallel=on_cpu)

    def _deterministic(self, reduce, X):
        """Reduce the one function without noise; in float64, without padding."""
        weights, biases = (
            [v.astype(np.float64) for v in part] for part in self.views()
        )
        activate = ACTIVATIONS[self.activation].forward
        # Products of few rows have the same bytes on any number of threads in numpy,
        # which is quick to call, those of many rows in torch under a limit.
        few = X.shape[0] <= FEW_ROWS

        def run(rows):
            a = np.array(rows, dtype=np.float64, order="C")
            for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
                if few:
                    a = a @ W
                else:
                    a = torch.mm(torch.from_numpy(a), torch.from_numpy(W)).numpy()
                a += b
                if layer + 2 < len(self.sizes):
                    a = activate(torch.from_numpy(a)).numpy()
            return reduce(a[None])

        return run(dense(X)) if few else map_chunks(run, X, CHUNK_ROWS)

    def _draw(self, a, layers, masked_weights, first, n_draws):
        """Return the outputs, given those of the layers before the first random one."""
        outputs = a.new_empty(n_draws, len(a), layers[-1][0].shape[1])
        for draws, weights in masked_weights():
            h = a.expand(draws.stop - draws.start, *a.shape)
            for layer in range(first, len(layers)):
                W, b = weights[layer], layers[layer][1]
                W = W.expand(len(h), *W.shape[-2:])
                h = self._activate(layer, torch.baddbmm(b.expand(len(h), 1, -1), h, W))
            outputs[draws] = h
        return outputs

    def _activate(self, layer, z):
        """Apply the activation that follows a layer; there is none after the last."""
        last = layer + 2 == len(self.sizes)
        return z if last else ACTIVATIONS[self.activation].forward(z)

    def _padded_layers(self, device):
        """Return (W, b) of each layer padded to a multiple of `WIDTH_MULTIPLE`.

        For other widths some products depend on the place of a row among others.
        """
        flat = torch.from_numpy(self.parameters).to(device)
        padded, rows = [], self.sizes[0]
        for W, b in zip(*Layout(self.sizes).views(flat), strict=True):
            columns = -(-W.shape[1] // WIDTH_MULTIPLE) * WIDTH_MULTIPLE
            new = W.new_zeros(rows, columns)
            new[: W.shape[0], : W.shape[1]] = W
            padded.append((new, nn.functional.pad(b, (0, columns - len(b)))))
            rows = columns
        return padded

    def _masked_weights(self, layers, noise, tile):
        """Return a function that yields slices of draws with their masked weights.

        ``relu(h * m) W`` is ``relu(h) (diag(m) W)``: to mask weights costs less than
        to mask the units of every row. They are made once, unless they would take
        too much room.
        """
        n_draws = next((len(m) for m in noise if m is not None), 0)
        width = max(max(W.shape) for W, _ in layers)
        block = max(1, BLOCK_UNITS // (tile * width))

        def blocks():
            for start in range(0, n_draws, block):
                draws = slice(start, min(start + block, n_draws))
                yield (
                    draws,
                    [
                        W if m is None else m[draws].unsqueeze(-1) * W
                        for m, (W, _) in zip(noise, layers, strict=True)
                    ],
                )

        size = sum(
            W.numel() for m, (W, _) in zip(noise, layers, strict=True) if m is not None
        )
        if n_draws * size > MAX_MASKED_WEIGHTS:
            return blocks
        all_blocks = list(blocks())
        return lambda: all_blocks

    def _noise(self, n_draws, seed, device):
        """Return the noise of each layer, shape (n_draws, width), or None."""
        n_layers, widths = len(self.dropout), self.sizes[:-1]
        if n_draws is None:
            return [None] * n_layers
        drawn: list[torch.Tensor | None] = []
        for layer, (p, width) in enumerate(zip(self.dropout, widths, strict=True)):
            if p == 0:
                drawn.append(None)
                continue
            rng = make_generator(np.random.SeedSequence(seed, spawn_key=(layer,)))
            # the draws of a layer follow one another in its stream, so that more of
            # them do not change the first
            mask = kept_units(rng, p, (n_draws, width))
            mask /= np.float32(1 - p)
            noise = torch.from_numpy(mask)
            # the weights of padded columns are zero
            n_padded = 0 if layer == 0 else -width % WIDTH_MULTIPLE
            drawn.append(nn.functional.pad(noise, (0, n_padded)).to(device))
        return drawn

    def change_coordinates(self, A, b):
        """Return the network that gives for ``x`` what this one gives for ``x A + b``.

        Parameters
        ----------
        A : ndarray of shape (n_new_inputs, n_inputs)
        b : ndarray of shape (n_inputs,)
        """
        weights, biases = self.views()
        sizes = (A.shape[0], *self.sizes[1:])
        n_parameters = Layout(sizes).n_parameters
        new = self.with_parameters(np.empty(n_parameters, dtype=np.float32))
        new.sizes = sizes
        new_weights, new_biases = new.views()
        new_weights[0][:] = A @ weights[0].astype(np.float64)
        new_biases[0][:] = biases[0] + b @ weights[0].astype(np.float64)
        for old, target in zip(weights[1:], new_weights[1:], strict=True):
            target[:] = old
        for old, target in zip(biases[1:], new_biases[1:], strict=True):
            target[:] = old
        return new

    def rescaled(self, gain, shift):
        """Return the network whose outputs are ``gain`` times these plus ``shift``.

        Parameters
        ----------
        gain, shift : ndarray of shape (n_outputs,)
        """
        new = self.copy()
        weights, biases = new.views()
        weights[-1][:] = weights[-1].astype(np.float64) * gain
        biases[-1][:] = biases[-1].astype(np.float64) * gain + shift
        return new
