"""Layers of torch that multiply by random noise of an explicit generator."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.dropout._base import StochasticLayer
from sklearn_unlearn.dropout._bernoulli import BernoulliDropout
from sklearn_unlearn.dropout._gaussian import GaussianDropout

__all__ = ["BernoulliDropout", "GaussianDropout", "StochasticLayer"]
