"""Dropout masks for training, drawn ahead for as many steps as fit the cache."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import math

import numpy as np
import torch

from sklearn_unlearn.dropout._noise import bernoulli

__all__ = ["NUMBERS_AHEAD", "MaskStream"]

# Numbers drawn at once: 1 MB of float32. The masks of an epoch would be larger than the
# cache; to draw those of a layer and a step is ruled by the cost of calls.
NUMBERS_AHEAD = 1 << 18


class MaskStream:
    """Masks of 0 and 1 for the layers of a perceptron, step after step.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the masks.
    widths : sequence of int
        Units of the input and of each hidden layer.
    dropout : sequence of float
        Probability to drop for each of them; no mask is drawn for 0.
    batch : tuple of int
        Shape of a batch: (n_rows,) or (n_models, n_rows).
    device : torch.device or str, default="cpu"
        Where the masks are needed.
    """

    def __init__(self, rng, widths, dropout, batch, device="cpu"):
        self._rng, self._device = rng, device
        n_rows = math.prod(batch)
        # layers with one probability lie side by side and are drawn at once
        per_step = dict.fromkeys(sorted({p for p in dropout if p > 0}), 0)
        layers = []
        for width, p in zip(widths, dropout, strict=True):
            layers.append((p, per_step.get(p, 0), n_rows * width, (*batch, width)))
            if p > 0:
                per_step[p] += n_rows * width
        total = sum(per_step.values())
        self._n_steps = max(1, NUMBERS_AHEAD // total) if total else 1
        self._drawn = {
            p: np.empty(n * self._n_steps, dtype=np.float32)
            for p, n in per_step.items()
        }
        sizes = [drawn.size for drawn in self._drawn.values()]
        self._scratch = np.empty(max(sizes, default=0), dtype=bool)
        tensors = {
            p: torch.from_numpy(drawn).to(device) for p, drawn in self._drawn.items()
        }
        self._tensors = tensors
        self._steps = [
            [
                tensors[p][i * per_step[p] + start :][:size].view(shape) if p else None
                for p, start, size, shape in layers
            ]
            for i in range(self._n_steps)
        ]
        self._batch_size, self._step = batch[-1], self._n_steps

    @classmethod
    def of(cls, mlp, rng, batch, device):
        """Return the stream of masks for the training of one perceptron, or several."""
        return cls(rng, mlp.layout.sizes[:-1], mlp.dropout, batch, device)

    def next(self, n_rows):
        """Return one mask per layer, None where nothing is dropped.

        Parameters
        ----------
        n_rows : int
            Rows of this batch, at most those of `batch`.

        Returns
        -------
        list of (Tensor of shape (..., n_rows, width) or None)
            They are valid until the next call.
        """
        if self._step == self._n_steps:
            self._draw()
        masks = self._steps[self._step]
        self._step += 1
        if n_rows == self._batch_size:
            return masks
        return [mask if mask is None else mask[..., :n_rows, :] for mask in masks]

    def _draw(self):
        """Draw the masks of the next steps into the arrays that all masks view."""
        for p, drawn in self._drawn.items():
            bernoulli(self._rng, p, drawn, self._scratch[: drawn.size])
            # on a CPU the tensor is a view of the array
            if self._tensors[p].device.type != "cpu":
                self._tensors[p].copy_(torch.from_numpy(drawn))
        self._step = 0
