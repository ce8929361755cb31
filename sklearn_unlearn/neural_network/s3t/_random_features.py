"""Frozen random features, on which all blocks of an ensemble are trained."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import torch

from sklearn_unlearn.utils._saved import saved_as

__all__ = ["CHUNK_ROWS", "RandomFeatures"]

# Rows that go through features and blocks at once, so that memory is bounded.
CHUNK_ROWS = 512
# Standardised inputs are clipped here: a spread estimated from few rows can be far off.
LIMIT = 5.0


@saved_as("random features")
class RandomFeatures:
    """Rectified random projections of standardised inputs, beside the inputs.

    Nothing in them is learnt from rows.

    Parameters
    ----------
    directions : ndarray of shape (n_inputs, n_components), dtype=float32
        Directions of the projections.
    offsets : ndarray of shape (n_components,), dtype=float32
        What is added to them.
    """

    def __init__(self, directions, offsets):
        self.directions, self.offsets = directions, offsets

    @classmethod
    def draw(cls, rng, n_inputs, n_components):
        """Draw features of mean square one for standardised inputs."""
        directions = rng.normal(size=(n_inputs, n_components)) * (2 / n_inputs) ** 0.5
        offsets = rng.uniform(-1, 1, size=n_components)
        return cls(directions.astype(np.float32), offsets.astype(np.float32))

    @property
    def width(self):
        """Number of features, the standardised inputs included."""
        return sum(self.directions.shape)

    def transform(self, X, centre, scale):
        """Return the features of some rows.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_inputs), dtype=float64
            Rows.
        centre, scale : ndarray of shape (n_inputs,)
            Mean and spread by which inputs are standardised.

        Returns
        -------
        Tensor of shape (n_rows, width), dtype=float64
            Features.
        """
        z = torch.from_numpy(np.clip((X - centre) / scale, -LIMIT, LIMIT))
        directions, offsets = (
            torch.tensor(values, dtype=torch.float64)
            for values in (self.directions, self.offsets)
        )
        return torch.cat([z, torch.addmm(offsets, z, directions).relu_()], dim=1)
