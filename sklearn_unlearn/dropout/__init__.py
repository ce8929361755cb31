"""Layers of torch that apply random noise, drawn from an explicit generator.

One file, one kind of noise, one public class. Users put the layers into modules for
the networks of `neural_network`; a network draws random functions by holding their
noise. `_engine`, and what stands on it, may import this folder.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.dropout._alpha import AlphaDropout
from sklearn_unlearn.dropout._base import StochasticLayer
from sklearn_unlearn.dropout._bernoulli import BernoulliDropout
from sklearn_unlearn.dropout._gaussian import GaussianDropout

__all__ = ["AlphaDropout", "BernoulliDropout", "GaussianDropout", "StochasticLayer"]
